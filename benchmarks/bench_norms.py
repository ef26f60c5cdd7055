"""Norms: what equal designs lose against all rows, and whether intervals hold, on practices whose truth is known.

python benchmarks/bench_norms.py                   # 200 sites of 20 therapists: some minutes
python benchmarks/bench_norms.py --sites 40
"""

from __future__ import annotations

import argparse
import warnings
from datetime import date

import numpy as np
import polars as pl

from attunement.mixed import fit
from attunement.norms import Norms, Peers, pool, publish
from children import same_cores

FEELING = "like wading"
DAYS = (date(2026, 1, 1), date(2026, 6, 30))
USUAL, HABIT, CLIENT, HOUR = 5.0, 1.0, 1.0, 1.4


def site(random: np.random.Generator, therapists: int, habit: float | None = None) -> pl.DataFrame:
    """Unequal caseloads: 5 to 39 clients, a client as often as a negative binomial about ten has it."""
    clients = random.integers(5, 40, therapists)
    levels = random.normal(0.0, HABIT, therapists) if habit is None else np.full(therapists, habit)
    of = np.repeat(np.arange(therapists), clients)
    means = USUAL + levels[of] + random.normal(0.0, CLIENT, of.size)
    times = 1 + random.negative_binomial(2.0, 2.0 / 12.0, of.size)
    who = np.repeat(np.arange(of.size), times)
    session = np.arange(who.size) - np.repeat(np.cumsum(times) - times, times) + 1
    strength = np.clip(means[who] + random.normal(0.0, HOUR, who.size), 0.0, 10.0)
    return pl.DataFrame(
        {
            "therapist": [f"t{each}" for each in of[who]],
            "client": [f"c{each}" for each in who],
            "session": session,
            "feeling": FEELING,
            "strength": strength,
        }
    )


def published(rows: pl.DataFrame, name: str, seed: int) -> Norms:
    return publish(rows, site=name, since=DAYS[0], until=DAYS[1], seed=seed)


def lost(sites: int, therapists: int) -> None:
    """Print what the mean and the therapists' standard deviation lose: errors of sums over those of all rows."""
    random = np.random.default_rng(1)
    by_sums, by_rows, kept, placed = [], [], [], []
    for number in range(sites):
        rows = site(random, therapists)
        norms = published(rows, "Site", number)
        found = norms.fit(FEELING)
        whole = fit("strength ~ 1 + (1 | therapist) + (1 | client)", rows)
        by_sums.append((found.mean, found.habits**0.5))
        by_rows.append((whole.fixef["Intercept"] - 5.0, float(whole.varcorr[0].sd[0])))
        sums = norms.sums(FEELING)
        kept.append(sum(s.therapists * s.design.clients * s.design.reflections for s in sums) / rows.height)
        placed.append(norms.therapists(FEELING) / therapists)
    truth = np.array([USUAL - 5.0, HABIT])
    mine, theirs = (np.sqrt(((np.array(each) - truth) ** 2).mean(axis=0)) for each in (by_sums, by_rows))
    print(
        f"{sites} sites of {therapists} therapists: {100 * np.mean(kept):.0f} % of rows and "
        f"{100 * np.mean(placed):.0f} % of therapists are in the sums"
    )
    for place, name in enumerate(("mean", "sd of therapists")):
        print(
            f"  {name:<17} error by sums {mine[place]:.3f}, by all rows {theirs[place]:.3f}: "
            f"ratio {mine[place] / theirs[place]:.3f}"
        )


def held(trials: int) -> None:
    """Print how often the interval of a habit holds the truth, and its width against knowing the norm exactly."""
    random, inside, width, off = np.random.default_rng(2), 0, [], []
    for number in range(trials):
        norms = pool([published(site(random, 8), name, number) for name in ("A", "B", "C")])
        habit = random.normal(0.0, HABIT)
        own = site(random, 1, habit)
        found = Peers(norms, FEELING).off(own)
        inside += found.low <= habit <= found.high
        width.append(found.high - found.low)
        off.append(found.value - habit)
    share = inside / trials
    error = 100 * np.sqrt(share * (1 - share) / trials)
    print(
        f"habits of {trials} therapists against 3 sites of 8: intervals of 95 % hold {100 * share:.1f} in 100 "
        f"(standard error {error:.1f}); width {np.mean(width):.2f}, error {np.std(off):.2f} points"
    )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description="What norms lose, and whether their intervals hold.")
    parser.add_argument("--sites", type=int, default=200)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print(same_cores())
    for therapists in (8, 20, 60):
        lost(asked.sites, therapists)
    held(asked.sites)


if __name__ == "__main__":
    main()
