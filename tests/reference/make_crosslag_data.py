"""Make the two small data sets on which the cross-lagged model is compared with lavaan.

They are simulated, so that they may be given away. Run it as
`.venv/bin/python tests/reference/make_crosslag_data.py`; then run `Rscript tests/reference/lavaan.R`, whose
numbers hold only for these very files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(__file__).parent / "data"
DECIMALS = 4
LAGGED = np.array([[0.30, 0.10], [0.15, 0.40]])
INNOVATION = np.array([[1.0, -0.1], [-0.1, 1.0]])
BETWEEN = np.array([[1.5, 0.6], [0.6, 2.0]])


def complete(clients: int = 200, sessions: int = 5, seed: int = 2001) -> pl.DataFrame:
    """Clients whose connection and outcome move around their own levels, and rise a little for all."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(clients, 2)) @ np.linalg.cholesky(BETWEEN).T
    moving = 1.2 * rng.normal(size=(clients, 2))
    series = []
    for session in range(sessions):
        series.append(np.array([6.0, 20.0]) + 0.2 * np.log2(session + 1.0) + level + moving)
        moving = moving @ LAGGED.T + rng.normal(size=(clients, 2)) @ np.linalg.cholesky(INNOVATION).T
    values = np.stack(series, axis=1).reshape(-1, 2)
    return pl.DataFrame(
        {
            "client": np.repeat([f"c{each + 1:03}" for each in range(clients)], sessions),
            "session": np.tile(np.arange(1, sessions + 1), clients),
            "connection": values[:, 0],
            "outcome": values[:, 1],
        }
    )


def missing() -> pl.DataFrame:
    """Six sessions, of which clients have the first two to six; some sessions and some measures are missing."""
    frame = complete(clients=250, sessions=6, seed=2002)
    rng = np.random.default_rng(2003)
    lengths = rng.integers(2, 7, 250)
    held = (frame["session"].to_numpy() <= np.repeat(lengths, 6)) & (rng.random(frame.height) > 0.08)
    return frame.with_columns(
        pl.when(pl.Series(rng.random(frame.height) > 0.1)).then(name).alias(name)
        for name in ("connection", "outcome")
    ).filter(pl.Series(held))


def main() -> None:
    for name, frame in (("crosslag", complete()), ("crosslag_missing", missing())):
        frame.write_csv(DATA / f"{name}.csv", float_precision=DECIMALS)


if __name__ == "__main__":
    main()
