"""A strict table row by row, in flat memory: each cell becomes a value, or is refused with its row and column.

This is for the tables that we write ourselves and for REDCap's, where every column is known; `ratings` reads tables as
people have them.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final, NoReturn

from attunement.errors import ColumnProblem, UnreadableFile
from attunement.exchange.csv import delimiter_of
from attunement.exchange.files import LONGEST_LINE
from attunement.exchange.formulas import restored
from attunement.exchange.raw import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo
    from typing import BinaryIO, TextIO

LONGEST_CODE: Final = 200
_LARGEST: Final = 1e9
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?")
_COUNT: Final = re.compile(r"0*([1-9][0-9]{0,5})(?:\.0+)?")
_TIME: Final = re.compile(
    r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?: ?Z| ?UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_UNSPEAKABLE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and where it stands.

    Parameters
    ----------
    where
        The file, as a message names it.
    number
        As a spreadsheet counts: the header is row 1.
    columns
        The place of each column.
    cells
        Text, or in a Parquet file values, by place.
    comma
        Whether a comma may be a decimal sign.
    """

    where: str
    number: int
    columns: Mapping[str, int]
    cells: Sequence[object] | Mapping[int, object]
    comma: bool = False

    def refuse(self, column: str, why: str) -> NoReturn:
        """Refuse a cell, with its place."""
        raise ColumnProblem(
            f"{self.where}, row {self.number}, column {self.columns[column] + 1} ({column[:40]}): {why}."
        )

    def text(self, column: str) -> str:
        """Return a cell as text without blanks around it; one that is empty, or of no such column, is ""."""
        if column not in self.columns:
            return ""
        cell = self.cells[self.columns[column]]
        return "" if cell is None else str(cell).strip()

    def code(self, column: str) -> str:
        """Return a text that names somebody or something."""
        text = self.text(column)
        if not text:
            self.refuse(column, "it is empty; every row needs one")
        if len(text) > LONGEST_CODE:
            self.refuse(column, f"it has {len(text):,} signs; a code has {LONGEST_CODE} at most")
        if _CONTROL.search(text):
            self.refuse(column, f"{shown(text, 20)} has a line break or a control sign in it; take it out")
        return text

    def count(self, column: str) -> int:
        """Return 1, 2, …."""
        found = _COUNT.fullmatch(self.text(column))
        return int(found[1]) if found else self.refuse(column, f"{self._said(column)} is none of 1, 2, …")

    def number_or_none(self, column: str) -> float | None:
        """Return a number; None where the cell is empty. NaN and infinity are no numbers."""
        text = self.text(column)
        if not text:
            return None
        if self.comma:
            text = text.replace(",", ".")
        value = float(text) if _NUMBER.fullmatch(text) else None
        if value is None or not abs(value) <= _LARGEST:
            self.refuse(
                column, f"{self._said(column)} is not a number that could be meant; write it as 7 or 7.5"
            )
        return value

    def is_number(self, column: str) -> bool:
        """Whether a cell is written as a number."""
        text = self.text(column)
        return bool(_NUMBER.fullmatch(text.replace(",", ".") if self.comma else text))

    def time_or_none(self, column: str, zone: tzinfo = UTC) -> datetime | None:
        """Return a time in UTC; None where the cell is empty. One without a zone is taken to be in `zone`."""
        text = self.text(column)
        if not text:
            return None
        try:
            time = datetime.fromisoformat(_plain_zone(text)) if _TIME.fullmatch(text) else None
            if time is not None:
                return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        return self.refuse(column, f"{self._said(column)} is no time; write it as 2026-03-08T18:22:00Z")

    def word_or_none(self, column: str, words: Sequence[str]) -> str | None:
        """Return one of some words; None where the cell is empty."""
        text = self.text(column)
        if text and text not in words:
            self.refuse(column, f"{self._said(column)} is none of {', '.join(words)}")
        return text or None

    def _said(self, column: str) -> str:
        text = self.text(column)
        return shown(text, 20) if text else "an empty cell"


def _plain_zone(text: str) -> str:
    return re.sub(r" ?(?:Z|UTC)$", "+00:00", text)


def as_text(file: BinaryIO) -> TextIO:
    """Read bytes as UTF-8, row for row: what is none is found by `rows_of` in its row."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def rows_of(file: TextIO, where: str, check: Callable[[tuple[str, ...]], None]) -> Iterator[Row]:
    """Read a CSV table strictly: every row as long as the header, every quote closed.

    Parameters
    ----------
    file
        Its text, line ends untouched.
    where
        As a message names it.
    check
        Is given the header, and refuses it where it has to.

    Raises
    ------
    UnreadableFile
        Where it is no such table; names the row.
    """
    lines = _lines(file, where)
    above, first = next(((place, line) for place, line in enumerate(lines) if line.strip()), (0, ""))
    delimiter = delimiter_of(first)
    numbered = _numbered(chain([first], lines), delimiter, where, above)
    names = tuple(restored(name.strip()) for name in next(numbered, (1, []))[1])
    _refuse_header(names, where)
    check(names)
    columns = {name: place for place, name in enumerate(names)}
    for number, row in numbered:
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(names):
            raise UnreadableFile(
                f"{where}, row {number} has {len(row):,} cells, the header {len(names):,}; "
                "each row has as many, and a cell that holds the delimiter or a line break is in quotes."
            )
        yield Row(where, number, columns, [restored(cell) for cell in row], comma=delimiter == ";")


def _lines(file: TextIO, where: str) -> Iterator[str]:
    """The lines of a text; no endless one, no zero byte, and no byte that is not UTF-8."""
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise UnreadableFile(
                f"{where}, line {number} has more than a million signs; that is no row of a table."
            )
        if "\0" in line:
            raise UnreadableFile(f"{where}, line {number} holds a zero byte; a CSV file in UTF-8 would do.")
        if not line.isascii() and _UNSPEAKABLE.search(line):
            raise UnreadableFile(f"{where}, line {number} is not UTF-8; save it as “CSV UTF-8”.")
        yield line.removeprefix("\ufeff") if number == 1 else line


def _numbered(
    lines: Iterable[str], delimiter: str, where: str, above: int
) -> Iterator[tuple[int, list[str]]]:
    number = above
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), start=above + 1):
            yield number, row
    except csv.Error as problem:
        unclosed = "end of data" in str(problem) or "field larger" in str(problem)
        what = "an unclosed quote or an endless cell" if unclosed else "a quote in the wrong place"
        raise UnreadableFile(f"{where}, row {number + 1} has {what}; mend it there.") from None


def _refuse_header(names: tuple[str, ...], where: str) -> None:
    if not any(names):
        raise UnreadableFile(f"{where} has nothing in it; a table with a header line is needed.")
    for place, name in enumerate(names, start=1):
        if not name:
            raise ColumnProblem(f"{where}, row 1, column {place} has no name; give it one, or take it out.")
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if name in seen:
            raise ColumnProblem(f"{where}, row 1, column {place}: {shown(name)} stands twice; once would do.")
        seen.add(name)
