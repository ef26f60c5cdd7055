"""Sums of products by cell: all that a Gaussian hierarchical model needs of its rows, made in one pass.

Everything a model multiplies stands side by side in m columns: those of its random terms, its fixed columns, and
the response. A *cell* is one combination of levels of all grouping factors that occurs. Sums may be added: session
by session, site by site.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums by cell.

    Parameters
    ----------
    codes
        By grouping factor, (cells,) each cell's level, 0 … levels − 1.
    counts
        By grouping factor, how many levels it has.
    products
        (m (m + 1) / 2, cells) sums of products of two columns: the lower triangle, row by row.
    rows
        (cells,) how many rows each has.
    logdet
        Minus the log-determinant of the rows' weights, added to the deviance.
    """

    codes: Mapping[str, Codes]
    counts: Mapping[str, int]
    products: Array
    rows: Array
    logdet: float = 0.0

    @property
    def n(self) -> int:
        """Rows that were summed."""
        return int(self.rows.sum())

    def only(self, keep: NDArray[np.bool_]) -> Cells:
        """Some of the cells, their levels numbered anew."""
        codes = {}
        for factor, of_factor in self.codes.items():
            seen = np.zeros(self.counts[factor], dtype=np.int64)
            seen[of_factor[keep]] = 1
            codes[factor] = (np.cumsum(seen) - 1)[of_factor[keep]]
        counts = {factor: int(of_factor.max()) + 1 for factor, of_factor in codes.items()}
        rows = self.rows[keep]
        return Cells(
            codes,
            counts,
            np.compress(keep, self.products, axis=1),
            rows,
            self.logdet * float(rows.sum()) / self.n,
        )


class CellSource(ABC):
    """Where sums come from, at any values of the further parameters behind theta."""

    @abstractmethod
    def __call__(self, further: Array) -> Cells:
        """The sums at (k,) values."""

    def many(self, furthers: Array) -> tuple[Array, Array]:
        """Products (…, T, cells) and log-determinants (T,) at (T, k) values."""
        found = [self(further) for further in furthers]
        return np.stack([each.products for each in found], axis=1), np.array([each.logdet for each in found])


@dataclass(frozen=True, slots=True)
class Always(CellSource):
    """The same sums, whatever the parameters."""

    cells: Cells

    def __call__(self, further: Array) -> Cells:  # noqa: ARG002 - none changes them
        """The sums."""
        return self.cells


@dataclass(frozen=True, slots=True)
class Only(CellSource):
    """Some cells of another source."""

    source: CellSource
    keep: NDArray[np.bool_]

    def __call__(self, further: Array) -> Cells:
        """The sums of those cells."""
        return self.source(further).only(self.keep)


def pair(i: int, j: int) -> int:
    """Where the product of columns i and j stands in `Cells.products`."""
    return max(i, j) * (max(i, j) + 1) // 2 + min(i, j)


def square(triangle: Array, m: int) -> Array:
    """(m (m + 1) / 2, T) to the symmetric (m, m, T)."""
    rows, columns = np.tril_indices(m)
    square = np.empty((m, m, triangle.shape[1]))
    square[rows, columns] = triangle
    square[columns, rows] = triangle
    return square


def sum_cells(columns: Array, cell: Codes, count: int) -> Array:
    """Sum the products of (n, m) columns by cell."""
    m = columns.shape[1]
    products = np.empty((m * (m + 1) // 2, count))
    for i in range(m):
        for j in range(i + 1):
            products[pair(i, j)] = np.bincount(cell, columns[:, i] * columns[:, j], count)
    return products


def cells_of(codes: Mapping[str, Codes], n: int) -> tuple[Codes, dict[str, Codes]]:
    """Number the combinations of levels: (n,) each row's cell, and by factor each cell's level."""
    if not codes:
        return np.zeros(n, dtype=np.int64), {}
    finest_first = sorted(codes.values(), key=lambda of_factor: -int(of_factor.max()))
    cell = finest_first[0]
    for of_factor in finest_first[1:]:
        if not _follows(cell, of_factor):
            _, cell = np.unique(cell * (of_factor.max() + 1) + of_factor, return_inverse=True)
    count = int(cell.max()) + 1
    by_factor = {}
    for factor, of_factor in codes.items():
        by_factor[factor] = np.empty(count, dtype=np.int64)
        by_factor[factor][cell] = of_factor
    return cell, by_factor


def _follows(cell: Codes, of_factor: Codes) -> bool:
    """Whether the cell says which level it is."""
    level = np.zeros(int(cell.max()) + 1, dtype=np.int64)
    level[cell] = of_factor
    return np.array_equal(level[cell], of_factor)
