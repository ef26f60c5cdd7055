"""What a fit is: the result of `fit`, in lme4's words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed import draw, present
from attunement.mixed.ahead import ahead
from attunement.mixed.chart import fit_chart
from attunement.mixed.design import Moments, TermColumns, on_new_rows
from attunement.mixed.effects import effects
from attunement.mixed.optimise import hessian
from attunement.mixed.predict import NewRows, covariance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.drawing import Chart
    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.solution import Solution

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
    family, thresholds, threshold_se
        The response's distribution; where an ordinal one's categories end, and the standard errors of that.
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
    family: str = "gaussian"
    thresholds: dict[str, float] = field(default_factory=dict)
    threshold_se: dict[str, float] = field(default_factory=dict, repr=False)
    _variances: Array | None = field(default=None, repr=False)
    _kept: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def parameters(self) -> int:
        """How many parameters were estimated: fixed, variances, residual."""
        of_residual = int(self.family in {"gaussian", "ceiling"})
        return len(self.fixef) + len(self.theta) + len(self.thresholds) + of_residual

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
            ``value, sd`` a row, on the scale of the linear predictor where the response is not Gaussian (at a
            ceiling, the connection behind it): the sd has the uncertainty of fixed and random effects (given the
            variances), the full variance of levels never seen, and not the residual's nor the drift's.
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

    def modes(self, term: TermColumns) -> Array:
        """(levels, q) the modes of one of `moments`' terms, on its columns as written."""
        place = self.moments.terms.index(term)
        inside = self._model.terms[place]
        return effects(self._model, self._at)[inside.factor][0][:, inside.places] @ np.linalg.inv(term.turn).T

    def tidy(self, level: float = 0.95) -> pl.DataFrame:
        """One row a parameter, with its interval: see `present.tidy`."""
        return present.tidy(self, level)

    def glance(self) -> pl.DataFrame:
        """One row for the whole fit: see `present.glance`."""
        return present.glance(self)

    def augment(self, table: Any, level: float = 0.95) -> pl.DataFrame:  # noqa: ANN401
        """The table with fitted values and residuals: see `present.augment`."""
        return present.augment(self, table, level)

    def confint(self, level: float = 0.95, *, method: str = "curvature") -> pl.DataFrame:
        """Intervals by curvature or profile: see `present.confint`."""
        return present.confint(self, level, method=method)

    def simulate(self, table: Any, count: int = 1, *, seed: int, anew: bool = True) -> pl.DataFrame:  # noqa: ANN401
        """New responses for the rows of a table: see `draw.simulate`."""
        return draw.simulate(self, table, count, seed, anew=anew)

    def ahead(
        self,
        table: Any,  # noqa: ANN401
        *,
        series: str | tuple[str, ...],
        position: str = "session",
    ) -> pl.DataFrame:
        """Each response as expected from the earlier ones of its series: see `ahead.ahead`."""
        return ahead(self, table, series=series, position=position)

    def plot(self, level: float = 0.95) -> Chart:
        """Every estimate with its interval: see `chart.fit_chart`."""
        return fit_chart(self, level)

    def _repr_html_(self) -> str:
        return present.as_html(self)

    def sd_criterion(self, place: int | None, sd: float, near: Array) -> tuple[float, Array]:
        """Minus twice the log-likelihood with one standard deviation (in points) held, all else at its best.

        `place` is a term's, of one column and without further parameters, or None for the residual's; `near` is
        where to start, theta and the log of sigma. Also where it ended.
        """
        model = self._model

        def criterion(values: Array) -> tuple[float, Array]:
            theta, sigma = values[:-1].copy(), math.exp(values[-1]) if place is not None else sd
            if place is not None:
                theta[place] = sd / sigma
            value, slope = model.given_sigma(theta, sigma)
            if place is None:
                slope[-1] = 0.0
            else:
                slope[-1] -= slope[place] * theta[place]
                slope[place] = 0.0
            return value, slope

        return present.profiled_out(criterion, near)

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
        if self.family != "gaussian":
            raise ModelProblem(
                f"The criterion at another theta is worked out for Gaussian responses, not {self.family}."
            )
        constant = -2.0 * self.loglik - self._at.deviance
        return self._model.deviance(self._inside(theta)) + constant

    def theta_draws(self, count: int, seed: int) -> list[tuple[Array, ...]]:
        """Draw the relative covariances of the terms from the likelihood's curvature at the optimum.

        Each draw is a (q, q) matrix a term, in the order of `varcorr`, relative to the residual variance.
        Normal in theta and folded at zero, so a variance on the boundary gets an interval too.
        """
        if self._variances is not None:
            return self._family_draws(self._variances, count, seed)
        center = self._inside(self.theta)
        values, vectors = np.linalg.eigh(hessian(self._model, center))
        root = vectors * np.sqrt(2.0 / np.maximum(values, 1e-6 * max(values.max(), 1e-300)))
        normal = np.random.default_rng(seed).standard_normal((count, center.size))
        return [relative(self.moments, self._model, theta) for theta in center + normal @ root.T]

    def _family_draws(self, variances: Array, count: int, seed: int) -> list[tuple[Array, ...]]:
        """The same where theta was found in absolute units, and sigma with it."""
        absolute = np.array(self.theta) * self.sigma
        center = np.append(absolute, math.log(self.sigma)) if self.family == "ceiling" else absolute
        values, vectors = np.linalg.eigh(variances)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        drawn = center + np.random.default_rng(seed).standard_normal((count, center.size)) @ root.T
        sigma = np.exp(drawn[:, -1]) if self.family == "ceiling" else np.ones(count)
        thetas = drawn[:, : absolute.size] / sigma[:, None]
        return [relative(self.moments, self._model, theta) for theta in thetas]

    def _inside(self, theta: Sequence[float]) -> Array:
        """Theta on the columns of the sums."""
        return turned(self.moments, self._model, np.array(theta, dtype=float), back=False)

    def __str__(self) -> str:
        how = "REML" if self.reml else "ML"
        what = "Hierarchical model" if self.family == "gaussian" else f"Hierarchical {self.family} model"
        lines = [
            f"{what} by {how}: {self.formula}",
            f"{self.nobs:,} rows; log-likelihood {self.loglik:.1f}",
        ]
        for name, value in self.fixef.items():
            lines.append(_line("fixed", name, value, f"standard error {self.se[name]:.2f}"))
        for name, value in self.thresholds.items():
            lines.append(_line("threshold", name, value, f"standard error {self.threshold_se[name]:.2f}"))
        for component in self.varcorr:
            for name, sd in zip(component.names, component.sd, strict=True):
                said = f"standard deviation, {component.levels:,} levels"
                lines.append(_line(component.group, name, float(sd), said))
        if self.moments.formula.drift is not None:
            lines.append(_line("drift", "a session", math.sqrt(self.drift), "standard deviation"))
        if self.moments.formula.autocorrelation is not None:
            lines.append(_line("ar1", "one apart", self.ar1, "correlation of residuals"))
        residual = {"": self.sigma} if self.family in {"gaussian", "ceiling"} else {}
        for name, sd in (self.strata or residual).items():
            lines.append(_line("residual", name, sd, "standard deviation"))
        lines += [f"On the boundary: {group} has no variance in some direction." for group in self.singular]
        lines += [f"Left out, as other columns say it already: {name}." for name in self.dropped]
        return "\n".join(lines)


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


def _line(part: str, name: str, value: float, said: str) -> str:
    return f"  {part:<14} {name:<15} {value:>5.2f}  ({said})"


def relative(held: Moments, model: Likelihood, theta: Array) -> tuple[Array, ...]:
    """The terms' relative covariances, on the columns as written."""
    found = []
    for term, triangle in zip(held.terms, model.triangles(theta), strict=True):
        root = np.linalg.solve(term.turn, triangle)
        found.append(root @ root.T)
    return tuple(found)


def turned(held: Moments, model: Likelihood, theta: Array, *, back: bool) -> Array:
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


def _ranef(found: Fit) -> dict[str, pl.DataFrame]:
    model, variance = found._model, found.sigma**2  # noqa: SLF001 - its own
    by_factor = effects(model, found._at)  # noqa: SLF001 - its own
    tables: dict[str, list[pl.DataFrame]] = {}
    names = {factor: levels.cast(pl.String) for factor, levels in found.moments.levels.items()}
    for held, term in zip(found.moments.terms, model.terms, strict=True):
        back = np.linalg.inv(held.turn)
        modes, spreads = by_factor[term.factor]
        values = modes[:, term.places] @ back.T
        covariances = spreads[:, term.places, term.places]
        for column, name in enumerate(held.names):
            tables.setdefault(term.factor, []).append(
                pl.DataFrame(
                    {
                        "level": names[term.factor],
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
