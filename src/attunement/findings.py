"""What an analysis returns: a `Finding`, or a `NotYet`. There is no third thing.

A finding is honest by type: its number has an interval, its evidence is a table, and it says what it
cannot tell. Where the data cannot carry a statement, the answer is a `NotYet` that names what is missing
and what would supply it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval, in a unit; a number never travels without them.

    Parameters
    ----------
    value, low, high
        Point and ends of the interval, ``low <= value <= high``. An end may be infinite where the data set
        no bound (a speed that is "not within the next 12 sessions").
    unit
        What the number counts: "points", "sessions", "share".
    level
        Probability that the interval holds, .95 unless said.

    Examples
    --------
    >>> print(Estimate(7.4, 6.8, 8.0, unit="points"))
    7.4 (6.8 to 8.0)
    """

    value: float
    low: float
    high: float
    unit: str
    level: float = 0.95

    def __post_init__(self) -> None:
        if any(math.isnan(number) for number in (self.value, self.low, self.high)):
            raise ValueError("An estimate has no NaN: say NotYet instead.")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"An interval holds its value: {self.low} <= {self.value} <= {self.high}.")

    def __str__(self) -> str:
        return f"{self.value:.1f} ({self.low:.1f} to {self.high:.1f})"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the data can carry.

    Parameters
    ----------
    about
        What it speaks of, as a heading: "depth", "K-07".
    sentence
        The finding in plain words, with its uncertainty in it.
    estimate
        The number behind the sentence.
    evidence
        The table behind the sentence; what a reader would check.
    limits
        What it cannot tell, a sentence each.
    """

    about: str
    sentence: str
    estimate: Estimate
    evidence: pl.DataFrame = field(repr=False, compare=False)
    limits: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for a machine, without its evidence."""
        estimate = self.estimate
        return {
            "kind": "finding",
            "about": self.about,
            "sentence": self.sentence,
            "estimate": {
                "value": _finite(estimate.value),
                "low": _finite(estimate.low),
                "high": _finite(estimate.high),
                "unit": estimate.unit,
                "level": estimate.level,
            },
            "limits": list(self.limits),
        }


@dataclass(frozen=True, slots=True)
class NotYet:
    """What cannot be said yet, and what would let it be said.

    Parameters
    ----------
    about, missing, supply
        What it speaks of; what is missing; and what would supply it.
    opening
        How its sentence begins, in the language of the rest (`wording.not_yet`).

    Examples
    --------
    >>> print(NotYet("state of K-07", "2 rated sessions so far", "from 3 it can be told").sentence)
    Not yet: 2 rated sessions so far; from 3 it can be told.
    """

    about: str
    missing: str
    supply: str
    opening: str = "Not yet"

    @property
    def sentence(self) -> str:
        """The two halves as one sentence."""
        return f"{self.opening}: {self.missing}; {self.supply}."

    def as_dict(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {"kind": "not yet", "about": self.about, "missing": self.missing, "supply": self.supply}


def _finite(number: float) -> float | None:
    """JSON has no infinity: an open end is null."""
    return number if math.isfinite(number) else None
