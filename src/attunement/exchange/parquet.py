"""Parquet: typed columns. They are turned into text first, so that every format is judged by the same rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from attunement.errors import ColumnProblem, UnreadableFile
from attunement.exchange._bytes import telling
from attunement.exchange._cells import FAULTS, HEADER_ROW, Cells
from attunement.exchange._sentences import name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MAGIC = b"PAR1"
T = TypeVar("T")
_EXACT = 2.0**53  # whole numbers up to here are exact


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A Parquet file; see `attunement.exchange._cells.Table`. Its first row counts as row 2, as below a header."""

    path: Path
    header: tuple[str, ...]
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False

    def cells(self, places: Mapping[str, int], progress: Callable[[float], None]) -> Cells:
        """Read the columns at those places of the header, under our names.

        Raises
        ------
        ColumnProblem
            A column holds lists or other things that are no values.
        """
        columns = [self.header[place] for place in places.values()]
        frame = _or_damaged(self.path, lambda: pl.scan_parquet(self.path, glob=False).select(columns).collect())
        texts = [_as_text(frame[theirs]).alias(ours) for ours, theirs in zip(places, columns, strict=True)]
        progress(1.0)
        numbered = pl.DataFrame(texts).with_row_index("row", offset=HEADER_ROW + 1).cast({"row": pl.Int64})
        return Cells(numbered, pl.DataFrame(schema=FAULTS))


def open_parquet(path: Path) -> ParquetTable:
    """Find the columns of a Parquet file.

    Raises
    ------
    UnreadableFile
        It is damaged.
    """
    _refuse_cut_off(path)
    schema = _or_damaged(path, lambda: pl.scan_parquet(path, glob=False).collect_schema())
    return ParquetTable(path, tuple(schema.names()))


def _refuse_cut_off(path: Path) -> None:
    """A whole file ends as it begins; this spares the parser most of the others."""
    with telling(path), path.open("rb") as file:
        file.seek(-len(MAGIC), 2)
        if file.read() != MAGIC:
            raise _damaged(path)


def _or_damaged(path: Path, read: Callable[[], T]) -> T:
    try:
        with telling(path):
            return read()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise _damaged(path) from None


def _damaged(path: Path) -> UnreadableFile:
    return UnreadableFile(
        f"{name(path.name)} begins as a Parquet file, and is damaged or not whole; copy or save it again."
    )


def _as_text(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration):
        raise ColumnProblem(
            f"The column {name(column.name)} holds {kind.base_type().__name__.lower()}s, which are no values of a "
            "table; save it as text, numbers or dates."
        )
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        column = column.dt.replace_time_zone(None)
    if kind.is_float() and _whole(column):  # pandas makes 7.0 of a code 7 beside an empty cell
        column = column.fill_nan(None).cast(pl.Int64)
    return column.cast(pl.String)


def _whole(column: pl.Series) -> bool:
    told = column.fill_nan(None).drop_nulls()
    return bool(((told == told.round()) & (told.abs() <= _EXACT)).all())
