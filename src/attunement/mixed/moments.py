"""The sums that the likelihood needs, by level: made once, and the rows are not touched again.

One grouping factor, the one with the most effects, is *eliminated*: its levels are independent given the
rest, so each is a small block. All other factors, the fixed columns and the response are the *border*, kept
dense. With a drift, the rows of each walk are first made independent (whitened) at the drift's present size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.design import Grouped, Steps

    Array = NDArray[np.float64]

DENSE_LIMIT = 8_000  # columns of the border: 0.5 GB


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of squares and products.

    Parameters
    ----------
    inner
        (m, q, q) of the eliminated factor, a block a level.
    cross
        (m·q, border) of the eliminated factor with the border, sparse.
    border
        (border, border) of everything else; its last p + 1 columns are the fixed columns and the response.
    logdet
        log-determinant of the whitening, added to the deviance.
    n
        Rows.
    """

    inner: Array
    cross: sparse.csr_array
    border: Array
    logdet: float
    n: int


def moments(grouped: list[Grouped], xy: Array, walks: Walks | None, drift: float) -> Moments:
    """Sum the rows: the first of `grouped` is eliminated; `xy` (n, p+1) are fixed columns and response.

    `drift` is the walk's variance a session, relative to the residual's.
    """
    columns, logdet = [*(group.z for group in grouped), xy], 0.0
    if walks is not None:
        columns, logdet = walks.whiten(columns, drift)
    xy = columns.pop()
    blocks = [_sparse(group, z) for group, z in zip(grouped, columns, strict=True)]
    width = sum(block.shape[1] for block in blocks[1:]) + xy.shape[1]
    if width > DENSE_LIMIT:
        raise ModelProblem(
            f"Besides {grouped[0].term}, this model has {width} effects that have to be solved together; "
            f"{DENSE_LIMIT} is the limit of this version."
        )
    border = sparse.hstack([*blocks[1:], sparse.csr_array(xy)], format="csr")
    if not blocks:
        nothing = sparse.csr_array((0, width))
        return Moments(np.empty((0, 1, 1)), nothing, xy.T @ xy, logdet, xy.shape[0])
    first = blocks[0].T.tocsr()
    return Moments(
        inner=_inner(grouped[0], columns[0]),
        cross=sparse.csr_array(first @ border),
        border=np.asarray((border.T @ border).toarray()),
        logdet=logdet,
        n=xy.shape[0],
    )


def _sparse(group: Grouped, z: Array) -> sparse.csr_array:
    n, q = z.shape
    places = group.codes[:, None] * q + np.arange(q)
    starts = np.arange(0, n * q + 1, q)
    return sparse.csr_array((z.ravel(), places.ravel(), starts), shape=(n, len(group.levels) * q))


def _inner(group: Grouped, z: Array) -> Array:
    m, q = len(group.levels), z.shape[1]
    inner = np.empty((m, q, q))
    for a in range(q):
        for b in range(a + 1):
            inner[:, a, b] = inner[:, b, a] = np.bincount(group.codes, z[:, a] * z[:, b], m)
    return inner


class Walks:
    """The rows of each walk, in order, gathered by length so that equal lengths are worked on at once."""

    def __init__(self, steps: Steps) -> None:
        order = np.lexsort((steps.position, steps.codes))
        codes = steps.codes[order]
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        lengths = np.diff(np.r_[starts, codes.size])
        self._batches: list[tuple[NDArray[np.int64], Array]] = []
        for length in np.unique(lengths):
            rows = order[starts[lengths == length][:, None] + np.arange(length)]
            position = steps.position[rows] - 1.0
            self._batches.append((rows, np.minimum(position[:, :, None], position[:, None, :])))

    def whiten(self, columns: list[Array], drift: float) -> tuple[list[Array], float]:
        """Make rows of a walk independent; returns the columns so changed, and the log-determinant."""
        changed = [column.copy() for column in columns]
        logdet = 0.0
        if drift > 0.0:
            for rows, kernel in self._batches:
                root = np.linalg.cholesky(np.eye(rows.shape[1]) + drift * kernel)
                logdet += 2.0 * float(np.log(np.diagonal(root, axis1=1, axis2=2)).sum())
                for column in changed:
                    column[rows] = np.linalg.solve(root, column[rows])
        return changed, logdet
