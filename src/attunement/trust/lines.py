"""Check-ins laid out: the three lines, the rest of the connection beside each, and trust, openness and depth."""

from __future__ import annotations

from typing import Final

import polars as pl

LINES: Final = {"empathy": "understood", "non_judgment": "not_judged", "openness": "could_say"}
"""The answer that each line is."""
TRUST: Final = ("understood", "not_judged")
OPENNESS: Final = ("could_say",)
DEPTH: Final = ("safe", "supported", "contact", "matters")
"""The answers that trust, openness and depth are the means of. What hindered is no part of any."""
ANSWERS: Final = (*TRUST, *OPENNESS, *DEPTH)
DYAD: Final = 3
"""Sessions answered from which a client is told of by itself."""
CLIENTS: Final = 5
"""Clients with two sessions answered or more from which it is told what is usual."""
_REST = 3  # answers beside a line from which they stand for the rest of the connection


def laid_out(table: pl.DataFrame) -> pl.DataFrame:
    """Lay check-ins out: therapist, client, dyad, session, the answers, trust, openness, depth, connection.

    A mean is there where more than half of its answers are (all of two). Sessions of a dyad stand in order.

    Parameters
    ----------
    table
        Holds `frames.CHECK_INS`.
    """
    length = pl.col("therapist").str.len_chars()  # so that no two dyads share a name whatever the codes
    dyad = pl.concat_str(length, "therapist", "client", separator=" ").alias("dyad")
    absent = [pl.lit(None, pl.Float64).alias(name) for name in ANSWERS if name not in table.columns]
    return (
        table.with_columns(dyad, *absent)
        .select("therapist", "client", "dyad", "session", *ANSWERS)
        .sort("therapist", "client", "session")
        .with_columns(
            trust=_mean(TRUST, 2),
            openness=_mean(OPENNESS, 1),
            depth=_mean(DEPTH, 3),
            connection=_mean(ANSWERS, 5),
        )
    )


def rest(line: str) -> pl.Expr:
    """The mean of the other answers: a line is part of the connection, and would go along with itself."""
    return _mean(tuple(name for name in ANSWERS if name != LINES[line]), _REST)


def _mean(names: tuple[str, ...], least: int) -> pl.Expr:
    there = pl.sum_horizontal(pl.col(name).is_not_null() for name in names)
    return pl.when(there >= least).then(pl.mean_horizontal(names))
