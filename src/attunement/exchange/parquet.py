"""Parquet: the columns asked for, as text, so that values are read in one way whatever they came in."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import UnreadableFile
from attunement.exchange.raw import RawTable, cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from attunement.exchange.sent import Sent


def read_parquet(path: Path | Sent, choose: Callable[[tuple[str, ...]], Sequence[int]]) -> RawTable:
    """Read the columns that `choose` picks from the schema, by position.

    Raises
    ------
    UnreadableFile
        Where the file is damaged, empty, or a column is no column of plain values.
    """
    try:
        with path.open("rb") as file, quiet():  # a file, not its name, which may look like a pattern
            names = tuple(pl.read_parquet_schema(file))
            header = tuple(name.strip() for name in names)
            chosen = list(dict.fromkeys(choose(header)))
            file.seek(0)
            frame = pl.read_parquet(file, columns=[names[place] for place in chosen])
            cells = {cell(place): _as_text(frame[names[place]], path) for place in chosen}
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as problem:
        raise UnreadableFile(
            f"{path.name} is damaged or no Parquet file ({type(problem).__name__})."
        ) from None
    if frame.is_empty():
        raise UnreadableFile(f"{path.name} has no rows; one row a session is needed.")
    numbers = pl.Series("row", range(1, frame.height + 1), dtype=pl.Int64)
    return RawTable(header, pl.DataFrame({"row": numbers, **cells}))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what polars' Rust prints of a damaged file, a trace of its own, off the screen."""
    sys.stderr.flush()
    screen = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
        os.close(nowhere)


def _as_text(series: pl.Series, path: Path | Sent) -> pl.Series:
    if series.dtype.is_float():
        whole = series.cast(pl.Int64, strict=False)
        series = series.fill_nan(None)
        if ((whole.cast(pl.Float64) == series).fill_null(value=False) | series.is_null()).all():
            series = whole
    try:
        return series.cast(pl.String).fill_null("")
    except pl.exceptions.PolarsError:
        raise UnreadableFile(
            f"The column {series.name} of {path.name} holds {series.dtype}; numbers, text or dates would do."
        ) from None
