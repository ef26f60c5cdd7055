"""An instrument told in plain text: whose it is, how it is scored, how surely that is known, and what may be shown.

`told` is all that is known of one, `listed` a line for each, `tabled` the table of ``docs/reference/instruments.md``.
"""

from __future__ import annotations

import re
from itertools import groupby
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from attunement.instruments.description import Instrument, Item, Scale
    from attunement.instruments.published import Published

_WIDTH = 100
_WORDS = {
    "shipped": "our own, shipped",
    "loaded": "loaded by the practice",
    "missing": "none as yet",
    "totals only": "none ever",
}
_NOT_ASKED = "not loaded: answered by a {}, not asked here, and nothing of it is taken into a client's record"
_LANGUAGES = {"en": "English", "es": "Spanish"}
_HEADINGS = ("id", "what", "asked of", "items", "scales", "words", "score", "key", "licence")


def told(instrument: Instrument) -> str:
    """Return all that is known of an instrument, as lines of up to 100 characters.

    Examples
    --------
    >>> from attunement.instruments import instrument
    >>> print(told(instrument("srs")))
    SRS (srs), version 3.0
      source       Duncan, Miller, Sparks, Claud, Reynolds, Brown & Johnson (2003), Journal of Brief
                   Therapy 3:3-12
      licence      Totals only; Miller, Duncan & Johnson bar electronic and derivative forms, so that a
                   total from their own form or system is taken, and nothing else
      words        none ever; a total from elsewhere is taken
      asked of     client, after each session
      key          Nothing is counted here: the total is the one that its owners' own form or system gives.
      score        none is made here
    <BLANKLINE>
      scale total: Alliance, 0 to 40, higher is closer
        reliability  0.64 (retest, Duncan et al. (2003))
        cut-off      up to 36: a reason to talk about it (Duncan et al. (2003) and its owners' manual
                     (from memory))
    """
    lines = [f"{instrument.name.en} ({instrument.id}), version {instrument.version}"]
    lines += [_line("  ", label, text) for label, text in _of_the_whole(instrument) if text]
    for scale in instrument.scales:
        low, high = instrument.bounds(scale)
        lines += ["", f"  scale {scale.id}: {scale.name.en}, {low:g} to {high:g}, higher is {scale.higher}"]
        lines += [_line("    ", label, text) for label, text in _of_a_scale(instrument, scale) if text]
    return "\n".join(lines)


def listed(instruments: Iterable[Instrument]) -> str:
    """Return a line for each instrument, its columns one under the other.

    Examples
    --------
    >>> from attunement.instruments import instrument
    >>> print(listed(map(instrument, ("state", "phq9", "seq", "srs"))))
    state  State         5 items  1 scale   words: our own, shipped  scored
    phq9   PHQ-9        10 items  1 scale   words: none as yet       scored
    seq    SEQ, form 5  21 items  3 scales  words: none as yet       totals taken
    srs    SRS           0 items  1 scale   words: none ever         totals taken
    """
    rows = [
        (
            each.id,
            each.name.en,
            f"{len(each.items):2} items" if len(each.items) != 1 else " 1 item",
            f"{len(each.scales)} scale{'s' if len(each.scales) != 1 else ''}",
            f"words: {_WORDS[each.words] if each.asked_of == 'client' else 'not loaded'}",
            _taken(each),
        )
        for each in instruments
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def tabled(instruments: Iterable[Instrument]) -> str:
    """Return a table of instruments in Markdown: the one of ``docs/reference/instruments.md``."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_row, instruments)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _of_the_whole(instrument: Instrument) -> Iterator[tuple[str, str | None]]:
    yield "source", instrument.source
    yield "licence", instrument.licence
    yield "words", _words(instrument)
    yield "right", instrument.right
    yield "note", instrument.note.en if instrument.note else None
    yield "asked of", f"{instrument.asked_of}, {instrument.how_often}"
    if instrument.items:
        yield "items", f"{len(instrument.items)}; {_answers(instrument)}"
        yield "apart", _named([item for item in instrument.items if item.apart])
        yield "turned", _named([item for item in instrument.items if item.reverse])
        yield "safety", _safety(instrument)
    yield "key", _key(instrument)
    yield "score", None if _is_scored(instrument) else instrument.unscored or "none is made here"
    yield "LOINC", instrument.loinc


def _of_a_scale(instrument: Instrument, scale: Scale) -> Iterator[tuple[str, str | None]]:
    if scale.items:
        yield "items", _named([instrument.item(name) for name in scale.items])
        times = f", times {scale.factor:g}" if scale.factor != 1 else ""
        yield "counted", f"{scale.method}{times}; {scale.at_least} of {len(scale.items)} must be answered"
    yield "reliability", _figure(scale.reliability)
    yield "sd", _figure(scale.sd)
    for cutoff in scale.cutoffs:
        yield "cut-off", f"{cutoff.side} {cutoff.value:g}: {cutoff.means} ({cutoff.source})"
    for bands in scale.bands:
        named = ", ".join(f"{band.name} from {band.start:g}" for band in bands.bands)
        yield "bands", f"{bands.id}: {named} ({bands.source})"
    for change in scale.changes:
        yield "change", f"{change.points:g} points are {change.means} ({change.source})"
    yield "LOINC", scale.loinc


def _words(instrument: Instrument) -> str:
    said = _WORDS[instrument.words]
    if instrument.words == "totals only":
        return f"{said}; a total from elsewhere is taken"
    if instrument.asked_of != "client":
        return _NOT_ASKED.format(instrument.asked_of)
    if instrument.words == "missing":
        return (
            f"{said}, so that nobody can be asked; answers from elsewhere are taken. Who has the right to its "
            "words loads them: `attunement instruments load FILE`"
        )
    return f"{said}, in {' and '.join(_LANGUAGES[each] for each in instrument.languages)}"


def _key(instrument: Instrument) -> str:
    """Where it is known from how it is counted; ours say nothing of it, and others' may not know."""
    if instrument.key or instrument.words == "shipped":
        return instrument.key or "our own"
    return "not known"


def _answers(instrument: Instrument) -> str:
    if instrument.choices:
        return f"each answered {', '.join(str(each.value) for each in instrument.choices)}"
    return f"each answered {instrument.ends.low} to {instrument.ends.high}"


def _safety(instrument: Instrument) -> str:
    return ", ".join(
        f"{_short(item)} from {item.risk_from:g}" for item in instrument.items if item.risk_from is not None
    )


def _figure(figure: Published | None) -> str | None:
    return f"{figure.value:g} ({figure.source})" if figure else None


def _named(items: Sequence[Item]) -> str:
    """The items by number, runs of them in short; or by id, where they have one of their own."""
    numbers = [int(name) if (name := _short(item)).isdigit() else None for item in items]
    if None in numbers:
        return ", ".join(map(_short, items))
    runs = groupby(enumerate(filter(None, numbers)), key=lambda pair: pair[1] - pair[0])
    return ", ".join(_run([number for _, number in run]) for _, run in runs)


def _run(numbers: Sequence[int]) -> str:
    return f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 2 else ", ".join(map(str, numbers))


def _short(item: Item) -> str:
    return re.sub(r"^item(?=\d+$)", "", item.id)


def _line(indent: str, label: str, text: str) -> str:
    first = f"{indent}{label:13}"
    return fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False
    )


def _row(instrument: Instrument) -> tuple[str, ...]:
    return (
        f"`{instrument.id}`",
        instrument.name.en,
        instrument.asked_of,
        str(len(instrument.items) or "–"),
        ", ".join(scale.id for scale in instrument.scales),
        _WORDS[instrument.words] if instrument.asked_of == "client" else "not loaded",
        _score(instrument),
        re.sub(r" \(.*?\)", "", _key(instrument).partition(": ")[0]),
        instrument.licence.partition(";")[0],
    )


def _score(instrument: Instrument) -> str:
    if instrument.asked_of != "client":
        return "no"
    return "yes" if _is_scored(instrument) else "totals only"


def _taken(instrument: Instrument) -> str:
    if instrument.asked_of != "client":
        return f"answered by a {instrument.asked_of}"
    return "scored" if _is_scored(instrument) else "totals taken"


def _is_scored(instrument: Instrument) -> bool:
    return instrument.words != "totals only" and not instrument.unscored
