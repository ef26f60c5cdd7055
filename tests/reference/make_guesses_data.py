"""Make data/guesses.csv: a therapist's guesses of clients' answers, ours to give away.

python tests/reference/make_guesses_data.py
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from attunement.simulate import simulate
from attunement.simulate.guessing import Guessing, guessing

if __name__ == "__main__":
    practice = simulate(8, 8, seed=29, sessions=10)
    made = guessing(practice, Guessing(follow_sd=0.25, attend_sd=0.15, step=0.1), seed=29).ratings
    both = made.drop_nulls(["score", "guess"]).select("therapist", "client", "session", "score", "guess")
    both.sort(pl.all()).write_csv(Path(__file__).parent / "data" / "guesses.csv")
