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
from scipy.linalg import solve_triangular

from attunement.mixed.design import Design, design, on_new_rows, orthogonal
from attunement.mixed.likelihood import Likelihood, Solution, around_levels, half_inverse, scale_rows
from attunement.mixed.optimise import optimise
from attunement.mixed.predict import joint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]


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
        the formula's terms; a drift's relative standard deviation a session last.
    sigma
        Residual standard deviation, in points.
    drift
        Variance that a drift adds each session, in squared points; 0 without one.
    fixef, se, vcov
        Fixed effects by name, their standard errors and covariance.
    varcorr
        A `Component` a random term, in the order of the formula.
    ranef
        By grouping factor, a table of ``level, term, value, sd``: the conditional modes and the conditional
        standard deviations given the estimated parameters (lme4's ``condVar``).
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
    drift: float
    fixef: dict[str, float]
    se: dict[str, float]
    vcov: Array = field(repr=False)
    varcorr: tuple[Component, ...] = field(repr=False)
    ranef: dict[str, pl.DataFrame] = field(repr=False)
    dropped: tuple[str, ...]
    slope: float
    design: Design = field(repr=False)
    _model: Likelihood = field(repr=False)
    _at: Solution = field(repr=False)
    _turn: Array = field(repr=False)

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

    def joint(self, table: Any, size: int) -> tuple[Array, Array]:  # noqa: ANN401 - any eager frame
        """Predict rows in runs of `size` with their covariance: means (k, size), covariances (k, size, size).

        The rows of a run must share the levels that the fit does not know.
        """
        x, grouped = on_new_rows(self.design, table)
        mean = x @ np.array(list(self.fixef.values()))
        effects, relative = joint(
            self._model, self._at, self._turn, x, [grouped[i] for i in self._model.order], size
        )
        return (mean + effects).reshape(-1, size), relative * self.sigma**2

    def expected_drift(self) -> float:
        """The drift's expectation over the likelihood's curvature, in squared points; 0 without a drift.

        At zero the criterion's mixed derivatives vanish, so its own second derivative is all of the curvature.
        """
        if self._model.walks is None:
            return 0.0
        theta = _to_model(self._model, np.array(self.theta))
        step = np.zeros_like(theta)
        step[-1] = max(0.02, 0.1 * theta[-1])
        bent = self._model.deviance(theta + step) + self._model.deviance(theta - step) - 2 * self._at.deviance
        variance = 2.0 * step[-1] ** 2 / max(bent, 1e-3)
        return float((theta[-1] ** 2 + min(variance, 1.0)) * self.sigma**2)

    def criterion(self, theta: Sequence[float]) -> float:
        """Minus twice the (restricted) log-likelihood at another theta, fixed effects and residual profiled out."""
        constant = -2.0 * self.loglik - self._at.deviance
        return self._model.deviance(_to_model(self._model, np.array(theta, dtype=float))) + constant

    def theta_draws(self, count: int, seed: int) -> list[tuple[Array, ...]]:
        """Draw the relative covariances of the terms from the likelihood's curvature at the optimum.

        Each draw is a (q, q) matrix a term, in the order of `varcorr`, relative to the residual variance.
        Normal in theta and folded at zero, so a variance on the boundary gets an interval too.
        """
        center = np.array(self.theta)
        values, vectors = np.linalg.eigh(self._model.hessian(_to_model(self._model, center)))
        root = vectors * np.sqrt(2.0 / np.maximum(values, 1e-6 * max(values.max(), 1e-300)))
        normal = np.random.default_rng(seed).standard_normal((count, center.size))
        drawn = _to_model(self._model, center) + normal @ root.T
        return [_relative(self._model, theta) for theta in drawn]

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
        if self._model.walks is not None:
            lines.append(_line("drift", "a session", math.sqrt(self.drift), "standard deviation"))
        lines.append(_line("residual", "", self.sigma, "standard deviation"))
        lines += [f"On the boundary: {group} has no variance in some direction." for group in self.singular]
        lines += [f"Left out, as other columns say it already: {name}." for name in self.dropped]
        return "\n".join(lines)


def fit(formula: str, frame: Any, *, reml: bool = True, start: Fit | None = None) -> Fit:  # noqa: ANN401 - any eager frame
    """Fit a Gaussian hierarchical model exactly.

    Parameters
    ----------
    formula
        As in lme4: ``score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist)``.
    frame
        A pandas or polars data frame or an Arrow table; rows with anything missing are left out.
    reml
        Restricted maximum likelihood (for variances), or maximum likelihood (to compare fixed columns).
    start
        A kindred fit, to start the search from: terms of the same group start from its intercepts.

    Raises
    ------
    ModelProblem
        When the formula cannot be read, a column is missing, or the design cannot be fitted.
    """
    laid = design(formula, frame)
    model, turn, plain = _likelihood(laid, reml=reml)
    optimum = optimise(model, None if start is None else _start(model, start))
    at = model.solve(optimum.theta)
    variance = at.rss / model.nu
    beta = solve_triangular(turn, at.outer[-model.p - 1 : -1] + plain)
    vcov = _vcov(model, at, turn) * variance
    constant = 2.0 * np.log(np.abs(np.diagonal(turn))).sum() if reml else 0.0
    components = _components(model, optimum.theta, variance)
    return Fit(
        formula=formula,
        reml=reml,
        nobs=laid.y.size,
        loglik=-(optimum.deviance + constant) / 2.0,
        theta=tuple(_from_model(model, optimum.theta).tolist()),
        sigma=math.sqrt(variance),
        drift=float(optimum.theta[-1] ** 2 * variance) if model.walks is not None else 0.0,
        fixef=dict(zip(laid.names, beta.tolist(), strict=True)),
        se=dict(zip(laid.names, np.sqrt(np.diagonal(vcov)).tolist(), strict=True)),
        vcov=vcov,
        varcorr=components,
        ranef=_ranef(model, at, variance),
        dropped=laid.dropped,
        slope=optimum.slope,
        design=laid,
        _model=model,
        _at=at,
        _turn=turn,
    )


def loglik_at(formula: str, frame: Any, like: Fit) -> float:  # noqa: ANN401 - any eager frame
    """Work out the full (ML) log-likelihood at the variances of a fit with the same random terms.

    One evaluation instead of a search: enough to compare fixed columns, as the variances hardly move with them.
    """
    model, _, _ = _likelihood(design(formula, frame), reml=False)
    return -model.deviance(_to_model(model, np.array(like.theta))) / 2.0


def _likelihood(laid: Design, *, reml: bool) -> tuple[Likelihood, Array, Array]:
    """The criterion on orthonormal columns and the residual of least squares, and what leads back from them."""
    columns, turn = orthogonal(laid.x)
    plain = columns.T @ laid.y
    rest = laid.y - columns @ plain
    return Likelihood(laid.grouped, np.column_stack([columns, rest]), laid.steps, reml=reml), turn, plain


def _line(part: str, name: str, value: float, said: str) -> str:
    return f"  {part:<14} {name:<15} {value:>5.2f}  ({said})"


def _vcov(model: Likelihood, at: Solution, turn: Array) -> Array:
    """Covariance of the fixed effects, relative to the residual variance: the corner of S^-1, turned back."""
    corner = solve_triangular(
        at.root[-model.p :, -model.p :], solve_triangular(turn, np.eye(model.p)).T, lower=True
    )
    return np.asarray(corner.T @ corner)


def _pieces(model: Likelihood, theta: Array) -> list[Array]:
    """Theta cut into the terms' parts, in the model's order (eliminated first)."""
    ends = np.cumsum([q * (q + 1) // 2 for q in model.sizes])
    return np.split(theta, ends)[: len(model.sizes)]


def _from_model(model: Likelihood, theta: Array) -> Array:
    """Theta in the formula's order."""
    pieces = _pieces(model, theta)
    mine = [pieces[model.order.index(term)] for term in range(len(pieces))]
    return np.concatenate([*mine, theta[sum(piece.size for piece in pieces) :]])


def _to_model(model: Likelihood, theta: Array) -> Array:
    """Theta in the model's order, from the formula's."""
    sizes = [model.sizes[model.order.index(term)] for term in range(len(model.sizes))]
    pieces = np.split(theta, np.cumsum([q * (q + 1) // 2 for q in sizes]))
    return np.concatenate([*(pieces[term] for term in model.order), pieces[-1]])


def _relative(model: Likelihood, theta: Array) -> tuple[Array, ...]:
    triangles = model.triangles(theta)
    return tuple(
        triangles[model.order.index(term)] @ triangles[model.order.index(term)].T
        for term in range(len(triangles))
    )


_UNKNOWN = 0.15  # where a search starts in what the kindred fit does not have


def _start(model: Likelihood, kindred: Fit) -> Array:
    known = {component.group: component.sd[0] / kindred.sigma for component in kindred.varcorr}
    pieces = []
    for group, q in zip(model.grouped, model.sizes, strict=True):
        triangle = _UNKNOWN * np.eye(q)
        triangle[0, 0] = max(known.get(group.term.name, 0.0), _UNKNOWN)
        pieces.append(triangle[np.tril_indices(q)])
    walk = [np.array([_UNKNOWN])] if model.walks is not None else []
    return np.concatenate([np.empty(0), *pieces, *walk])


def _components(model: Likelihood, theta: Array, variance: float) -> tuple[Component, ...]:
    found = []
    for term, relative in enumerate(_relative(model, theta)):
        group = model.grouped[model.order.index(term)]
        found.append(Component(group.term.name, group.names, relative * variance, len(group.levels)))
    return tuple(found)


def _ranef(model: Likelihood, at: Solution, variance: float) -> dict[str, pl.DataFrame]:
    half = half_inverse(model, at, at.root.shape[0] - model.p)
    tables: dict[str, list[pl.DataFrame]] = {}
    for term, group in enumerate(model.grouped):
        spread = np.sqrt(np.maximum(_conditional_variance(model, at, half, term), 0.0) * variance)
        for column, name in enumerate(group.names):
            tables.setdefault(group.term.name, []).append(
                pl.DataFrame(
                    {
                        "level": list(group.levels),
                        "term": name,
                        "value": at.effects[term][:, column],
                        "sd": spread[:, column],
                    }
                )
            )
    return {group: pl.concat(parts) for group, parts in tables.items()}


def _conditional_variance(model: Likelihood, at: Solution, half: Array, term: int) -> Array:
    """(m, q) diagonal of Var(b | y) of one term, relative, the fixed effects taken as known."""
    q, count = model.sizes[term], model.counts[term]
    if term == 0:
        blocks = at.pulled @ at.scale[0].T
        full = blocks + blocks @ around_levels(model, at, half) @ blocks
        return np.asarray(np.diagonal(full, axis1=1, axis2=2))
    around = scale_rows(half.T, at.scale[1:], model.counts[1:])
    return np.diagonal(around)[model.strip(term)].reshape(count, q)
