r"""Level and change of one line with every dyad and with all, partially pooled.

The answer of dyad d of therapist k at its session s,

.. math:: y_{ds} = (u + h_k + p_d) + (c + q_d)\log_2 s + w_{ds} + e_{ds}

where w is a random walk from 0 at the first session: what moves besides the line's own curve. The *level* is all but e
at the latest session answered, the *change* that less the same at the first session. A single session's mood is in e.
The walk of a dyad is worked out from its own answers, given its line, at each value of the variances.
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
        return _told(posterior(_formula(several=several, walks=True), laid, prior), answered, walks=True)
    walks = int((lengths >= _LONG).sum()) >= CLIENTS
    return _told(fit(_formula(several=several, walks=walks), laid), answered, walks=walks)


def _formula(*, several: bool, walks: bool) -> str:
    terms = ["value ~ 0 + usual + course"]
    terms += ["(0 + pair + pace | dyad)", "drift(session | dyad)"] if walks else ["(0 + pair | dyad)"]
    return " + ".join([*terms, *["(0 + habit | therapist)"] * several])


def _columns(session: pl.Expr) -> list[pl.Expr]:
    ones = [pl.lit(1.0).alias(name) for name in ("usual", "habit", "pair")]
    return [*ones, session.log(2).alias("course"), session.log(2).alias("pace")]


def _told(model: Fit | Posterior, answered: pl.DataFrame, *, walks: bool) -> Courses:
    keys = answered.select("therapist", "client", "dyad").unique(maintain_order=True)
    at = _given(model, pl.concat([_average(), _ends(keys)]), walks=walks)
    average = _mixed(at.line[:, 0], at.spread[:, 0], LATER)
    found = {}
    for place, rows in enumerate(answered.partition_by("dyad", maintain_order=True), 1):
        session, value = (rows[name].to_numpy().astype(np.float64) for name in ("session", "value"))
        moved = _walked(at, place, session, value)
        found[rows["therapist"][0], rows["client"][0]] = _course(*_mixture(*moved))
    return Courses(model, average, found)


@dataclass(frozen=True, slots=True)
class _Given:
    """Lines at some values of the variances, all equally likely: start, and points a doubling.

    Parameters
    ----------
    noise, drift
        (g,) variances of the residual and of a step of the walk.
    line, spread
        (g, k, 2), (g, k, 2, 2): of k lines, mean and covariance.
    """

    noise: Array
    drift: Array
    line: Array
    spread: Array


_TURN: Final = np.array([[1.0, 0.0], [-1.0, 1.0]])  # from sessions 1 and 2 to start and rise


def _given(model: Fit | Posterior, rows: pl.DataFrame, *, walks: bool) -> _Given:
    if isinstance(model, Posterior):
        each = model.each(rows, 2)
        noise, drift = np.array([at.sigma**2 for at in each]), np.array([at.drift for at in each])
        mean, covariance = np.stack([at.mean for at in each]), np.stack([at.covariance for at in each])
    else:
        joint = model.joint(rows, 2)
        noise, drift = np.array([model.sigma**2]), np.array([model.expected_drift() if walks else 0.0])
        mean, covariance = joint[0][None], joint[1][None]
    return _Given(noise, drift, mean @ _TURN.T, _TURN @ covariance @ _TURN.T)


def _walked(at: _Given, place: int, session: Array, value: Array) -> tuple[Array, Array]:
    """(g, 2), (g, 2, 2): a dyad's line and walk together, at its first session and at its latest answered."""
    asked = np.array([1.0, session[-1]])
    seen, basis = (np.column_stack([np.ones_like(each), np.log2(each)]) for each in (session, asked))
    drift = at.drift[:, None, None]
    across = drift * (np.minimum(asked[:, None], session) - 1.0)
    noisy = drift * (np.minimum(session[:, None], session) - 1.0)
    noisy = noisy + at.noise[:, None, None] * np.eye(session.size)
    gain = np.linalg.solve(noisy, across.transpose(0, 2, 1)).transpose(0, 2, 1)
    line, spread = at.line[:, place], at.spread[:, place]
    off = value - line @ seen.T
    mean = line @ basis.T + (gain @ off[:, :, None])[:, :, 0]
    left = basis - gain @ seen
    walked = drift * (np.minimum(asked[:, None], asked) - 1.0) - gain @ across.transpose(0, 2, 1)
    return mean, left @ spread @ left.transpose(0, 2, 1) + walked


def _mixed(line: Array, spread: Array, session: int) -> Course:
    """The course of a line without a walk."""
    basis = np.array([[1.0, 0.0], [1.0, float(np.log2(session))]])
    return _course(*_mixture(line @ basis.T, basis @ spread @ basis.T))


def _mixture(means: Array, covariances: Array) -> tuple[Array, Array]:
    """Mean and covariance of an even mixture."""
    mean = means.mean(axis=0)
    off = means - mean
    return mean, covariances.mean(axis=0) + off.T @ off / off.shape[0]


def _average() -> pl.DataFrame:
    """Two rows of nobody's: only what all share."""
    nobody = pl.DataFrame({"therapist": [_NOBODY], "dyad": [_NOBODY]})
    return _ends(nobody).with_columns(pl.col("habit", "pair", "pace") * 0.0)


def _ends(dyads: pl.DataFrame) -> pl.DataFrame:
    """Two rows a dyad, sessions 1 and 2: between them a line is known."""
    both = dyads.select("therapist", "dyad").with_row_index("row")
    both = both.join(pl.DataFrame({"session": [1, 2]}), how="cross").sort("row", "session")
    return both.drop("row").with_columns(_columns(pl.col("session")))


def _course(mean: Array, covariance: Array) -> Course:
    turned = np.array([[0.0, 1.0], [-1.0, 1.0]])
    value, spread = turned @ mean, np.sqrt(np.diagonal(turned @ covariance @ turned.T))
    return Course(*(around(float(v), float(sd)) for v, sd in zip(value, spread, strict=True)))


def around(value: float, sd: float, unit: str = "points") -> Estimate:
    """A normal's 95 % interval."""
    sd = max(sd, 0.0) if np.isfinite(sd) else 0.0
    return Estimate(value, value - _REACH * sd, value + _REACH * sd, unit=unit)
