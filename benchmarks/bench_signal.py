"""What feelings tell: how often something is told of noise, how often a signal is found, and whether intervals hold.

Practices where no feeling tells anything, of all sizes, with feelings and states that last, drift and fall; then with
one feeling that tells, at .3 standard deviations within dyads; then the next session. The named peer is what is done by
hand: a correlation for each feeling, each dyad centred, told at p < .05.

    python benchmarks/bench_signal.py
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import pearsonr

from attunement.countertransference.gain import gains
from attunement.countertransference.moves import moves
from attunement.countertransference.next_session import next_session
from attunement.countertransference.pairs import paired
from attunement.countertransference.slopes import published_slopes, slopes
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.telling import Telling, Told, telling
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attunement.countertransference.moves import Moves

PLAIN = Telling()
DRIFTING = Telling(lasting=0.8, lasting_share=0.9, state_lasting=0.9, state_lasting_share=0.9)
WALKING = Telling(lasting=0.95, lasting_share=1.0, state_lasting=0.98, state_lasting_share=1.0)
FALLING = Telling(trend=-1.0, trend_sd=0.5, state_trend=-3.0, state_trend_sd=1.5)
UNEQUAL = Telling(unequal=0.6, state_lasting_share=0.8)
TWELVE = Telling(
    positive=("warm", "hopeful", "interested", "proud", "moved", "at ease"),
    negative=("heavy", "tense", "bored", "angry", "helpless", "guilty"),
)
NOISE = (
    ("6 clients, 6 sessions", 6, 6, PLAIN),
    ("6 clients, 6 sessions, drifting", 6, 6, DRIFTING),
    ("6 clients, 20 sessions, drifting", 6, 20, DRIFTING),
    ("8 clients, 10 sessions, walking", 8, 10, WALKING),
    ("15 clients, 12 sessions, falling", 15, 12, FALLING),
    ("15 clients, 12 sessions, unequal", 15, 12, UNEQUAL),
    ("12 clients, 8 sessions, 12 feelings", 12, 8, TWELVE),
    ("40 clients, 6 sessions, drifting", 40, 6, DRIFTING),
    ("40 clients, 12 sessions, falling", 40, 12, FALLING),
)
SIZES = ((6, 6), (6, 12), (12, 8), (12, 12), (20, 12), (40, 12))
SLOPE = 0.6  # points of state a point of feeling: .3 of 3 to 1.5 points within dyads
TELLS = Telling(tells={"heavy": SLOPE}, tells_sd=0.2)
AFTER = Telling(next_positive=0.3, usual_positive=1.0)
FOLLOWED = ((12, 8), (20, 10), (40, 8))
WIDE = Measure(-30, 40)  # simulated ratings are not held at an end of the scale


def lived(clients: int, sessions: int, how: Telling, seed: int) -> Told:
    return telling(simulate(1, clients, seed=seed, sessions=sessions), how, seed=seed)


def moved(made: Told) -> Moves:
    found = moves(*paired(made.reflections, made.states))
    if found is None:
        raise ValueError("a simulated state moves")
    return found


def by_hand(made: Told) -> list[bool]:
    """Each feeling: whether it correlates with the state at p < .05, each dyad centred."""
    both, names = paired(made.reflections, made.states)
    own = both.select(pl.col(name) - pl.col(name).mean().over("client") for name in ("outcome", *names))
    return [bool(pearsonr(own["outcome"].to_numpy(), own[name].to_numpy())[1] < 0.05) for name in names]


def told_of_noise(practices: int) -> pl.DataFrame:
    """A row a condition: how often anything is told, by us and by hand."""
    rows = []
    for name, clients, sessions, how in NOISE:
        ours, hand = [], []
        for seed in range(practices):
            made = lived(clients, sessions, how, 40_000 + seed)
            ours.append(any(each.tells for each in gains(moved(made))))
            hand.append(any(by_hand(made)))
        rows.append({"noise": name, "told": float(np.mean(ours)), "by hand": float(np.mean(hand))})
    return pl.DataFrame(rows)


def found_by_size(practices: int) -> pl.DataFrame:
    """A row a size: how often the feeling that tells is told; whether slopes of dyads lie in their intervals."""
    rows = []
    for clients, sessions in SIZES:
        told, other = [], []
        held = Held()
        for seed in range(practices):
            made = lived(clients, sessions, TELLS, 50_000 + seed)
            laid, names = moved(made), paired(made.reflections, made.states)[1]
            tells = dict(zip(names, (each.tells for each in gains(laid)), strict=True))
            told.append(tells["heavy"])
            other.append(any(tells[name] for name in TELLS.positive))
            if seed < practices // 2:
                held.add(made, laid, names.index("heavy"), told=tells["heavy"])
        shares = {"found": float(np.mean(told)), "noise told": float(np.mean(other))}
        rows.append({"clients": clients, "sessions": sessions, **shares, **held.row()})
    return pl.DataFrame(rows)


@dataclass(frozen=True)
class Held:
    """How often a dyad's slope lies in its interval: always, where it is told to the therapist, and the usual one."""

    dyads: list[bool] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    usual: list[bool] = field(default_factory=list)

    def add(self, made: Told, laid: Moves, place: int, *, told: bool) -> None:
        """Count one practice."""
        found = slopes(laid, place, published_slopes())
        self.usual.append(found.all.low <= SLOPE <= found.all.high)
        true = {
            row["client"]: row["slope"] for row in made.slopes.filter(feeling="heavy").iter_rows(named=True)
        }
        for (_, client), each in zip(laid.dyads, found.dyads, strict=True):
            self.dyads.append(each.low <= true[client] <= each.high)
            if told and (each.low > 0 or each.high < 0):
                self.named.append(self.dyads[-1])

    def row(self) -> dict[str, float | int | None]:
        """The shares, and of how many."""
        return {
            "usual holds": float(np.mean(self.usual)),
            "dyads hold": float(np.mean(self.dyads)),
            "dyads": len(self.dyads),
            "named hold": float(np.mean(self.named)) if self.named else None,
            "named": len(self.named),
        }


def after_sessions(
    practices: int, how: Telling = AFTER, sizes: Sequence[tuple[int, int]] = FOLLOWED
) -> pl.DataFrame:
    """A row a size and finding: planted, mean found, how often the interval holds it, how often something is told."""
    planted = {
        "positive": how.next_positive,
        "negative": how.next_negative,
        "usual_positive": how.usual_positive,
        "usual_negative": how.usual_negative,
    }
    rows = []
    for clients, sessions in sizes:
        found: dict[str, list[Finding | NotYet]] = {name: [] for name in planted}
        for seed in range(practices):
            made = lived(clients, sessions, how, 60_000 + seed)
            told = next_session(
                made.reflections,
                made.ratings.drop("safe"),
                WIDE,
                positive=how.positive,
                negative=how.negative,
            )
            for name, each in found.items():
                each.append(getattr(told, name))
        for name, each in found.items():
            ends = [one.estimate for one in each if isinstance(one, Finding)]
            rows.append(
                {
                    "clients": clients,
                    "sessions": sessions,
                    "finding": name,
                    "planted": planted[name],
                    "mean": float(np.mean([one.value for one in ends])),
                    "holds": float(np.mean([one.low <= planted[name] <= one.high for one in ends])),
                    "told": float(np.mean([one.low > 0 or one.high < 0 for one in ends])),
                    "practices": len(ends),
                }
            )
    return pl.DataFrame(rows)


def main(practices: int = 200) -> int:
    """Print the tables and the claims; returns how many claims are not met."""
    with pl.Config(tbl_rows=40, tbl_cols=12, fmt_str_lengths=40, tbl_width_chars=140, float_precision=3):
        noise = told_of_noise(practices)
        print(f"told where no feeling tells anything, of {practices} practices each", noise, flush=True)
        found = found_by_size(max(practices * 2 // 5, 1))
        print("one feeling tells, .3 standard deviations within dyads", found, flush=True)
        after = after_sessions(max(practices // 3, 1))
        print("the next session", after, flush=True)
    none = after.filter(pl.col("planted") == 0)
    rate, hand = float(noise["told"].mean()), float(noise["by hand"].mean())  # type: ignore[arg-type]
    worst = float(noise["told"].max())  # type: ignore[arg-type]
    luck = 2.0 * float(np.sqrt(0.05 * 0.95 / practices))
    slope = float(np.average(found["dyads hold"], weights=found["dyads"]))
    momentary = float(after.filter(~pl.col("finding").str.starts_with("usual"))["holds"].mean())  # type: ignore[arg-type]
    usual = float(after.filter(pl.col("finding").str.starts_with("usual"))["holds"].mean())  # type: ignore[arg-type]
    false = float(none["told"].mean())  # type: ignore[arg-type]
    claims = {
        f"noise is told in {100 * rate:.1f} of 100 practices (at most 5)": rate <= 0.05,
        f"in no condition more than luck allows: {100 * worst:.1f} at most (5 and {100 * luck:.1f})": worst
        <= 0.05 + luck,
        f"intervals of dyads' slopes hold {100 * slope:.1f} of 100 (93 to 97)": 0.93 <= slope <= 0.97,
        f"of the next rating after a session, {100 * momentary:.1f} of 100 (93 to 97)": 0.93
        <= momentary
        <= 0.97,
        f"of the next rating by client, {100 * usual:.1f} of 100 (93 to 97)": 0.93 <= usual <= 0.97,
        f"of what is nothing, {100 * false:.1f} of 100 are told of the next session (at most 5)": false
        <= 0.05,
    }
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    print(f"  correlations at p < .05 say something of noise {hand / max(rate, 1e-3):.1f} times as often")
    return sum(not met for met in claims.values())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
