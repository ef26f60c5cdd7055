"""A simulated practice with every column that a table of ratings may have."""

from __future__ import annotations

import polars as pl

from attunement.sessions import FEELINGS
from attunement.simulate import simulate
from attunement.simulate.feeling import Feeling, feeling
from attunement.simulate.leaving import leaving
from attunement.simulate.outcomes import carrying
from attunement.simulate.trusting import trusting

KEY = ["therapist", "client", "session"]
WORDS = tuple(word for pair in FEELINGS[:2] for word in pair)


def whole(therapists: int = 1, clients: int = 30, seed: int = 7) -> pl.DataFrame:
    """One row a session until the client left: ratings, guesses, outcomes, feelings, check-ins, attendance, ending."""
    practice = simulate(therapists, clients, seed=seed)
    felt = feeling(practice, Feeling(feelings=WORDS, noise_sd=1.0, step=1.0), seed=seed)
    trusted, left = trusting(practice, seed=seed), leaving(practice, seed=seed)
    wide = felt.reflections.with_columns(feeling=pl.lit("feeling:") + pl.col("feeling")).pivot(
        "feeling", index=KEY, values="strength"
    )
    lasted = left.ratings.group_by("therapist", "client").agg(last=pl.col("session").max())
    further = (
        wide,
        felt.days,
        trusted.check_ins.drop("time", strict=False),
        trusted.sessions.select(*KEY, "attendance"),
    )
    table = carrying(practice, seed=seed).ratings
    for each in further:
        table = table.join(each, on=KEY, how="left", maintain_order="left")
    for each in (left.endings.select("therapist", "client", "ending"), lasted):
        table = table.join(each, on=["therapist", "client"], how="left", maintain_order="left")
    return table.filter(pl.col("session") <= pl.col("last").fill_null(1_000_000)).drop("last")
