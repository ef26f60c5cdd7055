r"""The likelihood of a response that is not Gaussian, by Laplace's approximation (as lme4's ``nAGQ = 1``).

At the modes of the spherical effects u, with the working weights W of the family,

.. math:: -2 l = -2 \sum \log f(y \mid \eta) + u'u + \log|\Lambda' Z' W Z \Lambda + I|,\quad
          \eta = X\beta + Z \Lambda u.

The modes are found by iteratively reweighted least squares, each step an elimination of the Gaussian engine. The
gradient is exact: the modes move with the parameters (through q below), and so do the weights (through a).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed.effects import effects
from attunement.mixed.predict import NewRows, covariance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.families import Along, Family
    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.rows import Rows
    from attunement.mixed.solution import Solution

    Array = NDArray[np.float64]

_STEPS = 60
_SETTLED = 1e-10  # change of the penalised log-density


@dataclass(frozen=True, slots=True)
class Modes:
    """The inner optimum: by factor u (levels, q); eta (n,); the family along it; the working solution."""

    u: dict[str, Array]
    eta: Array
    along: Along
    penalised: float
    at: Solution


class Laplace:
    """The criterion as a function of theta (absolute), the fixed effects and the family's own parameters.

    Parameters
    ----------
    model
        The Gaussian model with the same random terms and no fixed columns.
    rows
        The rows, to be reweighted.
    family
        The distribution of the response.
    x
        (n, p) fixed columns.
    z
        (n, m) columns as the model's sums have them; the response's is not used.
    """

    def __init__(self, model: Likelihood, rows: Rows, family: Family, x: Array, z: Array) -> None:
        self.model, self.rows, self.family, self.x, self.z = model, rows, family, x, z
        self._codes = rows.codes_of_rows
        alone = z.copy()
        alone[:, model.response] = 0.0
        self._rows_alone = NewRows(alone, self._codes, 1)
        self._u: dict[str, Array] | None = None

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.x.shape[0])

    def split(self, values: Array) -> tuple[Array, Array, Array]:
        """Theta, the fixed effects, the family's own."""
        k, p = self.model.parameters, self.x.shape[1]
        return values[:k], values[k : k + p], values[k + p :]

    def deviance(self, values: Array) -> float:
        """The criterion alone."""
        theta, beta, own = self.split(values)
        found = self.modes(theta, beta, own)
        return -2.0 * found.penalised + found.at.logdet

    def modes(self, theta: Array, beta: Array, own: Array) -> Modes:
        """Climb to the modes of u, from where they were last."""
        roots = {factor: root[:, :, 0] for factor, root in self.model.roots(theta).items()}
        fixed = self.x @ beta
        if self._u is None:
            self._u = {
                factor: np.zeros((self._count(factor), root.shape[0])) for factor, root in roots.items()
            }
        here = self._stand(self._u, roots, fixed, own)
        for _ in range(_STEPS):
            u, eta, along, penalised = here
            working = eta - fixed + along.slope / along.weight
            at = self._weighted(theta, along.weight, working)
            step = self._spherical(at, roots, along.weight, working)
            there = self._climbed(here, step, roots, fixed, own)
            gained, here = there[3] - penalised, there
            if gained < _SETTLED * (1.0 + abs(penalised)):
                break
        u, eta, along, penalised = here
        self._u = u
        at = self._weighted(theta, along.weight, eta - fixed + along.slope / along.weight)
        return Modes(u, eta, along, penalised, at)

    def _climbed(
        self,
        here: tuple[dict[str, Array], Array, Along, float],
        to: dict[str, Array],
        roots: dict[str, Array],
        fixed: Array,
        own: Array,
    ) -> tuple[dict[str, Array], Array, Along, float]:
        """Go to the step's end, or a part of the way."""
        length = 1.0
        for _ in range(12):
            u = {factor: (1.0 - length) * here[0][factor] + length * to[factor] for factor in to}
            there = self._stand(u, roots, fixed, own)
            if there[3] >= here[3]:
                return there
            length /= 2.0
        return here

    def _stand(
        self, u: dict[str, Array], roots: dict[str, Array], fixed: Array, own: Array
    ) -> tuple[dict[str, Array], Array, Along, float]:
        """(u, eta, the family along it, the penalised log-density)."""
        eta = fixed + self._spread_out({factor: u[factor] @ roots[factor].T for factor in u})
        along = self.family.along(eta, own)
        penalty = sum(float((each**2).sum()) for each in u.values())
        return u, eta, along, float(along.value.sum()) - 0.5 * penalty

    def _weighted(self, theta: Array, weight: Array, response: Array) -> Solution:
        """Solve least squares of a working response, the rows weighted."""
        columns = self.z * np.sqrt(weight)[:, None]
        columns[:, self.model.response] = response * np.sqrt(weight)
        return self.model.solve_for(self.rows.summed(columns), theta)

    def _spherical(
        self, at: Solution, roots: dict[str, Array], weight: Array, response: Array
    ) -> dict[str, Array]:
        """The u of a weighted solution: Λ'Z'W(response − Z b)."""
        found = effects(self.model, at)
        left = weight * (response - self._spread_out({factor: found[factor][0] for factor in roots}))
        return {factor: sums @ roots[factor] for factor, sums in self._gathered(left).items()}

    def _spread_out(self, b: dict[str, Array]) -> Array:
        """(n,) Z b."""
        total = np.zeros(self.n)
        for factor, each in b.items():
            total += (self._own(factor) * each[self._codes[factor]]).sum(axis=1)
        return total

    def _gathered(self, values: Array) -> dict[str, Array]:
        """By factor, (levels, q) Z' values."""
        return {
            factor: np.stack(
                [np.bincount(code, column * values, self._count(factor)) for column in self._own(factor).T],
                axis=1,
            )
            for factor, code in self._codes.items()
        }

    def _own(self, factor: str) -> Array:
        return self.z[:, self.model.places[factor]]

    def _count(self, factor: str) -> int:
        return self.rows.counts[factor]

    def with_gradient(self, values: Array) -> tuple[float, Array]:
        """The criterion and its gradient."""
        theta, beta, own = self.split(values)
        found = self.modes(theta, beta, own)
        roots = {factor: root[:, :, 0] for factor, root in self.model.roots(theta).items()}
        along, variances = found.along, self._variances(found.at)
        bent = along.change * variances  # a: how log|H| moves with eta
        at = self._weighted(theta, along.weight, bent / along.weight)
        q = self._spherical(at, roots, along.weight, bent / along.weight)
        moved = self._spread_out({factor: q[factor] @ roots[factor].T for factor in q})
        push = -2.0 * along.slope + bent - along.weight * moved
        of_theta = self._theta_slope(found, (push, along.slope), q, roots)
        of_own = -2.0 * along.besides[:, 0].sum(axis=1)
        of_own = of_own + along.besides[:, 2] @ variances + along.besides[:, 1] @ moved
        deviance = -2.0 * found.penalised + found.at.logdet
        return deviance, np.concatenate([of_theta, self.x.T @ push, of_own])

    def _variances(self, at: Solution) -> Array:
        """(n,) the conditional variance of each row's Z b."""
        return np.asarray(covariance(self.model, at, self._rows_alone)[:, 0, 0])

    def _theta_slope(
        self, found: Modes, pushes: tuple[Array, Array], q: dict[str, Array], roots: dict[str, Array]
    ) -> Array:
        m = self.model.structure.m
        logdets = self.model.slopes(found.at, np.zeros((m, m)))
        pushed, sloped = (self._gathered(each) for each in pushes)
        pieces = [np.empty(0)]
        for term in self.model.terms:
            factor, places = term.factor, term.places
            by_u = pushed[factor].T @ found.u[factor] + sloped[factor].T @ q[factor]
            full = by_u[places, places] + 2.0 * (logdets[factor] @ roots[factor])[places, places]
            pieces.append(full[np.tril_indices(term.q)])
        return np.concatenate(pieces)
