"""The likelihood at many parameter values at once: small data, so that the values stand where levels do else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood

    Array = NDArray[np.float64]

_NUMBERS = 3_000_000  # held at once


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of fixed columns and response at T values of theta, all random effects accounted for.

    Parameters
    ----------
    square
        (T, p + 1, p + 1) sums of products, the response last.
    logdet
        (T,) the random effects' log-determinant.
    """

    square: Array
    logdet: Array


def left_at(model: Likelihood, thetas: Array) -> Left:
    """Eliminate the random effects at each of the (T, parameters) values."""
    if model.structure.border.width:
        return _one_by_one(model, thetas)
    size = model.structure.m**2 * (model.n if model.even else model.levels + 1)
    step = max(_NUMBERS // size, 1)
    parts = [_left(model, thetas[start : start + step]) for start in range(0, thetas.shape[0], step)]
    return Left(
        np.concatenate([part.square for part in parts]), np.concatenate([part.logdet for part in parts])
    )


def deviances(model: Likelihood, thetas: Array) -> Array:
    """(T,) the criterion at each of the (T, parameters) values; infinite where rounding has left nothing."""
    left = left_at(model, thetas)
    p = model.p
    xx, xy, yy = left.square[:, :p, :p], left.square[:, :p, p], left.square[:, p, p]
    sign, logdet = np.linalg.slogdet(xx) if p else (np.ones(thetas.shape[0]), np.zeros(thetas.shape[0]))
    whole = (sign > 0) & np.isfinite(logdet)
    xx = np.where(whole[:, None, None], xx, np.eye(p))
    rss = yy - (xy * np.linalg.solve(xx, xy[:, :, None])[:, :, 0]).sum(axis=1)
    whole &= rss > 0
    fit = model.nu * (1.0 + np.log(2.0 * np.pi * np.where(whole, rss, 1.0) / model.nu))
    return np.where(whole, left.logdet + fit + (logdet if model.reml else 0.0), np.inf)


def _left(model: Likelihood, thetas: Array) -> Left:
    places = [*model.fixed, model.response]
    sums, logdet = model.sums_at(thetas)
    steps = model.eliminate(sums, model.roots(thetas.T))
    square = sums.total[..., :] - steps[-1].tier[..., 0]
    square = np.broadcast_to(square, (*square.shape[:2], thetas.shape[0]))
    chosen = np.moveaxis(square[np.ix_(places, places)], 2, 0)
    return Left(np.ascontiguousarray(chosen), logdet + steps[-1].logdet)


def _one_by_one(model: Likelihood, thetas: Array) -> Left:
    none = np.eye(model.p), np.zeros(model.p)
    found = [model.given(theta, *none) for theta in thetas]
    return Left(np.stack([at.left for at in found]), np.array([at.logdet for at in found]))
