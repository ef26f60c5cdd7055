"""How often the intervals of what clients say of steps hold the truth, in simulated practices.

Each client answers once or more, on whole points from 0 to 10, and talks about steps as often as their own beta has it;
the truth is that of all clients there could be. Prints coverage and half width a row; needs nothing but this package.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from attunement.findings import Finding
from attunement.steps import helped

PRACTICES = 400
# clients, further answers a client, sd between and within, mean of the helpfulness; mean and size of the share
ROWS = (
    (4, 2.0, 1.5, 1.5, 6.5, 0.7, 4.0),
    (4, 1.5, 2.0, 1.0, 6.0, 0.5, 2.0),
    (6, 1.0, 1.5, 1.5, 8.0, 0.85, 6.0),
    (10, 1.0, 1.5, 1.5, 6.5, 0.7, 4.0),
    (20, 1.0, 1.5, 1.5, 8.5, 0.9, 10.0),
    (20, 0.3, 1.0, 2.0, 6.5, 0.6, 3.0),
)


def drawn(random: np.random.Generator, row: tuple[float, ...]) -> pl.DataFrame:
    """One practice's table of steps."""
    clients, more, between, within, mean, share, size = row
    many = random.poisson(more, int(clients)) + 1
    who = np.repeat(np.arange(int(clients)), many)
    level = np.repeat(random.normal(mean, between, int(clients)), many)
    points = np.clip(np.round(level + random.normal(0, within, who.size)), 0, 10)
    often = np.repeat(random.beta(share * size, (1 - share) * size, int(clients)), many)
    step = np.concatenate([np.arange(1, each + 1) for each in many])
    talked = np.where(random.random(who.size) < often, "yes", "no")
    return pl.DataFrame({"client": who.astype(str), "step": step, "talked": talked, "helped": points})


def truth(random: np.random.Generator, row: tuple[float, ...]) -> float:
    """The mean of all answers there could be."""
    _, _, between, within, mean, _, _ = row
    return float(np.clip(np.round(mean + random.normal(0, np.hypot(between, within), 400_000)), 0, 10).mean())


def main() -> None:
    """Print coverage a row."""
    random = np.random.default_rng(7)
    print("clients  answers  held: mean  half width  held: share  half width  told")
    for row in ROWS:
        mean, many = truth(random, row), 0
        found: list[list[float]] = []
        while len(found) < PRACTICES:
            steps = drawn(random, row)
            asked = helped(steps)
            both = asked.all, asked.talked
            many += 1
            if isinstance(both[0], Finding) and isinstance(both[1], Finding):
                found.append([*_held(both[0], mean), *_held(both[1], row[5]), steps.height])
        held, wide, shared, far, answers = np.mean(found, axis=0)
        print(
            f"{row[0]:7.0f}  {answers:7.1f}  {held:10.3f}  {wide:10.2f}  {shared:11.3f}  {far:10.2f}"
            f"  {len(found) / many:.2f}"
        )


def _held(finding: Finding, value: float) -> tuple[bool, float]:
    estimate = finding.estimate
    return estimate.low <= value <= estimate.high, (estimate.high - estimate.low) / 2


if __name__ == "__main__":
    main()
