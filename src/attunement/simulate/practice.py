"""The practice as its therapists see it, and the truth behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.simulate.connection import COURSES, SHORTEST, lines, parts
from attunement.simulate.diary import keep, meet
from attunement.simulate.published import HIGH, LOW, PUBLISHED, Published, within
from attunement.simulate.signs import signs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from attunement.simulate.connection import Lines
    from attunement.simulate.diary import Diary, Dyads

    Floats = NDArray[np.float64]

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # I and O look like digits


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPractice:
    """What a practice would see, and what only its maker knows.

    Parameters
    ----------
    ratings
        `frames.RATINGS`: therapist, client, session, time, score (missing where the check-in was skipped), guess.
    signs
        The same rows: therapist, client, session, hindering (the client's answer, 0 to 10) and distance (how far away
        the therapist felt, 0 to 10): other signs of a rupture, higher is worse.
    truth
        The same rows: therapist, client, session, connection (points), ruptured, and the `PARTS`, which add up to
        the connection. After an unrepaired rupture its mark stays in ``of_rupture`` for a while.
    clients
        A row a dyad: therapist, client, intercept (points at session 1), slope (points per doubling), sessions
        held, whether the therapy has ended, and the planted course (one of `COURSES`, or empty).
    settings, seed
        What it was made from.
    """

    ratings: pl.DataFrame = field(repr=False)
    signs: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)
    clients: pl.DataFrame = field(repr=False)
    settings: Published
    seed: int

    def __str__(self) -> str:
        numbers = {
            "therapist": self.clients["therapist"].n_unique(),
            "client": self.clients["client"].n_unique(),
            "dyad": self.clients.height,
            "session": self.ratings.height,
        }
        told = ", ".join(f"{number} {noun}{'s' * (number != 1)}" for noun, number in numbers.items())
        return f"A simulated practice (seed {self.seed}): {told}."


def simulate(  # noqa: PLR0913 - each a question of its own
    therapists: int = 1,
    clients: int = 12,
    *,
    seed: int,
    settings: Published = PUBLISHED,
    sessions: int | None = None,
    transfer_share: float = 0.0,
    ceiling: bool = True,
    plant: Mapping[str, int] | None = None,
) -> SimulatedPractice:
    """Make up a practice; the same seed gives the same one.

    Parameters
    ----------
    therapists, clients
        How many therapists, and with how many clients each.
    seed, settings
        A whole number from 0 on; and how practices are.
    sessions
        The length of every therapy; else lengths are drawn, and some therapies still go on `TODAY`.
    transfer_share
        Share of the clients who went on to a second therapist, where their sessions count from 1 again.
    ceiling
        Whether answers beyond the ends of the scale are held at them.
    plant
        How many clients of each of `COURSES` there surely are: *falling* has lost 4 points over its last 4 to 6
        sessions, *stalled* lies 3 points below the usual start and stays, *slow* began there and rises. All are
        still in therapy, after 8 sessions or more; no rupture and no walk blurs them.

    Raises
    ------
    ModelProblem
        Names the argument that is out of range.
    """
    _check(therapists, clients, seed, sessions, transfer_share)
    stay = therapists * clients - round(therapists * clients * transfer_share)
    courses = _courses(plant or {}, stay, sessions)
    rng = np.random.default_rng(seed)
    dyads = meet(rng, therapists, clients, transfer_share, courses)
    diary = keep(rng, dyads, sessions, settings)
    line = lines(rng, dyads, diary.held, settings)
    part, ruptured = parts(rng, dyads, diary, line, settings)
    connection = np.sum(list(part.values()), axis=0)
    score = connection + rng.normal(0.0, settings.session_sd, connection.size)
    guess = part["usual"] + _guessed(rng, score - part["usual"], line.level, dyads, diary, settings)
    who = _codes(rng, dyads)
    rows = who[diary.dyad].with_columns(session=diary.session)
    hindering, distance = signs(np.random.default_rng([seed, 1]), diary, ruptured, settings)
    return SimulatedPractice(
        ratings=rows.with_columns(
            time=diary.time,
            score=_skipped(rng, _answered(score, settings.step, ceiling=ceiling), settings.missing_share),
            guess=_answered(guess, settings.step, ceiling=ceiling),
        ),
        signs=rows.with_columns(hindering=hindering, distance=distance),
        truth=rows.with_columns(connection=connection, ruptured=ruptured, **part),
        clients=_known(who, line, dyads, diary, settings),
        settings=settings,
        seed=seed,
    )


def _check(therapists: int, clients: int, seed: int, sessions: int | None, transfer_share: float) -> None:
    within("therapists", therapists, 1)
    within("clients", clients, 1)
    within("seed", seed, 0)
    if sessions is not None:
        within("sessions", sessions, 1, 1000)
    within("transfer_share", transfer_share, 0, 1)
    if transfer_share and therapists < 2:
        raise ModelProblem("A transfer needs a second therapist; therapists is 1.")


def _courses(plant: Mapping[str, int], stay: int, sessions: int | None) -> list[str]:
    """One word a planted client: one of those who stay with their therapist, and long enough."""
    for course, number in plant.items():
        if course not in COURSES:
            raise ModelProblem(f"A planted course is one of {', '.join(COURSES)}; {course!r} is not.")
        within(f"the number of {course} clients", number, 0)
    courses = [course for course in COURSES for _ in range(plant.get(course, 0))]
    if len(courses) > stay:
        raise ModelProblem(f"{len(courses)} courses cannot be planted in {stay} clients with one therapist.")
    if courses and sessions is not None:
        within("sessions, where a course is planted,", sessions, SHORTEST)
    return courses


def _guessed(
    rng: np.random.Generator, score: Floats, level: Floats, dyads: Dyads, diary: Diary, settings: Published
) -> Floats:
    """(n,) what the therapist guesses; as `score`, told from the usual course.

    The client's level (d,) is seen through the therapist's habit and a misreading of this client; the answer's
    moves about that level are followed in part. Guesses vary as much as answers do.
    """
    habit, accuracy, tracking = settings.guess_habit_share, settings.guess_accuracy, settings.guess_tracking
    therapists = int(dyads.therapist.max()) + 1
    misread = settings.client_sd * math.sqrt(max(1.0 - habit - accuracy**2, 0.0))
    seen = (
        settings.guess_bias
        + rng.normal(0.0, settings.client_sd * math.sqrt(habit), therapists)[dyads.therapist]
        + rng.normal(0.0, misread, level.size)
        + accuracy * level
    )
    astray = rng.normal(0.0, settings.session_sd * math.sqrt(1 - tracking**2), score.size)
    return seen[diary.dyad] + tracking * (score - level[diary.dyad]) + astray


def _answered(points: Floats, step: float, *, ceiling: bool) -> Floats:
    """Put points on the scale, as an answer can be given there."""
    held = np.clip(points, LOW, HIGH) if ceiling else points
    return np.round(np.round(held / step) * step, 9) if step else held


def _skipped(rng: np.random.Generator, score: Floats, share: float) -> pl.Series:
    return pl.Series(np.where(rng.random(score.size) < share, np.nan, score)).fill_nan(None)


def _codes(rng: np.random.Generator, dyads: Dyads) -> pl.DataFrame:
    """A code each (d rows): T1, T2, … for therapists; for clients a letter and a number, in no order."""
    therapists, clients = int(dyads.therapist.max()) + 1, int(dyads.client.max()) + 1
    digits = max(2, len(str(-(-clients // len(_LETTERS)))))
    numbers = 10**digits - 1
    letter, number = np.divmod(rng.choice(len(_LETTERS) * numbers, clients, replace=False), numbers)
    code = pl.Series([f"{_LETTERS[a]}-{b + 1:0{digits}}" for a, b in zip(letter, number, strict=True)])
    therapist = pl.Series([f"T{t + 1}" for t in range(therapists)])
    return pl.DataFrame({"therapist": therapist[dyads.therapist], "client": code[dyads.client]})


def _known(who: pl.DataFrame, line: Lines, dyads: Dyads, diary: Diary, settings: Published) -> pl.DataFrame:
    return who.with_columns(
        intercept=settings.start + line.level,
        slope=settings.growth_per_doubling + line.slope,
        sessions=diary.held,
        ended=diary.ended,
        course=dyads.course,
    )
