"""A table that somebody already has: shown before anything is kept, and taken in as a whole."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement.errors import InputError
from attunement.exchange.incoming import counted, entries_of, kind_of, told
from attunement.exchange.recipes import recipes
from attunement.practice.crossing import at_most
from attunement.web.reading import Preview, read_table

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.exchange.formats import Kind
    from attunement.web.page import Ask

SHOWN: Final = 5
"""Rows of a table that are shown before it is taken in."""


def ask_for_table(ask: Ask) -> Response:
    """Ask for the file."""
    return _asked(ask)


def preview(ask: Ask) -> Response:
    """Show how the table was understood; nothing is kept yet."""
    what = ask.form.know("what").optional("what", *(each.id for each in recipes())) or ""
    if ask.upload is None or not ask.upload[1]:
        return _asked(ask, "Please choose a file first.")
    name, content = ask.upload
    kind: Kind | None = "recipe" if what else kind_of(content, name)
    if kind is not None:
        return _entries(ask, name, content, kind, {"of": what} if what else {})
    return _previewed(ask, name, content, {}, "")


def take_entries(ask: Ask) -> Response:
    """Take in what another system gave, all of it or nothing."""
    shown, found = ask.signed_in.kept.pop("entries", ("", ()))
    if not found or ask.form.know("shown").text("shown", most=64) != shown:
        return ask.go("/import", "Please choose the file again.")
    taken = ask.practice.take_in_entries(found)
    said = (
        f"Taken in: {taken.clients:,} clients, {taken.sessions:,} sessions, {taken.answers:,} answered instruments, "
        f"{taken.totals:,} totals; {taken.there:,} were there already."
    )
    if taken.at_risk:
        said += f" Please look: the latest answers of {taken.at_risk:,} ask for a look at somebody’s safety."
    return ask.go("/today" if taken.at_risk else "/caseload", said)


def preview_again(ask: Ask) -> Response:
    """Show it anew, with the columns, the scale or the therapist that were chosen."""
    kept = ask.signed_in.kept.get("table")
    if kept is None:
        return ask.go("/import", "Please choose the file again.")
    name, content = kept
    form = ask.form.know("client", "session", "time", "score", "therapist", "whose", "low", "high", "name")
    mapping = {key: form.text(key, most=200) for key in ("client", "session", "time", "score", "therapist")}
    return _previewed(
        ask, name, content, {k: v for k, v in mapping.items() if v}, form.text("whose", most=200)
    )


def take(ask: Ask) -> Response:
    """Take the table in, all of it or nothing."""
    from attunement.trajectories import Measure  # noqa: PLC0415 - most of a second, for this alone

    form = ask.form.know("name", "low", "high", "established")
    found: Preview | None = ask.signed_in.kept.get("preview")
    if found is None:
        return ask.go("/import", "Please choose the file again.")
    low = form.number("low", low=-1e6, high=1e6, called="The lowest score")
    high = form.number("high", low=-1e6, high=1e6, called="The highest score")
    if low is None or high is None or low >= high:
        raise InputError("The ends of the scale are two numbers, the lower one first.")
    outside = found.ratings.filter(~pl.col("score").is_between(low, high)).height
    if outside:
        raise InputError(f"{outside} of the scores lie outside {low:g} to {high:g}; please correct the ends.")
    established = form.number("established", low=low, high=high, called="Established")
    measure = Measure(low, high) if established is None else Measure(low, high, established)
    taken = ask.practice.take_in(
        found.ratings, form.text("name", most=80, least=1, called="The name"), measure
    )
    for each in ("table", "preview"):
        ask.signed_in.kept.pop(each, None)
    said = f"Taken in: {taken.ratings:,} rated sessions, {taken.clients:,} new clients."
    return ask.go("/caseload", said)


def _previewed(ask: Ask, name: str, content: bytes, mapping: dict[str, str], whose: str) -> Response:
    try:
        found = read_table(name, content, mapping, whose)
    except InputError as problem:
        ask.signed_in.kept.pop("preview", None)
        return _asked(ask, str(problem))
    ask.signed_in.kept |= {"table": (name, content), "preview": found}
    return ask.page("import_preview.html", name=name, found=found, rows=found.ratings.head(SHOWN).to_dicts())


def _entries(ask: Ask, name: str, content: bytes, kind: Kind, settings: dict[str, Any]) -> Response:
    """Show what another system gave; nothing is kept yet."""
    notes: list[str] = []
    try:
        found = at_most(entries_of(content, kind, name, ask.practice.shelf(), note=notes.append, **settings))
    except InputError as problem:
        ask.signed_in.kept.pop("entries", None)
        return _asked(ask, " ".join((str(problem), *notes)))
    shown = token_hex(16)
    ask.signed_in.kept["entries"] = (shown, found)
    return ask.page(
        "import_entries.html", name=name, counted=counted(found), first=[told(each) for each in found[:SHOWN]],
        more=max(0, len(found) - SHOWN), shown=shown, notes=notes,
    )  # fmt: skip


def _asked(ask: Ask, said: str = "") -> Response:
    return ask.page("import.html", 400 if said else 200, said=said, recipes=recipes())
