"""Why a bond does not form, where the truth is planted: what the board ranks first, and whether its support is right.

The peer is chance: eight causes, 12.5 in 100.

    python benchmarks/bench_connecting.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import polars as pl

from attunement.connecting import CALLED, NONE, Known, supports
from attunement.ruptures import ruptures
from attunement.simulate.causes import CAUSES, FEELINGS, not_connecting
from attunement.trajectories import Measure, trajectories

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURE = Measure(0, 10)


def tried(causes: Sequence[str], seeds: Sequence[int]) -> pl.DataFrame:
    """Plant each cause with each seed: ``cause, first, support, opened``."""
    rows = []
    for cause in causes:
        for seed in seeds:
            made = not_connecting(cause, seed=seed)
            caseload = trajectories(made.ratings, MEASURE)
            known = Known(
                caseload, ruptures(caseload), made.feelings, FEELINGS, made.days, made.triggers,
                made.ratings, made.background, made.states,
            )  # fmt: skip
            dyad = next(each for each in caseload.trajectories if each.client == made.client)
            found, _ = supports(known, dyad)
            states = dyad.states or {}
            opened = states.get("stalled", 0.0) + states.get("falling", 0.0)
            rows.append(
                {"cause": cause, "first": found[0].hypothesis, "support": found[0].chance, "opened": opened}
            )
    return pl.DataFrame(rows)


def calibration(found: pl.DataFrame) -> pl.DataFrame:
    """How often the first was right, by what its support said; cases of none count as often as they are expected."""
    none = pl.col("cause") == "none"
    planted = found.filter(~none).height
    weight = NONE / (1 - NONE) * planted / max(found.height - planted, 1)
    cut = found.with_columns(
        says=(pl.col("support") * 5).floor().clip(0, 4) / 5 + 0.1,
        right=pl.col("first") == pl.col("cause"),
        weight=pl.when(none).then(weight).otherwise(1.0),
    )
    held = (pl.col("right") * pl.col("weight")).sum() / pl.col("weight").sum()
    return cut.group_by("says").agg(pl.len(), pl.col("support").mean(), held.alias("right")).sort("says")


def main(many: int = 40) -> int:
    """Print the confusion table and the calibration; returns how many claims are not met."""
    planted = tried(CAUSES, range(300, 300 + many))
    none = tried(["none"], range(900, 900 + 3 * many))
    print("planted (rows), ranked first (columns)")
    table = planted.pivot("first", index="cause", values="support", aggregate_function="len").fill_null(0)
    with pl.Config(tbl_cols=12):
        print(table.select("cause", *[each for each in CAUSES if each in table.columns]))
    right = float((planted["first"] == planted["cause"]).mean())  # type: ignore[arg-type]
    called = float((none["support"] >= CALLED).mean())  # type: ignore[arg-type]
    told = calibration(pl.concat([planted, none]))
    held = float(told.filter((pl.col("says") - 0.7).abs() < 0.05)["right"].sum())
    print(told)
    claims = {
        f"the planted cause is ranked first in {100 * right:.0f} of 100 (wanted 50)": right >= 0.5,
        f"none planted, one called in {100 * called:.0f} of 100 (at most 10)": called <= 0.10,
        f"where it says .6 to .8, right in {100 * held:.0f} of 100 (60 to 80)": 0.6 <= held <= 0.8,
    }
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    print(f"  as a ratio to chance: {right / 0.125:.1f}")
    return sum(not met for met in claims.values())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
