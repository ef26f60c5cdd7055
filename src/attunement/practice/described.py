"""What was asked: the description of an instrument beside its rows, ours or one that the practice has loaded."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.instruments import catalogue, from_table, instrument, of_others, score
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.instruments import Instrument

OURS: Final = frozenset(each.id for each in catalogue())
MOST: Final = 200
"""So many instruments a practice keeps; far more than anybody asks."""


class Readable(Protocol):
    """Rows that can be read; what leaves a practice knows no more of a vault than this."""

    def all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """Return what is asked for."""


def shelf(rows: Readable) -> dict[str, Instrument]:
    """Return all instruments by id: ours, those loaded in their last version, the others without words."""
    found = rows.all(sa.select(tables.instrument).order_by(tables.instrument.c.at))
    return {each.id: each for each in (*of_others(), *(read(row["body"]) for row in found), *catalogue())}


def to_ask(rows: Readable, name: str) -> Instrument:
    """Return the instrument of that id that can be asked here.

    Raises
    ------
    InputError
        Where there is none; it names those that there are.
    """
    if name in OURS:
        return instrument(name)
    loaded = {each.id: each for each in loaded_to_ask(rows)}
    if name in loaded:
        return loaded[name]
    names = sorted({*OURS, *loaded})
    if name in {each.id for each in of_others()}:
        raise InputError(f"The words of {name} are not here, so nobody can be asked; load them first.")
    raise InputError(f"There is no instrument {name}; there is {', '.join(names)}.")


def loaded_to_ask(rows: Readable) -> tuple[Instrument, ...]:
    """Return what was loaded and can be asked, in the order of ids."""
    table = tables.instrument
    found = rows.all(sa.select(table).where(table.c.ended.is_(None)).order_by(table.c.name))
    return tuple(read(row["body"]) for row in found)


def with_description(query: sa.Select[Any]) -> sa.Select[Any]:
    """Add, to a query of check-ins, what `description` reads."""
    kept, answered = tables.instrument, tables.check_in
    same = sa.and_(kept.c.name == answered.c.instrument, kept.c.version == answered.c.version)
    return query.add_columns(kept.c.body.label("description")).outerjoin(kept, same)


def description(row: Mapping[str, Any]) -> Instrument:
    """Return what a check-in answered: one that was loaded, in its version, or one that is shipped."""
    return read(row["description"]) if row["description"] else instrument(row["instrument"])


@lru_cache(maxsize=MOST)
def read(body: str) -> Instrument:
    """Return an instrument as the practice keeps it."""
    return from_table(json.loads(body))


def main_score(row: Mapping[str, Any]) -> float | None:
    """What a check-in comes to, as one number; None where too little was answered, or it cannot be scored."""
    asked = description(row)
    return None if asked.unscored else score(asked, asked.complete(json.loads(row["answers"]))).main.value
