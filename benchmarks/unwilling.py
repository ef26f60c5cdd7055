"""Sessions after which a client of KokoroChat was unwilling to continue, told before each from earlier ones alone.

What is used is chosen on the first half; figures are of the second, intervals by drawing clients anew. The peers: a low
predicted total alone, through the same core; and the client's mean so far. Run by `bench_engagement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import logit

from attunement.impact.calibration import Calibration, area, areas, calibration
from attunement.impact.hazard import HazardPrior, hazard
from attunement.impact.staying import columns
from attunement.mixed.in_time import in_time
from bench_ahead import DATA, MODELS, running_mean, sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

ITEMS = ("felt_respected", "conversation_felt_comfortable", "felt_hopeful_or_expectant")
EVERY = 100  # sessions after which the chances are learnt anew
KNOWN: dict[str, tuple[str, ...]] = {
    "low predicted total": ("low",),
    "… and how sure it is": ("low", "sd"),
    "… and the client's own share so far": ("low", "client"),
    "… and the client's own share of late": ("low", "client_lately"),
    "… and the client's and counsellor's shares": ("low", "client", "counsellor"),
    "… and both, and falls": ("low", "client", "counsellor", "client_fall", "counsellor_fall"),
    "… and both, of late": ("low", "client_lately", "counsellor"),
    "… and the client's shares, unwilling and low": ("low", "client", "client_low"),
    "… and three items": ("low", "client", *ITEMS),
}
PEER = "low predicted total"
MEAN = "the client's mean so far"
_TIMES = 400  # clients are drawn anew for the intervals of calibration


def known_before(rows: pl.DataFrame, learn: int) -> pl.DataFrame:
    """Everything that was known before each session, from earlier ones alone; `rows` in the order of time.

    The predicted total is that of the whole table one step ahead, its variances learnt from the first rows.
    """
    steady, moving = MODELS["who, topic, and how they are these days"]
    total = in_time(rows, "score_total", steady=steady, moving=moving, time="rated_at", learn=learn).table
    unwilling = pl.col("unwilling_to_continue").cast(pl.Float64)
    table = total.with_columns(left=unwilling, poor=(pl.col("score_total") < 30).cast(pl.Float64))
    return table.with_columns(
        low=-pl.col("expected"),
        client=_odds(_so_far(table, "client_id", "left", 10)),
        counsellor=_odds(_so_far(table, "counselor_id", "left", 30)),
        client_lately=_odds(_so_far(table, "client_id", "left", 10, keep=0.95)),
        client_low=_odds(_so_far(table, "client_id", "poor", 10)),
        client_fall=pl.col("z").shift(1).over("client_id").fill_null(0.0),
        counsellor_fall=pl.col("z").shift(1).over("counselor_id").fill_null(0.0),
        **{item: _so_far(table, "client_id", item, 3, usual=3.0) for item in ITEMS},
    )


def _so_far(
    table: pl.DataFrame, factor: str, column: str, drawn: float, *, usual: float = 0.03, keep: float = 1.0
) -> Array:
    """Somebody's mean so far, drawn to everybody's by so many sessions; older ones count less by `keep` a session.

    Everybody's begins as ten sessions at the usual.
    """
    mine: dict[int, tuple[float, float]] = {}
    total, many, found = 10.0 * usual, 10.0, []
    for who, value in table.select(factor, column).iter_rows():
        summed, count = mine.get(who, (0.0, 0.0))
        found.append((summed + drawn * total / many) / (count + drawn))
        mine[who] = (keep * summed + value, keep * count + 1.0)
        total, many = total + value, many + 1.0
    return np.array(found)


def _odds(share: Array) -> pl.Series:
    return pl.Series(logit(np.clip(share, 1e-4, 1 - 1e-4)))


def in_order(table: pl.DataFrame, names: Sequence[str], first: int, last: int) -> Array:
    """Chances of the rows from `first` to `last`, each learnt from rows before it alone."""
    past = table.head(first)
    scaled = table.select(
        "left", *((pl.col(name) - past[name].mean()) / past[name].std() for name in names)
    ).head(last)
    which = ("constant", *names)
    prior = HazardPrior({"constant": (-4.0, 2.0), **dict.fromkeys(names, (0.0, 1.0))})
    x, event = columns(scaled, which), scaled["left"].to_numpy()
    told = [
        hazard(x[:at], event[:at], which, prior, draws=400).chance(x[at : at + EVERY])
        for at in range(first, last, EVERY)
    ]
    return np.concatenate(told)


def chosen(table: pl.DataFrame, half: int) -> tuple[str, dict[str, float]]:
    """What is used: the one whose chances of the second quarter, learnt from before, are the most likely."""
    event = table["left"].to_numpy()[half // 2 : half]
    tried_here = {}
    for name, names in KNOWN.items():
        told = in_order(table, names, half // 2, half)
        tried_here[name] = float((event * np.log(told) + (1 - event) * np.log1p(-told)).sum())
    return max(tried_here, key=tried_here.__getitem__), tried_here


@dataclass(frozen=True, slots=True)
class Unwilling:
    """The second half: what happened, to whom, and what was told before: ours, and the peers."""

    event: Array
    client: Codes
    ours: Array
    peers: Array
    means: Array

    def without(self, client: int) -> Unwilling:
        """All but one client."""
        kept = self.client != client
        told = (self.event, self.client, self.ours, self.peers, self.means)
        return Unwilling(*(each[kept] for each in told))

    @property
    def codes(self) -> Codes:
        """Clients from 0 on."""
        return np.unique(self.client, return_inverse=True)[1].astype(np.int64)

    def difference(self, other: Array) -> tuple[float, float, float]:
        """Ours less another's area under the curve, with its paired interval over clients."""
        again = areas(np.stack([self.ours, other]), self.event, self.codes)
        low, high = np.nanquantile(again[:, 0] - again[:, 1], (0.025, 0.975))
        ours, theirs = (area(each, self.event, self.codes).value for each in (self.ours, other))
        return ours - theirs, float(low), float(high)

    def over_clients(self, chance: Array) -> dict[str, tuple[float, float, float]]:
        """Area, calibration slope and intercept, with their intervals by drawing clients anew."""
        codes, rng = self.codes, np.random.default_rng(53)
        rows = [np.flatnonzero(codes == each) for each in range(int(codes.max()) + 1)]
        here = _three(calibration(chance, self.event, codes))
        again = []
        for _ in range(_TIMES):
            some = np.concatenate([rows[each] for each in rng.integers(0, len(rows), len(rows))])
            if 0 < self.event[some].sum() < some.size:
                again.append(_three(calibration(chance[some], self.event[some], codes[some])))
        low, high = np.quantile(np.array(again), (0.025, 0.975), axis=0)
        names = ("area", "slope", "intercept")
        return {name: (here[at], float(low[at]), float(high[at])) for at, name in enumerate(names)}


def _three(held: Calibration) -> tuple[float, float, float]:
    return held.pairs.value, held.slope.value, held.intercept.value


def unwilling(table: pl.DataFrame, half: int, best: str) -> Unwilling:
    """Tell the second half, session by session."""
    later = table.tail(table.height - half)
    told = {name: in_order(table, KNOWN[name], half, table.height) for name in {best, PEER}}
    who, means = later["client_id"].to_numpy().astype(np.int64), running_mean(table, half)[half:]
    return Unwilling(
        later["left"].to_numpy(), who, told[best], told[PEER], 1.0 - np.clip(means, 1, 99) / 100.0
    )


def kokoro() -> int:
    """Print what could be told of "unwilling to continue"; returns how many claims are not met."""
    if not DATA.exists():
        print(f"no {DATA}: nothing to measure")
        return 0
    rows = sessions()
    half = rows.height // 2
    table = known_before(rows, half)
    best, tried_here = chosen(table, half)
    print(f"KokoroChat, unwilling to continue: {int(table['left'].sum())} of {table.height:,} sessions")
    for name, value in tried_here.items():
        print(f"  {name:46} log-likelihood of the second quarter {value:8.1f}{'   chosen' * (name == best)}")
    found = unwilling(table, half, best)
    often = table.group_by("client_id").agg(pl.col("left").sum()).sort("left", descending=True).row(0)
    print(f"the second half, {found.event.size:,} sessions, {int(found.event.sum())} unwilling")
    whole = _print_one("all clients", found)
    _print_one(f"without the one client with {int(often[1])} of them", found.without(int(often[0])))
    print(calibration(found.ours, found.event, found.codes).tenths)
    told = found.over_clients(found.ours)
    said = {
        part: f"{part} {value:.2f} ({low:.2f} to {high:.2f})" for part, (value, low, high) in told.items()
    }
    claims = {
        f"{said['area']}, above .70": told["area"][1] > 0.70,
        f"area above the predicted total alone by {whole[0]:.3f} ({whole[1]:.3f} to {whole[2]:.3f})": whole[1]
        > 0,
        f"calibration {said['slope']} holds 1": told["slope"][1] <= 1 <= told["slope"][2],
        f"calibration {said['intercept']} holds 0": told["intercept"][1] <= 0 <= told["intercept"][2],
    }
    for claim, met in claims.items():
        print(f"  {claim}: {'met' if met else 'NOT met'}")
    return sum(not met for met in claims.values())


def _print_one(name: str, found: Unwilling) -> tuple[float, float, float]:
    print(f"  {name}: {int(found.event.sum())} of {found.event.size:,}")
    for which, chance in (("ours", found.ours), (PEER, found.peers), (MEAN, found.means)):
        told = found.over_clients(chance)
        shown = (f"{part} {value:.3f} ({low:.3f} to {high:.3f})" for part, (value, low, high) in told.items())
        print(f"    {which:26} {'   '.join(shown if which != MEAN else [*shown][:1])}")
    for which, other in ((PEER, found.peers), (MEAN, found.means)):
        value, low, high = found.difference(other)
        print(f"    area above that of {which}: {value:.3f} ({low:.3f} to {high:.3f})")
    return found.difference(found.peers)
