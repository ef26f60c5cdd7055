r"""The exact likelihood of a Gaussian hierarchical model, with its gradient, from sums alone.

With theta the lower triangles L of the random terms' relative covariances G = L L' (lme4's parameters), the
profiled criterion is lme4's

.. math:: -2 l = \log|M| + \log|X'V^{-1}X| + \nu (1 + \log(2 \pi r^2 / \nu)),\quad \nu = n - p

for REML; without the middle term and with :math:`\nu = n` for ML. Tiers are taken out one by one (`sweep`), then
the border, and T is left: the sums of the fixed columns and the response, all random effects accounted for. The
adjoint of the criterion at T is

.. math:: \Omega = \frac{\nu}{r^2} v v' + \text{[REML] } (X'V^{-1}X)^{-1},\quad v = (-\beta, 1),

and is brought down through the same steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed import compiled
from attunement.mixed.cells import Only
from attunement.mixed.solution import Solution, Term
from attunement.mixed.solve_border import solve_border
from attunement.mixed.sweep import (
    Carried,
    Level,
    Taken,
    at_level,
    bring_down,
    slope_of,
    solve_level,
    take_out,
)
from attunement.mixed.tiers import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.cells import Cells, CellSource
    from attunement.mixed.tiers import Sums, Tier

    Array = NDArray[np.float64]
    Block = slice | NDArray[np.int64]

_ROUNDING = 1e-14
_STEP = 1e-4  # for derivatives that are differences


class Likelihood:
    """The criterion as a function of theta, for one design.

    Parameters
    ----------
    structure
        How the cells lie.
    cells
        Gives the sums, as a function of the further parameters behind theta (of drift, autocorrelation, strata).
    terms
        The random terms, in the order of theta.
    fixed, response
        Where the fixed columns and the response stand.
    even
        One a further parameter: whether the criterion is even in it, so that zero is its boundary.
    reml
        Whether to restrict.
    """

    def __init__(
        self,
        structure: Structure,
        cells: CellSource,
        terms: tuple[Term, ...],
        fixed: tuple[int, ...],
        response: int,
        even: tuple[bool, ...],
        *,
        reml: bool,
    ) -> None:
        self.structure, self.terms, self.even, self.reml = structure, terms, even, reml
        self.fixed, self.response = list(fixed), response
        self._cells = cells
        self._corners = [np.tril_indices(term.q) for term in terms]
        self._fixed_square = np.ix_(self.fixed, self.fixed)
        self._left_square = np.ix_([*fixed, response], [*fixed, response])
        self._kept: tuple[Array, Sums, float] | None = None
        further = np.zeros(len(even))
        self.n = cells(further).n
        self.p = len(fixed)
        self.nu = self.n - (self.p if reml else 0)
        self.places = {tier.factor: list(tier.places) for tier in structure.tiers}
        self.places |= dict(zip(structure.border.factors, map(list, structure.border.places), strict=True))

    @property
    def effects(self) -> int:
        """How many random effects there are."""
        tiers = sum(tier.order.size * len(tier.places) for tier in self.structure.tiers)
        return tiers + self.structure.border.width

    @property
    def levels(self) -> int:
        """How many levels the finest factor has."""
        return self.structure.tiers[0].order.size if self.structure.tiers else 0

    def sample(self, levels: int) -> Likelihood:
        """The same model on whole families of about that many levels of the finest factor, evenly spread."""
        cells = self._cells(np.zeros(len(self.even)))
        top = self.structure.tiers[-1].factor
        keep = cells.codes[top] % -(-self.levels // levels) == 0

        places = {tier.factor: tier.places for tier in self.structure.tiers}
        some = cells.only(keep)
        structure = Structure(some.codes, some.counts, places, self.structure.m)
        return Likelihood(
            structure,
            Only(self._cells, keep),
            self.terms,
            tuple(self.fixed),
            self.response,
            self.even,
            reml=self.reml,
        )

    @property
    def parameters(self) -> int:
        """How many parameters theta has: q (q + 1) / 2 a term, and the further ones."""
        return sum(term.q * (term.q + 1) // 2 for term in self.terms) + len(self.even)

    def start(self, size: float) -> Array:
        """A theta with `size` on each diagonal, zero elsewhere."""
        triangles = [(size * np.eye(term.q))[np.tril_indices(term.q)] for term in self.terms]
        further = [np.array([size / 4 if even else 0.0]) for even in self.even]
        return np.concatenate([np.empty(0), *triangles, *further])

    @property
    def diagonal(self) -> NDArray[np.bool_]:
        """Which entries of theta are standard deviations, so that zero is their boundary."""
        marks = [np.eye(term.q, dtype=bool)[np.tril_indices(term.q)] for term in self.terms]
        return np.concatenate([np.empty(0, dtype=bool), *marks, np.array(self.even, dtype=bool)])

    def triangles(self, theta: Array) -> tuple[Array, ...]:
        """Theta as one lower triangle a term, (q, q) or (q, q, T) for theta (parameters, T)."""
        found, place = [], 0
        for term, corner in zip(self.terms, self._corners, strict=True):
            triangle = np.zeros((term.q, term.q, *theta.shape[1:]))
            triangle[corner] = theta[place : place + corner[0].size]
            found.append(triangle)
            place += corner[0].size
        return tuple(found)

    def roots(self, theta: Array) -> dict[str, Array]:
        """L by factor, (q, q, T): the triangles of its terms down the diagonal."""
        times = theta.shape[1:] or (1,)
        roots = {factor: np.zeros((len(own), len(own), *times)) for factor, own in self.places.items()}
        for term, triangle in zip(self.terms, self.triangles(theta), strict=True):
            roots[term.factor][term.places, term.places] = triangle.reshape(term.q, term.q, *times)
        return roots

    def sums(self, theta: Array) -> tuple[Sums, float]:
        """The sums at theta's further parameters, and their log-determinant; kept until those change."""
        further = theta[theta.size - len(self.even) :]
        if self._kept is None or not np.array_equal(self._kept[0], further):
            cells = self._cells(further)
            self._kept = (further.copy(), self.structure.sums(cells.products), cells.logdet)
        return self._kept[1], self._kept[2]

    def sums_at(self, thetas: Array) -> tuple[Sums, Array]:
        """The sums at (T, parameters) values of theta, and (T,) their log-determinants."""
        if not self.even:
            sums, logdet = self.sums(thetas[0])
            return sums, np.full(thetas.shape[0], logdet)
        products, logdets = self._cells.many(thetas[:, thetas.shape[1] - len(self.even) :])
        return self.structure.sums(products), logdets

    def solve(self, theta: Array) -> Solution:
        """Work out the criterion at theta, and what the effects follow from."""
        at = self._reduced(theta)
        left = at.left.copy()
        left[-1, -1] += _ROUNDING * at.sums.total[self.response, self.response, 0]
        root = np.linalg.cholesky(left)
        diagonal = np.log(np.diagonal(root))
        rss = float(root[-1, -1] ** 2)
        deviance = at.logdet + self.nu * (1.0 + np.log(2.0 * np.pi * rss / self.nu))
        if self.reml:
            deviance += 2.0 * diagonal[:-1].sum()
        inverse = np.linalg.inv(root[:-1, :-1])
        beta = np.asarray(root[-1, :-1] @ inverse, dtype=np.float64)
        return replace(
            at,
            deviance=float(deviance),
            rss=rss,
            beta=beta,
            spread=np.asarray(inverse.T @ inverse, dtype=np.float64),
        )

    def given(self, theta: Array, precision: Array, weighted: Array) -> Solution:
        """What follows from theta and pseudo-data on the fixed effects; the criterion is not worked out.

        `precision` (p, p) and `weighted` (p,), precision times mean, are relative to the residual variance.
        """
        at = self._reduced(theta)
        spread = np.asarray(np.linalg.inv(at.left[:-1, :-1] + precision), dtype=np.float64)
        return replace(at, beta=spread @ (at.left[:-1, -1] + weighted), spread=spread)

    def solve_for(self, cells: Cells, theta: Array) -> Solution:
        """What follows from theta and other sums of the same cells, for a model without fixed columns."""
        return self._from(self.structure.sums(cells.products), cells.logdet, theta)

    def _reduced(self, theta: Array) -> Solution:
        return self._from(*self.sums(theta), theta)

    def _from(self, sums: Sums, logdet: float, theta: Array) -> Solution:
        roots = self.roots(theta)
        steps = self.eliminate(sums, roots)
        border = solve_border(self.structure.border, sums, roots, steps[-1])
        left = sums.total[:, :, 0] - steps[-1].tier[:, :, 0, 0] - border.taken
        return Solution(
            deviance=np.nan,
            rss=np.nan,
            beta=np.empty(0),
            spread=np.empty((0, 0)),
            left=left[self._left_square],
            logdet=logdet + float(steps[-1].logdet[0]) + border.logdet,
            sums=sums,
            roots=roots,
            taken=tuple(steps),
            border=border,
            further=theta[theta.size - len(self.even) :],
        )

    def eliminate(self, sums: Sums, roots: dict[str, Array]) -> list[Taken]:
        """Take out tier by tier: what was taken before each, and at the end."""
        nothing = Taken(
            np.zeros((sums.total.shape[0], sums.total.shape[0], 1, 1)),
            np.zeros((sums.total.shape[0], 0)),
            np.zeros_like(sums.border),
            np.zeros_like(sums.beside),
            np.zeros(1),
        )
        steps = [nothing]
        for depth, tier in enumerate(self.structure.tiers):
            own, pairs = sums.tiers[depth], sums.pairs[depth]
            steps.append(take_out(tier, roots[tier.factor], own, pairs, steps[-1], finest=depth == 0))
        return steps

    def deviance(self, theta: Array) -> float:
        """The criterion alone; infinite where rounding has left nothing."""
        try:
            return self.solve(theta).deviance
        except np.linalg.LinAlgError:
            return np.inf

    def with_gradient(self, theta: Array) -> tuple[float, Array]:
        """The criterion and its gradient in theta; infinite and flat where rounding has left nothing."""
        try:
            at = self.solve(theta)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros(theta.size)
        return at.deviance, np.append(self._gradient(at, theta, self.nu / at.rss), self._further(theta))

    def given_sigma(self, theta: Array, sigma: float) -> tuple[float, Array]:
        """The criterion at a residual sd that is not the best one; its gradient in theta and in log sigma."""
        at = self.solve(theta)
        best = self.nu * (1.0 + np.log(2.0 * np.pi * at.rss / self.nu))
        misfit = at.rss / sigma**2
        here = at.deviance - best + self.nu * np.log(2.0 * np.pi * sigma**2) + misfit
        gradient = self._gradient(at, theta, 1.0 / sigma**2)
        return float(here), np.append(gradient, 2.0 * (self.nu - misfit))

    def _gradient(self, at: Solution, theta: Array, weight: float) -> Array:
        """The gradient in theta's triangles; `weight` is that of the residual sum of squares."""
        direction = self.direction(at)
        adjoint = weight * np.outer(direction, direction)
        if self.reml:
            adjoint[self._fixed_square] += at.spread
        slopes = self.slopes(at, adjoint)
        gradient = [np.empty(0)]
        for term, triangle, corner in zip(self.terms, self.triangles(theta), self._corners, strict=True):
            own = slopes[term.factor][term.places, term.places]
            gradient.append((2.0 * own @ triangle)[corner])
        return np.concatenate(gradient)

    def slopes(self, at: Solution, adjoint: Array) -> dict[str, Array]:
        """By factor, (q, q) the derivative in its relative covariance of log|M| and what has this adjoint."""
        slopes = at.border.slopes(adjoint)
        carried = self.onto_the_chain(at, adjoint)
        for depth, tier in reversed(list(enumerate(self.structure.tiers))):
            slopes[tier.factor], carried = self._slope(at, depth, tier, carried)
        return slopes

    def _slope(self, at: Solution, depth: int, tier: Tier, carried: Carried) -> tuple[Array, Carried]:
        if depth == 0 and compiled.worth_it(tier, at.sums.tiers[0]):
            found = compiled.slope(tier, at.roots[tier.factor], at.sums.tiers[0], carried.tier)
            return found, carried
        slope = np.zeros((len(tier.places), len(tier.places)))
        below = []
        for levels, _ in tier.blocks:
            solved = self.level(at, depth, levels)
            here = at_level(tier, carried, levels)
            slope += slope_of(tier, solved, here)
            if depth > 0:
                below.append(bring_down(tier, solved, here)[0])
        return slope, self.below(depth, below)

    def below(self, depth: int, parts: list[Carried]) -> Carried:
        """What is carried, for the next finer tier."""
        if depth == 0:
            return Carried(np.empty(0), np.empty((0, 0)), np.empty(0))
        finer = self.structure.tiers[depth - 1].pairs
        pairs = parts[0].pairs if finer is None else parts[0].pairs[:, finer.above]
        return Carried(np.concatenate([part.tier for part in parts], axis=2), pairs, parts[0].border)

    def onto_the_chain(self, at: Solution, on: Array) -> Carried:
        """Bring what stands on the columns' coefficients, (m, m), down to the last tier."""
        carried = at.border.bring_down(on)
        last = self.structure.tiers[-1].pairs if self.structure.tiers else None
        if last is None:
            return carried
        return Carried(carried.tier, carried.pairs[:, last.column], carried.border)

    def level(self, at: Solution, depth: int, levels: Block) -> Level:
        """Solve a block of a tier's levels, at a solution."""
        tier = self.structure.tiers[depth]
        taken = at.taken[depth] if depth else None
        return solve_level(
            tier, at.roots[tier.factor], at.sums.tiers[depth], at.sums.pairs[depth], taken, levels
        )

    def direction(self, at: Solution) -> Array:
        """(m,) what a residual is made of: −beta on the fixed columns, 1 on the response."""
        direction = np.zeros(self.structure.m)
        direction[self.fixed] = -at.beta
        direction[self.response] = 1.0
        return direction

    def _further(self, theta: Array) -> Array:
        """The slopes in the further parameters, by central differences."""
        slopes = np.empty(len(self.even))
        for place in range(slopes.size):
            step = np.zeros_like(theta)
            step[theta.size - slopes.size + place] = _STEP
            slopes[place] = (self.deviance(theta + step) - self.deviance(theta - step)) / (2 * _STEP)
        return slopes
