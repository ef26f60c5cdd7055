"""Feelings that tell something of the client's state, or nothing at all, and it is known which.

Around the sessions of a simulated practice: the therapist's feelings, each with a habit, a level with each client, a
course over the therapy and moods that last; the client's state, which falls over the therapy and drifts; and the next
session's rating, which may go with what the therapist felt in this one. What is not planted is noise, however much it
drifts and falls together with everything else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.simulate.published import HIGH, LOW, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_KEY = ("therapist", "client", "session")
_LEVELS = (
    "usual",
    "of_therapist",
    "of_client",
    "of_pairing",
    "of_slope",
)  # of the rating; the rest is drawn anew
_SPREADS = (
    "tells_sd", "habit_sd", "dyad_sd", "momentary_sd", "trend_sd",
    "state_sd", "session_sd", "unequal", "state_trend_sd", "rating_sd", "step",
)  # fmt: skip
_SHARES = (
    "lasting",
    "lasting_share",
    "shared",
    "state_lasting",
    "state_lasting_share",
    "carry",
    "missing_share",
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is felt, and what it tells. Feelings and ratings are from 0 to 10; all figures are judgements.

    Parameters
    ----------
    positive, negative
        The feelings' names.
    tells
        By feeling, the points by which the state is higher where the feeling is a point stronger than is usual in the
        dyad; feelings not named are noise.
    tells_sd
        By how much that differs between dyads.
    habit_sd, dyad_sd, momentary_sd
        How much feelings differ between therapists, between the clients of one, and from session to session.
    lasting, lasting_share, shared
        What a mood keeps to the next session; the share of the session's part that lasts like this; and the share that
        the feelings of one sign have in common.
    trend, trend_sd
        How feelings move a doubling of the sessions, and by how much that differs between dyads.
    state_mean, state_sd, session_sd, unequal
        The client's state, how much it differs between clients, and around the own course; and by how much the last
        differs between clients, on a log scale.
    state_lasting, state_lasting_share, state_trend, state_trend_sd
        As for feelings.
    next_positive, next_negative
        The points by which the next rating is higher where the mean of the positive, or negative, feelings was a point
        above what is usual in the dyad.
    usual_positive, usual_negative
        The points by which ratings are higher with a client with whom that mean is usually a point higher.
    carry, rating_sd
        What a rating keeps of the last one, around its course; and what is new in each.
    step
        Points to which feelings are rounded and held on the scale; 0 leaves them as they are.
    missing_share
        Sessions without a reflection.
    """

    positive: tuple[str, ...] = ("warm", "hopeful", "interested")
    negative: tuple[str, ...] = ("heavy", "tense", "bored")
    tells: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    tells_sd: float = 0.0
    habit_sd: float = 0.8
    dyad_sd: float = 1.0
    momentary_sd: float = 1.5
    lasting: float = 0.5
    lasting_share: float = 0.6
    shared: float = 0.3
    trend: float = -0.3
    trend_sd: float = 0.2
    state_mean: float = 20.0
    state_sd: float = 5.0
    session_sd: float = 3.0
    unequal: float = 0.0
    state_lasting: float = 0.7
    state_lasting_share: float = 0.5
    state_trend: float = -1.5
    state_trend_sd: float = 0.7
    next_positive: float = 0.0
    next_negative: float = 0.0
    usual_positive: float = 0.0
    usual_negative: float = 0.0
    carry: float = 0.3
    rating_sd: float = 0.8
    step: float = 1.0
    missing_share: float = 0.1

    def __post_init__(self) -> None:
        for name in _SPREADS:
            within(name, getattr(self, name), 0.0)
        for name in _SHARES:
            within(name, getattr(self, name), 0.0, 1.0)
        unknown = sorted(set(self.tells) - set(self.feelings))
        if unknown:
            raise ModelProblem(
                f"No feeling is called {', '.join(unknown)}; they are {', '.join(self.feelings)}."
            )

    @property
    def feelings(self) -> tuple[str, ...]:
        """All names, the positive first."""
        return (*self.positive, *self.negative)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a practice would see of it, and the truth.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`: therapist, client, session, feeling, strength.
    states
        therapist, client, session, outcome.
    ratings
        `frames.RATINGS`, and ``safe``, which goes with the feelings before it as the score does.
    slopes
        A row a dyad and feeling: therapist, client, feeling, and slope, in points of state a point of feeling.
    how
        What it was made from.
    """

    reflections: pl.DataFrame = field(repr=False)
    states: pl.DataFrame = field(repr=False)
    ratings: pl.DataFrame = field(repr=False)
    slopes: pl.DataFrame = field(repr=False)
    how: Telling = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Sessions:
    """Where rows lie: their dyad, therapist (of a dyad) and session, counted from 0 (the session from 1)."""

    dyad: Ints
    therapist: Ints
    session: Ints

    @property
    def doublings(self) -> Floats:
        return np.log2(self.session)

    def lasting(self, rng: np.random.Generator, kept: float, share: float, columns: int = 1) -> Floats:
        """(n, columns) of variance 1, a share of which keeps so much of itself from session to session."""
        shape = (self.therapist.size, int(self.session.max()), columns)
        wave, new = np.empty(shape), rng.standard_normal(shape)
        wave[:, 0] = new[:, 0]
        for at in range(1, shape[1]):
            wave[:, at] = kept * wave[:, at - 1] + math.sqrt(1.0 - kept**2) * new[:, at]
        there = wave[self.dyad, self.session - 1]
        own = rng.standard_normal(there.shape)
        return np.asarray(math.sqrt(share) * there + math.sqrt(1.0 - share) * own)

    def around(self, values: Floats) -> Floats:
        """(n, columns) less the dyad's mean."""
        return np.asarray(values - self.means(values)[self.dyad])

    def means(self, values: Floats) -> Floats:
        """(d, columns) the dyads' means."""
        counts = np.bincount(self.dyad)
        return np.column_stack([np.bincount(self.dyad, each) / counts for each in values.T])


def telling(practice: SimulatedPractice, how: Telling | None = None, *, seed: int) -> Told:
    """Let the therapists of a practice feel, and its clients be well or not; the same seed gives the same."""
    how = how or Telling()
    rng = np.random.default_rng([seed, 3])
    dyads = practice.ratings.select("therapist", "client").unique(maintain_order=True)
    laid = practice.ratings.join(
        dyads.with_row_index("dyad"), on=["therapist", "client"], maintain_order="left"
    )
    at = _Sessions(
        laid["dyad"].to_numpy().astype(np.int64),
        dyads["therapist"].rank("dense").to_numpy().astype(np.int64) - 1,
        laid["session"].to_numpy(),
    )
    felt = _felt(rng, at, how)
    slopes = _slopes(rng, dyads.height, how)
    state = _state(rng, at, how) + (slopes[at.dyad] * at.around(felt)).sum(axis=1)
    levels = np.asarray(practice.truth.select(pl.sum_horizontal(_LEVELS)).to_series().to_numpy())
    rows = laid.select(_KEY)
    return Told(
        reflections=_long(rows, felt, how.feelings, rng.random(rows.height) >= how.missing_share),
        states=rows.with_columns(outcome=pl.Series(state)),
        ratings=laid.drop("dyad").with_columns(
            score=_rated(rng, at, levels, felt, how), safe=_rated(rng, at, levels, felt, how)
        ),
        slopes=_known(dyads, slopes, how.feelings),
        how=how,
    )


def _felt(rng: np.random.Generator, at: _Sessions, how: Telling) -> Floats:
    """(n, feelings) how strong each was."""
    number = len(how.feelings)
    signs = np.r_[np.zeros(len(how.positive), dtype=int), np.ones(len(how.negative), dtype=int)]
    base = np.where(signs == 0, 5.5, 3.5)
    habit = rng.normal(0.0, how.habit_sd, (int(at.therapist.max()) + 1, number))[at.therapist]
    level = base + habit + rng.normal(0.0, how.dyad_sd, (at.therapist.size, number))
    course = how.trend + rng.normal(0.0, how.trend_sd, (at.therapist.size, number))
    common = at.lasting(rng, how.lasting, how.lasting_share, 2)[:, signs]
    single = at.lasting(rng, how.lasting, how.lasting_share, number)
    moment = how.momentary_sd * (math.sqrt(how.shared) * common + math.sqrt(1 - how.shared) * single)
    exact = level[at.dyad] + course[at.dyad] * at.doublings[:, None] + moment
    return np.asarray(np.clip(np.round(exact / how.step) * how.step, LOW, HIGH) if how.step else exact)


def _slopes(rng: np.random.Generator, dyads: int, how: Telling) -> Floats:
    """(d, feelings) what each tells in each dyad."""
    mean = np.array([how.tells.get(name, 0.0) for name in how.feelings])
    differs = np.array([how.tells_sd * (name in how.tells) for name in how.feelings])
    return np.asarray(mean + differs * rng.standard_normal((dyads, mean.size)))


def _state(rng: np.random.Generator, at: _Sessions, how: Telling) -> Floats:
    """(n,) the state, as far as no feeling tells it."""
    level = rng.normal(how.state_mean, how.state_sd, at.therapist.size)
    course = rng.normal(how.state_trend, how.state_trend_sd, at.therapist.size)
    size = how.session_sd * np.exp(how.unequal * rng.standard_normal(at.therapist.size))
    moves = size[at.dyad] * at.lasting(rng, how.state_lasting, how.state_lasting_share)[:, 0]
    return np.asarray(level[at.dyad] + course[at.dyad] * at.doublings + moves)


def _rated(rng: np.random.Generator, at: _Sessions, levels: Floats, felt: Floats, how: Telling) -> Floats:
    """(n,) ratings, of which each keeps something of the last and goes with the feelings of the last session."""
    cut = len(how.positive)
    factors = np.column_stack([felt[:, :cut].mean(axis=1), felt[:, cut:].mean(axis=1)])
    usual = at.means(factors)
    push = at.around(factors) @ np.array([how.next_positive, how.next_negative])
    new = rng.normal(0.0, how.rating_sd, push.size)
    moved = np.empty(push.size)
    for place, session in enumerate(at.session):
        first = session == 1
        moved[place] = new[place] / math.sqrt(1 - how.carry**2) if first else (
            how.carry * moved[place - 1] + push[place - 1] + new[place]
        )  # fmt: skip
    between = (usual - usual.mean(axis=0)) @ np.array([how.usual_positive, how.usual_negative])
    return np.asarray(levels + between[at.dyad] + moved)


def _long(
    rows: pl.DataFrame, felt: Floats, names: tuple[str, ...], reflected: NDArray[np.bool_]
) -> pl.DataFrame:
    wide = rows.with_columns(pl.Series(name, each) for name, each in zip(names, felt.T, strict=True))
    kept = wide.filter(pl.Series(reflected))
    return kept.unpivot(names, index=_KEY, variable_name="feeling", value_name="strength").sort(
        *_KEY, "feeling"
    )


def _known(dyads: pl.DataFrame, slopes: Floats, names: tuple[str, ...]) -> pl.DataFrame:
    wide = dyads.with_columns(pl.Series(name, each) for name, each in zip(names, slopes.T, strict=True))
    return wide.unpivot(names, index=["therapist", "client"], variable_name="feeling", value_name="slope")
