"""Guesses whose bias and tracking are known, for the answers of a simulated practice.

The practice's own guesses (`SimulatedPractice.ratings`) are one way in which a therapist may guess; here each dyad's
gap and slope are drawn on their own, so that what an analysis says of them can be held against the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.simulate.published import HIGH, LOW, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Guessing:
    """How therapists guess; points are of the scale from 0 to 10. For sources see `agreement.published_prior`.

    Parameters
    ----------
    bias, habit_sd, pair_sd
        The mean gap, and by how much it differs between therapists, and between the clients of one.
    tracking, attend_sd, follow_sd
        By how much the guess moves where the answer moves by a point, and by how much that differs likewise.
    noise_sd
        By how much a guess goes astray.
    step
        Points to which guesses are rounded and held on the scale; 0 leaves them as they are.
    """

    bias: float = -1.1
    habit_sd: float = 0.7
    pair_sd: float = 1.2
    tracking: float = 0.4
    attend_sd: float = 0.08
    follow_sd: float = 0.15
    noise_sd: float = 0.7
    step: float = 0.0

    def __post_init__(self) -> None:
        for name in ("habit_sd", "pair_sd", "attend_sd", "follow_sd", "noise_sd", "step"):
            within(name, getattr(self, name), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Guessed:
    """A practice's ratings with other guesses, and what these were made from.

    Parameters
    ----------
    ratings
        `frames.RATINGS`, the answers as they were.
    truth
        A row a dyad with an answer: therapist, client, bias and tracking; bias is the mean gap to be expected over
        the answered sessions.
    habits
        A row a therapist: therapist, bias, tracking.
    """

    ratings: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)
    habits: pl.DataFrame = field(repr=False)


def guessing(practice: SimulatedPractice, how: Guessing | None = None, *, seed: int) -> Guessed:
    """Let the therapists of a practice guess anew; the same seed gives the same guesses.

    A therapist guesses around the client's own mean answer, off by the dyad's gap, and goes along with the answer's
    moves about that mean by the dyad's slope.
    """
    how = how or Guessing()
    rng = np.random.default_rng([seed, 2])
    answered = practice.ratings.filter(pl.col("score").is_not_null())
    dyads = answered.group_by("therapist", "client", maintain_order=True).agg(pl.col("score").mean())
    therapists = dyads.select(pl.col("therapist").unique(maintain_order=True)).with_columns(
        bias=how.bias + rng.normal(0.0, how.habit_sd, dyads["therapist"].n_unique()),
        tracking=how.tracking + rng.normal(0.0, how.attend_sd, dyads["therapist"].n_unique()),
    )
    truth = dyads.join(therapists, on="therapist", maintain_order="left").with_columns(
        bias=pl.col("bias") + rng.normal(0.0, how.pair_sd, dyads.height),
        tracking=pl.col("tracking") + rng.normal(0.0, how.follow_sd, dyads.height),
    )
    laid = practice.ratings.drop("guess").join(
        truth.rename({"score": "mean"}), on=["therapist", "client"], how="left", maintain_order="left"
    )
    moved = pl.col("mean") + pl.col("bias") + pl.col("tracking") * (pl.col("score") - pl.col("mean"))
    exact = laid.select(moved).to_series().to_numpy() + rng.normal(0.0, how.noise_sd, laid.height)
    guess = pl.Series("guess", _given(exact, how.step), nan_to_null=True)
    return Guessed(laid.drop("mean", "bias", "tracking").with_columns(guess), truth.drop("score"), therapists)


def _given(exact: Floats, step: float) -> Floats:
    return np.asarray(np.round(np.clip(np.round(exact / step) * step, LOW, HIGH), 9) if step else exact)
