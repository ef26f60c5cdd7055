"""What is known of an instrument stays so: words under its id are asked by its key, or not at all.

Whoever loads a PHQ-9 gets its scoring and its line on safety, whatever the file that the words come in says of them.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from attunement.errors import InstrumentProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attunement.instruments.description import Instrument, Item, Scale

_WORDS: Final = ("name",)  # of a scale, which counts nothing


def refuse_otherwise(loaded: Instrument, others: Iterable[Instrument]) -> None:
    """Refuse an instrument that has the id of a known one and counts otherwise, or takes no words at all.

    Words, the right, languages, licence, version and the labels at the ends may be others; lines that stand apart and
    ask for no look at safety may be missing.

    Parameters
    ----------
    loaded
        As a file describes it.
    others
        What is known, such as `of_others()`; only those without words are looked at.

    Raises
    ------
    InstrumentProblem
        With the first thing that counts otherwise.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from attunement.instruments import instrument, of_others
    >>> phq9 = instrument("phq9")
    >>> refuse_otherwise(replace(phq9, version="mine"), of_others())
    >>> refuse_otherwise(replace(phq9, scales=(replace(phq9.main, at_least=1),)), of_others())
    Traceback (most recent call last):
    attunement.errors.InstrumentProblem: phq9 is known here, and this file counts otherwise: at_least of scale total;
    give it another id, or its words alone.
    """
    known = next((each for each in others if each.id == loaded.id and not each.askable), None)
    if known is None:
        return
    if known.words == "totals only":
        raise InstrumentProblem(
            f"{known.id} is known here, and its owners bar electronic forms: a total is taken, and no words."
        )
    first = next(_otherwise(loaded, known), None)
    if first is not None:
        raise InstrumentProblem(
            f"{known.id} is known here, and this file counts otherwise: {first}; give it another id, or its words "
            "alone."
        )


def _otherwise(loaded: Instrument, known: Instrument) -> Iterator[str]:
    """Say what counts otherwise."""
    if (loaded.ends.low, loaded.ends.high) != (known.ends.low, known.ends.high):
        yield "the ends of its answers"
    for name in ("asked_of", "loinc"):
        if getattr(loaded, name) != getattr(known, name):
            yield name
    if bool(loaded.unscored) is not bool(known.unscored):
        yield "whether it is scored"
    yield from _of_items(loaded, known)
    if [scale.id for scale in loaded.scales] != [scale.id for scale in known.scales]:
        yield "its scales"
    for mine, theirs in zip(loaded.scales, known.scales, strict=False):
        yield from (f"{name} of scale {mine.id}" for name in _differing(mine, theirs))


def _of_items(loaded: Instrument, known: Instrument) -> Iterator[str]:
    ids = [item.id for item in loaded.items]
    if ids != [item.id for item in known.items if item.id in ids or not _may_lack(item)]:
        yield "which items it has"
        return
    for mine in loaded.items:
        theirs = known.item(mine.id)
        for name in ("reverse", "apart", "risk_from", "loinc"):
            if getattr(mine, name) != getattr(theirs, name):
                yield f"{name} of {mine.id}"
        values = [choice.value for choice in known.choices_of(theirs)]
        if values and [choice.value for choice in loaded.choices_of(mine)] != values:
            yield f"the answers to {mine.id}"


def _may_lack(item: Item) -> bool:
    return item.apart and item.risk_from is None


def _differing(mine: Scale, theirs: Scale) -> Iterator[str]:
    for each in fields(mine):
        if each.name not in _WORDS and getattr(mine, each.name) != getattr(theirs, each.name):
            yield each.name
