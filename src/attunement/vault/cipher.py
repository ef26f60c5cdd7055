"""SQLCipher files: every page encrypted and authenticated, every commit on the disk before it counts.

The driver is the bundled SQLite of `sqlcipher3`, never Python's own: SQLite 3.7.0 to 3.51.2 can corrupt a WAL file
that two connections write and checkpoint. Keys are raw (no key derivation a connection: .2 ms instead of 113), and a
wrong one is refused at connecting.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from attunement.errors import Damaged, InUse, NotStored, VaultProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.vault.sealing import Key

LEAST_SQLITE: Final = (3, 51, 3)
_PRAGMAS: tuple[str, ...] = (
    "journal_mode=WAL",
    "synchronous=FULL",  # in WAL, NORMAL loses acknowledged commits in a power cut
    "fullfsync=1",  # macOS: fsync alone leaves them in the drive's cache
    "checkpoint_fullfsync=1",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "mmap_size=0",
    "busy_timeout=5000",
)
_CHECKPOINT = 4_000  # pages of WAL, 16 MB
FULL, READ_ONLY, BUSY = "full", "readonly", "locked"


class Driver(Protocol):
    """What opens files; tests put plain SQLite in its place as a negative control."""

    sqlite_version_info: tuple[int, ...]

    def connect(self, path: str, **settings: Any) -> Any:  # noqa: ANN401 - a DB-API connection
        """Open a file."""


def engine(path: Path, key: Key, *, readers: int = 4) -> sa.Engine:
    """Return an engine on an encrypted file.

    Parameters
    ----------
    path
        The file; made if it is not there.
    key
        Its raw key.
    readers
        How many connections may read beside the writer.

    Raises
    ------
    VaultProblem
        Where the SQLite at hand is one that can corrupt a WAL file.
    """
    refuse_old(dbapi2.sqlite_version_info)
    return sa.create_engine(
        "sqlite+pysqlite://",
        module=dbapi2,
        creator=lambda: connected(path, key),
        poolclass=QueuePool,
        pool_size=readers + 1,
        max_overflow=0,
        hide_parameters=True,  # an error message never holds an answer
    )


def refuse_old(version: tuple[int, ...]) -> None:
    """Refuse an SQLite that can corrupt a WAL file (3.7.0 to 3.51.2)."""
    if version < LEAST_SQLITE:
        needed, here = (".".join(str(part) for part in each) for each in (LEAST_SQLITE, version))
        raise VaultProblem(
            f"SQLite {here} can corrupt files of this kind; sqlcipher3 0.6.4 brings {needed} or later."
        )


def connected(path: Path, key: Key) -> Any:  # noqa: ANN401 - a DB-API connection
    """Open a connection whose key has been tried."""
    connection = dbapi2.connect(str(path), timeout=5, check_same_thread=False, isolation_level=None)
    try:
        _unlock(connection, key)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT}")
        connection.enable_load_extension(False)  # noqa: FBT003 - the driver's own signature
    except BaseException:
        connection.close()
        raise
    return connection


def _give_key(connection: Any, key: Key) -> None:  # noqa: ANN401 - a DB-API connection
    connection.execute("PRAGMA cipher_log_level=NONE")  # before the key, or a wrong one writes to stderr
    connection.execute(f"PRAGMA key = \"x'{key.reveal().hex()}'\"")


def _unlock(connection: Any, key: Key) -> int:  # noqa: ANN401 - a DB-API connection
    """Give the key and try it; returns how many tables and indices there are."""
    _give_key(connection, key)
    return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def probe(path: Path, key: Key) -> None:
    """Try a file, with what a WAL would put into it, by a connection that can write neither.

    A connection that can write makes a database of an empty file, and at closing merges a WAL that is another file's:
    SQLite's own check of a WAL is a checksum that any WAL passes. After a program was killed a WAL is there; then all
    of it is read.

    Raises
    ------
    Damaged
        Where the file is not the key's, or the two do not belong together; nothing was changed.
    """
    wal = path.with_name(f"{path.name}-wal")
    left = wal.exists() and wal.stat().st_size > 0
    reader = dbapi2.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5, isolation_level=None)
    try:
        whole = _unlock(reader, key) > 0 and not (left and not _sound(reader))
    except dbapi2.DatabaseError:
        whole = False
    finally:
        reader.close()
    if not whole:
        both = f"{path.name} and {wal.name} do not belong together, or are damaged"
        one = f"{path.name} is damaged, or is not the file that belongs here"
        raise Damaged(
            f"{both if left else one}; nothing was changed. `attunement restore` puts a backup in its place."
        )


def _sound(reader: Any) -> bool:  # noqa: ANN401 - a DB-API connection
    return bool(reader.execute("PRAGMA quick_check").fetchone()[0] == "ok")


def refuse_holes(connection: sa.Connection) -> None:
    """Refuse what was read where a page did not authenticate.

    SQLCipher gives zeros, and no error, for a bad last page of a value that is longer than one; only its status tells.
    """
    if not _authenticated(connection):
        raise dbapi2.DatabaseError("database disk image is malformed")


def _authenticated(connection: sa.Connection) -> bool:
    return bool(connection.exec_driver_sql("PRAGMA cipher_status").scalar() != "0")


@contextmanager
def in_sentences(name: str) -> Iterator[None]:
    """Turn what the driver says into one sentence of ours, without a value in it."""
    try:
        yield
    except (sa.exc.DBAPIError, dbapi2.Error) as problem:
        raise sentence(problem, name) from None
    except sa.exc.TimeoutError:
        raise NotStored(f"{name} is too busy; nothing was stored, please try again.") from None


def sentence(problem: BaseException, name: str) -> VaultProblem:
    """Say what the driver said."""
    said = str(getattr(problem, "orig", problem)).lower()
    if "not a database" in said or "malformed" in said or "hmac" in said or "corrupt" in said:
        return Damaged(
            f"{name} is damaged, or is not the file that belongs here; nothing was changed. "
            "`attunement restore` puts a backup in its place."
        )
    if FULL in said:
        return NotStored(f"The disk is full: nothing was stored in {name}. Make room and send it again.")
    if READ_ONLY in said or "unable to open" in said:
        return NotStored(
            f"{name} cannot be written: the disk or the folder is read-only. Nothing was stored."
        )
    if BUSY in said or "busy" in said:
        return InUse(f"{name} is in use by another program; nothing was stored.")
    return NotStored(f"The disk failed while {name} was written: nothing was stored. Please send it again.")


def quoted(path: Path) -> str:
    """Write a path as an SQL string."""
    text = str(path).replace("'", "''")
    return f"'{text}'"
