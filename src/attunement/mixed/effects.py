"""The random effects at a solution: their modes, and their conditional variances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood, Solution
    from attunement.mixed.sweep import Level
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
    for tier in model.structure.tiers:
        levels, q = tier.order.size, len(tier.places)
        found[tier.factor] = (np.empty((levels, q)), np.empty((levels, q, q)))
    coefficients, below = direction[:, None], []
    for tier, block, solved, _, covariance in model.descend(at, nothing):
        own, passed = _modes(tier, block, solved, coefficients, of_border)
        codes = tier.order[block]
        found[tier.factor][0][codes] = own.T
        found[tier.factor][1][codes] = np.moveaxis(covariance, 2, 0)
        below.append(passed)
        if len(below) == len(tier.blocks):
            coefficients, below = np.concatenate(below, axis=1), []
    return found


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
