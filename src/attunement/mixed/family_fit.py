"""Fit a response that is not Gaussian: the search of `Laplace`, and what a `Fit` is made of at its optimum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from attunement.errors import ModelProblem
from attunement.mixed.design import moments
from attunement.mixed.families import Binomial, Ceiling, Ordinal
from attunement.mixed.laplace import Laplace
from attunement.mixed.layout import likelihood
from attunement.mixed.optimise import climb_down, hessian
from attunement.mixed.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.design import Moments
    from attunement.mixed.families import Family
    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.solution import Solution

    Array = NDArray[np.float64]

FAMILIES = ("gaussian", "ceiling", "binomial", "ordinal")
_SIZES = (0.3, 1.0)  # of the standard deviations to start from


@dataclass(frozen=True, slots=True)
class Found:
    """The optimum.

    Parameters
    ----------
    held, model, at
        Moments, likelihood and solution of the working Gaussian model at the modes, relative to sigma.
    loglik, slope
        Laplace's log-likelihood, and the largest slope left.
    theta, sigma
        Relative to sigma, which is 1 where the family has none.
    fixef, vcov
        (p,) and (p, p), of all fixed columns; zero for an intercept that the thresholds stand for.
    thresholds, threshold_se
        Of an ordinal response.
    variances
        (k, k) covariance of the absolute theta and the log of sigma, from the joint curvature.
    """

    held: Moments
    model: Likelihood
    at: Solution
    loglik: float
    slope: float
    theta: Array
    sigma: float
    fixef: Array
    vcov: Array
    thresholds: dict[str, float]
    threshold_se: dict[str, float]
    variances: Array


def fit_family(formula: str, frame: Any, family: str, top: float | None) -> Found:  # noqa: ANN401
    """Fit by maximum likelihood.

    Raises
    ------
    ModelProblem
        For an unknown family, a response that it does not take, or a term that only Gaussian responses have.
    """
    held = moments(formula, frame)
    if held.whitenings:
        raise ModelProblem(f"A {family} response takes no drift and no ar1; {formula!r} has one.")
    rows = held.cells
    if not isinstance(rows, Rows):
        raise ModelProblem(f"A {family} response needs the rows themselves; give a frame.")
    y = rows.columns[:, list(held.fixed)] @ held.plain + rows.columns[:, held.response]
    distribution = _family(family, _exact(y), top)
    if not distribution.intercept and (not held.names or held.names[0] != "Intercept"):
        raise ModelProblem(
            "An ordinal response keeps its intercept in the formula; the thresholds stand for it."
        )
    model = likelihood(replace(held, fixed=()), reml=False)
    scale = np.sqrt(held.n)
    x = rows.columns[:, list(held.fixed)] * scale
    search = Laplace(model, rows, distribution, x if distribution.intercept else x[:, 1:], rows.columns)
    starts = [_start(search, held, distribution, size) for size in _SIZES]
    values, deviance, slope = climb_down(search, starts)
    return _found(search, held, values, deviance, slope)


def _family(name: str, y: Array, top: float | None) -> Family:
    if name == "binomial":
        return Binomial(y)
    if name == "ordinal":
        return Ordinal(y)
    if name != "ceiling":
        raise ModelProblem(f"There is no family {name!r}; there are {', '.join(FAMILIES)}.")
    if top is None:
        raise ModelProblem("family='ceiling' needs the top of the scale: ceiling=10, say.")
    return Ceiling(y, top)


def _exact(y: Array) -> Array:
    """The response without the rounding of having been split and put together again."""
    return np.round(y, 9)


def _start(search: Laplace, held: Moments, distribution: Family, size: float) -> Array:
    own = distribution.start()
    unit = float(np.exp(own[0])) if isinstance(distribution, Ceiling) else 1.0
    beta = np.zeros(search.x.shape[1])
    if isinstance(distribution, Ceiling):
        beta = held.plain / np.sqrt(held.n)
    return np.concatenate([search.model.start(size * unit), beta, own])


def _found(search: Laplace, held: Moments, values: Array, deviance: float, slope: float) -> Found:
    theta, beta, own = search.split(values)
    covariance = np.asarray(np.linalg.pinv(hessian(search, values) / 2.0, hermitian=True), dtype=np.float64)
    sigma = float(np.exp(own[0])) if isinstance(search.family, Ceiling) else 1.0
    k, p = theta.size, beta.size
    back = np.linalg.inv(held.turn) * np.sqrt(held.n)
    if not search.family.intercept:
        back = back[:, 1:]
    fixef = back @ beta
    vcov = back @ covariance[k : k + p, k : k + p] @ back.T
    if not (np.diagonal(vcov) >= 0.0).all():
        raise ModelProblem("The likelihood has no single peak; a column may tell the response perfectly.")
    thresholds: dict[str, float] = {}
    errors: dict[str, float] = {}
    if isinstance(search.family, Ordinal):
        thresholds, errors = _thresholds(search.family, own, covariance[k:, k:], back, fixef[0])
        fixef[0], vcov[0], vcov[:, 0] = 0.0, 0.0, 0.0
    inside = [*range(k), *([k + p] if isinstance(search.family, Ceiling) else [])]
    working, model, at = _working(search, held, values, sigma)
    turned = held.turn @ vcov @ held.turn.T / sigma**2
    return Found(
        held=working,
        model=model,
        at=replace(at, beta=held.turn @ fixef, spread=turned),
        loglik=-deviance / 2.0,
        slope=slope,
        theta=theta / sigma,
        sigma=sigma,
        fixef=fixef,
        vcov=vcov,
        thresholds=thresholds,
        threshold_se=errors,
        variances=covariance[np.ix_(inside, inside)],
    )


def _thresholds(
    family: Ordinal, own: Array, covariance: Array, back: Array, shift: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Thresholds of the fixed columns as written, and their standard errors."""
    p = back.shape[1]
    slopes = np.tril(np.ones((own.size, own.size))) * np.r_[1.0, np.exp(own[1:])]
    turn = np.hstack([-np.tile(back[0], (own.size, 1)), slopes])
    spread = np.sqrt(np.diagonal(turn @ covariance[: p + own.size, : p + own.size] @ turn.T))
    names = [f"{low:g}|{high:g}" for low, high in zip(family.categories, family.categories[1:], strict=False)]
    values = family.thresholds(own) - shift
    return dict(zip(names, values.tolist(), strict=True)), dict(zip(names, spread.tolist(), strict=True))


def _working(
    search: Laplace, held: Moments, values: Array, sigma: float
) -> tuple[Moments, Likelihood, Solution]:
    """The Gaussian model that has the same modes and curvature, its weights relative to sigma."""
    theta, beta, own = search.split(values)
    found = search.modes(theta, beta, own)
    root = np.sqrt(found.along.weight) * sigma
    columns = search.rows.columns * root[:, None]
    offset = 0.0
    if not search.family.intercept:  # what the thresholds took over comes back with the intercept's column
        shift = (np.linalg.inv(held.turn)[:, 1:] @ beta * np.sqrt(held.n))[0]
        offset = -shift
    columns[:, held.response] = (found.eta + offset + found.along.slope / found.along.weight) * root
    working = replace(held, cells=search.rows.with_columns(columns), plain=np.zeros(len(held.names)))
    model = likelihood(working, reml=False)
    return working, model, model.solve(theta / sigma)
