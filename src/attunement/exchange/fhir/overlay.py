"""Words of a Questionnaire laid over a skeleton, from which everything that counts is taken.

What is not certain is refused. A form that lacks an item, offers another answer than the published one, or has other
words for the answers of one item, is another form; LOINC's own copy of the GAD-7 is one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from attunement.errors import InputError
from attunement.exchange.fhir.asked import Line, Option, lines_of
from attunement.exchange.fhir.said import worded
from attunement.exchange.fhir.unkeyed import choices_of, ends_of, intro_of, languages_of
from attunement.instruments import Choice, Ends, Instrument, Item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def laid_over(skeleton: Instrument, resource: Mapping[str, Any], right: str) -> Instrument:
    """Return a skeleton with the words of a Questionnaire; reverse items, scales, cutoffs and risk stay the skeleton's.

    Raises
    ------
    InputError
        Where the Questionnaire is another form than the published one; a clause.
    """
    if skeleton.words == "totals only":
        raise InputError(f"{skeleton.id}: its owners bar electronic forms; a total is taken, and no words")
    totals = frozenset(scale.loinc for scale in skeleton.scales if scale.loinc)
    found = _matched(skeleton, lines_of(resource, besides=totals))
    intro = intro_of(resource)
    languages = languages_of(list(found.values()), intro, resource)
    items = [item for item in skeleton.items if item.id in found]
    answers = {item.id: _answers(skeleton, item, found[item.id]) for item in items}
    shared = _shared(items, found, answers)
    choices = choices_of(shared, languages)
    at_low, at_high = ends_of(_leading(items, found, shared), languages)
    return replace(
        skeleton,
        words="loaded",
        right=right,
        credit=resource.get("copyright"),
        languages=languages,
        intro=worded(intro, languages),
        ends=Ends(skeleton.ends.low, skeleton.ends.high, at_low, at_high),
        choices=_coded(skeleton.choices, choices),
        items=tuple(
            replace(
                item,
                wording=worded(found[item.id].text, languages),
                choices=_coded(item.choices, choices_of(answers[item.id], languages)) if item.choices else (),
            )
            for item in items
        ),
    )


def _matched(skeleton: Instrument, lines: Sequence[Line]) -> dict[str, Line]:
    """Which line is which item: by LOINC code or by id; by order only where the skeleton knows no codes."""
    known = {name: item.id for item in skeleton.items for name in (item.id, item.loinc) if name}
    found: dict[str, Line] = {}
    in_order = len(lines) == len(skeleton.items) and not any(item.loinc for item in skeleton.items)
    for place, line in enumerate(lines):
        names = (*line.codes, line.link, line.link.removeprefix("/"))
        id_ = next((known[name] for name in names if name in known), None)
        if id_ is None and in_order:
            id_ = skeleton.items[place].id
        if id_ is None or id_ in found:
            raise InputError(
                f"{line.where} is none of the items of {skeleton.id}, or one of them a second time"
            )
        if line.conditional and not skeleton.item(id_).apart:
            raise InputError(
                f"{line.where} is asked only on a condition; in {skeleton.id} it is always asked"
            )
        found[id_] = line
    for item in skeleton.items:
        if item.id not in found and not (item.apart and item.risk_from is None):
            code = f" (LOINC {item.loinc})" if item.loinc else ""
            raise InputError(
                f"{skeleton.id}: {item.id}{code} is not asked; without it, it is another instrument"
            )
    return found


def _answers(skeleton: Instrument, item: Item, line: Line) -> tuple[Option, ...]:
    """The answers to an item with what each counts, as the skeleton has it."""
    choices = skeleton.choices_of(item)
    if not line.options:
        if choices or (line.least, line.most) != (skeleton.ends.low, skeleton.ends.high):
            raise InputError(f"{line.where} takes other answers than {item.id} of {skeleton.id}")
        return ()
    options = tuple(replace(option, value=_value(choices, option, line)) for option in line.options)
    values = sorted(option.value for option in options if option.value is not None)
    fits = values == [choice.value for choice in choices] if choices else all(map(skeleton.ends.hold, values))
    if not fits or len(set(values)) < len(options):
        raise InputError(f"{line.where} takes other answers than {item.id} of {skeleton.id}")
    return options


def _value(choices: Sequence[Choice], option: Option, line: Line) -> int:
    """What an answer counts: by its LOINC code, else by its own value; the two may not differ."""
    by_code = next((each.value for each in choices if each.loinc and each.loinc == option.loinc), None)
    if by_code is not None and option.value not in {None, by_code}:
        raise InputError(
            f"{line.where} has {option.loinc} count {option.value}, where the published form has it count {by_code}"
        )
    if by_code is not None:
        return by_code
    published = next((each.loinc for each in choices if each.value == option.value), None)
    if option.loinc and published:
        raise InputError(
            f"{line.where} has the answer {option.loinc}, where the published form has {published}; "
            "its words are others, so take them from the published form"
        )
    if option.value is None:
        raise InputError(
            f"{line.where} does not say what its answers count; the extension ordinalValue on each would"
        )
    return option.value


def _shared(
    items: Sequence[Item], found: Mapping[str, Line], answers: Mapping[str, Sequence[Option]]
) -> tuple[Option, ...]:
    """The answers that all items share that have none of their own; they have the same words, value for value."""
    sharing = [item for item in items if not item.choices]
    first = next((item for item in sharing if not item.reverse), sharing[0] if sharing else None)
    if first is None:
        return ()
    words = _words(answers[first.id])
    turned = dict(zip(sorted(words), reversed([words[value] for value in sorted(words)]), strict=True))
    for item in sharing:
        mine = _words(answers[item.id])
        if mine != words and not (item.reverse and mine == turned):  # turned already; the skeleton turns it
            raise InputError(
                f"{found[item.id].where} has other words for its answers than {found[first.id].where}, "
                "where the published form has the same"
            )
    return tuple(answers[first.id])


def _words(options: Sequence[Option]) -> dict[int, dict[str, str]]:
    return {
        option.value or 0: {each: " ".join(text.split()).casefold() for each, text in option.text.items()}
        for option in options
    }


def _leading(items: Sequence[Item], found: Mapping[str, Line], shared: Sequence[Option]) -> Line:
    """The line whose words stand at the ends."""
    first = next((item for item in items if not item.choices), items[0])
    line = found[first.id]
    return replace(line, options=tuple(shared)) if shared else line


def _coded(bare: Sequence[Choice], spoken: Sequence[Choice]) -> tuple[Choice, ...]:
    """The skeleton's codes with the Questionnaire's words."""
    codes = {choice.value: choice.loinc for choice in bare}
    return tuple(replace(each, loinc=codes.get(each.value, each.loinc)) for each in spoken)
