r"""One operator, applied tier by tier: take a factor's effects out, and what is left goes to their parents.

With S a level's own columns times all columns, P = S at its own places and L the root of the term's relative
covariance,

.. math:: F = R^{-1} L',\quad R R' = I + L' P L,\quad V = F S,\quad A \leftarrow A - V'V.

Backwards, the same numbers carry whatever stands on the coefficients of the columns down to the levels: with
C = F'F and E = F'V the coefficients of a level are those of its parent less its own effects, so that a covariance
(or the adjoint of the criterion) K becomes

.. math:: K \leftarrow (I - Z E)\,K\,(I - Z E)' + Z C Z'.

Called with the adjoint of the criterion it gives the gradient; with the fixed effects' covariance, or zero, the
conditional covariances of the effects (Bates et al. 2015, Journal of Statistical Software 67:1, in blocks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.border import Pairs
    from attunement.mixed.tiers import Own, Tier

    Array = NDArray[np.float64]
    Block = slice | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Taken:
    """What finer tiers took out.

    Parameters
    ----------
    tier
        (m, m, T, levels) from the columns of this tier's levels.
    pairs
        (m, pairs) from their products with the border.
    border, beside
        From the border itself, (keys,), and from its products with all columns, (K, m).
    logdet
        (T,) log-determinants so far.
    """

    tier: Array
    pairs: Array
    border: Array
    beside: Array
    logdet: Array


@dataclass(frozen=True, slots=True)
class Level:
    """The levels of one tier, or a block of them, solved.

    Parameters
    ----------
    own
        (q, m, T, levels) S: what is left of their columns' products.
    half
        (q, q, T, levels) F.
    pulled
        (q, m, T, levels) V.
    own_pairs, pulled_pairs
        (q, pairs) the same with the columns of the border.
    logdet
        (T,) their part of the log-determinant.
    """

    own: Array
    half: Array
    pulled: Array
    own_pairs: Array
    pulled_pairs: Array
    logdet: Array
    _of_pairs: NDArray[np.int64]

    @property
    def spread(self) -> Array:
        """(q, q, T, levels) C = F'F, the effects' covariance given everything else."""
        return np.asarray(np.einsum("ka...,kb...->ab...", self.half, self.half))

    def answer(self) -> tuple[Array, Array]:
        """E = F'V: how the effects answer to the coefficients of all columns, and to those of the border."""
        return self._turned(self.half, self.pulled, self.pulled_pairs)

    def left(self, places: tuple[int, ...]) -> tuple[Array, Array]:
        """S less what is taken out of it: the rows of A − V'V at its own places."""
        rows, pairs = self._turned(self.pulled[:, places], self.pulled, self.pulled_pairs)
        return self.own - rows, self.own_pairs - pairs

    def _turned(self, turn: Array, rows: Array, pairs: Array) -> tuple[Array, Array]:
        turned = np.einsum("ka...,kj...->aj...", turn, rows)
        if pairs.shape[1] == 0:
            return turned, pairs
        return turned, np.einsum("kap,kp->ap", turn[:, :, 0, self._of_pairs], pairs)


def solve_level(
    tier: Tier, root: Array, sums: Own, own_pairs: Array, taken: Taken | None, block: Block
) -> Level:
    """Solve a block of levels; `sums` and `own_pairs` are the tier's, `root` (q, q, T) is L."""
    places = list(tier.places)
    own = sums[block]
    if taken is not None:
        own = own - taken.tier[places][..., block]
        own_pairs = own_pairs - taken.pairs[places]
    half, logdet = _half(own[:, places], root[..., None])
    pulled = half[0] * own if len(places) == 1 else np.einsum("aj...,jm...->am...", half, own)
    level = np.empty(0, dtype=np.int64) if tier.pairs is None else tier.pairs.level
    pulled_pairs = np.einsum("ajp,jp->ap", half[:, :, 0, level], own_pairs)
    return Level(own, half, pulled, own_pairs, pulled_pairs, logdet, level)


def _half(inner: Array, root: Array) -> tuple[Array, Array]:
    """F = R^-1 L' by level, with R R' = I + L' P L, and the log-determinants."""
    q = inner.shape[0]
    shape = np.broadcast_shapes(inner.shape, root.shape)[2:]
    half = np.zeros((q, q, *shape))
    if q == 1:
        scaled = 1.0 + root[0, 0] ** 2 * inner[0, 0]
        half[0, 0] = root[0, 0] / np.sqrt(scaled)
        return half, np.log(scaled).sum(axis=-1)
    middle = np.einsum("ka...,kb...->ab...", root, np.einsum("kl...,lb...->kb...", inner, root))
    logdet = np.zeros(shape[:-1])
    factor: dict[tuple[int, int], Array] = {}
    for a in range(q):
        for b in range(a):
            rest = middle[a, b] - sum(factor[a, k] * factor[b, k] for k in range(b))
            factor[a, b] = rest / factor[b, b]
        pivot = 1.0 + middle[a, a] - sum(factor[a, k] ** 2 for k in range(a))
        pivot = np.maximum(pivot, 1.0)  # as it is but for rounding
        logdet += np.log(pivot).sum(axis=-1)
        factor[a, a] = np.sqrt(pivot)
        half[a] = root[:, a] - sum(factor[a, k] * half[k] for k in range(a))
        half[a] /= factor[a, a]
    return half, logdet


def take_out(tier: Tier, root: Array, own: Own, own_pairs: Array, taken: Taken, *, finest: bool) -> Taken:
    """Eliminate a tier: returns what is taken from its parents, with all that came before."""
    if finest and compiled.worth_it(tier, own):
        above, more = compiled.take_out(tier, root, own)
        return Taken(above, taken.pairs, taken.border, taken.beside, taken.logdet + more)
    m, parents = own.rows.shape[1], tier.starts.size
    times = max(own.products.shape[1], root.shape[2])
    above = np.empty((m, m, times, parents))
    before, logdet = None if finest else taken, taken.logdet
    for levels, of_parents in tier.blocks:
        solved = solve_level(tier, root, own, own_pairs, before, levels)
        logdet = logdet + solved.logdet
        lost = np.einsum("ki...,kj...->ij...", solved.pulled, solved.pulled)
        if before is not None:
            lost += before.tier[..., levels]
        first = tier.starts[of_parents]
        above[..., of_parents] = np.add.reduceat(lost, first - first[0], axis=-1)
    if tier.pairs is None:
        return Taken(above, taken.pairs, taken.border, taken.beside, logdet)
    return _with_border(tier.pairs, solved, above, replace(taken, logdet=logdet))


def _with_border(pairs: Pairs, solved: Level, above: Array, taken: Taken) -> Taken:
    pulled, touched = solved.pulled[:, :, 0, pairs.level], solved.pulled_pairs
    lost = np.einsum("kjp,kp->jp", pulled, touched)
    products = np.einsum("kp,kp->p", touched[:, pairs.first], touched[:, pairs.second])
    width, keys = taken.beside.shape[0], taken.border.size
    beside = np.stack([np.bincount(pairs.column, each, width) for each in lost], axis=1)
    passed = np.empty((lost.shape[0], 0))
    if pairs.above.size:
        lost = lost + taken.pairs if taken.pairs.shape[1] else lost
        count = int(pairs.above.max()) + 1
        passed = np.stack([np.bincount(pairs.above, each, count) for each in lost])
    return Taken(
        above,
        passed,
        taken.border + np.bincount(pairs.key, products, keys),
        taken.beside + beside,
        taken.logdet,
    )


@dataclass(frozen=True, slots=True)
class Carried:
    """What stands on the coefficients: their covariance, or the criterion's adjoint.

    Parameters
    ----------
    tier
        (m, m, levels) on the columns, by level of the tier above (or of this one, once it has come down).
    pairs
        (m, pairs) between the columns and those of the border.
    border
        (keys,) within the border.
    """

    tier: Array
    pairs: Array
    border: Array


def through(tier: Tier, rows: Array, row_pairs: Array, on: Carried) -> tuple[Array, Array]:
    """Multiply rows (q, m, levels) and their pairs with what is carried, already by level of this tier."""
    reached = np.einsum("aj...,ji...->ai...", rows, on.tier)
    if tier.pairs is None:
        return reached, row_pairs
    pairs = tier.pairs
    count = rows.shape[2]
    for a in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            reached[a, i] += np.bincount(pairs.level, row_pairs[a] * on.pairs[i], count)
    reached_pairs = np.einsum("ajp,jp->ap", rows[:, :, pairs.level], on.pairs)
    between = on.border[pairs.key]
    apart = pairs.first != pairs.second
    for a in range(rows.shape[0]):
        of_first = row_pairs[a, pairs.second] * between
        of_second = row_pairs[a, pairs.first] * between * apart
        reached_pairs[a] += np.bincount(pairs.first, of_first, pairs.level.size)
        reached_pairs[a] += np.bincount(pairs.second, of_second, pairs.level.size)
    return reached, reached_pairs


def joined(tier: Tier, reached: tuple[Array, Array], rows: tuple[Array, Array]) -> Array:
    """(q, q, levels) of what `through` gave with other rows."""
    both = np.asarray(np.einsum("ai...,bi...->ab...", reached[0], rows[0]))
    if tier.pairs is not None:
        count = rows[0].shape[2]
        for a in range(both.shape[0]):
            for b in range(both.shape[1]):
                both[a, b] += np.bincount(tier.pairs.level, reached[1][a] * rows[1][b], count)
    return both


def at_level(tier: Tier, on: Carried, block: slice) -> Carried:
    """Give each level of a block what its parent carries."""
    return Carried(on.tier[..., tier.parent[block]], on.pairs, on.border)


def slope_of(tier: Tier, solved: Level, on: Carried) -> Array:
    """Add up the derivative of the criterion in the tier's relative covariance, (q, q)."""
    rows, pairs = solved.left(tier.places)
    left = (rows[:, :, 0], pairs)
    own = left[0][:, list(tier.places)]
    return np.asarray((own - joined(tier, through(tier, *left, on), left)).sum(axis=-1))


def bring_down(tier: Tier, solved: Level, on: Carried) -> tuple[Carried, Array]:
    """Pass what is carried through a tier's own effects; also (q, q, levels) what it is on the effects."""
    rows, pairs = solved.answer()
    answer = (rows[:, :, 0], pairs)
    reached, reached_pairs = through(tier, *answer, on)
    own = joined(tier, (reached, reached_pairs), answer) + solved.spread[:, :, 0]
    carried, with_border = on.tier.copy(), on.pairs.copy()
    for a, place in enumerate(tier.places):
        carried[place] -= reached[a]
        carried[:, place] -= reached[a]
        with_border[place] -= reached_pairs[a]
    for a, place in enumerate(tier.places):
        for b, other in enumerate(tier.places):
            carried[place, other] += own[a, b]
    return Carried(carried, with_border, on.border), own
