"""The random effects at a solution: their modes, and their conditional variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed import compiled
from attunement.mixed.sweep import at_level, bring_down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.solution import Solution
    from attunement.mixed.sweep import Carried, Level
    from attunement.mixed.tiers import Tier

    Array = NDArray[np.float64]


def effects(model: Likelihood, at: Solution) -> dict[str, tuple[Array, Array]]:
    """By factor: modes (levels, q), and covariances (levels, q, q) relative to the residual variance.

    The fixed effects are taken as known, as lme4 does for ``condVar``.
    """
    direction = model.direction(at)
    found = {}
    nothing = np.zeros((model.structure.m, model.structure.m))
    modes, covariances = at.border.modes(direction), at.border.covariance(nothing)
    for factor, mode, covariance in zip(model.structure.border.factors, modes, covariances, strict=True):
        found[factor] = (mode, covariance)
    of_border = -np.concatenate([np.empty(0), *(mode.ravel() for mode in modes)])
    carried, coefficients = model.onto_the_chain(at, nothing), direction[:, None]
    for depth, tier in reversed(list(enumerate(model.structure.tiers))):
        if depth == 0 and compiled.worth_it(tier, at.sums.tiers[0]):
            own, spread = compiled.effects(
                tier, at.roots[tier.factor], at.sums.tiers[0], carried.tier, coefficients
            )
        else:
            own, spread, carried, coefficients = _tier(model, at, depth, carried, coefficients, of_border)
        found[tier.factor] = _by_code(tier, own, spread)
    return found


def _by_code(tier: Tier, own: Array, spread: Array) -> tuple[Array, Array]:
    if np.array_equal(tier.order, np.arange(tier.order.size)):
        return own.T, np.moveaxis(spread, 2, 0)
    ranks = np.empty_like(tier.order)
    ranks[tier.order] = np.arange(tier.order.size)
    return own.T[ranks], np.moveaxis(spread, 2, 0)[ranks]


def _tier(
    model: Likelihood, at: Solution, depth: int, carried: Carried, coefficients: Array, of_border: Array
) -> tuple[Array, Array, Carried, Array]:
    """(q, levels) modes and (q, q, levels) covariances; and what goes to the next finer tier."""
    tier = model.structure.tiers[depth]
    own, spread, passed, left = [], [], [], []
    for levels, _ in tier.blocks:
        solved, here = model.level(at, depth, levels), at_level(tier, carried, levels)
        below, covariance = bring_down(tier, solved, here)
        mode, rest = _modes(tier, levels, solved, coefficients, of_border)
        own.append(mode)
        spread.append(covariance)
        passed.append(below)
        left.append(rest)
    return (
        np.concatenate(own, axis=1),
        np.concatenate(spread, axis=2),
        model.below(depth, passed),
        np.concatenate(left, axis=1),
    )


def _modes(
    tier: Tier, levels: slice, solved: Level, coefficients: Array, of_border: Array
) -> tuple[Array, Array]:
    """(q, levels) the modes of a block, and the columns' coefficients, (m, levels), for the next finer tier."""
    answer, answer_pairs = solved.answer()
    here = coefficients[:, tier.parent[levels]]
    own = np.einsum("ajl,jl->al", answer[:, :, 0], here)
    if tier.pairs is not None:
        for a in range(own.shape[0]):
            values = answer_pairs[a] * of_border[tier.pairs.column]
            own[a] += np.bincount(tier.pairs.level, values, own.shape[1])
    passed = here.copy()
    for a, place in enumerate(tier.places):
        passed[place] -= own[a]
    return own, passed
