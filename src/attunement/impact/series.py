"""Ratings with outcomes, taken at the door: one series a dyad, sessions in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem, TooLittle

if TYPE_CHECKING:
    from attunement.trajectories import Measure


def series(table: Any, measure: Measure) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take `frames.RATINGS` with ``outcome``: therapist, client, dyad, session, score, outcome.

    A client who changed therapists is two series, as connection belongs to the dyad.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract, or has no outcome.
    TooLittle
        When a score lies outside the scale.
    """
    taken = frames.ratings(table)
    if "outcome" not in taken.columns:
        meaning = "The client's state before the session, on its own scale."
        raise ColumnProblem(f"ratings: the column outcome is missing ({meaning})")
    outside = taken.filter(~pl.col("score").is_between(measure.low, measure.high))
    if not outside.is_empty():
        first = outside.row(0, named=True)
        raise TooLittle(
            f"{outside.height} of the column score outside the scale {measure.low:g} to {measure.high:g}, first "
            f"{first['score']:g} (client {first['client'][:24]!r}, session {first['session']}); give the scale's ends."
        )
    length = pl.col("therapist").str.len_chars()  # so that no two dyads share a name whatever the codes
    dyad = pl.concat_str(length, "therapist", "client", separator=" ").alias("dyad")
    return taken.select("therapist", "client", dyad, "session", "score", "outcome").sort(
        "therapist", "client", "session"
    )
