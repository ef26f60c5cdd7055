"""Two small simulated data sets for change of outcomes: pairs of scores, and courses with sessions missing."""

from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent / "data"
CLIENTS, SESSIONS = 80, 12

drawn = np.random.default_rng(1991)
before = drawn.normal(20, 6, 60).round().clip(0, 60)
after = (0.5 * before + drawn.normal(3, 6, 60)).round().clip(0, 60)
pl.DataFrame({"client": range(1, 61), "before": before, "after": after}).write_csv(HERE / "change_pairs.csv")

course = (30 + drawn.normal(-1, 6, (CLIENTS, SESSIONS)).cumsum(axis=1)).round().clip(0, 60)
missed = drawn.random((CLIENTS, SESSIONS)) < 0.15
rows = [
    (client + 1, session + 1, course[client, session])
    for client in range(CLIENTS)
    for session in range(SESSIONS)
    if not missed[client, session]
]
pl.DataFrame(rows, schema=["client", "session", "outcome"], orient="row").write_csv(
    HERE / "change_courses.csv"
)
