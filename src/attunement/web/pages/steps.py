"""Steps: what is tried with whom, what they say of it, what came of it, and what has helped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import InputError, Refused
from attunement.sessions import ABOUT, REPAIRED
from attunement.steps import helped, named, suggestions, table
from attunement.web.page import points

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.findings import Finding, NotYet
    from attunement.sessions import Step
    from attunement.web.page import Ask


def steps(ask: Ask) -> Response:
    """Show the open steps, what has helped, and with whom what was tried."""
    mine = ask.practice.steps()
    closed: dict[str, list[Step]] = {}
    for each in mine:
        if each.outcome is not None:
            closed.setdefault(each.client, []).append(each)
    return ask.page(
        "steps.html", open=[each for each in mine if each.outcome is None], closed=dict(sorted(closed.items())),
        findings=_found(ask, mine), they_say=they_say, named=named,
    )  # fmt: skip


def choose(ask: Ask) -> Response:
    """Choose what to try next: one of what is suggested, or one's own words."""
    form = ask.form.know("what", "about", "pick")
    about = form.optional("about", *ABOUT)
    offered = suggestions(about) if about else ()
    picked = form.optional("pick", *(str(place) for place in range(1, len(offered) + 1)))
    what = form.text("what", most=500, called="The step") or (offered[int(picked) - 1] if picked else "")
    if not what:
        raise InputError("The step is still empty: choose one, or say it in your own words.")
    step = ask.practice.choose_step(ask.code, what, about)
    said = "Chosen. The check-in after your next session asks whether you two talked, and whether it helped."
    return ask.go(_at(ask), said, undo=(f"/clients/{ask.code}/steps/{step.id}/drop", {}))


def close(ask: Ask) -> Response:
    """Say what came of it, and whether something was repaired."""
    step, form = _own(ask), ask.form.know("outcome", "repaired", "then")
    outcome = form.text("outcome", most=500, least=1, called="What came of it")
    repaired = form.optional("repaired", *REPAIRED)
    ask.practice.close_step(step.id, outcome, repaired)
    then = "/steps" if form.secret("then") == "steps" else _at(ask)
    return ask.go(then, "Written down.", undo=(f"/clients/{ask.code}/steps/{step.id}/reopen", {}))


def reopen(ask: Ask) -> Response:
    """Take back what was said to have come of it."""
    step = _own(ask)
    ask.form.know()
    ask.practice.reopen_step(step.id)
    return ask.go(_at(ask), "The step is open again.")


def drop(ask: Ask) -> Response:
    """Take back a step that was chosen by mistake."""
    step = _own(ask)
    ask.form.know()
    ask.practice.drop_step(step.id)
    return ask.go(_at(ask), "That step is taken back; nobody was asked about it.")


def they_say(step: Step) -> list[str]:
    """Say what the client said of a step, a sentence a check-in."""
    return [
        f"In the check-in for session {each.session} they say that "
        + ("you two talked about it" if each.talked == "yes" else "you two did not talk about it")
        + ("." if each.helped is None or each.talked == "no" else f"; it helped {points(each.helped)} of 10.")
        if each.talked
        else f"In the check-in for session {each.session} they say that it helped {points(each.helped)} of 10."
        for each in step.answers
    ]


# -- inside


def _at(ask: Ask) -> str:
    return f"/clients/{ask.code}#steps"


def _own(ask: Ask) -> Step:
    """The step in the path, if it is one with this client."""
    for each in ask.practice.steps(ask.code):
        if each.id == ask.request.path_params["step"]:
            return each
    raise Refused("no such step")


def _found(ask: Ask, mine: tuple[Step, ...]) -> tuple[Finding | NotYet, ...]:
    """What clients say of these steps; the same answers are worked out once a visit, and forgotten with it."""
    if not mine:
        return ()
    laid = table(mine, ask.practice.who.code)
    kept: tuple[object, tuple[Finding | NotYet, ...]] | None = ask.signed_in.kept.get("helped")
    if kept is None or kept[0] != laid.rows():
        asked = helped(laid)
        kept = (laid.rows(), (asked.all, asked.talked, *asked.by_about.values()))
        ask.signed_in.kept["helped"] = kept
    return kept[1]
