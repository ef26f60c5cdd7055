"""The levels of grouping factors: their names, and which one each row has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]


def level_names(group: tuple[str, ...], frame: pl.DataFrame) -> pl.Series:
    """Name the level of each row: the group's values, joined by colons."""
    parts = [pl.col(name).cast(pl.String) for name in group]
    if len(parts) > 1:  # a colon within a code is not the one between two
        parts = [part.str.replace_all(r"([\\:])", r"\${1}") for part in parts]
    return frame.select(pl.concat_str(parts, separator=":").alias("level")).to_series()


def coded(names: pl.Series) -> tuple[pl.Series, Codes]:
    """Number the names in alphabetical order: the levels, and each row's code."""
    levels = names.unique().sort()
    return levels, names.rank("dense").cast(pl.Int64).to_numpy() - 1


def find(levels: pl.Series, frame: pl.DataFrame, group: tuple[str, ...]) -> Codes:
    """(n,) the code of each row's level among known ones, −1 where it is not."""
    known = pl.DataFrame({"level": levels.cast(pl.String)}).with_row_index("code")
    asked = pl.DataFrame({"level": level_names(group, frame)})
    found = asked.join(known, on="level", how="left", maintain_order="left")["code"]
    return found.cast(pl.Int64).fill_null(-1).to_numpy()
