r"""Level and change of one line with every dyad and with all, partially pooled.

The answer of dyad d of therapist k at its session s,

.. math:: y_{ds} = (u + h_k + p_d) + (c + q_d)\log_2 s + w_{ds} + e_{ds}

where w is a random walk from 0 at the first session: what moves besides the line's own curve. The *level* is all but e
at the latest session answered, the *change* that less the same at the first session. A single session's mood is in e.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from attunement.findings import Estimate
from attunement.mixed import Posterior, fit, posterior
from attunement.trust.lines import CLIENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.mixed import Fit, Prior

    Array = NDArray[np.float64]

FEW: Final = 400
"""Dyads below which the variances are integrated over, from a prior."""
LATER: Final = 10
"""The session at which all are told of, and up to which their change."""
_LONG = 6  # sessions of a dyad that can tell a walk
_REACH = float(ndtri(0.975))
_NOBODY = "\0"
_NUMBERS = ("usual", "course", "habit", "pair", "pace")


@dataclass(frozen=True, slots=True)
class Course:
    """Where a line stands, and by how much it has changed since the first session; in points."""

    level: Estimate
    change: Estimate


@dataclass(frozen=True, slots=True)
class Courses:
    """One line, fitted.

    Parameters
    ----------
    model
        The hierarchical model: a fit, or for few dyads the posterior that starts from a prior.
    all
        The average client: the level at session 10, and the change up to it.
    dyads
        Each dyad's own, by therapist and client.
    """

    model: Fit | Posterior = field(repr=False)
    all: Course
    dyads: dict[tuple[str, str], Course] = field(repr=False)


def courses(rows: pl.DataFrame, answer: str, prior: Prior | None) -> Courses | None:
    """Fit one line; None where no session has it, or there is no prior and too little to do without.

    Parameters
    ----------
    rows
        `lines.laid_out`.
    answer
        Which column.
    prior
        For fewer than 400 dyads; without, the variances are estimated whatever there is.
    """
    answered = rows.filter(pl.col(answer).is_not_null()).select(
        "therapist", "client", "dyad", "session", pl.col(answer).alias("value")
    )
    lengths = answered.group_by("dyad").len()["len"]
    if answered.is_empty() or (prior is None and int((lengths >= 2).sum()) < CLIENTS):
        return None
    laid = answered.with_columns(_columns(pl.col("session")))
    several = answered["therapist"].n_unique() > 1
    if prior is not None and lengths.len() < FEW:
        model: Fit | Posterior = posterior(_formula(several=several, walks=True), laid, prior)
    else:
        model = fit(_formula(several=several, walks=int((lengths >= _LONG).sum()) >= CLIENTS), laid)
    return _told(model, answered)


def _formula(*, several: bool, walks: bool) -> str:
    terms = ["value ~ 0 + usual + course"]
    terms += ["(0 + pair + pace | dyad)", "drift(session | dyad)"] if walks else ["(0 + pair | dyad)"]
    return " + ".join([*terms, *["(0 + habit | therapist)"] * several])


def _columns(session: pl.Expr) -> list[pl.Expr]:
    ones = [pl.lit(1.0).alias(name) for name in ("usual", "habit", "pair")]
    return [*ones, session.log(2).alias("course"), session.log(2).alias("pace")]


def _told(model: Fit | Posterior, answered: pl.DataFrame) -> Courses:
    dyads = answered.group_by("therapist", "client", "dyad", maintain_order=True).agg(pl.col("session").max())
    rows = dyads.with_row_index("row").select(
        "row", "therapist", "dyad", pl.concat_list(pl.lit(1, pl.Int64), "session").alias("session")
    )
    rows = rows.explode("session").with_columns(_columns(pl.col("session")))
    mean, covariance = model.joint(pl.concat([_average(), rows.drop("row")], how="diagonal"), 2)
    found = [_course(*each) for each in zip(mean, covariance, strict=True)]
    keys = list(dyads.select("therapist", "client").iter_rows())
    return Courses(model, found[0], dict(zip(keys, found[1:], strict=True)))


def _average() -> pl.DataFrame:
    """Two rows of nobody's: the columns that all share, at the first session and at the tenth."""
    at: Sequence[dict[str, object]] = [
        dict.fromkeys(_NUMBERS, 0.0)
        | {
            "usual": 1.0,
            "course": float(np.log2(session)),
            "dyad": _NOBODY,
            "therapist": _NOBODY,
            "session": 1,
        }
        for session in (1, LATER)
    ]
    return pl.DataFrame(at).select("therapist", "dyad", "session", *_NUMBERS)


def _course(mean: Array, covariance: Array) -> Course:
    turned = np.array([[0.0, 1.0], [-1.0, 1.0]])
    value, spread = turned @ mean, np.sqrt(np.diagonal(turned @ covariance @ turned.T))
    return Course(*(around(float(v), float(sd)) for v, sd in zip(value, spread, strict=True)))


def around(value: float, sd: float, unit: str = "points") -> Estimate:
    """A normal's 95 % interval."""
    sd = max(sd, 0.0) if np.isfinite(sd) else 0.0
    return Estimate(value, value - _REACH * sd, value + _REACH * sd, unit=unit)
