"""What can be asked: what is known of instruments of others, and the words that the practice has the right to."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from attunement.errors import InputError, InstrumentProblem, Refused
from attunement.instruments import of_others
from attunement.instruments.telling import told
from attunement.instruments.words import form

if TYPE_CHECKING:
    from attunement.instruments import Instrument
    from attunement.web.page import Ask

HIGHER: Final = {"": "I do not know", "worse": "worse", "better": "better", "closer": "closer"}
_KEPT: Final = "instruments"


def instruments(ask: Ask) -> Response:
    """Show what is loaded, and what is known of the instruments of others."""
    return _page(ask)


def preview(ask: Ask) -> Response:
    """Show how words were understood; nothing is kept yet."""
    from attunement.exchange.incoming import instruments_of  # noqa: PLC0415 - for this alone

    posted = ask.form.know("right", "credit", "name", "higher")
    if ask.upload is None or not ask.upload[1]:
        return _page(ask, "Please choose a file first.", 400)
    file, content = ask.upload
    try:
        found = instruments_of(
            content, file, ask.practice.shelf(), posted.text("right", most=300),
            name=posted.optional("name", *_named()) or "", higher=posted.optional("higher", *HIGHER) or "",
        )  # fmt: skip
    except (InputError, InstrumentProblem) as problem:
        return _page(ask, str(problem), 400)
    credit = posted.text("credit", most=500)
    found = tuple(replace(each, credit=credit or each.credit) for each in found)
    shown = token_hex(16)
    ask.signed_in.kept[_KEPT] = (shown, found)
    return ask.page("instruments_preview.html", file=file, found=found, shown=shown)


def keep(ask: Ask) -> Response:
    """Keep what was shown, so that clients can be asked."""
    shown, found = ask.signed_in.kept.pop(_KEPT, ("", ()))
    if not found or ask.form.know("shown").text("shown", most=64) != shown:
        return ask.go("/instruments", "Please choose the file again.")
    ask.practice.load_instruments(*found)
    names = ", ".join(each.name.en for each in found)
    return ask.go("/instruments", f"Loaded: {names}. Clients can be asked from their pages.")


def retire(ask: Ask) -> Response:
    """Ask an instrument no longer."""
    ask.form.know()
    ask.practice.retire_instrument(ask.request.path_params["instrument"])
    return ask.go("/instruments", "It is asked no longer. What was answered stays.")


def facts(ask: Ask) -> Response:
    """Show what is known of one instrument of others."""
    return ask.page("instrument.html", each=_of_others(ask), told=told(_of_others(ask)))


def words(ask: Ask) -> Response:
    """Give an empty form for its words."""
    each = _of_others(ask)
    if not each.takes_words:
        raise Refused("no words are taken")
    named = {"content-disposition": f'attachment; filename="{each.id}.toml"'}
    return Response(form(each), media_type="application/toml", headers=named)


def _page(ask: Ask, said: str = "", status: int = 200) -> Response:
    return ask.page(
        "instruments.html", status, said=said, loaded=ask.practice.instruments(), others=of_others(), higher=HIGHER,
        named=_named(),
    )  # fmt: skip


def _named() -> tuple[str, ...]:
    return tuple(each.id for each in of_others() if each.takes_words)


def _of_others(ask: Ask) -> Instrument:
    found = {each.id: each for each in of_others()}.get(ask.request.path_params["instrument"])
    if found is None:
        raise Refused("no such instrument")
    return found
