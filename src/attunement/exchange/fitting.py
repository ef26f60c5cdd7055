"""Whether an entry fits the shelf: its instrument is there, in this version, and takes such an answer or total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, TotalEntry, asked_now, described
from attunement.exchange.raw import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.exchange.entries import Entry
    from attunement.exchange.rows import Row
    from attunement.instruments import Instrument, Item, Scale


def refuse_unknown(entry: Entry, shelf: Mapping[str, Instrument]) -> None:
    """Refuse, before it is written, an entry that could not be read again.

    Raises
    ------
    InputError
        Where its instrument, version, item or scale is not on the shelf.
    """
    if not isinstance(entry, AnswersEntry | TotalEntry):
        return
    version = entry.version if isinstance(entry, AnswersEntry) else ""
    instrument = described(shelf, entry.instrument, version) or shelf.get(entry.instrument)
    if instrument is None:
        raise InputError(
            f"The shelf has no instrument {shown(entry.instrument)}, whose numbers are to be written."
        )
    if isinstance(entry, TotalEntry):
        if entry.scale not in {scale.id for scale in instrument.scales}:
            raise InputError(f"A total is of {shown(entry.scale)}, which is no scale of {instrument.id}.")
        return
    if entry.version != instrument.version:
        raise InputError(
            f"Answers to {instrument.id} are of version {shown(entry.version)}, and the shelf has "
            f"{shown(instrument.version)}; two versions are not mixed."
        )
    for name in entry.answers.keys() - {item.id for item in instrument.items}:
        raise InputError(f"An answer is to {shown(name)}, which is no item of {instrument.id}.")


def instrument_at(row: Row, column: str, shelf: Mapping[str, Instrument]) -> Instrument:
    """Return the instrument that a cell names."""
    name = row.code(column)
    if name not in shelf:
        row.refuse(
            column, f"{shown(name)} is no instrument here; load it first. There is {_listed(_ids(shelf))}"
        )
    return shelf[name]


def versioned_at(row: Row, column: str, version: str, shelf: Mapping[str, Instrument]) -> Instrument:
    """Return the instrument that a cell names, in the version that another says; what is asked now if none."""
    said = row.text(version)
    found = described(shelf, row.text(column), said) if said else None
    if found is not None:
        return found
    now = instrument_at(row, column, shelf)
    if said:
        row.refuse(
            version, f"{shown(said, 20)} is not the version here, {shown(now.version, 20)}; two are not mixed"
        )
    return now


def _ids(shelf: Mapping[str, Instrument]) -> dict[str, Instrument]:
    return {each.id: each for each in asked_now(shelf)}


def item_at(row: Row, column: str, instrument: Instrument) -> Item:
    """Return the item that a cell names."""
    name = row.text(column)
    for item in instrument.items:
        if item.id == name:
            return item
    items = {item.id: item for item in instrument.items}
    return row.refuse(
        column, f"{shown(row.code(column))} is no item of {instrument.id}; it has {_listed(items)}"
    )


def scale_at(row: Row, column: str, instrument: Instrument) -> Scale:
    """Return the scale that a cell names."""
    name = row.text(column)
    for scale in instrument.scales:
        if scale.id == name:
            return scale
    scales = {scale.id: scale for scale in instrument.scales}
    return row.refuse(
        column, f"{shown(row.code(column))} is no scale of {instrument.id}; it has {_listed(scales)}"
    )


def answer_at(row: Row, column: str, instrument: Instrument, item: Item) -> float | None:
    """Return an answer that can be given to the item; None where the cell is empty."""
    return fitting_answer(row, column, instrument, item, row.number_or_none(column))


def fitting_answer(
    row: Row, column: str, instrument: Instrument, item: Item, value: float | None
) -> float | None:
    """Return an answer, or refuse one that cannot be given to the item."""
    if value is None:
        return None
    if instrument.holds(item, value):
        return value
    choices = [f"{choice.value}" for choice in instrument.choices_of(item)]
    ends = f"a number from {instrument.ends.low} to {instrument.ends.high}"
    return row.refuse(
        column, f"{value:g} is no answer to it; it takes {_listed(dict.fromkeys(choices)) or ends}"
    )


def total_at(row: Row, column: str, instrument: Instrument, scale: Scale) -> float | None:
    """Return a total within the scale; None where the cell is empty."""
    value = row.number_or_none(column)
    low, high = instrument.bounds(scale)
    if value is not None and not low <= value <= high:
        row.refuse(column, f"{value:g} is no total of {instrument.id}, which go from {low:g} to {high:g}")
    return value


def _listed(names: Mapping[str, object], most: int = 8) -> str:
    named = list(names)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return f"{', '.join(named[:most])}{more}"
