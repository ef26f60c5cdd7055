"""A vault as a schema of a clinic's PostgreSQL: what nobody else is to read is sealed, and rows are held to whom."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from attunement.errors import Damaged, InputError, InUse, NotStored, Refused
from attunement.vault import migrations, tables
from attunement.vault.database import Database, marked
from attunement.vault.naming import IN_DATABASE, schema_of
from attunement.vault.policies import held_to
from attunement.vault.rows import NUL
from attunement.vault.sealed import Fields, Sealed
from attunement.vault.store import UNFINISHED
from attunement.vault.whom import KEEPER, OWNER, REFUSED, Hand, Whom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.errors import AttunementError
    from attunement.vault.lines import Statement

_READERS: Final = {"record": 4, "identity": 2, "reflections": 1}
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_AS: Final = (
    "SELECT set_config('role', %s, true), set_config('attunement.account', %s, true), "
    "set_config('attunement.token', %s, true)"
)
_NOBODY: Final = ("none", "", "")
_FORKS: Final = (
    "Another program has written to the practice meanwhile; nothing was stored, please send it again."
)
_FAILED: Final = "The database failed or does not answer: nothing was stored. Please send it again."
_NOT_STORED: Final = {
    "53100": "The database's disk is full: nothing was stored. Make room and send it again.",
    "25006": "The database takes nothing in at present; nothing was stored.",
}


@dataclass(frozen=True, slots=True)
class Schema:
    """Where in a clinic's database a vault is.

    Parameters
    ----------
    database
        The clinic's.
    file
        What `keys.json` calls it, such as ``record-2.schema``.
    install
        Of which practice.
    owner
        Whose it is, of reflections: they are on nobody else's behalf, ever.
    record
        What `keys.json` calls the record beside it.
    """

    database: Database
    file: str
    install: str
    owner: str = ""
    record: str = ""

    @property
    def name(self) -> str:
        """The schema's own name."""
        return schema_of(self.file)


class SchemaStore:
    """A schema of a PostgreSQL.

    Parameters
    ----------
    place
        Which, and where.
    seals
        By what its fields are sealed.
    kind
        Of the vault.
    """

    raises: tuple[type[Exception], ...] = (sa.exc.DBAPIError, psycopg.Error)

    def __init__(self, place: Schema, seals: Fields, kind: str) -> None:
        self.place, self.name = place, place.file.removesuffix(IN_DATABASE)
        self._kind, self._times_held = kind, place.database.times_held
        self._whom = Whom(Hand.THERAPIST, place.owner) if place.owner else None
        self.engine = place.database.engine(place.name, seals, readers=_READERS[kind])

    def make(self, kind: str) -> None:
        """Make the schema with its tables, and hold each row to whom it is for; all of it or nothing."""
        with self.reaching(), self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                connection.exec_driver_sql(f'SET LOCAL ROLE "{OWNER}"')
                connection.exec_driver_sql(f'CREATE SCHEMA "{self.place.name}"')
                connection.exec_driver_sql(marked(self.place.name, self.place.install, UNFINISHED))
                _as_kept(kind).create_all(connection, checkfirst=False)
                connection.exec_driver_sql(
                    "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
                )
                connection.exec_driver_sql(
                    "INSERT INTO alembic_version VALUES (%s)", (migrations.HEADS[kind],)
                )
                for statement in held_to(
                    kind, self.place.name, self.place.owner, schema_of(self.place.record)
                ):
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _ended(connection)
                raise

    def check(self, kind: str) -> None:
        """Refuse what is not a vault of this kind, of the present revision."""
        with self.reading(KEEPER) as connection:
            there = connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar()
            found = (
                connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
                if there
                else None
            )
        migrations.check(found, kind, self.name)

    @contextlib.contextmanager
    def reading(self, whom: Whom | None) -> Iterator[sa.Connection]:
        """Read beside the writer, from one state, what somebody may see."""
        with self.reaching(), self.engine.connect() as connection:
            driver = _driver(connection)
            try:
                with driver.pipeline():  # both in one message
                    for statement in ((_BEGIN_READING, None), *self.letting_in(whom)):
                        driver.execute(*statement)
                yield connection
                driver.execute("ROLLBACK")
            except BaseException:
                _ended(connection)
                raise

    def begin(self, connection: sa.Connection) -> bool:
        """Begin what the only writer does, if it is still the only one; whether another may have written meanwhile."""
        before, self._times_held = self._times_held, self.place.database.hold()
        _driver(connection).execute("BEGIN")
        return before != self._times_held

    def begin_filling(self, connection: sa.Connection) -> None:
        """Begin to put a copy of another vault into empty tables."""
        self.begin(connection)
        _driver(connection).execute(f'SET LOCAL ROLE "{OWNER}"')

    def letting_in(self, whom: Whom | None) -> tuple[Statement, ...]:
        """Return what is said to let somebody in: in which role they are, and who; nobody sees nothing."""
        whom = self._whom or whom
        return ((_AS, (whom.hand.value, whom.account, whom.token.hex()) if whom else _NOBODY),)

    def refuse_holes(self, connection: sa.Connection) -> None:
        """A server that finds a bad page says so by itself."""

    def fails_all(self, problem: BaseException) -> bool:
        """Whether the server or the line to it fails, or another program wrote where this one was about to."""
        problem = getattr(problem, "orig", problem)
        return isinstance(problem, _FAILS) or _forks(problem)

    def leaves_open(self, problem: BaseException) -> bool:
        """Whether the line broke before the server said what came of a COMMIT."""
        problem = getattr(problem, "orig", problem)
        state = _state(problem)
        return isinstance(problem, _FAILS) and (not state or state.startswith(_NO_ANSWER))

    def said(self, problem: BaseException) -> AttunementError:
        """Say what the server said, without a value in it."""
        problem = getattr(problem, "orig", problem)
        state = _state(problem)
        if _forks(problem):
            return NotStored(_FORKS)
        if isinstance(problem, psycopg.DataError) and "NUL" in str(problem):
            return InputError(NUL)
        if state == "42501":
            return Refused(REFUSED)
        if state in {"XX001", "XX002"}:
            return Damaged(
                f"{self.name} is damaged on the database's disk; nothing was changed. `attunement restore` puts a "
                "backup in its place."
            )
        if state in {"55P03", "57014"}:
            return InUse(f"{self.name} is busy; nothing was stored, please send it again.")
        return NotStored(_NOT_STORED.get(state, _FAILED))

    @contextlib.contextmanager
    def reaching(self) -> Iterator[None]:
        """Turn what the server says into a sentence of ours."""
        try:
            yield
        except sa.exc.TimeoutError:
            raise NotStored(f"{self.name} is too busy; nothing was stored, please try again.") from None
        except self.raises as problem:
            raise self.said(problem) from None

    def sweep(self) -> bool:
        """Write the tables anew without what was taken away; the server's log and backups keep it until they end.

        The server keeps what an older snapshot could still see, whoever has it open, and a replica or a slot that wants
        it: it says of each table how many rows those are.
        """
        kept: list[int] = []
        with self.reaching(), self.place.database.asked(self.place.name) as connection:
            connection.add_notice_handler(lambda said: kept.append(_still_kept(said)))
            connection.execute("SET lock_timeout = '30s'; SET statement_timeout = 0")
            connection.execute(f'SET ROLE "{OWNER}"')
            for table in tables.KINDS[self._kind].sorted_tables:
                connection.execute(f'VACUUM (FULL, VERBOSE) "{table.name}"')
        return not any(kept)

    def problems(self) -> list[str]:
        """Ask the server whether pages on its disk went bad, as far as it has seen."""
        with self.reaching(), self.place.database.asked() as connection:
            asked = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"
            found = connection.execute(asked).fetchone()
        failed = found[0] if found else None
        return [f"The database's server found {failed} bad pages on its disk."] if failed else []

    def close(self) -> None:
        """Forget the connections."""
        self.engine.dispose()


def _still_kept(said: psycopg.errors.Diagnostic) -> int:
    """How many dead rows of a table could not be left out, from what VACUUM says of it in whatever language."""
    number = re.match(r"\d+", said.message_detail or "")
    return int(number.group()) if number else 0


def _driver(connection: sa.Connection) -> Any:  # noqa: ANN401 - psycopg's connection
    return connection.connection.dbapi_connection


def _ended(connection: sa.Connection) -> None:
    """End what failed; a line that is dead is not given to the next."""
    if connection.invalidated:
        return
    try:
        _driver(connection).execute("ROLLBACK")
    except Exception:  # noqa: BLE001 - what failed first is told
        connection.invalidate()


def _forks(problem: BaseException) -> bool:
    """Whether an entry of the journal was refused, since there is one in its place."""
    return isinstance(problem, psycopg.errors.UniqueViolation) and problem.diag.table_name == "journal"


def _state(problem: Any) -> str:  # noqa: ANN401 - of whatever kind
    return getattr(problem, "sqlstate", None) or ""


def _as_kept(kind: str) -> sa.MetaData:
    """The tables of a vault, in the types of a database: text in the order of its bytes, as a file has it."""
    made = sa.MetaData()
    for table in tables.KINDS[kind].sorted_tables:
        copy = table.to_metadata(made)
        for column in copy.columns:
            column.type = _type(column.type)
            column.autoincrement = False  # the journal counts by itself; a backup's role may see no sequence
    return made


def _type(given: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(given, Sealed | sa.LargeBinary):
        return postgresql.BYTEA()
    if isinstance(given, sa.Integer):
        return sa.BigInteger()
    return sa.Double() if isinstance(given, sa.Float) else sa.Text(collation="C")


_FAILS: Final = (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError)
_NO_ANSWER: Final = ("08", "57P", "40003")
