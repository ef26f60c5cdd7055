"""Who leaves, out of sample: on simulated truth, and "unwilling to continue" on KokoroChat.

Simulated: how often intervals hold the truth, whether chances come true on other clients, and how often a link is told
where leaving does not depend on the bond. The peer, in the same run: a logistic regression on the last rating alone.

    python benchmarks/bench_engagement.py            # both
    python benchmarks/bench_engagement.py simulated 120
    python benchmarks/bench_engagement.py kokoro
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import expit, logit

from attunement import frames
from attunement.impact.at_risk import at_risk
from attunement.impact.calibration import Calibration, calibration
from attunement.impact.engagement import LEAVINGS
from attunement.impact.hazard import HazardPrior, published_prior
from attunement.impact.staying import clusters, columns, out_of_sample, staying
from attunement.ruptures import ruptures
from attunement.simulate import simulate
from attunement.simulate.leaving import FIRST, Leaving, leaving
from attunement.trajectories import Measure, trajectories
from attunement.trajectories.model import CourseModel
from unwilling import kokoro

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

MEASURE = Measure(0, 10)
SIZES = (40, 150, 500)
_KEY = ["therapist", "client", "session"]


# -- simulated

PUBLISHED = Leaving()
NONE = Leaving(base=0.022, slope=0.0, early=1.0)  # as many leave, and it goes with nothing at all
BINS = (5, 10, 20, 40)  # clients who left


def person_sessions(clients: int, seed: int, how: Leaving) -> pl.DataFrame:
    """Lay out a simulated practice as the door does; with the last rating, and the truth: z, hazard."""
    made = leaving(simulate(1, clients, seed=seed), how, seed=seed)
    table = frames.ratings(made.ratings)
    caseload = trajectories(table, MEASURE)
    if not isinstance(caseload.model, CourseModel):
        raise TypeError(caseload.model)
    rows = at_risk(table, frames.endings(made.endings), None, caseload.model, ruptures(caseload))
    last = pl.col("score").forward_fill().over("therapist", "client").fill_null(pl.col("score").mean())
    known = table.sort(_KEY).with_columns(last=last).select(*_KEY, "last")
    known = known.join(made.truth.select(*_KEY, "z", "hazard"), on=_KEY)
    return rows.drop_nulls("left").join(known, on=_KEY, how="left", maintain_order="left")


def pool(practices: int = 3, clients: int = 500) -> pl.DataFrame:
    """Clients of whom none leaves: what practices of any size are drawn from, so that thousands can be tried."""
    nobody = Leaving(base=0.0)
    laid = [
        person_sessions(clients, 9_000 + each, nobody).with_columns(
            client=pl.format("{} {}", pl.lit(each), "client")
        )
        for each in range(practices)
    ]
    return pl.concat(laid)


def drawn(all_of: pl.DataFrame, clients: int | None, how: Leaving, seed: int) -> pl.DataFrame:
    """A practice of so many of them, or of all, who leave as they do here; rows end with the leaving."""
    rng = np.random.default_rng([seed, 5])
    names = all_of["client"].unique(maintain_order=True)
    some = names if clients is None else names.gather(rng.choice(names.len(), clients, replace=False))
    rows = all_of.filter(pl.col("client").is_in(some.implode()))
    log_odds = (
        logit(how.base)
        - how.slope * rows["z"].to_numpy()
        + np.log(how.early) * (rows["session"].to_numpy() <= FIRST)
    )
    leaves = pl.Series(rng.random(rows.height) < expit(log_odds)).cast(pl.Float64)
    before = pl.col("left").cum_sum().over("client") - pl.col("left")
    return rows.with_columns(left=leaves).filter(before == 0)


def others(all_of: pl.DataFrame, how: Leaving, times: int = 4) -> pl.DataFrame:
    """All of them, who leave anew each time: on whom it is known how good chances are."""
    again = [
        drawn(all_of, None, how, 77 + each).with_columns(client=pl.format("{} {}", pl.lit(each), "client"))
        for each in range(times)
    ]
    return pl.concat(again)


def peer(rows: pl.DataFrame) -> Calibration:
    """A logistic regression on the last rating alone, next to flat, on clients it was not learnt from."""
    names = ("constant", "last")
    event, cluster = rows["left"].to_numpy(), clusters(rows)
    return out_of_sample(columns(rows, names), event, names, HazardPrior(), cluster=cluster)


def one(rows: pl.DataFrame, slope: float, elsewhere: pl.DataFrame | None = None) -> dict[str, float | None]:
    """What is found in one practice, against the true slope, and against the clients of other practices."""
    found = staying(rows, published_prior())
    here = found.calibration
    _, low, high = found.bond.interval("connection")
    _, low_alone, high_alone = found.alone.interval("connection")
    told: dict[str, float | None] = {
        "left": float(rows["left"].sum()),
        "slope held": float(low <= -slope <= high),
        "slope held, flat prior": float(low_alone <= -slope <= high_alone),
        "link told": float(found.direction != 0),
        "clients told of": float(here.tells and not here.refuted),
        "pairs": here.pairs.value,
        "pairs, last rating": peer(rows).pairs.value,
        "calibration": here.slope.value,
    }
    if elsewhere is None:
        return told
    chance = expit(columns(elsewhere, found.expected.names) @ found.expected.draws.mean(axis=0))
    true = calibration(chance, elsewhere["left"].to_numpy(), clusters(elsewhere))
    return told | {
        "pairs held": float(here.pairs.low <= true.pairs.value <= here.pairs.high),
        "pairs elsewhere": true.pairs.value,
        "calibration elsewhere": true.slope.value,
    }


def tried(all_of: pl.DataFrame, clients: int, many: int, which: str) -> pl.DataFrame:
    """Try practices of one size, a row each, whatever number left."""
    slopes = {"published": 0.55, "none": 0.0}
    spread = np.random.default_rng(clients).normal(0.55, 0.4, many)
    how = NONE if which == "none" else PUBLISHED
    elsewhere = others(all_of, how) if which == "published" else None
    rows = []
    for seed in range(many):
        slope = slopes.get(which, float(spread[seed]))
        rows_here = drawn(all_of, clients, Leaving(how.base, slope, how.early), 1_000 * clients + seed)
        if rows_here["left"].sum() >= BINS[0]:
            rows.append(one(rows_here, slope, elsewhere))
    return pl.DataFrame(rows).with_columns(clients=pl.lit(clients), which=pl.lit(which))


def simulated(many: int) -> int:
    """Print the tables of simulated practices; returns how many claims are not met."""
    all_of = pool()
    found = pl.concat(
        [
            tried(all_of, clients, many if clients < 500 else many // 2, which)
            for clients in SIZES
            for which in ("published", "prior", "none")
        ],
        how="diagonal",
    )
    for name, by in (("by how many left", "left"), ("by size, from ten who left on", "clients")):
        print(name)
        least = pl.max_horizontal(pl.when(pl.col("left") >= each).then(each) for each in BINS)
        cut = found.with_columns(left=pl.format("{} or more", least))
        cut = cut if by == "left" else cut.filter(found["left"] >= LEAVINGS)
        means = cut.group_by("which", by).agg(pl.len(), pl.col(pl.Float64).mean().round(3)).sort("which", by)
        with pl.Config(tbl_cols=20, tbl_width_chars=250, tbl_rows=40, fmt_str_lengths=30):
            print(means)
    claims = _claims(found.filter(pl.col("left") >= LEAVINGS))
    claims |= _through_the_door(max(many // 20, 4))
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    return sum(not met for met in claims.values())


def _claims(found: pl.DataFrame) -> dict[str, bool]:
    of = {which: found.filter(which=which) for which in ("published", "prior", "none")}

    def mean(which: str, name: str) -> float:
        return float(of[which][name].mean())  # type: ignore[arg-type]

    held, flat = mean("prior", "slope held"), mean("published", "slope held, flat prior")
    pairs, told, clients = (
        mean("published", "pairs held"),
        mean("none", "link told"),
        mean("none", "clients told of"),
    )
    calibrated = float(of["published"]["calibration elsewhere"].median())  # type: ignore[arg-type]
    ours, theirs = mean("published", "pairs elsewhere"), mean("published", "pairs, last rating")
    ratio = (mean("published", "pairs") - 0.5) / (theirs - 0.5)
    return {
        f"slopes drawn as the prior says: 95 % intervals hold {100 * held:.1f} (93 to 97)": 0.93
        <= held
        <= 0.97,
        f"slope .55, flat prior: 95 % intervals hold {100 * flat:.1f} (93 to 97)": 0.93 <= flat <= 0.97,
        f"pairs told right: 95 % intervals hold those on other clients in {100 * pairs:.1f} (93 to 97)": (
            0.93 <= pairs <= 0.97
        ),
        f"calibration slope on other clients, middle: {calibrated:.2f} (.8 to 1.25)": 0.8
        <= calibrated
        <= 1.25,
        f"leaving goes with nothing: a link told in {100 * told:.1f} of 100 practices (at most 5)": told
        <= 0.05,
        f"leaving goes with nothing: clients told of in {100 * clients:.1f} of 100 practices (at most 5)": clients
        <= 0.05,
        f"pairs right on other clients: {ours:.3f} (about .65 expected)": 0.58 <= ours <= 0.72,
        f"pairs beyond chance as a ratio to the last rating alone: {ratio:.2f}": ratio > 1,
    }


def _through_the_door(many: int) -> dict[str, bool]:
    """The same on whole practices of 150, whose courses are learnt from what is left of the ratings."""
    rows = [one(person_sessions(150, seed, PUBLISHED), 0.55) for seed in range(many)]
    spoke = [each for each in rows if (each["left"] or 0) >= LEAVINGS]
    held = np.mean([each["slope held, flat prior"] for each in spoke])
    claim = (
        f"{len(spoke)} of {many} whole practices of 150: flat intervals hold {100 * held:.0f} (85 or more)"
    )
    return {claim: bool(held >= 0.85)}


def main(which: str = "both", many: int = 120) -> int:
    """Print both parts; returns how many claims are not met."""
    missed = simulated(many) if which in {"both", "simulated"} else 0
    return missed + (kokoro() if which in {"both", "kokoro"} else 0)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(arguments[0] if arguments else "both", int(arguments[1]) if len(arguments) > 1 else 120))
