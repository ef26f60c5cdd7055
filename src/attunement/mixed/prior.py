"""What is expected before the data: priors in the points of the response, to be stated and switched off."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Spread(Protocol):
    """A prior of a standard deviation."""

    @property
    def middle(self) -> float:
        """A usual value, to start from."""

    def log_density(self, log_sd: Array) -> Array:
        """The log-density of the log of the standard deviation, up to a constant."""

    def draw(self, uniform: Array) -> Array:
        """Standard deviations at these shares of the prior."""


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Around `median`, times or divided by ``exp(spread)`` in two of three cases: for what is never zero."""

    median: float
    spread: float

    @property
    def middle(self) -> float:
        """The median."""
        return self.median

    def log_density(self, log_sd: Array) -> Array:
        """Normal in the log."""
        return np.asarray(-0.5 * ((log_sd - np.log(self.median)) / self.spread) ** 2)

    def draw(self, uniform: Array) -> Array:
        """The quantiles."""
        from scipy.special import ndtri  # noqa: PLC0415 - only here

        return np.asarray(self.median * np.exp(self.spread * ndtri(uniform)))


@dataclass(frozen=True, slots=True)
class HalfNormal:
    """Between zero and about twice `scale`: for what may be zero."""

    scale: float

    @property
    def middle(self) -> float:
        """The median."""
        return 0.6745 * self.scale

    def log_density(self, log_sd: Array) -> Array:
        """Half-normal, seen from the log."""
        return np.asarray(-0.5 * (np.exp(log_sd) / self.scale) ** 2 + log_sd)

    def draw(self, uniform: Array) -> Array:
        """The quantiles."""
        from scipy.special import ndtri  # noqa: PLC0415 - only here

        return np.asarray(self.scale * ndtri(0.5 + 0.5 * uniform))


@dataclass(frozen=True, slots=True)
class Prior:
    """Priors of a hierarchical model.

    Parameters
    ----------
    spreads
        By random term's column, ``"client"`` for an intercept and ``"client: log2(session)"`` for a slope: the
        prior of its standard deviation.
    residual
        The prior of the residual's standard deviation.
    fixed
        By fixed column, mean and standard deviation; those not named are flat. They enter as pseudo-data.
    tie
        How strongly intercepts and slopes are held to be independent: the LKJ prior's shape, 1 for flat.
    drift
        The prior of a drift's standard deviation a session; needed where the formula has one.
    source
        Where the figures are from, in a sentence that is shown with what they lead to.
    """

    spreads: Mapping[str, Spread]
    residual: Spread
    fixed: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    tie: float = 2.0
    drift: Spread | None = None
    source: str = ""

    def of(self, group: str, column: str) -> Spread:
        """The prior of one standard deviation.

        Raises
        ------
        ModelProblem
            Where there is none.
        """
        name = group if column == "Intercept" else f"{group}: {column}"
        if name not in self.spreads:
            known = ", ".join(self.spreads) or "none"
            raise ModelProblem(f"The prior has no spread named {name!r}; it has {known}.")
        return self.spreads[name]
