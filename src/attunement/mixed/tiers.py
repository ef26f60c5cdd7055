"""The sums that the likelihood needs, arranged by level; the rows are not touched again.

A factor whose every level lies within one level of the next is eliminated level by level; such factors, finest
first, make the *chain* of tiers. The other factors are crossed with the chain: their effects are the columns of
the *border*, and a level of a tier touches only a few of them (its *pairs*).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed.border import Pairs, lay_border
from attunement.mixed.cells import pair, square

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

BLOCK = 8_192  # levels worked on at once: what is made of them stays in the processor's cache
_RUN, _PIECE = 512, 1_024  # the same for the compiled passes, and the longest piece of a family there


@dataclass(frozen=True, slots=True)
class Tier:
    """One factor of the chain, its levels sorted so that those of one parent stand together.

    Parameters
    ----------
    factor
        Its name.
    places
        (q,) the columns of its effects.
    order
        (levels,) the level's code at each position.
    starts
        (parents,) where each parent's first level stands.
    parent
        (levels,) the position of each level's parent in the next tier (0 in the last).
    cells
        (levels,) where each level's first cell stands, among the sorted cells; None where they are the same.
    blocks
        Runs of levels and of parents to work on at once.
    pieces, runs
        For the compiled passes: where each family begins, long ones cut; and where runs of pieces begin, and the end.
    pairs
        Which columns of the border each level touches, if there is a border.
    """

    factor: str
    places: tuple[int, ...]
    order: Codes
    starts: Codes
    parent: Codes
    cells: Codes | None
    blocks: tuple[tuple[slice, slice], ...]
    pieces: Codes
    runs: Codes
    pairs: Pairs | None


@dataclass(frozen=True, slots=True)
class Own:
    """The products of a tier's own columns with all columns, by level.

    Parameters
    ----------
    products
        (…, T, levels). T is the number of parameter values worked on at once, or 1 where the sums are the same
        for all.
    rows
        (q, m) which of them is the product of an own column with a column.
    """

    products: Array
    rows: Codes

    def __getitem__(self, levels: slice | Codes) -> Array:
        """(q, m, T, levels) of some levels."""
        some = self.products[..., levels]
        return some[self.rows.ravel()].reshape(*self.rows.shape, *some.shape[1:])


@dataclass(frozen=True, slots=True)
class Sums:
    """What one likelihood is worked out of.

    Parameters
    ----------
    tiers
        By tier, its levels' own products.
    total
        (m, m, T) over all rows.
    pairs
        By tier, (q, pairs): its own columns with those of the border that it touches.
    border, beside
        (keys,) products of two columns of the border; (K, m) of the border with all columns.
    """

    tiers: tuple[Own, ...]
    total: Array
    pairs: tuple[Array, ...]
    border: Array
    beside: Array


class Structure:
    """How cells lie in tiers and border: worked out once for a model, for whatever sums are to come.

    Parameters
    ----------
    codes, counts
        As in `Cells`.
    places
        By factor, the columns of its effects.
    m
        How many columns there are.
    """

    def __init__(
        self,
        codes: Mapping[str, Codes],
        counts: Mapping[str, int],
        places: Mapping[str, tuple[int, ...]],
        m: int,
    ) -> None:
        self.m = m
        chain, crossed = _chain(codes, counts, places)
        parents = [_parents(codes[fine], codes[coarse], counts[fine]) for fine, coarse in pairwise(chain)]
        orders, ranks = _sorted(parents, [counts[factor] for factor in chain])
        self._cells = _cell_order(codes[chain[0]], ranks[0]) if chain else None
        levels = [_in_order(ranks[tier][codes[factor]], self._cells) for tier, factor in enumerate(chain)]
        sorted_codes = {factor: _in_order(codes[factor], self._cells) for factor in crossed}
        self.border, pairs = lay_border(
            levels, sorted_codes, {factor: (counts[factor], places[factor]) for factor in crossed}
        )
        self.tiers = tuple(
            _tier(factor, places[factor], orders, ranks, parents, tier, levels[tier], pairs[tier])
            for tier, factor in enumerate(chain)
        )

    def sums(self, products: Array) -> Sums:
        """Arrange the products, (m (m + 1) / 2, cells) or (…, T, cells), by tier and border."""
        if products.ndim == 2:
            products = products[:, None]
        total = square(products.sum(axis=-1), self.m)
        if self._cells is not None:
            products = np.take(products, self._cells, axis=-1)  # in C order, unlike an index
        tiers = tuple(self._own(tier, products) for tier in self.tiers)
        pairs, inner, beside = self.border.sums(products[:, 0], self.tiers, self.m)
        return Sums(tiers, total, pairs, inner, beside)

    def _own(self, tier: Tier, products: Array) -> Own:
        rows = np.array([[pair(place, column) for column in range(self.m)] for place in tier.places])
        if tier.cells is None:
            return Own(products, rows)
        needed, rows_of_needed = np.unique(rows, return_inverse=True)
        summed = np.add.reduceat(products[needed], tier.cells, axis=-1)
        return Own(summed, rows_of_needed.reshape(rows.shape))


def _chain(
    codes: Mapping[str, Codes], counts: Mapping[str, int], places: Mapping[str, tuple[int, ...]]
) -> tuple[list[str], list[str]]:
    """Split the factors: the largest, what it is nested in, and so on; and those crossed with them."""
    by_size = sorted(codes, key=lambda factor: -counts[factor] * len(places[factor]))
    chain = by_size[:1]
    crossed: list[str] = []
    for factor in by_size[1:]:
        nested = _parents(codes[chain[-1]], codes[factor], counts[chain[-1]]) is not None
        (chain if nested else crossed).append(factor)
    return chain, crossed


def _parents(fine: Codes, coarse: Codes, count: int) -> Codes | None:
    """Each fine level's coarse level, or None if one lies in several."""
    parent = np.zeros(count, dtype=np.int64)
    parent[fine] = coarse
    return parent if np.array_equal(parent[fine], coarse) else None


def _sorted(parents: Sequence[Codes | None], counts: Sequence[int]) -> tuple[list[Codes], list[Codes]]:
    """By tier: the codes in sorted order, and each code's position there; parents' order decides."""
    orders: list[Codes] = []
    ranks: list[Codes] = []
    for tier in reversed(range(len(counts))):
        above = parents[tier] if tier < len(parents) else None
        order = np.arange(counts[tier])
        if above is not None:
            ranked = ranks[0][above]
            if (np.diff(ranked) < 0).any():
                order = np.argsort(ranked, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        orders.insert(0, order)
        ranks.insert(0, rank)
    return orders, ranks


def _cell_order(codes: Codes, rank: Codes) -> Codes | None:
    """The order that puts cells by tier, or None if they stand so already."""
    ranked = rank[codes]
    return np.argsort(ranked, kind="stable") if (np.diff(ranked) < 0).any() else None


def _in_order(values: Codes, order: Codes | None) -> Codes:
    return values if order is None else values[order]


def _tier(  # noqa: PLR0913, PLR0917 - the pieces of one tier
    factor: str,
    places: tuple[int, ...],
    orders: list[Codes],
    ranks: list[Codes],
    parents: Sequence[Codes | None],
    tier: int,
    levels: Codes,
    pairs: Pairs | None,
) -> Tier:
    above = parents[tier] if tier < len(parents) else None
    parent = np.zeros_like(orders[tier]) if above is None else ranks[tier + 1][above[orders[tier]]]
    starts = _firsts(parent)
    pieces = (
        np.unique(np.r_[starts, np.arange(0, parent.size, _PIECE)]) if _long(starts, parent.size) else starts
    )
    cells = _firsts(levels)
    return Tier(
        factor=factor,
        places=places,
        order=orders[tier],
        starts=starts,
        parent=parent,
        cells=None if cells.size == levels.size else cells,
        blocks=_blocks(starts, parent.size, BLOCK) if pairs is None else ((slice(None), slice(None)),),
        pieces=pieces,
        runs=np.array([0, *(some.stop for _, some in _blocks(pieces, parent.size, _RUN))]),
        pairs=pairs,
    )


def _long(starts: Codes, count: int) -> bool:
    return bool(np.diff(starts, append=count).max(initial=0) > _PIECE)


def _firsts(sorted_values: Codes) -> Codes:
    """Where each run of equal values begins."""
    return np.flatnonzero(np.r_[True, sorted_values[1:] != sorted_values[:-1]])


def _blocks(starts: Codes, count: int, size: int) -> tuple[tuple[slice, slice], ...]:
    """Runs of whole families of about `size` levels."""
    ends = [*starts[1:].tolist(), count]
    blocks, first = [], 0
    while first < len(ends):
        begin = ends[first - 1] if first else 0
        last = max(bisect_right(ends, begin + size), first + 1)
        blocks.append((slice(begin, ends[last - 1]), slice(first, last)))
        first = last
    return tuple(blocks)
