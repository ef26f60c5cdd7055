r"""How good told chances are on those they were not learnt from: pairs told right, and chances that come true.

Sessions of one client are no separate witnesses: all intervals are over clusters of rows. The area under the curve is
the share of pairs, one who left and one who stayed, in which the one who left had the higher chance; its interval is
DeLong's with clusters (Obuchowski 1997, Biometrics 53:567), in log odds. Calibration is Cox's (1958): the event
regressed on the log odds that were told, where a slope of 1 and an intercept of 0 are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import expit, logit
from scipy.stats import rankdata, t

from attunement.findings import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

TENTHS: Final = 10
_REACH = 1.959964
_LEAST_CHANCE = 1e-6
_FOLD_SEED = 89
_RESAMPLED = 2_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """Chances held against what happened.

    Parameters
    ----------
    pairs
        The area under the curve: of pairs of one who left and one who stayed, the share told right.
    slope
        1 where chances are as far apart as they should be; below that they are too far apart.
    intercept
        By how much the log odds are too low on the whole; 0 is right.
    tenths
        A row a tenth of the told chances: ``tenth, rows, told, happened, share, low, high``.
    """

    pairs: Estimate
    slope: Estimate
    intercept: Estimate
    tenths: pl.DataFrame

    @property
    def tells(self) -> bool:
        """Whether it tells those who leave from those who stay better than chance does."""
        return self.pairs.low > 0.5

    @property
    def refuted(self) -> bool:
        """Whether the chances are shown to be wrong: too far apart, too close, too high or too low on the whole."""
        far = not self.slope.low <= 1.0 <= self.slope.high
        return far or not self.intercept.low <= 0.0 <= self.intercept.high


def calibration(chance: Array, event: Array, cluster: Codes, wider: float = 1.0) -> Calibration:
    """Hold (n,) chances against (n,) events, rows of a cluster being of one person.

    Parameters
    ----------
    chance
        Told before, by a model that did not see these rows.
    event
        0 or 1, both of them present.
    cluster
        (n,) whose rows, from 0 on.
    wider
        As `area` has it.
    """
    odds = logit(np.clip(chance, _LEAST_CHANCE, 1.0 - _LEAST_CHANCE))
    _, slope = _cox(odds, event, cluster, sloped=True)
    intercept, _ = _cox(odds, event, cluster, sloped=False)
    return Calibration(area(chance, event, cluster, wider), slope, intercept, tenths(chance, event, cluster))


def area(chance: Array, event: Array, cluster: Codes, wider: float = 1.0) -> Estimate:
    """The area under the curve with its interval over clusters, Student's t of those with an event.

    `wider` times as wide: where the chances were learnt anew for each part, that they might have been learnt otherwise
    is no part of DeLong's interval.
    """
    rank_all, happened = rankdata(chance), event == 1.0
    first, second = int(happened.sum()), int((~happened).sum())
    above = np.empty(event.size)
    above[happened] = (rank_all[happened] - rankdata(chance[happened])) / second
    above[~happened] = 1.0 - (rank_all[~happened] - rankdata(chance[~happened])) / first
    value = float(above[happened].mean())
    sums = [_summed(np.where(side, above - value, 0.0), cluster) for side in (happened, ~happened)]
    part = sums[0] / first + sums[1] / second
    several = np.unique(cluster).size
    sd = float(np.sqrt((part**2).sum() * several / max(several - 1, 1)))
    freedom = max(min(np.unique(cluster[side]).size for side in (happened, ~happened)) - 1, 1)
    return _shared(value, wider * float(t.ppf(0.975, freedom)) * sd, first * second)


def _shared(value: float, reach: float, pairs: int) -> Estimate:
    """An interval in log odds; where every pair is told right, or none, half a pair more is allowed for."""
    held = float(np.clip(value, 0.5 / pairs, 1.0 - 0.5 / pairs))
    far = reach / (held * (1.0 - held))
    low, high = expit(logit(held) - far), expit(logit(held) + far)
    return Estimate(value, min(float(low), value), max(float(high), value), unit="share")


def areas(chances: Array, event: Array, cluster: Codes, *, seed: int = 97, times: int = _RESAMPLED) -> Array:
    """(times, m) areas of (m, n) chances of the same rows, clusters being drawn anew each time: for paired differences.

    Where none, or all, of those drawn left, there is no area: NaN.

    Examples
    --------
    >>> told, event = np.array([[0.1, 0.9, 0.2, 0.8]]), np.array([0.0, 1.0, 0.0, 1.0])
    >>> areas(told, event, np.array([0, 0, 1, 1]), times=3)[:, 0].tolist()
    [1.0, 1.0, 1.0]
    """
    rng = np.random.default_rng(seed)
    several = int(cluster.max()) + 1
    weight = rng.multinomial(several, np.full(several, 1.0 / several), size=times)[:, cluster].astype(float)
    return np.column_stack([_weighted_area(each, event, weight) for each in chances])


def _weighted_area(chance: Array, event: Array, weight: Array) -> Array:
    _, place = np.unique(chance, return_inverse=True)
    levels = int(place.max()) + 1
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(levels))
    gone = np.add.reduceat((weight * event)[:, order], starts, axis=1)
    stayed = np.add.reduceat((weight * (1.0 - event))[:, order], starts, axis=1)
    below = np.cumsum(stayed, axis=1) - stayed / 2.0
    pairs = gone.sum(axis=1) * stayed.sum(axis=1)
    right: Array = np.full(weight.shape[0], np.nan)
    np.divide((gone * below).sum(axis=1), pairs, out=right, where=pairs > 0)
    return right


def _cox(odds: Array, event: Array, cluster: Codes, *, sloped: bool) -> tuple[Estimate, Estimate]:
    """Intercept and slope; the slope held at 1 for calibration on the whole. The covariance is over clusters."""
    x = np.column_stack([np.ones_like(odds), odds]) if sloped else np.ones((odds.size, 1))
    offset = np.zeros_like(odds) if sloped else odds
    beta = np.zeros(x.shape[1])
    bread = np.eye(x.shape[1])
    for _ in range(50):
        told = expit(offset + x @ beta)
        bread = np.linalg.pinv((x * (told * (1.0 - told))[:, None]).T @ x)
        step = bread @ (x.T @ (event - told))
        beta = beta + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    left = x * (event - expit(offset + x @ beta))[:, None]
    meat = np.stack([_summed(each, cluster) for each in left.T], axis=1)
    several = meat.shape[0]
    sd = np.sqrt(np.diagonal(bread @ (meat.T @ meat) @ bread) * several / max(several - 1, 1))
    ends = [
        Estimate(float(b), float(b - _REACH * s), float(b + _REACH * s), unit="log odds")
        for b, s in zip(beta, sd, strict=True)
    ]
    return ends[0], ends[-1]


def tenths(chance: Array, event: Array, cluster: Codes, parts: int = TENTHS) -> pl.DataFrame:
    """Told and happened in each tenth of the told chances; Wilson's intervals, wider where clusters hold together."""
    order = np.argsort(chance, kind="stable")
    rows = []
    for place, each in enumerate(np.array_split(order, min(parts, chance.size)), start=1):
        share = float(event[each].mean())
        low, high = _wilson(share, each.size / _together(event[each] - share, cluster[each]))
        rows.append((place, each.size, float(chance[each].mean()), int(event[each].sum()), share, low, high))
    names = ("tenth", "rows", "told", "happened", "share", "low", "high")
    return pl.DataFrame(rows, schema=names, orient="row")


def _together(left: Array, cluster: Codes) -> float:
    """By how much clusters widen an interval: variance over clusters by that over rows, at least 1."""
    alone = float((left**2).sum())
    return max(float((_summed(left, cluster) ** 2).sum()) / alone, 1.0) if alone > 0 else 1.0


def _wilson(share: float, of: float) -> tuple[float, float]:
    square = _REACH**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _REACH * np.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return float(max(min(middle - reach, share), 0.0)), float(min(max(middle + reach, share), 1.0))


def _summed(values: Array, cluster: Codes) -> Array:
    """Sums by cluster, of those that have a row."""
    codes = np.unique(cluster, return_inverse=True)[1]
    return np.bincount(codes, weights=values).astype(np.float64)


def folds(cluster: Codes, event: Array, parts: int) -> Codes:
    """(n,) a fold for each row: all rows of a cluster in one, those with an event dealt out evenly."""
    rng = np.random.default_rng(_FOLD_SEED)
    several = int(cluster.max()) + 1
    happened = np.bincount(cluster, weights=event, minlength=several) > 0
    shuffled = rng.permutation(several)
    dealt = np.concatenate([shuffled[happened[shuffled]], shuffled[~happened[shuffled]]])
    fold = np.empty(several, dtype=np.int64)
    fold[dealt] = np.arange(several) % parts
    return fold[cluster]
