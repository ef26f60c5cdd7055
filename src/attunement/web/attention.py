"""What wants attention, and why: one list a client, the reason that weighs most first. Nothing that is only noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from attunement.conversation import HINDERING
from attunement.sessions import PLANNED, Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from attunement.practice import Agenda, Standing
    from attunement.sessions import Reflection, Session
    from attunement.trajectories import Trajectory
    from attunement.web.working import Board, Worked

WAITED: Final = timedelta(hours=3)
"""So long after a session a check-in is still on its way."""
OVER: Final = timedelta(hours=2)
"""So long after its beginning a planned session is over."""
LOOKED_BACK: Final = timedelta(days=21)
HELD: Final = frozenset({"held", "late"})
_OF_STRAIN: Final = frozenset({"strain", "rupture", "torn", None})
"""What a step is about that can repair a strain; one that says nothing of it, and was closed as repaired, can too."""
ERROR_RATE: Final = (
    "In simulated practices of 12 clients this was said of 2 in 410 who had not fallen, "
    "and of 35 in 40 who had."
)
"""As measured for docs/limitations.md, of the state *falling*."""


class Weight(IntEnum):
    """How much a reason weighs; the smaller, the more."""

    SAFETY = 0
    COURSE = 1
    RUPTURE = 2
    STRAIN = 3
    HINDERED = 4
    MISSING = 5
    STEP = 6


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody wants attention.

    Parameters
    ----------
    weight
        What comes first.
    badge, sentence
        In two words, and in one sentence with its uncertainty.
    rate
        How often such a reason is wrong, where it is an alert.
    about
        What a step that answers it would be about, one of `sessions.ABOUT`; empty where it asks for none.
    """

    weight: Weight
    badge: str
    sentence: str
    rate: str = ""
    about: str = ""

    @property
    def calls(self) -> bool:
        """Whether it is shown in the colour of attention; what is merely to be known is not."""
        return self.weight <= Weight.STRAIN


@dataclass(frozen=True, slots=True)
class Case:
    """One client, with their course and what wants attention.

    Parameters
    ----------
    standing
        From the agenda.
    board, trajectory
        The measure and the course, where there is one yet.
    reasons
        Those that weigh most first.
    next, last
        The next session planned, and the last one held.
    pending
        Whether the course is still being worked out.
    """

    standing: Standing
    board: Board | None
    trajectory: Trajectory | None = field(repr=False)
    reasons: tuple[Reason, ...]
    next: Session | None
    last: Session | None
    pending: bool = False

    @property
    def code(self) -> str:
        """The client's code."""
        return self.standing.code

    @property
    def word(self) -> str:
        """The state of the connection in a word or two."""
        if self.pending:
            return "being worked out"
        return self.trajectory.word if self.trajectory else "not rated yet"

    @property
    def ended(self) -> bool:
        """Whether they no longer come."""
        return self.standing.dyad.ended is not None

    @property
    def sentence(self) -> str:
        """One sentence on the connection, with its uncertainty."""
        if self.pending:
            return "The course is being worked out."
        if self.trajectory is None:
            return "No session has been rated yet."
        return self.trajectory.state.sentence

    @property
    def calls(self) -> bool:
        """Whether something here is more than merely to be known."""
        return any(each.calls for each in self.reasons)


def cases(
    agenda: Agenda, worked: Worked | None, noted: Mapping[tuple[str, int], Reflection | None]
) -> tuple[Case, ...]:
    """Return a case each, those that want attention first.

    Parameters
    ----------
    agenda, worked
        How everybody stands, and what was worked out.
    noted
        One's own reflections by (client, session), while they are unlocked here; else empty.
    """
    found = [_case(standing, agenda, worked, noted) for standing in agenda.standings]
    return tuple(sorted(found, key=_order))


def _case(
    standing: Standing,
    agenda: Agenda,
    worked: Worked | None,
    noted: Mapping[tuple[str, int], Reflection | None],
) -> Case:
    course = worked.of(standing.code) if worked else None
    board, trajectory = course or (None, None)
    planned = [each for each in standing.sessions if each.attendance == PLANNED]
    ahead = [each for each in planned if each.began > agenda.now - OVER]
    held = [each for each in standing.sessions if each.attendance in HELD and each.began <= agenda.now]
    last = max(held, key=lambda each: each.began, default=None)
    reasons = () if standing.dyad.ended and not standing.concerns else (
        *_safety(standing),
        *_course(trajectory),
        *_rupture(standing.code, board),
        *_strain(standing, noted),
        *_hindered(standing),
        *_unsaid(planned, agenda.now),
        *_missing(standing, last, agenda),
        *_step(standing),
    )  # fmt: skip
    following = min(ahead, key=lambda each: each.began, default=None)
    ordered = tuple(sorted(reasons, key=lambda each: each.weight))
    return Case(standing, board, trajectory, ordered, following, last, pending=worked is None)


def _order(case: Case) -> tuple[bool, int, str, str]:
    first = case.reasons[0].weight if case.reasons else Weight.STEP + 1
    return case.ended, first, case.next.began.isoformat() if case.next else "9", case.code


def _safety(standing: Standing) -> list[Reason]:
    return [
        Reason(
            Weight.SAFETY,
            "safety",
            ("Whoever covered for you" if each.covered else "You")
            + " wrote down a concern about their safety."
            if each.item is None
            else f"They answered {each.answer:g} of 10 to the line on thoughts of dying or hurting themselves.",
            "A line in a check-in is a reason to ask, not an assessment; a low answer does not mean safety.",
        )
        for each in standing.concerns
    ]


def _course(trajectory: Trajectory | None) -> list[Reason]:
    if trajectory is None or not trajectory.wants_a_look:
        return []
    rate = ERROR_RATE if trajectory.shown[0][0] == "falling" else ""
    return [Reason(Weight.COURSE, trajectory.word, trajectory.state.sentence, rate, about="course")]


def _rupture(client: str, board: Board | None) -> list[Reason]:
    """What the ratings tell of a rupture, while it is open."""
    found = board.ruptures.still_open.get(client) if board and board.ruptures else None
    if found is None:
        return []
    told, rate = found
    return [Reason(Weight.RUPTURE, "probable rupture", told.sentence, rate, about="rupture")]


def _strain(standing: Standing, noted: Mapping[tuple[str, int], Reflection | None]) -> list[Reason]:
    """What the therapist noted themselves, while it is not repaired; from the last session they reflected on."""
    mine = [(number, each) for (code, number), each in noted.items() if code == standing.code and each]
    if not mine:
        return []
    number, last = max(mine, key=lambda pair: pair[0])
    kinds = [each for each in ("withdrew", "confronted") if each in last.strain]
    if not kinds or "repaired" in last.strain or _repaired_since(standing, number):
        return []
    named = ", and it was named" if "named" in last.strain else ""
    sentence = (
        f"You noted that they {' and '.join(kinds)} in session {number}{named}; no repair is noted yet."
    )
    return [Reason(Weight.STRAIN, "strain", sentence, about="strain")]


def _repaired_since(standing: Standing, number: int) -> bool:
    """Whether a step that was chosen after that session, and was about it, was closed as repaired."""
    began = next((each.began for each in standing.sessions if each.number == number), None)
    return began is not None and any(
        each.chosen >= began and each.about in _OF_STRAIN for each in standing.repairs
    )


def _hindered(standing: Standing) -> list[Reason]:
    said = standing.said
    answer = said.answers.get("hindering") if said else None
    if said is None or answer is None or answer < HINDERING:
        return []
    sentence = f"They said of session {said.session} that something got in the way ({answer:g} of 10)."
    return [Reason(Weight.HINDERED, "something in the way", sentence, about="hindering")]


def _missing(standing: Standing, last: Session | None, agenda: Agenda) -> list[Reason]:
    if last is None or Purpose.CHECK_INS not in standing.agreed or last.number in standing.answered:
        return []
    if not WAITED < agenda.now - last.began < LOOKED_BACK:
        return []
    sent = [each for each in standing.invitations if each.session == last.number]
    works = any(each.expires > agenda.steady for each in sent)
    told = "its link still works" if works else "its link works no longer" if sent else "none was sent"
    sentence = f"There is no check-in for session {last.number}; {told}."
    return [Reason(Weight.MISSING, "no check-in", sentence)]


def _unsaid(planned: list[Session], now: datetime) -> list[Reason]:
    over = [str(each.number) for each in planned if each.began <= now - OVER]
    if not over:
        return []
    which = f"Session{'s' * (len(over) > 1)} {', '.join(over)}"
    sentence = f"{which} was planned; whether it was held is not written down yet."
    return [Reason(Weight.MISSING, "was it held?", sentence)]


def _step(standing: Standing) -> list[Reason]:
    return [Reason(Weight.STEP, "a step is open", f"You chose: {each.what}") for each in standing.steps[-1:]]
