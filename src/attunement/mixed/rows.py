"""Rows on their way into sums: weighted, and made independent where neighbours in a series are not.

What the residuals of a series have in common is described by a few further parameters behind theta. At each of
their values the rows are whitened (Pinheiro & Bates 2000, section 5.3) and summed anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from attunement.mixed.cells import Cells, CellSource, cells_of, pair, sum_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


_NEAR_ONE = 1.0 - 1e-6  # a correlation beyond leaves a row nothing of its own


class Whitening(Protocol):
    """One way in which residuals hang together.

    `even` says, one a parameter, whether the likelihood is even in it.
    """

    even: tuple[bool, ...]

    def whiten(self, columns: Array, parameters: Array) -> tuple[Array, float]:
        """Make (n, m) rows independent and of equal variance; also the log-determinant."""


def ties(phi: float, gap: Array) -> Array:
    """The correlation of residuals that are so many positions apart."""
    return np.asarray(np.sign(phi) ** gap * abs(phi) ** gap)


@dataclass(frozen=True, slots=True)
class Series:
    """Rows in series: each row's series and its position there."""

    codes: Codes
    position: Array

    @property
    def order(self) -> Codes:
        """The order that puts each series together, by position."""
        return np.lexsort((self.position, self.codes))

    def runs(self) -> list[Codes]:
        """The rows of each series, by position."""
        order = self.order
        return np.split(order, np.flatnonzero(np.diff(self.codes[order])) + 1)


class Walks:
    """A random walk within each series, started anew at position 1; its parameter is its sd a step, relative.

    The rows of each walk are gathered by length, so that equal lengths are worked on at once.
    """

    even: tuple[bool, ...] = (True,)

    def __init__(self, series: Series) -> None:
        order = series.order
        codes = series.codes[order]
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        lengths = np.diff(np.r_[starts, codes.size])
        self._batches: list[tuple[Codes, Array]] = []
        for length in np.unique(lengths):
            rows = order[starts[lengths == length][:, None] + np.arange(length)]
            position = series.position[rows] - 1.0
            self._batches.append((rows, np.minimum(position[:, :, None], position[:, None, :])))

    def whiten(self, columns: Array, parameters: Array) -> tuple[Array, float]:
        """Make the rows of each walk independent."""
        variance = float(parameters[0]) ** 2
        if variance == 0.0:
            return columns, 0.0
        changed, logdet = np.empty_like(columns), 0.0
        for rows, kernel in self._batches:
            root = np.linalg.cholesky(np.eye(rows.shape[1]) + variance * kernel)
            logdet += 2.0 * float(np.log(np.diagonal(root, axis1=1, axis2=2)).sum())
            changed[rows] = np.linalg.solve(root, columns[rows])
        return changed, logdet

    def whiten_many(self, columns: Array, variances: Array) -> tuple[Array, Array]:
        """(m, T, n) the columns at (T,) variances, and (T,) the log-determinants."""
        changed = np.empty((columns.shape[1], variances.size, columns.shape[0]))
        logdet = np.zeros(variances.size)
        for rows, kernel in self._batches:
            root = np.linalg.cholesky(np.eye(rows.shape[1]) + variances[:, None, None, None] * kernel)
            logdet += 2.0 * np.log(np.diagonal(root, axis1=2, axis2=3)).sum(axis=(1, 2))
            changed[:, :, rows] = np.moveaxis(np.linalg.solve(root, columns[rows][None]), 3, 0)
        return changed, logdet


class Autocorrelation:
    """AR(1) residuals with gaps: rows g positions apart correlate by phi to the power g.

    Its parameter is atanh(phi). Where positions are no whole numbers, phi is not negative (CAR(1)).
    """

    def __init__(self, series: Series) -> None:
        order = series.order
        codes, position = series.codes[order], series.position[order]
        self._later = np.flatnonzero(codes[1:] == codes[:-1]) + 1
        self._order = order
        self._gap = position[self._later] - position[self._later - 1]
        whole = bool((self._gap == np.round(self._gap)).all())
        self.even: tuple[bool, ...] = (not whole,)

    def phi(self, parameters: Array) -> float:
        """The correlation of neighbours one position apart."""
        phi = float(np.clip(np.tanh(parameters[0]), -_NEAR_ONE, _NEAR_ONE))
        return abs(phi) if self.even[0] else phi

    def whiten(self, columns: Array, parameters: Array) -> tuple[Array, float]:
        """Take from each row what its predecessor tells of it."""
        phi = self.phi(parameters)
        if phi == 0.0:
            return columns, 0.0
        tie = ties(phi, self._gap)
        left = 1.0 - tie**2
        sorted_rows = columns[self._order]
        changed = sorted_rows.copy()
        changed[self._later] -= tie[:, None] * sorted_rows[self._later - 1]
        changed[self._later] /= np.sqrt(left)[:, None]
        back = np.empty_like(changed)
        back[self._order] = changed
        return back, float(np.log(left).sum())


class Strata:
    """A residual variance a stratum; its parameters are the logs of the sds relative to the first stratum's."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._sizes = np.bincount(codes)
        self.even: tuple[bool, ...] = (False,) * (self._sizes.size - 1)

    def whiten(self, columns: Array, parameters: Array) -> tuple[Array, float]:
        """Bring all rows to the first stratum's variance."""
        logs = np.r_[0.0, parameters]
        return columns * np.exp(-logs)[self._codes, None], 2.0 * float(self._sizes @ logs)


class Rows(CellSource):
    """The rows of a frame, to be summed at any values of the further parameters.

    Parameters
    ----------
    columns
        (n, m) the columns, in the order of the sums, already weighted.
    codes, counts
        By grouping factor: each row's level, and how many levels there are.
    whitenings
        Applied one after the other.
    logdet
        Minus the log-determinant of the weights.
    """

    def __init__(
        self,
        columns: Array,
        codes: Mapping[str, Codes],
        counts: Mapping[str, int],
        whitenings: tuple[Whitening, ...],
        logdet: float,
    ) -> None:
        self.columns, self.counts, self._logdet = columns, counts, logdet
        self._whitenings = whitenings
        self._cell, self._codes = cells_of(codes, columns.shape[0])
        self._sizes = np.bincount(self._cell).astype(np.float64)
        self._kept: Cells | None = None

    @property
    def codes_of_rows(self) -> dict[str, Codes]:
        """By grouping factor, (n,) each row's level."""
        return {factor: code[self._cell] for factor, code in self._codes.items()}

    def summed(self, columns: Array) -> Cells:
        """Sum other columns of the same rows."""
        products = sum_cells(columns, self._cell, self._sizes.size)
        return Cells(self._codes, self.counts, products, self._sizes)

    def with_columns(self, columns: Array) -> Rows:
        """The same rows with other columns, nothing to be whitened."""
        return Rows(columns, self.codes_of_rows, self.counts, (), 0.0)

    def __call__(self, further: Array) -> Cells:
        """Whiten and sum; once and for all where nothing is to be whitened."""
        if self._kept is not None:
            return self._kept
        columns, logdet, place = self.columns, self._logdet, 0
        for whitening in self._whitenings:
            here = further[place : place + len(whitening.even)]
            columns, more = whitening.whiten(columns, here)
            logdet, place = logdet + more, place + here.size
        products = sum_cells(columns, self._cell, self._sizes.size)
        found = Cells(self._codes, self.counts, products, self._sizes, logdet)
        if not self._whitenings:
            self._kept = found
        return found

    def many(self, furthers: Array) -> tuple[Array, Array]:
        """Whiten and sum at (T, k) values; walks at all of them together."""
        if len(self._whitenings) != 1 or not isinstance(self._whitenings[0], Walks):
            return super().many(furthers)
        columns, logdet = self._whitenings[0].whiten_many(self.columns, furthers[:, 0] ** 2)
        order = np.argsort(self._cell, kind="stable")
        starts = np.flatnonzero(np.diff(self._cell[order], prepend=-1))
        columns, m = columns[:, :, order], columns.shape[0]
        products = np.empty((m * (m + 1) // 2, furthers.shape[0], starts.size))
        for i in range(m):
            for j in range(i + 1):
                products[pair(i, j)] = np.add.reduceat(columns[i] * columns[j], starts, axis=1)
        return products, logdet + self._logdet
