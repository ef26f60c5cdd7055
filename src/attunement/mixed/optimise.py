"""Find the theta of the best likelihood, and know it when it lies on the boundary.

The criterion is even in each column of L, so theta is unbounded; the signs are set at the end. It may have more
than one valley on a practice of 12 clients, where a single start loses up to .4 log-likelihood; on small tables many
points are looked at at once, and the search goes from the best. A large one starts where a sample of its own families
ends, with the sample's curvature as first metric, and is there after a handful of passes over its sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from attunement.mixed.many import deviances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood

    Array = NDArray[np.float64]

_STARTS = ((1.0, 0.0), (0.3, 0.0), (0.05, 0.0), (2.0, 0.0), (1.0, 0.9), (1.0, -0.9), (0.2, 0.9), (0.2, -0.9))
_LOOKED_AT, _TAKEN = 128, 3  # points looked at all at once besides those, and the best ones to search from
_SMALL = 5_000  # rows; above, one start is enough and the boundary is tried afterwards
_LARGE = 4_000  # levels of the finest factor, above which a sample is fitted first
_SAMPLE = (1_500, 15_000)  # its levels, at least and at most; a tenth between
_NEAR_ZERO = 1e-3
_OFF_ZERO = 0.03
_LARGEST = 3e3  # relative standard deviation; beyond, the residual is rounding and theta runs away
_LONGEST = 0.7  # step of the search
_STEPS = 300
_ENOUGH = 1e-9  # what a full step would still gain in the criterion
_UNSEEN = 3e-14  # of the criterion: no gain below can be told from rounding
_ROUGHLY = 1e-2  # enough to tell valleys apart
_POLISHED = 3
_STEP = 1e-4  # for second derivatives
_POLISHED_EFFECTS = 20_000  # up to which second derivatives are worked out to gain the last digits
_SETTLED = 1e-7  # a step of theta too small to matter
_THIN = 0.1  # of a term's smallest direction to its largest, below which it may well be none


class Surface(Protocol):
    """What is minimised."""

    def deviance(self, theta: Array, /) -> float:
        """Its height."""

    def with_gradient(self, theta: Array, /) -> tuple[float, Array]:
        """Its height and slope."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: theta, the criterion there, and the largest slope left."""

    theta: Array
    deviance: float
    slope: float


def optimise(model: Likelihood, start: Array | None = None) -> Optimum:
    """Minimise the criterion, from `start` too where a kindred model gives one."""
    if model.parameters == 0:
        return Optimum(np.empty(0), model.deviance(np.empty(0)), 0.0)
    metric = None
    if start is None and model.levels > _LARGE and model.structure.border.width == 0:
        start, metric = _of_a_sample(model)
    small = model.n <= _SMALL and model.effects <= _SMALL / 5
    starts = _best(model, _starts(model)) if small else [model.start(0.3)] if start is None else []
    if start is not None:
        starts.insert(0, start)
    if len(starts) > 1:
        starts = [
            min((_descend(model, each, None, _ROUGHLY) for each in starts), key=lambda each: each[1])[0]
        ]
    theta, deviance = _descend(model, starts[0], metric)
    if model.effects <= _POLISHED_EFFECTS:
        theta, deviance = _newton(model, *_thinned(model, theta, deviance))
    theta, deviance = _on_the_boundary(model, theta, deviance)
    slope = model.with_gradient(theta)[1]
    return Optimum(_upright(model, theta), deviance, float(np.abs(slope).max()))


def hessian(surface: Surface, theta: Array) -> Array:
    """Work out a surface's second derivatives, by central differences of its gradient."""
    found = np.empty((theta.size, theta.size))
    for place in range(theta.size):
        step = np.zeros(theta.size)
        step[place] = _STEP * max(1.0, abs(theta[place]))
        ahead, behind = surface.with_gradient(theta + step)[1], surface.with_gradient(theta - step)[1]
        found[place] = (ahead - behind) / (2.0 * step[place])
    return (found + found.T) / 2.0


def climb_down(surface: Surface, starts: list[Array]) -> tuple[Array, float, float]:
    """Minimise any surface from the best of some starts: where it ended, how deep, and the largest slope left."""
    rough = min((_descend(surface, each, None, _ROUGHLY) for each in starts), key=lambda each: each[1])
    values, deviance = _newton(surface, *_descend(surface, rough[0], None))
    return values, deviance, float(np.abs(surface.with_gradient(values)[1]).max())


def _starts(model: Likelihood) -> list[Array]:
    """Eight points, of several sizes and slopes' ties to intercepts; fewer where the terms have no slopes."""
    found = []
    for size, tie in _STARTS:
        if tie and len(model.diagonal) == model.diagonal.sum():
            continue
        theta = model.start(size)
        theta[~model.diagonal] = tie * size
        theta[theta.size - len(model.even) :] = model.start(size)[theta.size - len(model.even) :]
        found.append(theta)
    return found


def _best(model: Likelihood, starts: list[Array]) -> list[Array]:
    """Look at many points around at once, and keep the best; one by one would cost more than it is worth."""
    if model.even or model.structure.border.width:
        return starts
    random = np.random.default_rng(0)
    sizes = np.exp(random.uniform(np.log(0.03), np.log(3.0), (_LOOKED_AT, model.parameters)))
    ties = random.uniform(-1.0, 1.0, (_LOOKED_AT, model.parameters)) * sizes
    points = np.vstack([*starts, np.where(model.diagonal, sizes, ties)])
    order = np.argsort(deviances(model, points), kind="stable")
    return list(points[order[:_TAKEN]])


def _of_a_sample(model: Likelihood) -> tuple[Array, Array]:
    """Fit a sample of whole families: where to start, and the inverse of the curvature to expect there."""
    sample = model.sample(min(max(_SAMPLE[0], model.levels // 10), _SAMPLE[1]))
    theta, _ = _descend(sample, sample.start(0.3), None, enough=1e-3)
    values, vectors = np.linalg.eigh(hessian(sample, theta))
    values = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
    return theta, (vectors / values) @ vectors.T * (sample.n / model.n)


def _descend(
    model: Surface, theta: Array, metric: Array | None, enough: float = _ENOUGH
) -> tuple[Array, float]:
    """Search with the BFGS formula (Nocedal & Wright 2006, algorithm 6.1) and halved steps."""
    deviance, slope = model.with_gradient(theta)
    inverse = metric
    for _ in range(_STEPS):
        step = (
            -slope * (0.1 / max(float(np.linalg.norm(slope)), 1e-300))
            if inverse is None
            else -inverse @ slope
        )
        gain = -float(slope @ step)
        if inverse is not None and gain < max(enough, _UNSEEN * abs(deviance)):
            break
        step *= min(
            1.0, _LONGEST * max(1.0, float(np.abs(theta).max())) / max(float(np.abs(step).max()), 1e-300)
        )
        moved = _halved(model, theta, deviance, slope, step)
        if moved is None:
            if inverse is None:
                break
            inverse = None  # the metric misled: once more along the slope
            continue
        step, deviance, new_slope = moved
        theta, inverse = theta + step, _updated(inverse, step, new_slope - slope)
        slope = new_slope
        if np.abs(theta).max() >= _LARGEST:
            break
    return theta, deviance


def _halved(
    model: Surface, theta: Array, deviance: float, slope: Array, step: Array
) -> tuple[Array, float, Array] | None:
    """Shorten a step until it leads down; None where rounding hides any way down."""
    expected = float(slope @ step)
    for _ in range(12):
        tried, new_slope = model.with_gradient(np.clip(theta + step, -_LARGEST, _LARGEST))
        if np.isfinite(tried) and tried <= deviance + 1e-4 * expected + 0.1 * _UNSEEN * abs(deviance):
            return step, tried, new_slope
        step, expected = 0.4 * step, 0.4 * expected
        if -expected < _UNSEEN * abs(deviance):
            return None
    return None


def _updated(inverse: Array | None, step: Array, change: Array) -> Array | None:
    """Change the metric by what a step told of the curvature."""
    along = float(step @ change)
    if along <= 1e-12 * float(np.linalg.norm(step) * np.linalg.norm(change)):
        return inverse
    if inverse is None:
        inverse = np.eye(step.size) * (along / float(change @ change))
    turn = np.eye(step.size) - np.outer(step, change) / along
    return turn @ inverse @ turn.T + np.outer(step, step) / along


def _newton(model: Surface, theta: Array, deviance: float) -> tuple[Array, float]:
    """A few Newton steps: the descent stops short where the surface is flat, and digits are lost."""
    for _ in range(_POLISHED):
        slope = model.with_gradient(theta)[1]
        values, vectors = np.linalg.eigh(hessian(model, theta))
        step = vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-6 * np.abs(values).max()))
        if np.abs(step).max() < _SETTLED or np.abs(theta - step).max() > _LARGEST:
            break
        tried = model.deviance(theta - step)
        if not tried <= deviance + 1e-12 * abs(deviance):
            break
        theta, deviance = theta - step, min(tried, deviance)
    return theta, deviance


def _thinned(model: Likelihood, theta: Array, deviance: float) -> tuple[Array, float]:
    """Search once more from where thin terms have lost their smallest direction: the valley there is bent."""
    thin = theta.copy()
    place, changed = 0, False
    for triangle in model.triangles(theta):
        size = triangle.shape[0] * (triangle.shape[0] + 1) // 2
        left, sizes, _ = np.linalg.svd(triangle)
        if triangle.shape[0] > 1 and sizes[-1] < _THIN * sizes[0]:
            flat = left * np.append(sizes[:-1], 0.0)
            lower = np.asarray(np.linalg.qr(flat.T, mode="r")).T
            thin[place : place + size] = lower[np.tril_indices(triangle.shape[0])]
            changed = True
        place += size
    if not changed:
        return theta, deviance
    return min((theta, deviance), _descend(model, thin, None), key=lambda each: each[1])


def _on_the_boundary(model: Likelihood, theta: Array, deviance: float) -> tuple[Array, float]:
    """Set to zero what is zero but for rounding, so that a singular fit is seen as one.

    Zero is always stationary: where the criterion falls beside it, the search goes on from there.
    """
    for place in np.flatnonzero(model.diagonal & (np.abs(theta) < _NEAR_ZERO)):
        off = theta.copy()
        off[place] = _OFF_ZERO
        if model.deviance(off) < deviance - 1e-8:
            further, lower = _descend(model, off, None)
            if lower < deviance:
                theta, deviance = further, lower
                continue
        flat = theta.copy()
        flat[place] = 0.0
        tried = model.deviance(flat)
        if tried <= deviance + 1e-8:
            theta, deviance = flat, tried
    return theta, deviance


def _upright(model: Likelihood, theta: Array) -> Array:
    """Flip the columns of L so that the diagonals are positive; the criterion does not change."""
    turned = [triangle * np.where(np.diag(triangle) < 0, -1.0, 1.0) for triangle in model.triangles(theta)]
    flat = [triangle[np.tril_indices(triangle.shape[0])] for triangle in turned]
    further = theta[theta.size - len(model.even) :]
    return np.concatenate([*flat, np.where(model.even, np.abs(further), further)])
