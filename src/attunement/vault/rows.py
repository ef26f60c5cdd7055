"""What a piece of work does to a vault: rows read, added, changed and taken away, and one journal entry about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from attunement.vault.journal import GONE, START, Entry, Tip, digest, touched_as_text
from attunement.vault.tables import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa

    from attunement.vault.clock import Clock, Moment
    from attunement.vault.sealing import Key

Row = dict[str, Any]


@dataclass(slots=True)
class Chain:
    """The end of a journal, as the writer knows it: the next entry hangs on it."""

    key: Key
    tip: Tip = field(default_factory=lambda: Tip(0, START))


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
        self._chain, self._tip = chain, chain.tip
        self._clock = clock
        self._touched: dict[tuple[str, str], str] = {}

    @property
    def key(self) -> Key:
        """The key of the journal."""
        return self._chain.key

    @property
    def tip(self) -> Tip:
        """The end of the journal, as far as this transaction has come."""
        return self._tip

    def now(self) -> Moment:
        """Return the present moment."""
        return self._clock.now()

    # -- reading

    def one(self, query: sa.Select[Any], **bound: Any) -> Row | None:  # noqa: ANN401 - values of parameters
        """Return the first row, or None."""
        row = self._connection.execute(query, bound).mappings().first()
        return None if row is None else dict(row)

    def all(self, query: sa.Select[Any]) -> list[Row]:
        """Return all rows."""
        return [dict(row) for row in self._connection.execute(query).mappings()]

    # -- writing

    def add(self, table: sa.Table, **values: Any) -> Row:  # noqa: ANN401 - values of columns
        """Add a row; a random id is made where none is given."""
        row = {column.name: values.get(column.name) for column in table.columns}
        row["id"] = row["id"] or new_id()
        self._connection.execute(table.insert(), row)
        self.touch(table, row)
        return row

    def change(self, table: sa.Table, row: Row, **values: Any) -> Row:  # noqa: ANN401 - values of columns
        """Change a row that was read whole."""
        changed = {**row, **values}
        self._connection.execute(table.update().where(table.c.id == row["id"]), values)
        self.touch(table, changed)
        return changed

    def remove(self, table: sa.Table, ids: Sequence[str]) -> None:
        """Take rows away."""
        for each in ids:
            self._connection.execute(table.delete().where(table.c.id == each))
            self._touched[table.name, each] = GONE

    def execute(self, statement: sa.Executable) -> None:
        """Run a statement that touches no row the journal answers for."""
        self._connection.execute(statement)

    # -- the journal

    def note(self, who: str, verb: str, about: str, outcome: str = "done") -> Entry:
        """Write the one entry of this piece of work."""
        entry = Entry.at_moment(self._tip.seq + 1, self.now(), who, verb, about, outcome)
        touched = tuple((table, row, left) for (table, row), left in self._touched.items())
        entry = replace(entry, touched=touched)
        mac = entry.mac(self._chain.key, self._tip.mac)
        values = {name: getattr(entry, name) for name in _ENTRY}
        self._connection.execute(
            self._tables["journal"].insert(), {**values, "touched": touched_as_text(touched), "mac": mac}
        )
        self._tip = Tip(entry.seq, mac)
        self._touched.clear()
        return entry

    # -- savepoints, for the writer

    def begin(self) -> Tip:
        """Begin a piece of work; returns what `undo` goes back to."""
        self._connection.exec_driver_sql("SAVEPOINT work")
        self._touched.clear()
        return self._tip

    def keep(self) -> None:
        """Keep a piece of work."""
        if self._touched:
            raise RuntimeError("Rows were touched, and no entry says so.")
        self._connection.exec_driver_sql("RELEASE work")

    def undo(self, before: Tip) -> None:
        """Undo a piece of work, its entry too."""
        self._connection.exec_driver_sql("ROLLBACK TO work")
        self._connection.exec_driver_sql("RELEASE work")
        self._tip = before
        self._touched.clear()

    def committed(self) -> None:
        """Let the chain go on from here."""
        self._chain.tip = self._tip

    def touch(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Let the entry of this piece of work answer for a row as it is."""
        self._touched[table.name, row["id"]] = digest(self._chain.key, table.name, row)


_ENTRY = ("seq", "at", "steady", "who", "verb", "about", "outcome")
