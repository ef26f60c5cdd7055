"""Which tables there are, with which columns; ``docs/reference/tables.md`` says what each means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from attunement.errors import ColumnProblem
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.exchange.raw import shown
from attunement.frames import ENDINGS, SESSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.exchange.entries import Entry

Kind = Literal["csv", "parquet"]


@dataclass(frozen=True, slots=True)
class Table:
    """One of the four.

    Parameters
    ----------
    name
        Of its file, without the ending.
    columns
        In order.
    needed
        Those that every file of it has; the others may be left out.
    times, numbers, counts
        Those that hold no text.
    """

    name: str
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    times: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()

    def check(self, where: str, header: tuple[str, ...]) -> None:
        """Refuse a header that lacks a column, or has one that the table does not know."""
        for name in self.needed:
            if name not in header:
                raise ColumnProblem(f"{where} has no column {name}; the table {self.name} needs it.")
        for place, name in enumerate(header, start=1):
            if name not in self.columns:
                raise ColumnProblem(
                    f"{where}, row 1, column {place}: {shown(name)} is no column of the table {self.name}; "
                    f"its columns are {', '.join(self.columns)}."
                )


_ANSWERED = ("client", "session", "at", "instrument")
CLIENTS: Final = Table(
    "clients", ("client", "since", "ended", "ending"), ("client",), times=("since", "ended")
)
SESSIONS_OF: Final = Table(
    "sessions", ("client", "session", "began", "attendance", "lateness"), ("client", "session"),
    times=("began",), numbers=("lateness",), counts=("session",),
)  # fmt: skip
ANSWERS: Final = Table(
    "answers", (*_ANSWERED, "version", "item", "answer"), ("client", "session", "instrument", "item", "answer"),
    times=("at",), numbers=("answer",), counts=("session",),
)  # fmt: skip
TOTALS: Final = Table(
    "totals", (*_ANSWERED, "scale", "value"), ("client", "session", "instrument", "scale", "value"),
    times=("at",), numbers=("value",), counts=("session",),
)  # fmt: skip
TABLES: Final = (CLIENTS, SESSIONS_OF, ANSWERS, TOTALS)


def words_of(column: str) -> tuple[str, ...]:
    """Return the words that ``ending`` or ``attendance`` may hold."""
    found = (ENDINGS if column == "ending" else SESSIONS).column(column)
    return found.words if found else ()


def rows_of_entry(entry: Entry) -> tuple[Table, Iterator[tuple[Any, ...]]]:
    """Return the table that an entry belongs to, and its rows there; an answered instrument has one an item."""
    match entry:
        case ClientEntry():
            return CLIENTS, iter([(entry.code, entry.since, entry.ended, entry.ending)])
        case SessionEntry():
            return SESSIONS_OF, iter(
                [(entry.client, entry.number, entry.began, entry.attendance, entry.lateness)]
            )
        case TotalEntry():
            key = (entry.client, entry.session, entry.at, entry.instrument)
            return TOTALS, iter([(*key, entry.scale, entry.value)])
        case AnswersEntry():
            key = (entry.client, entry.session, entry.at, entry.instrument)
            return ANSWERS, ((*key, entry.version, item, answer) for item, answer in entry.answers.items())
