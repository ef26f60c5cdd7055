"""Who stays and who leaves: the fitted practice, its chances over the next sessions, and how they hold out of sample.

Two hazards of the same rows. One has the bond and the stage of therapy alone: what a weaker bond goes along with. The
other has all that was known by then, a fall, an open rupture, what was late or missed: what is to be expected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import expit, logit

from attunement.findings import Estimate
from attunement.impact.at_risk import EARLY
from attunement.impact.calibration import Calibration, calibration, folds
from attunement.impact.hazard import Hazard, HazardPrior, hazard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

AHEAD: Final = 4
"""Sessions that are looked ahead."""
LEAST: Final = 5
"""Therapists from which what they differ by is allowed for."""
FOLDS: Final = 10
_PER_THERAPIST = 2  # leavings a therapist, on average, below which nothing would be learnt of differences
_KNOWN = ("connection", "fall", "rupture", "early", "late", "absent", "gap")
_BOND = ("constant", "connection", "early")
_MOMENTARY = ("fall", "late", "absent", "gap")  # of one session, not of the next ones
_LOOKED = 400  # rows that an average is taken over
_FOLD_DRAWS = 400
_LEARNT = 1.06  # an interval's widening for what was learnt, by simulation (benchmarks/bench_engagement.py)


@dataclass(frozen=True, slots=True)
class Staying:
    """The fitted practice.

    Parameters
    ----------
    rows
        The person-sessions that it was learnt from, `left` being 0 or 1.
    expected
        The hazard from all that was known.
    bond, alone
        The hazard from bond and stage; and the same with a flat prior of the bond's slope: what the data say of it
        by themselves.
    calibration
        Of chances told by practices without this client.
    therapists
        The place of each in what therapists differ by; empty where that is not told apart.
    """

    rows: pl.DataFrame = field(repr=False)
    expected: Hazard
    bond: Hazard
    alone: Hazard
    calibration: Calibration
    therapists: dict[str, int] = field(repr=False)

    @property
    def direction(self) -> int:
        """-1 where those with a weaker bond leave more often, 1 where less, 0 where that is not clear.

        Both the posterior and the data by themselves must say so: a prior that expects it must not be what tells it.
        """
        sides = {_side(each) for each in (self.bond, self.alone)}
        return sides.pop() if len(sides) == 1 else 0

    @property
    def lent(self) -> bool:
        """Whether it is the prior that makes it clear, and not the data."""
        return _side(self.bond) != 0 == _side(self.alone)

    def lower(self) -> tuple[Estimate, Estimate, Estimate]:
        """Shares leaving within four sessions with the usual bond and one standard deviation below; the difference.

        The other things known are those of the sessions that were met.
        """
        some = _some(self.rows)
        usual, below = (
            self._ahead(self.bond, some.with_columns(connection=pl.lit(bond))).mean(axis=1)
            for bond in (0.0, -1.0)
        )
        return _estimate(usual), _estimate(below), _estimate(below - usual)

    def within(self, rows: pl.DataFrame) -> list[Estimate]:
        """The chance to leave within the next four sessions, for each row."""
        return [_estimate(each) for each in self._ahead(self.expected, rows).T]

    def base(self, session: int) -> Estimate:
        """The same for all clients at that session, or at any session after the early ones."""
        stage = pl.col("session").clip(upper_bound=EARLY + 1) == min(session, EARLY + 1)
        met = self.rows.filter(stage)
        return _estimate(self._ahead(self.expected, _some(met if met.height else self.rows)).mean(axis=1))

    def _ahead(self, found: Hazard, rows: pl.DataFrame) -> Array:
        """(d, n) chances to leave after this session or one of the next three; the bond staying as it is."""
        group = groups(rows, self.therapists)
        stays = np.ones((found.draws.shape[0], rows.height))
        for step in range(AHEAD):
            early = (pl.col("session") + step <= EARLY).cast(pl.Float64)
            then = rows.with_columns(early=early)
            if step:
                then = then.with_columns(
                    pl.lit(0.0).alias(name) for name in _MOMENTARY if name in rows.columns
                )
            stays *= 1.0 - expit(found.log_odds(columns(then, found.names), group))
        return np.asarray(1.0 - stays)


def staying(rows: pl.DataFrame, prior: HazardPrior) -> Staying:
    """Fit a practice, and tell each tenth of its clients from the others.

    Parameters
    ----------
    rows
        As `at_risk` lays them out, `left` not missing.
    prior
        What is known before.
    """
    names = ("constant", *(name for name in rows.columns if name in _KNOWN and _varies(rows[name])))
    event = rows["left"].to_numpy()
    known = _told_apart(rows)
    group = groups(rows, known)

    def learnt(which: Sequence[str], before: HazardPrior) -> Hazard:
        return hazard(columns(rows, which), event, which, before, group=group)

    return Staying(
        rows=rows,
        expected=learnt(names, prior),
        bond=learnt(_BOND, prior),
        alone=learnt(_BOND, prior.without("connection")),
        calibration=out_of_sample(
            columns(rows, names), event, names, prior, cluster=clusters(rows), group=group
        ),
        therapists=known,
    )


def out_of_sample(
    x: Array,
    event: Array,
    names: Sequence[str],
    prior: HazardPrior,
    *,
    cluster: Codes,
    group: Codes | None = None,
) -> Calibration:
    """Tell each person by a hazard that was learnt from others.

    Where one part holds more who left, the others hold fewer, and its people would be told too low a level for that
    alone; so all parts' hazards are put on one level, as they are over everybody's columns.
    """
    fold = folds(cluster, event, FOLDS)
    told, level = np.empty(event.size), np.zeros(FOLDS)
    for each in range(FOLDS):
        out = fold == each
        seen = None if group is None else group[~out]
        found = hazard(x[~out], event[~out], names, prior, group=seen, draws=_FOLD_DRAWS)
        odds = logit(found.chance(x, None if group is None else _seen(group, found)))
        told[out], level[each] = odds[out], odds.mean()
    return calibration(expit(told - level[fold] + level.mean()), event, cluster, _LEARNT)


def _seen(group: Codes, found: Hazard) -> Codes:
    """Groups that a fold has not met are usual ones."""
    return np.where(group < found.groups.shape[1], group, -1)


def columns(rows: pl.DataFrame, names: Sequence[str]) -> Array:
    """(n, p) of these columns, the constant among them."""
    constant = pl.lit(1.0).alias("constant")
    return rows.with_columns(constant).select(names).to_numpy().astype(float)


def groups(rows: pl.DataFrame, known: dict[str, int]) -> Codes | None:
    """(n,) each row's therapist, -1 for one not known; None where they are not told apart."""
    if not known:
        return None
    return np.array([known.get(name, -1) for name in rows["therapist"]], dtype=np.int64)


def clusters(rows: pl.DataFrame) -> Codes:
    """(n,) each row's client, from 0 on."""
    return rows["client"].rank("dense").to_numpy().astype(np.int64) - 1


def _side(found: Hazard) -> int:
    """-1 or 1 where the bond's slope lies surely on one side of none, else 0."""
    _, low, high = found.interval("connection")
    return int(low > 0) - int(high < 0)


def _told_apart(rows: pl.DataFrame) -> dict[str, int]:
    names = rows["therapist"].unique().sort().to_list()
    enough = len(names) >= LEAST and float(rows["left"].sum()) >= _PER_THERAPIST * len(names)
    return {name: place for place, name in enumerate(names)} if enough else {}


def _varies(column: pl.Series) -> bool:
    return column.n_unique() > 1


def _some(rows: pl.DataFrame) -> pl.DataFrame:
    """Evenly spread rows, enough for an average."""
    return rows.gather_every(max(rows.height // _LOOKED, 1))


def _estimate(drawn: Array) -> Estimate:
    value = float(drawn.mean())
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, min(float(low), value), max(float(high), value), unit="share")
