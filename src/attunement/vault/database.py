"""A clinic's PostgreSQL: reached by an address, looked at before anything is kept there, and held by one program.

What is looked at stands in `attunement.vault.doors`.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import psycopg
import psycopg.conninfo
import sqlalchemy as sa

from attunement.errors import Damaged, InUse, NotStored, VaultProblem
from attunement.vault.doors import HOW, one, problems, read, refuse_open_doors, shown
from attunement.vault.sealed import give_seals
from attunement.vault.store import IN_FORCE, NEWER, OVER, VARIABLE
from attunement.vault.whom import OWNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.vault.sealed import Fields

_HELD: Final = 7_316_2026  # an advisory lock of our own
_PATIENCE: Final = 5  # seconds for a server to let somebody in; all told it is less than 15
_UNTIL_GONE: Final = 1.0  # seconds in which a server sees that a program was killed
_SILENT: Final = 8.0  # seconds in which a line says nothing, until it is taken for dead
_LINE: Final = {
    "connect_timeout": str(_PATIENCE),
    "tcp_user_timeout": str(_PATIENCE * 1000),
    "keepalives_idle": "10",
}
_SETTINGS: Final = (
    "-c lock_timeout=5s -c statement_timeout=60s -c synchronous_commit=on -c client_min_messages=error "
    "-c jit=off "  # what is asked is small, and takes longer to compile than to answer
    "-c idle_session_timeout=0 "  # who holds the practice says nothing for hours
    "-c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"  # until its machine dies
)

# Of an error beside another it would log the row that failed; what went wrong is said by us.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A line to a database, taken for dead where the server says nothing for long: one that hangs tells nobody."""

    patience: float | None = _SILENT

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as psycopg's
        """Wait for the server, as long as it is heard from time to time."""
        return super().wait(self._heard(gen), *args, **kwargs)

    def _heard(self, gen: Any) -> Any:  # noqa: ANN401 - a generator of psycopg's
        last, ready = time.monotonic(), None
        try:
            while True:
                ready = yield gen.send(ready)
                if ready:
                    last = time.monotonic()
                elif self.patience is not None and time.monotonic() - last > self.patience:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("The server says nothing.")
        except StopIteration as end:
            return end.value


class Database:
    """The database of a clinic.

    Parameters
    ----------
    address
        ``postgresql://USER:PASSWORD@HOST/DATABASE``; on another machine with ``?sslmode=verify-full``.

    Raises
    ------
    InputError
        Where the address is none, or leaves a door open; it is not repeated.
    """

    def __init__(self, address: str) -> None:
        self._given = read(address)
        refuse_open_doors(self._given)
        self._lock: Connection | None = None
        self._holding = threading.RLock()
        self.times_held = 0  # whoever was not there in between does not know what others wrote

    @property
    def place(self) -> str:
        """Which database, without who and by what."""
        return f"{self._given.get('dbname', '')} on {self._given['host']}"

    def engine(self, schema: str, seals: Fields | None, *, readers: int) -> sa.Engine:
        """Return an engine on one schema, that seals by what it is given."""
        made = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: self.connected(schema),
            pool_size=readers + 1,
            max_overflow=2,
            pool_pre_ping=True,
            pool_timeout=10,  # seconds until a request is told that all are busy
            isolation_level="AUTOCOMMIT",  # what begins and ends is said by us
            hide_parameters=True,  # an error message never holds an answer
        )
        give_seals(made, seals)
        return made

    def connected(self, schema: str = "", **other: str) -> Connection:
        """Open a connection, with a schema before it."""
        options = f"{_SETTINGS} -c search_path={schema}" if schema else _SETTINGS
        given = {"application_name": "attunement", **_LINE, **self._given, **other}
        address = psycopg.conninfo.make_conninfo("", **given, options=options)
        return Connection.connect(address, autocommit=True)

    @contextlib.contextmanager
    def asked(self, schema: str = "") -> Iterator[Connection]:
        """Give a connection of its own; that there is none is said in a sentence."""
        try:
            connection = self.connected(schema)
        except psycopg.Error as problem:
            raise self.unreachable(problem) from None
        connection.patience = None  # some of what is asked takes long
        try:
            yield connection
        except psycopg.Error as problem:
            if not connection.closed:
                raise
            raise self.unreachable(problem) from None
        finally:
            connection.close()

    def unreachable(self, problem: BaseException) -> VaultProblem:
        """Say why nothing answers, without the password."""
        said = str(problem).lower()
        if "password authentication failed" in said or "no password supplied" in said:
            return VaultProblem(f"The database {self.place} does not take this user and password.")
        if "does not exist" in said:
            return VaultProblem(f"There is no database or user of this name on {self._given['host']}; {HOW}")
        return NotStored(f"The database {self.place} does not answer; {VARIABLE} says where it is.")

    # -- looked at

    def examine(self) -> None:
        """Look at what went wrong elsewhere, and refuse it.

        Raises
        ------
        VaultProblem
            With what is wrong, and what would do.
        """
        with self.asked() as connection:
            for problem in problems(connection):
                raise VaultProblem(f"Nothing is kept in this database: {problem}")

    @property
    def checksums(self) -> bool:
        """Whether the server finds pages that went bad on its disk."""
        with self.asked() as connection:
            return shown(connection, "data_checksums") == "on"

    def analyse(self, schema: str) -> None:
        """Let the server count what was carried into a schema, or it plans its first queries blindly."""
        with self._sentences(), self.asked(schema) as connection:
            connection.execute(f'SET ROLE "{OWNER}"')
            connection.execute("ANALYZE")

    # -- what is in it

    def schemas(self, install: str) -> dict[str, str]:
        """Return the schemas of a practice, and how each stands: in force, unfinished, or over."""
        asked = """SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace
        WHERE nspowner::regrole::text = %s ORDER BY nspname"""
        with self._sentences(), self.asked() as connection:
            found = connection.execute(asked, [OWNER]).fetchall()
        told = {name: str(comment).partition(f"attunement {install}") for name, comment in found}
        return {
            name: rest.strip() or IN_FORCE
            for name, (before, mark, rest) in told.items()
            if mark and not before
        }

    def mark(self, schema: str, install: str, how: str) -> None:
        """Write down how a schema stands."""
        with self._sentences(), self.asked() as connection:
            connection.execute(f'SET ROLE "{OWNER}"')
            connection.execute(marked(schema, install, how))

    def clear(self, schema: str, install: str) -> None:
        """Make room for a copy: what an interrupted one left there goes, and nothing that is in force.

        Raises
        ------
        Damaged
            Where a vault is in force there that whoever asks does not know of.
        """
        how = self.schemas(install).get(schema)
        if how == IN_FORCE:
            raise Damaged(NEWER)
        if how is not None:
            self._drop(schema)

    def give_up(self, schema: str, install: str) -> None:
        """Take a schema away that is no longer in force; where somebody reads it still, that is done later."""
        with contextlib.suppress(VaultProblem):
            self.mark(schema, install, OVER)
            self._drop(schema)

    def _drop(self, schema: str) -> None:
        with self._sentences(), self.asked() as connection:
            connection.execute(f'SET ROLE "{OWNER}"')
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error:
            raise NotStored(
                f"The database {self.place} is busy or failed; what was asked of it was not done."
            ) from None

    def refuse_another(self, install: str) -> None:
        """Refuse a database in which another practice is: no two share one.

        Raises
        ------
        VaultProblem
            Where there is another.
        """
        asked = (
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspowner::regrole::text = %s"
        )
        with self._sentences(), self.asked() as connection:
            found = [str(row[0]) for row in connection.execute(asked, [OWNER])]
        if any(not each.startswith(f"attunement {install}") for each in found):
            raise VaultProblem(
                f"There is another practice in the database {self.place}, or what an interrupted `init` left of one; "
                "each has a database of its own."
            )

    # -- held

    def hold(self) -> int:
        """Let no other program open the practice in it; returns how often this one has taken it.

        A server that was started anew has forgotten who held it: then it is taken again, by one of the writers for all.

        Raises
        ------
        InUse
            Where another has it.
        """
        with self._holding:
            if not self._held():
                self._take()
            return self.times_held

    def _held(self) -> bool:
        if self._lock is None:
            return False
        try:
            self._lock.execute("SELECT 1")
        except psycopg.Error:
            self.release()
            return False
        return True

    def _take(self) -> None:
        try:
            self._lock = self.connected()
            taken = self._tried()
            until = time.monotonic() + (0 if self.times_held else _UNTIL_GONE)
            while not taken and time.monotonic() < until:
                time.sleep(0.05)
                taken = self._tried()
        except psycopg.Error as problem:
            self.release()
            raise self.unreachable(problem) from None
        if not taken:
            self.release()
            raise InUse("The practice in this database is open in another program; close it there first.")
        self.times_held += 1

    def _tried(self) -> bool:
        assert self._lock is not None  # noqa: S101 - it has just been opened
        return bool(one(self._lock, "SELECT pg_try_advisory_lock(%s)", [_HELD]))

    def release(self) -> None:
        """Let another program open it."""
        with self._holding:
            if self._lock is not None:
                with contextlib.suppress(Exception):
                    self._lock.close()
                self._lock = None


def marked(schema: str, install: str, how: str) -> str:
    """Return the statement that writes down how a schema stands."""
    told = f"attunement {install}" if how == IN_FORCE else f"attunement {install} {how}"
    return f"COMMENT ON SCHEMA \"{schema}\" IS '{told}'"
