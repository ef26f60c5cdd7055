"""What there is of one dyad to choose from for supervision; `Parts.only` then keeps what was ticked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attunement.findings import Finding
from attunement.instruments import instrument
from attunement.sessions import UNDATED
from attunement.supervising import Answer, Course, Feeling, Moment, Parts, Point, Rupture, Told, Tried
from attunement.wording import say, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from attunement.findings import NotYet
    from attunement.instruments.description import Language
    from attunement.ruptures import Ruptures
    from attunement.sessions import CheckIn, Reflection, Session, Step
    from attunement.trajectories import Trajectory


def to_choose_from(  # noqa: PLR0913 - each is one source
    language: Language, *, trajectory: Trajectory | None = None, ruptures: Ruptures | None = None,
    session: Session | None = None, check_in: CheckIn | None = None, reflection: Reflection | None = None,
    found: Iterable[Finding | NotYet] = (), steps: Sequence[Step] = (),
) -> Parts:  # fmt: skip
    """Gather what can be ticked.

    Parameters
    ----------
    language
        Of the report.
    trajectory, ruptures
        What was worked out of this dyad's ratings, and of the caseload's.
    session, check_in, reflection
        The moment: a session, the client's answers, and one's own reflection while it is open.
    found
        The pattern: findings from the mirror or the board.
    steps
        What was tried.
    """
    return Parts(
        course=course_of(trajectory, language) if trajectory else None,
        rupture=rupture_of(ruptures, trajectory.client, language) if ruptures and trajectory else None,
        moment=moment_of(session, check_in, reflection, language) if session else None,
        pattern=tuple(Told.of(each) for each in found),
        steps=tuple(Tried(_day(each.chosen), each.what, each.outcome) for each in steps),
    )


def course_of(trajectory: Trajectory, language: Language) -> Course:
    """Tell the course as the client's page does: state, depth, speed, and how it moved; each with its interval."""
    told = replace(trajectory, language=language)
    findings = (told.state, told.depth, told.speed)
    said = [each.sentence for each in findings] + [told.change_sentence]
    limits = [limit for each in findings if isinstance(each, Finding) for limit in each.limits]
    if told.shown and told.shown[0][0] == "falling":
        limits.append(say("supervision_falling_rate", language))
    points = tuple(Point(**row) for row in told.curve().to_dicts())
    low, high = told.measure.low, told.measure.high
    return Course(tuple(dict.fromkeys(said)), tuple(dict.fromkeys(limits)), low, high, points)


def rupture_of(ruptures: Ruptures, client: str, language: Language) -> Rupture | None:
    """Tell of a rupture with how often such an alert is wrong; None where nothing can be expected yet."""
    told = replace(ruptures, language=language)
    looked = told.looked_at(client)
    found = told.told(looked) if looked else None
    if looked is None or not isinstance(found, Finding):
        return None
    episodes = looked.watched.episodes
    fell = tuple(int(looked.sessions[each.alerted]) for each in episodes)
    back = tuple(int(looked.sessions[each.back]) for each in episodes if each.back is not None)
    limits = (*found.limits, *(each for each in (told.power_at_last(looked),) if each))
    return Rupture(found.sentence, tuple(dict.fromkeys(limits)), fell, back)


def moment_of(
    session: Session, check_in: CheckIn | None, reflection: Reflection | None, language: Language
) -> Moment:
    """Lay out one session: the client's answers, and one's own reflection part by part."""
    day = None if session.began == UNDATED else _day(session.began)
    moment = Moment(session.number, day)
    if check_in:
        asked = instrument(check_in.instrument)
        lines = ((getattr(item.wording, language), check_in.answers.get(item.id)) for item in asked.items)
        moment = replace(moment, most=float(asked.ends.high), answers=tuple(Answer(*each) for each in lines))
    if reflection is None:
        return moment
    felt = sorted(reflection.feelings.items(), key=lambda pair: -pair[1])
    whose = reflection.whose or ""
    return replace(
        moment,
        feelings=tuple(
            Feeling(_said(f"feeling_{word}", word, language), strength) for word, strength in felt
        ),
        whose=_said(f"supervision_own_whose_{whose}", whose, language),
        pull=tuple(_said(f"supervision_own_{each}", each, language) for each in reflection.pull),
        strain=tuple(_said(f"supervision_own_{each}", each, language) for each in reflection.strain),
        words=reflection.words.strip(),
    )


def _said(name: str, word: str, language: Language) -> str:
    """A word of a reflection in the language; as it was written where it is no word of ours."""
    known = name.replace(" ", "_").replace("'", "")
    return say(known, language) if word and known in sentences() else word


def _day(at: datetime) -> date:
    return at.astimezone().date()
