"""Parquet: the columns asked for, as text, so that values are read in one way whatever they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import UnreadableFile
from attunement.exchange.raw import RawTable, cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def read_parquet(path: Path, choose: Callable[[tuple[str, ...]], Sequence[int]]) -> RawTable:
    """Read the columns that `choose` picks from the schema, by position.

    Raises
    ------
    UnreadableFile
        Where the file is damaged, empty, or a column is no column of plain values.
    """
    try:
        names = tuple(pl.read_parquet_schema(path))
        chosen = list(dict.fromkeys(choose(names)))
        frame = pl.read_parquet(path, columns=[names[place] for place in chosen])
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise UnreadableFile(
            f"{path.name} is damaged or no Parquet file ({type(problem).__name__})."
        ) from None
    if frame.is_empty():
        raise UnreadableFile(f"{path.name} has no rows; one row a session is needed.")
    cells = {cell(place): _as_text(frame[names[place]], path) for place in chosen}
    numbers = pl.Series("row", range(1, frame.height + 1), dtype=pl.Int64)
    return RawTable(names, pl.DataFrame({"row": numbers, **cells}))


def _as_text(series: pl.Series, path: Path) -> pl.Series:
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        if (whole.cast(pl.Float64) == series).fill_null(value=True).all():
            series = whole
    try:
        return series.cast(pl.String).fill_null("")
    except pl.exceptions.PolarsError:
        raise UnreadableFile(
            f"The column {series.name} of {path.name} holds {series.dtype}; numbers, text or dates would do."
        ) from None
