"""Which scale a column of scores is on, where nobody said it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_USUAL = ((0, 1), (1, 5), (0, 5), (1, 7), (0, 10), (0, 40), (0, 100))
_FILLED = 0.5  # a scale is taken only where ratings reach above this part of it


def guess_scale(scores: pl.Series) -> tuple[float, float]:
    """Take the narrowest usual scale that holds all scores and is used; else the scores' own ends.

    A guess, to be said wherever it is used.

    Examples
    --------
    >>> import polars as pl
    >>> guess_scale(pl.Series([6.5, 7.0, 9.5]))
    (0.0, 10.0)
    >>> guess_scale(pl.Series([12, 84, 100]))
    (0.0, 100.0)
    """
    values = scores.drop_nulls()
    least, most = float(values.min()), float(values.max())  # type: ignore[arg-type]
    for low, high in _USUAL:
        if low <= least and most <= high and most > low + _FILLED * (high - low):
            return float(low), float(high)
    return (float(math.floor(least)), float(math.ceil(most))) if least < most else (least, least + 1.0)
