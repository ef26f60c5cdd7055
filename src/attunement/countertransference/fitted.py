"""The model of one feeling, however it was fitted: variances integrated over, or estimated where there is much.

Below `MANY` dyads, and wherever clients and pairings are not modelled apart, variances are integrated over from a
prior. A large clinic's crossed model takes minutes that way and says the same: there they are estimated (REML), and
their uncertainty is that of the likelihood's curvature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from attunement.mixed import Fit, Posterior, fit, posterior

if TYPE_CHECKING:
    from attunement.mixed import Prior

MANY: Final = 400
"""Dyads from which a crossed model's variances are estimated."""
_MIXED: Final = 256  # values of the variances that all is mixed over
_DRAWS: Final = 4_000
_SEED: Final = 71
_REACH: Final = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Fitted:
    """One feeling's model, ready to be asked.

    Parameters
    ----------
    model
        As the engine has it.
    draws
        Standard deviations and fixed effects drawn together, a column each, named as in `Posterior.draws`.
    source
        Of the prior, to be shown with what leans on it; empty where there is none.
    """

    model: Fit | Posterior = field(repr=False)
    draws: pl.DataFrame = field(repr=False)
    source: str

    def has(self, term: str) -> bool:
        """Whether the model has that term: ``day``, ``sd therapist: habit``."""
        return term in self.draws.columns

    def middle(self, term: str) -> float:
        """What a term is on average."""
        return float(self.draws[term].to_numpy().mean())

    def variance(self, term: str) -> float:
        """What the square of a standard deviation is on average."""
        return float(np.square(self.draws[term].to_numpy()).mean())

    def predict(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Predict rows: ``value, sd, low, high``, the interval of 95 %."""
        found = self.model.predict(rows)
        if "low" not in found.columns:
            reach = _REACH * pl.col("sd")
            found = found.with_columns(low=pl.col("value") - reach, high=pl.col("value") + reach)
        low, high = pl.min_horizontal("low", "value"), pl.max_horizontal("high", "value")
        return found.with_columns(low=low, high=high)


def fitted(formula: str, rows: pl.DataFrame, prior: Prior, *, crossed: bool) -> Fitted:
    """Fit one feeling's model; `rows` has the columns of the formula, and dyad."""
    if crossed and rows["dyad"].n_unique() >= MANY:
        found = fit(formula, rows)
        return Fitted(found, _drawn(found), "")
    integrated = posterior(formula, rows, prior, mixed=_MIXED)
    return Fitted(integrated, integrated.draws(_SEED), prior.source)


def _drawn(found: Fit) -> pl.DataFrame:
    """Draw an estimated model's terms from the likelihood's curvature; the residual is all but known there."""
    random = np.random.default_rng(_SEED)
    names = [f"sd {each.group}: {each.names[0]}" for each in found.varcorr]
    relative = np.array([[each[0, 0] for each in draw] for draw in found.theta_draws(_DRAWS, _SEED)])
    sds = dict(zip(names, found.sigma * np.sqrt(relative).T, strict=True))
    fixed = {
        name: value + found.se[name] * random.standard_normal(_DRAWS) for name, value in found.fixef.items()
    }
    return pl.DataFrame({**fixed, **sds, "sd residual": np.full(_DRAWS, found.sigma)})
