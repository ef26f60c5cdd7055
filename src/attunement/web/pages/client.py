"""One client: one timeline of both sides, in a chart, a sentence and a table; and everything that is done with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from attunement.errors import InputError, Locked, Refused
from attunement.instruments import instrument
from attunement.sessions import ABOUT, ATTENDANCE, ENDINGS, PLANNED, Purpose
from attunement.steps import named, suggestions
from attunement.timeline import Course, timeline
from attunement.web.attention import cases
from attunement.web.page import qr
from attunement.web.pages.steps import they_say
from attunement.web.pages.today import LATELY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from attunement.concerns import Concern
    from attunement.findings import Finding, NotYet
    from attunement.instruments import Scale, ScaleScore
    from attunement.practice import Invited
    from attunement.ruptures.ruptures import Looked
    from attunement.sessions import CheckIn, Reflection, Session, Step
    from attunement.web.attention import Case
    from attunement.web.page import Ask

OPEN_FOR: Final = {"72": "three days", "24": "one day", "168": "a week"}
_NARROW, _WIDE = 340, 720


def client(ask: Ask) -> Response:
    """Show one client's whole course."""
    agenda = ask.practice.agenda(ask.code)
    worked = ask.rooms.working.of(ask.practice, agenda)
    sessions, own = ask.practice.sessions(ask.code), _own(ask, ask.code)
    lately = {each.number for each in sessions if each.began >= agenda.now - LATELY}
    (case,) = cases(agenda, worked, {(ask.code, n): each for n, each in own.items() if n in lately})
    check_ins = ask.practice.check_ins(case.code)
    steps, concerns = ask.practice.steps(case.code), ask.practice.concerns(case.code)
    ask.signed_in.shown |= {(case.code, each.session) for each in check_ins}
    about = ask.query("about")
    course = _course(case, sessions, check_ins, steps, concerns, own)
    wide, narrow = timeline(course, _WIDE, _NARROW)
    return ask.page(
        "client.html", agenda=agenda, worked=worked, case=case, standing=case.standing, steps=steps, own=own,
        sessions=sessions, answered={each.session for each in check_ins}, concerns=concerns, wide=wide,
        narrow=narrow.themed(), course=course, latest=_latest(check_ins), torn=_torn(case),
        contacts=ask.practice.contacts(case.code), askable=agenda.loaded,
        purposes=Purpose, attendance=ATTENDANCE, planned=PLANNED, protocol=ask.rooms.door.protocol(),
        open_for=OPEN_FOR, about=about if about in ABOUT else "", named=named, abouts=ABOUT, suggestions=suggestions,
        they_say=they_say, now=agenda.now, local=datetime.now(UTC).astimezone(),
        latest_first=[each.number for each in reversed(sessions)][:12],
    )  # fmt: skip


# -- sessions and invitations


def log_session(ask: Ask) -> Response:
    """Log a session, or plan one."""
    form = ask.form.know("began", "attendance", "lateness")
    attendance = form.choice("attendance", *ATTENDANCE, PLANNED, called="Attendance")
    lateness = form.number("lateness", low=0, high=600, called="Minutes late")
    session = ask.practice.log_session(
        ask.code, form.when("began", "The beginning"), attendance=attendance, lateness=lateness
    )
    return ask.go(_at(ask), f"Session {session.number}: {session.attendance}.")


def change_session(ask: Ask) -> Response:
    """Say how a session went, or move it; one button changes it back."""
    form = ask.form.know("attendance", "lateness", "began")
    before = next((each for each in ask.practice.sessions(ask.code) if each.number == ask.number), None)
    if before is None:
        raise Refused("no such session")
    began = form.when("began", "The beginning") if form.secret("began") else None
    session = ask.practice.change_session(
        ask.code, ask.number, attendance=form.choice("attendance", *ATTENDANCE, PLANNED, called="Attendance"),
        lateness=form.number("lateness", low=0, high=600, called="Minutes late"), began=began,
    )  # fmt: skip
    back = {
        "attendance": before.attendance,
        "lateness": "" if before.lateness is None else f"{before.lateness:g}",
        "began": f"{before.began.astimezone():%Y-%m-%dT%H:%M}",
    }
    said = f"Session {session.number} is now: {session.attendance}."
    return ask.go(_at(ask), said, undo=(f"{_at(ask)}/sessions/{ask.number}", back))


def invite(ask: Ask) -> Response:
    """Make a link: shown once, as text and as QR; or hand the tablet over, with everything else locked."""
    form = ask.form.know("session", "instrument", "how", "hours")
    number = form.number("session", low=1, high=100_000, called="The session")
    if number is None or number != int(number):
        raise InputError("Please choose a session.")
    which = form.text("instrument", most=100, least=1, called="What is asked")
    hours = int(form.choice("hours", *OPEN_FOR, called="How long"))
    invited = ask.practice.invite(ask.code, int(number), instrument=which, open_for=timedelta(hours=hours))
    if form.choice("how", "link", "here", called="How") == "here":
        ask.rooms.visits.lock(ask.signed_in)
        return RedirectResponse(f"/c/{invited.token}?kiosk=yes", 303)
    return ask.page("invited.html", code=ask.code, **_link(ask, invited))


def withdraw(ask: Ask) -> Response:
    """Let a link work no longer."""
    ask.practice.withdraw_invitation(ask.request.path_params["invitation"])
    return ask.go(_at(ask), "That link works no longer; a new one is made in a moment.")


def _link(ask: Ask, invited: Invited) -> dict[str, Any]:
    box = ask.practice.drop_box
    address = f"{box or ask.rooms.url or ask.origin}/c/{invited.token}"
    return {
        "unheard": bool(box) and not ask.rooms.pulling.opened(ask.practice),
        "address": address, "qr": qr(address), "invitation": invited.invitation,
        "here_only": not (box or ask.rooms.url),
    }  # fmt: skip


# -- what else is done


def log_contact(ask: Ask) -> Response:
    """Write down that there was a message or a call."""
    form = ask.form.know("at", "kind", "begun_by")
    kind, begun = form.choice("kind", "message", "call"), form.choice("begun_by", "client", "therapist")
    ask.practice.log_contact(ask.code, form.when("at", "When"), kind=kind, begun_by=begun)  # type: ignore[arg-type]
    return ask.go(_at(ask), "Written down: that it was, not what was said.")


def consent(ask: Ask) -> Response:
    """Write down what the client agrees to, or no longer does."""
    form = ask.form.know("purpose", "given")
    purpose = Purpose(form.choice("purpose", *(each.value for each in Purpose), called="The purpose"))
    given = form.choice("given", "yes", "no", called="Whether they agree")
    undo = (f"{_at(ask)}/consents", {"purpose": purpose.value, "given": "no" if given == "yes" else "yes"})
    if given == "yes":
        ask.practice.give_consent(ask.code, purpose)
        return ask.go(_at(ask), f"They agree to {purpose}.", undo=undo)
    ask.practice.withdraw_consent(ask.code, purpose)
    return ask.go(_at(ask), f"They no longer agree to {purpose}.", undo=undo)


def show_curve(ask: Ask) -> Response:
    """Let the client see their own answers after a check-in, or no longer."""
    shown = ask.form.know("shown").choice("shown", "yes", "no") == "yes"
    ask.practice.show_curve(ask.code, shown=shown)
    said = (
        "They can look at their own answers after a check-in."
        if shown
        else "They see a thank-you, and no more."
    )
    return ask.go(_at(ask), said, undo=(f"{_at(ask)}/curve", {"shown": "no" if shown else "yes"}))


def end(ask: Ask) -> Response:
    """End with a client, or say how it ended; what is kept stays."""
    ending = ask.form.know("ending").optional("ending", *ENDINGS)
    (standing,) = ask.practice.agenda(ask.code).standings
    before = standing.dyad
    ask.practice.end(ask.code, ending)
    if before.ended is None:
        said = f"You have ended with {ask.code}; what is kept stays."
        return ask.go(_at(ask), said, undo=(f"{_at(ask)}/resume", {}))
    back = (f"{_at(ask)}/end", {"ending": before.ending or ""})
    return ask.go(_at(ask), "How it ended is written down.", undo=back)


def resume(ask: Ask) -> Response:
    """Go on with a client."""
    ask.form.know()
    ask.practice.resume(ask.code)
    return ask.go(_at(ask), f"You go on with {ask.code}.")


def raise_concern(ask: Ask) -> Response:
    """Write a concern into the record: a concern about safety is no private matter."""
    form = ask.form.know("why", "session")
    session = form.number("session", low=1, high=100_000, called="The session")
    why = form.words("why", most=2_000)
    ask.practice.raise_concern(ask.code, why, session=None if session is None else int(session))
    return ask.go(
        "/today", "Your concern is in the record, and stands first on Today until you say what was done."
    )


def close_concern(ask: Ask) -> Response:
    """Close a concern by what was done, and when; by whom is known."""
    form = ask.form.know("done", "done_at", "then")
    if ask.request.path_params["concern"] not in {each.id for each in ask.practice.concerns(ask.code)}:
        raise Refused("no such concern")
    ask.practice.close_concern(
        ask.request.path_params["concern"],
        form.words("done", most=2_000),
        form.when("done_at", "When it was done"),
    )
    return ask.go("/today" if form.secret("then") == "today" else _at(ask), "Closed, with what was done.")


# -- inside


def _at(ask: Ask) -> str:
    return f"/clients/{ask.code}"


def _own(ask: Ask, code: str) -> dict[int, Reflection]:
    """One's own reflections by session, or nothing while they are locked here."""
    if not ask.signed_in.unlocked:
        return {}
    try:
        return {each.session: each.reflection for each in ask.practice.reflections(code)}
    except Locked:
        return {}


def _course(
    case: Case, sessions: tuple[Session, ...], check_ins: tuple[CheckIn, ...], steps: tuple[Step, ...],
    concerns: tuple[Concern, ...], own: Mapping[int, Reflection],
) -> Course:  # fmt: skip
    measure = case.trajectory.measure if case.trajectory else None
    guesses = {number: _mean(each.guess) for number, each in own.items()}
    return Course(
        case.code, sessions, case.trajectory,
        low=measure.low if measure else 0, high=measure.high if measure else 10,
        state=_totals(check_ins, "state"),
        felt={number: each.connection for number, each in own.items() if each.connection is not None},
        guess={number: value for number, value in guesses.items() if value is not None},
        strain={number: each.strain for number, each in own.items() if each.strain},
        steps={_after(sessions, each.chosen): each.what for each in steps},
        repairs=_repairs(sessions, steps),
        concerns=frozenset(each.session for each in concerns if each.session is not None),
        ruptures=_ruptures(case),
    )  # fmt: skip


def _looked(case: Case) -> Looked | None:
    found = case.board.ruptures if case.board else None
    return found.looked_at(case.code) if found else None


def _torn(case: Case) -> Finding | NotYet | None:
    """What the ratings tell of ruptures with this client."""
    looked = _looked(case)
    found = case.board.ruptures if case.board else None
    return found.told(looked) if found and looked else None


def _ruptures(case: Case) -> dict[int, str]:
    """Where the ratings fell, and where they were back."""
    looked = _looked(case)
    if looked is None:
        return {}
    fell = {int(looked.sessions[each.alerted]): "fell" for each in looked.watched.episodes}
    back = {
        int(looked.sessions[each.back]): "back" for each in looked.watched.episodes if each.back is not None
    }
    return back | fell


def _mean(guess: Mapping[str, float | None]) -> float | None:
    """The guess of the rating: the mean of those lines that make the total."""
    counted = instrument("connection").scale("total").items
    given = [value for item in counted if (value := guess.get(item)) is not None]
    return sum(given) / len(given) if given else None


def _totals(check_ins: tuple[CheckIn, ...], which: str) -> dict[int, float]:
    scored = [(each.session, each.score) for each in check_ins if each.instrument == which]
    return {at: total for at, found in scored if found and (total := found.main.value) is not None}


def _after(sessions: tuple[Session, ...], at: datetime) -> int:
    """The session after which something was done."""
    return max((each.number for each in sessions if each.began <= at), default=1)


def _repairs(sessions: tuple[Session, ...], steps: tuple[Step, ...]) -> dict[int, str]:
    """Where the client last spoke of a step that was closed as repaired, or partly so."""
    found = {}
    for each in steps:
        if each.repaired in {"yes", "partly"}:
            said = [answer.session for answer in each.answers]
            found[said[-1] if said else _after(sessions, each.chosen)] = str(each.repaired)
    return found


def _latest(check_ins: tuple[CheckIn, ...]) -> dict[str, Any] | None:
    """The last check-in, line by line."""
    if not check_ins:
        return None
    last = check_ins[-1]
    asked = last.asked
    lines = [(item.wording.en, last.answers.get(item.id), item.apart) for item in asked.items]
    scored = last.score.scales if last.score and asked.words == "loaded" else ()
    return {
        "scores": [_scored(asked.scale(each.scale), each) for each in scored],
        "check_in": last,
        "lines": lines,
        "low": asked.ends.low,
        "high": asked.ends.high,
        "note": asked.note.en if asked.note else "",
    }


def _scored(scale: Scale, score: ScaleScore) -> str:
    """A score in words: of how many points, and what the published bands call it, with their source."""
    if score.value is None:
        return f"{scale.name.en}: not scored, too many lines skipped."
    value = score.value
    called = [f"{bands.of(value)} by {bands.source}" for bands in scale.bands]
    named = f"; {', or '.join(called)}" if called else ""
    return f"{scale.name.en}: {value:.4g} of {score.high:g}, higher is {score.higher}{named}."
