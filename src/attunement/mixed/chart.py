"""A fit as a picture: every estimate with its interval. No level of a factor is shown, and none compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from attunement.drawing import Chart, interval_chart
from attunement.mixed.present import tidy

if TYPE_CHECKING:
    from attunement.mixed.fitted import Fit

_WIDTH = 300


def fit_chart(found: Fit, level: float = 0.95) -> Chart:
    """Fixed effects but the intercept, and standard deviations, in the units of the response."""
    everything = tidy(found, level).filter(pl.col("part") != "correlation")
    parts = everything.filter(
        (pl.col("part") != "fixed") | (pl.col("term") != "Intercept")
    )  # on another scale
    label = (
        pl.when(pl.col("part") == "sd")
        .then(pl.concat_str(pl.lit("sd "), pl.col("group"), pl.lit(": "), pl.col("term")))
        .when(pl.col("part") == "residual")
        .then(pl.lit("sd residual"))
        .otherwise(pl.col("term"))
    )
    table = parts.select(label.alias("what"), "estimate", "low", "high")
    sentence = f"{found.formula}: {table.height} estimates, each with its {100 * level:.0f} % interval."
    return interval_chart(table, ("what", "estimate"), {"title": None}, sentence, _WIDTH)
