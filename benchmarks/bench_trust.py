"""Trust where its truth is known: do intervals hold, is an order called where none is, and where one is, is it seen.

The peer is the rule in use: call an order where two lagged slopes, each within clients and with the line's own previous
value held, exclude zero.

    python benchmarks/bench_trust.py
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement import frames
from attunement.simulate import simulate
from attunement.simulate.trusting import Trusting, trusting
from attunement.trust import keeping, order, published_prior
from attunement.trust.courses import courses
from attunement.trust.lines import DYAD, LINES, laid_out
from attunement.trust.order import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

NULLS = {
    "one bond, lines' own moves": Trusting(),
    "one bond alone": Trusting(own_sd=0.0),
    "one bond that drifts far": Trusting(bond_sd=1.2, bond_keeps=0.97),
    "one bond, no ceiling": Trusting(bond_sd=1.2, bond_keeps=0.97, ceiling=False, step=0.0),
    "no bond but the connection": Trusting(bond_sd=0.0),
    "the order reversed, .5": Trusting(0.5, 0.5, reversed_order=True),
}
PARTIAL = {
    "the first step only, .5": Trusting(to_openness=0.5),
    "the second step only, .5": Trusting(to_depth=0.5),
}
FADING = {
    "no order, depth fades slowest, tied": Trusting(own_keeps=(0.1, 0.4, 0.8), own_tie=0.5),
    "the same, far and tightly": Trusting(own_keeps=(0.0, 0.4, 0.9), own_tie=0.8, own_sd=1.2),
}
_FRESH = 500  # first seed of coverage: the prior of the walk was chosen on earlier ones
STRENGTHS = (0.3, 0.5, 0.7)
SIZES = (30, 60, 150, 300)


def rows_of(clients: int, how: Trusting, seed: int) -> pl.DataFrame:
    """The check-ins of a practice, laid out."""
    made = trusting(simulate(1, clients, seed=seed), how, seed=seed)
    return laid_out(frames.check_ins(made.check_ins))


def by_rule(rows: pl.DataFrame) -> bool:
    """Whether two lagged slopes exclude zero: least squares within clients, errors clustered by client."""
    return all(_slope_low(rows, x, y) > 0 for x, y in STEPS)


def _slope_low(rows: pl.DataFrame, x: str, y: str) -> float:
    both = rows.select("dyad", "session", x, y).drop_nulls()
    next_one = pl.col("session").shift(-1).over("dyad") - pl.col("session") == 1
    pairs = both.with_columns(then=pl.col(y).shift(-1).over("dyad"), follows=next_one).filter("follows")
    pairs = pairs.with_columns(pl.col(x, y, "then") - pl.col(x, y, "then").mean().over("dyad"))
    now, then = pairs.select(x, y).to_numpy(), pairs["then"].to_numpy()
    inverse = np.linalg.inv(now.T @ now)
    slope = inverse @ now.T @ then
    scores = pairs.select("dyad", a=pl.Series(now[:, 0] * (then - now @ slope)),
                          b=pl.Series(now[:, 1] * (then - now @ slope)))  # fmt: skip
    by_client = scores.group_by("dyad").sum().select("a", "b").to_numpy()
    spread = inverse @ by_client.T @ by_client @ inverse
    return float(slope[0] - 1.96 * spread[0, 0] ** 0.5)


def called(clients: int, how: Trusting, seeds: Sequence[int]) -> tuple[float, float]:
    """Shares of practices in which an order is told, by us and by the rule."""
    ours, rule = [], []
    for seed in seeds:
        rows = rows_of(clients, how, seed)
        found = order(rows)
        ours.append(found is not None and found.told)
        rule.append(by_rule(rows))
    return float(np.mean(ours)), float(np.mean(rule))


def coverage(clients: int, how: Trusting, seeds: Sequence[int]) -> dict[str, list[bool]]:
    """Whether each dyad's interval holds the truth: level and change of the three lines."""
    held: dict[str, list[bool]] = {"level": [], "change": []}
    for seed in seeds:
        made = trusting(simulate(1, clients, seed=seed), how, seed=seed)
        rows = laid_out(frames.check_ins(made.check_ins))
        counts = dict(rows.drop_nulls("understood").group_by("client").len().iter_rows())
        for line, answer in LINES.items():
            found = courses(rows, answer, published_prior().course)
            for row in made.truth.filter(line=line).iter_rows(named=True):
                if found is None or counts[row["client"]] < DYAD:
                    continue
                course = found.dyads[row["therapist"], row["client"]]
                held["level"].append(course.level.low <= row["level"] <= course.level.high)
                held["change"].append(course.change.low <= row["change"] <= course.change.high)
    return held


def coverage_of_diary(clients: int, seeds: Sequence[int]) -> dict[str, list[bool]]:
    """Whether each dyad's interval holds the truth: the shares held as planned and begun late."""
    held: dict[str, list[bool]] = {"held as planned": [], "begun late": []}
    for seed in seeds:
        made = trusting(simulate(1, clients, seed=seed), seed=seed)
        kept = keeping(frames.sessions(made.sessions))
        for row in made.kept.iter_rows(named=True):
            if kept is not None:
                each = kept.dyads[row["therapist"], row["client"]]
                held["held as planned"].append(each.share.low <= row["held"] <= each.share.high)
                held["begun late"].append(each.late_share.low <= row["late"] <= each.late_share.high)
    return held


def main(many: int = 40) -> int:
    """Print coverage, false orders and power; returns how many claims are not met."""
    claims = _covered(many) | _false(many) | _seen(max(many // 2, 2))
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    return sum(not met for met in claims.values())


def _covered(many: int) -> dict[str, bool]:
    print("95 % intervals that hold the truth, in 100")
    plain = Trusting(ceiling=False, step=0.0, own_keeps=0.0)
    kinds = (
        (16, plain, ""),
        (60, plain, ""),
        (60, replace(plain, own_keeps=0.3), ", own moves that linger"),
        (16, Trusting(own_keeps=0.0), ", whole points held on the scale"),
    )
    claims: dict[str, bool] = {}
    for clients, how, said in kinds:
        claims |= _held(
            f"{clients} clients{said}", coverage(clients, how, range(_FRESH, _FRESH + many // 4 + 1))
        )
    for clients in (16, 60):
        claims |= _held(
            f"{clients} clients, the diary", coverage_of_diary(clients, range(_FRESH, _FRESH + many))
        )
    return claims


def _held(said: str, held: dict[str, list[bool]]) -> dict[str, bool]:
    told = {name: 100 * float(np.mean(each)) for name, each in held.items()}
    print(f"  {said}: " + ", ".join(f"{name} {told[name]:.1f} of {len(held[name])}" for name in told))
    return {f"{said}: {name} {share:.1f} (93 to 97)": 93 <= share <= 97 for name, share in told.items()}


def _false(many: int) -> dict[str, bool]:
    print("orders called where there is none, in 100: ours, and the rule of two lagged slopes")
    claims: dict[str, bool] = {}
    ours, rule = [], []
    for clients in (60, 150):
        for name, how in (NULLS | PARTIAL).items():
            a, b = called(clients, how, range(many))
            print(f"  {clients:>4} clients, {name:<32} {100 * a:5.1f} {100 * b:5.1f}")
            claims[f"{clients} clients, {name}: {100 * a:.0f} in 100 (at most 5)"] = a <= 0.05
            if name in NULLS:
                ours.append(a)
                rule.append(b)
    print(f"  over all nulls: ours {100 * np.mean(ours):.1f}, the rule {100 * np.mean(rule):.1f} in 100")
    most = max(float(np.mean(ours)), 3 / (many * len(ours)))  # of none in n, the 95 % bound is 3 / n
    print(f"  the rule calls an order where there is none at least {np.mean(rule) / most:.0f} times as often")
    for name, how in FADING.items():  # which the test cannot tell from an order: see `trust.leads`
        a, b = called(150, how, range(many))
        print(f"   150 clients, {name:<32} {100 * a:5.1f} {100 * b:5.1f}")
        claims[f"150 clients, {name}: {100 * a:.0f} in 100 (at most 5)"] = a <= 0.05
    return claims


def _seen(many: int) -> dict[str, bool]:
    print("orders seen where there is one, in 100, by strength and clients")
    claims = {}
    for strength in STRENGTHS:
        shares = [called(clients, Trusting(strength, strength), range(many))[0] for clients in SIZES]
        shown = "  ".join(
            f"{clients}: {100 * share:3.0f}" for clients, share in zip(SIZES, shares, strict=True)
        )
        print(f"  {strength:.1f} points a point   {shown}")
        if strength == 0.5:
            claims[
                f"an order of .5 is seen with 300 clients in {100 * shares[-1]:.0f} of 100 (at least 80)"
            ] = shares[-1] >= 0.8
    return claims


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
