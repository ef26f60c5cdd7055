"""CSV: comma, semicolon, tab or bar; quoted cells; any line ends."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import UnreadableFile
from attunement.exchange.raw import RawTable, cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from attunement.exchange.sent import Sent

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(
    path: Path | Sent, encoding: str, choose: Callable[[tuple[str, ...]], Sequence[int]]
) -> RawTable:
    """Read the columns that `choose` picks from the header, by position.

    Raises
    ------
    UnreadableFile
        With the row, where there is one.
    """
    try:
        with path.open(encoding="utf-8-sig" if _is_utf_8(encoding) else encoding, newline=None) as file:
            return _read(path, file, choose)
    except LookupError:
        raise UnreadableFile(
            f"There is no encoding {encoding!r}; utf-8, utf-16 and cp1252 are some."
        ) from None
    except UnicodeError:
        raise UnreadableFile(_undecodable(path, encoding)) from None
    except ValueError:  # a zero byte in its name
        raise UnreadableFile("There is no such encoding; utf-8, utf-16 and cp1252 are some.") from None


def _is_utf_8(encoding: str) -> bool:
    return encoding.lower().replace("_", "-") in {"utf-8", "utf8"}


def _read(path: Path | Sent, file: TextIO, choose: Callable[[tuple[str, ...]], Sequence[int]]) -> RawTable:
    delimiter = _delimiter(file)
    rows = _rows(path, file, delimiter)
    number, header = next(((number, row) for number, row in rows if _filled(row)), (1, []))
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise UnreadableFile(f"{path.name} has nothing in it; a table with a header line is needed.")
    chosen = list(dict.fromkeys(choose(names)))
    columns: list[list[str]] = [[] for _ in chosen]
    numbers, blank = [], []
    for number, row in rows:
        if not _filled(row):
            blank.append(number)
            continue
        if len(row) > len(names) and _filled(row[len(names) :]):
            raise UnreadableFile(
                f"Row {number} of {path.name} has {len(row)} cells, the header {len(names)}; "
                "put quotes around a cell that holds the delimiter."
            )
        numbers.append(number)
        for column, place in zip(columns, chosen, strict=True):
            column.append(row[place] if place < len(row) else "")
    if not numbers:
        raise UnreadableFile(f"{path.name} has a header and no rows; one row a session is needed.")
    cells = pl.DataFrame(
        {"row": numbers, **{cell(place): column for place, column in zip(chosen, columns, strict=True)}},
        schema={"row": pl.Int64, **{cell(place): pl.String for place in chosen}},
    )
    said = () if delimiter == "," else (f"Cells are parted by {_DELIMITERS[delimiter]}.",)
    return RawTable(names, cells, said, comma=delimiter == ";", blank=tuple(blank))


def _delimiter(file: TextIO) -> str:
    """The delimiter that the first line that is not empty has most of, outside of quotes."""
    line = next((line for line in file if line.strip()), "")
    file.seek(0)
    bare = "".join(part for place, part in enumerate(line.split('"')) if place % 2 == 0)
    return max(_DELIMITERS, key=bare.count)


def _rows(path: Path | Sent, file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Number the rows as a spreadsheet does: the first is 1, a quoted line break starts no new one."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, row
    except csv.Error as problem:
        what = (
            "an unclosed quote" if "end of data" in str(problem) else "a quote or a cell that cannot be read"
        )
        raise UnreadableFile(f"Row {number + 1} of {path.name} has {what}; mend it there.") from None


def _filled(row: list[str]) -> bool:
    return any(map(str.strip, row))


def _undecodable(path: Path | Sent, encoding: str) -> str:
    """Name the first row that is not in the encoding."""
    if not _is_utf_8(encoding):
        return f"{path.name} is not written in {encoding}; utf-8 or cp1252 may be right."
    with path.open(encoding="latin-1", newline=None) as file:  # takes any byte, and counts rows the same way
        for number, row in _rows(path, file, _delimiter(file)):
            try:
                "".join(row).encode("latin-1").decode("utf-8")
            except UnicodeDecodeError:
                return (
                    f"Row {number} of {path.name} is not UTF-8; save it as “CSV UTF-8”, or add --encoding cp1252 "
                    "if it comes from Excel on Windows."
                )
    return f"{path.name} is not UTF-8; save it as “CSV UTF-8”."
