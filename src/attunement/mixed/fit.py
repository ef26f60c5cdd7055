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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed.design import Moments, moments, on_new_rows
from attunement.mixed.effects import effects
from attunement.mixed.likelihood import Likelihood, Solution, Term
from attunement.mixed.optimise import Optimum, optimise
from attunement.mixed.predict import NewRows, covariance
from attunement.mixed.rows import Autocorrelation, Walks
from attunement.mixed.tiers import Structure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Component:
    """The covariance of one random term.

    Parameters
    ----------
    group
        Its grouping factor.
    names
        Its q columns.
    covariance
        (q, q), in squared points.
    levels
        How many levels the factor has.
    """

    group: str
    names: tuple[str, ...]
    covariance: Array
    levels: int

    @property
    def sd(self) -> Array:
        """(q,) standard deviations."""
        return np.sqrt(np.diagonal(self.covariance))

    @property
    def singular(self) -> bool:
        """Whether the fit lies on the boundary: no variance in some direction."""
        values = np.linalg.eigvalsh(self.covariance)
        return bool(values[0] <= 1e-8 * max(values[-1], 1e-300))


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted hierarchical model. Nothing in it changes; the words are lme4's.

    Parameters
    ----------
    formula, reml, nobs
        What was fitted, how, and to how many rows (rows with anything missing are left out).
    loglik
        The restricted (REML) or full (ML) log-likelihood.
    theta
        lme4's parameters: the lower triangles of the relative covariances' roots, row by row, in the order of
        the formula's terms; then the logs of the strata's relative standard deviations, a drift's relative
        standard deviation a session, and the inverse hyperbolic tangent of ar1's phi, where there are any.
    sigma
        Residual standard deviation, in points; with strata, that of the first.
    strata
        Residual standard deviation by stratum, in points; empty without strata.
    drift
        Variance that a drift adds each session, in squared points; 0 without one.
    ar1
        Correlation of residuals one position apart; 0 without the term.
    fixef, se, vcov
        Fixed effects by name, their standard errors and covariance.
    varcorr
        A `Component` a random term, in the order of the formula.
    dropped
        Fixed columns left out because others already say the same.
    slope
        The largest slope of the criterion left at the optimum; near zero when it converged.
    """

    formula: str
    reml: bool
    nobs: int
    loglik: float
    theta: tuple[float, ...]
    sigma: float
    strata: dict[str, float]
    drift: float
    ar1: float
    fixef: dict[str, float]
    se: dict[str, float]
    vcov: Array = field(repr=False)
    varcorr: tuple[Component, ...] = field(repr=False)
    dropped: tuple[str, ...]
    slope: float
    moments: Moments = field(repr=False)
    _model: Likelihood = field(repr=False)
    _at: Solution = field(repr=False)
    _kept: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def parameters(self) -> int:
        """How many parameters were estimated: fixed, variances, residual."""
        return len(self.fixef) + len(self.theta) + 1

    @property
    def aic(self) -> float:
        """Akaike's criterion; comparable between REML fits only with equal fixed columns."""
        return 2.0 * self.parameters - 2.0 * self.loglik

    @property
    def bic(self) -> float:
        """Schwarz's criterion, on rows, as lme4 has it."""
        return math.log(self.nobs) * self.parameters - 2.0 * self.loglik

    @property
    def singular(self) -> tuple[str, ...]:
        """The grouping factors whose term lies on the boundary: kept, and named."""
        return tuple(component.group for component in self.varcorr if component.singular)

    def predict(self, table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
        """Predict the mean of rows, known levels with their modes, unknown ones as drawn anew.

        Returns
        -------
        polars.DataFrame
            ``value, sd`` a row: the sd has the uncertainty of fixed and random effects (given the variances),
            the full variance of levels never seen, and not the residual's nor the drift's.
        """
        mean, covariance = self.joint(table, 1)
        return pl.DataFrame({"value": mean[:, 0], "sd": np.sqrt(covariance[:, 0, 0])})

    @property
    def ranef(self) -> dict[str, pl.DataFrame]:
        """The random effects, by grouping factor: a table of ``level, term, value, sd``.

        These are the conditional modes, and the conditional standard deviations given the estimated parameters
        (lme4's ``condVar``). They are worked out when first asked for.
        """
        if not self._kept:
            self._kept.update(_ranef(self))
        return self._kept

    def joint(self, table: Any, size: int) -> tuple[Array, Array]:  # noqa: ANN401 - any eager frame
        """Predict rows in runs of `size` with their covariance: means (k, size), covariances (k, size, size).

        The rows of a run must share the levels that the fit does not know.
        """
        rows = on_new_rows(self.moments, table)
        return predicted(self.moments, self._model, self._at, self.sigma, rows, size)

    def expected_drift(self) -> float:
        """The drift's expectation over the likelihood's curvature, in squared points; 0 without a drift.

        At zero the criterion's mixed derivatives vanish, so its own second derivative is all of the curvature.
        """
        if self.moments.formula.drift is None:
            return 0.0
        theta = self._inside(self.theta)
        step = np.zeros_like(theta)
        step[-1] = max(0.02, 0.1 * theta[-1])
        bent = self._model.deviance(theta + step) + self._model.deviance(theta - step) - 2 * self._at.deviance
        variance = 2.0 * step[-1] ** 2 / max(bent, 1e-3)
        return float((theta[-1] ** 2 + min(variance, 1.0)) * self.sigma**2)

    def criterion(self, theta: Sequence[float]) -> float:
        """Minus twice the (restricted) log-likelihood at another theta, fixed effects and residual profiled out."""
        constant = -2.0 * self.loglik - self._at.deviance
        return self._model.deviance(self._inside(theta)) + constant

    def theta_draws(self, count: int, seed: int) -> list[tuple[Array, ...]]:
        """Draw the relative covariances of the terms from the likelihood's curvature at the optimum.

        Each draw is a (q, q) matrix a term, in the order of `varcorr`, relative to the residual variance.
        Normal in theta and folded at zero, so a variance on the boundary gets an interval too.
        """
        center = self._inside(self.theta)
        values, vectors = np.linalg.eigh(self._model.hessian(center))
        root = vectors * np.sqrt(2.0 / np.maximum(values, 1e-6 * max(values.max(), 1e-300)))
        normal = np.random.default_rng(seed).standard_normal((count, center.size))
        return [_relative(self.moments, self._model, theta) for theta in center + normal @ root.T]

    def _inside(self, theta: Sequence[float]) -> Array:
        """Theta on the columns of the sums."""
        return _turned(self.moments, self._model, np.array(theta, dtype=float), back=False)

    def __str__(self) -> str:
        how = "REML" if self.reml else "ML"
        lines = [
            f"Hierarchical model by {how}: {self.formula}",
            f"{self.nobs:,} rows; log-likelihood {self.loglik:.1f}",
        ]
        for name, value in self.fixef.items():
            lines.append(_line("fixed", name, value, f"standard error {self.se[name]:.2f}"))
        for component in self.varcorr:
            for name, sd in zip(component.names, component.sd, strict=True):
                said = f"standard deviation, {component.levels:,} levels"
                lines.append(_line(component.group, name, float(sd), said))
        if self.moments.formula.drift is not None:
            lines.append(_line("drift", "a session", math.sqrt(self.drift), "standard deviation"))
        if self.moments.formula.autocorrelation is not None:
            lines.append(_line("ar1", "one apart", self.ar1, "correlation of residuals"))
        for name, sd in (self.strata or {"": self.sigma}).items():
            lines.append(_line("residual", name, sd, "standard deviation"))
        lines += [f"On the boundary: {group} has no variance in some direction." for group in self.singular]
        lines += [f"Left out, as other columns say it already: {name}." for name in self.dropped]
        return "\n".join(lines)


def fit(
    formula: str,
    frame: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    reml: bool = True,
    weights: str | None = None,
    strata: str | None = None,
    start: Fit | None = None,
) -> Fit:
    """Fit a Gaussian hierarchical model exactly.

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
    start
        A kindred fit, to start the search from: terms of the same group start from its intercepts.

    Raises
    ------
    ModelProblem
        When the formula cannot be read, a column is missing, or the design cannot be fitted.
    """
    held = _moments(formula, frame, weights, strata)
    model = likelihood(held, reml=reml)
    optimum = optimise(model, None if start is None else _start(model, start))
    return _fitted(held, model, optimum)


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
        theta=tuple(_turned(held, model, optimum.theta, back=True).tolist()),
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


def predicted(
    held: Moments,
    model: Likelihood,
    at: Solution,
    sigma: float,
    rows: tuple[Array, Array, dict[str, Codes]],
    size: int,
) -> tuple[Array, Array]:
    """Predict `on_new_rows` in runs of `size` at a solution: see `Fit.joint`."""
    x, columns, codes = rows
    mean = x @ np.linalg.solve(held.turn, at.beta + held.plain)
    found = effects(model, at)
    for written, term in zip(held.terms, model.terms, strict=True):
        modes = found[term.factor][0][codes[term.factor], term.places]
        mean += (columns[:, list(written.places)] * modes).sum(axis=1) * (codes[term.factor] >= 0)
    relative = covariance(model, at, NewRows(columns, codes, size))
    return mean.reshape(-1, size), relative * sigma**2


def loglik_at(formula: str, frame: Any, like: Fit) -> float:  # noqa: ANN401 - any eager frame
    """Work out the full (ML) log-likelihood at the variances of a fit with the same random terms.

    One evaluation instead of a search: enough to compare fixed columns, as the variances hardly move with them.
    """
    model = likelihood(_moments(formula, frame, None, None), reml=False)
    return -model.deviance(np.array(like.theta)) / 2.0


def likelihood(held: Moments, *, reml: bool) -> Likelihood:
    """Lay out the criterion of a formula on its data."""
    places: dict[str, tuple[int, ...]] = {}
    terms = []
    for term in held.terms:
        before = places.get(term.term.name, ())
        places[term.term.name] = before + term.places
        terms.append(Term(term.term.name, slice(len(before), len(before) + len(term.places))))
    even = tuple(even for whitening in held.whitenings for even in whitening.even)
    cells = held.cells(np.zeros(len(even)))
    structure = Structure(cells.codes, cells.counts, places, held.m)
    return Likelihood(structure, held.cells, tuple(terms), held.fixed, held.response, even, reml=reml)


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


def _line(part: str, name: str, value: float, said: str) -> str:
    return f"  {part:<14} {name:<15} {value:>5.2f}  ({said})"


def _relative(held: Moments, model: Likelihood, theta: Array) -> tuple[Array, ...]:
    """The terms' relative covariances, on the columns as written."""
    found = []
    for term, triangle in zip(held.terms, model.triangles(theta), strict=True):
        root = np.linalg.solve(term.turn, triangle)
        found.append(root @ root.T)
    return tuple(found)


def _turned(held: Moments, model: Likelihood, theta: Array, *, back: bool) -> Array:
    """Theta from the columns as written to those of the sums, or back; the roots stay lower triangles."""
    pieces = [np.empty(0)]
    for term, triangle in zip(held.terms, model.triangles(theta), strict=True):
        root = np.linalg.solve(term.turn, triangle) if back else term.turn @ triangle
        lower = np.asarray(np.linalg.qr(root.T, mode="r")).T
        lower = lower * np.where(np.diagonal(lower) < 0, -1.0, 1.0)
        pieces.append(
            (lower if np.any(np.triu(term.turn, 1)) else triangle)[np.tril_indices(triangle.shape[0])]
        )
    return np.concatenate([*pieces, theta[theta.size - len(model.even) :]])


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
    for term, relative in zip(held.terms, _relative(held, model, theta), strict=True):
        name = term.term.name
        found.append(Component(name, term.names, relative * variance, held.levels[name].len()))
    return tuple(found)


def _ranef(found: Fit) -> dict[str, pl.DataFrame]:
    model, variance = found._model, found.sigma**2  # noqa: SLF001 - its own
    by_factor = effects(model, found._at)  # noqa: SLF001 - its own
    tables: dict[str, list[pl.DataFrame]] = {}
    for held, term in zip(found.moments.terms, model.terms, strict=True):
        back = np.linalg.inv(held.turn)
        modes, spreads = by_factor[term.factor]
        values = modes[:, term.places] @ back.T
        covariances = spreads[:, term.places, term.places]
        for column, name in enumerate(held.names):
            tables.setdefault(term.factor, []).append(
                pl.DataFrame(
                    {
                        "level": found.moments.levels[term.factor].cast(pl.String),
                        "term": pl.Series([name]).new_from_index(0, values.shape[0]),
                        "value": np.ascontiguousarray(values[:, column]),
                        "sd": np.sqrt(np.maximum(_along(back[column], covariances), 0.0) * variance),
                    }
                )
            )
    return {group: pl.concat(parts) for group, parts in tables.items()}


def _along(direction: Array, covariances: Array) -> Array:
    """(levels,) the variance in one direction of (levels, q, q) covariances."""
    found = np.zeros(covariances.shape[0])
    for i, j in zip(*np.nonzero(np.outer(direction, direction)), strict=True):
        found += direction[i] * direction[j] * covariances[:, i, j]
    return found
