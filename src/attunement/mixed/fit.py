"""The door of the engine: `fit` a formula to a frame, and hold the result in a `Fit`.

>>> import polars as pl
>>> from attunement.mixed import fit
>>> table = pl.DataFrame({
...     "client": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
...     "session": [1, 2, 3, 4] * 3,
...     "score": [5.0, 6.1, 6.4, 7.2, 4.1, 4.9, 5.2, 5.9, 6.2, 6.8, 7.9, 7.9],
... })
>>> found = fit("score ~ log2(session) + (1 | client)", table)
>>> print(found)
Hierarchical model by REML: score ~ log2(session) + (1 | client)
12 rows; log-likelihood -5.4
  fixed          Intercept        5.06  (standard error 0.63)
  fixed          log2(session)    0.94  (standard error 0.08)
  client         Intercept        1.08  (standard deviation, 3 levels)
  residual                        0.21  (standard deviation)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from attunement.errors import ModelProblem
from attunement.mixed.design import Moments, moments
from attunement.mixed.family_fit import Found, fit_family
from attunement.mixed.fitted import Component, Fit, relative, turned
from attunement.mixed.layout import likelihood
from attunement.mixed.optimise import Optimum, optimise
from attunement.mixed.rows import Autocorrelation, Walks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood

    Array = NDArray[np.float64]


def fit(  # noqa: PLR0913 - each is a choice of its own
    formula: str,
    frame: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    reml: bool = True,
    weights: str | None = None,
    strata: str | None = None,
    family: str = "gaussian",
    ceiling: float | None = None,
    start: Fit | None = None,
) -> Fit:
    """Fit a hierarchical model: exactly where the response is Gaussian, else by Laplace's approximation.

    Parameters
    ----------
    formula
        As in lme4: ``score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)``.
    frame
        A pandas or polars data frame or an Arrow table, rows with anything missing being left out; or the
        `Moments` of this formula, from wherever they were summed (`attunement.scale`).
    reml
        Restricted maximum likelihood (for variances), or maximum likelihood (to compare fixed columns).
    weights
        The column of the rows' weights: the residual variance is divided by it, as in lme4.
    strata
        The column of the residual's strata: each has a residual variance of its own (nlme's ``varIdent``).
    family
        ``"gaussian"``; ``"ceiling"`` where ratings pile up at the top of the scale, which `ceiling` is: those
        there count as at least that high; ``"binomial"`` for 0 and 1, ``"ordinal"`` for ordered categories, both
        with the logit link. All but the first by maximum likelihood, as lme4's ``nAGQ = 1``.
    ceiling
        The top of the scale.
    start
        A kindred fit, to start the search from: terms of the same group start from its intercepts.

    Raises
    ------
    ModelProblem
        When the formula cannot be read, a column is missing, or the design cannot be fitted.
    """
    if family != "gaussian":
        if weights is not None or strata is not None:
            raise ModelProblem(f"A {family} response takes no weights and no strata.")
        return _of_family(family, fit_family(formula, frame, family, ceiling))
    held = _moments(formula, frame, weights, strata)
    model = likelihood(held, reml=reml)
    optimum = optimise(model, None if start is None else _start(model, start))
    return _fitted(held, model, optimum)


def _of_family(family: str, found: Found) -> Fit:
    shown = [
        place for place, name in enumerate(found.held.names) if name != "Intercept" or not found.thresholds
    ]
    names = [found.held.names[place] for place in shown]
    vcov = found.vcov[np.ix_(shown, shown)]
    return Fit(
        formula=found.held.formula.text,
        reml=False,
        nobs=found.held.n,
        loglik=found.loglik,
        theta=tuple(found.theta.tolist()),
        sigma=found.sigma,
        strata={},
        drift=0.0,
        ar1=0.0,
        fixef=dict(zip(names, found.fixef[shown].tolist(), strict=True)),
        se=dict(zip(names, np.sqrt(np.diagonal(vcov)).tolist(), strict=True)),
        vcov=vcov,
        varcorr=_components(found.held, found.model, found.theta, found.sigma**2),
        dropped=found.held.dropped,
        slope=found.slope,
        moments=found.held,
        _model=found.model,
        _at=found.at,
        family=family,
        thresholds=found.thresholds,
        threshold_se=found.threshold_se,
        _variances=found.variances,
    )


def _moments(formula: str, frame: Any, weights: str | None, strata: str | None) -> Moments:  # noqa: ANN401
    if not isinstance(frame, Moments):
        return moments(formula, frame, weights=weights, strata=strata)
    if frame.formula.text != formula or weights is not None or strata is not None:
        raise ModelProblem(
            f"These moments are those of {frame.formula.text!r}, with their own weights and strata; "
            "fit them by that formula alone."
        )
    return frame


def _fitted(held: Moments, model: Likelihood, optimum: Optimum) -> Fit:
    at = model.solve(optimum.theta)
    variance = at.rss / model.nu
    back = np.linalg.inv(held.turn)
    beta = back @ (at.beta + held.plain)
    vcov = back @ at.spread @ back.T * variance
    constant = 2.0 * float(np.linalg.slogdet(held.turn)[1]) if model.reml else 0.0
    further = _further(held, optimum.theta)
    sds = np.exp(np.r_[0.0, further["strata"]]) * math.sqrt(variance)
    return Fit(
        formula=held.formula.text,
        reml=model.reml,
        nobs=held.n,
        loglik=-(optimum.deviance + constant) / 2.0,
        theta=tuple(turned(held, model, optimum.theta, back=True).tolist()),
        sigma=math.sqrt(variance),
        strata=dict(zip(held.strata, sds.tolist(), strict=True)) if held.strata else {},
        drift=float((further["drift"] ** 2).sum() * variance),
        ar1=float(further["ar1"].sum()),
        fixef=dict(zip(held.names, beta.tolist(), strict=True)),
        se=dict(zip(held.names, np.sqrt(np.diagonal(vcov)).tolist(), strict=True)),
        vcov=vcov,
        varcorr=_components(held, model, optimum.theta, variance),
        dropped=held.dropped,
        slope=optimum.slope,
        moments=held,
        _model=model,
        _at=at,
    )


def loglik_at(formula: str, frame: Any, like: Fit) -> float:  # noqa: ANN401 - any eager frame
    """Work out the full (ML) log-likelihood at the variances of a fit with the same random terms.

    One evaluation instead of a search: enough to compare fixed columns, as the variances hardly move with them.
    """
    model = likelihood(_moments(formula, frame, None, None), reml=False)
    return -model.deviance(np.array(like.theta)) / 2.0


def _further(held: Moments, theta: Array) -> dict[str, Array]:
    """The further parameters by kind: logs of strata, the drift's sd, phi."""
    found = {"strata": np.empty(0), "drift": np.empty(0), "ar1": np.empty(0)}
    place = theta.size - sum(len(whitening.even) for whitening in held.whitenings)
    for whitening in held.whitenings:
        here = theta[place : place + len(whitening.even)]
        place += here.size
        if isinstance(whitening, Autocorrelation):
            found["ar1"] = np.array([whitening.phi(here)])
        else:
            found["drift" if isinstance(whitening, Walks) else "strata"] = here
    return found


_UNKNOWN = 0.15  # where a search starts in what the kindred fit does not have


def _start(model: Likelihood, kindred: Fit) -> Array:
    known = {component.group: component.sd[0] / kindred.sigma for component in kindred.varcorr}
    pieces = []
    for term in model.terms:
        triangle = _UNKNOWN * np.eye(term.q)
        triangle[0, 0] = max(known.get(term.factor, 0.0), _UNKNOWN)
        pieces.append(triangle[np.tril_indices(term.q)])
    further = [np.array([_UNKNOWN if even else 0.0]) for even in model.even]
    return np.concatenate([np.empty(0), *pieces, *further])


def _components(held: Moments, model: Likelihood, theta: Array, variance: float) -> tuple[Component, ...]:
    found = []
    for term, covariance in zip(held.terms, relative(held, model, theta), strict=True):
        name = term.term.name
        found.append(Component(name, term.names, covariance * variance, held.levels[name].len()))
    return tuple(found)
