"""What a form of somebody's REDCap project asks: which of its fields take a number, and why the rest does not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attunement.exchange.redcap.dictionary import APART, OURS, REVERSED, RISK, WORDS
from attunement.exchange.redcap.fields import NAME, ReadField, spoken
from attunement.exchange.redcap.layout import CLIENT, OF_CLIENT, OF_SESSION, RECORD, SESSION
from attunement.instruments import Choice, Item, Wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attunement.exchange.redcap.fields import Field

Ends = tuple[int, int]
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,6}(?:\.0+)?")
_RISK: Final = re.compile(re.escape(RISK) + r"(-?[0-9]{1,6}(?:\.[0-9]{1,6})?)")
_NUMBERS: Final = ("integer", "number", "number_1dp", "number_2dp")
NOT_ASKED: Final = {
    "calc": Wording("a calculation", "un cálculo"),
    "file": Wording("a file", "un archivo"),
    "notes": Wording("free text", "texto libre"),
    "text": Wording("free text", "texto libre"),
    "checkbox": Wording("several answers at once", "varias respuestas a la vez"),
    "sql": Wording("a query", "una consulta"),
}
IDENTIFIER: Final = Wording("an identifier", "un identificador")
CODES: Final = Wording("answers that are not numbers", "respuestas que no son números")
NO_ENDS: Final = Wording("a number without a minimum and a maximum", "un número sin mínimo ni máximo")
MOMENT: Final = Wording("a date or a time", "una fecha o una hora")
ODD_RANGE: Final = Wording("a range that is not of whole numbers", "un rango que no es de números enteros")
OTHER_ENDS: Final = Wording("another range than the rest", "otro rango que el resto")


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that can be asked.

    Parameters
    ----------
    read
        The field in its row.
    short
        Its name within the form.
    choices
        What each answer counts, and its label, the lowest first; none for a number.
    ends
        The lowest and the highest answer.
    said
        What stands at the two ends.
    """

    read: ReadField
    short: str
    choices: tuple[tuple[int, str], ...]
    ends: Ends
    said: tuple[str, str]

    @property
    def words(self) -> Wording:
        """The question, in the one language that there is."""
        label = spoken(self.read.field.field_label) or self.short
        return Wording(label, label)

    def labels(self) -> dict[str, float]:
        """What an answer is called, in small letters, and what it counts."""
        return {label.casefold(): float(value) for value, label in self.choices}

    def item(self) -> Item:
        """The item that it makes where nothing more is known of the instrument."""
        said = [each.strip() for each in self.read.field.field_annotation.partition(WORDS)[0].split(";")]
        risk = next((float(found[1]) for each in said if (found := _RISK.fullmatch(each))), None)
        loinc = next((each.removeprefix("LOINC ") for each in said if each.startswith("LOINC ")), None)
        return Item(
            self.short, self.words, reverse=REVERSED in said, apart=APART in said, risk_from=risk, loinc=loinc,
        )  # fmt: skip

    def worded(self, values: Sequence[Choice] | None = None) -> tuple[Choice, ...]:
        """Its choices, with their labels as words; over those of a skeleton where they are given."""
        labels = dict(self.choices)
        bare = values or [Choice(value) for value in labels]
        return tuple(
            Choice(each.value, Wording(labels[each.value], labels[each.value]), each.loinc) for each in bare
        )


@dataclass(frozen=True, slots=True)
class AskedForm:
    """One form: what can be asked of it, and what is left aside."""

    name: str
    asked: tuple[Asked, ...]
    aside: tuple[tuple[str, Wording], ...]
    intro: str

    @property
    def conditional(self) -> tuple[str, ...]:
        """The variables that the project asks under a condition only."""
        return tuple(each.read.field.field_name for each in self.asked if each.read.field.branching_logic)


def forms(fields: Sequence[ReadField]) -> list[AskedForm]:
    """Return the forms of a project, in order, without the record's name and our own for clients and sessions."""
    found: dict[str, list[ReadField]] = {}
    for place, read in enumerate(fields):
        if place > 0 and not _ours(read):
            found.setdefault(read.field.form_name, []).append(read)
    return [_form(name, rows) for name, rows in found.items()]


def _ours(read: ReadField) -> bool:
    field = read.field
    own = {CLIENT: (RECORD, *OF_CLIENT), SESSION: OF_SESSION}
    return OURS in field.field_annotation or field.field_name in own.get(field.form_name, ())


def _form(name: str, rows: Sequence[ReadField]) -> AskedForm:
    shorts = _shorts(name, rows)
    asked: list[Asked] = []
    aside: list[tuple[str, Wording]] = []
    intro = ""
    for read in rows:
        field = read.field
        intro = intro or spoken(field.section_header)
        if field.field_type == "descriptive":
            continue
        one = _asked(read, shorts[field.field_name])
        if isinstance(one, Asked):
            asked.append(one)
        else:
            aside.append((field.field_name, one))
    return AskedForm(name, tuple(asked), tuple(aside), intro)


def _shorts(form: str, rows: Sequence[ReadField]) -> dict[str, str]:
    """Names within the form: without the form's own in front, where none of them gets to stand twice."""
    full = [read.field.field_name for read in rows]
    short = {name: name.removeprefix(f"{form}_") for name in full}
    often = Counter(short.values())
    return {
        name: brief if NAME.fullmatch(brief) and often[brief] == 1 else name for name, brief in short.items()
    }


def _asked(read: ReadField, short: str) -> Asked | Wording:
    """The field as it can be asked, or why it cannot."""
    field = read.field
    if field.identifier.lower() == "y":
        return IDENTIFIER
    if field.field_type in {"radio", "dropdown", "yesno", "truefalse"}:
        return _of_choices(read, short)
    low, high = _range(read)
    if field.field_type == "slider" or (
        field.field_type == "text"
        and field.text_validation_type_or_show_slider_number in _NUMBERS
        and low < high
    ):
        if low >= high:
            return ODD_RANGE
        labels = [spoken(each) for each in field.select_choices_or_calculations.split("|")]
        return Asked(read, short, (), (low, high), (labels[0] or str(low), labels[-1] or str(high)))
    return _why_not(field)


def _why_not(field: Field) -> Wording:
    validated = field.text_validation_type_or_show_slider_number
    if field.field_type == "text" and validated in _NUMBERS:
        return NO_ENDS
    if field.field_type == "text" and validated.startswith(("date", "time")):
        return MOMENT
    return NOT_ASKED.get(field.field_type, NOT_ASKED["text"])


def _of_choices(read: ReadField, short: str) -> Asked | Wording:
    if not all(_WHOLE.fullmatch(code) for code, _ in read.choices):
        return CODES
    choices = tuple(sorted((int(float(code)), label) for code, label in read.choices))
    if len({value for value, _ in choices}) < max(2, len(choices)):
        return CODES
    (low, at_low), (high, at_high) = choices[0], choices[-1]
    return Asked(read, short, choices, (low, high), (at_low, at_high))


def _range(read: ReadField) -> Ends:
    """The range of a slider or a number; (0, 0) for a text that has none."""
    field = read.field
    low, high = field.text_validation_min, field.text_validation_max
    if field.field_type == "slider":
        low, high = low or "0", high or "100"
    if not (_WHOLE.fullmatch(low) and _WHOLE.fullmatch(high)):
        return 0, 0
    return int(float(low)), int(float(high))
