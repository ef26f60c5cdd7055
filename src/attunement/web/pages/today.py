"""Today: who is next, what they said, what wants attention first, what is still to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from attunement.errors import Locked
from attunement.web.attention import HELD, Weight, cases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from attunement.practice import Agenda, Due
    from attunement.sessions import CheckIn, Reflected, Reflection
    from attunement.web.attention import Case
    from attunement.web.page import Ask
    from attunement.web.working import Worked

TO_WRITE: Final = timedelta(days=7)
"""So long a session stays among those that are still to be reflected on."""
LATELY: Final = timedelta(days=35)
"""So far back one's own reflections are read for a page on everybody."""
GUESS_FIRST: Final = timedelta(hours=24)
MANY: Final = 12
_UNSCORED: Final = ("not scored, too many lines skipped", "answered, and not scored here")


def today(ask: Ask) -> Response:
    """Show the day."""
    agenda, worked, notes, found = looked(ask)
    now = datetime.now(UTC).astimezone()
    said = {case.code: last_words(ask, case, notes, agenda.now) for case in found}
    found = tuple(_ungiven(case) if said[case.code][1] else case for case in found)
    going_on = [case for case in found if not case.ended]
    sessions = sorted(
        (case for case in going_on if case.next and case.next.began.astimezone().date() <= now.date()),
        key=lambda case: case.next.began if case.next else agenda.now,
    )
    concerned = [case for case in found if case.standing.concerns]
    rest = [case for case in going_on if case not in sessions and (_wants(case) or said[case.code][1])]
    return ask.page(
        "today.html", agenda=agenda, worked=worked, now=now, concerned=concerned, sessions=sessions,
        rest=rest[:MANY], more=len(rest) - MANY, protocol=ask.rooms.door.protocol(), clients=len(going_on),
        to_write=to_write(found, notes, agenda.now) if ask.signed_in.unlocked else None,
        said=said, ahead=_ahead(going_on, now), due=_due(ask), wrong_tokens=ask.rooms.wrong_tokens,
    )  # fmt: skip


def looked(
    ask: Ask,
) -> tuple[Agenda, Worked | None, Mapping[tuple[str, int], Reflected], tuple[Case, ...]]:
    """Read how everybody stands; with one's own reflections only while they are unlocked here."""
    agenda = ask.practice.agenda()
    worked = ask.rooms.working.of(ask.practice, agenda)
    notes = notes_of(ask, agenda.now - LATELY)
    felt: dict[tuple[str, int], Reflection | None] = {key: each.reflection for key, each in notes.items()}
    return agenda, worked, notes, cases(agenda, worked, felt)


def notes_of(ask: Ask, since: datetime) -> Mapping[tuple[str, int], Reflected]:
    """Return one's own reflections, or nothing while they are locked here."""
    if not ask.signed_in.unlocked:
        return {}
    try:
        return ask.practice.reflected(since=since)
    except Locked:
        return {}


def to_write(
    found: tuple[Case, ...], notes: Mapping[tuple[str, int], Reflected], now: datetime
) -> list[tuple[str, int, datetime, bool]]:
    """Return sessions that are still to be reflected on: client, number, when, and whether one has begun to."""
    left = []
    for case in found:
        for session in case.standing.sessions:
            if session.attendance not in HELD or not now - TO_WRITE < session.began <= now:
                continue
            note = notes.get((case.code, session.number))
            if note is None or not note.reflection.finished:
                left.append((case.code, session.number, session.began, note is not None))
    return sorted(left, key=lambda each: each[2])


def last_words(
    ask: Ask, case: Case, notes: Mapping[tuple[str, int], Reflected], now: datetime
) -> tuple[str, int | None]:
    """Say what the last check-in said; not before one's own guess of a session of today, unless it was looked at."""
    last = case.standing.last
    if last is None:
        return "", None
    note = notes.get((case.code, last.session))
    guessed = note is not None and note.reflection.finished
    seen = (case.code, last.session) in ask.signed_in.shown
    began = next((each.began for each in case.standing.sessions if each.number == last.session), last.at)
    if last.instrument == "connection" and now - began < GUESS_FIRST and not guessed and not seen:
        return "They have checked in. Guess first, then look.", last.session
    return told(last), None


def told(last: CheckIn) -> str:
    """Say a check-in in a line: the total, what stands highest and lowest, what was skipped."""
    asked, found = last.asked, last.score
    answers, total = asked.complete(last.answers), found.main.value if found else None
    counted = {
        name: value for name, value in answers.items() if value is not None and not asked.item(name).apart
    }
    parts = [f"Session {last.session}: {asked.name.en.lower()} "]
    parts.append(
        f"{total:.1f} of {asked.bounds(asked.main)[1]:g}" if total is not None else _UNSCORED[found is None]
    )
    if counted and max(counted.values()) > min(counted.values()):
        low, high = min(counted, key=counted.__getitem__), max(counted, key=counted.__getitem__)
        parts.append(f"; highest {counted[high]:g} “{asked.item(high).wording.en.rstrip('.')}”")
        parts.append(f", lowest {counted[low]:g} “{asked.item(low).wording.en.rstrip('.')}”")
    return "".join(parts) + "."


def _due(ask: Ask) -> list[Due]:
    """What is due that stands nowhere else on the page: reflections have a place of their own."""
    return [each for each in ask.practice.due() if each.kind != "reflection"]


def _wants(case: Case) -> bool:
    """Whether something wants attention that does not stand first on the page already."""
    return any(reason.weight is not Weight.SAFETY for reason in case.reasons)


def _ungiven(case: Case) -> Case:
    """A case without what the answers say, while one's own guess is still to come."""
    return replace(case, reasons=tuple(each for each in case.reasons if each.weight is not Weight.HINDERED))


def _ahead(found: list[Case], now: datetime) -> list[Case]:
    """The next sessions after today."""
    later = [case for case in found if case.next and case.next.began.astimezone().date() > now.date()]
    return sorted(later, key=lambda case: case.next.began if case.next else now)[:5]
