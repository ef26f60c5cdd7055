"""The engine: a formula on grouped data, fitted exactly from sums.

Every statistical question here is a hierarchical model: sessions in clients in therapists. `fit` takes lme4's
formulas and returns a `Fit` in lme4's words; `posterior` does the same for a few clients, with a `Prior`;
`cross_lagged` asks whether one measure goes with the next of another. docs/ideas/engine.md has the mathematics.

The rooms, in the order in which data flow::

    formula  levels  design  rows  cells   a formula on rows: columns, levels, series; sums by cell
    tiers  border  layout                  how cells lie: nested factors in tiers, crossed ones beside them
    sweep  solve_border  solution  likelihood   the criterion, its gradient, and what follows from theta
    compiled  kernels  many                the same for very many levels, and at many thetas at once
    optimise  effects  predict             the best theta; modes and covariances of effects and of rows
    fit  fitted  present  chart  draw  ahead   the door, and what a fit tells
    in_time                                a whole table one step ahead, crossed factors that move
    families  laplace  family_fit          responses that are not Gaussian
    prior  parameters  integrate  posterior    few clients
    crosslag, crosslag_…                   two measures that answer one another
"""

from attunement.mixed.crosslag import CrossLagged, cross_lagged
from attunement.mixed.crosslag_jackknife import half_panel_jackknife
from attunement.mixed.design import Moments, moments
from attunement.mixed.fit import fit, loglik_at
from attunement.mixed.fitted import Component, Fit
from attunement.mixed.posterior import Posterior, posterior
from attunement.mixed.prior import HalfNormal, LogNormal, Prior

__all__ = [
    "Component",
    "CrossLagged",
    "Fit",
    "HalfNormal",
    "LogNormal",
    "Moments",
    "Posterior",
    "Prior",
    "cross_lagged",
    "fit",
    "half_panel_jackknife",
    "loglik_at",
    "moments",
    "posterior",
]
