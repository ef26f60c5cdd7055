r"""Consistent communication, as far as a diary shows it: sessions held as planned, late starts, regularity.

Only what therapist or practice can influence counts: of the sessions that the client neither cancelled nor missed, how
many were held. Shares k of n are pooled as a beta-binomial: those of dyads are drawn from a beta distribution of mean
:math:`\mu` and size M, both integrated over on a grid,

.. math:: p(\mu, M \mid k) \propto p(\mu)\,p(M) \prod_d \frac{B(k_d + \mu M,\; n_d - k_d + (1 - \mu) M)}
          {B(\mu M, (1 - \mu) M)}

and each dyad's share is the mixture of the betas that follow (Gelman et al. 2013, Bayesian Data Analysis, section 5.3).
Late starts are pooled likewise, of the sessions held; a diary does not say who was late, so they stand apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import betainc, betaln, expit, logit
from scipy.stats import binom

from attunement.findings import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PLANNED: Final = 3
"""Planned sessions from which a dyad is told of by itself."""
HALVES: Final = 10
"""Planned sessions from which the later half is held against the earlier one."""
GAPS: Final = 6
"""Intervals from which their regularity is told: fewer order statistics make no 95 % interval of a median."""
_USUALLY_HELD = (0.93, 20.0)  # mean and size of the prior of the mean share [judgement]
_USUALLY_LATE = (0.08, 10.0)  # [judgement]
_SIZE = (np.log(20.0), 1.0)  # of log M, normal [judgement]
_MEANS, _SIZES = 48, 16
_SLIGHT = 1e-4  # weight of a point of the grid that is left out
_DAY = 86_400e6  # microseconds


@dataclass(frozen=True, slots=True)
class Kept:
    """How one dyad's sessions, or all, came about.

    Parameters
    ----------
    planned, called_off, by_client, late
        Sessions that the client did not call off; those of them that the therapist cancelled; those that the client
        cancelled or missed; and of those held, how many began late.
    share, late_share
        Of the planned ones held, and of the held ones begun late: what is to be expected.
    change
        The share in the later half less that in the earlier one; None below 10 planned.
    interval, spread
        Days from one session held to the next, and how far from that they lie: medians; None below 6 intervals.
    """

    planned: int
    called_off: int
    by_client: int
    late: int
    share: Estimate
    late_share: Estimate
    change: Estimate | None = None
    interval: float | None = None
    spread: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """The diary, told.

    Parameters
    ----------
    all
        What is usual of dyads, or with several therapists of therapists.
    dyads
        Each dyad's own, by therapist and client.
    """

    all: Kept
    dyads: dict[tuple[str, str], Kept] = field(repr=False)


def keeping(table: pl.DataFrame, *, known: bool = True) -> Keeping | None:
    """Work out how sessions were kept; None where no session was planned that the client did not call off.

    Parameters
    ----------
    table
        Holds `frames.SESSIONS`.
    known
        Whether to start from what is expected of practices, or from flat priors.
    """
    counted = _counted(table)
    dyads = counted.group_by("therapist", "client", maintain_order=True).agg(_SUMS)
    if not dyads["planned"].sum():
        return None
    unit = "therapist" if counted["therapist"].n_unique() > 1 else "client"
    units = counted.group_by(unit).agg(_SUMS)
    held = _fitted(dyads, "held", "planned", _USUALLY_HELD if known else None)
    late = _fitted(dyads, "late", "held", _USUALLY_LATE if known else None)
    share_held, share_late = cache(held.share), cache(late.share)  # many have the same few counts
    everybody = _kept(
        counted.select(_SUMS).row(0, named=True),
        _fitted(units, "held", "planned", _USUALLY_HELD if known else None).usual,
        _fitted(units, "late", "held", _USUALLY_LATE if known else None).usual,
    )
    found = {}
    for key, rows in counted.partition_by("therapist", "client", as_dict=True, maintain_order=True).items():
        sums = rows.select(_SUMS).row(0, named=True)
        kept = _kept(
            sums, share_held(sums["held"], sums["planned"]), share_late(sums["late"], sums["held"]),
            _change(held, rows), *_regularity(rows),
        )  # fmt: skip
        found[str(key[0]), str(key[1])] = kept
    return Keeping(everybody, found)


_NAMES = ("planned", "held", "called_off", "by_client", "late")
_SUMS = [pl.col(name).sum().cast(pl.Int64) for name in _NAMES]


def _counted(table: pl.DataFrame) -> pl.DataFrame:
    """A flag a session for each count; sessions in order."""
    how = pl.col("attendance")
    held, off = how.is_in(["held", "late"]), how == "cancelled by therapist"
    flags = {
        "planned": held | off,
        "held": held,
        "called_off": off,
        "by_client": ~held & ~off,
        "late": how == "late",
    }
    return table.with_columns(**flags).sort("therapist", "client", "session")


def _kept(
    sums: dict[str, int],
    share: Estimate,
    late_share: Estimate,
    change: Estimate | None = None,
    interval: float | None = None,
    spread: Estimate | None = None,
) -> Kept:
    counts = (sums["planned"], sums["called_off"], sums["by_client"], sums["late"])
    return Kept(*counts, share, late_share, change, interval, spread)


@dataclass(frozen=True, slots=True)
class _Population:
    """The posterior of the mean share and its size, on a grid: (g,) each."""

    mean: Array
    size: Array
    weight: Array

    def share(self, k: int, n: int) -> Estimate:
        """Of one dyad, given its own sessions: the mixture of the betas that follow."""
        a, b = k + self.mean * self.size, n - k + (1.0 - self.mean) * self.size
        low, high = (_mixed_quantile(a, b, self.weight, tail) for tail in (0.025, 0.975))
        value = float(self.weight @ (a / (a + b)))
        return _ordered(value, low, high)

    def moments(self, k: int, n: int) -> tuple[float, float]:
        """Mean and variance of the same."""
        a, b = k + self.mean * self.size, n - k + (1.0 - self.mean) * self.size
        each = a / (a + b)
        value = float(self.weight @ each)
        return value, float(self.weight @ (each * (1 - each) / (a + b + 1) + (each - value) ** 2))

    @property
    def usual(self) -> Estimate:
        """The mean share."""
        means, place = np.unique(self.mean, return_inverse=True)
        weight = np.asarray(np.bincount(place, self.weight), dtype=np.float64)
        low, high = np.interp([0.025, 0.975], np.cumsum(weight) - weight / 2.0, means)
        return _ordered(float(self.weight @ self.mean), float(low), float(high))


def _fitted(dyads: pl.DataFrame, part: str, of: str, prior: tuple[float, float] | None) -> _Population:
    pairs = dyads.filter(pl.col(of) > 0).group_by(part, of).len()  # who have the same counts are one term
    k, n, many = (pairs[name].to_numpy().astype(np.float64) for name in (part, of, "len"))
    means = expit(np.linspace(logit(0.002), logit(0.998), _MEANS))
    sizes = np.exp(np.linspace(0.7, 6.5, _SIZES))
    mean, size = np.tile(means, _SIZES), np.repeat(sizes, _MEANS)
    a, b = (mean * size)[:, None], ((1.0 - mean) * size)[:, None]
    log = (betaln(k + a, n - k + b) - betaln(a, b)) @ many
    log += np.log(mean * (1.0 - mean))  # the grid is even in the logit
    if prior is not None:
        log += (prior[0] * prior[1] - 1) * np.log(mean) + ((1 - prior[0]) * prior[1] - 1) * np.log1p(-mean)
    log += -0.5 * ((np.log(size) - _SIZE[0]) / _SIZE[1]) ** 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    kept = weight > _SLIGHT
    return _Population(mean[kept], size[kept], weight[kept] / weight[kept].sum())


def _mixed_quantile(a: Array, b: Array, weight: Array, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(25):
        middle = (low + high) / 2.0
        if float(weight @ betainc(a, b, middle)) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _ordered(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, min(low, value), max(high, value), unit="share")


def _change(population: _Population, rows: pl.DataFrame) -> Estimate | None:
    """The later half's share less the earlier one's; each half is drawn to the usual share by itself."""
    planned = rows.filter("planned")
    if planned.height < HALVES:
        return None
    half = planned.height // 2
    halves = (planned.head(half), planned.tail(planned.height - half))
    first, last = (population.moments(int(each["held"].sum()), each.height) for each in halves)
    value, reach = last[0] - first[0], 1.96 * (first[1] + last[1]) ** 0.5
    return Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0), unit="share")


def _regularity(rows: pl.DataFrame) -> tuple[float | None, Estimate | None]:
    """The median interval in days, and the median distance from it with its order statistics' 95 % interval."""
    if "time" not in rows.columns:
        return None, None
    times = rows.filter("held")["time"].drop_nulls().sort().cast(pl.Int64).to_numpy()
    days = np.diff(times) / _DAY
    if days.size < GAPS:
        return None, None
    middle = float(np.median(days))
    off = np.sort(np.abs(days - middle))
    place = max(int(binom.ppf(0.025, off.size, 0.5)), 1)
    while place > 1 and 2.0 * binom.cdf(place - 1, off.size, 0.5) > 0.05:
        place -= 1
    value = float(np.median(off))
    return middle, Estimate(value, float(off[place - 1]), float(off[off.size - place]), unit="days")
