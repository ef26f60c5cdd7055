"""What is published of a scale: how reliable it is, and how people with and without the complaint score on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attunement.errors import InputError
from attunement.instruments import Published

if TYPE_CHECKING:
    from attunement.instruments import Higher, Instrument
    from attunement.instruments.description import Language


@dataclass(frozen=True, slots=True)
class Population:
    """How a group of people scored: mean and standard deviation in points, and where both were published.

    Raises
    ------
    InputError
        Where the two are no numbers, the standard deviation is not above 0, or the source is empty.
    """

    mean: float
    sd: float
    source: str

    def __post_init__(self) -> None:
        """Refuse a group that cannot be, or that nobody could look up."""
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd > 0):
            raise InputError(
                f"A population has a mean and a standard deviation above 0; here are {self.mean:g} and {self.sd:g}."
            )
        if not self.source.strip():
            raise InputError("A population takes a source: the study, and the table in it.")


@dataclass(frozen=True, slots=True)
class Norms:
    """The published figures that a statement about change rests on; none is guessed, so each may be missing.

    Parameters
    ----------
    name
        What the scale is called where a finding speaks of it.
    higher
        What a higher score means: ``worse``, ``better`` or ``closer``.
    reliability
        Between 0 and 1; retest where the study has it, and its source says which it is.
    sd
        The standard deviation before treatment, in points, where it is published without its mean.
        Where it is missing, that of `clinical` serves.
    clinical
        People with the complaint, before treatment.
    functional
        People without it.
    after
        The clinical group after its treatment; only Hageman and Arrindell's method asks for it.
    reliability_after
        The reliability after treatment; only Nunnally and Kotsch's method asks for it.
    stability
        The correlation of before and after in the clinical group; only Hageman and Arrindell's asks for it.

    Raises
    ------
    InputError
        Where a figure is not what it can be.

    Examples
    --------
    The invented scale of Jacobson and Truax (1991):

    >>> study = "Jacobson & Truax (1991), table 1"
    >>> scale = Norms("the scale", "better", Published(0.80, study), clinical=Population(40, 7.5, study))
    >>> scale.spread.value
    7.5
    """

    name: str
    higher: Higher
    reliability: Published | None = None
    sd: Published | None = None
    clinical: Population | None = None
    functional: Population | None = None
    after: Population | None = None
    reliability_after: Published | None = None
    stability: Published | None = None

    def __post_init__(self) -> None:
        """Refuse figures that cannot be, with the first that is wrong."""
        for word, figure in (
            ("reliability", self.reliability),
            ("reliability after treatment", self.reliability_after),
        ):
            if figure is not None and not 0 < figure.value < 1:
                raise InputError(f"The {word} of {self.name} is {figure.value:g}; it lies between 0 and 1.")
        if self.sd is not None and not 0 < self.sd.value < math.inf:
            raise InputError(f"The standard deviation of {self.name} is {self.sd.value:g}; it lies above 0.")
        if self.stability is not None and not -1 < self.stability.value < 1:
            raise InputError(
                f"The correlation of before and after of {self.name} is {self.stability.value:g}; "
                "it lies between -1 and 1."
            )

    @property
    def spread(self) -> Published | None:
        """The standard deviation before treatment, by itself or with its mean, where either is published."""
        if self.sd is not None or self.clinical is None:
            return self.sd
        return Published(self.clinical.sd, self.clinical.source)

    @property
    def sign(self) -> int:
        """1 where a higher score is for the better, -1 where it is for the worse."""
        return -1 if self.higher == "worse" else 1


def norms_of(instrument: Instrument, scale: str = "total", *, language: Language = "en") -> Norms:
    """Return what an instrument itself publishes of a scale: reliability and standard deviation, or neither.

    Its name is in the language of what will be said with it.

    Raises
    ------
    InstrumentProblem
        Where the instrument has no such scale.

    Examples
    --------
    >>> from attunement.instruments import instrument
    >>> print(norms_of(instrument("state")).reliability)
    None
    """
    asked = instrument.scale(scale)
    names = dict.fromkeys((instrument.name.say(language), asked.name.say(language)))
    return Norms(
        ", ".join(names),
        asked.higher,
        reliability=asked.reliability,
        sd=asked.sd,
    )
