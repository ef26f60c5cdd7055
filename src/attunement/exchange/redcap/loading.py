"""A REDCap data dictionary becomes instruments that a practice can ask: with its words, and with a skeleton's key."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from attunement.errors import ColumnProblem, InputError, InstrumentProblem, UnreadableFile
from attunement.exchange.redcap.asked import OTHER_ENDS, Asked, AskedForm, forms
from attunement.exchange.redcap.fields import from_csv
from attunement.exchange.redcap.layout import titled
from attunement.exchange.redcap.named import named
from attunement.instruments import Choice, Ends, Instrument, Item, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attunement.instruments import Language

WHERE: Final = "The data dictionary"
_UNSCORED: Final = "Its key is not known: a data dictionary of REDCap does not say which items count where"
_LOADED: Final = Wording(
    "Loaded from a data dictionary of REDCap; compare only with this client's own earlier answers.",
    "Cargado de un diccionario de datos de REDCap; compare solo con las respuestas anteriores de esta misma persona.",
)
_ASIDE: Final = Wording("Left aside", "Se dejó aparte")
_CONDITION: Final = Wording(
    "Asked there under a condition only, and here always", "Allí solo bajo una condición"
)
_NUMBER: Final = re.compile(r"[0-9]{1,3}$")
_LONGEST: Final = 600  # signs of a note about what was left aside


@dataclass(frozen=True, slots=True)
class Loaded:
    """An instrument, and the field that each of its items was made of."""

    instrument: Instrument
    items: Mapping[str, Asked]


def read_dictionary(
    text: str,
    *,
    right: str,
    shelf: Mapping[str, Instrument],
    language: Language = "en",
    name: str | None = None,
) -> tuple[Instrument, ...]:
    """Read the instruments of a REDCap project from its data dictionary.

    Each form with a question that a number answers becomes an instrument. One that is called like
    an instrument on the shelf (`named`) takes that instrument's key: its scales, its figures, and what counts the other
    way round. Any other can be asked and is not scored. A form of our own instruments, and one whose questions still
    read “Item 1”, is passed over. What is left
    aside (calculations, files, free text, several answers at once, identifiers), and which questions were asked under
    a condition, stands in the instrument's note.

    Parameters
    ----------
    text
        The CSV file, under the names that REDCap downloads or those of its API.
    right
        By what right these words are shown.
    shelf
        The instruments that are known, by id.
    language
        In which the words are.
    name
        Which instrument the form is, where the file has one: an id on the shelf, or what it is to be called.

    Raises
    ------
    InputError
        One sentence with the row and the column, where it is no dictionary, nothing in it can be asked, or a form
        does not fit the instrument that it is named after.
    """
    if not right.strip():
        raise InputError("Say by what right these words are shown; without one they are not taken.")
    found = loaded(text, right=right, shelf=shelf, language=language, name=name, strict=True)
    if not found:
        raise UnreadableFile(f"{WHERE} has no question that a number answers; there is nothing to ask.")
    new = tuple(
        each.instrument for each in found if _says_more(each.instrument, shelf.get(each.instrument.id))
    )
    if not new:
        raise UnreadableFile(
            f"{WHERE} has no words that are not here already; where it says “Item 1”, put the question's words first."
        )
    return new


def _says_more(instrument: Instrument, known: Instrument | None) -> bool:
    """Whether it has words that are not here: ours are, and “Item 1” is none."""
    if known is None or known.words == "loaded":
        return True
    return known.words == "missing" and any(
        item.wording.en not in {known.item(item.id).wording.en, known.item(item.id).wording.es}
        for item in instrument.items
    )


def loaded(
    text: str,
    *,
    right: str,
    shelf: Mapping[str, Instrument],
    language: Language = "en",
    name: str | None = None,
    strict: bool = False,
) -> tuple[Loaded, ...]:
    """Return the instruments with their fields; records are read by these.

    A form of which a total alone is taken gives none; with `strict`, it is refused.
    """
    found = []
    for form, skeleton in _of_shelf(forms(from_csv(text, WHERE)), shelf, name):
        if skeleton and not skeleton.items and form.asked:
            if strict:
                form.asked[0].read.refuse(
                    "form_name",
                    f"the owners of {skeleton.name.en} bar electronic forms; take it out of the file",
                )
            continue
        try:
            one = (
                _keyed(form, skeleton, right, language)
                if skeleton
                else _unkeyed(form, right, language, name or form.name)
            )
        except InstrumentProblem as problem:
            raise ColumnProblem(
                f"{WHERE}: the form {form.name[:40]} makes no instrument. {problem}"
            ) from None
        found += [one] if one else []
    return tuple(found)


def _of_shelf(
    found: Sequence[AskedForm], shelf: Mapping[str, Instrument], name: str | None
) -> list[tuple[AskedForm, Instrument | None]]:
    """Each form with the instrument of the shelf that it is."""
    asked = [form for form in found if form.asked]
    if name is not None and len(asked) > 1:
        raise InputError(
            f"{WHERE} has {len(asked)} forms, and {name[:40]} is the name of one; leave one form in it."
        )
    pairs = [(form, named(form.name, shelf) if name is None else shelf.get(name)) for form in found]
    taken: dict[str, AskedForm] = {}
    for form, skeleton in pairs:
        before = taken.setdefault(skeleton.id, form) if skeleton and form.asked else form
        if skeleton and before is not form:
            form.asked[0].read.refuse(
                "form_name",
                f"{before.name[:40]} and {form.name[:40]} are both called like {skeleton.name.en}; leave one in",
            )
    return pairs


def _keyed(form: AskedForm, skeleton: Instrument, right: str, language: Language) -> Loaded | None:
    if not form.asked:
        return None
    matched = _matched(form, skeleton)
    for item, asked in matched:
        _refuse_other_answers(asked, item, skeleton)
    general = next((asked for item, asked in matched if not item.choices and asked.choices), None)
    choices = general.worded(skeleton.choices) if general and skeleton.choices else ()
    items = tuple(_worded(item, asked, choices) for item, asked in matched)
    first = next((asked for item, asked in matched if not item.choices), matched[0][1])
    kept = {item.id for item in items}
    return Loaded(
        replace(
            skeleton,
            words="loaded",
            right=right,
            languages=(language,),
            intro=_intro(form),
            ends=_ends(skeleton.ends.low, skeleton.ends.high, first.said),
            choices=choices,
            items=items,
            note=_note(form, skeleton.note),
        ),
        {item.id: asked for item, asked in matched if item.id in kept},
    )


def _matched(form: AskedForm, skeleton: Instrument) -> list[tuple[Item, Asked]]:
    """Which field is which item: by name, by LOINC code, by number; those in no scale may be missing.

    By place alone only where every item counts alike: none is turned or asks for a look at safety, in no or one scale.
    """
    scored = [item for item in skeleton.items if not item.apart]
    asked = {name: each for each in form.asked for name in (each.short, each.read.field.field_name)}
    coded = {each.item().loinc: each for each in form.asked}
    for told in (
        {item.id: asked.get(item.id) for item in skeleton.items},
        {item.id: coded.get(item.loinc) if item.loinc else None for item in skeleton.items},
        _by_number(form, skeleton, scored),
    ):
        if all(told.get(item.id) for item in scored):
            return [(item, found) for item in skeleton.items if (found := told.get(item.id))]
    row = form.asked[0].read
    for items in (list(skeleton.items), scored):
        if len(items) == len(form.asked):
            if _counts_alike(skeleton):
                return list(zip(items, form.asked, strict=True))
            row.refuse(
                "field_name",
                f"which variable is which line of {skeleton.name.en} cannot be told; let them end on the line's "
                "number, in order, or put its LOINC code into the annotation (LOINC 12345-6)",
            )
    row.refuse(
        "form_name",
        f"{form.name[:40]} asks {len(form.asked)} questions, and {skeleton.name.en} has {len(scored)}; "
        "give the form another name, or ask all of them",
    )
    return []


def _by_number(form: AskedForm, skeleton: Instrument, scored: Sequence[Item]) -> dict[str, Asked]:
    """Fields that all end on a number, 1, 2, … in order, but for those in no scale that are called by their id."""
    apart = {
        item.id: each for item in skeleton.items if item.apart for each in form.asked if item.id == each.short
    }
    rest = [each for each in form.asked if each not in apart.values()]
    numbers = [_number(each.read.field.field_name) for each in rest]
    for items in ([item for item in skeleton.items if item.id not in apart], scored):
        if numbers == list(range(1, len(items) + 1)):
            return {item.id: each for item, each in zip(items, rest, strict=True)} | apart
    return {}


def _number(name: str) -> int | None:
    found = _NUMBER.search(name)
    return int(found[0]) if found else None


def _counts_alike(skeleton: Instrument) -> bool:
    """Whether it does not matter which line is which."""
    special = any(item.reverse or item.risk_from is not None for item in skeleton.items)
    return not special and len(skeleton.scales) <= 1


def _refuse_other_answers(asked: Asked, item: Item, skeleton: Instrument) -> None:
    takes = [choice.value for choice in skeleton.choices_of(item)]
    given = [value for value, _ in asked.choices]
    low, high = skeleton.ends.low, skeleton.ends.high
    if takes and given != takes:
        said = ", ".join(map(str, given)) or f"{asked.ends[0]} to {asked.ends[1]}"
        asked.read.refuse(
            "select_choices_or_calculations",
            f"the answers count {said}; in {skeleton.name.en} they count {', '.join(map(str, takes))}",
        )
    if not takes and asked.ends != (low, high):
        asked.read.refuse(
            "text_validation_min",
            f"the answers go from {asked.ends[0]} to {asked.ends[1]}; in {skeleton.name.en} from {low} to {high}",
        )


def _worded(item: Item, asked: Asked, general: Sequence[Choice]) -> Item:
    """The item with the field's words; with choices of its own where they are called otherwise than the rest's."""
    own = asked.worded(item.choices or general) if asked.choices else ()
    return replace(item, wording=asked.words, choices=own if item.choices or own != tuple(general) else ())


def _unkeyed(form: AskedForm, right: str, language: Language, name: str) -> Loaded | None:
    """An instrument of which only the words and the answers are known."""
    form = _of_one_range(form)
    if not form.asked:
        return None
    numbers = [each for each in form.asked if not each.choices]
    choices = (
        form.asked[0].worded() if not numbers and len({each.choices for each in form.asked}) == 1 else ()
    )
    first = numbers[0] if numbers else form.asked[0]
    low = first.ends[0] if numbers else min(each.ends[0] for each in form.asked)
    high = first.ends[1] if numbers else max(each.ends[1] for each in form.asked)
    title = Wording(titled(form.name), titled(form.name))
    items = tuple(
        replace(each.item(), choices=each.worded() if each.choices and not choices else ())
        for each in form.asked
    )
    instrument = Instrument(
        id=name,
        name=title,
        version="1",
        licence=right,
        source="A data dictionary of REDCap",
        validated=False,
        asked_of="client",
        how_often="after each session",
        intro=_intro(form),
        ends=_ends(low, high, first.said),
        items=items,
        scales=(),
        note=_note(form, _LOADED),
        choices=choices,
        words="loaded",
        right=right,
        unscored=_UNSCORED,
        languages=(language,),
    )
    return Loaded(instrument, {item.id: asked for item, asked in zip(items, form.asked, strict=True)})


def _of_one_range(form: AskedForm) -> AskedForm:
    """Leave aside the numbers of another range than most: an instrument has one pair of ends."""
    ranges = Counter(each.ends for each in form.asked if not each.choices)
    if len(ranges) < 2:
        return form
    usual = ranges.most_common(1)[0][0]
    odd = [each for each in form.asked if not each.choices and each.ends != usual]
    return replace(
        form,
        asked=tuple(each for each in form.asked if each not in odd),
        aside=(*form.aside, *((each.read.field.field_name, OTHER_ENDS) for each in odd)),
    )


def _intro(form: AskedForm) -> Wording:
    said = form.intro or titled(form.name)
    return Wording(said, said)


def _ends(low: int, high: int, said: tuple[str, str]) -> Ends:
    at_low, at_high = said
    return Ends(low, high, Wording(at_low, at_low), Wording(at_high, at_high))


def _note(form: AskedForm, before: Wording | None) -> Wording | None:
    """What was said before, and what was left aside or is asked otherwise here."""
    if not form.aside and not form.conditional:
        return before
    spoken: dict[str, str] = {}
    for language in ("en", "es"):
        parts = [before.say(language)] if before else []
        if form.aside:
            listed = ", ".join(f"{name} ({why.say(language)})" for name, why in form.aside)
            parts.append(f"{_ASIDE.say(language)}: {_cut(listed)}.")
        if form.conditional:
            parts.append(f"{_CONDITION.say(language)}: {_cut(', '.join(form.conditional))}.")
        spoken[language] = " ".join(parts)
    return Wording(**spoken)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
