"""Integrate over a few unbounded parameters whose log-density can be worked out at many points at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaincinv, ndtri

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_TAILS = 6.0  # degrees of freedom of the t that the points are laid by
_WIDER = 1.15
_STEP = 1e-2  # for second differences, in units of the parameters
_NEWTON = 12


@dataclass(frozen=True, slots=True)
class Points:
    """Weighted points, (T, k) and (T,); the weights sum to 1."""

    values: Array
    weights: Array

    @property
    def effective(self) -> float:
        """How many independent draws they are worth, at least (Kish)."""
        return float(1.0 / (self.weights**2).sum())

    def quantile(self, of_points: Array, share: float) -> float:
        """A weighted quantile of something that each point has."""
        order = np.argsort(of_points)
        reached = np.cumsum(self.weights[order]) - self.weights[order] / 2.0
        return float(np.interp(share, reached, of_points[order]))

    def resampled(self, count: int) -> Array:
        """(count, k) points of equal weight, evenly through the weights (systematic resampling)."""
        order = np.argsort(self.values[:, -1])  # neighbours alike, so that none is passed over
        reached = np.cumsum(self.weights[order])
        chosen = np.searchsorted(reached, (np.arange(count) + 0.5) / count * reached[-1])
        return np.asarray(self.values[order[np.minimum(chosen, order.size - 1)]], dtype=np.float64)


def integrate(log_density: Callable[[Array], Array], start: Array, rough: Array, points: int) -> Points:
    """Lay weighted points that stand for the density.

    Parameters
    ----------
    log_density
        From (T, k) points to (T,) log-densities, up to a constant.
    start, rough
        (k,) and (T, k) points to look for the mode from.
    points
        How many to lay.
    """
    candidates = np.vstack([start, rough])
    mode = candidates[np.argmax(_finite(log_density(candidates)))]
    mode, curvature = _climb(log_density, mode)
    center, root = mode, np.linalg.cholesky(_covariance(curvature))
    found = _lay(log_density, center, root, max(points // 2, 64), seed=2)
    for seed in (3, 4):
        center = found.weights @ found.values
        off = found.values - center
        spread = (off.T * found.weights) @ off * _WIDER
        found = _lay(
            log_density, center, np.linalg.cholesky(spread + 1e-9 * np.eye(start.size)), points, seed=seed
        )
        if found.effective > 0.3 * points:
            break
    return found


def _finite(values: Array) -> Array:
    return np.asarray(np.where(np.isfinite(values), values, -np.inf), dtype=np.float64)


def _climb(log_density: Callable[[Array], Array], mode: Array) -> tuple[Array, Array]:
    """Newton's steps with second differences, damped until they lead up; the mode and minus the curvature there."""
    for _ in range(_NEWTON):
        height, slope, curvature = _differences(log_density, mode)
        values, vectors = np.linalg.eigh(curvature)
        along = vectors.T @ slope
        lengths = np.array([0.0, 0.1, 0.3, 1.0])
        step = vectors @ (along / np.maximum(np.abs(values), 0.3))
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        tried = _finite(log_density(mode + lengths[:, None] * step))
        best = int(np.argmax(tried))
        mode, gained = mode + lengths[best] * step, tried[best] - height
        if gained < 1e-3:
            break
    return mode, _differences(log_density, mode)[2]


def _differences(log_density: Callable[[Array], Array], at: Array) -> tuple[float, Array, Array]:
    """Value, slope and minus the second derivatives, by central differences in one call."""
    k = at.size
    step = _STEP * np.eye(k)
    pairs = [(i, j) for i in range(k) for j in range(i)]
    moves = [np.zeros(k), *step, *-step]
    for i, j in pairs:
        moves += [step[i] + step[j], -step[i] - step[j]]
    values = log_density(at + np.array(moves))
    ahead, behind = values[1 : k + 1], values[k + 1 : 2 * k + 1]
    second = (ahead + behind - 2.0 * values[0]) / _STEP**2
    curvature = np.diag(-second)
    for number, (i, j) in enumerate(pairs):
        both = values[2 * k + 1 + 2 * number : 2 * k + 3 + 2 * number].sum()
        mixed = (both - ahead[i] - behind[i] - ahead[j] - behind[j] + 2.0 * values[0]) / (2.0 * _STEP**2)
        curvature[i, j] = curvature[j, i] = -mixed
    return float(values[0]), (ahead - behind) / (2.0 * _STEP), curvature


def _covariance(curvature: Array) -> Array:
    """The covariance that the curvature speaks of; where it is flat, a standard deviation of about two."""
    values, vectors = np.linalg.eigh(curvature)
    return np.asarray((vectors / np.maximum(values, 0.25)) @ vectors.T) * _WIDER


def _lay(
    log_density: Callable[[Array], Array], center: Array, root: NDArray[Any], count: int, seed: int
) -> Points:
    """Lay points by a t around the center and weigh them by what the density is there."""
    from scipy.stats import qmc  # noqa: PLC0415 - slow to import, and only needed here

    k = center.size
    count = 1 << (count - 1).bit_length()
    uniform = np.clip(qmc.Sobol(k + 1, seed=seed).random(count), 1e-10, 1.0 - 1e-10)
    normal = ndtri(uniform[:, :k])
    scale = np.sqrt(_TAILS / (2.0 * gammaincinv(_TAILS / 2.0, uniform[:, k])))
    standard = normal * scale[:, None]
    values = center + standard @ root.T
    laid = -0.5 * (_TAILS + k) * np.log1p((standard**2).sum(axis=1) / _TAILS)
    logs = _finite(log_density(values)) - laid
    weights = np.exp(logs - logs.max())
    return Points(values, weights / weights.sum())
