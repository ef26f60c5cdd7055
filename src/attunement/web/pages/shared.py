"""The supervisor's room: what is shared with them, for as long as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import Gone, InputError, KeyChanged, Locked
from attunement.practice.unlocked import IDLE
from attunement.reports.supervision import PAPERS, day_of, supervision_pdf
from attunement.web.pages.supervision import as_file
from attunement.web.pages.telling import on_page

if TYPE_CHECKING:
    from datetime import date

    from starlette.responses import Response

    from attunement.practice import Shared
    from attunement.reports.supervision import Paper
    from attunement.web.page import Ask


def shared(ask: Ask) -> Response:
    """Show what is shared with a supervisor, for as long as it is."""
    mine = [each for each in ask.practice.shares() if each.recipient == ask.signed_in.account]
    return ask.page("shared.html", shares=mine)


def open_shared(ask: Ask) -> Response:
    """Open what somebody has shared; what has ended reads like what never was."""
    if not ask.signed_in.unlocked:
        return _locked(ask)
    try:
        found = _found(ask)
        until = day_of(_until(found), "en")
        if found.kind == "report":
            report = ask.practice.open_report(found.id)
            return ask.page(
                "shared_report.html",
                share=found,
                until=until,
                report=report,
                shown=on_page(report),
                papers=PAPERS,
            )
        return ask.page(
            "shared_reflection.html", share=found, until=until, reflection=ask.practice.open_share(found.id)
        )
    except Locked:
        return _locked(ask)
    except KeyChanged as problem:
        return ask.page("shared_not_opened.html", 400, sender=found.sender, said=str(problem))
    except InputError as problem:
        return ask.page("shared_not_opened.html", sender=found.sender, said=str(problem))


def report_pdf(ask: Ask) -> Response:
    """Give a report that is shared as a tagged PDF."""
    if not ask.signed_in.unlocked:
        return _locked(ask)
    asked = ask.query("paper")
    paper: Paper = next((each for each in PAPERS if each == asked), "us-letter")
    try:
        found = _found(ask)
        report = ask.practice.open_report(found.id)
    except Locked:
        return _locked(ask)
    return as_file(supervision_pdf(report, paper=paper, until=_until(found)))


def _found(ask: Ask) -> Shared:
    """The share, if it is addressed to who asks and has not ended."""
    for each in ask.practice.shares():
        if each.id == ask.request.path_params["share"] and each.recipient == ask.signed_in.account:
            return each
    raise Gone


def _until(share: Shared) -> date:
    return share.expires.astimezone().date()


def _locked(ask: Ask) -> Response:
    return ask.page("unlock.html", then=ask.request.url.path, wrong=False, idle=IDLE)
