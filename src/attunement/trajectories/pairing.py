"""One client, two therapists: how the bond went with each, so that the client's part can be told from the pairing's.

A bond that goes alike with two is more likely the client's own; one that goes otherwise is not the client's alone. It
says nothing about who is the better therapist, and cannot: it is one client, at two times of their life.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

import polars as pl

from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories.trajectory import FROM
from attunement.wording import not_yet, number, say, signed

if TYPE_CHECKING:
    from attunement.trajectories.caseload import Caseload
    from attunement.trajectories.course import Course
    from attunement.trajectories.trajectory import Trajectory

ALIKE: Final = 2.0
"""Times what counts as a change within a course: two bonds whose difference lies within it for sure go alike."""


def pairing(courses: Caseload, client: str, now: str, before: str) -> Finding | NotYet:
    """Say how the bond of one client went with each of two therapists, at the same count of sessions.

    Parameters
    ----------
    courses
        Worked out from a table with both: one's own ratings, and `Practice.met_before` beneath.
    client
        The client, under the same code with both.
    now, before
        The two therapists; the difference is now less before.

    Returns
    -------
    Finding
        Its number is the difference in points at the latest session that both have reached, with its interval.

    Raises
    ------
    ColumnProblem
        Where one of the two never rated this client.
    """
    language = courses.language
    about = say("trajectory_about_pairing", language, name=client)
    both = [_with(courses, client, each) for each in (now, before)]
    fewest = min(each.rated.size for each in both)
    if fewest < FROM:
        so_far = say("rated_one" if fewest == 1 else "rated_some", language, rated=fewest)
        return not_yet(about, so_far, say("trajectory_from_pairing", language, number=FROM), language)
    missing = next((each.course for each in both if isinstance(each.course, NotYet)), None)
    if missing is not None:
        return not_yet(about, missing.missing, missing.supply, language)
    session = min(each.now for each in both)
    seen = [_depth(cast("Course", each.course), session) for each in both]
    apart = _apart(*seen)
    return Finding(
        about=about,
        sentence=_sentence(courses, seen, apart, session),
        estimate=apart,
        evidence=_evidence(seen, apart, session),
        limits=(
            say("trajectory_limit_pairing_why", language),
            say("trajectory_limit_pairing_time", language),
            *courses.limits,
        ),
    )


def _with(courses: Caseload, client: str, therapist: str) -> Trajectory:
    for each in courses:
        if (each.client, each.therapist) == (client, therapist):
            return each
    raise ColumnProblem(
        f"No session of the client {client!r} was rated with {therapist!r}; look at the codes."
    )


def _depth(course: Course, session: int) -> Estimate:
    return Estimate(*course.interval(session), unit="points")


def _apart(now: Estimate, before: Estimate) -> Estimate:
    """The difference; what is uncertain of each is in its interval, as of two who know nothing of each other."""
    value, reach = now.value - before.value, math.hypot(_reach(now), _reach(before))
    return Estimate(value, value - reach, value + reach, unit="points")


def _reach(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / 2


def _sentence(courses: Caseload, seen: list[Estimate], apart: Estimate, session: int) -> str:
    measure, language = courses.measure, courses.language
    ends: dict[str, Any] = {
        f"{end}_{which}": measure.told(getattr(each, end), language)
        for which, each in zip(("now", "before"), seen, strict=True)
        for end in ("value", "low", "high")
    }
    told = say(
        "trajectory_pairing", language, session=session, most=number(measure.high, 0, language), **ends
    )
    near = max(abs(apart.low), abs(apart.high)) <= ALIKE * measure.notable
    name = "apart" if apart.low > 0 or apart.high < 0 else "alike" if near else "unclear"
    points = {end: signed(getattr(apart, end), measure.digits, language) for end in ("value", "low", "high")}
    return f"{told} {say(f'trajectory_pairing_{name}', language, **points)}"


def _evidence(seen: list[Estimate], apart: Estimate, session: int) -> pl.DataFrame:
    named = zip(("now", "before", "difference"), (*seen, apart), strict=True)
    return pl.DataFrame(
        [(what, session, each.value, each.low, each.high) for what, each in named],
        schema=["what", "session", "value", "low", "high"], orient="row",
    )  # fmt: skip
