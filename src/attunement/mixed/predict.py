"""Means and covariances of rows, from a solution of the likelihood.

The precision of (u, beta) at the solution is known by its blocks: the eliminated factor's, small and apart, and the
border's Cholesky factor. A row reaches at most one level of the eliminated factor, so its variance is that level's
own plus the border's, seen through what the elimination left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular

from attunement.mixed.likelihood import Likelihood, Solution, scale_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.design import Grouped

    Array = NDArray[np.float64]

_ROWS = 4_000  # worked on at once


def joint(
    model: Likelihood, at: Solution, turn: Array, x: Array, grouped: list[Grouped], size: int
) -> tuple[Array, Array]:
    """Sum the random effects of rows, (n,), and work out the covariance of runs of rows, (n / size, size, size).

    `x` are the fixed columns, `turn` leads to the orthonormal ones, `grouped` stand in the model's order. The
    covariance is relative to the residual variance; levels never seen count as drawn anew.
    """
    effects = np.zeros(x.shape[0])
    covariance = np.zeros((x.shape[0] // size, size, size))
    for term, group in enumerate(grouped):
        known = group.codes >= 0
        effects += (group.z * at.effects[term][group.codes] * known[:, None]).sum(axis=1)
        runs = (group.z * ~known[:, None]).reshape(-1, size, group.z.shape[1])
        covariance += runs @ (at.scale[term] @ at.scale[term].T) @ np.swapaxes(runs, 1, 2)
    turned = solve_triangular(turn, x.T, trans="T").T
    step = max(_ROWS // size, 1)
    for start in range(0, covariance.shape[0], step):
        rows = slice(start * size, (start + step) * size)
        covariance[start : start + step] += _known(model, at, grouped, turned, rows, size)
    return effects, covariance


def _known(
    model: Likelihood, at: Solution, grouped: list[Grouped], turned: Array, rows: slice, size: int
) -> Array:
    """Covariance of runs from not knowing the fixed effects and the effects of known levels."""
    border = _border(model, at, grouped, turned, rows)
    transposed = tuple(triangle.T for triangle in at.scale[1:])
    half = solve_triangular(at.root, scale_rows(border, transposed, model.counts[1:]), lower=True).T
    half = half.reshape(-1, size, at.root.shape[0])
    covariance = half @ np.swapaxes(half, 1, 2)
    if grouped:
        z, reached = _own(at, grouped[0], rows)
        runs, ends = z.reshape(-1, size, z.shape[1]), reached.reshape(-1, size, z.shape[1])
        covariance = covariance + runs @ np.swapaxes(ends, 1, 2)
    return np.asarray(covariance)


def _border(model: Likelihood, at: Solution, grouped: list[Grouped], turned: Array, rows: slice) -> Array:
    """(border, rows) what each row reaches of the border, less what goes through its eliminated level."""
    x = turned[rows]
    border = np.zeros((at.root.shape[0], x.shape[0]))
    border[at.root.shape[0] - model.p :] = x.T
    for term in range(1, len(grouped)):
        codes, z = grouped[term].codes[rows], grouped[term].z[rows]
        here = np.flatnonzero(codes >= 0)
        places = model.strip(term).start + codes[here, None] * z.shape[1] + np.arange(z.shape[1])
        border[places, here[:, None]] = z[here]
    if grouped:
        codes = grouped[0].codes[rows]
        _, reached = _own(at, grouped[0], rows)
        for column in range(reached.shape[1]):
            cross = at.sums.cross[codes * reached.shape[1] + column, : border.shape[0]]
            border -= np.asarray(cross.multiply(reached[:, column : column + 1]).toarray()).T
    return border


def _own(at: Solution, group: Grouped, rows: slice) -> tuple[Array, Array]:
    """The rows' columns of the eliminated factor (zero where the level is unknown), and K z."""
    codes = group.codes[rows]
    z = group.z[rows] * (codes >= 0)[:, None]
    return z, np.einsum("rab,rb->ra", at.pulled[codes] @ at.scale[0].T, z)
