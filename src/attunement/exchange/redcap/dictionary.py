"""Instruments become the data dictionary of a REDCap project."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from attunement.exchange.redcap.fields import Field, to_csv, written
from attunement.exchange.redcap.layout import CLIENT, OF_CLIENT, OF_SESSION, RECORD, SESSION, Names, forms_of
from attunement.exchange.tables.layout import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from attunement.exchange.redcap.layout import Form
    from attunement.instruments import Choice, Instrument, Item, Language, Scale

OURS: Final = "kept by Attunement"
REVERSED: Final = "reverse-keyed"
APART: Final = "in no scale"
RISK: Final = "asks for a look at safety from "
WORDS: Final = "words: "
_HIDDEN: Final = f"{OURS} @HIDDEN-SURVEY"
_TIME: Final = "datetime_seconds_ymd"
_WIDEST: Final = 1000  # points on a slider


def dictionary(instruments: Iterable[Instrument], *, language: Language = "en", scores: bool = False) -> str:
    """Return the data dictionary of a project in which these instruments are asked.

    An instrument without words is written as “Item 1”, “Item 2”: REDCap's own library, or its owner, has the words.
    Words that were loaded stand with the right that they are shown by.

    Parameters
    ----------
    instruments
        In the order of their forms.
    language
        Of the words, where an instrument has them in both.
    scores
        Whether REDCap also works out the scores, in calculated fields.

    Returns
    -------
    str
        A CSV file of REDCap's eighteen columns.
    """
    asked = tuple(instruments)
    names = Names()
    forms = {form.instrument.id: form for form in forms_of(asked, names)}
    return to_csv(
        [
            *_frame(),
            *(field for each in asked for field in _form(forms[each.id], language, names, scores=scores)),
        ]
    )


def _frame() -> Iterator[Field]:
    since, ended, ending = OF_CLIENT
    number, began, attendance, lateness = OF_SESSION
    yield Field(RECORD, CLIENT, "text", "Client, by a code and never by a name")
    yield _time(since, CLIENT, "Since (UTC)")
    yield _time(ended, CLIENT, "Ended (UTC)")
    yield _own(ending, CLIENT, "How it ended", "dropdown", choices=_words(words_of("ending")))
    yield _number(number, SESSION, "Session", low="1")
    yield _time(began, SESSION, "Began (UTC)")
    yield _own(attendance, SESSION, "Attendance", "dropdown", choices=_words(words_of("attendance")))
    yield _own(lateness, SESSION, "Late by, in minutes", "text", validation="number")


def _words(words: Sequence[str]) -> str:
    """Words as choices: a code has no blanks, and says the same."""
    return " | ".join(f"{coded(word)}, {word}" for word in words)


def coded(word: str) -> str:
    """Return a word as the code of a choice."""
    return word.replace(" ", "_")


def _form(form: Form, language: Language, names: Names, *, scores: bool) -> Iterator[Field]:
    instrument = form.instrument
    matrices = _matrices(form, names)
    yield _number(form.session, form.name, "Session", low="1")
    yield _time(form.at, form.name, "Answered at (UTC)")
    for place, item in enumerate(instrument.items):
        said = _right(instrument) if place == 0 else ""
        head = instrument.intro.say(language) if place == 0 and instrument.askable else ""
        yield _item(form, item, language, matrices.get(item.id, ""), section=head, words=said)
    for scale in instrument.scales:
        low, high = instrument.bounds(scale)
        label = written(f"{scale.name.say(language)}: a total from elsewhere")
        yield _number(form.totals[scale.id], form.name, label, low=f"{low:g}", high=f"{high:g}")
    if scores and not instrument.unscored:
        for scale in instrument.scales:
            if scale.items:
                name = names.take(f"{form.name}_{scale.id}_score")
                yield Field(
                    name, form.name, "calc", written(scale.name.say(language)),
                    select_choices_or_calculations=_calculation(form, scale), field_annotation=OURS,
                )  # fmt: skip


def _matrices(form: Form, names: Names) -> dict[str, str]:
    """The matrix of each item: two or more that follow one another and have the same answers."""
    instrument = form.instrument
    found: dict[str, str] = {}
    for alike, run in groupby(
        instrument.items, key=lambda item: bool(instrument.choices and not item.choices)
    ):
        ids = [item.id for item in run]
        if alike and len(ids) > 1:
            found |= dict.fromkeys(ids, names.take(f"{form.name[:50]}_answers"))
    return found


def _item(form: Form, item: Item, language: Language, matrix: str, *, section: str, words: str) -> Field:
    instrument = form.instrument
    choices = instrument.choices_of(item)
    number = not choices
    slider = number and instrument.ends.high - instrument.ends.low <= _WIDEST
    ends = instrument.ends
    labels = f"{_label(ends.at_low.say(language))} | | {_label(ends.at_high.say(language))}" if slider else ""
    return Field(
        form.items[item.id],
        form.name,
        "slider" if slider else "text" if number else "radio",
        written(item.wording.say(language)),
        section_header=written(section),
        select_choices_or_calculations=labels or _choices(choices, language),
        text_validation_type_or_show_slider_number="number" if number else "",
        text_validation_min=str(ends.low) if number else "",
        text_validation_max=str(ends.high) if number else "",
        matrix_group_name=matrix,
        field_annotation="; ".join(filter(None, [*_annotations(item), words])),
    )


def _choices(choices: Sequence[Choice], language: Language) -> str:
    """Answers in their order; the other way round where the first would read as a formula to a spreadsheet."""
    if choices[0].value < 0:
        choices = tuple(reversed(choices))
    return " | ".join(
        f"{each.value}, {_label(each.wording.say(language)) if each.wording else each.value}"
        for each in choices
    )


def _label(text: str) -> str:
    """A label in one line, without the sign that parts choices."""
    return written(text.replace("|", "/"))


def _annotations(item: Item) -> Iterator[str]:
    if item.reverse:
        yield REVERSED
    if item.apart:
        yield APART
    if item.risk_from is not None:
        yield f"{RISK}{item.risk_from:g}"
    if item.loinc:
        yield f"LOINC {item.loinc}"


def _right(instrument: Instrument) -> str:
    return f"{WORDS}{instrument.right or instrument.licence}" if instrument.askable else ""


def _calculation(form: Form, scale: Scale) -> str:
    """The score as REDCap works it out: missing with too few answers, prorated as everywhere here."""
    instrument = form.instrument
    turned = instrument.ends.low + instrument.ends.high
    fields = [(f"[{form.items[name]}]", instrument.item(name).reverse) for name in scale.items]
    counted = ", ".join(f'if({name} = "", 0, 1)' for name, _ in fields)
    values = ", ".join(f'if({name} = "", "", {turned} - {name})' if back else name for name, back in fields)
    return f'if(sum({counted}) >= {scale.at_least}, mean({values}) * {scale.weight:g}, "")'


def _own(name: str, form: str, label: str, kind: str, *, choices: str = "", validation: str = "") -> Field:
    return Field(
        name, form, kind, label,
        select_choices_or_calculations=choices,
        text_validation_type_or_show_slider_number=validation,
        field_annotation=_HIDDEN,
    )  # fmt: skip


def _time(name: str, form: str, label: str) -> Field:
    return _own(name, form, label, "text", validation=_TIME)


def _number(name: str, form: str, label: str, *, low: str = "", high: str = "") -> Field:
    return Field(
        name, form, "text", label,
        text_validation_type_or_show_slider_number="number" if high else "integer",
        text_validation_min=low, text_validation_max=high, field_annotation=_HIDDEN,
    )  # fmt: skip
