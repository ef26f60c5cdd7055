r"""The exact likelihood of the nested model's variances, from sums of equal designs.

A therapist's K R values have three kinds of contrast: among the hours of a client, with variance
:math:`\lambda_m = \sigma_m^2`; among clients' means, with :math:`\lambda_e = \sigma_m^2 + R \sigma_e^2` (times 1/R);
and the therapist's mean, with :math:`\lambda_h = \lambda_e + K R \sigma_h^2` (times 1/(K R)). So, restricted,

.. math:: -2 l = \sum_j \Big[ T (\log \lambda_h + (K-1) \log \lambda_e + K (R-1) \log \lambda_m)
   + \frac{K R\,(Q - 2 \mu S + T \mu^2)}{\lambda_h} + \frac{R\,E}{\lambda_e} + \frac{H}{\lambda_m} \Big]
   + \log \sum_j \frac{T K R}{\lambda_h} + (n - 1) \log 2 \pi

over designs j, at the :math:`\mu` that makes it least: that of lme4 on all the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.norms.sums import Sums

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variances:
    """What a fit by restricted maximum likelihood has found.

    Parameters
    ----------
    mean, error
        The usual strength less the middle of the scale, in points, and its standard error; of the first group where
        groups are apart.
    habits, clients, hours
        Variances between therapists, between clients of one, and between the hours of one, in squared points.
    loglik
        The restricted log-likelihood.
    """

    mean: float
    error: float
    habits: float
    clients: float
    hours: float
    loglik: float


class Likelihood:
    """The restricted likelihood as a function of the three variances.

    Parameters
    ----------
    groups
        Sums that share a mean, each with its own: one group for all, or one a site.
    """

    def __init__(self, groups: Sequence[Sequence[Sums]]) -> None:
        cells = [(place, sums) for place, group in enumerate(groups) for sums in group]
        self._group = np.array([place for place, _ in cells])
        self._k = np.array([sums.design.clients for _, sums in cells], dtype=float)
        self._r = np.array([sums.design.reflections for _, sums in cells], dtype=float)
        self._t = np.array([sums.therapists for _, sums in cells], dtype=float)
        self._s = np.array([sums.total for _, sums in cells])
        self._q = np.array([sums.squares for _, sums in cells])
        self._e = np.array([sums.clients for _, sums in cells])
        self._h = np.array([sums.hours for _, sums in cells])
        self.groups = len(groups)
        self.n = int((self._t * self._k * self._r).sum())

    def deviance(self, variances: Array) -> Array:
        """Minus twice the log-likelihood at (3, …) variances: habits, clients, hours."""
        return self._at(variances)[0]

    def mean(self, variances: Array) -> tuple[Array, Array]:
        """The usual strength of each group at (3, …) variances, (groups, …), and its variance."""
        _, mean, weight, _, _ = self._at(variances)
        return mean, 1.0 / weight

    def with_gradient(self, variances: Array) -> tuple[float, Array]:
        """The deviance and its gradient in (3,) variances."""
        deviance, mean, weight, top, middle = self._at(variances)
        own = mean[self._group]
        spread = self._q - 2.0 * own * self._s + self._t * own**2
        size = self._k * self._r
        by_top = self._t / top - size * spread / top**2 - self._t * size / top**2 / weight[self._group]
        by_middle = self._t * (self._k - 1.0) / middle - self._r * self._e / middle**2
        hours = float(variances[2])
        by_hours = self._t * self._k * (self._r - 1.0) / hours - self._h / hours**2
        slope = [(size * by_top).sum(), (self._r * (by_top + by_middle)).sum()]
        slope.append((by_top + by_middle + by_hours).sum())
        return float(deviance), np.array(slope)

    def fit(self) -> Variances:
        """Find the variances that make it greatest; those between may be zero."""
        hours = self._h.sum() / (self._t * self._k * (self._r - 1.0)).sum()
        start = np.array([max(_between(self._q, self._s, self._t), 0.1 * hours), 0.5 * hours, hours])
        found = min(
            (self._descend(scale * start) for scale in (np.ones(3), np.array([0.1, 0.1, 1.0]))),
            key=lambda each: each[1],
        )
        variances, deviance = found
        mean, spread = self.mean(variances)
        habits, clients, hours = (float(each) for each in variances)
        return Variances(float(mean[0]), float(np.sqrt(spread[0])), habits, clients, hours, -deviance / 2.0)

    def _descend(self, start: Array) -> tuple[Array, float]:
        """Down to the least, Newton's last steps included: a difference of 1e-9 is to be told."""
        least = 1e-10 * start[2]
        found = minimize(
            self.with_gradient,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None), (0.0, None), (least, None)],
            options={"ftol": 1e-16, "gtol": 1e-10, "maxiter": 500},
        )
        return np.asarray(found.x), float(found.fun)

    def _at(self, variances: Array) -> tuple[Array, Array, Array, Array, Array]:
        shape = (-1,) + (1,) * (variances.ndim - 1)
        k, r, t, s, q, e, h = (
            each.reshape(shape) for each in (self._k, self._r, self._t, self._s, self._q, self._e, self._h)
        )
        habits, clients, hours = variances
        middle = hours + r * clients
        top = middle + k * r * habits
        weight = self._by_group(t * k * r / top)
        mean = self._by_group(s * k * r / top) / weight
        own = mean[self._group]
        each = (
            t * (np.log(top) + (k - 1.0) * np.log(middle) + k * (r - 1.0) * np.log(hours))
            + k * r * (q - 2.0 * own * s + t * own**2) / top
            + r * e / middle
            + h / hours
        )
        constant = (self.n - self.groups) * np.log(2.0 * np.pi)
        deviance = each.sum(axis=0) + np.log(weight).sum(axis=0) + constant
        return deviance, mean, weight, top, middle

    def _by_group(self, values: Array) -> Array:
        found = np.zeros((self.groups, *values.shape[1:]))
        np.add.at(found, self._group, values)
        return found


def _between(squares: Array, total: Array, therapists: Array) -> float:
    """The variance of therapists' means, all designs together."""
    return float(squares.sum() / therapists.sum() - (total.sum() / therapists.sum()) ** 2)
