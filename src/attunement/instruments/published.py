"""What studies say of a scale: a figure never stands without the study that it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from attunement.instruments.description import Wording


@dataclass(frozen=True, slots=True)
class Published:
    """A figure, and where it was published; one without the other is refused."""

    value: float
    source: str


@dataclass(frozen=True, slots=True)
class Established:
    """From where on a connection is called established, and the note that is shown beside the number."""

    value: float
    note: Wording


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A score that a study marks.

    Parameters
    ----------
    value
        In points of the scale.
    side
        Which side of it is meant: ``from`` it on, or ``up to`` it; the score itself belongs to both.
    means
        What the study says that such a score goes with; never a diagnosis.
    source
        The study.
    """

    value: float
    side: Literal["from", "up to"]
    means: str
    source: str

    def holds(self, score: float) -> bool:
        """Tell whether a score lies on the side that is meant."""
        return score >= self.value if self.side == "from" else score <= self.value


@dataclass(frozen=True, slots=True)
class Change:
    """How much change a study calls reliable, or worth something to the person.

    Parameters
    ----------
    points
        In points of the scale.
    means
        ``reliable``: more than the instrument's own noise; ``meaningful``: what persons notice.
    source
        The study.
    """

    points: float
    means: Literal["reliable", "meaningful"]
    source: str


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a scale that has a name, from a score on."""

    start: float
    name: str


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of one source: a scale may have several sets, which do not agree, so that each has a name.

    Parameters
    ----------
    id
        The name of the set.
    source
        Where it was published.
    bands
        From the lowest score up.
    """

    id: str
    source: str
    bands: tuple[Band, ...]

    def of(self, score: float) -> str:
        """Return the name of the band that a score lies in."""
        return [each.name for each in self.bands if score >= each.start][-1]
