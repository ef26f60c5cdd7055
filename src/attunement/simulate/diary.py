"""Who meets whom, how often and when: a practice before anybody has felt anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.simulate.published import Published

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

TODAY = date(2026, 3, 27)  # a Friday evening: later sessions are not known yet
_PLANTED = (10, 16)  # sessions of a planted course, where lengths are drawn
_PAUSE = (1, 4)  # weeks between a therapist and the next one
_HOURS = 50  # in a therapist's week: five days, from 8:00 to 17:00
_STRIDE = 7  # hours from one client's to the next one's: coprime to 50, so that none is given twice


@dataclass(frozen=True, slots=True)
class Dyads:
    """Who meets whom.

    Parameters
    ----------
    therapist, client
        (d,) counted from 0.
    later
        (d,) the dyad in which the client goes on with another therapist, or -1.
    course
        (d,) the course planted in it, or empty.
    """

    therapist: Ints
    client: Ints
    later: Ints
    course: NDArray[np.str_]

    @property
    def planted(self) -> Flags:
        """(d,) whether a course was planted."""
        return np.not_equal(self.course, "")


@dataclass(frozen=True, slots=True)
class Diary:
    """The sessions held until `TODAY`, dyad by dyad.

    Parameters
    ----------
    dyad, session, time
        (n,) whose, which (1, 2, …) and when.
    held
        (d,) how many sessions.
    ended
        (d,) whether the therapy is over.
    """

    dyad: Ints
    session: Ints
    time: NDArray[np.datetime64]
    held: Ints
    ended: Flags

    @property
    def doublings(self) -> Floats:
        """(n,) log2(session)."""
        return np.log2(self.session)

    @property
    def to_come(self) -> Ints:
        """(n,) sessions that the dyad held after this one."""
        return self.held[self.dyad] - self.session

    def summed(self, steps: Floats) -> Floats:
        """(n,) steps added up within each dyad, from 0 at its first session."""
        total = np.cumsum(steps)
        return total - total[_first(self.session)]


def meet(
    rng: np.random.Generator, therapists: int, clients: int, transfer_share: float, courses: Sequence[str]
) -> Dyads:
    """Give each therapist so many clients; a share of these moves on, some of the others get a course."""
    everyone = np.arange(therapists * clients)
    moving, staying = np.split(rng.permutation(everyone), [round(everyone.size * transfer_share)])
    first = everyone // clients
    second = (first[moving] + rng.integers(1, max(therapists, 2), moving.size)) % therapists
    later = np.full(everyone.size + moving.size, -1)
    later[moving] = everyone.size + np.arange(moving.size)
    course = np.array([""] * later.size, dtype="<U16")
    course[staying[: len(courses)]] = courses
    return Dyads(np.concatenate([first, second]), np.concatenate([everyone, moving]), later, course)


def keep(rng: np.random.Generator, dyads: Dyads, sessions: int | None, settings: Published) -> Diary:
    """Write the diary: therapies of a fixed length are over, others go on until they end or until `TODAY`."""
    length = _lengths(rng, dyads, sessions, settings)
    dyad, after = np.repeat(np.arange(length.size), length), np.cumsum(length)
    session = np.arange(dyad.size) - (after - length)[dyad] + 1
    week = np.cumsum(rng.geometric(settings.weekly_share, dyad.size))
    week -= week[_first(session)]
    ago = _begun(rng, dyads, week[after - 1], settings.intake_weeks, over=sessions is not None)[dyad] - week
    known = ago >= 0
    dyad, session, ago = dyad[known], session[known], ago[known]
    time = _mondays(ago) + _weekly_hours(rng, dyads.therapist)[dyad]
    held = np.bincount(dyad, minlength=length.size)
    return Diary(dyad, session, time, held, ended=(held == length) & ~dyads.planted)


def _lengths(rng: np.random.Generator, dyads: Dyads, sessions: int | None, settings: Published) -> Ints:
    """(d,) sessions of each therapy, known or still to come."""
    if sessions is not None:
        return np.full(dyads.client.size, sessions)
    more, shape = settings.mean_sessions - 1, settings.session_shape
    drawn = 1 + rng.negative_binomial(shape, shape / (shape + more), dyads.client.size)
    return np.where(dyads.planted, rng.integers(*_PLANTED, drawn.size, endpoint=True), drawn)


def _begun(rng: np.random.Generator, dyads: Dyads, lasts: Ints, intake_weeks: int, *, over: bool) -> Ints:
    """(d,) working weeks since the first session; `lasts` is how many lie between the first and the last.

    Planted courses reach into this week. Who goes on to a second therapist has ended with the first.
    """
    begun = rng.integers(0, intake_weeks, lasts.size) + (lasts if over else 0)
    begun = np.where(dyads.planted, lasts, begun)
    moved = dyads.later >= 0
    pause = rng.integers(*_PAUSE, int(moved.sum()), endpoint=True)
    begun[moved] = begun[dyads.later[moved]] + pause + lasts[moved]
    return begun


def _mondays(ago: Ints) -> NDArray[np.datetime64]:
    """(n,) the Monday of the working week so long ago; nobody works at the turn of the year or in early August."""
    this = np.datetime64(TODAY, "D") - TODAY.weekday()
    monday = this - 7 * np.arange(int(ago.max()) * 53 // 47 + 53)
    day = (monday - monday.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    away = (day >= 354) | ((day >= 212) & (day < 226))
    at_work: NDArray[np.datetime64] = monday[~away].astype("datetime64[us]")
    return at_work[ago]


def _weekly_hours(rng: np.random.Generator, therapist: Ints) -> NDArray[np.timedelta64]:
    """(d,) each dyad's hour, as time since Monday; the first 50 dyads of a therapist share none."""
    order = np.lexsort((rng.random(therapist.size), therapist))
    caseload = np.bincount(therapist)
    place = np.empty_like(therapist)
    place[order] = np.arange(therapist.size) - (np.cumsum(caseload) - caseload)[therapist[order]]
    day, hour = np.divmod((place * _STRIDE + rng.integers(_HOURS)) % _HOURS, _HOURS // 5)
    return (day * 24 + 8 + hour).astype("timedelta64[h]")


def _first(session: Ints) -> Ints:
    """(n,) the row of the dyad's first session."""
    return np.arange(session.size) - (session - 1)
