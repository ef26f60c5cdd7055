"""One dyad's connection over its sessions: the posterior curve, and what is read off it.

Given the practice's model, a dyad's connection at its sessions is normal. Its line along f comes from the fit; the
walk about the line from the dyad's own ratings (a Gaussian process with the kernel of a random walk).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.trajectories.measure import Measure
    from attunement.trajectories.model import At, CourseModel

    Array = NDArray[np.float64]

AHEAD = 12  # sessions looked ahead
RECENT = 3  # sessions over which a recent change is told
STATES = ("forming", "established", "slow", "stalled", "falling")
_NODES = ndtri((np.arange(400) + 0.5) / 400)


@dataclass(frozen=True, slots=True)
class Course:
    """The posterior of one dyad.

    Parameters
    ----------
    rated
        (n,) the rated sessions, 1, 2, …
    score
        (n,) the ratings.
    session
        (g,) sessions 1 … now + 12.
    mean, covariance
        (g,), (g, g) connection at those sessions, in points.
    line, spread
        (2,), (2, 2) the posterior of the line along f: start and rise, without the walk about it.
    """

    rated: Array
    score: Array
    session: Array
    mean: Array
    covariance: Array
    line: Array
    spread: Array

    @property
    def now(self) -> int:
        """The last rated session."""
        return int(self.rated[-1])

    @property
    def sd(self) -> Array:
        """(g,) standard deviation of the connection."""
        return np.sqrt(np.diagonal(self.covariance))

    def interval(self, session: int, level: float = 0.95) -> tuple[float, float, float]:
        """Connection at a session: value, low, high."""
        value, reach = float(self.mean[session - 1]), float(self.sd[session - 1]) * ndtri((1 + level) / 2)
        return value, value - reach, value + reach

    def change(self) -> tuple[float, float]:
        """Mean and sd of how connection moved over the last three sessions."""
        now, before = self.now - 1, max(self.now - 1 - RECENT, 0)
        c = self.covariance
        return float(self.mean[now] - self.mean[before]), math.sqrt(
            max(c[now, now] + c[before, before] - 2 * c[now, before], 0.0)
        )

    def chance_of(self, level: float) -> Array:
        """(g,) the probability that connection is at `level` or above, session by session."""
        return np.asarray(ndtr((self.mean - level) / np.maximum(self.sd, 1e-12)))

    def reaching(self, level: float) -> tuple[float, float, float]:
        """The session by which `level` is reached with probability .8, and .025 and .975 as its interval.

        Infinite where that is not within the sessions looked at.
        """
        chance = np.maximum.accumulate(self.chance_of(level))
        first = [np.flatnonzero(chance >= needed) for needed in (0.8, 0.025, 0.975)]
        value, low, high = (float(self.session[at[0]]) if at.size else math.inf for at in first)
        return value, low, high

    def states(self, model: CourseModel, measure: Measure) -> dict[str, float]:
        """The probability of each state at the present session; they add to one.

        *Falling*: lost more than a notable amount over the last three sessions. Else *established*: at the level
        that is called so. Else, below where nine in ten new clients are expected: *stalled* without a notable
        rise, *slow* with one. Else *slow* in the band's lowest quarter, and *forming*.
        """
        tenth, quarter = (
            float(model.expected(np.array([float(self.now)]), share)[0]) for share in (0.1, 0.25)
        )
        now, before = self.now - 1, max(self.now - 1 - RECENT, 0)
        level = self.mean[now] + self.sd[now] * _NODES
        change, spread = self.change()
        covariance = self.covariance[now, now] - self.covariance[now, before]
        tilt = covariance / max(self.covariance[now, now], 1e-12)
        rest = math.sqrt(max(spread**2 - tilt * covariance, 1e-12))
        center = change + tilt * (level - self.mean[now])
        falling = ndtr((-measure.notable - center) / rest)
        flat = ndtr((measure.notable - center) / rest) - falling
        rising = 1.0 - falling - flat
        high, below = level >= measure.established, level < tenth
        lower = ~below & (level < quarter)
        found = {
            "established": (flat + rising) * high,
            "stalled": flat * (~high & below),
            "slow": rising * (~high & below) + (flat + rising) * (~high & lower),
            "falling": falling,
        }
        chance = {state: float(part.mean()) for state, part in found.items()}
        chance["forming"] = max(1.0 - sum(chance.values()), 0.0)
        return {state: chance[state] for state in STATES}


def course(rated: Array, score: Array, dyad: int, at: list[At], model: CourseModel) -> Course:
    """Put the line and the walk together for one dyad, over all values of the variances that are looked at."""
    parts = [_course(rated, score, each.lines[dyad], each.spreads[dyad], each, model) for each in at]
    if len(parts) == 1:
        return parts[0]
    mean, covariance = _mixture([(part.mean, part.covariance) for part in parts])
    line, spread = _mixture([(part.line, part.spread) for part in parts])
    return Course(rated, score, parts[0].session, mean, covariance, line, spread)


def _mixture(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Mean and covariance of an even mixture."""
    means, covariances = (np.stack(each) for each in zip(*parts, strict=True))
    mean = means.mean(axis=0)
    off = means - mean
    return mean, covariances.mean(axis=0) + off.T @ off / off.shape[0]


def _course(rated: Array, score: Array, line: Array, spread: Array, at: At, model: CourseModel) -> Course:
    session = np.arange(1.0, rated[-1] + AHEAD + 1)
    basis = np.column_stack([np.ones_like(session), model.shape.f(session)])
    mean, walked = basis @ line, np.zeros((session.size, session.size))
    if at.drift > 0.0:
        seen = rated.astype(int) - 1
        kernel = at.drift * (np.minimum(session[:, None], session) - 1.0)
        noisy = kernel[np.ix_(seen, seen)] + at.sigma**2 * np.eye(seen.size)
        gain = np.linalg.solve(noisy, kernel[seen]).T
        mean = mean + gain @ (score - mean[seen])
        walked = kernel - gain @ kernel[seen]
        basis = basis - gain @ basis[seen]
    covariance = basis @ spread @ basis.T + walked
    return Course(rated, score, session, mean, (covariance + covariance.T) / 2, line, spread)
