"""Whether connection in this session goes with the outcome at the next, within clients.

Centring each client and adding the previous outcome, the usual way, is biased at the lengths of therapies: over
five sessions it finds .11 for a true association of .15. Here it is the random-intercept cross-lagged panel
model (Hamaker, Kuiper & Grasman 2015, Psychological Methods 20:102) by exact maximum likelihood: each client has
levels of both measures for good, and what moves around them is carried to the very next session. Series may end
anywhere, sessions may be missing, or one of their measures; what is missing is missing at random, that is, it may
depend on all that was seen. `half_panel_jackknife` of `crosslag_jackknife` is a check in one pass.

All of it is association: what changes both measures between sessions is not ruled out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.optimize import minimize

from attunement.errors import ModelProblem
from attunement.mixed.crosslag_likelihood import PARAMETERS, Likelihood, matrices
from attunement.mixed.crosslag_panel import Panel, panel, session_groups, stacks, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.crosslag_likelihood import At

    Array = NDArray[np.float64]

TERMS = ("x_to_y", "y_to_x", "x_to_x", "y_to_y")
PLACES = [2, 1, 0, 3]  # of the terms among the entries of A, by rows
_SMALL = 2_000  # clients; above, one start is enough
_Z = 1.959963984540054  # half a 95 % interval, in standard errors
_LARGEST = 5.0  # of A, in standard deviations within clients
_WIDEST = 1e5  # of the standard deviations, in the same
_STEP = 1e-4  # of theta, for second derivatives
_NEWTON_STEPS = 10
_FLAT = 1e-12  # how much the deviance may still fall where the search ends
_TOO_STEEP = 1e-2  # how much it may when it ends for want of steps; a tenth of a standard error
_NO_CURVATURE = 1e-9  # relative to the largest
_EDGE = 1e-3  # of a level's standard deviation, in those within clients: none at all


@dataclass(frozen=True, slots=True)
class CrossLagged:
    """A fitted random-intercept cross-lagged panel model. Nothing in it changes.

    Parameters
    ----------
    x, y
        What the two measures are called.
    estimates
        ``x_to_y``: by how many units of y the client is above the own level at the next session, a unit of x
        above the own level in this one, y in this session held. ``y_to_x``, ``x_to_x``, ``y_to_y`` likewise.
    se, vcov
        Standard errors from the observed information, and the covariance (4, 4), terms in this order.
    robust_se
        Standard errors clustered by client (sandwich), right also where the values are not normal.
    between
        (2, 2) covariance of the clients' levels of x and y.
    tie
        Correlation of the levels with its 95 % interval (value, low, high): Fisher's z from the curvature; all of
        -1 to 1 where the levels lie on the boundary.
    innovation
        (2, 2) covariance of what is new each session.
    first
        (2, 2) covariance around the levels at the first session, which no session precedes.
    mean
        (sessions, 2) mean of x and y, from the first session on.
    loglik
        Log-likelihood.
    parameters
        How many parameters were estimated, means included.
    clients, sessions, transitions
        How many clients; sessions with a value; sessions with both measures that have the very next with both.
    detrend
        Whether each session has its own mean.
    left
        By how much the deviance could still fall, as its slope and curvature have it; near zero when it converged.
    """

    x: str
    y: str
    estimates: dict[str, float]
    se: dict[str, float]
    robust_se: dict[str, float]
    vcov: Array = field(repr=False)
    between: Array = field(repr=False)
    tie: tuple[float, float, float] = field(repr=False)
    innovation: Array = field(repr=False)
    first: Array = field(repr=False)
    mean: Array = field(repr=False)
    loglik: float
    parameters: int
    clients: int
    sessions: int
    transitions: int
    detrend: bool
    left: float

    @property
    def singular(self) -> bool:
        """Whether the clients' levels lie on the boundary: no variance in some direction."""
        share = self.between / np.sqrt(np.outer(*[np.diagonal(self.between + self.innovation)] * 2))
        return bool(np.linalg.eigvalsh(share)[0] <= 1e-7)

    def tidy(self) -> pl.DataFrame:
        """``term, estimate, std_error, low, high``, a row a lagged association; 95 % intervals."""
        return tidied(self.estimates, self.se)

    def __str__(self) -> str:
        counted = (
            f"{self.clients:,} clients, {self.sessions:,} sessions, {self.transitions:,} with the very next"
        )
        return "\n".join(
            [
                "Random-intercept cross-lagged panel model by maximum likelihood",
                f"{counted}; log-likelihood {self.loglik:.1f}",
                *lines(self.x, self.y, self.estimates, self.se),
                *(["On the boundary: clients' levels have no variance in some direction."] * self.singular),
                said(detrend=self.detrend),
            ]
        )


def cross_lagged(
    frame: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    client: str = "client",
    session: str = "session",
    x: str = "connection",
    y: str = "outcome",
    detrend: bool = False,
) -> CrossLagged:
    """Fit the random-intercept cross-lagged panel model by exact maximum likelihood.

    Parameters
    ----------
    frame
        A row a client and session. The lag is to session + 1 and no further; a gap is a session without values.
    client, session, x, y
        Its columns. A client with two therapists is two series: give a column that names the series.
    detrend
        Whether each session has its own mean of either measure (the model as published), which takes out
        whatever course all clients share, straight or not; sessions with fewer than ten values share theirs
        with their neighbours. Otherwise one mean holds throughout, and a course that all share counts as
        moving with the clients. The answer changes with it (Falkenström et al. 2017, 10.1037/ccp0000203), and
        which is right depends on whether the shared course is the therapy's work: show both.

    Raises
    ------
    ModelProblem
        When a column is missing, or there is too little, or nothing varies, to fit it to.
    """
    laid = panel(frame, client, session, x, y)
    mean = _mean_columns(laid, detrend=detrend)
    model = Likelihood(stacks(laid.values), mean)
    best = _optimum(model, _starts(laid))
    relative = _inverse(best.curvature / 2.0)
    robust = _sandwich(Likelihood(stacks(laid.values, compressed=False), mean), best, relative)
    units = np.outer(laid.scale, 1.0 / laid.scale).ravel()[PLACES]
    squared = np.outer(laid.scale, laid.scale)
    found = matrices(best.theta)
    vcov = relative[np.ix_(PLACES, PLACES)] * np.outer(units, units)
    return CrossLagged(
        x=x,
        y=y,
        estimates=_named(best.theta[PLACES] * units),
        se=_named(np.sqrt(np.diagonal(vcov))),
        robust_se=_named(np.sqrt(np.diagonal(robust)[PLACES]) * units),
        vcov=vcov,
        between=found.between * squared,
        tie=_tie(best.theta[4:7], relative[4:7, 4:7]),
        innovation=found.innovation * squared,
        first=found.first * squared,
        mean=(mean @ best.at.beta).reshape(-1, 2) * laid.scale + laid.center,
        loglik=float(-best.at.deviance / 2.0 - laid.known.sum(axis=(0, 1)) @ np.log(laid.scale)),
        parameters=PARAMETERS + mean.shape[1],
        clients=laid.values.shape[0],
        sessions=int(laid.known.any(axis=2).sum()),
        transitions=int(laid.transitions.sum()),
        detrend=detrend,
        left=best.left,
    )


def tidied(estimates: dict[str, float], se: dict[str, float]) -> pl.DataFrame:
    """Lay estimates out, a row a term, with 95 % intervals."""
    table = pl.DataFrame(
        {"term": list(estimates), "estimate": list(estimates.values()), "std_error": list(se.values())}
    )
    half = _Z * pl.col("std_error")
    return table.with_columns(low=pl.col("estimate") - half, high=pl.col("estimate") + half)


def lines(x: str, y: str, estimates: dict[str, float], se: dict[str, float]) -> list[str]:
    """Say each term in a line."""
    pairs = {"x_to_y": (x, y), "y_to_x": (y, x), "x_to_x": (x, x), "y_to_y": (y, y)}
    wide = max(len(x), len(y))
    return [
        f"  {now:<{wide}}  with the next {then:<{wide}} {estimates[term]:>7.3f}  (standard error {se[term]:.3f})"
        for term, (now, then) in pairs.items()
    ]


def said(*, detrend: bool) -> str:
    """Say what kind of finding it is."""
    course = "each session's mean taken out" if detrend else "one mean for all sessions"
    return f"Association within clients from a session to the very next, in the measures' units; {course}."


def _named(values: Array) -> dict[str, float]:
    return dict(zip(TERMS, values.tolist(), strict=True))


def _tie(root: Array, vcov: Array) -> tuple[float, float, float]:
    """The correlation that a Cholesky factor (l11, l21, l22) holds, with its interval; z is asinh(l21 / |l22|)."""
    first, across, own = float(np.sign(root[0])), float(root[1]), float(root[2])
    ratio = across / max(abs(own), 1e-12)
    slope = np.array([1.0, -ratio * np.sign(own)]) / (max(abs(own), 1e-12) * np.hypot(1.0, ratio))
    z, reach = np.arcsinh(ratio), _Z * float(np.sqrt(slope @ vcov[1:, 1:] @ slope))
    if abs(own) < _EDGE or abs(root[0]) < _EDGE or not np.isfinite(reach):
        return float(np.tanh(first * z)), -1.0, 1.0
    value, low, high = (float(np.tanh(first * z + side * reach)) for side in (0.0, -1.0, 1.0))
    return value, low, high


def _mean_columns(laid: Panel, *, detrend: bool) -> Array:
    """(2T, p): a mean a measure, or one a measure and group of sessions."""
    scarcer = laid.known.sum(axis=0).min(axis=1)
    groups = session_groups(scarcer) if detrend else np.zeros(laid.sessions, dtype=np.intp)
    return np.asarray(np.kron(np.eye(int(groups[-1]) + 1)[groups], np.eye(2)), dtype=np.float64)


def _starts(laid: Panel) -> list[Array]:
    """Where the search starts: with much in the clients' levels, or much carried from session to session.

    In a small practice the two are hard to tell apart, and the likelihood has a hill at each in one set of 30.
    """
    around = within(laid.values)
    levels = np.diag(np.maximum(np.nanvar(laid.values, axis=(0, 1)) - np.diagonal(around), 0.1))
    starts = []
    for kept, carried in ((1.0, 0.2), (0.1, 0.7))[: 2 if laid.values.shape[0] <= _SMALL else 1]:
        first = around + (1.0 - kept) * levels
        roots = [_root(kept * levels), _root(around * (1.0 - carried**2)), _root(first)]
        starts.append(np.concatenate([carried * np.eye(2).ravel(), *roots]))
    return starts


def _root(covariance: Array) -> Array:
    return np.asarray(np.linalg.cholesky(covariance)[np.tril_indices(2)])


@dataclass(frozen=True, slots=True)
class _Optimum:
    """Where the search ended.

    Parameters
    ----------
    theta, at
        The parameters and the likelihood there.
    curvature
        (13, 13) second derivatives of the deviance.
    moved
        (13, p) how beta moves with theta.
    left
        By how much the deviance could still fall, as slope and curvature have it.
    """

    theta: Array
    at: At
    curvature: Array
    moved: Array
    left: float


def _optimum(model: Likelihood, starts: list[Array]) -> _Optimum:
    """The best end of the descents, and Newton's steps from there."""
    theta = min((_descended(model, start) for start in starts), key=lambda found: found[1])[0]
    at = model.at(theta)
    curvature, moved = _curvature(model, theta)
    for _ in range(_NEWTON_STEPS):
        step, left = _newton(curvature, at.gradient)
        tried = model.at(theta - step)
        while left > _FLAT and not tried.deviance <= at.deviance + 1e-12 * abs(at.deviance):
            step = step / 4.0
            if np.abs(step).max() < 1e-10:
                break
            tried = model.at(theta - step)
        if left <= _FLAT or np.abs(step).max() < 1e-10:
            break
        theta, at = theta - step, tried
        if np.abs(step).max() > _STEP:
            curvature, moved = _curvature(model, theta)
    left = _newton(curvature, at.gradient)[1]
    if left > _TOO_STEEP:
        raise ModelProblem(
            "The search for the best fit did not end; more clients or longer series would help."
        )
    return _Optimum(theta, at, curvature, moved, left)


def _newton(curvature: Array, gradient: Array) -> tuple[Array, float]:
    """A step downhill, and by how much the deviance falls with it where it is a parabola."""
    values, vectors = np.linalg.eigh(curvature)
    step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), _NO_CURVATURE * values[-1]))
    return step, float(step @ gradient) / 2.0


def _descended(model: Likelihood, start: Array) -> tuple[Array, float]:
    def per_value(theta: Array) -> tuple[float, Array]:
        at = model.at(theta)
        return min(at.deviance / model.values, 1e10), at.gradient / model.values

    ended = minimize(
        per_value,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_LARGEST, _LARGEST)] * 4 + [(-_WIDEST, _WIDEST)] * 9,
        options={"ftol": 1e-13, "gtol": 1e-7, "maxiter": 500, "maxcor": 20},
    )
    return ended.x, float(ended.fun)


def _curvature(model: Likelihood, theta: Array) -> tuple[Array, Array]:
    """Second derivatives of the deviance by theta, and first ones of beta: central differences."""
    steps = _STEP * np.eye(PARAMETERS)
    ahead, behind = [model.at(theta + step) for step in steps], [model.at(theta - step) for step in steps]
    bent = np.array([(a.gradient - b.gradient) for a, b in zip(ahead, behind, strict=True)]) / (2.0 * _STEP)
    moved = np.array([(a.beta - b.beta) for a, b in zip(ahead, behind, strict=True)]) / (2.0 * _STEP)
    return (bent + bent.T) / 2.0, moved


def _inverse(information: Array) -> Array:
    """The covariance of theta, without directions that nothing depends on (as when a level has no variance)."""
    values, vectors = np.linalg.eigh(information)
    flat = values <= _NO_CURVATURE * values[-1]
    if np.abs(vectors[:4, flat]).max(initial=0.0) > 0.01:
        raise ModelProblem(
            "The data do not settle the lagged associations; longer series or more clients would."
        )
    return np.asarray((vectors[:, ~flat] / values[~flat]) @ vectors[:, ~flat].T)


def _sandwich(rows: Likelihood, best: _Optimum, relative: Array) -> Array:
    """Covariance of theta from the clients' own scores, the mean following theta."""
    by_theta, by_beta = rows.scores(best.theta, best.at.beta)
    pushed = (by_theta + by_beta @ best.moved.T) @ relative
    return np.asarray(pushed.T @ pushed)
