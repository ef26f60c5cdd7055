"""Preparing supervision: a dyad, what of it is shown, a question, a look at exactly that, and until when."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from starlette.responses import Response

from attunement.errors import InputError, KeyChanged, Locked
from attunement.findings import Finding
from attunement.practice.policy import Role
from attunement.practice.unlocked import IDLE
from attunement.reports.choosing import to_choose_from
from attunement.reports.supervision import PAPERS, day_of, supervision_pdf
from attunement.sessions import PLANNED, Purpose
from attunement.supervising import LONGEST_QUESTION, TICKS, Parts, Report, pattern_tick
from attunement.supervising.report import OWN
from attunement.web.attention import cases
from attunement.web.pages.reflecting import unlocked_with
from attunement.web.pages.telling import on_page
from attunement.web.pages.today import looked
from attunement.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from attunement.instruments.description import Language
    from attunement.practice import Colleague
    from attunement.reports.supervision import Paper
    from attunement.sessions import Reflection, Session
    from attunement.web.attention import Case
    from attunement.web.page import Ask

DAYS: Final = {"7": "a week", "14": "two weeks", "30": "a month", "90": "90 days"}
LANGUAGES: Final = {"en": "English", "es": "Español"}
_FIRST: Final = 5  # suggestions
_LONGEST_WAIT: Final = 30.0  # seconds for what is found, before what is shared is looked at
_FIELDS: Final = (
    "session", "tick", "question", "supervisor", "days", "language", "paper", "again", "seen", "passphrase",
)  # fmt: skip
_CHANGED: Final = "Something has changed since you looked, so nothing was shared yet: please look once more."


@dataclass(frozen=True, slots=True)
class Choice:
    """What a therapist has chosen so far.

    Parameters
    ----------
    session
        The moment's, or None.
    ticks
        What is to be shown.
    question
        As it was typed.
    supervisor
        To whom; empty for nobody yet.
    days
        For how long.
    language, paper
        Of the report, and of its PDF.
    """

    session: int | None = None
    ticks: tuple[str, ...] = ()
    question: str = field(default="", repr=False)
    supervisor: str = ""
    days: str = "14"
    language: Language = "en"
    paper: Paper = "us-letter"


@dataclass(frozen=True, slots=True)
class Dyad:
    """What there is of one dyad, to be chosen from."""

    case: Case
    now: datetime
    sessions: tuple[Session, ...] = field(repr=False)
    parts: Parts = field(repr=False)
    agreed: bool
    colleagues: tuple[Colleague, ...]


def preparing(ask: Ask) -> Response:
    """Suggest what to bring to supervision, and show what one shares now."""
    agenda, worked, _, found = looked(ask)
    mine = [each for each in ask.practice.shares() if each.sender == ask.signed_in.account]
    coming = [each for each in found if not each.ended]
    first = [each for each in coming if each.calls][:_FIRST]
    others = sorted((each for each in coming if each not in first), key=lambda each: each.code)
    return ask.page("supervision.html", agenda=agenda, worked=worked, first=first, others=others, shares=mine)


def revoke(ask: Ask) -> Response:
    """Take a share back."""
    ask.form.know()
    ask.practice.revoke(ask.request.path_params["share"])
    return ask.go("/supervision", "Taken back: it opens no more. What was read cannot be un-known.")


# -- keys


def keys(ask: Ask) -> Response:
    """Show one's own fingerprint, and with whom one has compared."""
    return _keys(ask, "", 200)


def pin(ask: Ask) -> Response:
    """Trust somebody's key, by what they read aloud from their own screen."""
    form = ask.form.know("account", "fingerprint")
    account = form.text("account", most=32, least=1, called="Whose it is")
    typed = "".join(
        sign for sign in form.text("fingerprint", most=80, called="The fingerprint") if sign.isdigit()
    )
    if not ask.signed_in.unlocked:
        return _keys(ask, "", 200)
    try:
        ask.practice.pin(account, " ".join(typed[at : at + 5] for at in range(0, len(typed), 5)))
    except KeyChanged as problem:
        return _keys(ask, str(problem), 400)
    return ask.go(
        "/supervision/pins", f"Compared: from here on another key in the place of {account} is refused."
    )


def _keys(ask: Ask, said: str, status: int) -> Response:
    if not ask.signed_in.unlocked:
        return _locked(ask, "/supervision/pins")
    try:
        found = ask.practice.colleagues()
    except Locked:
        return _locked(ask, "/supervision/pins")
    own = ask.practice.fingerprint(ask.signed_in.account)
    return ask.page("supervision_pins.html", status, own=own, colleagues=found, said=said)


# -- choosing


def choose(ask: Ask) -> Response:
    """Ask what of one dyad is to be shown."""
    typed = ask.query("session", 6)
    return _form(ask, Choice(session=int(typed) if typed.isascii() and typed.isdigit() else None))


def preview(ask: Ask) -> Response:
    """Show exactly what a supervisor would see; nothing is shared yet."""
    form = ask.form.know(*_FIELDS)
    phrase = form.secret("passphrase")
    wrong = bool(phrase) and not unlocked_with(ask, phrase)
    try:
        choice = _choice(ask)
        if wrong:
            return _form(ask, choice, "That is not the passphrase; what you typed is still below.", 401)
        if form.ticked("again") or phrase:
            return _form(ask, choice)
        return _preview(ask, choice)
    except Locked:
        return _form(ask, choice, "", 401)


def share(ask: Ask) -> Response:
    """Share what was just looked at, as it was looked at."""
    try:
        choice, dyad, report = _looked_at(ask)
        if report is None:
            return _preview(ask, choice, _CHANGED)
        until = dyad.now + timedelta(days=int(choice.days))
        made = ask.practice.share_report(ask.code, report, choice.supervisor, until=until)
    except Locked:
        return _form(ask, _choice(ask), "", 401)
    except KeyChanged as problem:
        return _form(ask, _choice(ask), str(problem), 400)
    shown = day_of(made.expires.astimezone().date(), "en")
    return ask.go(
        "/supervision", f"Shared with {made.recipient} until {shown}. You can take it back at any time."
    )


def take_out(ask: Ask) -> Response:
    """Give the report to its owner as a file, which the journal remembers and nobody can take back."""
    try:
        choice, _, report = _looked_at(ask)
        if report is None:
            return _preview(ask, choice, _CHANGED)
        return as_file(supervision_pdf(ask.practice.take_out_report(ask.code, report), paper=choice.paper))
    except Locked:
        return _form(ask, _choice(ask), "", 401)


def as_file(pdf: bytes) -> Response:
    """A PDF to be kept, under a name that says of nobody."""
    return Response(
        pdf,
        media_type="application/pdf",
        headers={"content-disposition": 'attachment; filename="supervision.pdf"'},
    )


# -- inside


def _looked_at(ask: Ask) -> tuple[Choice, Dyad, Report | None]:
    """What was chosen; and the report, if it is still the one that was looked at."""
    ask.form.know(*_FIELDS)
    choice = _choice(ask)
    if not ask.signed_in.unlocked:
        raise Locked
    dyad = _dyad(ask, choice, settled=True)
    try:
        report = _report(ask, choice, dyad)
    except InputError:  # what was ticked is being worked out anew
        return choice, dyad, None
    return choice, dyad, report if _digest(report) == ask.form.secret("seen") else None


def _choice(ask: Ask) -> Choice:
    form = ask.form
    session = form.number("session", low=1, high=100_000, called="The session")
    ticks = (*TICKS, *(pattern_tick(place) for place in range(20)))
    return Choice(
        session=None if session is None else int(session),
        ticks=form.several("tick", *ticks),
        question=form.words("question", most=4 * LONGEST_QUESTION).strip(),
        supervisor=form.text("supervisor", most=32),
        days=form.optional("days", *DAYS) or "14",
        language=cast("Language", form.optional("language", *LANGUAGES) or "en"),
        paper=cast("Paper", form.optional("paper", *PAPERS) or "us-letter"),
    )


def _form(ask: Ask, choice: Choice, said: str = "", status: int = 200) -> Response:
    dyad = _dyad(ask, choice)
    return ask.page(
        "supervision_choose.html", status, dyad=dyad, choice=_settled(choice, dyad), said=said, days=DAYS,
        languages=LANGUAGES, papers=PAPERS, longest=LONGEST_QUESTION, own=OWN, supervisors=_supervisors(dyad),
        asks_for_passphrase=not ask.signed_in.unlocked, pattern_tick=pattern_tick, of_moment=_of_moment(dyad),
    )  # fmt: skip


def _preview(ask: Ask, choice: Choice, said: str = "") -> Response:
    if not ask.signed_in.unlocked and set(choice.ticks) & OWN:
        raise Locked
    dyad = _dyad(ask, choice, settled=True)
    try:
        report = _report(ask, choice, dyad)
    except InputError as problem:
        return _form(ask, choice, str(problem), 400)
    to = next((each for each in dyad.colleagues if each.account == choice.supervisor), None)
    until = (dyad.now + timedelta(days=int(choice.days))).astimezone().date()
    return ask.page(
        "supervision_preview.html", dyad=dyad, choice=choice, report=report, seen=_digest(report), said=said,
        to=to, until=day_of(until, "en"), unlocked=ask.signed_in.unlocked, shown=on_page(report), papers=PAPERS,
    )  # fmt: skip


def _report(ask: Ask, choice: Choice, dyad: Dyad) -> Report:
    today = dyad.now.astimezone().date()
    parts = dyad.parts.only(choice.ticks)
    return Report(ask.code, ask.signed_in.account, today, choice.question, parts, choice.language)


def _digest(report: Report) -> str:
    """What a report is known again by; of the day that it was made on, too."""
    return hashlib.sha256(report.as_json().encode()).hexdigest()


def _dyad(ask: Ask, choice: Choice, *, settled: bool = False) -> Dyad:
    """What there is of one dyad; where it is looked at and shared, all of it, however long that takes."""
    agenda = ask.practice.agenda(ask.code)
    worked = ask.rooms.working.of(ask.practice, agenda)
    (case,) = cases(agenda, worked, {})
    sessions = tuple(each for each in ask.practice.sessions(ask.code) if each.attendance != PLANNED)
    check_ins = {each.session: each for each in ask.practice.check_ins(ask.code)}
    chosen = choice.session if choice.session is not None else _likely(case, sessions)
    session = next((each for each in sessions if each.number == chosen), None)
    reflections: dict[int, Reflection] = {}
    colleagues: tuple[Colleague, ...] = ()
    if ask.signed_in.unlocked:
        reflections = {each.session: each.reflection for each in ask.practice.reflections(ask.code)}
        colleagues = ask.practice.colleagues()
    ask.signed_in.shown |= {(ask.code, number) for number in check_ins}
    parts = to_choose_from(
        choice.language, trajectory=case.trajectory, ruptures=case.board.ruptures if case.board else None,
        session=session, check_in=check_ins.get(chosen or 0), reflection=reflections.get(chosen or 0),
        found=(*_pattern(case), *_mirrored(ask, choice.language, settled=settled)), steps=ask.practice.steps(ask.code),
    )  # fmt: skip
    return Dyad(case, agenda.steady, sessions, parts, Purpose.SUPERVISION in case.standing.agreed, colleagues)


def _pattern(case: Case) -> tuple[Finding, ...]:
    """What else was found of this client; each has a tick of its own."""
    settles = case.trajectory.plateau if case.trajectory else None
    return (settles,) if isinstance(settles, Finding) else ()


def _mirrored(ask: Ask, language: Language, *, settled: bool) -> tuple[Finding, ...]:
    """What one's own side with this client tells, while it is open here; all of it or nothing, so that places stay."""
    if not ask.signed_in.unlocked:
        return ()
    asked = ("board", "feelings", "agreement", "signal")
    known = ask.rooms.understanding.of(ask.practice, ask.signed_in.opened, language, *asked)
    until = time.monotonic() + (_LONGEST_WAIT if settled else 0.0)
    while known.pending and time.monotonic() < until:
        time.sleep(0.1)
        known = ask.rooms.understanding.of(ask.practice, ask.signed_in.opened, language, *asked)
    if known.pending:
        return ()
    told = (
        each for name in asked if name in known.answers for each in known.answers[name].of.get(ask.code, ())
    )
    return tuple(each.found for each in told if isinstance(each.found, Finding))


def _likely(case: Case, sessions: tuple[Session, ...]) -> int | None:
    """The moment to begin with: where the ratings fell, or the last session."""
    ruptures = case.board.ruptures if case.board else None
    seen = ruptures.looked_at(case.code) if ruptures else None
    if seen and seen.watched.episodes:
        return int(seen.sessions[seen.watched.episodes[-1].alerted])
    return sessions[-1].number if sessions else None


def _settled(choice: Choice, dyad: Dyad) -> Choice:
    """The choice with the session that is shown."""
    moment = dyad.parts.moment
    return Choice(
        moment.session if moment else None, choice.ticks, choice.question, choice.supervisor, choice.days,
        choice.language, choice.paper,
    )  # fmt: skip


def _supervisors(dyad: Dyad) -> list[Colleague]:
    return [each for each in dyad.colleagues if Role.SUPERVISOR in each.roles]


def _of_moment(dyad: Dyad) -> list[tuple[str, str, str]]:
    """Of the moment, what can be ticked: its name, what it is called, and what it says."""
    return list(_parts_of_moment(dyad.parts)) if dyad.parts.moment else []


def _parts_of_moment(parts: Parts) -> Iterator[tuple[str, str, str]]:
    moment = parts.moment
    assert moment is not None  # noqa: S101 - asked before
    answered = [f"{each.points:g}" for each in moment.answers if each.points is not None]
    if moment.answers:
        yield "answers", "What they answered", f"{len(answered)} of {len(moment.answers)} lines"
    felt = ", ".join(f"{each.word} {number(each.strength, 0)}" for each in moment.feelings)
    told = {
        "feelings": ("What I felt", felt), "whose": ("Whose it is", moment.whose),
        "pull": ("What it pulled me to do", ", ".join(moment.pull)), "strain": ("Strain", ", ".join(moment.strain)),
        "words": ("My words", moment.words),
    }  # fmt: skip
    for name, (called, says) in told.items():
        if says:
            yield name, called, says


def _locked(ask: Ask, then: str) -> Response:
    return ask.page("unlock.html", then=then, wrong=False, idle=IDLE)
