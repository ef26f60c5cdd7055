"""The half-panel jackknife: a check of `cross_lagged` in one pass, without a likelihood.

Least squares on deviations from the client's own means is biased by about c/n over n transitions, as the means
contain the next session too. Half as many transitions have twice the bias, so twice the whole less the mean of
the halves has none of that order (Dhaene & Jochmans 2015, Review of Economic Studies 82:991). It asks for longer
series than the likelihood and for sessions with both measures, and is less exact; it assumes nothing about the
levels, the first session or the shape of the distribution.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from attunement.errors import ModelProblem
from attunement.mixed.crosslag import PLACES, TERMS, lines, said, tidied
from attunement.mixed.crosslag_panel import FEWEST, centered, panel, session_groups

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from attunement.mixed.crosslag_panel import Panel

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Places = NDArray[np.intp]

LEAST = 6  # transitions of a client; halves of three still have a mean to deviate from
_COLLINEAR = 1e10


@dataclass(frozen=True, slots=True)
class Jackknife:
    """Lagged associations within clients by the half-panel jackknife. Nothing in it changes.

    Parameters
    ----------
    x, y
        What the two measures are called.
    estimates, se, vcov
        As in `CrossLagged`; standard errors are clustered by client.
    plain
        The estimates before the jackknife: least squares within clients, biased.
    clients, transitions
        How many were used: clients with six or more pairs of a session and the very next, both with both measures.
    detrend
        Whether each session has its own mean.
    """

    x: str
    y: str
    estimates: dict[str, float]
    se: dict[str, float]
    vcov: Array = field(repr=False)
    plain: dict[str, float]
    clients: int
    transitions: int
    detrend: bool

    def tidy(self) -> pl.DataFrame:
        """``term, estimate, std_error, low, high``, a row a lagged association; 95 % intervals."""
        return tidied(self.estimates, self.se)

    def __str__(self) -> str:
        return "\n".join(
            [
                "Lagged associations by the half-panel jackknife",
                f"{self.clients:,} clients, {self.transitions:,} sessions with the very next",
                *lines(self.x, self.y, self.estimates, self.se),
                said(detrend=self.detrend),
            ]
        )


@dataclass(frozen=True, slots=True)
class _Transitions:
    """Sessions with their very next, clients in order, sessions in order within them.

    Parameters
    ----------
    now, following
        (rows, 2) both measures at the session and at the next.
    client, place, count
        (rows,) who; which of the client's transitions, from 0; how many the client has.
    course
        (rows, groups) to which group of sessions the next session belongs; no columns without detrending.
    """

    now: Array
    following: Array
    client: Places
    place: Places
    count: Places
    course: Array


def half_panel_jackknife(
    frame: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    client: str = "client",
    session: str = "session",
    x: str = "connection",
    y: str = "outcome",
    detrend: bool = False,
) -> Jackknife:
    """Estimate the lagged associations by least squares within clients, its bias jackknifed away.

    Each client's transitions are cut in the middle, so that both halves share the middle session; an odd number
    is cut on either side of the middle one, and the two are averaged. The parameters are those of
    `cross_lagged`.

    Raises
    ------
    ModelProblem
        As `cross_lagged`, and when fewer than ten clients have six transitions.
    """
    laid = panel(frame, client, session, x, y)
    rows = _transitions(laid, detrend=detrend)
    everything = np.ones(rows.client.size, dtype=bool)
    plain, influence = _within(rows, everything)
    halves = [
        _within(rows, part)
        for cut in (rows.count // 2, (rows.count + 1) // 2)
        for part in (rows.place < cut, rows.place >= cut)
    ]
    units = np.outer(laid.scale, 1.0 / laid.scale).ravel()[PLACES]
    estimate = (2.0 * plain - np.mean([half[0] for half in halves], axis=0)) * units
    influence = (2.0 * influence - np.mean([half[1] for half in halves], axis=0)) * units
    vcov = influence.T @ influence
    return Jackknife(
        x=x,
        y=y,
        estimates=dict(zip(TERMS, estimate.tolist(), strict=True)),
        se=dict(zip(TERMS, np.sqrt(np.diagonal(vcov)).tolist(), strict=True)),
        vcov=vcov,
        plain=dict(zip(TERMS, (plain * units).tolist(), strict=True)),
        clients=int(np.unique(rows.client).size),
        transitions=rows.client.size,
        detrend=detrend,
    )


def _transitions(laid: Panel, *, detrend: bool) -> _Transitions:
    follows = laid.transitions
    follows &= (follows.sum(axis=1) >= LEAST)[:, None]
    used = int(follows.any(axis=1).sum())
    if used < FEWEST:
        raise ModelProblem(
            f"The half-panel jackknife needs {FEWEST} clients who have both measures at {LEAST} sessions and the "
            f"very next of each, as in {LEAST + 1} in a row; here are {used}."
        )
    row, session = np.nonzero(follows)
    _, client, count = np.unique(row, return_inverse=True, return_counts=True)
    place = np.arange(client.size) - (np.cumsum(count) - count)[client]
    course = np.zeros((client.size, 0))
    if detrend:
        groups = session_groups(follows.sum(axis=0))
        course = np.eye(int(groups[-1]) + 1)[groups[session]]
    return _Transitions(
        laid.values[row, session],
        laid.values[row, session + 1],
        client,
        place,
        count[client],
        course,
    )


def _within(rows: _Transitions, chosen: Flags) -> tuple[Array, Array]:
    """Least squares around the clients' means: four coefficients, and how much each client moved them.

    The sessions' means are taken out of `now` and `following` alike, which leaves the same coefficients as
    having them beside `now` (Frisch, Waugh & Lovell).
    """
    client = rows.client[chosen]
    sides = np.hstack([rows.now[chosen], rows.following[chosen], rows.course[chosen]])
    around = centered(sides, client)
    pairs, course = around[:, :4], around[:, 4:]
    pairs = pairs - course @ (np.linalg.pinv(course.T @ course, hermitian=True) @ (course.T @ pairs))
    now, following = pairs[:, :2], pairs[:, 2:]
    squares = now.T @ now
    if np.linalg.cond(squares) > _COLLINEAR:
        raise ModelProblem(
            "Within half of the sessions a measure hardly varies, or the two say the same; "
            "the half-panel jackknife cannot be had."
        )
    inverse = np.linalg.inv(squares)
    coefficients = inverse @ now.T @ following
    left = following - now @ coefficients
    scores = (now[:, :, None] * left[:, None, :]).reshape(-1, 4)
    size = int(rows.client[-1]) + 1
    by_client = np.column_stack([np.bincount(client, score, minlength=size) for score in scores.T])
    influence = np.einsum("ab,nbc->nca", inverse, by_client.reshape(-1, 2, 2)).reshape(-1, 4)
    return coefficients.T.ravel()[PLACES], influence[:, PLACES]
