"""New responses from a fit: to see what it would produce, and to check what one concludes from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed.design import as_polars, on_new_rows, series_of
from attunement.mixed.rows import ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.fitted import Fit

    Array = NDArray[np.float64]


def simulate(found: Fit, table: Any, count: int, seed: int, *, anew: bool = True) -> pl.DataFrame:  # noqa: ANN401
    """Draw responses for the rows of a table, a column a draw: ``draw_1, …``.

    Parameters
    ----------
    found
        The fit.
    table
        The rows.
    count, seed
        How many draws; the same seed gives the same numbers.
    anew
        Whether every level's effects are drawn anew, or known levels keep their modes.

    Raises
    ------
    ModelProblem
        For a response that is not Gaussian, or strata.
    """
    if found.family not in {"gaussian", "ceiling"} or found.strata:
        raise ModelProblem("Only Gaussian responses without strata are drawn.")
    random = np.random.default_rng(seed)
    frame = as_polars(table)
    x, _, codes = on_new_rows(found.moments, frame)
    mean = np.repeat((x @ found.moments.raw(found.fixef))[:, None], count, axis=1)
    if not anew:
        mean += (found.predict(frame)["value"].to_numpy() - mean[:, 0])[:, None]
    for term, component in zip(found.moments.terms, found.varcorr, strict=True):
        z = found.moments.columns_of(term, frame)
        fresh = (codes[term.term.name] < 0) | anew
        drawn = _effects(random, component.covariance, found.moments.level_numbers(term, frame), count)
        mean += np.einsum("nq,ncq->nc", z, drawn) * fresh[:, None]
    return pl.DataFrame(
        {
            f"draw_{number + 1}": column
            for number, column in enumerate((mean + _noise(found, frame, count, random)).T)
        }
    )


def _effects(random: np.random.Generator, covariance: Array, levels: NDArray[np.int64], count: int) -> Array:
    """(n, count, q) effects of each row's level."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    standard = random.standard_normal((int(levels.max()) + 1, count, covariance.shape[0]))
    return np.asarray((standard @ root.T)[levels])


def _noise(found: Fit, frame: pl.DataFrame, count: int, random: np.random.Generator) -> Array:
    """(n, count) residuals, with a drift or ar1 along the series."""
    noise = found.sigma * random.standard_normal((frame.height, count))
    formula = found.moments.formula
    written = formula.drift or formula.autocorrelation
    if written is None:
        return noise
    series = series_of(written, frame)
    for rows in series.runs():
        position = series.position[rows]
        if formula.drift is not None:
            steps = np.diff(position, prepend=1.0)
            walk = random.standard_normal((rows.size, count)) * np.sqrt(found.drift * steps)[:, None]
            noise[rows] += np.cumsum(walk, axis=0)
        else:
            gap = np.abs(position[:, None] - position[None])
            noise[rows] = np.linalg.cholesky(ties(found.ar1, gap)) @ noise[rows]
    return noise
