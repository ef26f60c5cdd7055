"""Each response as it was to be expected from what had come before it: the filter form of the same model.

Within a series (a dyad, a client) the rows are jointly normal; the Cholesky factor of their covariance gives all
one-step predictions at once. Fixed effects and variances are the fit's; what is learnt within the series is learnt
from earlier rows only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed.design import as_polars, on_new_rows
from attunement.mixed.levels import level_names
from attunement.mixed.rows import Series, ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.fitted import Fit

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


def ahead(found: Fit, table: Any, *, series: str | tuple[str, ...], position: str) -> pl.DataFrame:  # noqa: ANN401
    """Predict every row from the earlier rows of its series.

    Parameters
    ----------
    found
        A Gaussian fit.
    table
        Rows with the response; missing responses are passed over and predicted all the same.
    series
        The columns that name a series, such as ``("therapist", "client")``. A factor with several series in it
        (a therapist) counts as known from the fit; one that lies within a series is learnt along it.
    position
        The column to sort each series by.

    Returns
    -------
    polars.DataFrame
        The table, in its own order, with ``expected, sd, z``: mean and standard deviation of the response before
        it was seen, and how many of them it came out above.

    Raises
    ------
    ModelProblem
        For a response that is not Gaussian, or two rows of a series at one position.
    """
    if found.family != "gaussian" or found.strata:
        raise ModelProblem("One step ahead is worked out for Gaussian responses without strata.")
    frame = as_polars(table)
    names = (series,) if isinstance(series, str) else series
    unknown = [
        name for name in (*names, position, found.moments.formula.response) if name not in frame.columns
    ]
    if unknown:
        raise ModelProblem(f"The table has no {', '.join(unknown)}; it has {', '.join(frame.columns)}.")
    code = level_names(names, frame).rank("dense").cast(pl.Int64).to_numpy() - 1
    place = frame[position].cast(pl.Float64).to_numpy()
    mean, own = _parts(found, frame, code)
    y = frame[found.moments.formula.response].cast(pl.Float64).to_numpy()
    expected, sd = np.empty(frame.height), np.empty(frame.height)
    for rows in Series(code, place).runs():
        if (np.diff(place[rows]) <= 0).any():
            raise ModelProblem(f"Two rows of one series have the same {position}.")
        covariance = _covariance(found, own, rows, place[rows])
        expected[rows], sd[rows] = _one_step(mean[rows], covariance, y[rows])
    told = pl.DataFrame({"expected": expected, "sd": sd}).hstack(
        [pl.Series("z", (y - expected) / sd, nan_to_null=True)]
    )
    return frame.hstack(told)


def _parts(found: Fit, frame: pl.DataFrame, code: Codes) -> tuple[Array, list[tuple[Array, Array]]]:
    """(n,) what is known of each row beforehand; and by term within the series, its columns and covariance."""
    x, _, codes = on_new_rows(found.moments, frame)
    mean = x @ found.moments.raw(found.fixef)
    own = []
    for term, component in zip(found.moments.terms, found.varcorr, strict=True):
        z = found.moments.columns_of(term, frame)
        number = found.moments.level_numbers(term, frame)
        if _within(number, code):
            own.append((z, component.covariance))
            continue
        modes = found.modes(term)
        known = codes[term.term.name]
        mean += np.where(known >= 0, (z * modes[known]).sum(axis=1), 0.0)
    return mean, own


def _within(level: Codes, series: Codes) -> bool:
    """Whether every level lies in one series."""
    first = np.full(int(level.max()) + 1, -1, dtype=np.int64)
    first[level] = series
    return bool((first[level] == series).all())


def _covariance(found: Fit, own: list[tuple[Array, Array]], rows: Codes, place: Array) -> Array:
    gap = np.abs(place[:, None] - place[None])
    noise = np.where(gap == 0, 1.0, 0.0)
    if found.ar1:
        noise = ties(found.ar1, gap)
    covariance = found.sigma**2 * noise
    if found.drift:
        covariance = covariance + found.drift * (np.minimum(place[:, None], place[None]) - 1.0)
    for z, of_term in own:
        covariance = covariance + z[rows] @ of_term @ z[rows].T
    return covariance


def _one_step(mean: Array, covariance: Array, y: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each value given the seen ones before it."""
    seen = np.isfinite(y)
    expected, sd = np.empty_like(mean), np.empty_like(mean)
    root = np.linalg.cholesky(covariance[np.ix_(seen, seen)])
    left = np.linalg.solve(root, (y - mean)[seen])
    places = np.flatnonzero(seen)
    expected[places] = y[places] - np.diagonal(root) * left
    sd[places] = np.diagonal(root)
    for row in np.flatnonzero(~seen):
        before = places[places < row]
        tie = np.linalg.solve(covariance[np.ix_(before, before)], covariance[before, row])
        expected[row] = mean[row] + tie @ (y - mean)[before]
        sd[row] = np.sqrt(covariance[row, row] - tie @ covariance[before, row])
    return expected, sd
