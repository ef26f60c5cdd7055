"""What an instrument is before anybody has answered it: its words, its ends, its items and its scales.

An instrument is data. How answers become a score is `scoring`, how much change counts is `change`, and each
rendering lives with its medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attunement.errors import InstrumentProblem
from attunement.instruments._faults import faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.instruments.published import Bands, Change, Cutoff, Established, Published

Language = Literal["en", "es"]
AskedOf = Literal["client", "therapist", "supervisor"]
HowOften = Literal["before each session", "after each session", "every two weeks", "each month", "once"]
Method = Literal["mean", "sum"]
Higher = Literal["closer", "better", "worse"]
Words = Literal["shipped", "loaded", "missing", "totals only"]
"""Whose words there are: ours, those that a practice has loaded, none as yet, or none ever (a total alone is taken)."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The same words in English and in Spanish: nobody is shown the other language for want of their own."""

    en: str
    es: str

    def say(self, language: Language) -> str:
        """Return the words in that language."""
        return self.es if language == "es" else self.en


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of the answers, in points, with the label that stands at each."""

    low: int
    high: int
    at_low: Wording
    at_high: Wording

    def hold(self, answer: float) -> bool:
        """Tell whether an answer lies between the ends; NaN lies nowhere."""
        return self.low <= answer <= self.high

    def turn(self, answer: float) -> float:
        """Return the answer as counted from the other end, for a reverse-keyed item."""
        return self.low + self.high - answer


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be given, where answers have words of their own.

    Parameters
    ----------
    value
        What it counts, in points.
    wording
        What the person reads; None while the words are missing.
    loinc
        Its LOINC answer code, where there is one.
    """

    value: int
    wording: Wording | None = None
    loinc: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line that a person answers.

    Parameters
    ----------
    id
        Its name in answers and as a column.
    wording
        What the person reads.
    reverse
        Whether a high answer points away from its scale's direction, so that it is turned before it counts.
    apart
        Whether it stands apart: asked and kept, in no scale.
    risk_from
        From which answer on it asks for a look at somebody's safety, in points; None where none does.
    loinc
        Its LOINC code, where there is one.
    choices
        The answers to it, where they are others than the instrument's.
    """

    id: str
    wording: Wording
    reverse: bool = False
    apart: bool = False
    risk_from: float | None = None
    loinc: str | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Items that are counted together.

    Parameters
    ----------
    id
        Its name in a score and as a column; ``total`` where it is the instrument's main one.
    name
        Its name on a page or a chart.
    items
        The ids of its items; none where a total alone is taken.
    method
        ``mean`` of the answered items, or their ``sum`` prorated to all items.
    higher
        What a higher score means: ``closer``, ``better`` or ``worse``.
    at_least
        How many items must be answered; with fewer the score is missing.
    established
        From where on it is called established, in points, where the instrument has such a convention.
    reliability, sd
        As published, for reliable change; `sd` in points of this scale.
    factor
        What the mean or the sum is multiplied by, such as 2 in the DASS-21.
    limits
        The lowest and the highest total, where a total alone is taken.
    cutoffs, bands, changes
        As published, in points of this scale, that is after `factor`.
    loinc
        The LOINC code of its score, where there is one.
    """

    id: str
    name: Wording
    items: tuple[str, ...]
    method: Method
    higher: Higher
    at_least: int
    established: Established | None = None
    reliability: Published | None = None
    sd: Published | None = None
    factor: float = 1.0
    limits: tuple[float, float] | None = None
    cutoffs: tuple[Cutoff, ...] = ()
    bands: tuple[Bands, ...] = ()
    changes: tuple[Change, ...] = ()
    loinc: str | None = None

    @property
    def weight(self) -> float:
        """How often the mean of the answered items counts: once, or in a sum once for each item; times the factor."""
        return self.factor * (len(self.items) if self.method == "sum" else 1)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire: whose words, under what licence, asked of whom, and how it is scored.

    Parameters
    ----------
    id, name, version
        The id is the same in every version; scores of two versions are not compared.
    licence, source
        Required: no words without the right to show them, no figure without where it comes from.
    validated
        Whether a study stands behind it; where none does, `note` is shown wherever its numbers are.
    asked_of, how_often
        Who answers it, and when. Answers from before and from after a session are never mixed.
    intro
        What stands above the items.
    ends, items, scales
        The answers that can be given, what is asked, and what is counted together.
    choices
        The answers with their words, where it is not any number between the ends.
    words
        Whether there are words to show; without them nobody can be asked, and what was answered elsewhere is scored.
    right
        By what right a practice shows the words that it has loaded.
    credit
        The line that its owners want under the words.
    credited
        Whether they want one.
    key
        Where it is taken from which items count where, and how surely. An empty one is the author's own.
    unscored
        Why no score can be made of answers, where none can; totals from elsewhere are taken all the same.
    loinc
        The LOINC code of the whole, where there is one.
    languages
        In which languages its words are.

    Raises
    ------
    InstrumentProblem
        Where its parts do not fit together; the sentence names the instrument and the field.
    """

    id: str
    name: Wording
    version: str
    licence: str
    source: str
    validated: bool
    asked_of: AskedOf
    how_often: HowOften
    intro: Wording
    ends: Ends
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    note: Wording | None = None
    choices: tuple[Choice, ...] = ()
    words: Words = "shipped"
    right: str | None = None
    credit: str | None = None
    credited: bool = False
    key: str = ""
    unscored: str | None = None
    loinc: str | None = None
    languages: tuple[Language, ...] = ("en", "es")

    def __post_init__(self) -> None:
        """Refuse an instrument whose parts do not fit together, with the first thing that is wrong."""
        fault = next(faults(self), None)
        if fault:
            raise InstrumentProblem(f"{self.id or 'an instrument without id'}: {fault}.")

    @property
    def askable(self) -> bool:
        """Whether it has words, so that somebody can be asked."""
        return self.words in {"shipped", "loaded"}

    @property
    def takes_words(self) -> bool:
        """Whether a practice can load its words: they are missing, and clients are asked."""
        return self.words == "missing" and self.asked_of == "client"

    def choices_of(self, item: Item) -> tuple[Choice, ...]:
        """Return the answers to an item, where they have words or values of their own; none where any number goes."""
        return item.choices or self.choices

    def holds(self, item: Item, answer: float) -> bool:
        """Tell whether an answer can be given to an item; NaN to none."""
        choices = self.choices_of(item)
        return any(each.value == answer for each in choices) if choices else self.ends.hold(answer)

    def item(self, name: str) -> Item:
        """Return the item of that id."""
        for item in self.items:
            if item.id == name:
                return item
        items = ", ".join(item.id for item in self.items)
        raise InstrumentProblem(f"{self.id}: {name!r} is none of its items ({items}).")

    @property
    def main(self) -> Scale:
        """The scale that is meant where one number is wanted: ``total``, or else the first.

        Raises
        ------
        InstrumentProblem
            Where nothing is known of how it is scored.
        """
        if not self.scales:
            raise InstrumentProblem(f"{self.id}: it has no scale. {self.unscored or ''}".rstrip())
        return next((scale for scale in self.scales if scale.id == "total"), self.scales[0])

    def scale(self, name: str) -> Scale:
        """Return the scale of that id."""
        for scale in self.scales:
            if scale.id == name:
                return scale
        scales = ", ".join(scale.id for scale in self.scales)
        raise InstrumentProblem(f"{self.id}: {name!r} is none of its scales ({scales}).")

    def complete(self, answers: Mapping[str, float | None]) -> dict[str, float | None]:
        """Return kept answers with every item of this version; one that an earlier version lacked is None."""
        return {item.id: answers.get(item.id) for item in self.items}

    def at_risk(self, answers: Mapping[str, float | None]) -> dict[str, float]:
        """Return the answers that ask for a look at somebody's safety, whatever the rest of them say."""
        given = ((item, answers.get(item.id)) for item in self.items if item.risk_from is not None)
        return {
            item.id: answer
            for item, answer in given
            if answer is not None and item.risk_from is not None and answer >= item.risk_from
        }

    def bounds(self, scale: Scale) -> tuple[float, float]:
        """Return the lowest and the highest score that a scale can have, in points."""
        if scale.limits is not None:
            return scale.limits
        return self.ends.low * scale.weight, self.ends.high * scale.weight
