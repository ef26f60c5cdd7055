"""Handing a client over: to whom and how, and what has been offered to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from attunement.errors import InputError
from attunement.practice.policy import Role
from attunement.web.words import word

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.web.page import Ask

_USUAL_COVER: Final = timedelta(days=14)


def hand_over(ask: Ask) -> Response:
    """Show to whom a client can be handed over."""
    return _form(ask)


def offer(ask: Ask) -> Response:
    """Offer a client to a colleague."""
    form = ask.form.know("to", "kind", "until", "course")
    try:
        kind = form.choice("kind", "transfer", "cover")
        until = form.when("until", "The end of a cover") if kind == "cover" else None
        to = form.text("to", most=32, least=1, called="To whom")
        ask.practice.offer(
            ask.code, to, kind="cover" if until else "transfer", until=until, course=form.ticked("course")
        )
    except InputError as problem:
        return _form(ask, str(problem), 400)
    return ask.go("/handovers", word("handover_offered", ask.language, to=to))


def handovers(ask: Ask) -> Response:
    """Show what is offered to one, and what one has offered."""
    return _list(ask)


def accept(ask: Ask) -> Response:
    """Take a client on from a colleague, by a code of one's own."""
    form = ask.form.know("client")
    try:
        typed = form.text("client", most=80, least=1, called="Your code for this client")
        taken = ask.practice.accept(ask.request.path_params["handover"], typed)
    except InputError as problem:
        return _list(ask, str(problem), 400)
    return ask.go(
        f"/clients/{taken.client.code}", word("handover_taken", ask.language, code=taken.client.code)
    )


def decline(ask: Ask) -> Response:
    """Say no to an offer."""
    ask.form.know()
    ask.practice.decline(ask.request.path_params["handover"])
    return ask.go("/handovers", word("handover_declined", ask.language))


def withdraw(ask: Ask) -> Response:
    """Take an offer back, or end a cover."""
    ask.form.know()
    ask.practice.withdraw_handover(ask.request.path_params["handover"])
    return ask.go("/handovers", word("handover_withdrawn", ask.language))


# -- inside


def _form(ask: Ask, said: str = "", status: int = 200) -> Response:
    agenda = ask.practice.agenda(ask.code)
    me = ask.signed_in.account
    there = [
        each
        for each in ask.practice.accounts()
        if each.ended is None and Role.THERAPIST in each.roles and each.code != me
    ]
    return ask.page(
        "hand_over.html", status, language=ask.language, dyad=agenda.standings[0].dyad, colleagues=there, said=said,
        usual=(agenda.now + _USUAL_COVER).astimezone(),
    )  # fmt: skip


def _list(ask: Ask, said: str = "", status: int = 200) -> Response:
    me, found = ask.signed_in.account, ask.practice.handovers()
    return ask.page(
        "handovers.html", status, language=ask.language, said=said,
        coming=[each for each in found if each.recipient == me and each.state == "offered"],
        taken=[each for each in found if each.recipient == me and each.state == "accepted"],
        given=[each for each in found if each.sender == me],
    )  # fmt: skip
