r"""What was to be expected of each rating before it was seen: the filter form of the model of courses.

The ratings of one dyad are jointly normal, :math:`y \sim N(Hm, HVH' + W + \sigma^2 I)`: a line drawn as a new client's
of this therapist, a random walk W about it, and the noise of one rating. The Cholesky factor L of that covariance gives
all one-step predictions at once: :math:`z = L^{-1}(y - Hm)` are independent standard normal where nothing but the model
goes on, and the diagonal of L is their standard deviation. What is usual here is learnt from all ratings; how this
client is, from their earlier ratings only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from attunement.trajectories.model import CourseModel

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_LEAST_CHANCE = 1e-12  # of a tail that is still told apart


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One dyad's ratings, and how they were distributed before any of them was seen.

    Parameters
    ----------
    therapist, client
        Who.
    session, score
        (n,) the rated sessions and the ratings.
    mean, covariance
        (v, n), (v, n, n) at each of v values of the practice's variances, all equally likely.
    """

    therapist: str
    client: str
    session: Array
    score: Array
    mean: Array
    covariance: Array

    def ahead(self, score: Array | None = None) -> tuple[Array, Array, Array]:
        """Predict each rating from the earlier ones.

        Parameters
        ----------
        score
            (k, n) other ratings of the same sessions, k times; (n,) the dyad's own if left out.

        Returns
        -------
        tuple
            What was expected (k, n), its standard deviation (n,), and how many of them the rating came out above it
            (k, n); without k where the ratings are the dyad's own.
        """
        rated = self.score if score is None else score
        root = np.linalg.cholesky(self.covariance)
        step = np.diagonal(root, axis1=-2, axis2=-1)
        off = rated[..., None, :] - self.mean
        left = np.einsum("vij,...vj->...vi", np.linalg.inv(root), off)
        expected = rated - (step * left).mean(axis=-2)
        return expected, step.mean(axis=0), _mixed(left)

    def drawn(self, innovations: Array) -> Array:
        """(k, n) ratings of a dyad whose surprises are these, (k, n): each time at another value of the variances."""
        root = np.linalg.cholesky(self.covariance)
        which = np.arange(innovations.shape[0]) % root.shape[0]
        return np.asarray(self.mean[which] + np.einsum("kij,kj->ki", root[which], innovations))

    def given(self, seen: Flags, at: int) -> tuple[float, float, float]:
        """Predict one rating from those earlier ones that count: what was expected, its sd, and z."""
        before = np.flatnonzero(seen[:at])
        mean, variance = self.mean[:, at], self.covariance[:, at, at]
        if before.size:
            tied = self.covariance[:, before, at]
            among = self.covariance[:, before[:, None], before]
            weight = np.linalg.solve(among, tied[..., None])[..., 0]
            mean = mean + (weight * (self.score[before] - self.mean[:, before])).sum(axis=1)
            variance = variance - (weight * tied).sum(axis=1)
        step = np.sqrt(variance)
        left = ((self.score[at] - mean) / step)[:, None]
        return float(mean.mean()), float(step.mean()), float(_mixed(left)[0])


def foreseen(rated: pl.DataFrame, model: CourseModel) -> Iterator[Foreseen]:
    """Set out every dyad's ratings; `rated` has therapist, client, dyad, session and score, none of them missing."""
    dyads = rated.sort("dyad", "session").group_by("dyad", maintain_order=True)
    each = dyads.agg(pl.col("therapist", "client").first(), "session", "score")
    new = each.with_columns(client=pl.lit("\0"), dyad=pl.lit("\0"))  # nobody that was seen before
    at = model.at(new)
    for number, row in enumerate(each.iter_rows(named=True)):
        session, score = (np.array(row[name], dtype=float) for name in ("session", "score"))
        basis = np.column_stack([np.ones_like(session), model.shape.f(session)])
        walk = np.minimum(session[:, None], session) - 1.0
        noise = np.eye(session.size)
        yield Foreseen(
            therapist=row["therapist"],
            client=row["client"],
            session=session,
            score=score,
            mean=np.stack([basis @ one.lines[number] for one in at]),
            covariance=np.stack(
                [
                    basis @ one.spreads[number] @ basis.T + one.drift * walk + one.sigma**2 * noise
                    for one in at
                ]
            ),
        )


def _mixed(left: Array) -> Array:
    """(…, n) from (…, v, n): z under the even mixture of v normals, from the tail it lies in."""
    if left.shape[-2] == 1:
        return np.asarray(left[..., 0, :])
    below, above = ndtr(left).mean(axis=-2), ndtr(-left).mean(axis=-2)
    nearer = ndtri(np.maximum(np.minimum(below, above), _LEAST_CHANCE))
    return np.asarray(np.where(below < above, nearer, -nearer))
