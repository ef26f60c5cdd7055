"""What a piece of work does to a vault: rows read, added, changed and taken away, and one journal entry about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import postgresql, sqlite

from attunement.errors import InputError
from attunement.vault import tables
from attunement.vault.instants import read, written
from attunement.vault.journal import GONE, START, Entry, Tip, digest, touched_as_text
from attunement.vault.lines import Local, Remote
from attunement.vault.sealed import Sealed, seals_of
from attunement.vault.tables import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import sqlalchemy as sa
    from sqlalchemy.engine import Dialect

    from attunement.vault.clock import Clock, Moment
    from attunement.vault.lines import Line, Statement
    from attunement.vault.sealing import Key

Row = dict[str, Any]
NUL: Final = "A text holds a character that cannot be kept (NUL); leave it out."
_inserts: WeakKeyDictionary[sa.Table, dict[str, str]] = WeakKeyDictionary()
_MARK: Final = {"sqlite": "?", "postgresql": "%s"}
_LINES: Final[dict[str, Callable[[Any], Line]]] = {"sqlite": Local, "postgresql": Remote}
_DIALECTS: Final[dict[str, Dialect]] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}


class Prepared:
    """A query that is compiled once for each kind of store: for what is asked at every check-in.

    Parameters
    ----------
    query
        With `bindparam` where values go.
    """

    def __init__(self, query: sa.Select[Any]) -> None:
        self._query = query
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}
        self._names = tuple(column.name for column in query.selected_columns)
        self._types = tuple(column.type for column in query.selected_columns)

    def asked(self, dialect: Dialect, bound: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text for a dialect, and the values in its order."""
        if dialect.name not in self._compiled:
            made = self._query.compile(dialect=_DIALECTS[dialect.name])
            given = {name: value for name, value in made.params.items() if value is not None}
            self._compiled[dialect.name] = (str(made), tuple(made.positiontup or ()), given)
        text, order, given = self._compiled[dialect.name]
        return text, [bound.get(name, given.get(name)) for name in order]

    def row(self, found: Sequence[Any], dialect: Dialect) -> Row:
        """Name the values, and read points in time and what is sealed."""
        return {
            name: _read(kind, value, dialect)
            for name, kind, value in zip(self._names, self._types, found, strict=True)
        }


def _read(kind: sa.types.TypeEngine[Any], value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - a value of a column
    if isinstance(kind, Sealed):
        return kind.process_result_value(value, dialect)
    return read(value) if isinstance(kind, Instant) else value


@dataclass(slots=True)
class Chain:
    """The end of a journal, as the writer knows it: the next entry hangs on it.

    Parameters
    ----------
    key, tip
        Of the journal.
    changed
        How often rows of each table were changed since the vault was opened.
    """

    key: Key
    tip: Tip = field(default_factory=lambda: Tip(0, START))
    changed: Counter[str] = field(default_factory=Counter)


class Rows:
    """A vault's rows within one transaction.

    Parameters
    ----------
    connection
        On which a transaction has begun.
    metadata
        The vault's tables.
    chain
        The end of its journal; moves on when the transaction is committed.
    clock
        Tells when.
    """

    def __init__(self, connection: sa.Connection, metadata: sa.MetaData, chain: Chain, clock: Clock) -> None:
        self._connection, self._tables = connection, metadata.tables
        self._dialect, self._mark = connection.dialect, _MARK[connection.dialect.name]
        self._line = _LINES[connection.dialect.name](connection.connection.dbapi_connection)
        self._seals = seals_of(connection.dialect)
        self._chain, self._tip = chain, chain.tip
        self._clock = clock
        self._moment: Moment | None = None
        self._touched: dict[tuple[str, str], str] = {}
        self._changed: set[str] = set()

    @property
    def key(self) -> Key:
        """The key of the journal."""
        return self._chain.key

    @property
    def tip(self) -> Tip:
        """The end of the journal, as far as this transaction has come."""
        return self._tip

    def now(self) -> Moment:
        """Return the moment of this piece of work: its rows and its entry have the same."""
        self._moment = self._moment or self._clock.now()
        return self._moment

    # -- reading

    def one(self, query: sa.Select[Any], **bound: Any) -> Row | None:  # noqa: ANN401 - values of parameters
        """Return the first row, or None."""
        self._line.flush()
        row = self._connection.execute(query, bound).mappings().first()
        return None if row is None else dict(row)

    def all(self, query: sa.Select[Any], **bound: Any) -> list[Row]:  # noqa: ANN401 - values of parameters
        """Return all rows."""
        self._line.flush()
        found = self._connection.execute(query, bound)
        names = tuple(found.keys())
        return [dict(zip(names, row, strict=True)) for row in found]

    def prepared(self, query: Prepared, **bound: Any) -> Row | None:  # noqa: ANN401 - values of parameters
        """Return the first row of a query that was compiled beforehand, or None."""
        found = self._line.read(*query.asked(self._dialect, bound)).fetchone()
        return None if found is None else query.row(found, self._dialect)

    # -- writing

    def add(self, table: sa.Table, **values: Any) -> Row:  # noqa: ANN401 - values of columns
        """Add a row; a random id is made where none is given."""
        row = {column.name: values.get(column.name) for column in table.columns}
        row["id"] = row["id"] or tables.new_id()
        self._insert(table, row)
        self.touch(table, row)
        return row

    def change(self, table: sa.Table, row: Row, **values: Any) -> Row:  # noqa: ANN401 - values of columns
        """Change a row that was read whole."""
        changed = {**row, **values}
        assigned = ", ".join(f'"{table.c[name].name}" = {self._mark}' for name in values)
        statement = f'UPDATE "{table.name}" SET {assigned} WHERE id = {self._mark}'  # noqa: S608 - names of our own columns
        kept = [self._kept(table.c[name], value) for name, value in ({**values, "id": row["id"]}).items()]
        self._line.write(statement, kept)
        self.touch(table, changed)
        return changed

    def remove(self, table: sa.Table, ids: Sequence[str]) -> None:
        """Take rows away."""
        self._line.flush()
        for each in ids:
            self._connection.execute(table.delete().where(table.c.id == each))
            self._touched[table.name, each] = GONE

    def execute(self, statement: sa.Executable) -> None:
        """Run a statement that touches no row the journal answers for."""
        self._line.flush()
        self._connection.execute(statement)

    # -- the journal

    def note(self, who: str, verb: str, about: str, outcome: str = "done") -> Entry:
        """Write the one entry of this piece of work."""
        entry = Entry.at_moment(self._tip.seq + 1, self.now(), who, verb, about, outcome)
        touched = tuple((table, row, left) for (table, row), left in self._touched.items())
        entry = replace(entry, touched=touched)
        mac = entry.mac(self._chain.key, self._tip.mac)
        values = {name: getattr(entry, name) for name in _ENTRY}
        self._insert(self._tables["journal"], {**values, "touched": touched_as_text(touched), "mac": mac})
        self._tip = Tip(entry.seq, mac)
        self._changed |= {table for table, _ in self._touched}
        self._touched.clear()
        return entry

    # -- savepoints, for the writer

    def begin(self, before: Sequence[Statement] = ()) -> Tip:
        """Begin a piece of work; returns what `undo` goes back to.

        Parameters
        ----------
        before
            What the store is told first in it.
        """
        self._line.begin(before)
        self._touched.clear()
        self._moment = None
        return self._tip

    def keep(self) -> None:
        """Keep a piece of work."""
        if self._touched:
            raise RuntimeError("Rows were touched, and no entry says so.")
        self._line.keep()

    def undo(self, before: Tip) -> None:
        """Undo a piece of work, its entry too."""
        self._line.undo()
        self._tip = before
        self._touched.clear()

    def committed(self) -> None:
        """Let the chain go on from here."""
        self._chain.tip = self._tip
        self._chain.changed.update(self._changed)

    def _insert(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Insert without SQLAlchemy's own work at each statement, which would be half of a check-in's time."""
        statements = _inserts.setdefault(table, {})
        if self._mark not in statements:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            marks = ", ".join([self._mark] * len(table.columns))
            statements[self._mark] = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608 - our own names
        kept = [self._kept(column, row[column.name]) for column in table.columns]
        self._line.write(statements[self._mark], kept)

    def _kept(self, column: sa.Column[Any], value: Any) -> Any:  # noqa: ANN401 - a value of a column
        if isinstance(value, str) and "\0" in value:
            raise InputError(NUL)
        if self._seals is not None and isinstance(column.type, Sealed):
            return column.type.process_bind_param(value, self._dialect)
        return written(value) if isinstance(value, datetime) else value

    def touch(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Let the entry of this piece of work answer for a row as it is."""
        self._touched[table.name, row["id"]] = digest(self._chain.key, table.name, row)


_ENTRY = ("seq", "at", "steady", "who", "verb", "about", "outcome")
