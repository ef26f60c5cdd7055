r"""What is new in each session of a dyad: the state and the feelings, less what lasts, drifts and falls of itself.

States last from session to session and fall over a therapy, and so do feelings: two series that have nothing to do
with each other then rise and fall together, and a correlation takes that for a tie. What is compared here is what is
new. For the sessions s and t of one dyad the state, around the dyad's level and the course that all share, has the
correlation

.. math:: R_{st} = (1 - a)[s = t] + a\,\varphi^{|s - t|} + b \log_2 s \log_2 t

of a share that is of the moment, a share that lasts, and courses of the dyads' own. The three are taken where the
restricted likelihood of the states is highest (Harville 1977, Journal of the American Statistical Association 72:320),
without a look at the feelings. Each session is then held against what the dyad's sessions before it foretell, its level
being unknown before the first: a dyad of n sessions has n - 1 such *moves*, which are independent of one another, and
the same sums are drawn from the feelings and the course (generalised least squares, Aitken 1935). One client's state is
calm and another's is not: each dyad's moves are put in its own unit, which is drawn towards the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

_KEPT = (0.25, 0.45, 0.6, 0.72, 0.82, 0.9, 0.95, 0.98)
_LASTING = (0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
_COURSES = (0.0, 0.15, 0.5)
GRID: Final = np.array([*product((0.0,), (0.0,), _COURSES), *product(_KEPT, _LASTING, _COURSES)])
"""(g, 3) what is tried: kept from session to session, the share that lasts, and the variance of courses."""
_GATHERED = 4_000_000  # numbers at once
_NOTHING = 1e-9  # share of a variance
_USUAL = 4  # moves that the usual size of a dyad's moves counts for [judgement]
_PER_SESSION = 0.1  # keeps the two columns of the course of one size


@dataclass(frozen=True, slots=True)
class Moves:
    """What is new in each session, within dyads.

    Parameters
    ----------
    rows
        The sessions, dyads together and each in order: therapist, client, session, and what was moved.
    dyad
        (m,) the place of each move's dyad, from 0.
    white
        (m, n) which draws the moves from the sessions.
    state
        (m,) what is new in the state; its standard deviation is about 1.
    feelings
        (m, k) likewise; its mean square is 1, or all are 0 where a feeling does not move.
    course
        (m, p) of the course that all share, orthonormal.
    sizes
        (d,) how large a dyad's moves are; all of the above are in this unit.
    scale, scales
        Points of state, and (k,) of feelings, that are one unit.
    kept, lasting, courses
        Of the state, as in `GRID`.
    """

    rows: pl.DataFrame = field(repr=False)
    dyad: Ints = field(repr=False)
    white: sparse.csr_array = field(repr=False)
    state: Array = field(repr=False)
    feelings: Array = field(repr=False)
    course: Array = field(repr=False)
    sizes: Array = field(repr=False)
    scale: float
    scales: Array
    kept: float
    lasting: float
    courses: float

    @property
    def dyads(self) -> list[tuple[str, str]]:
        """Therapist and client, in the order of the dyads' places."""
        return self.rows.select("therapist", "client").unique(maintain_order=True).rows()

    @property
    def beside(self) -> Array:
        """(m,) what is new in the state beside the course."""
        return _beside(self.course, self.state)

    def summed(self, values: Array) -> Array:
        """(d, …) sums over each dyad's moves."""
        firsts = np.flatnonzero(np.r_[True, self.dyad[1:] != self.dyad[:-1]])
        return np.asarray(np.add.reduceat(values, firsts, axis=0))


def moves(rows: pl.DataFrame, feelings: tuple[str, ...]) -> Moves | None:
    """Draw the moves from the sessions; None where no state moves, or all sessions are taken up by their course.

    Parameters
    ----------
    rows
        therapist, client, session, outcome and a column a feeling; dyads with two sessions or more.
    feelings
        The columns of the feelings. Where one was not given it counts as what is usual in the dyad: that tells nothing,
        and takes nothing from what the others tell.
    """
    rows = rows.sort("therapist", "client", "session")
    lengths = (
        rows.group_by("therapist", "client", maintain_order=True).len()["len"].to_numpy().astype(np.int64)
    )
    session = rows["session"].to_numpy().astype(np.float64)
    state = rows["outcome"].to_numpy()
    course = np.column_stack([_PER_SESSION * session, np.log2(session)])
    best = GRID[int(np.argmax(_likelihoods(lengths, session, np.column_stack([course, state]))))]
    white = _whitening(lengths, session, best)
    dyad = np.repeat(np.arange(lengths.size), lengths - 1)
    new = white @ state
    left = _beside(_basis(white @ course), new)
    spare = new.size - course.shape[1]
    if spare < 1 or left @ left <= _NOTHING * spare * max(float(state @ state) / state.size, 1e-300):
        return None
    scale = float(np.sqrt(left @ left / spare))
    sizes = sized(left / scale, dyad)
    white = sparse.csr_array(sparse.diags_array(1.0 / sizes[dyad]) @ white)
    felt = white @ _around(rows, feelings)
    scales = np.sqrt((felt**2).mean(axis=0))
    return Moves(
        rows=rows, dyad=dyad, white=white, state=white @ state / scale,
        feelings=felt / np.where(scales <= _NOTHING, 1.0, scales), course=_basis(white @ course), sizes=sizes,
        scale=scale, scales=scales, kept=float(best[0]), lasting=float(best[1]), courses=float(best[2]),
    )  # fmt: skip


def sized(left: Array, dyad: Ints) -> Array:
    """(d,) how large each dyad's moves are, drawn towards 1; `left` is what is not accounted for, of size 1 overall."""
    return np.asarray(np.sqrt((_USUAL + np.bincount(dyad, left**2)) / (_USUAL + np.bincount(dyad))))


def _beside(base: Array, values: Array) -> Array:
    return np.asarray(values - base @ (base.T @ values))


def _around(rows: pl.DataFrame, feelings: tuple[str, ...]) -> Array:
    """(n, k) each feeling less its mean in the dyad; 0 where it was not given."""
    own = [pl.col(name) - pl.col(name).mean().over("therapist", "client") for name in feelings]
    return rows.select(each.fill_null(0.0) for each in own).to_numpy().astype(np.float64)


def _basis(columns: Array) -> Array:
    """Orthonormal columns that span the same."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6 * max(sizes.max(initial=0.0), 1e-12)])


def _likelihoods(lengths: Ints, session: Array, columns: Array) -> Array:
    """(g,) restricted log-likelihood of the last of the columns on the others and the dyads' levels."""
    products = np.zeros((len(GRID), columns.shape[1], columns.shape[1]))
    logdet = np.zeros(len(GRID))
    for places in _alike(lengths):
        roots = np.linalg.cholesky(_of_steps(session[places], GRID))
        moved = np.linalg.solve(roots, _steps(places.shape[1]) @ columns[places])
        products += np.einsum("gdta,gdtb->gab", moved, moved)
        logdet += 2.0 * np.log(np.diagonal(roots, axis1=-2, axis2=-1)).sum(axis=(1, 2))
    return _restricted(products, logdet, session.size - lengths.size)


def _restricted(products: Array, logdet: Array, rows: int) -> Array:
    """(g,) from the sums of squares and products of the whitened columns, of which the last is told by the others."""
    square, reach = products[:, :-1, :-1], products[:, :-1, -1]
    ridge = _NOTHING * np.trace(square, axis1=1, axis2=2)[:, None, None] * np.eye(square.shape[1])
    told = np.linalg.solve(square + ridge, reach[:, :, None])[:, :, 0]
    left = np.maximum(products[:, -1, -1] - (reach * told).sum(axis=1), 1e-12)
    spare = max(rows - square.shape[1], 1)
    return np.asarray(-0.5 * (spare * np.log(left) + logdet + np.linalg.slogdet(square + ridge)[1]))


def _alike(lengths: Ints) -> Iterator[Ints]:
    """The sessions of dyads of one length, (dyads, length), not too many at once."""
    firsts = np.cumsum(lengths) - lengths
    for length in np.unique(lengths):
        these = firsts[lengths == length]
        at_once = max(1, _GATHERED // int(len(GRID) * length**2))
        for begin in range(0, these.size, at_once):
            yield these[begin : begin + at_once, None] + np.arange(length)


def _whitening(lengths: Ints, session: Array, at: Array) -> sparse.csr_array:
    """(m, n) rows that have unit variance, are uncorrelated, and do not see the dyad's level."""
    blocks: dict[int, Array] = {}
    for places in _alike(lengths):
        roots = np.linalg.cholesky(_of_steps(session[places], at[None])[0])
        drawn = np.linalg.solve(
            roots, np.broadcast_to(_steps(places.shape[1]), (*roots.shape[:2], places.shape[1]))
        )
        blocks |= dict(zip(places[:, 0].tolist(), drawn, strict=True))
    return sparse.csr_array(sparse.block_diag([blocks[first] for first in sorted(blocks)], format="csr"))


def _of_steps(session: Array, at: Array) -> Array:
    """(g, dyads, length - 1, length - 1) covariance of the sessions' steps, for (dyads, length) sessions."""
    kept, lasting, courses = (each[:, None, None, None] for each in at.T)
    apart = np.abs(session[:, :, None] - session[:, None, :])
    doublings = np.log2(session)
    own = doublings[:, :, None] * doublings[:, None, :]
    covariance = (1.0 - lasting) * (apart == 0) + lasting * kept**apart + courses * own
    steps = _steps(session.shape[1])
    return np.asarray(steps @ covariance @ steps.T)


def _steps(length: int) -> Array:
    """(length - 1, length) each session less the mean of those before it."""
    rows = np.tril(np.ones((length, length)), -1)[1:]
    return np.asarray(np.eye(length)[1:] - rows / rows.sum(axis=1, keepdims=True))
