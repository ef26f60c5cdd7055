r"""The exact likelihood of a Gaussian hierarchical model, with its gradient.

With theta the lower triangles L of the random terms' relative covariances G = L L' (lme4's parameters) and
phi the drift's relative standard deviation a session, the profiled criterion is lme4's

.. math:: -2 l = \log|M| + \log|X'V^{-1}X| + \nu (1 + \log(2 \pi r^2 / \nu)),\quad \nu = n - p

for REML; without the middle term and with :math:`\nu = n` for ML. The gradient is that of Bates et al. (2015,
Journal of Statistical Software 67:1, section 3) written on sums: the trace of M^{-1} dM needs only the diagonal
blocks of M^{-1}, and dr^2 only the residual's projection on each level.

Names: `A` the sums of an eliminated level; `raw` the border after the elimination, not yet scaled; `Lambda` the
other terms' L down the diagonal; `S = Lambda' raw Lambda + I`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.linalg.lapack import dpotri

from attunement.mixed.moments import Moments, Walks, moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.design import Grouped, Steps

    Array = NDArray[np.float64]

_GATHERED = 4_000_000  # numbers gathered at once
_ROUNDING = 1e-14
_STEP = 1e-4  # for the drift's own derivative


@dataclass(frozen=True, slots=True)
class Solution:
    """Everything at one theta.

    Parameters
    ----------
    deviance
        The criterion above, a constant of the fixed columns' scale left out.
    rss
        Penalised residual sum of squares; the residual variance is ``rss / nu``.
    beta
        (p,) coefficients of the (orthonormal) fixed columns.
    effects
        Per term, eliminated first, (m, q) conditional modes on the response's scale.
    outer
        (border,) the border's modes, beta and −1: what a row of `cross` is multiplied with.
    sums, pulled, raw, root, scale
        The sums it started from; N = L (I + L'AL)^-1 by eliminated level; the border left by the elimination;
        the Cholesky factor of S (lower, fixed columns last); the L of each term.
    """

    deviance: float
    rss: float
    beta: Array
    effects: tuple[Array, ...]
    outer: Array
    sums: Moments
    pulled: Array
    raw: Array
    root: Array
    scale: tuple[Array, ...]


class Likelihood:
    """The criterion as a function of theta, for one design.

    Parameters
    ----------
    grouped
        The random terms; the one with the most effects is moved to the front, to be eliminated.
    xy
        (n, p + 1) fixed columns (best orthonormal) and response (best centred).
    steps
        The drift's walks, or None.
    reml
        Whether to restrict.
    """

    def __init__(self, grouped: tuple[Grouped, ...], xy: Array, steps: Steps | None, *, reml: bool) -> None:
        self.order = sorted(
            range(len(grouped)), key=lambda i: -grouped[i].z.shape[1] * len(grouped[i].levels)
        )
        self.grouped = [grouped[i] for i in self.order]
        self.xy, self.reml = xy, reml
        self.walks = Walks(steps) if steps is not None else None
        self.sizes: list[int] = [group.z.shape[1] for group in self.grouped]
        self.counts = [len(group.levels) for group in self.grouped]
        self.p = xy.shape[1] - 1
        self.nu = xy.shape[0] - (self.p if reml else 0)
        self._kept: tuple[float, Moments] | None = None

    @property
    def parameters(self) -> int:
        """How many parameters theta has: q (q + 1) / 2 a term, and one for a drift."""
        return sum(q * (q + 1) // 2 for q in self.sizes) + int(self.walks is not None)

    def start(self, size: float) -> Array:
        """A theta with `size` on each diagonal, zero elsewhere."""
        triangles = [(size * np.eye(q))[np.tril_indices(q)] for q in self.sizes]
        drift = [np.array([size / 4])] if self.walks is not None else []
        return np.concatenate([np.empty(0), *triangles, *drift])

    @property
    def diagonal(self) -> NDArray[np.bool_]:
        """Which entries of theta are standard deviations, so that zero is their boundary."""
        marks = [np.eye(q, dtype=bool)[np.tril_indices(q)] for q in self.sizes]
        walk = [np.array([True])] if self.walks is not None else []
        return np.concatenate([np.empty(0, dtype=bool), *marks, *walk])

    def triangles(self, theta: Array) -> tuple[Array, ...]:
        """Theta as one lower triangle a term."""
        found, place = [], 0
        for q in self.sizes:
            triangle = np.zeros((q, q))
            count = q * (q + 1) // 2
            triangle[np.tril_indices(q)] = theta[place : place + count]
            found.append(triangle)
            place += count
        return tuple(found)

    def solve(self, theta: Array) -> Solution:
        """Work out the criterion and the modes at theta."""
        sums = self._sums(float(theta[-1]) ** 2 if self.walks is not None else 0.0)
        scale = self.triangles(theta)
        pulled, raw, logdet = _eliminate(sums, scale)
        scaled = _scaled(raw, scale[1:], self.counts[1:])
        width = scaled.shape[0] - self.p - 1
        scaled[np.arange(width), np.arange(width)] += 1.0
        scaled[-1, -1] += _ROUNDING * sums.border[-1, -1]  # a perfect fit must not end below zero
        root = cholesky(scaled.T, lower=True, overwrite_a=True, check_finite=False)
        diagonal = np.log(np.diagonal(root))
        rss = float(root[-1, -1] ** 2)
        deviance = sums.logdet + logdet + 2.0 * diagonal[:width].sum()
        if self.reml:
            deviance += 2.0 * diagonal[width:-1].sum()
        deviance += self.nu * (1.0 + np.log(2.0 * np.pi * rss / self.nu))
        effects, outer = self._modes(sums, scale, pulled, root)
        beta = outer[width:-1]
        return Solution(float(deviance), rss, beta, effects, outer, sums, pulled, raw, root[:-1, :-1], scale)

    def deviance(self, theta: Array) -> float:
        """The criterion alone."""
        return self.solve(theta).deviance

    def with_gradient(self, theta: Array) -> tuple[float, Array]:
        """The criterion and its gradient in theta."""
        at = self.solve(theta)
        half = half_inverse(self, at, at.root.shape[0] - (0 if self.reml else self.p))
        gradient = np.concatenate(
            [np.empty(0), *(_slope(self, at, half, term) for term in range(len(self.sizes)))]
        )
        if self.walks is not None:
            step = np.zeros_like(theta)
            step[-1] = _STEP
            along = (self.deviance(theta + step) - self.deviance(theta - step)) / (2 * _STEP)
            gradient = np.append(gradient, along)
        return at.deviance, gradient

    def hessian(self, theta: Array) -> Array:
        """Second derivatives of the criterion, by central differences of its gradient."""
        size = theta.size
        hessian = np.empty((size, size))
        for i in range(size):
            step = np.zeros(size)
            step[i] = _STEP * max(1.0, abs(theta[i]))
            hessian[i] = (self.with_gradient(theta + step)[1] - self.with_gradient(theta - step)[1]) / (
                2 * step[i]
            )
        return (hessian + hessian.T) / 2

    def _sums(self, drift: float) -> Moments:
        if self._kept is None or self._kept[0] != drift:
            self._kept = (drift, moments(self.grouped, self.xy, self.walks, drift))
        return self._kept[1]

    def strip(self, term: int) -> slice:
        """Where a term of the border has its columns."""
        widths = [count * q for count, q in zip(self.counts, self.sizes, strict=True)]
        return slice(sum(widths[1:term]), sum(widths[1 : term + 1]))

    def _modes(
        self, sums: Moments, scale: tuple[Array, ...], pulled: Array, root: Array
    ) -> tuple[tuple[Array, ...], Array]:
        solved = solve_triangular(root[:-1, :-1], root[-1, :-1], lower=True, trans="T", check_finite=False)
        outer = np.append(scale_rows(solved[:, None], scale[1:], self.counts[1:])[:, 0], -1.0)
        if not self.sizes:
            return (), outer
        left = -(sums.cross @ outer).reshape(self.counts[0], self.sizes[0])
        first = np.einsum("lab,lb->la", pulled @ scale[0].T, left)
        rest = (outer[self.strip(term)].reshape(-1, self.sizes[term]) for term in range(1, len(self.sizes)))
        return (first, *rest), outer


def _eliminate(sums: Moments, scale: tuple[Array, ...]) -> tuple[Array, Array, float]:
    """Take the first factor out: returns N = L (I + L'AL)^-1 by level, what is left, and a log-determinant."""
    if not scale:
        return np.empty((0, 1, 1)), sums.border.copy(), 0.0
    triangle = scale[0]
    middle = np.eye(triangle.shape[0]) + triangle.T @ sums.inner @ triangle
    pulled = np.swapaxes(np.linalg.solve(middle, np.broadcast_to(triangle.T, middle.shape)), 1, 2)
    taken = sums.cross.T @ (_diagonal(pulled @ triangle.T) @ sums.cross)
    raw = sums.border - np.asarray(taken.toarray())
    return pulled, raw, float(np.linalg.slogdet(middle)[1].sum())


def _diagonal(blocks: Array) -> sparse.csr_array:
    m, q, _ = blocks.shape
    return sparse.bsr_array((blocks, np.arange(m), np.arange(m + 1)), shape=(m * q, m * q)).tocsr()


def scale_rows(rows: Array, triangles: tuple[Array, ...], counts: list[int]) -> Array:
    """Multiply each level's rows of a border matrix by its term's matrix; what is behind them stays."""
    scaled = rows.copy()
    place = 0
    for triangle, count in zip(triangles, counts, strict=True):
        q = triangle.shape[0]
        strip = slice(place, place + count * q)
        if q == 1:
            scaled[strip] *= triangle[0, 0]
        else:
            scaled[strip] = (triangle @ rows[strip].reshape(count, q, -1)).reshape(count * q, -1)
        place += count * q
    return scaled


def _scaled(raw: Array, scale: tuple[Array, ...], counts: list[int]) -> Array:
    """Lambda' raw Lambda, with the identity for the fixed columns and the response."""
    if all(triangle.size == 1 for triangle in scale):  # intercepts only: one factor a row
        factor = np.ones(raw.shape[0])
        ends = [np.repeat(triangle[0], count) for triangle, count in zip(scale, counts, strict=True)]
        factor[: sum(counts)] = np.concatenate([np.empty(0), *ends])
        return raw * factor[:, None] * factor
    transposed = tuple(triangle.T for triangle in scale)
    return scale_rows(scale_rows(raw, transposed, counts).T, transposed, counts)


def half_inverse(model: Likelihood, at: Solution, size: int) -> Array:
    """Lambda S^-1 of the first `size` columns of the border: with the fixed columns (REML), or without (ML)."""
    if size == 0:
        return np.empty((0, 0))
    inverse, _ = dpotri(at.root[:size, :size], lower=1)
    return scale_rows(np.tril(inverse) + np.tril(inverse, -1).T, at.scale[1:], model.counts[1:])


def _slope(model: Likelihood, at: Solution, half: Array, term: int) -> Array:
    """The gradient in one term's triangle: a trace, and the residual's projection on the term's levels."""
    trace = _inner_trace(model, at, half) if term == 0 else _border_trace(model, at, half, term)
    residual = _projected(model, at, term)
    u = residual @ at.scale[term]  # L' z'e = u at the solution
    slope = 2.0 * trace - 2.0 * model.nu / at.rss * (residual.T @ u)
    return np.asarray(slope[np.tril_indices(model.sizes[term])])


def _inner_trace(model: Likelihood, at: Solution, half: Array) -> Array:
    """Sum over levels of Z'[Z Lambda, X] H^-1 on the eliminated factor's own blocks, (q, q)."""
    inner, pulled = at.sums.inner, at.pulled
    held = np.eye(model.sizes[0]) - inner @ pulled @ at.scale[0].T
    return np.asarray((inner @ pulled - held @ around_levels(model, at, half) @ pulled).sum(axis=0))


def around_levels(model: Likelihood, at: Solution, half: Array) -> Array:
    """C_l T C_l' by eliminated level, (m, q, q): what not knowing the border adds to each."""
    q, m, size = model.sizes[0], model.counts[0], half.shape[0]
    around = scale_rows(half.T, at.scale[1:], model.counts[1:])  # T = Lambda S^-1 Lambda'
    if size == 0:
        return np.zeros((m, q, q))
    places, values = _padded(at.sums.cross[:, :size])
    places, values = places.reshape(m, q, -1), values.reshape(m, q, -1)
    found = np.empty((m, q, q))
    run = max(1, _GATHERED // (q * places.shape[2]) ** 2)
    for start in range(0, m, run):
        here = slice(start, start + run)
        for a in range(q):
            for b in range(a + 1):
                block = around[places[here, a, :, None], places[here, b, None, :]]
                found[here, a, b] = np.einsum(
                    "li,lij,lj->l", values[here, a], block, values[here, b], optimize=True
                )
                found[here, b, a] = found[here, a, b]
    return found


def _padded(rows: sparse.csr_array) -> tuple[NDArray[np.int64], Array]:
    """Columns and values of each sparse row, as wide as the fullest; what is padded has the value 0."""
    counts = np.diff(rows.indptr)
    width = max(int(counts.max(initial=0)), 1)
    places = np.zeros((rows.shape[0], width), dtype=np.int64)
    values = np.zeros((rows.shape[0], width))
    filled = np.arange(width) < counts[:, None]
    places[filled], values[filled] = rows.indices, rows.data
    return places, values


def _border_trace(model: Likelihood, at: Solution, half: Array, term: int) -> Array:
    """The same sum for a term of the border, (q, q)."""
    q, count, size = model.sizes[term], model.counts[term], half.shape[0]
    strip = model.strip(term)
    rows = at.raw[strip, :size].reshape(count, q, size)
    columns = half[:, strip].reshape(size, count, q)
    return np.asarray(np.einsum("lai,ilb->ab", rows, columns, optimize=True))


def _projected(model: Likelihood, at: Solution, term: int) -> Array:
    """Z'e of one term's levels, (m, q), with e the residual."""
    if term == 0:
        left = -(at.sums.cross @ at.outer).reshape(at.effects[0].shape)
        return np.asarray(left - np.einsum("lab,lb->la", at.sums.inner, at.effects[0]))
    rest = -(at.sums.border @ at.outer) - at.sums.cross.T @ at.effects[0].ravel()
    return np.asarray(rest[model.strip(term)].reshape(at.effects[term].shape))
