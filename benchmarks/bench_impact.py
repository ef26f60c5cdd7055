"""What a bond carries, where the truth is planted: how often intervals hold it, and nothing is called something.

The peer of the outcome is the usual way: everything centred on the client's mean, and least squares. Its bias stands
beside ours as a ratio. All practices are of `attunement.simulate` with its published lengths of therapy, a course that
all share (the bait), ruptures and drift, so that no model here is the one that made them.

    python benchmarks/bench_impact.py             # about ten minutes on one quiet core
    python benchmarks/bench_impact.py 0.2         # a fifth of it
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.findings import Finding
from attunement.impact import growth, outcome, stability
from attunement.simulate import Published, simulate
from attunement.simulate.outcomes import Carried, Carrying, carrying, skipping
from attunement.trajectories import Measure, trajectories

if TYPE_CHECKING:
    from collections.abc import Iterable

MEASURE = Measure(0, 10)
EFFECT = 0.18  # standardised, a session
SLOW = Published(start=5.0, growth_per_doubling=0.6)  # bonds that take some sessions, and then form
REAL = Path(__file__).parents[2] / "shared" / "data" / "outcomes" / "sgdata.csv"


def naive(made: Carried) -> tuple[float, float, float]:
    """The usual way: value, low and high of the next outcome on the rating, all centred on the client's mean."""
    rows = made.ratings.drop_nulls(["score", "outcome"]).sort("client", "session")
    around = rows.with_columns(pl.col("score", "outcome") - pl.col("score", "outcome").mean().over("client"))
    table = around.with_columns(
        following=pl.col("outcome").shift(-1).over("client"),
        gap=pl.col("session").shift(-1).over("client") - pl.col("session"),
    ).filter(pl.col("gap") == 1)
    x, y = table.select("score", "outcome").to_numpy(), table["following"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    found = inverse @ x.T @ y
    scores = pl.DataFrame(x * (y - x @ found)[:, None]).with_columns(client=table["client"])
    clustered = scores.group_by("client").sum().drop("client").to_numpy()
    error = float(np.sqrt((inverse @ clustered.T @ clustered @ inverse)[0, 0]))
    return float(found[0]), float(found[0]) - 1.96 * error, float(found[0]) + 1.96 * error


def outcomes_tried(
    clients: int,
    effect: float,
    seeds: Iterable[int],
    *,
    skipped: bool = False,
    tied: float = 0.0,
    sessions: int | None = None,
) -> pl.DataFrame:
    """One row a practice: our error and the usual way's, and whether the intervals hold the truth; in points.

    With `sessions` every therapy has so many, and nobody gets better by a course of their own: bias of the ways alone.
    """
    course = 1.0 if sessions is None else 0.0
    how = Carrying(effect=effect, improvement_tie=tied, improvement=course, improvement_sd=course / 2.0)
    rows = []
    for seed in seeds:
        made = carrying(simulate(1, clients, seed=seed, sessions=sessions), how, seed=seed)
        ratings = skipping(made.ratings, made.truth, seed=seed) if skipped else made.ratings
        found = outcome(ratings, MEASURE, worse=made.how.worse)
        usual, low, high = naive(made)
        row: dict[str, object] = {
            "told": found.lagged is not None,
            "truth": made.within,
            "usual": usual - made.within,
            "usual_holds": low <= made.within <= high,
            "usual_claims": low > 0 or high < 0,
        }
        if found.lagged is not None:
            link, left_in = (found.lagged.link("next outcome", taken_out=each) for each in (True, False))
            tie = found.lagged.between
            row |= {
                "error": link.value - made.within,
                "holds": link.low <= made.within <= link.high,
                "left_in": left_in.value - made.within,
                "claims": link.side == left_in.side != 0,
                "tie_off": None if tie is None else -tie.value - made.how.between,
                "tie_holds": None if tie is None else -tie.high <= made.how.between <= -tie.low,
            }
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def stability_tried(ratio: float, clients: int, seeds: Iterable[int]) -> pl.DataFrame:
    """One row a practice: log of the ratio found by the true one, and whether the interval holds the truth."""
    rows = []
    for seed in seeds:
        practice = simulate(1, clients, seed=seed, sessions=24, settings=SLOW)
        made = carrying(practice, Carrying(steadier=ratio), seed=seed)
        found = stability(made.ratings, MEASURE)
        told = found.all
        row: dict[str, object] = {"told": isinstance(told, Finding), "clients": len(found.ratios)}
        if isinstance(told, Finding):
            low, high = told.estimate.low, told.estimate.high
            each = found.frame().drop_nulls("times")
            row |= {
                "error": np.log(told.estimate.value / ratio),
                "holds": low <= ratio <= high,
                "claims": low > 1 or high < 1,
                "own": each.height,
                "own_hold": each.filter(
                    (pl.col("times_low") <= ratio) & (pl.col("times_high") >= ratio)
                ).height,
            }
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def growth_tried(clients: int, with_depth: float, seeds: Iterable[int]) -> pl.DataFrame:
    """One row a practice: whether the intervals hold the mean change a month, depth's part, and each client's own.

    The mean change is that which was planted where depth has no part in it.
    """
    rows = []
    for seed in seeds:
        practice = simulate(1, clients, seed=seed)
        made = carrying(practice, Carrying(growth_with_depth=with_depth), seed=seed)
        found = growth(made.growth, caseload=trajectories(made.ratings, MEASURE))
        row: dict[str, object] = {"told": isinstance(found.all, Finding)}
        for name, each, true in (
            ("all", found.all, made.how.growth_a_year / 12.0),
            ("depth", found.depth, with_depth / 12.0),
        ):
            if isinstance(each, Finding):
                row |= {
                    f"{name}_error": each.estimate.value - true,
                    f"{name}_holds": each.estimate.low <= true <= each.estimate.high,
                    f"{name}_claims": each.estimate.low > 0 or each.estimate.high < 0,
                }
        own = found.frame().drop_nulls("change").join(made.clients.unique("client"), on="client")
        moved = pl.col("growth_a_year") * pl.col("months") / 12.0
        held = own.filter(moved.is_between(pl.col("change_low"), pl.col("change_high")))
        rows.append(row | {"own": own.height, "own_hold": held.height})
    return pl.DataFrame(rows, infer_schema_length=None)


def share(table: pl.DataFrame, name: str) -> float:
    """The share of a column of flags, in a hundred; not a number where there are none."""
    told = table[name].drop_nulls() if name in table.columns else pl.Series([], dtype=pl.Boolean)
    return 100.0 * float(told.mean()) if told.len() else float("nan")  # type: ignore[arg-type]


def real() -> None:
    """The BDI and the second scale of `sgdata`, each as the other's next outcome."""
    if not REAL.exists():
        print(f"real data: left out, as {REAL} is not there")
        return
    print("sgdata, 43 people, 12 sessions (both scales: higher is worse)")
    for x, y in (("rq", "bdi"), ("bdi", "rq")):
        found = outcome(sgdata(x, y), Measure(0, 100), worse="higher")
        print(f"  {y} next on {x}:", found.all.sentence, "|", found.between.sentence)
        print(found.frame())


def said(what: str, table: pl.DataFrame, columns: dict[str, str]) -> None:
    """Print one line: means of numbers, shares of flags."""
    told = [
        f"{name} {share(table, column):.0f} %"
        if table[column].dtype == pl.Boolean
        else f"{name} {_mean(table, column):+.3f}"
        for name, column in columns.items()
        if column in table.columns
    ]
    print(f"  {what:<44} {', '.join(told)}", flush=True)


def _mean(table: pl.DataFrame, column: str) -> float:
    return float(table[column].drop_nulls().mean() or 0.0)  # type: ignore[arg-type]


def outcomes_told(scale: float) -> list[pl.DataFrame]:
    """Null and planted effect, three sizes of practice; check-ins skipped, and a confounder."""
    print(f"outcome: the next state on this session's rating (planted {EFFECT}, standardised; or none)")
    columns = {
        "ours off": "error", "course left in": "left_in", "usual way": "usual", "holds": "holds",
        "usual way's": "usual_holds", "claims": "claims", "usual way claims": "usual_claims",
        "between r off": "tie_off", "holds ": "tie_holds",
    }  # fmt: skip
    found = []
    plans: list[tuple[int, float, dict[str, Any]]] = [
        (size, effect, {}) for size in (30, 100, 300) for effect in (0.0, EFFECT)
    ]
    plans += [(100, 0.0, {"skipped": True}), (100, EFFECT, {"skipped": True}), (100, 0.0, {"tied": 0.6})]
    plans += [(300, EFFECT, {"sessions": 5})]
    for size, effect, more in plans:
        many = max(round(scale * {30: 50, 100: 16, 300: 6}[size]), 2)
        table = outcomes_tried(size, effect, range(size, size + many), **more).with_columns(
            size=size, effect=effect, more=pl.lit(",".join(more))
        )
        said(f"{size} clients, {effect:.2f}, {','.join(more) or 'plain'}, {many} practices", table, columns)
        found.append(table)
    return found


def stabilities_told(scale: float) -> list[pl.DataFrame]:
    """No change, and steadier by three tenths; 60 clients of 24 sessions."""
    print("stability: sd after established over that before")
    found = []
    for ratio in (1.0, 0.7):
        many = max(round(scale * 20), 2)
        table = stability_tried(ratio, 60, range(700, 700 + many))
        columns = {"clients told": "clients", "log off": "error", "holds": "holds", "claims": "claims"}
        said(f"ratio {ratio}, 60 clients, {many} practices", table, columns)
        print(f"    one client's: {own_held(table):.0f} % of {table['own'].sum()} hold")
        found.append(table)
    return found


def growths_told(scale: float) -> list[pl.DataFrame]:
    """The mean change, what goes with depth, and each client's own."""
    print("growth: points a month")
    found = []
    for size, tie in ((12, 0.0), (30, 0.0), (30, 0.4), (100, 0.0), (100, 0.4)):
        many = max(round(scale * {12: 20, 30: 24, 100: 10}[size]), 2)
        table = growth_tried(size, tie, range(100, 100 + many))
        columns = {"depth off": "depth_error", "holds": "depth_holds", "claims": "depth_claims"}
        if tie == 0.0:
            columns = {"all off": "all_error", "holds ": "all_holds", **columns}
        said(f"{size} clients, {tie} a year with depth, {many} practices", table, columns)
        print(f"    one client's: {own_held(table):.0f} % of {table['own'].sum()} hold")
        found.append(table)
    return found


def own_held(table: pl.DataFrame) -> float:
    return 100.0 * float(table["own_hold"].sum()) / max(float(table["own"].sum()), 1.0)


def main(scale: float = 1.0) -> int:
    """Print all, and what is met; returns how many claims are not."""
    outcomes, stabilities, growths = outcomes_told(scale), stabilities_told(scale), growths_told(scale)
    every = pl.concat(outcomes, how="diagonal_relaxed")
    plain = every.filter(pl.col("more") == "")
    null = plain.filter(pl.col("effect") == 0)
    steady = pl.concat(stabilities, how="diagonal_relaxed")
    grown = pl.concat(growths, how="diagonal_relaxed")
    short = every.filter(pl.col("more") == "sessions")
    ours, usual = abs(_mean(short, "error")), abs(_mean(short, "usual"))
    worst = min(own_held(each) for each in growths)
    claims = {
        f"nothing planted, {share(null, 'claims'):.1f} in 100 practices told of a link (at most 5; the usual way "
        f"{share(null, 'usual_claims'):.1f})": share(null, "claims") <= 5.0,
        f"95 % intervals hold the truth in {share(plain, 'holds'):.1f} of 100 (93 to 97; the usual way's "
        f"{share(plain, 'usual_holds'):.1f})": 93.0 <= share(plain, "holds") <= 97.0,
        f"5 sessions each: bias {ours:.3f} points, the usual way's {usual:.3f} (at most half)": ours
        <= usual / 2,
        f"stability: {share(steady, 'holds'):.1f} of 100 intervals hold (93 or more)": share(steady, "holds")
        >= 93.0,
        f"stability of one client: {own_held(steady):.1f} (93 or more)": own_held(steady) >= 93.0,
        f"growth with depth: {share(grown, 'depth_holds'):.1f} (93 or more)": share(grown, "depth_holds")
        >= 93.0,
        f"growth of one client, the size where it is worst: {worst:.1f} (93 or more)": worst >= 93.0,
    }
    real()
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    return sum(not met for met in claims.values())


def sgdata(x: str, y: str) -> pl.DataFrame:
    """`frames.RATINGS` of the real data: one scale as the score, the other as the outcome."""
    wide = pl.read_csv(REAL, null_values="NA")
    sessions = [
        wide.select(
            client=pl.col("id").cast(pl.String), session=pl.lit(s), score=f"{x}_s{s}", outcome=f"{y}_s{s}"
        )
        for s in range(1, 13)
    ]
    return pl.concat(sessions)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
