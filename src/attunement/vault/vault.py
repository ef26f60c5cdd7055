"""A vault: one encrypted file with its tables, its writer and its journal."""

from __future__ import annotations

import contextlib
import secrets
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from attunement.errors import Damaged, NotStored
from attunement.vault import migrations
from attunement.vault.cipher import engine, in_sentences, probe, quoted, refuse_holes
from attunement.vault.places import OWNER_ONLY, sync_file, sync_folder
from attunement.vault.rows import Chain, Row, Rows
from attunement.vault.sealing import Key
from attunement.vault.tables import KINDS
from attunement.vault.verifying import chain_keys, last_entry, verified
from attunement.vault.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attunement.vault.clock import Clock
    from attunement.vault.journal import Tip, Verdict

Result = TypeVar("Result")
_READERS: Final = 4


class Vault:
    """An opened vault; `close` it, or the keys stay in memory.

    Parameters
    ----------
    path, key
        The file, and its raw key.
    kind
        ``record``, ``reflections`` or ``identity``: which tables it has.
    clock
        The practice's; begins no earlier than the journal's last entry.
    create
        Whether the file is to be made.

    Raises
    ------
    Damaged
        Where the file is missing, damaged, or another than the key's.
    NewerVersion
        Where a later version of this program wrote it.
    """

    def __init__(self, path: Path, key: Key, kind: str, clock: Clock, *, create: bool = False) -> None:
        self.path, self.kind, self.metadata = path, kind, KINDS[kind]
        self._key, self._clock = key, clock
        if not create and not path.exists():
            raise Damaged(f"{path.name} is missing; `attunement restore` puts a backup in its place.")
        if not create:
            probe(path, key)
        self._engine = engine(path, key, readers=_READERS)
        try:
            with in_sentences(path.name):
                if create:
                    path.touch(mode=OWNER_ONLY)
                    migrations.create(self._engine, kind)
                    self._first_key()
                migrations.check(self._engine, kind, path.name)
                self._chain = self._end_of_journal()
        except BaseException:
            self._engine.dispose()
            raise
        self._opening, self._failures = secrets.token_hex(8), 0
        self._writer = Writer(self._engine, path.name, self._rows)

    # -- reading and writing

    def do(self, work: Callable[[Rows], Result]) -> Result:
        """Do a piece of work in the writer; it is on the disk when this returns."""
        return self._writer.do(work)

    def submit(self, work: Callable[[Rows], Result]) -> Any:  # noqa: ANN401 - a future of the result
        """Queue a piece of work, and return its future."""
        return self._writer.submit(work)

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """Read beside the writer, from one state of the file."""
        with in_sentences(self.path.name), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield Rows(connection, self.metadata, self._chain, self._clock)
                refuse_holes(connection)
            finally:
                with contextlib.suppress(Exception):
                    connection.exec_driver_sql("ROLLBACK")

    def stamp(self, *names: str) -> str:
        """Return what changes whenever a row of one of these tables does; another opening has another.

        A change counts once it is on the disk: whoever takes the stamp and then reads, reads at least as late.
        """
        counted = " ".join(str(self._chain.changed[name]) for name in names)
        return f"{self._opening} {self._failures} {counted}"

    # -- the journal

    @property
    def tip(self) -> Tip:
        """The end of the journal."""
        return self._chain.tip

    def entries(self, *, after: int = 0) -> list[Row]:
        """Return the journal's rows."""
        table = self.metadata.tables["journal"]
        with self.reading() as rows:
            return rows.all(sa.select(table).where(table.c.seq > after).order_by(table.c.seq))

    def verify(self, known: Tip | None = None) -> Verdict:
        """Read the journal and every row, and say what does not agree.

        Parameters
        ----------
        known
            A tip that was kept elsewhere.
        """
        with in_sentences(self.path.name), self._engine.connect() as connection:
            return verified(connection, self.metadata, known)

    def renew_chain_key(self) -> None:
        """Let the journal go on under a new key; what was written before keeps the old."""
        fresh = Key.fresh()
        table = self.metadata.tables["chain_key"]

        def work(rows: Rows) -> None:
            since = rows.tip.seq + 1
            rows.execute(table.delete().where(table.c.since == since))  # one that no entry has used
            rows.execute(table.insert().values(since=since, key=fresh.reveal()))

        self.do(work)
        self._chain.key = fresh

    # -- the file

    def copy_to(self, path: Path) -> None:
        """Write a whole, merged copy under the same key (VACUUM INTO), and sync it."""
        try:
            path.touch(mode=OWNER_ONLY)
            with in_sentences(path.name), self._engine.connect() as connection:
                connection.exec_driver_sql(f"VACUUM INTO {quoted(path)}")
            sync_file(path)
            sync_folder(path.parent)
        except OSError as problem:
            raise NotStored(f"{path.name} could not be written: {problem.strerror}.") from None

    def copy_under(self, path: Path, key: Key) -> None:
        """Write a whole copy under another key."""
        path.touch(mode=OWNER_ONLY)
        with in_sentences(path.name), self._engine.connect() as connection:
            secret = f"x'{key.reveal().hex()}'"
            connection.exec_driver_sql(f'ATTACH DATABASE {quoted(path)} AS fresh KEY "{secret}"')
            connection.exec_driver_sql("SELECT sqlcipher_export('fresh')").fetchall()
            connection.exec_driver_sql("DETACH DATABASE fresh")
        sync_file(path)
        sync_folder(path.parent)

    def sweep(self) -> None:
        """Leave nothing of what was taken away: neither in free pages nor in the WAL."""
        with in_sentences(self.path.name), self._engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def problems(self) -> list[str]:
        """Check every page against its MAC, and the structure of the file."""
        with in_sentences(self.path.name), self._engine.connect() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA cipher_integrity_check")]
            found += [
                str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check") if row[0] != "ok"
            ]
        return found

    def close(self) -> None:
        """Finish writing, merge the WAL, and forget the connections."""
        self._writer.close()
        with contextlib.suppress(Exception), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._engine.dispose()

    # -- inside

    def _rows(self, connection: sa.Connection, failed: bool) -> Rows:  # noqa: FBT001 - the writer's signature
        if failed:  # a commit that failed may still be in the WAL
            self._failures += 1
            self._chain.tip = last_entry(connection, self.metadata)[0]
        return Rows(connection, self.metadata, self._chain, self._clock)

    def _first_key(self) -> None:
        table = self.metadata.tables["chain_key"]
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.execute(table.insert().values(since=1, key=Key.fresh().reveal()))
            connection.exec_driver_sql("COMMIT")

    def _end_of_journal(self) -> Chain:
        with self._engine.connect() as connection:
            keys = chain_keys(connection, self.metadata)
            tip, steady = last_entry(connection, self.metadata)
        if not keys:
            raise Damaged(
                f"{self.path.name} has lost its journal's key; `attunement restore` puts a backup back."
            )
        self._clock.not_before(steady)
        return Chain(keys[max(keys)], tip)
