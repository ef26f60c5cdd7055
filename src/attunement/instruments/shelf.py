"""Where instruments come from: the catalogue that is shipped, and a TOML text of one's own.

A practice that has the right to the words of a published questionnaire writes its file in the same form and
takes it with `loads`; the catalogue ships only words that are free for all.
"""

from __future__ import annotations

from functools import cache
from typing import get_args

from attunement.errors import InstrumentProblem
from attunement.instruments._fields import Fields
from attunement.instruments._files import parse, shipped
from attunement.instruments.description import (
    AskedOf,
    Ends,
    Higher,
    HowOften,
    Instrument,
    Item,
    Method,
    Scale,
    Wording,
)

_ASKED_OF: tuple[AskedOf, ...] = get_args(AskedOf)
_HOW_OFTEN: tuple[HowOften, ...] = get_args(HowOften)
_METHODS: tuple[Method, ...] = get_args(Method)
_HIGHER: tuple[Higher, ...] = get_args(Higher)


@cache
def catalogue() -> tuple[Instrument, ...]:
    """Return the instruments that are shipped, in the order of their ids."""
    return tuple(loads(text) for text in shipped())


def instrument(name: str) -> Instrument:
    """Return the shipped instrument of that id.

    Raises
    ------
    InstrumentProblem
        Where the catalogue has none of that id; it names those that it has.
    """
    found = {one.id: one for one in catalogue()}
    if name not in found:
        raise InstrumentProblem(f"The catalogue has no instrument {name!r}; it has {', '.join(found)}.")
    return found[name]


def loads(toml: str) -> Instrument:
    """Read an instrument from the text of its TOML file; the files in ``catalogue/`` show the form.

    Raises
    ------
    InstrumentProblem
        Where a field is missing, unknown or of another kind, or the parts do not fit together. The sentence
        names the instrument's id and the field.
    """
    table = parse(toml)
    fields = Fields(str(table.get("id") or "an instrument without id"), table)
    fields.know(*Instrument.__dataclass_fields__)
    return Instrument(
        id=fields.text("id"),
        name=fields.wording("name"),
        version=fields.text("version"),
        licence=fields.text("licence", "the terms that its words stand under, such as CC0-1.0"),
        source=fields.text("source", "who wrote it, and where it was published"),
        validated=fields.flag("validated"),
        note=fields.optional("note", fields.wording, None),
        asked_of=fields.word("asked_of", _ASKED_OF),
        how_often=fields.word("how_often", _HOW_OFTEN),
        intro=fields.wording("intro"),
        ends=_ends(fields.inner("ends")),
        items=tuple(_item(row) for row in fields.rows("items", "item")),
        scales=tuple(_scale(row) for row in fields.rows("scales", "scale")),
    )


def _ends(fields: Fields) -> Ends:
    fields.know("low", "high", "at_low", "at_high")
    return Ends(
        low=fields.whole("low"),
        high=fields.whole("high"),
        at_low=fields.wording("at_low"),
        at_high=fields.wording("at_high"),
    )


def _item(fields: Fields) -> Item:
    fields.know("id", "en", "es", "reverse", "apart", "risk_from")
    return Item(
        id=fields.text("id"),
        wording=Wording(fields.text("en"), fields.text("es")),
        reverse=fields.optional("reverse", fields.flag, without=False),
        apart=fields.optional("apart", fields.flag, without=False),
        risk_from=fields.optional("risk_from", fields.number, without=None),
    )


def _scale(fields: Fields) -> Scale:
    fields.know(*Scale.__dataclass_fields__)
    items = fields.names("items")
    return Scale(
        id=fields.text("id"),
        name=fields.wording("name"),
        items=items,
        method=fields.word("method", _METHODS),
        higher=fields.word("higher", _HIGHER),
        at_least=fields.optional("at_least", fields.whole, len(items)),
        established=fields.optional("established", fields.established, None),
        reliability=fields.optional("reliability", fields.published, None),
        sd=fields.optional("sd", fields.published, None),
    )
