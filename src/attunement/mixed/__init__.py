"""The engine: a formula on grouped data, fitted exactly.

Every statistical question here is a hierarchical model: sessions in clients in therapists. `fit` takes lme4's
formulas and returns a `Fit` in lme4's words.
"""

from attunement.mixed.fit import Component, Fit, fit, loglik_at

__all__ = ["Component", "Fit", "fit", "loglik_at"]
