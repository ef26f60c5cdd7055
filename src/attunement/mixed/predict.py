"""Covariances of rows, from a solution of the likelihood.

What a row adds up is a functional of the coefficients. Tier by tier the effects of the row's own level are
replaced by what they are given everything coarser: their own covariance stays, and the functional changes on the
columns that are left. Levels that the fit has not seen are drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.solution import Solution
    from attunement.mixed.tiers import Tier

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

_NUMBERS = 4_000_000  # held at once


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows to predict, in runs of `size`.

    Parameters
    ----------
    columns
        (n, m) as they stand in the sums, the response's column zero.
    codes
        By factor, (n,) the level, or −1 where the fit has not seen it.
    size
        Rows a run. Within a run, levels not seen are the same one.
    """

    columns: Array
    codes: Mapping[str, Codes]
    size: int

    def __getitem__(self, runs: slice) -> NewRows:
        rows = slice(runs.start * self.size, runs.stop * self.size)
        codes = {factor: code[rows] for factor, code in self.codes.items()}
        return NewRows(self.columns[rows], codes, self.size)


def covariance(model: Likelihood, at: Solution, rows: NewRows) -> Array:
    """(runs, size, size), relative to the residual variance; the fixed effects' uncertainty included."""
    runs = rows.columns.shape[0] // rows.size
    step = max(_NUMBERS // (rows.size * (model.structure.border.width + model.structure.m)), 1)
    starts = range(0, runs, step)
    parts = [_covariance(model, at, rows[start : min(start + step, runs)]) for start in starts]
    return np.concatenate([np.empty((0, rows.size, rows.size)), *parts])


def _covariance(model: Likelihood, at: Solution, rows: NewRows) -> Array:
    left, size = rows.columns.copy(), rows.size
    found = np.zeros((left.shape[0] // size, size, size))
    on_border = _on_the_border(model, at, rows, found)
    for depth, tier in enumerate(model.structure.tiers):
        codes = rows.codes[tier.factor]
        own = left[:, list(tier.places)]
        unseen = _runs(own * (codes < 0)[:, None], size)
        root = at.roots[tier.factor][:, :, 0]
        found += unseen @ (root @ root.T) @ np.swapaxes(unseen, 1, 2)
        seen = np.flatnonzero(codes >= 0)
        if seen.size:
            _replace(model, at, depth, (rows, seen, own), (left, on_border, found))
    for part in at.border.parts:
        held = on_border[:, part.make.columns]
        found += np.einsum("raci,rbci->rab", *2 * (_runs(np.einsum("rcs,csi->rci", held, part.half), size),))
        left -= np.einsum("rcs,csm->rm", held, part.answer)
    fixed = _runs(left[:, model.fixed], size)
    return np.asarray(found + fixed @ at.spread @ np.swapaxes(fixed, 1, 2))


def _runs(rows: NDArray[Any], size: int) -> NDArray[Any]:
    return rows.reshape(rows.shape[0] // size, size, *rows.shape[1:])


def _on_the_border(model: Likelihood, at: Solution, rows: NewRows, found: Array) -> Array:
    """(n, K) the rows on the border's columns; what is not seen goes to `found`."""
    border = model.structure.border
    held = np.zeros((rows.columns.shape[0], border.width))
    for factor, places, offset in zip(border.factors, border.places, border.offsets, strict=True):
        codes, own = rows.codes[factor], rows.columns[:, list(places)]
        seen = np.flatnonzero(codes >= 0)
        columns = offset + codes[seen, None] * len(places) + np.arange(len(places))
        held[seen[:, None], columns] = own[seen]
        unseen = _runs(own * (codes < 0)[:, None], rows.size)
        root = at.roots[factor][:, :, 0]
        found += unseen @ (root @ root.T) @ np.swapaxes(unseen, 1, 2)
    return held


def _replace(
    model: Likelihood,
    at: Solution,
    depth: int,
    of_rows: tuple[NewRows, Codes, Array],
    onto: tuple[Array, Array, Array],
) -> None:
    """Replace the effects of the levels that rows are in, changing the functionals and adding the covariance."""
    rows, seen, own = of_rows
    left, on_border, found = onto
    tier = model.structure.tiers[depth]
    codes = rows.codes[tier.factor]
    position = np.full(codes.size, -1, dtype=np.int64)
    position[seen] = rank(tier)[codes[seen]]
    levels, of_row = np.unique(position[seen], return_inverse=True)
    solved = model.level(at, depth, slice(None) if tier.pairs is not None else levels)
    if tier.pairs is not None:
        of_row = levels[of_row]
    answer, answer_pairs = solved.answer()
    reached = np.zeros_like(own)
    reached[seen] = np.einsum("abr,rb->ra", solved.spread[:, :, 0, of_row], own[seen])
    same = _runs(position, rows.size)
    together = (same[:, :, None] == same[:, None, :]) & (same[:, :, None] >= 0)
    found += np.einsum("raq,rbq->rab", _runs(own, rows.size), _runs(reached, rows.size)) * together
    left[seen] -= np.einsum("amr,ra->rm", answer[:, :, 0, of_row], own[seen])
    if tier.pairs is not None:
        starts = np.r_[0, np.cumsum(np.bincount(tier.pairs.level, minlength=tier.order.size))]
        for a in range(own.shape[1]):
            touched = csr_array(
                (answer_pairs[a], tier.pairs.column, starts), shape=(tier.order.size, on_border.shape[1])
            )
            on_border[seen] -= own[seen, a, None] * touched[of_row].toarray()


def rank(tier: Tier) -> Codes:
    """Where each level's code stands in the tier."""
    ranks = np.empty_like(tier.order)
    ranks[tier.order] = np.arange(tier.order.size)
    return ranks
