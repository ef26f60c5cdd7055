"""An `Instrument` becomes a table again, for a practice to keep: `from_table` of it is the same instrument."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from attunement.instruments.description import Choice, Ends, Instrument, Item, Wording

if TYPE_CHECKING:
    from collections.abc import Iterator


def to_table(instrument: Instrument) -> dict[str, Any]:
    """Return what an instrument says, in lists, tables, texts and numbers alone; what is left out has its default.

    >>> from attunement.instruments import from_table, instrument
    >>> from_table(to_table(instrument("state"))) == instrument("state")
    True
    """
    table = dict(_parts(instrument))
    if not instrument.items:
        table.pop("items", None)
    return table


def _parts(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any part of a description
    for field in fields(value):
        part = getattr(value, field.name)
        if part is None or part in ((), "") or (part == field.default and not isinstance(part, bool)):
            continue
        yield from _part(field.name, part, words=isinstance(value, Item | Choice))


def _part(name: str, part: Any, *, words: bool) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - as above
    if isinstance(part, Wording):
        both = {"en": part.en, "es": part.es}
        yield from both.items() if words else ((name, both),)
    elif isinstance(part, tuple):
        yield name, [dict(_parts(each)) if hasattr(each, "__dataclass_fields__") else each for each in part]
    elif isinstance(part, Ends) or hasattr(part, "__dataclass_fields__"):
        yield name, dict(_parts(part))
    else:
        yield name, part
