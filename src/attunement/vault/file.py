"""A vault as a file of our own: SQLCipher, every page encrypted."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlcipher3 import dbapi2

from attunement.errors import Damaged, NotStored
from attunement.vault import migrations
from attunement.vault.cipher import engine, in_sentences, probe, quoted, refuse_holes, sentence
from attunement.vault.naming import SEALED
from attunement.vault.places import OWNER_ONLY, sync_file, sync_folder
from attunement.vault.sealed import AsTheyAre, give_seals
from attunement.vault.sealing import Key
from attunement.vault.seals import Seals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.errors import VaultProblem
    from attunement.vault.lines import Statement
    from attunement.vault.whom import Whom

_READERS: Final = 4


class FileStore:
    """An encrypted file.

    Parameters
    ----------
    path, key
        The file, and its raw key; of a sealed one, the key of its fields.
    create
        Whether it is to be made.
    as_it_is
        Whether what is sealed in it is taken for what it is, without a key.

    Raises
    ------
    Damaged
        Where it is missing, damaged, or another than the key's.
    """

    raises: tuple[type[Exception], ...] = (sa.exc.DBAPIError, dbapi2.Error)

    def __init__(self, path: Path, key: Key, *, create: bool = False, as_it_is: bool = False) -> None:
        self.path, self.name = path, path.name
        sealed = path.suffix == SEALED
        raw = open_page_key(path.name) if sealed else key
        if not create:
            if not path.exists():
                raise Damaged(f"{path.name} is missing; `attunement restore` puts a backup in its place.")
            probe(path, raw)
        self.engine = engine(path, raw, readers=_READERS)
        seals = AsTheyAre() if as_it_is else Seals(key)
        give_seals(self.engine, seals if sealed else None)

    def make(self, kind: str) -> None:
        """Make the file with its tables."""
        self.path.touch(mode=OWNER_ONLY)
        with in_sentences(self.name):
            migrations.create(self.engine, kind)

    def check(self, kind: str) -> None:
        """Refuse what is not a vault of this kind, of the present revision."""
        with in_sentences(self.name):
            migrations.check(migrations.revision(self.engine), kind, self.name)

    @contextlib.contextmanager
    def reading(self, whom: Whom | None) -> Iterator[sa.Connection]:  # noqa: ARG002 - whoever has the key has it all
        """Read beside the writer, from one state of the file."""
        with in_sentences(self.name), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
                refuse_holes(connection)
            finally:
                with contextlib.suppress(Exception):
                    connection.exec_driver_sql("ROLLBACK")

    def begin(self, connection: sa.Connection) -> bool:
        """Begin what the only writer does; no other has been it, while the folder is held."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return False

    def begin_filling(self, connection: sa.Connection) -> None:
        """Begin to put a copy of another vault into empty tables."""
        self.begin(connection)

    def letting_in(self, whom: Whom | None) -> tuple[Statement, ...]:  # noqa: ARG002 - whoever has the key has it all
        """Nothing has to be said: here the practice's policy alone holds."""
        return ()

    def refuse_holes(self, connection: sa.Connection) -> None:
        """Refuse what was read where a page did not authenticate."""
        refuse_holes(connection)

    def fails_all(self, problem: BaseException) -> bool:
        """Whether the disk fails."""
        return isinstance(problem, _FAILS)

    def leaves_open(self, problem: BaseException) -> bool:  # noqa: ARG002 - the signature of the protocol
        """A disk that fails is asked by ourselves: what it did not take is undone."""
        return False

    def said(self, problem: BaseException) -> VaultProblem:
        """Say what the driver said."""
        return sentence(problem, self.name)

    def copy_to(self, path: Path) -> None:
        """Write a whole, merged copy under the same key (VACUUM INTO), and sync it."""
        try:
            path.touch(mode=OWNER_ONLY)
            with in_sentences(path.name), self.engine.connect() as connection:
                connection.exec_driver_sql(f"VACUUM INTO {quoted(path)}")
            sync_file(path)
            sync_folder(path.parent)
        except OSError as problem:
            raise NotStored(f"{path.name} could not be written: {problem.strerror}.") from None

    def sweep(self) -> bool:
        """Leave nothing of what was taken away: neither in free pages nor in the WAL, as far as nobody reads there."""
        with in_sentences(self.name), self.engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
        return not busy

    def problems(self) -> list[str]:
        """Check every page against its MAC, and the structure of the file."""
        with in_sentences(self.name), self.engine.connect() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA cipher_integrity_check")]
            found += [
                str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check") if row[0] != "ok"
            ]
        return found

    def close(self) -> None:
        """Merge the WAL, and forget the connections."""
        with contextlib.suppress(Exception), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.engine.dispose()


_FAILS: Final = (
    sa.exc.OperationalError, sa.exc.InternalError, dbapi2.OperationalError, dbapi2.InternalError,
)  # fmt: skip


def remove_file(path: Path) -> None:
    """Remove a vault's file, with its WAL."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def open_page_key(name: str) -> Key:
    """The key of a sealed file's pages, which is no secret: they are authenticated, and what is in them is sealed."""
    return Key(hashlib.sha256(f"attunement sealed file {name}".encode()).digest())
