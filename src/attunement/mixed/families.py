"""Responses that are not Gaussian: one row's log-density along its linear predictor, with three derivatives.

All three are log-concave, so the working weights are positive and the modes are unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import erfcx, expit, log_ndtr

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SMALL = 1e-300


@dataclass(frozen=True, slots=True)
class Along:
    """At each row's linear predictor eta, (n,) each.

    Parameters
    ----------
    value
        The log-density.
    slope, weight, change
        Its derivative; minus its second derivative; the derivative of that weight.
    besides
        (k, 3, n) the derivatives of value, slope and weight in the family's own k parameters.
    """

    value: Array
    slope: Array
    weight: Array
    change: Array
    besides: Array


class Family(Protocol):
    """A distribution of the response, with k parameters of its own (unbounded) besides eta."""

    name: str
    intercept: bool

    def start(self) -> Array:
        """(k,) where to start."""

    def along(self, eta: Array, own: Array) -> Along:
        """The log-density and its derivatives."""


class Binomial:
    """Yes or no, with the logit link."""

    name = "binomial"
    intercept = True

    def __init__(self, y: Array) -> None:
        if not np.isin(y, (0.0, 1.0)).all():
            raise ModelProblem(f"A binomial response is 0 or 1; {y[~np.isin(y, (0.0, 1.0))][0]:g} is not.")
        if np.ptp(y) == 0.0:
            raise ModelProblem(f"Every response is {y[0]:g}; nothing can be told from them.")
        self._y = y

    def start(self) -> Array:
        """It has no parameters of its own."""
        return np.empty(0)

    def along(self, eta: Array, own: Array) -> Along:  # noqa: ARG002 - there are none
        """The log-density and its derivatives."""
        chance = expit(eta)
        weight = chance * (1.0 - chance)
        value = self._y * eta - np.logaddexp(0.0, eta)
        nothing = np.empty((0, 3, eta.size))
        return Along(
            value, self._y - chance, np.maximum(weight, 1e-12), weight * (1.0 - 2.0 * chance), nothing
        )


class Ceiling:
    """Gaussian, seen only up to the top of a scale (Tobin 1958); its parameter is log sigma."""

    name = "ceiling"
    intercept = True

    def __init__(self, y: Array, top: float) -> None:
        if (y > top).any():
            raise ModelProblem(f"The ceiling is {top:g}, and one response is {y.max():g}.")
        self._y, self._top, self._at_top = y, top, y == top
        if self._at_top.all():
            raise ModelProblem(f"Every response is at the ceiling, {top:g}; nothing can be told from them.")
        if np.ptp(y[~self._at_top]) == 0.0:
            raise ModelProblem(
                f"All responses below the ceiling are {y[~self._at_top][0]:g}; they have no spread."
            )

    def start(self) -> Array:
        """The spread of all responses."""
        return np.array([np.log(max(float(self._y.std()), 1e-3))])

    def along(self, eta: Array, own: Array) -> Along:
        """The log-density and its derivatives."""
        sigma = float(np.exp(own[0]))
        z = (self._y - eta) / sigma
        x = (eta - self._top) / sigma
        tail = np.sqrt(2.0 / np.pi) / erfcx(-x / np.sqrt(2.0))  # the inverse Mills ratio
        weight = np.clip(tail * (x + tail), 0.0, 1.0)
        bend = -weight * (x + tail) + tail * (1.0 - weight)
        top = self._at_top
        value = np.where(top, log_ndtr(x), -0.5 * z**2 - own[0] - 0.5 * np.log(2.0 * np.pi))
        besides = np.stack(
            [
                np.where(top, -x * tail, z**2 - 1.0),
                np.where(top, -tail + x * weight, -2.0 * z) / sigma,
                np.where(top, -2.0 * weight - x * bend, -2.0) / sigma**2,
            ]
        )
        return Along(
            value=value,
            slope=np.where(top, tail, z) / sigma,
            weight=np.maximum(np.where(top, weight, 1.0), 1e-12) / sigma**2,
            change=np.where(top, bend, 0.0) / sigma**3,
            besides=besides[None],
        )


class Ordinal:
    """Ordered categories with the cumulative logit link; P(y ≤ j) = expit(threshold_j − eta).

    Its parameters are the first threshold, and the logs of the steps to the next ones.
    """

    name = "ordinal"
    intercept = False

    def __init__(self, y: Array) -> None:
        self.categories, self._category = np.unique(y, return_inverse=True)
        if self.categories.size < 3:
            raise ModelProblem(
                f"An ordinal response has three categories or more, not {self.categories.size}."
            )

    def start(self) -> Array:
        """The thresholds of all responses together."""
        share = np.cumsum(np.bincount(self._category))[:-1] / self._category.size
        thresholds = np.log(share / (1.0 - share))
        return np.asarray(np.r_[thresholds[0], np.log(np.diff(thresholds))], dtype=np.float64)

    @staticmethod
    def thresholds(own: Array) -> Array:
        """(categories − 1,) where one category ends and the next begins."""
        return np.asarray(np.cumsum(np.r_[own[:1], np.exp(own[1:])]), dtype=np.float64)

    def along(self, eta: Array, own: Array) -> Along:
        """The log-density and its derivatives."""
        ends = np.r_[-np.inf, self.thresholds(own), np.inf]
        upper, lower = ends[self._category + 1] - eta, ends[self._category] - eta
        high, low = _logistic(upper), _logistic(lower)
        chance = np.maximum(np.where(lower > 0, expit(-lower) - expit(-upper), high[0] - low[0]), _SMALL)
        r1, r2, r3 = ((high[k] - low[k]) / chance for k in (1, 2, 3))
        by_end = np.zeros((own.size, 3, eta.size))
        for of_end, sign, shift in ((high, 1.0, 0), (low, -1.0, 1)):
            first, second, third = (sign * of_end[k] / chance for k in (1, 2, 3))
            changes = np.stack(
                [
                    first,
                    -(second - r1 * first),
                    2.0 * r1 * (second - r1 * first) - (third - r2 * first),
                ]
            )
            place = self._category - shift
            inside = np.flatnonzero((place >= 0) & (place < own.size))
            by_end[place[inside], :, inside] += changes[:, inside].T
        return Along(
            value=np.log(chance),
            slope=-r1,
            weight=np.maximum(r1**2 - r2, 1e-12),
            change=2.0 * r1**3 - 3.0 * r1 * r2 + r3,
            besides=self._by_step(by_end, own),
        )

    @staticmethod
    def _by_step(by_end: Array, own: Array) -> Array:
        """From derivatives in the thresholds to those in the first and the logs of the steps."""
        after = np.cumsum(by_end[::-1], axis=0)[::-1]
        scale = np.r_[1.0, np.exp(own[1:])]
        return np.asarray(after * scale[:, None, None])


def _logistic(x: Array) -> tuple[Array, Array, Array, Array]:
    """The logistic distribution function and its first three derivatives; zero at the ends."""
    share = expit(x)
    density = share * expit(-x)
    first = density * (1.0 - 2.0 * share)
    return share, density, first, density * (1.0 - 6.0 * density)
