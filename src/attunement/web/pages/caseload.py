"""The caseload: every client as a small picture, those who want attention first; to be searched by code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.sessions import Purpose
from attunement.web.pages.today import looked

if TYPE_CHECKING:
    from starlette.responses import Response

    from attunement.web.attention import Case
    from attunement.web.page import Ask

STATES: Final = ("attention", "falling", "stalled", "slow", "forming", "established", "not rated", "ended")


def caseload(ask: Ask) -> Response:
    """Show everybody, or those who are looked for."""
    agenda, worked, _, found = looked(ask)
    find, state = ask.query("find", 32), ask.query("state", 20)
    state = state if state in STATES else ""
    shown = [case for case in found if find.casefold() in case.code.casefold() and _is(case, state)]
    boards = [board for board in worked.boards if board.caseload is not None] if worked else []
    return ask.page(
        "caseload.html", agenda=agenda, worked=worked, found=found, shown=shown, find=find, state=state,
        states=STATES, boards=boards, tiles={case.code: tile(case) for case in shown},
        problems=[board.problem for board in worked.boards if board.problem] if worked else [],
    )  # fmt: skip


def take_on(ask: Ask) -> Response:
    """Take on a client; what was begun by mistake is ended by one button."""
    form = ask.form.know("client", "agreed")
    agreed = (Purpose.CHECK_INS,) if form.ticked("agreed") else ()
    dyad = ask.practice.take_on(form.text("client", most=40, least=1, called="The code"), agreed=agreed)
    path = f"/clients/{dyad.client.code}"
    return ask.go(path, f"{dyad.client.code} is one of your clients now.", undo=(f"{path}/end", {}))


def tile(case: Case) -> str:
    """Return the small picture of one course, or nothing."""
    return case.board.tiles.get(case.code, "") if case.board else ""


def _is(case: Case, state: str) -> bool:
    if state == "ended" or case.ended:
        return state == "ended" and case.ended
    if state == "attention":
        return case.calls
    if state == "not rated":
        return case.trajectory is None
    return not state or (case.trajectory is not None and case.trajectory.word.split(" or ")[0] == state)
