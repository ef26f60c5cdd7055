"""From text to values: codes, numbers, session numbers and times, with each cell that is none of them.

Nothing is dropped in silence: a cell is read, or missing by one of the `MISSING` words, or a fault with its row.
-99 and 999 are numbers; what they stand for only the one who wrote them knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from attunement.exchange._cells import FAULTS
from attunement.exchange._sentences import cell, name
from attunement.exchange.dates import as_times, month_first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")
CODES = ("client", "therapist")
MOST_SESSIONS = 999_999
_LARGEST = 1e9  # a score beyond it is a slip

_DEFUSED = r"^'([=+\-@\t\r\n])"  # as write_table writes what a spreadsheet would run
_COMMA = r"^([+-]?\d*),(\d+)$"
_NO = "is missing"
REMEDIES = {"time": "write it as 2020-03-08"}


@dataclass(frozen=True, slots=True)
class Values:
    """A table of values.

    Parameters
    ----------
    frame
        ``row`` and the columns under our names: text, whole numbers, numbers or times; null where a cell is
        missing or a fault.
    faults
        The cells that could not be read, the first of each row: ``row, key, value, rule``.
    notes
        What was understood, a sentence each.
    """

    frame: pl.DataFrame
    faults: pl.DataFrame
    notes: tuple[str, ...]


def as_values(cells: pl.DataFrame, *, decimal_comma: bool) -> Values:
    """Read the cells of a table, given as text under our names."""
    columns, faults, notes = [cells["row"]], [pl.DataFrame(schema=FAULTS)], list[str]()
    for text in cells.iter_columns():
        if text.name == "row":
            continue
        present = _present(text)
        if decimal_comma and text.name not in (*CODES, "time"):
            present, said = _pointed(present)
            notes.extend(said)
        if text.name == "time" and month_first(present):
            notes.append("Dates such as 3/8/2020 were read with the month first.")
        values = _READERS.get(text.name, as_numbers)(present)
        columns.append(values.alias(text.name))
        faults.append(_unread(cells["row"], present, values))
    first = pl.concat(faults).unique("row", keep="first", maintain_order=True).sort("row")
    return Values(pl.DataFrame(columns), first, tuple(dict.fromkeys(notes)))
