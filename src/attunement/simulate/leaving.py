"""Therapies that end because the client leaves, and the more often the weaker the bond: for a simulated practice.

In a `SimulatedPractice` nobody leaves because of a weak connection. Here they do: after each session but the last of a
therapy that ends by agreement, a client may stay away from then on, and the sessions that would have followed are cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.simulate.published import within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]

FIRST: Final = 3
"""Sessions that count as early."""
_DYAD = ["therapist", "client"]
_KEY = [*_DYAD, "session"]


@dataclass(frozen=True, slots=True)
class Leaving:
    """How clients leave without agreement.

    Parameters
    ----------
    base
        The chance to leave after a later session, at the usual connection. It is set so that 19.7 % leave within
        twelve sessions (669 studies, 83,834 clients: Swift & Greenberg 2012), 1.8 % a session on average; see
        tests/impact/test_engagement_simulated.py.
    slope
        By how much the log of the odds to leave falls with each standard deviation of the connection between clients:
        of those who left the alliance was weaker by d = .55 (11 studies, 1,301 clients: Sharf et al. 2010); where both
        groups vary alike, the slope of the log odds is that d.
    early
        Times the odds after each of the first three sessions [judgement].
    therapist_sd
        By how much the log of the odds differs between therapists beyond the connection.
    """

    base: float = 0.0125
    slope: float = 0.55
    early: float = 2.0
    therapist_sd: float = 0.0

    def __post_init__(self) -> None:
        within("base", self.base, 0.0, 0.5)
        within("slope", self.slope, -5.0, 5.0)
        within("early", self.early, 0.01, 100.0)
        within("therapist_sd", self.therapist_sd, 0.0, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """A practice some of whose clients have left, and what only its maker knows.

    Parameters
    ----------
    ratings, signs
        As the practice has them, as far as clients came.
    endings
        `frames.ENDINGS`: a row a dyad.
    truth
        The practice's truth as far as clients came, with ``z``, the connection in standard deviations from the usual
        one at that session; ``hazard``, the chance to leave after it (missing where nobody could); and ``left``.
    """

    ratings: pl.DataFrame = field(repr=False)
    signs: pl.DataFrame = field(repr=False)
    endings: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)


def leaving(practice: SimulatedPractice, how: Leaving | None = None, *, seed: int) -> Left:
    """Let the clients of a practice leave; the same seed lets the same ones go.

    Who went on to a second therapist does so only if they had not left the first.
    """
    how = how or Leaving()
    rng = np.random.default_rng([seed, 3])
    risk = _risk(practice, how, rng).with_columns(
        left=pl.Series(rng.random(practice.truth.height)) < pl.col("hazard").fill_null(0.0)
    )
    gone = risk.filter("left").group_by(_DYAD).agg(went=pl.col("session").min())
    kept = _came(practice, gone)
    ended = (
        kept.group_by(_DYAD, maintain_order=True)
        .agg(last=pl.col("session").max())
        .join(practice.clients.select(*_DYAD, "ended"), on=_DYAD, maintain_order="left")
        .join(gone, on=_DYAD, how="left", maintain_order="left")
    )
    word = pl.when(pl.col("went").is_not_null()).then(pl.lit("left"))
    endings = ended.select(
        *_DYAD, "last", ending=word.when("ended").then(pl.lit("agreed")).otherwise(pl.lit("still here"))
    )
    cut = [
        table.join(kept, on=_KEY, how="semi", maintain_order="left")
        for table in (practice.ratings, practice.signs, risk)
    ]
    return Left(cut[0], cut[1], endings, cut[2])


def _risk(practice: SimulatedPractice, how: Leaving, rng: np.random.Generator) -> pl.DataFrame:
    """The practice's truth, with z and the chance to leave after each session."""
    therapists = practice.truth.select(pl.col("therapist").unique(maintain_order=True))
    theirs = therapists.with_columns(of=pl.Series(rng.normal(0.0, how.therapist_sd, therapists.height)))
    z = (pl.col("connection") - pl.col("usual")) / practice.settings.client_sd
    early = pl.when(pl.col("session") <= FIRST).then(math.log(how.early)).otherwise(0.0)
    odds = (
        math.log(max(how.base, 1e-12) / (1 - how.base)) + pl.col("of") + early - how.slope * pl.col("z")
    ).exp()
    agreed = pl.col("ended") & (pl.col("session") == pl.col("sessions"))
    known = practice.clients.select(*_DYAD, "ended", "sessions")
    return (
        practice.truth.with_columns(z=z)
        .join(theirs, on="therapist", maintain_order="left")
        .join(known, on=_DYAD, maintain_order="left")
        .with_columns(hazard=pl.when(~agreed & ~_last_here()).then(odds / (1 + odds)))
        .drop("of", "ended", "sessions")
    )


def _last_here() -> pl.Expr:
    """The present session of a therapy that goes on: whether its client comes again is not known yet."""
    return ~pl.col("ended") & (pl.col("session") == pl.col("sessions"))


def _came(practice: SimulatedPractice, gone: pl.DataFrame) -> pl.DataFrame:
    """The sessions that were still held, as ``therapist, client, session``."""
    rows = practice.ratings.join(gone, on=_DYAD, how="left", maintain_order="left")
    began = rows.group_by(_DYAD).agg(began=pl.col("time").min(), went=pl.col("went").first())
    first_leave = (
        began.filter(pl.col("went").is_not_null()).group_by("client").agg(until=pl.col("began").min())
    )
    told = rows.join(began.select(*_DYAD, "began"), on=_DYAD, maintain_order="left")
    told = told.join(first_leave, on="client", how="left", maintain_order="left")
    here = pl.col("went").is_null() | (pl.col("session") <= pl.col("went"))
    not_later = pl.col("until").is_null() | (pl.col("began") <= pl.col("until"))
    return told.filter(here & not_later).select(_KEY)
