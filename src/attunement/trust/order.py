"""The order trust, openness, depth: each a session ahead of the next, and more so than one common bond would make it.

Two questions to each of the two steps. *Is there a lagged link at all?* The random-intercept cross-lagged panel model
(`mixed.cross_lagged`; Hamaker, Kuiper & Grasman 2015), trust to the openness of the very next session with openness
held, and openness to depth likewise: no Nickell bias at the lengths of therapies. *Is it an order?* The lagged
association forward less the one backward (`leads`), which a common bond, drifting or not, leaves at zero. All four
intervals must lie above zero.

As each must, the chance to call an order where one bond moves all is that of the hardest single test or less: 2.5 in
100 where one of the two steps is real and the other is not, far less where neither is (an intersection-union test:
Berger 1982, Technometrics 24:295). This does not hold without a bond of that kind: where new moves hit all three at
once and trust's fade first and depth's last, an order is called although none leads another. Nothing here tells the
two apart, and each order that is told says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.errors import ModelProblem
from attunement.findings import Estimate
from attunement.mixed import cross_lagged
from attunement.trust.leads import Lead, lead

if TYPE_CHECKING:
    from attunement.mixed import CrossLagged

STEPS: Final = (("trust", "openness"), ("openness", "depth"))
LEAST: Final = 20
"""Clients with three sessions answered or more, two of them in a row, from which an order is looked for [judgement]."""
WORTH: Final = 0.1
"""The difference of lagged correlations for which it is said how many clients would show it [judgement]."""
_FIRST = 24  # sessions: few therapies go on, and the likelihood's cost grows with the cube of them
_BOTH = 1.9600 + 1.2507  # from here both of two tests exclude zero in four of five


@dataclass(frozen=True, slots=True)
class Step:
    """One of the two steps.

    Parameters
    ----------
    lead
        Forward less backward.
    forward, backward
        Lagged slopes, points at the next session a point in this; None where they were not needed or not to be had.
    """

    lead: Lead
    forward: Estimate | None = None
    backward: Estimate | None = None

    @property
    def told(self) -> bool:
        """Whether it is there, and an order."""
        return self.lead.leads and self.forward is not None and self.forward.low > 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """Both steps.

    Parameters
    ----------
    to_openness, to_depth
        From trust to openness, and from openness to depth.
    """

    to_openness: Step
    to_depth: Step

    @property
    def told(self) -> bool:
        """Whether the order may be told."""
        return self.to_openness.told and self.to_depth.told

    @property
    def clients(self) -> int:
        """From how many clients."""
        return min(self.to_openness.lead.clients, self.to_depth.lead.clients)

    @property
    def needed(self) -> int:
        """Clients of such length with whom a difference of .1 in both steps would be told in four of five practices."""
        se = max(self.to_openness.lead.se, self.to_depth.lead.se)
        return math.ceil(self.clients * (_BOTH * se / WORTH) ** 2)


def order(rows: pl.DataFrame) -> Order | None:
    """Look for the order; None where nobody has three sessions with all, two of them in a row.

    The lagged slopes are worked out only where both differences lie above zero: without that there is nothing to tell.

    Parameters
    ----------
    rows
        `lines.laid_out`.
    """
    found = [lead(rows, x, y) for x, y in STEPS]
    first, second = found
    if first is None or second is None:
        return None
    if not (first.leads and second.leads):
        return Order(Step(first), Step(second))
    steps = [_lagged(rows, x, y, each) for (x, y), each in zip(STEPS, (first, second), strict=True)]
    return Order(*steps)


def _lagged(rows: pl.DataFrame, x: str, y: str, found: Lead) -> Step:
    try:
        fitted = cross_lagged(rows.filter(pl.col("session") <= _FIRST), client="dyad", x=x, y=y, detrend=True)
    except ModelProblem:
        return Step(found)
    return Step(found, _slope(fitted, "x_to_y"), _slope(fitted, "y_to_x"))


def _slope(fitted: CrossLagged, term: str) -> Estimate:
    value = fitted.estimates[term]
    reach = 1.96 * max(fitted.se[term], fitted.robust_se[term])
    return Estimate(value, value - reach, value + reach, unit="points a point")
