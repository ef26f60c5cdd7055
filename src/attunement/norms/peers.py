r"""One therapist against a norm: what a clinic's own colleagues would have said, from their sums.

Given the variances, the norm's mean is normal about m with variance v, and the therapist's own client means
:math:`\bar y_c`, weighed by :math:`w_c = 1 / (\sigma_e^2 + \sigma_m^2 / n_c)` with sum A, are normal about it with
variance :math:`\sigma_h^2 + v + 1/A`. So the habit h, given the variances, is normal with

.. math:: \frac{\sigma_h^2}{\sigma_h^2 + v + 1/A}\,(\bar y - m) \quad\text{and variance}\quad
   \sigma_h^2\,\frac{v + 1/A}{\sigma_h^2 + v + 1/A}.

The variances are integrated over: the norm's exact likelihood times that of the therapist's own rows times the prior
of a practice, by importance sampling about its mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from scipy.stats import chi2, qmc

from attunement.countertransference.prior import published_prior
from attunement.countertransference.sources import REFLECTIONS
from attunement.errors import TooLittle
from attunement.findings import Estimate
from attunement.norms.likelihood import Likelihood
from attunement.wording import counted, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.instruments.description import Language
    from attunement.mixed import Prior
    from attunement.norms.norms import Norms

    Array = NDArray[np.float64]

_DRAWS: Final = 4_096
_SEED: Final = 83
_TAILS: Final = 6.0  # degrees of freedom of the proposal: heavier than what it stands for
_STEP: Final = 1e-3
_ENDS: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Peers:
    """The therapists behind a measure of some norms.

    Parameters
    ----------
    norms, measure
        Of which.
    prior
        What is known of the variances besides.
    """

    norms: Norms
    measure: str
    prior: Prior = field(default_factory=published_prior, repr=False)

    @property
    def mean(self) -> float:
        """The mean of therapists' usual strength, on the scale itself."""
        return self.usual().value

    def usual(self) -> Estimate:
        """The same with its interval."""
        logs, weights = self._alone
        means, spreads = (each[0] for each in self._likelihood.mean(np.exp(2.0 * logs)))
        return _mixed(self.norms.about.middle + means, np.sqrt(spreads), weights)

    def off(self, rows: pl.DataFrame, usual: Estimate | None = None) -> Estimate:  # noqa: ARG002 - see `Elsewhere`
        """How far above that mean somebody's habit is, from ``client, strength`` of their reflections.

        Clients with as few reflections as no norm has are left out.

        Raises
        ------
        TooLittle
            Where no client is left.
        """
        own = _Own.of(rows, self.norms.about.middle)
        logs, weights = _integrated(lambda at: self._log_density(at) + own.loglik(at, self._likelihood))
        value, spread = own.habit(logs, self._likelihood)
        return _mixed(value, np.sqrt(spread), weights)

    def spread(self) -> Estimate:
        """How far from the mean two of three therapists are at most."""
        logs, weights = self._alone
        sds = np.exp(logs[0])
        order = np.argsort(sds)
        ends = np.interp(_ENDS, np.cumsum(weights[order]), sds[order])
        value = float(weights @ sds)
        return Estimate(value, min(float(ends[0]), value), max(float(ends[1]), value), unit="points")

    def where(self, language: Language) -> str:
        """How many sites and therapists, and of which years."""
        parts = [part for part in self.norms.parts if self.measure in part.sums]
        therapists = counted(self.norms.therapists(self.measure), language)
        years = {min(part.since for part in parts).year, max(part.until for part in parts).year}
        told = {"therapists": therapists, "years": "–".join(map(str, sorted(years)))}
        if len(parts) == 1:
            return say("feelings_norm_site", language, site=parts[0].site, **told)
        return say("feelings_norm_sites", language, sites=counted(len(parts), language), **told)

    @cached_property
    def _likelihood(self) -> Likelihood:
        return Likelihood([self.norms.sums(self.measure)])

    @cached_property
    def _alone(self) -> tuple[Array, Array]:
        """The variances as the norm alone has them."""
        return _integrated(self._log_density)

    def _log_density(self, logs: Array) -> Array:
        """Of (3, …) logs of standard deviations: habits, clients, hours."""
        spreads = (
            self.prior.of("therapist", "habit"),
            self.prior.of("dyad", "elicited"),
            self.prior.residual,
        )
        known = sum(each.log_density(log) for each, log in zip(spreads, logs, strict=True))
        return np.asarray(known - self._likelihood.deviance(np.exp(2.0 * logs)) / 2.0)


@dataclass(frozen=True, slots=True)
class _Own:
    """A therapist's own clients: their means less the middle, how many reflections, and what is left within."""

    means: Array
    counts: Array
    within: float

    @classmethod
    def of(cls, rows: pl.DataFrame, middle: float) -> _Own:
        by_client = rows.group_by("client").agg(
            pl.len().alias("count"),
            mean=pl.col("strength").mean() - middle,
            within=((pl.col("strength") - pl.col("strength").mean()) ** 2).sum(),
        )
        by_client = by_client.filter(pl.col("count") >= REFLECTIONS).sort("client")
        if by_client.is_empty():
            raise TooLittle(f"No client was reflected on {REFLECTIONS} times; a norm is of such clients.")
        counts = by_client["count"].cast(pl.Float64).to_numpy()
        return cls(by_client["mean"].to_numpy(), counts, float(by_client["within"].sum()))

    def loglik(self, logs: Array, norm: Likelihood) -> Array:
        """The log-likelihood of these rows beside the norm's, at (3, …) logs of standard deviations."""
        weights, total, mean = self._weighed(logs)
        habits, _, hours = np.exp(2.0 * logs)
        about, spread = (each[0] for each in norm.mean(np.exp(2.0 * logs)))
        left = (weights * (self._shaped(self.means, logs) - mean) ** 2).sum(axis=0)
        within = (self.counts - 1.0).sum() * np.log(hours) + self.within / hours
        between = habits + spread + 1.0 / total
        found = within - np.log(weights).sum(axis=0) + np.log(total) + left
        return np.asarray(-0.5 * (found + np.log(between) + (mean - about) ** 2 / between))

    def habit(self, logs: Array, norm: Likelihood) -> tuple[Array, Array]:
        """The habit's mean and variance, given each of (3, …) logs of standard deviations."""
        _, total, mean = self._weighed(logs)
        habits = np.exp(2.0 * logs[0])
        about, spread = (each[0] for each in norm.mean(np.exp(2.0 * logs)))
        noise = spread + 1.0 / total
        share = habits / (habits + noise)
        return share * (mean - about), share * noise

    def _weighed(self, logs: Array) -> tuple[Array, Array, Array]:
        _, clients, hours = np.exp(2.0 * logs)
        weights = 1.0 / (clients + hours / self._shaped(self.counts, logs))
        total = weights.sum(axis=0)
        return weights, total, (weights * self._shaped(self.means, logs)).sum(axis=0) / total

    @staticmethod
    def _shaped(values: Array, logs: Array) -> Array:
        return values.reshape(-1, *(1,) * (logs.ndim - 1))


def _integrated(density: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Draws (3, draws) of a density about its mode, and their weights, which add up to 1."""
    mode = minimize(
        lambda at: -float(density(at)), np.log([1.0, 1.0, 1.4]), method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-7, "maxiter": 2_000},
    ).x  # fmt: skip
    curvature = _curvature(density, mode)
    values, vectors = np.linalg.eigh(curvature)
    root = vectors / np.sqrt(np.maximum(values, 1e-2))
    lots = qmc.Sobol(4, seed=_SEED).random(_DRAWS).T
    normal, stretch = ndtri(lots[:3]), np.sqrt(_TAILS / chi2.ppf(lots[3], _TAILS))
    standard = normal * stretch
    draws = mode[:, None] + root @ standard
    proposed = -0.5 * (_TAILS + 3) * np.log1p((standard**2).sum(axis=0) / _TAILS)
    log = density(draws) - proposed
    weights = np.exp(log - log.max())
    return draws, weights / weights.sum()


def _curvature(density: Callable[[Array], Array], mode: Array) -> Array:
    """Minus the second derivatives at the mode, by differences."""
    steps = _STEP * np.eye(3)
    found = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            up, down, mixed, mixed2 = (
                mode + steps[i] + steps[j], mode - steps[i] - steps[j],
                mode + steps[i] - steps[j], mode - steps[i] + steps[j],
            )  # fmt: skip
            corners = density(np.stack([up, down, mixed, mixed2], axis=1))
            found[i, j] = -(corners[0] + corners[1] - corners[2] - corners[3]) / (4.0 * _STEP**2)
    return found


def _mixed(means: Array, sds: Array, weights: Array) -> Estimate:
    """Mean and interval of a mixture of normals."""
    mean = float(weights @ means)
    low, high = (_quantile(share, means, sds, weights) for share in _ENDS)
    return Estimate(mean, min(low, mean), max(high, mean), unit="points")


def _quantile(share: float, means: Array, sds: Array, weights: Array) -> float:
    """The quantile of a mixture of normals, by halving."""
    low, high = float((means - 9.0 * sds).min()), float((means + 9.0 * sds).max())
    for _ in range(60):
        middle = (low + high) / 2.0
        if float(weights @ ndtr((middle - means) / sds)) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
