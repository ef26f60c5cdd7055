r"""Which of two lines leads the other from a session to the very next, whatever bond lies behind both.

Where one bond :math:`f` moves two lines, x = a f + noise and y = b f + noise, however it drifts and however noisy
either is, the lines' lagged covariances are the same both ways:

.. math:: \mathrm{cov}(x_t, y_{t+1}) = a b\,\mathrm{cov}(f_t, f_{t+1}) = \mathrm{cov}(y_t, x_{t+1})

Two lagged slopes that exclude zero are no sign of an order then: every line predicts every other. Nor is a slope that
is larger one way: the line with the better measurement predicts better. But the *difference* of the two covariances is
zero, and stays so with any number of bonds, with a mood of the session, and with each client's own mean taken out, so
that it has no Nickell bias. It is positive where x leads y: with :math:`y_{t+1} = \beta x_t + \ldots` it is
:math:`\beta` times the variance of x, as long as both lines keep their own moves for equally long. Where they do not,
and new moves hit both at once, the difference is not zero either: that is no order, and cannot be told from one here.

Its standard error is from the clients' own differences, which are independent; scaled by the lines' standard
deviations within clients it is a difference of lagged correlations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.findings import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

UNIT: Final = "lagged correlation"
_DYAD = 3  # sessions with both that tell a move from a level
_SESSION = 10  # values that a session's mean is taken of
_REACH = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Lead:
    """By how much one line leads the other.

    Parameters
    ----------
    more
        The lagged correlation forward less the one backward, within clients.
    se
        Its standard error.
    clients, pairs
        From how many clients, and sessions with their very next.
    """

    more: Estimate
    se: float
    clients: int
    pairs: int

    @property
    def leads(self) -> bool:
        """Whether the interval lies above zero."""
        return self.more.low > 0.0


def lead(rows: pl.DataFrame, x: str, y: str) -> Lead | None:
    """Work out by how much x leads y; None where nobody has three sessions with both, two of them in a row.

    Each session's mean over clients is taken out: a course that all share is no order. Sessions with fewer than ten
    clients share theirs.

    Parameters
    ----------
    rows
        dyad, session, and the two columns; a row a session, those of a dyad together and in order.
    """
    both = rows.select("dyad", "session", x=pl.col(x), y=pl.col(y)).drop_nulls()
    both = both.filter(pl.len().over("dyad") >= _DYAD)
    if both.is_empty():
        return None
    both = both.with_columns(course=_course(both["session"])).with_columns(
        pl.col("x", "y") - pl.col("x", "y").mean().over("course")
    )
    both = both.with_columns(pl.col("x", "y") - pl.col("x", "y").mean().over("dyad"))
    next_one = (pl.col("session").shift(-1).over("dyad") - pl.col("session")) == 1
    ahead = [pl.col(name).shift(-1).over("dyad").alias(f"{name}_next") for name in ("x", "y")]
    pairs = both.with_columns(*ahead, follows=next_one).filter("follows")
    if pairs.is_empty():
        return None
    each = pairs.group_by("dyad").agg(
        more=(pl.col("x") * pl.col("y_next") - pl.col("y") * pl.col("x_next")).sum()
    )["more"].to_numpy()  # fmt: skip
    spare = both.height - both["dyad"].n_unique()
    spread = np.linalg.norm(both.select("x", "y").to_numpy(), axis=0)
    scale = float(spread.prod()) / spare * pairs.height
    if not scale > 0.0:
        return None
    value, se = float(each.sum()) / scale, float(np.sqrt((each**2).sum())) / scale
    estimate = Estimate(value, value - _REACH * se, value + _REACH * se, unit=UNIT)
    return Lead(estimate, se, each.size, pairs.height)


def _course(session: pl.Series) -> pl.Series:
    """To which group of sessions each belongs: one of its own with ten clients, else with those after it."""
    counts = session.value_counts().sort("session")
    group, gathered, groups = 0, 0, []
    for count in counts["count"]:
        groups.append(group)
        gathered += count
        if gathered >= _SESSION:
            group, gathered = group + 1, 0
    last = max(group - 1, 0) if gathered < _SESSION else group
    found = np.minimum(np.array(groups), last)
    return session.replace_strict(counts["session"], pl.Series(found), return_dtype=pl.Int64).alias("course")
