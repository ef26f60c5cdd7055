"""What is usual of a feeling elsewhere: a published mean, or anything that can hold somebody against others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from attunement.findings import Estimate

if TYPE_CHECKING:
    import polars as pl

    from attunement.instruments.description import Language


class Elsewhere(Protocol):
    """What a therapist can be held against who has no colleagues in the table."""

    @property
    def mean(self) -> float:
        """The mean of therapists' usual strength, 0 to 10."""

    def off(self, rows: pl.DataFrame, usual: Estimate) -> Estimate:
        """How far above that a therapist is, from their rows (``client, strength``) or from their usual strength."""

    def where(self, language: Language) -> str:
        """Where it is from; shown with it."""

    def spread(self) -> Estimate | None:
        """How far from the mean two of three therapists are at most, in points, where that is known."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A published mean, with no more known.

    Parameters
    ----------
    mean, error
        The published mean of therapists' usual strength, 0 to 10, and its standard error.
    source
        Where it is from; shown with it.
    """

    mean: float
    error: float
    source: str

    def off(self, rows: pl.DataFrame, usual: Estimate) -> Estimate:  # noqa: ARG002 - a mean needs no more
        """Hold the usual strength against the mean; both uncertainties are in the interval."""
        off = usual.value - self.mean
        low = off - math.hypot(usual.value - usual.low, 1.96 * self.error)
        high = off + math.hypot(usual.high - usual.value, 1.96 * self.error)
        return Estimate(off, low, high, unit="points")

    def where(self, language: Language) -> str:  # noqa: ARG002 - as it was given
        """The source as it was given."""
        return self.source

    def spread(self) -> Estimate | None:
        """Nothing is known of it."""
        return None
