r"""Factors crossed with the chain: which of their effects a level touches, and how they are solved together.

After the chain is eliminated, crossed effects share clients with one another. Those that do, directly or through
others, make a *component*; components are independent, so each is one dense Cholesky factor, and components of the
same make are worked on at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from attunement.errors import ModelProblem
from attunement.mixed.cells import pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from attunement.mixed.tiers import Tier

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

DENSE_LIMIT = 6_000  # effects that have to be solved together: 0.3 GB a matrix


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which columns of the border the levels of a tier touch.

    Parameters
    ----------
    level, column
        (pairs,) positions, sorted by level.
    above
        (pairs,) the same column's pair with the level's parent, in the next tier; empty in the last.
    first, second, key
        (products,) two pairs of one level, and where their product stands in the border.
    """

    level: Codes
    column: Codes
    above: Codes
    first: Codes
    second: Codes
    key: Codes


@dataclass(frozen=True, slots=True)
class Component:
    """Components of the same make: n of them with s columns each.

    Parameters
    ----------
    columns
        (n, s) which columns of the border.
    strips
        By factor, where its effects stand within s, as (levels, w).
    keys, places
        Products of the border that lie in here, and (3, …) which component, row and column each is.
    """

    columns: Codes
    strips: tuple[Codes, ...]
    keys: Codes
    places: Codes


@dataclass(frozen=True, slots=True)
class Border:
    """The crossed factors' effects.

    Parameters
    ----------
    factors
        Names.
    counts, places
        By factor: levels, and the columns of its effects.
    offsets
        By factor, its first column in the border.
    rows, columns
        (keys,) the products that are not zero, row ≥ column.
    cells
        (cells, …) each cell's columns in the border.
    components
        Who is solved with whom.
    """

    factors: tuple[str, ...]
    counts: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]
    offsets: tuple[int, ...]
    rows: Codes
    columns: Codes
    cells: Codes
    cell_keys: Codes
    cell_pairs: tuple[Codes, ...]
    components: tuple[Component, ...]

    @property
    def width(self) -> int:
        """How many effects there are."""
        return sum(count * len(place) for count, place in zip(self.counts, self.places, strict=True))

    @property
    def flat(self) -> list[int]:
        """The place of each of a cell's columns in the border."""
        return [place for places in self.places for place in places]

    def sums(self, products: Array, tiers: Sequence[Tier], m: int) -> tuple[tuple[Array, ...], Array, Array]:
        """Arrange (…, cells) products: by tier with the border, within the border, and beside it."""
        if not self.factors:
            return tuple(np.empty((len(tier.places), 0)) for tier in tiers), np.empty(0), np.empty((0, m))
        flat = self.flat
        beside = np.zeros((self.width, m))
        for column in range(m):
            values = products[[pair(place, column) for place in flat]].T
            beside[:, column] = np.bincount(self.cells.ravel(), values.ravel(), self.width)
        low, high = np.tril_indices(len(flat))
        inner = products[[pair(flat[i], flat[j]) for i, j in zip(low, high, strict=True)]].T
        border = np.bincount(self.cell_keys.ravel(), inner.ravel(), self.rows.size).astype(np.float64)
        by_tier = []
        for tier, of_pair in zip(tiers, self.cell_pairs, strict=True):
            touched = np.empty((len(tier.places), tier.pairs.level.size if tier.pairs else 0))
            for row, own in enumerate(tier.places):
                values = products[[pair(own, place) for place in flat]].T
                touched[row] = np.bincount(of_pair.ravel(), values.ravel(), touched.shape[1])
            by_tier.append(touched)
        return tuple(by_tier), border, beside


def lay_border(
    levels: Sequence[Codes], codes: Mapping[str, Codes], factors: Mapping[str, tuple[int, tuple[int, ...]]]
) -> tuple[Border, list[Pairs | None]]:
    """Work out the border of the sorted cells.

    Parameters
    ----------
    levels
        By tier, (cells,) each cell's position in it.
    codes
        By crossed factor, (cells,) each cell's level.
    factors
        By crossed factor, how many levels it has and the columns of its effects.

    Raises
    ------
    ModelProblem
        When too many effects have to be solved together.
    """
    counts = tuple(count for count, _ in factors.values())
    places = tuple(place for _, place in factors.values())
    widths = [count * len(place) for count, place in factors.values()]
    offsets = tuple(int(each) for each in np.cumsum([0, *widths])[:-1])
    empty = np.empty(0, dtype=np.int64)
    if not factors:
        nothing = Border((), (), (), (), empty, empty, empty, empty, (), ())
        return nothing, [None] * len(levels)
    cells = np.column_stack(
        [
            offset + codes[factor][:, None] * len(place) + np.arange(len(place))
            for factor, offset, place in zip(factors, offsets, places, strict=True)
        ]
    )
    width = sum(widths)
    touched = [_touched(level, cells, width) for level in levels]
    low, high = np.tril_indices(cells.shape[1])
    of_cells = np.maximum(cells[:, low], cells[:, high]) * width + np.minimum(cells[:, low], cells[:, high])
    products = [_products(level, column, width) for level, column, _ in touched]
    keys = np.unique(np.concatenate([of_cells.ravel(), *(key for _, _, key in products)]))
    pairs: list[Pairs | None] = []
    for tier, (level, column, _) in enumerate(touched):
        first, second, key = products[tier]
        above = empty
        if tier + 1 < len(levels):
            parent = np.zeros(int(levels[tier].max()) + 1, dtype=np.int64)
            parent[levels[tier]] = levels[tier + 1]
            next_level, next_column, _ = touched[tier + 1]
            above = np.searchsorted(next_level * width + next_column, parent[level] * width + column)
        pairs.append(Pairs(level, column, above, first, second, np.searchsorted(keys, key)))
    rows, columns = keys // width, keys % width
    border = Border(
        factors=tuple(factors),
        counts=counts,
        places=places,
        offsets=offsets,
        rows=rows,
        columns=columns,
        cells=cells,
        cell_keys=np.searchsorted(keys, of_cells),
        cell_pairs=tuple(of_pair for _, _, of_pair in touched),
        components=tuple(_components(rows, columns, width, offsets, [len(place) for place in places])),
    )
    return border, pairs


def _touched(level: Codes, cells: Codes, width: int) -> tuple[Codes, Codes, Codes]:
    """Pairs of a tier's levels with columns, and each cell's pairs."""
    keys, of_cells = np.unique(level[:, None] * width + cells, return_inverse=True)
    return keys // width, keys % width, of_cells.reshape(cells.shape)


def _products(level: Codes, column: Codes, width: int) -> tuple[Codes, Codes, Codes]:
    """All two pairs of one level (each with itself too), and the product's place as row · width + column."""
    starts = np.flatnonzero(np.r_[True, level[1:] != level[:-1]])
    lengths = np.diff(np.r_[starts, level.size])
    firsts, seconds = [], []
    for length in np.unique(lengths):
        rows = starts[lengths == length][:, None] + np.arange(length)
        low, high = np.tril_indices(length)
        firsts.append(rows[:, low].ravel())
        seconds.append(rows[:, high].ravel())
    first, second = np.concatenate(firsts), np.concatenate(seconds)  # columns rise within a level
    return first, second, column[first] * width + column[second]


def _components(
    rows: Codes, columns: Codes, width: int, offsets: tuple[int, ...], widths: list[int]
) -> list[Component]:
    graph = coo_array((np.ones(rows.size), (rows, columns)), shape=(width, width))
    count, label = connected_components(graph, directed=False)
    factor = np.searchsorted(np.array(offsets), np.arange(width), side="right") - 1
    make = np.zeros((count, len(widths)), dtype=np.int64)
    np.add.at(make, (label, factor), 1)
    largest = int(make.sum(axis=1).max())
    if largest > DENSE_LIMIT:
        raise ModelProblem(
            f"{largest} effects of crossed factors have to be solved together; {DENSE_LIMIT} is the limit."
        )
    by_label = np.argsort(label, kind="stable")  # within a component, the border's own order
    starts = np.r_[0, np.cumsum(make.sum(axis=1))]
    position = np.empty(width, dtype=np.int64)
    position[by_label] = np.arange(width) - np.repeat(starts[:-1], make.sum(axis=1))
    made, of_label = np.unique(make, axis=0, return_inverse=True)
    of_label = of_label.ravel()
    found = []
    for kind, sizes in enumerate(made):
        mine = np.flatnonzero(of_label == kind)
        number = np.full(count, -1, dtype=np.int64)
        number[mine] = np.arange(mine.size)
        held = by_label[starts[mine][:, None] + np.arange(sizes.sum())]
        keys = np.flatnonzero(number[label[rows]] >= 0)
        ends = np.cumsum(np.r_[0, sizes])
        strips = tuple(
            np.arange(ends[each], ends[each + 1]).reshape(-1, widths[each]) for each in range(len(widths))
        )
        places = np.stack([number[label[rows[keys]]], position[rows[keys]], position[columns[keys]]])
        found.append(Component(held, strips, keys, places))
    return found
