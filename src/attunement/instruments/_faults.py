"""What does not fit together in a description, said worst first."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attunement.instruments.description import Choice, Instrument, Scale

_WIDEST = 100  # points between the two ends
_MOST_CHOICES = 50
_ID = re.compile(r"[a-z][a-z0-9_]*")  # a column's name and a form field's name at once


def faults(instrument: Instrument) -> Iterator[str]:
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
    yield from _faults_of_length(instrument)
    if instrument.words == "loaded" and not (instrument.right or "").strip():
        yield "right is missing; say by what right these words are shown"
    if not (instrument.scales or instrument.unscored):
        yield "scales is empty; name what is counted together, or say in unscored why nothing is"
    if not instrument.languages:
        yield "languages is empty; it takes en, es, or both"
    if bool(instrument.items) is (instrument.words == "totals only"):
        yield "items: every instrument has some, but one of which a total alone is taken"
    yield from _faults_of_choices(instrument, "choices", instrument.choices)


def _faults_of_length(instrument: Instrument) -> Iterator[str]:
    """A page draws each answer that can be given."""
    span = instrument.ends.high - instrument.ends.low
    if span > _WIDEST and any(not instrument.choices_of(item) for item in instrument.items):
        yield f"ends: they are {span:,} points apart; up to {_WIDEST} can be asked, or choices of their own"
    for where, choices in (
        ("choices", instrument.choices),
        *((f"item {item.id}: choices", item.choices) for item in instrument.items),
    ):
        if len(choices) > _MOST_CHOICES:
            yield f"{where}: there are {len(choices):,}; up to {_MOST_CHOICES} can be asked"


def _faults_of_choices(instrument: Instrument, where: str, choices: tuple[Choice, ...]) -> Iterator[str]:
    values = [choice.value for choice in choices]
    if values != sorted(set(values)):
        yield f"{where}: the values are {values}; each stands once, the lowest first"
    if any(choice.wording is None for choice in choices) and instrument.askable:
        yield f"{where}: a choice has no words"


def _faults_of_ids(instrument: Instrument) -> Iterator[str]:
    ids = [instrument.id, *(item.id for item in instrument.items), *(scale.id for scale in instrument.scales)]
    for name in ids:
        if not _ID.fullmatch(name):
            yield f"the id {name!r} is made of other things than small letters, digits and _, a letter first"
    for item in instrument.items:
        yield from _faults_of_choices(instrument, f"item {item.id}: choices", item.choices)
        if item.risk_from is not None and not instrument.holds(item, item.risk_from):
            yield f"item {item.id}: risk_from is {item.risk_from:g}; it takes an answer that can be given"
    for name in _twice(ids[1:]):
        yield f"the id {name} stands twice among its items and scales; each is a column of its own"


def _faults_of_a_scale(instrument: Instrument, scale: Scale) -> Iterator[str]:
    unknown = [name for name in scale.items if name not in {item.id for item in instrument.items}]
    if unknown:
        yield f"items names {unknown[0]!r}, which is no item of this instrument"
    for name in _twice(scale.items):
        yield f"items names {name} twice, and it would count twice"
    if not scale.items:
        yield from _faults_of_a_total(instrument, scale)
    elif not 1 <= scale.at_least <= len(scale.items):
        yield f"at_least is {scale.at_least}; it takes a whole number from 1 to {len(scale.items)}, its items"
    yield from _faults_of_figures(instrument, scale)


def _faults_of_figures(instrument: Instrument, scale: Scale) -> Iterator[str]:
    """What is published of a scale lies on it."""
    if not scale.factor > 0:
        yield f"factor is {scale.factor:g}; it takes a number above 0"
    low, high = instrument.bounds(scale)
    if scale.established and not low <= scale.established.value <= high:
        yield f"established is {scale.established.value:g}; it takes a number from {low:g} to {high:g}"
    if scale.reliability and not 0 < scale.reliability.value < 1:
        yield f"reliability is {scale.reliability.value:g}; it takes a number between 0 and 1"
    if scale.sd and not 0 < scale.sd.value <= high - low:
        yield f"sd is {scale.sd.value:g}; it takes a number above 0 and up to {high - low:g}"
    yield from _faults_of_bands(instrument, scale)


def _faults_of_bands(instrument: Instrument, scale: Scale) -> Iterator[str]:
    low, high = instrument.bounds(scale)
    for value in (
        *(each.value for each in scale.cutoffs),
        *(each.start for set_ in scale.bands for each in set_.bands),
    ):
        if not low <= value <= high:
            yield f"a cutoff or a band stands at {value:g}; the scale goes from {low:g} to {high:g}"
    for bands in scale.bands:
        starts = [each.start for each in bands.bands]
        if starts != sorted(set(starts)) or starts[0] != low:
            yield f"bands {bands.id}: they start at {starts}; the first starts at {low:g}, each other one higher"


def _faults_of_a_total(instrument: Instrument, scale: Scale) -> Iterator[str]:
    if not (instrument.unscored or instrument.words == "totals only"):
        yield "items is empty; it takes a list of ids"
    if scale.limits is None or not scale.limits[0] < scale.limits[1]:
        yield "limits is missing; a scale without items takes its lowest and its highest total"


def _faults_of_counting(instrument: Instrument) -> Iterator[str]:
    if instrument.unscored:
        return
    counted = {name for scale in instrument.scales for name in scale.items}
    for item in instrument.items:
        if item.apart and item.id in counted:
            yield f"item {item.id}: apart is true, and a scale counts it; it is one or the other"
        if not item.apart and item.id not in counted:
            yield f"item {item.id}: no scale counts it; name it in a scale, or say apart = true"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
