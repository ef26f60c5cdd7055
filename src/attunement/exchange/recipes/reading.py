"""The export of another program becomes clients, sessions and totals, by a recipe."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.errors import ColumnProblem
from attunement.exchange.csv import read_csv
from attunement.exchange.dates import FORMS, parse_times
from attunement.exchange.entries import ClientEntry, SessionEntry, TotalEntry
from attunement.exchange.files import is_parquet, refuse_what_is_no_text
from attunement.exchange.numbering import number_sessions
from attunement.exchange.parquet import read_parquet
from attunement.exchange.raw import cell, shown
from attunement.exchange.recipes.recipe import Recipe, alike, recipe
from attunement.exchange.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

    from attunement.exchange.entries import Entry
    from attunement.exchange.raw import RawTable
    from attunement.exchange.recipes.recipe import Marked, Named, TotalRecipe
    from attunement.exchange.sent import Sent

_MISSING: Final = ("", "na", "n/a", "nan", "null", "none", ".", "-")
_SESSION: Final = re.compile(r"0*([0-9]{1,6})(?:\.0+)?")


def read_by_recipe(
    path: Path | Sent | str,
    of: Recipe | str,
    mapping: Mapping[str, str] | None = None,
    *,
    encoding: str = "utf-8",
    zone: tzinfo = UTC,
) -> Iterator[Entry]:
    """Read the totals of another program's export.

    Parameters
    ----------
    path
        A CSV or TSV file, or Parquet.
    of
        The recipe, or its id.
    mapping
        Columns that are called otherwise, by the recipe's keys: `parse_recipe_mapping` reads them.
    encoding
        Of a CSV file.
    zone
        Of the dates in the file.

    Raises
    ------
    InputError
        One sentence: what, in which row and column, and what would do. Take in all or nothing.
    """
    used = recipe(of) if isinstance(of, str) else of
    file = Path(path) if isinstance(path, str) else path
    columns = _Columns(used, dict(mapping or {}))
    if is_parquet(file):
        raw = read_parquet(file, columns.choose)
    else:
        refuse_what_is_no_text(file, encoding)
        raw = read_csv(file, encoding, columns.choose)
    found = [row for row in _rows(file, raw) if columns.takes(row)]
    times = _times(found, columns, used)
    numbers = _numbers(found, times, columns)
    merely = not _says_which(found, columns)
    for entry in _entries(found, columns, times, numbers, zone):
        yield replace(entry, counted=True) if merely and not isinstance(entry, ClientEntry) else entry


class _Columns:
    """Which column of a file is what."""

    def __init__(self, of: Recipe, mapping: Mapping[str, str]) -> None:
        self.of, self._mapping = of, mapping
        self.client = self.session = self.date = self.measure = ""
        self.totals: dict[str, str] = {}
        self.parts: dict[str, tuple[str, ...]] = {}
        self._marks: dict[Marked, str] = {}
        self._called: dict[str, str] = {}

    def choose(self, header: tuple[str, ...]) -> list[int]:
        """Find the columns in a header.

        Raises
        ------
        ColumnProblem
            Where one is missing that is needed, or two columns are called the same.
        """
        twins = sorted(name for name, times in Counter(header).items() if name and times > 1)
        if twins:
            raise ColumnProblem(f"More than one column is called {shown(twins[0])}; rename one of them.")
        self._called = {alike(name): name for name in reversed(header)}
        self.client = self._find(header, "client", self.of.client)
        self.session = self._find(header, "session", self.of.session)
        self.date = self._find(header, "date", self.of.date)
        self.measure = self._find(header, "measure", self.of.measure)
        for each in self.of.totals:
            self._find_total(header, each)
        marks = [each.unless for each in self.of.totals] + [self.of.only]
        self._marks = {mark: self._find(header, "", mark.column) for mark in marks if mark is not None}
        self._refuse_missing(header)
        wanted = [
            self.client,
            self.session,
            self.date,
            self.measure,
            *self.totals.values(),
            *self._marks.values(),
        ]
        wanted += [name for names in self.parts.values() for name in names]
        return [header.index(name) for name in wanted if name]

    def takes(self, row: Row) -> bool:
        """Whether the recipe takes a row."""
        return self.of.only is None or not self._marks[self.of.only] or self.marked(row, self.of.only)

    def marked(self, row: Row, mark: Marked) -> bool:
        """Whether a row is marked so."""
        return row.text(self._marks[mark]).casefold() in {each.casefold() for each in mark.values}

    def _find(self, header: tuple[str, ...], key: str, names: Named) -> str:
        said = self._mapping.get(key)
        if said is not None:
            if said not in header:
                raise ColumnProblem(f"There is no column {shown(said)} (for {key}); {_has(header)}")
            return said
        return next((self._called[alike(name)] for name in names if alike(name) in self._called), "")

    def _find_total(self, header: tuple[str, ...], each: TotalRecipe) -> None:
        total = self._find(header, each.key, each.total)
        parts = tuple(
            self._find(header, f"{each.key}.{number}", names)
            for number, names in enumerate(each.parts, start=1)
        )
        if total:
            self.totals[each.key] = total
        if parts and all(parts) and each.key not in self._mapping:
            self.parts[each.key] = parts

    def _refuse_missing(self, header: tuple[str, ...]) -> None:
        guess = "" if self.of.known else " The recipe's names are guesses."
        if not self.client:
            raise ColumnProblem(
                f"No column is the client; name it: --map client=COLUMN. {_has(header)}{guess}"
            )
        if not (self.session or self.date):
            raise ColumnProblem(
                f"Neither a session number nor a date is there; name one: --map date=COLUMN. {_has(header)}{guess}"
            )
        if not (self.totals or self.parts):
            keys = " or ".join(f"--map {each.key}=COLUMN" for each in self.of.totals)
            raise ColumnProblem(f"No column is a total; name one: {keys}. {_has(header)}{guess}")
        if self.of.measure and not self.measure:
            raise ColumnProblem(
                f"No column says which questionnaire a row is; name it: --map measure=COLUMN. {_has(header)}{guess}"
            )


def _has(header: tuple[str, ...]) -> str:
    names = [shown(name, 24) for name in header[:10] if name]
    more = f" and {len(header) - 10} more" if len(header) > 10 else ""
    return f"The file has {', '.join(names)}{more}."


def _rows(file: Path | Sent, raw: RawTable) -> Iterator[Row]:
    chosen = set(raw.cells.columns)
    places = {name: place for place, name in enumerate(raw.header) if name and cell(place) in chosen}
    for cells in raw.cells.iter_rows(named=True):
        texts = {place: cells[cell(place)] for place in places.values()}
        yield Row(file.name, cells["row"], places, texts, comma=raw.comma)


def _times(rows: list[Row], columns: _Columns, of: Recipe) -> list[datetime | None]:
    """The date of each row, in local time."""
    if not columns.date:
        return [None] * len(rows)
    text = pl.Series("text", [row.text(columns.date) for row in rows], dtype=pl.String)
    forms = [pl.col("text").str.to_datetime(form, strict=False, time_unit="us") for form in of.dates]
    read = text.to_frame().select(pl.coalesce([*forms, pl.lit(parse_times(text))])).to_series()
    for row, time in zip(rows, read, strict=True):
        said = row.text(columns.date)
        if time is None and said.casefold() not in _MISSING:
            row.refuse(columns.date, f"{shown(said, 20)} is no date we know; write it as {FORMS}")
    return read.to_list()


@dataclass(frozen=True, slots=True)
class _Visit:
    """What tells one session of a client from another: its number in the file, else its time."""

    client: str
    session: int | None
    time: datetime | None


def _says_which(rows: list[Row], columns: _Columns) -> bool:
    """Whether the file numbers its sessions; else they are counted by their date."""
    return bool(columns.session) and any(row.text(columns.session) for row in rows)


def _numbers(rows: list[Row], times: list[datetime | None], columns: _Columns) -> list[int]:
    """The number of each row's session; rows of one client and one time are one session."""
    counted = _says_which(rows, columns)
    visits = [
        _Visit(
            row.code(columns.client),
            _session(row, columns.session) if counted else None,
            None if counted else _needed(row, time, columns),
        )
        for row, time in zip(rows, times, strict=True)
    ]
    first = {visit: place for place, visit in reversed(list(enumerate(visits)))}
    once = sorted(first.items(), key=lambda pair: pair[1])
    table = pl.DataFrame(
        {
            "row": [rows[place].number for _, place in once],
            "therapist": ["1"] * len(once),
            "client": [visit.client for visit, _ in once],
            **(
                {"session": [visit.session for visit, _ in once]}
                if counted
                else {"time": [visit.time for visit, _ in once]}
            ),
        },
        schema_overrides={"session": pl.Float64} if counted else {"time": pl.Datetime("us")},
    )
    if table.is_empty():
        return []
    numbered = number_sessions(table)[0]["session"].to_list()
    number = {visit: int(each) for (visit, _), each in zip(once, numbered, strict=True)}
    return [number[visit] for visit in visits]


def _session(row: Row, column: str) -> int:
    found = _SESSION.fullmatch(row.text(column))
    return int(found[1]) if found else row.refuse(
        column, f"{shown(row.text(column), 20) if row.text(column) else 'an empty cell'} is no session number"
    )  # fmt: skip


def _needed(row: Row, time: datetime | None, columns: _Columns) -> datetime:
    return time or row.refuse(
        columns.date, "it is empty, and without session numbers sessions are ordered by it"
    )


def _entries(
    rows: list[Row], columns: _Columns, times: list[datetime | None], numbers: list[int], zone: tzinfo
) -> Iterator[Entry]:
    met: set[object] = set()
    told: dict[tuple[str, int, str], int] = {}
    for row, time, number in zip(rows, times, numbers, strict=True):
        client = row.code(columns.client)
        at = None if time is None else time.replace(tzinfo=zone).astimezone(UTC)
        if client not in met:
            met.add(client)
            yield ClientEntry(client)
        if (client, number) not in met:
            met.add((client, number))
            yield SessionEntry(client, number, at)
        for each in columns.of.totals:
            value = _total(row, each, columns)
            if value is None:
                continue
            before = told.setdefault((client, number, each.key), row.number)
            if before != row.number:
                column = columns.totals.get(each.key) or columns.parts[each.key][0]
                row.refuse(
                    column, f"row {before} has this client's total of the same session; one of them is right"
                )
            yield TotalEntry(client, number, at, each.instrument, each.scale, value)


def _total(row: Row, each: TotalRecipe, columns: _Columns) -> float | None:
    """The total of a row: as it stands there, else the sum of its parts; None where it was not answered."""
    if each.unless is not None and columns.marked(row, each.unless):
        return None
    if columns.measure and each.measured:
        said = alike(row.text(columns.measure))
        if said not in {alike(name) for name in each.measured}:
            return None
    if each.key in columns.totals:
        value = _number(row, columns.totals[each.key], each.limits)
        if value is not None:
            return value
    parts = [_number(row, name, each.part_limits) for name in columns.parts.get(each.key, ())]
    known = [part for part in parts if part is not None]
    return round(sum(known), 6) if parts and len(known) == len(parts) else None


def _number(row: Row, column: str, limits: tuple[float, float]) -> float | None:
    if row.text(column).casefold() in _MISSING:
        return None
    value = row.number_or_none(column)
    low, high = limits
    if value is not None and not low <= value <= high:
        row.refuse(column, f"{value:g} does not lie between {low:g} and {high:g}")
    return value
