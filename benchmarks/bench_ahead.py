"""The next session's total of KokoroChat, one step ahead from past sessions only.

Variances are learnt from the first half in time, figures are of the second. The peers, in the same run: the running
mean of the client, a shrunk mean of client and counsellor, and an exact filter with fixed variances.

    python benchmarks/bench_ahead.py
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.mixed.in_time import InTime, in_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DATA = Path(__file__).parents[2] / "shared" / "data" / "kokorochat_ratings.csv"
MODELS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "who (client, counsellor, pairing)": (("client_id", "counselor_id", "dyad"), ()),
    "who, topic": (("client_id", "counselor_id", "dyad", "topic"), ()),
    "who, topic, and how they are these days": (
        ("client_id", "counselor_id", "dyad", "topic"),
        ("client_id", "counselor_id"),
    ),
}


def sessions() -> pl.DataFrame:
    """Read the ratings, in the order in which they were made."""
    read = pl.read_csv(DATA, try_parse_dates=True)
    return read.with_columns(dyad=pl.concat_str("counselor_id", "client_id", separator=" ")).sort(
        "rated_at", maintain_order=True
    )


def chosen(rows: pl.DataFrame, half: int) -> tuple[str, dict[str, InTime]]:
    """Learn each model from the first half; the one with the best likelihood there, a price a variance, is chosen."""
    found = {
        name: in_time(rows, "score_total", steady=steady, moving=moving, time="rated_at", learn=half)
        for name, (steady, moving) in MODELS.items()
    }
    price = {name: 2 * len(each.components) for name, each in found.items()}  # Akaike's, twice
    return max(found, key=lambda name: found[name].loglik - price[name]), found


def running_mean(rows: pl.DataFrame, _: int) -> Array:
    """The client's mean so far, or everybody's."""
    return _running(rows, "client_id", 0.0)


def shrunk_mean(rows: pl.DataFrame, half: int) -> Array:
    """Client's and counsellor's means so far, each drawn to everybody's by so many sessions as fits the first half."""
    y = rows["score_total"].to_numpy().astype(float)
    usual = np.concatenate([[66.0], np.cumsum(y)[:-1] / np.arange(1, y.size)])
    grid = (1.0, 2.0, 4.0, 8.0)
    tried = {
        (a, b): _running(rows, "client_id", a) + _running(rows, "counselor_id", b) - usual for a in grid for b in grid
    }  # fmt: skip
    return min(tried.values(), key=lambda each: float(((each - y)[:half] ** 2).mean()))


def _running(rows: pl.DataFrame, factor: str, drawn: float) -> Array:
    """Means so far, from earlier rows alone, drawn to everybody's by so many sessions."""
    total: dict[int, tuple[float, int]] = {}
    everyone, found = (66.0, 1), []
    for who, y in rows.select(factor, pl.col("score_total").cast(pl.Float64)).iter_rows():
        usual = everyone[0] / everyone[1]
        mine = total.get(who, (0.0, 0))
        weight = mine[1] + drawn
        found.append((mine[0] + drawn * usual) / weight if weight else usual)
        total[who] = (mine[0] + y, mine[1] + 1)
        everyone = (everyone[0] + y, everyone[1] + 1)
    return np.array(found)


def rmse(rows: pl.DataFrame, expected: Array, half: int) -> float:
    """Root mean square error in the second half."""
    return float(np.sqrt(((rows["score_total"].to_numpy() - expected)[half:] ** 2).mean()))


def main() -> int:
    """Print the table; returns how many claims are not met."""
    if not DATA.exists():
        print(f"no {DATA}: nothing to measure")
        return 0
    rows = sessions()
    half = rows.height // 2
    peers: dict[str, Callable[[pl.DataFrame, int], Array]] = {
        "running mean of the client": running_mean,
        "shrunk means of client and counsellor": shrunk_mean,
    }
    print(f"{rows.height - half:,} sessions of the second half, points of 100")
    for name, peer in peers.items():
        print(f"  {name:46} RMSE {rmse(rows, peer(rows, half), half):6.2f}")
    began = time.perf_counter()
    best, found = chosen(rows, half)
    took = time.perf_counter() - began
    errors = {}
    for name, each in found.items():
        errors[name] = rmse(rows, each.table["expected"].to_numpy(), half)
        held = float((each.table["z"].to_numpy()[half:].__abs__() < 1.96).mean())
        print(f"  {name:46} RMSE {errors[name]:6.2f}   95 % intervals hold {100 * held:.1f} %   "
              f"log-likelihood of the first half {each.loglik:,.1f}{'   chosen' * (name == best)}")  # fmt: skip
    print(found[best].components)
    filtered = errors["who (client, counsellor, pairing)"]
    ratio = errors[best] / filtered
    print(f"all three learnt in {took:.0f} s; error as a ratio to the filter of who alone: {ratio:.3f}")
    return int(errors[best] > filtered)


if __name__ == "__main__":
    sys.exit(main())
