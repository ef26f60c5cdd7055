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
    from collections.abc import Iterable, Mapping

    from attunement.instruments import Instrument

OURS: Final = frozenset(each.id for each in catalogue())
MOST: Final = 200
"""So many instruments a practice keeps; far more than anybody asks."""


class Readable(Protocol):
    """Rows that can be read; what leaves a practice knows no more of a vault than this."""

    def all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        """Return what is asked for."""


def shelf(rows: Readable) -> dict[str, Instrument]:
    """Return all instruments: by id as they are asked now, and each version that was ever loaded by ``id|version``.

    What is retired stands under its id only where nothing else does.
    """
    found = rows.all(sa.select(tables.instrument).order_by(tables.instrument.c.at))
    kept = [(read(row["body"]), row["ended"] is None) for row in found]
    loaded = {each.id for each, _ in kept}
    shipped = (each for each in of_others() if each.id in loaded)
    by_version = {f"{each.id}|{each.version}": each for each in (*shipped, *(each for each, _ in kept))}
    retired = {each.id: each for each, asked in kept if not asked}
    asked = {each.id: each for each, asked in kept if asked}
    return (
        retired
        | {each.id: each for each in of_others()}
        | asked
        | {each.id: each for each in catalogue()}
        | by_version
    )


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


def invited_to(rows: Readable, name: str, version: str | None) -> Instrument | None:
    """Return what an invitation asked, in the version of that moment, also where it is asked no longer.

    What is sent by it is taken until it ends: a client's answers are not lost because words were changed meanwhile.
    """
    if name in OURS:
        return instrument(name)
    table = tables.instrument
    found = rows.all(sa.select(table).where(table.c.name == name, table.c.version == version))
    return read(found[0]["body"]) if found else None


def is_asked(rows: Readable, name: str) -> bool:
    """Whether an instrument is asked still, in whatever version."""
    return name in OURS or any(each.id == name for each in loaded_to_ask(rows))


def series(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Part check-ins by what can be compared: by instrument, and by version where versions count otherwise.

    The latest version goes by the instrument's id, an earlier one that counts otherwise by ``id, version``.
    """
    found = list(rows)
    latest = {row["instrument"]: description(row) for row in sorted(found, key=lambda row: row["at"])}
    parted: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        asked, now = description(row), latest[row["instrument"]]
        name = asked.id if counts_as(asked, now) else f"{asked.id}, version {asked.version}"
        parted.setdefault(name, []).append(row)
    return parted


def counts_as(one: Instrument, other: Instrument) -> bool:
    """Whether the scores of two versions can be compared: the same items, answers and scales, whatever the words."""
    return one is other or _key(one) == _key(other)


def _key(asked: Instrument) -> tuple[Any, ...]:
    items = tuple(
        (
            item.id,
            item.reverse,
            item.apart,
            item.risk_from,
            tuple(each.value for each in asked.choices_of(item)),
        )
        for item in asked.items
        if not item.apart or item.risk_from is not None
    )
    scales = tuple(
        (each.id, each.items, each.method, each.factor, each.higher, each.at_least) for each in asked.scales
    )
    return asked.ends.low, asked.ends.high, items, scales


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
