"""What more costs: memory as rows grow with the clients fixed, seconds as clients grow.

The engine keeps sums a client, not rows: its peak should stay flat from 10 to 250 sessions a client (DuckDB's
buffers and nothing else), and its seconds should grow in proportion to the clients. Prints both slopes. Each fit
runs in a process of its own and goes from the Parquet file to every prediction.

    python benchmarks/bench_growth.py
    python benchmarks/bench_growth.py --smaller 100        # a hundredth of the clients, to try it
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
from pathlib import Path

from children import Outcome, alone, same_cores

HERE = Path(__file__).parent
LIMIT = 600.0  # seconds a fit
FIXED_CLIENTS, SESSIONS = 20_000, (10, 50, 250)
CLIENTS, FIXED_SESSIONS = (25_000, 50_000, 100_000, 200_000, 400_000), 10


def fitted(clients: int, sessions: int) -> Outcome:
    """Fit a practice, and print its line."""
    simulate = [sys.executable, str(HERE / "practice_at_scale.py"), str(clients), str(sessions)]
    file = subprocess.run(simulate, check=True, capture_output=True, text=True).stdout.strip()
    found = alone([sys.executable, str(HERE / "contenders.py"), "ours", file], LIMIT)
    said = found.failure or (
        f"{found.answer['seconds']:8.3f} s, warm {found.answer['warm']:8.3f} s {found.peak:8,.0f} MB   "
        f"log-likelihood {found.answer['loglik']:.4f}"
    )
    print(f"  {clients:>8,} clients x {sessions:>3}, about {clients * sessions:>10,} rows: {said}")
    return found


def slope(points: list[tuple[float, float]]) -> float:
    """Slope of the least-squares line; not a number with fewer than two points."""
    if len(points) < 2:
        return math.nan
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def main() -> None:
    """Let rows grow, then clients."""
    parser = argparse.ArgumentParser(description="Slopes of memory on rows and of seconds on clients.")
    parser.add_argument("--smaller", type=int, default=1, help="divide the clients by so much")
    smaller = parser.parse_args().smaller
    print(same_cores())

    print("Rows grow, clients stay:")
    memory, reading = [], []
    for sessions in SESSIONS:
        clients = FIXED_CLIENTS // smaller
        found = fitted(clients, sessions)
        if not found.failure:
            memory.append((clients * sessions / 1e6, found.peak))
            reading.append((clients * sessions / 1e6, found.answer["warm"]))
    print(f"  {slope(memory):.1f} MB and {slope(reading):.3f} s for each million rows more")

    print("Clients grow, sessions a client stay:")
    seconds, peaks = [], []
    for clients in (each // smaller for each in CLIENTS):
        found = fitted(clients, FIXED_SESSIONS)
        if not found.failure:
            seconds.append((math.log(clients), math.log(found.answer["warm"])))
            peaks.append((clients / 1e6, found.peak))
    print(
        f"  log-log slope of warm seconds on clients {slope(seconds):.2f} (1 is in proportion); "
        f"{slope(peaks):,.0f} MB for each million clients more"
    )


if __name__ == "__main__":
    main()
