"""A table as it stands in a file: all cells as text, each row with the number a spreadsheet gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class RawTable:
    """Cells before they mean anything.

    Parameters
    ----------
    header
        All column names of the file, in order.
    cells
        The columns asked for, as text, empty cells as "", by position: ``column_0``, ``column_3``; and ``row``.
    notes
        What was understood of the file's form.
    comma
        Whether a comma may be a decimal sign (where the delimiter is a semicolon).
    blank
        The rows in which every cell is empty.
    """

    header: tuple[str, ...]
    cells: pl.DataFrame
    notes: tuple[str, ...] = ()
    comma: bool = False
    blank: tuple[int, ...] = ()


def cell(position: int) -> str:
    """The name that a column of the file has in `RawTable.cells`."""
    return f"column_{position}"


def shown(text: str, most: int = 40) -> str:
    """Somebody's text for a message: quoted, cut, and without what would break the line."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text[: most + 1])
    return f"“{plain if len(plain) <= most else plain[: most - 1] + '…'}”"
