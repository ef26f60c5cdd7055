"""What a score is measured on, and the conventions by which a course is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attunement.errors import InputError
from attunement.instruments import instrument
from attunement.wording import number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language

_FAR = 1e9
CONVENTION: Final = say("trajectory_convention", "en")
"""What is to be said wherever a connection is called established."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The ends of a scale, and where on it a connection is called established.

    Parameters
    ----------
    low, high
        The scale's ends, in points; higher is closer.
    established
        From which connection on it is called established, in points: a convention, see `CONVENTION`. Seven tenths
        of the scale unless said.
    name
        What is rated.

    Examples
    --------
    >>> Measure(0, 10).established
    7.0
    """

    low: float
    high: float
    established: float = math.nan
    name: str = "connection"

    def __post_init__(self) -> None:
        if not -_FAR <= self.low < self.high <= _FAR:
            raise InputError(f"A scale runs from low to high; {self.low:g} to {self.high:g} does not.")
        if math.isnan(self.established):
            object.__setattr__(self, "established", self.low + 0.7 * (self.high - self.low))
        if not self.low < self.established < self.high:
            raise InputError(
                f"Established lies on the scale, between {self.low:g} and {self.high:g}; {self.established:g} does not."
            )

    @classmethod
    def of(cls, name: str) -> Measure:
        """Return the measure of one of our own instruments, on its scale `total`."""
        asked = instrument(name)
        total = asked.scale("total")
        low, high = asked.bounds(total)
        return cls(low, high, total.established.value) if total.established else cls(low, high)

    @property
    def notable(self) -> float:
        """The change over the last three sessions that counts as one: a twentieth of the scale, in points."""
        return (self.high - self.low) / 20

    @property
    def digits(self) -> int:
        """How many decimals a score is told with."""
        return 1 if self.high - self.low <= 50 else 0

    def told(self, points: float, language: Language = "en") -> str:
        """Write a score, held to the scale."""
        return number(min(max(points, self.low), self.high), self.digits, language)
