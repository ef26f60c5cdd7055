"""A description becomes an `Instrument`: from the TOML of a file, or from the table that a practice keeps.

Items without words are written by number: ``count = 9`` stands for ``item1`` to ``item9``, and a number in a list of
items for the item of that number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from attunement.instruments._fields import Fields, in_reach
from attunement.instruments._files import parse
from attunement.instruments.description import (
    AskedOf,
    Choice,
    Ends,
    Higher,
    HowOften,
    Instrument,
    Item,
    Language,
    Method,
    Scale,
    Wording,
    Words,
)
from attunement.instruments.published import Band, Bands, Change, Cutoff

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASKED_OF: tuple[AskedOf, ...] = get_args(AskedOf)
_HOW_OFTEN: tuple[HowOften, ...] = get_args(HowOften)
_METHODS: tuple[Method, ...] = get_args(Method)
_HIGHER: tuple[Higher, ...] = get_args(Higher)
_WORDS: tuple[Words, ...] = get_args(Words)
_LANGUAGES: tuple[Language, ...] = get_args(Language)
_MOST_ITEMS = 500
_NO_WORDS = Wording("(no words)", "(sin palabras)")


def loads(toml: str) -> Instrument:
    """Read an instrument from the text of its TOML file; the files in ``catalogue/`` show the form.

    Raises
    ------
    InstrumentProblem
        Where a field is missing, unknown or of another kind, or the parts do not fit together. The sentence
        names the instrument's id and the field.
    """
    return from_table(parse(toml))


def from_table(table: Mapping[str, Any]) -> Instrument:
    """Read an instrument from a table, as TOML or JSON have it.

    Raises
    ------
    InstrumentProblem
        As `loads`.
    """
    where = str(table.get("id") or "an instrument without id")
    languages = _languages(Fields(where, table))
    fields = Fields(where, table, languages)
    fields.know(*Instrument.__dataclass_fields__, "count", "reverse", "apart")
    words: Words = fields.optional("words", lambda name: fields.word(name, _WORDS), "shipped")
    ends = _ends(fields.inner("ends"))
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
        intro=fields.wording("intro") if words in {"shipped", "loaded"} else _NO_WORDS,
        ends=ends,
        items=() if words == "totals only" else _items(fields),
        scales=_scales(fields),
        choices=fields.optional("choices", lambda _: _choices(fields), ()),
        words=words,
        right=fields.optional("right", fields.text, None),
        credit=fields.optional("credit", fields.text, None),
        credited=fields.optional("credited", fields.flag, without=False),
        key=fields.optional("key", fields.text, ""),
        unscored=fields.optional("unscored", fields.text, None),
        loinc=fields.optional("loinc", fields.text, None),
        languages=languages,
    )


def _scales(fields: Fields) -> tuple[Scale, ...]:
    """The scales; none where nothing is known of how it is scored."""
    if "unscored" in fields.table and "scales" not in fields.table:
        return ()
    return tuple(_scale(row) for row in fields.rows("scales", "scale"))


def _ends(fields: Fields) -> Ends:
    fields.know("low", "high", "at_low", "at_high")
    low, high = fields.whole("low"), fields.whole("high")
    plain = {end: Wording(str(value), str(value)) for end, value in (("at_low", low), ("at_high", high))}
    return Ends(
        low, high, *(fields.optional(end, fields.wording, plain[end]) for end in ("at_low", "at_high"))
    )


def _languages(fields: Fields) -> tuple[Language, ...]:
    named: tuple[str, ...] = fields.optional("languages", fields.names, (*_LANGUAGES,))
    if not set(named) <= set(_LANGUAGES):
        fields.refuse(f"languages is {', '.join(named)}; it takes en, es, or both")
    return tuple(each for each in _LANGUAGES if each in named)


def _items(fields: Fields) -> tuple[Item, ...]:
    """Items with words, each a row; and those without, by number, to which a row may add."""
    count = fields.optional("count", fields.whole, 0)
    if not 0 <= count <= _MOST_ITEMS:
        fields.refuse(f"count is {count}; it takes a whole number up to {_MOST_ITEMS}")
    numbered = {f"item{number}": _numbered(number) for number in range(1, count + 1)}
    for flag in ("reverse", "apart"):
        for name in _named(fields, flag) if flag in fields.table else ():
            if name not in numbered:
                fields.refuse(f"{flag} names {name}, which is none of its {count} numbered items")
            numbered[name][flag] = True
    rows = fields.rows("items", "item") if "items" in fields.table or not count else []
    for row in rows:
        numbered.get(str(row.table.get("id")), {}).update(row.table)
    more = [row for row in rows if str(row.table.get("id")) not in numbered]
    return tuple(
        map(_item, (*(Fields(f"{fields.where}, item {name}", row) for name, row in numbered.items()), *more))
    )


def _numbered(number: int) -> dict[str, Any]:
    return {"id": f"item{number}", "en": f"Item {number}", "es": f"Ítem {number}"}


def _named(fields: Fields, name: str) -> tuple[str, ...]:
    """A list of ids, in which a number stands for the item of that number."""
    value = fields.table.get(name)
    if not isinstance(value, list):
        return fields.names(name)
    return replace(
        fields, table={name: [f"item{each}" if type(each) is int else each for each in value]}
    ).names(name)


def _item(fields: Fields) -> Item:
    fields.know("id", "en", "es", "reverse", "apart", "risk_from", "loinc", "choices")
    return Item(
        id=fields.text("id"),
        wording=fields.spoken(),
        reverse=fields.optional("reverse", fields.flag, without=False),
        apart=fields.optional("apart", fields.flag, without=False),
        risk_from=fields.optional("risk_from", fields.number, without=None),
        loinc=fields.optional("loinc", fields.text, None),
        choices=fields.optional("choices", lambda _: _choices(fields), ()),
    )


def _choices(fields: Fields) -> tuple[Choice, ...]:
    """Answers, each a row; or their values alone."""
    value = fields.table["choices"]
    if isinstance(value, list) and value and all(type(each) is int for each in value):
        return tuple(Choice(each) for each in value)
    return tuple(_choice(row) for row in fields.rows("choices", "choice"))


def _choice(fields: Fields) -> Choice:
    fields.know("value", "en", "es", "loinc")
    wording = fields.spoken() if {"en", "es"} & set(fields.table) else None
    return Choice(fields.whole("value"), wording, fields.optional("loinc", fields.text, None))


def _scale(fields: Fields) -> Scale:
    fields.know(*Scale.__dataclass_fields__)
    limits = fields.optional("limits", lambda _: _limits(fields), None)
    items = () if limits is not None and "items" not in fields.table else _named(fields, "items")
    return Scale(
        id=fields.text("id"),
        name=fields.wording("name"),
        items=items,
        method=fields.optional("method", lambda name: fields.word(name, _METHODS), "sum") if not items
        else fields.word("method", _METHODS),
        higher=fields.word("higher", _HIGHER),
        at_least=fields.optional("at_least", fields.whole, len(items)),
        established=fields.optional("established", fields.established, None),
        reliability=fields.optional("reliability", fields.published, None),
        sd=fields.optional("sd", fields.published, None),
        factor=fields.optional("factor", fields.number, 1.0),
        limits=limits,
        cutoffs=fields.optional("cutoffs", lambda name: tuple(map(_cutoff, fields.rows(name, "cutoff"))), ()),
        bands=fields.optional("bands", lambda name: tuple(map(_bands, fields.rows(name, "bands"))), ()),
        changes=fields.optional("changes", lambda name: tuple(map(_change, fields.rows(name, "change"))), ()),
        loinc=fields.optional("loinc", fields.text, None),
    )  # fmt: skip


def _limits(fields: Fields) -> tuple[float, float]:
    value = fields.table["limits"]
    if not (isinstance(value, list) and len(value) == 2 and all(map(in_reach, value))):
        fields.refuse(f"limits is {value!r}; it takes the lowest and the highest total, such as [0, 40]")
    return value[0], value[1]


def _cutoff(fields: Fields) -> Cutoff:
    fields.know("value", "side", "means", "source")
    side = fields.word("side", ("from", "up to"))
    return Cutoff(fields.number("value"), side, fields.text("means"), fields.text("source"))  # type: ignore[arg-type]


def _bands(fields: Fields) -> Bands:
    fields.know("id", "source", "bands")
    bands = fields.rows("bands", "band")
    for band in bands:
        band.know("start", "name")
    return Bands(
        fields.text("id"),
        fields.text("source"),
        tuple(Band(band.number("start"), band.text("name")) for band in bands),
    )


def _change(fields: Fields) -> Change:
    fields.know("points", "means", "source")
    means = fields.word("means", ("reliable", "meaningful"))
    return Change(fields.number("points"), means, fields.text("source"))  # type: ignore[arg-type]
