"""What an instrument is before anybody has answered it: its words, its ends, its items and its scales.

An instrument is data. How answers become a score is `scoring`, how much change counts is `change`, and each
rendering lives with its medium.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from attunement.errors import InstrumentProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Language = Literal["en", "es"]
AskedOf = Literal["client", "therapist"]
HowOften = Literal["before each session", "after each session", "every two weeks", "each month", "once"]
Method = Literal["mean", "sum"]
Higher = Literal["closer", "better", "worse"]

_ID = re.compile(r"[a-z][a-z0-9_]*")  # a column's name and a form field's name at once


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
    """

    id: str
    wording: Wording
    reverse: bool = False
    apart: bool = False
    risk_from: float | None = None


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
class Scale:
    """Items that are counted together.

    Parameters
    ----------
    id
        Its name in a score and as a column; ``total`` where it is the instrument's main one.
    name
        Its name on a page or a chart.
    items
        The ids of its items.
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

    @property
    def weight(self) -> int:
        """How often the mean of the answered items counts: once, or in a sum once for each item."""
        return len(self.items) if self.method == "sum" else 1


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

    def __post_init__(self) -> None:
        """Refuse an instrument whose parts do not fit together, with the first thing that is wrong."""
        fault = next(_faults(self), None)
        if fault:
            raise InstrumentProblem(f"{self.id or 'an instrument without id'}: {fault}.")

    def item(self, name: str) -> Item:
        """Return the item of that id."""
        for item in self.items:
            if item.id == name:
                return item
        items = ", ".join(item.id for item in self.items)
        raise InstrumentProblem(f"{self.id}: {name!r} is none of its items ({items}).")

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

    def bounds(self, scale: Scale) -> tuple[int, int]:
        """Return the lowest and the highest score that a scale can have, in points."""
        return self.ends.low * scale.weight, self.ends.high * scale.weight


def _faults(instrument: Instrument) -> Iterator[str]:
    """Say what does not fit together, worst first; only the first is ever read."""
    yield from _faults_of_the_whole(instrument)
    yield from _faults_of_ids(instrument)
    for scale in instrument.scales:
        yield from (f"scale {scale.id}: {fault}" for fault in _faults_of_a_scale(instrument, scale))
    yield from _faults_of_counting(instrument)


def _faults_of_the_whole(instrument: Instrument) -> Iterator[str]:
    if not instrument.licence.strip():
        yield "licence is empty; it takes the terms that its words stand under, such as CC0-1.0"
    if not instrument.source.strip():
        yield "source is empty; it takes who wrote it, and where it was published"
    if not instrument.validated and instrument.note is None:
        yield "note is missing; an instrument that is not validated says so in a note"
    if instrument.ends.low >= instrument.ends.high:
        yield f"ends: low is {instrument.ends.low} and high is {instrument.ends.high}; low is the smaller one"


def _faults_of_ids(instrument: Instrument) -> Iterator[str]:
    ids = [instrument.id, *(item.id for item in instrument.items), *(scale.id for scale in instrument.scales)]
    for name in ids:
        if not _ID.fullmatch(name):
            yield f"the id {name!r} is made of other things than small letters, digits and _, a letter first"
    for item in instrument.items:
        if item.risk_from is not None and not instrument.ends.hold(item.risk_from):
            yield f"item {item.id}: risk_from is {item.risk_from:g}; it takes an answer that can be given"
    for name in _twice(ids[1:]):
        yield f"the id {name} stands twice among its items and scales; each is a column of its own"


def _faults_of_a_scale(instrument: Instrument, scale: Scale) -> Iterator[str]:
    unknown = [name for name in scale.items if name not in {item.id for item in instrument.items}]
    if unknown:
        yield f"items names {unknown[0]!r}, which is no item of this instrument"
    for name in _twice(scale.items):
        yield f"items names {name} twice, and it would count twice"
    if not 1 <= scale.at_least <= len(scale.items):
        yield f"at_least is {scale.at_least}; it takes a whole number from 1 to {len(scale.items)}, its items"
    low, high = instrument.bounds(scale)
    if scale.established and not low <= scale.established.value <= high:
        yield f"established is {scale.established.value:g}; it takes a number from {low} to {high}"
    if scale.reliability and not 0 < scale.reliability.value < 1:
        yield f"reliability is {scale.reliability.value:g}; it takes a number between 0 and 1"
    if scale.sd and not 0 < scale.sd.value <= high - low:
        yield f"sd is {scale.sd.value:g}; it takes a number above 0 and up to {high - low}"


def _faults_of_counting(instrument: Instrument) -> Iterator[str]:
    counted = {name for scale in instrument.scales for name in scale.items}
    for item in instrument.items:
        if item.apart and item.id in counted:
            yield f"item {item.id}: apart is true, and a scale counts it; it is one or the other"
        if not item.apart and item.id not in counted:
            yield f"item {item.id}: no scale counts it; name it in a scale, or say apart = true"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
