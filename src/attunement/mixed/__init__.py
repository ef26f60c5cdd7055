"""The engine: a formula on grouped data, fitted exactly from sums.

Every statistical question here is a hierarchical model: sessions in clients in therapists. `fit` takes lme4's
formulas and returns a `Fit` in lme4's words; `posterior` does the same for a few clients, with a `Prior`.
"""

from attunement.mixed.design import Moments, moments
from attunement.mixed.fit import fit, loglik_at
from attunement.mixed.fitted import Component, Fit
from attunement.mixed.posterior import Posterior, posterior
from attunement.mixed.prior import HalfNormal, LogNormal, Prior

__all__ = [
    "Component",
    "Fit",
    "HalfNormal",
    "LogNormal",
    "Moments",
    "Posterior",
    "Prior",
    "fit",
    "loglik_at",
    "moments",
    "posterior",
]
