"""CSV: cells between commas, semicolons, tabs or bars.

There are two ways through a file, which give the same cells. Where each line is one row (no quotation marks),
polars reads blocks of lines. Everything else the standard library reads record by record, which knows exactly
where a quotation mark opened; polars would drop the surplus cells of a long row, does not know the CR of an old
Mac as a line end, and counts the rows wrong where a mark stands inside a text (5" tall).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import ColumnProblem, UnreadableFile
from attunement.exchange._bytes import Text, telling
from attunement.exchange._cells import FAULTS, Cells
from attunement.exchange._records import DELIMITERS, LONGEST_LINE, delimiter_of, opened, records
from attunement.exchange._sentences import name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_BLOCK = 4 << 20  # bytes
_BATCH = 10_000  # records
_MOST_COLUMNS = 16_384  # as many as a spreadsheet can hold


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A text that has a header; see `attunement.exchange._cells.Table`."""

    text: Text
    delimiter: str
    header: tuple[str, ...]
    header_row: int

    @property
    def decimal_comma(self) -> bool:
        """Whether 7,5 is a number: only where the comma does not separate the cells."""
        return self.delimiter == ";"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was understood of the file."""
        marked = ("The mark of UTF-8 at the start of the file was left out.",) if self.text.marked else ()
        separated = (f"The cells are separated by {DELIMITERS[self.delimiter]}.",) if self.delimiter != "," else ()
        return marked + separated

    def cells(self, places: Mapping[str, int], progress: Callable[[float], None]) -> Cells:
        """Read the columns at those places of the header, under our names.

        Raises
        ------
        UnreadableFile
            A quotation mark is not closed where its cell ends.
        """
        with telling(self.text.path):
            plain = _by_blocks(self, places, progress) if self.text.plain else None
            return plain or _by_records(self, places, progress)


def open_csv(text: Text) -> CsvTable:
    """Find the header of a text.

    Raises
    ------
    UnreadableFile
        It has no header, or one that is no row.
    ColumnProblem
        Two columns have the same name.
    """
    with telling(text.path):
        delimiter = delimiter_of(_first_line(text))
        row, cells = _first_record(text, delimiter)
    header = tuple(cell.strip().removeprefix("\ufeff") for cell in cells)
    if len(header) > _MOST_COLUMNS:
        raise UnreadableFile(
            f"{name(text.path.name)} has {len(header):,} columns in its header, so it is not a table of sessions; "
            "leave only the columns that are needed."
        )
    _refuse_same_names(header)
    return CsvTable(text, delimiter, header, row)


def _first_line(text: Text) -> str:
    """Return the first line that is not blank."""
    with opened(text.path, text.encoding) as file:
        return next((line for line in file if line.strip()), "")


def _first_record(text: Text, delimiter: str) -> tuple[int, list[str]]:
    for row, cells in _numbered(text, delimiter):
        if any(cell.strip() for cell in cells):
            return row, cells
    raise UnreadableFile(
        f"The file {name(text.path.name)} holds nothing but blanks; a header line and rows are needed."
    )


def _numbered(text: Text, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Give each record with its spreadsheet row."""
    row = 0
    with opened(text.path, text.encoding) as file:
        try:
            for row, cells in enumerate(records(file, delimiter), start=1):  # noqa: B007 - told below
                yield row, cells
        except csv.Error:
            raise UnreadableFile(
                f"A quotation mark that opens in row {row + 1} of {name(text.path.name)} is not closed where its "
                'cell ends; close it, and write a mark inside a text twice ("").'
            ) from None


def _refuse_same_names(header: tuple[str, ...]) -> None:
    first: dict[str, int] = {}
    for place, each in enumerate(header, start=1):
        if each and each in first:
            raise ColumnProblem(
                f"The column {name(each)} stands twice in the header (as columns {first[each]} and {place}); "
                "rename or remove one of them."
            )
        first[each] = place


def _by_blocks(
    table: CsvTable, places: Mapping[str, int], progress: Callable[[float], None]
) -> Cells | None:
    """Read blocks of lines with polars; None where it does not see one row in each line."""
    columns = [str(place) for place in range(len(table.header))]
    head = (table.delimiter.join(columns) + "\n").encode()
    wanted = [pl.col(columns[place]).alias(ours) for ours, place in places.items()]
    frames, rows, done = [_no_cells(places)], table.header_row, 0
    for block in _blocks(table):
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        try:
            frame = pl.read_csv(head + block, separator=table.delimiter, infer_schema=False)
        except pl.exceptions.PolarsError:  # a row longer than the header
            return None
        if frame.height != lines:
            return None
        frames.append(frame.select(wanted).with_row_index("row", offset=rows + 1).cast({"row": pl.Int64}))
        rows, done = rows + lines, done + len(block)
        progress(min(done / table.text.size, 1.0))
    return Cells(pl.concat(frames), pl.DataFrame(schema=FAULTS))


def _blocks(table: CsvTable) -> Iterator[bytes]:
    """Give the lines below the header, many at a time."""
    with table.text.path.open("rb") as file:
        for _ in range(table.header_row):
            file.readline(4 * LONGEST_LINE)
        while block := file.read(_BLOCK):
            yield block + (b"" if block.endswith(b"\n") else file.readline(4 * LONGEST_LINE))


def _by_records(table: CsvTable, places: Mapping[str, int], progress: Callable[[float], None]) -> Cells:
    """Read record by record with the standard library."""
    frames, batch, long = [_no_cells(places)], list[tuple[int | str, ...]](), list[tuple[int, str]]()
    width, wanted = len(table.header), tuple(places.values())
    schema = frames[0].schema
    for row, cells in _numbered(table.text, table.delimiter):
        if row <= table.header_row:
            continue
        if len(cells) > width and any(map(str.strip, cells[width:])):
            long.append((row, f"has {len(cells)} cells where the header has {width}"))
            continue
        cells += [""] * (width - len(cells))
        batch.append((row, *[cells[place] for place in wanted]))
        if len(batch) == _BATCH:
            frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
            batch.clear()
    frames.append(pl.DataFrame(batch, schema=schema, orient="row"))
    progress(1.0)
    return Cells(pl.concat(frames), _faults(long))


def _no_cells(places: Mapping[str, int]) -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, **dict.fromkeys(places, pl.String)})


def _faults(long: list[tuple[int, str]]) -> pl.DataFrame:
    rows = [(row, None, None, rule) for row, rule in long]
    return pl.DataFrame(rows, schema=FAULTS, orient="row")
