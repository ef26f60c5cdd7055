"""Sums of products by cell: all that a Gaussian hierarchical model needs of its rows, made in one pass.

Everything a model multiplies stands side by side in m columns: those of its random terms, its fixed columns, and
the response. A *cell* is one combination of levels of all grouping factors that occurs. Sums may be added: session
by session, site by site.
"""

from __future__ import annotations

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
    n
        Rows that were summed.
    logdet
        Minus the log-determinant of the rows' weights, added to the deviance.
    """

    codes: Mapping[str, Codes]
    counts: Mapping[str, int]
    products: Array
    n: int
    logdet: float = 0.0


def pair(i: int, j: int) -> int:
    """Where the product of columns i and j stands in `Cells.products`."""
    return max(i, j) * (max(i, j) + 1) // 2 + min(i, j)


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
    cell = np.zeros(n, dtype=np.int64)
    for of_factor in codes.values():
        _, cell = np.unique(cell * (of_factor.max() + 1) + of_factor, return_inverse=True)
    count = int(cell.max()) + 1
    by_factor = {}
    for factor, of_factor in codes.items():
        by_factor[factor] = np.empty(count, dtype=np.int64)
        by_factor[factor][cell] = of_factor
    return cell, by_factor
