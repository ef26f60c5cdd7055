r"""Outcomes that go with the connection by a known amount, for a simulated practice.

With y the outcome and x the client's rating, each around its client's own level and its usual course,

.. math:: y_{s+1} = a y_s + b x_s + e_{s+1}, \qquad x_{s+1} = x'_{s+1} + r y_s

where x' is what the practice had: the random-intercept cross-lagged model with a connection that is none of its kind
(it grows, drifts and ruptures). All improve as sessions go by, which is not the connection's doing: a bait.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from attunement.simulate.published import HIGH, LOW, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MONTH = 30.4375  # days
_YEAR = 365.25  # days
_DYAD = ["therapist", "client"]
_CARRIED = 0.2  # of what the outcome gave the connection, at the next session [judgement]


@dataclass(frozen=True, slots=True)
class Carrying:
    """What a bond carries; points are the outcome's own, and of the scale from 0 to 10 for growth.

    Parameters
    ----------
    effect, back
        Standard deviations within clients by which the next outcome is better where the rating is one higher (.18 a
        session: the size planted for the published within-client associations of alliance and next symptoms), and by
        which the next rating is higher where the outcome is one better (.10 [judgement]).
    between
        The correlation of the clients' levels of the two, for the better (.28: Flückiger et al. 2018,
        10.1037/pst0000172, 295 studies).
    kept
        Share of an outcome's move that is still there at the next session (.40 [judgement]).
    level, between_sd, within_sd
        Mean, and standard deviations between and within clients, in points [judgement].
    improvement
        Points by which everybody is better with each doubling of the session number, whatever the bond [judgement].
    improvement_sd
        By how much that differs between clients [judgement].
    improvement_tie
        The correlation of that with how fast the client's bond grows: a confounder, 0 unless one is to be planted.
    steadier
        The outcome's standard deviation after the connection has come to `established` over that before; 1 for
        no change [no paper gives it].
    established
        From which connection on, on the scale from 0 to 10.
    worse
        Which way an outcome is worse.
    growth, growth_sd, growth_a_year, growth_spread, growth_noise
        The growth item: its mean and standard deviation at the start, its yearly change, the standard deviation of
        that between clients, and the noise of one answer [all judgement].
    growth_with_depth
        Points a year by which growth is faster with a client whose connection is a point deeper [judgement].
    """

    effect: float = 0.18
    back: float = 0.10
    between: float = 0.28
    kept: float = 0.40
    level: float = 15.0
    between_sd: float = 5.0
    within_sd: float = 3.0
    improvement: float = 1.0
    improvement_sd: float = 0.5
    improvement_tie: float = 0.0
    steadier: float = 1.0
    established: float = 7.0
    worse: Literal["higher", "lower"] = "higher"
    growth: float = 4.0
    growth_sd: float = 1.5
    growth_a_year: float = 1.5
    growth_spread: float = 1.0
    growth_noise: float = 0.8
    growth_with_depth: float = 0.4

    def __post_init__(self) -> None:
        for name in ("effect", "back", "between", "improvement_tie"):
            within(name, getattr(self, name), -1.0, 1.0)
        within("kept", self.kept, 0.0, 0.95)
        within("steadier", self.steadier, 0.05, 20.0)
        for name in (
            "between_sd",
            "within_sd",
            "improvement_sd",
            "growth_sd",
            "growth_spread",
            "growth_noise",
        ):
            within(name, getattr(self, name), 0.0)
        within("kept² + effect²", self.kept**2 + self.effect**2, 0.0, 1.0)

    @property
    def better(self) -> int:
        """1 where a higher outcome is better, -1 where it is worse."""
        return 1 if self.worse == "lower" else -1


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A practice with outcomes, and the truth behind them.

    Parameters
    ----------
    ratings
        `frames.RATINGS` with ``outcome``; a skipped check-in has neither.
    growth
        `frames.OUTCOMES` of the growth item, about once a month.
    truth
        The same rows as ratings: therapist, client, session, connection, outcome (skipped ones too), and whether the
        connection had come to established at this session or before.
    clients
        A row a dyad: therapist, client, level of the outcome, depth (the connection at the last session), growth a
        year.
    within
        Points of the next outcome a point of the rating, within clients.
    how, seed
        What it was made from.
    """

    ratings: pl.DataFrame = field(repr=False)
    growth: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)
    clients: pl.DataFrame = field(repr=False)
    within: float
    how: Carrying
    seed: int


@dataclass(frozen=True, slots=True)
class _Laid:
    """The practice by dyad, sessions in order: which dyad, which session, the move of x, and where it was skipped."""

    dyad: Ints
    session: Ints
    usual: Floats
    felt: Floats
    skipped: NDArray[np.bool_]


def carrying(practice: SimulatedPractice, how: Carrying | None = None, *, seed: int) -> Carried:
    """Give a practice outcomes that its bonds carry; the same seed gives the same ones.

    The ratings move a little with the outcomes too, so that theirs are not the practice's own.
    """
    how = how or Carrying()
    rng = np.random.default_rng([seed, 3])
    laid = _laid(practice, rng)
    spread = float(np.sqrt(np.mean((laid.felt - laid.usual) ** 2)))
    slope = how.better * how.effect * how.within_sd / spread
    moves, shift = _moves(laid, how, slope, spread, rng)
    felt = _answered(laid.felt + shift, practice.settings.step)
    connection = practice.truth["connection"].to_numpy() + shift
    reached = _reached(connection, laid, how.established)
    level = _levels(practice, how, rng)
    scale = np.where(reached, how.steadier, 1.0)
    course = how.better * _improving(practice, how, rng)[laid.dyad] * np.log2(laid.session)
    outcome = level[laid.dyad] + course + scale * moves
    known = pl.Series(~laid.skipped)
    rows = practice.truth.select("therapist", "client", "session")
    clients = practice.clients.select(_DYAD).with_columns(level=pl.Series(level))
    deep = np.array([connection[laid.dyad == each][-1] for each in range(clients.height)])
    a_year = how.growth_a_year + how.growth_with_depth * (deep - practice.settings.start)
    a_year = a_year + rng.normal(0.0, how.growth_spread, clients.height)
    return Carried(
        ratings=practice.ratings.with_columns(score=pl.Series(felt), outcome=pl.Series(outcome)).with_columns(
            pl.when(known).then(pl.col("score", "outcome"))
        ),
        growth=_growth(practice, laid, a_year, how, rng),
        truth=rows.with_columns(connection=connection, outcome=outcome, reached=reached),
        clients=clients.with_columns(depth=deep, growth_a_year=a_year),
        within=slope,
        how=how,
        seed=seed,
    )


def _laid(practice: SimulatedPractice, rng: np.random.Generator) -> _Laid:
    """The sessions by dyad; what a skipped check-in would have said is drawn."""
    dyads = practice.clients.select(_DYAD).with_row_index("dyad")
    truth = practice.truth.join(dyads, on=_DYAD, how="left", maintain_order="left")
    levels = pl.sum_horizontal("usual", "of_therapist", "of_client", "of_pairing")
    score = practice.ratings["score"].to_numpy()
    drawn = truth["connection"].to_numpy() + rng.normal(0.0, practice.settings.session_sd, score.size)
    skipped = np.isnan(score)
    return _Laid(
        dyad=truth["dyad"].cast(pl.Int64).to_numpy(),
        session=truth["session"].to_numpy(),
        usual=truth.select(levels).to_series().to_numpy(),
        felt=np.where(skipped, drawn, score),
        skipped=skipped,
    )


def _moves(
    laid: _Laid, how: Carrying, slope: float, spread: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(n,) how the outcome moves about its level, and by how much that shifts the rating; session by session."""
    new_sd = how.within_sd * math.sqrt(1 - how.kept**2 - how.effect**2)
    new = rng.normal(0.0, new_sd, laid.felt.size)
    back = how.better * how.back * spread / how.within_sd
    moves, shift = np.zeros(laid.felt.size), np.zeros(laid.felt.size)
    first = laid.session == 1
    moves[first] = new[first] * how.within_sd / new_sd
    for session in range(2, int(laid.session.max()) + 1):
        now = np.flatnonzero(laid.session == session)
        before = now - 1
        rating = laid.felt[before] + shift[before] - laid.usual[before]
        moves[now] = how.kept * moves[before] + slope * rating + new[now]
        shift[now] = _CARRIED * shift[before] + back * moves[before]
    return moves, shift


def _answered(points: Floats, step: float) -> Floats:
    held = np.clip(points, LOW, HIGH)
    return np.asarray(np.round(np.round(held / step) * step, 9) if step else held)


def _reached(connection: Floats, laid: _Laid, established: float) -> NDArray[np.bool_]:
    """(n,) whether the connection is or was at the level called established."""
    there = pl.DataFrame({"dyad": laid.dyad, "there": connection >= established})
    return there.select(pl.col("there").cast(pl.Int8).cum_max().over("dyad") > 0).to_series().to_numpy()


def _levels(practice: SimulatedPractice, how: Carrying, rng: np.random.Generator) -> Floats:
    """(d,) each dyad's level of the outcome, tied to that of the connection."""
    bond = (practice.clients["intercept"].to_numpy() - practice.settings.start) / practice.settings.client_sd
    own = rng.standard_normal(bond.size)
    tied = how.between * bond + math.sqrt(1 - how.between**2) * own
    return np.asarray(how.level + how.better * how.between_sd * tied)


def _improving(practice: SimulatedPractice, how: Carrying, rng: np.random.Generator) -> Floats:
    """(d,) points by which each client is better with each doubling of the session number."""
    settings = practice.settings
    faster = (practice.clients["slope"].to_numpy() - settings.growth_per_doubling) / max(
        settings.slope_sd, 1e-9
    )
    own = rng.standard_normal(faster.size)
    tied = how.improvement_tie * faster + math.sqrt(1 - how.improvement_tie**2) * own
    return np.asarray(how.improvement + how.improvement_sd * tied)


def _growth(
    practice: SimulatedPractice, laid: _Laid, a_year: Floats, how: Carrying, rng: np.random.Generator
) -> pl.DataFrame:
    """Answers to the growth item: at the first session, and at the first of each further month."""
    start = rng.normal(how.growth, how.growth_sd, a_year.size)
    asked = (
        practice.ratings.select("client", "session", "time")
        .with_columns(dyad=pl.Series(laid.dyad), skipped=pl.Series(laid.skipped))
        .with_columns(days=(pl.col("time") - pl.col("time").min().over("dyad")).dt.total_days())
        .with_columns(month=(pl.col("days") / _MONTH).floor())
    )
    asked = asked.filter(pl.col("session") == pl.col("session").min().over("dyad", "month"))
    dyad, years = asked["dyad"].to_numpy(), asked["days"].to_numpy() / _YEAR
    exact = start[dyad] + a_year[dyad] * years + rng.normal(0.0, how.growth_noise, dyad.size)
    answers = pl.Series(np.clip(np.round(exact), LOW, HIGH))
    return (
        asked.with_columns(outcome=answers, instrument=pl.lit("growth"))
        .filter(~pl.col("skipped"))
        .sort("client", "time")
        .with_columns(session=pl.int_range(1, pl.len() + 1).over("client"))
        .select("client", "session", "time", "instrument", "outcome")
    )


@dataclass(frozen=True, slots=True)
class Skipping:
    """How check-ins are skipped, not at random.

    Parameters
    ----------
    share
        Of the check-ins that would have come, how many are skipped where the connection is as it mostly is.
    strength
        By how much the log-odds rise where the connection is one standard deviation lower [judgement: .8]; 0 for at
        random.
    """

    share: float = 0.15
    strength: float = 0.8

    def __post_init__(self) -> None:
        within("share", self.share, 0.0, 0.95)
        within("strength", self.strength, -5.0, 5.0)


def skipping(
    ratings: pl.DataFrame, truth: pl.DataFrame, how: Skipping | None = None, *, seed: int
) -> pl.DataFrame:
    """Let check-ins of any simulated practice be skipped, the more so the lower the connection was.

    Parameters
    ----------
    ratings, truth
        Of a `SimulatedPractice`, of `Carried`, or of any other with a ``connection`` in its truth, row by row.
    how, seed
        How many, and how much it goes with the connection; and a whole number.

    Returns
    -------
    polars.DataFrame
        The ratings, without score and outcome where the check-in was skipped; ``chance``, each row's chance to be, in
        front of nobody but its maker.
    """
    how = how or Skipping()
    connection = truth["connection"].to_numpy()
    low = (connection.mean() - connection) / max(float(connection.std()), 1e-9)
    odds = how.share / (1 - how.share) * np.exp(how.strength * low)
    chance = odds / (1 + odds)
    skipped = pl.Series(np.random.default_rng([seed, 4]).random(chance.size) < chance)
    held = [name for name in ("score", "outcome") if name in ratings.columns]
    return ratings.with_columns(pl.when(~skipped).then(pl.col(held)), chance=pl.Series(chance))
