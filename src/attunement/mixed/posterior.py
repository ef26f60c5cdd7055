r"""The posterior of a small practice, without sampling.

Given the variances everything else is Gaussian and exact. The variances are few, so they are integrated numerically
(the idea of Rue et al. 2009, Journal of the Royal Statistical Society B 71:319): their posterior's mode and
curvature are found, points are laid around it by a quasi-random rule with a Student t's heavy tails, once roughly
and once where the first points lay, and each point is weighted by posterior over t.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import ndtr

from attunement.errors import ModelProblem
from attunement.mixed.design import Moments, independent, moments, on_new_rows
from attunement.mixed.fitted import predicted
from attunement.mixed.integrate import Points, integrate
from attunement.mixed.layout import likelihood
from attunement.mixed.many import left_at
from attunement.mixed.parameters import Parameters
from attunement.mixed.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.likelihood import Likelihood
    from attunement.mixed.prior import Prior
    from attunement.mixed.solution import Solution

    Array = NDArray[np.float64]


_NESTED, _CROSSED = 2_048, 256  # values of the variances


@dataclass(frozen=True, slots=True)
class Conditional:
    """Predictions given one value of the variances.

    Parameters
    ----------
    sigma, drift
        The residual's standard deviation, and the variance that a drift adds a session, in squared points.
    mean, covariance
        (k, size) and (k, size, size).
    """

    sigma: float
    drift: float
    mean: Array
    covariance: Array


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is known after the data, the uncertainty of the variances included.

    Parameters
    ----------
    formula, nobs
        What was fitted, to how many rows.
    prior
        What was expected before.
    table
        ``term, mean, sd, low, high``: fixed effects, standard deviations, correlations; 95 % intervals.
    effective
        How many independent draws the weighted points are worth.
    """

    formula: str
    nobs: int
    prior: Prior
    table: pl.DataFrame
    effective: float
    moments: Moments = field(repr=False)
    _model: Likelihood = field(repr=False)
    _given: tuple[tuple[Solution, float], ...] = field(repr=False)
    _spreads: dict[str, Array] = field(repr=False)

    def draws(self, seed: int = 0, each: int = 8) -> pl.DataFrame:
        """Draw fixed effects and variances together, for what is worked out from both, such as shares.

        Parameters
        ----------
        seed
            The same one gives the same draws.
        each
            How often fixed effects are drawn at each value of the variances.

        Returns
        -------
        polars.DataFrame
            `each` rows a value of the variances, all equally likely, with the terms of `table` as its columns.
        """
        random = np.random.default_rng(seed)
        fixed = np.stack(
            [
                random.multivariate_normal(at.beta, at.spread * sigma**2, each, method="cholesky")
                for at, sigma in self._given
            ]
        ).reshape(-1, len(self.moments.names))
        spreads = {name: np.repeat(values, each) for name, values in self._spreads.items()}
        return pl.DataFrame(dict(zip(self.moments.names, fixed.T, strict=True)) | spreads)

    def predict(self, table: Any, level: float = 0.95, *, rating: bool = False) -> pl.DataFrame:  # noqa: ANN401
        """Predict rows: known levels with what is known of them, unknown ones as drawn anew.

        Parameters
        ----------
        table
            The rows.
        level
            Of the intervals.
        rating
            Whether to predict a rating with its noise, or the connection behind it.

        Returns
        -------
        polars.DataFrame
            ``value, sd, low, high`` a row: the mixture over the variances' posterior.
        """
        means, variances = (np.stack(each) for each in zip(*self._each(table, 1), strict=True))
        variances = variances[:, :, 0, 0] + np.array([[sigma**2 * rating] for _, sigma in self._given])
        mean = means[:, :, 0].mean(axis=0)
        sds = np.sqrt(variances)
        tail = (1.0 - level) / 2.0
        spread = np.sqrt((variances + (means[:, :, 0] - mean) ** 2).mean(axis=0))
        return pl.DataFrame(
            {
                "value": mean,
                "sd": spread,
                "low": _mixed_quantile(means[:, :, 0], sds, tail),
                "high": _mixed_quantile(means[:, :, 0], sds, 1.0 - tail),
            }
        )

    def each(self, table: Any, size: int) -> list[Conditional]:  # noqa: ANN401 - any eager frame
        """Predict rows in runs of `size` at each of some values of the variances, all equally likely."""
        drifted = self.moments.formula.drift is not None
        found = []
        for (at, sigma), (mean, covariance) in zip(self._given, self._each(table, size), strict=True):
            drift = float(at.further[-1]) ** 2 * sigma**2 if drifted else 0.0
            found.append(Conditional(sigma, drift, mean, covariance))
        return found

    def joint(self, table: Any, size: int) -> tuple[Array, Array]:  # noqa: ANN401 - any eager frame
        """Predict rows in runs of `size`: means (k, size) and covariances (k, size, size), as `Fit.joint`."""
        means, covariances = (np.stack(each) for each in zip(*self._each(table, size), strict=True))
        mean = means.mean(axis=0)
        off = means - mean
        return mean, covariances.mean(axis=0) + np.einsum("tka,tkb->kab", off, off) / off.shape[0]

    def _each(self, table: Any, size: int) -> list[tuple[Array, Array]]:  # noqa: ANN401
        rows = on_new_rows(self.moments, table)
        return [predicted(self.moments, self._model, at, sigma, rows, size) for at, sigma in self._given]

    def __str__(self) -> str:
        lines = [f"Posterior: {self.formula}", f"{self.nobs:,} rows; worth {self.effective:,.0f} draws"]
        lines += [
            f"  {row['term']:<36} {row['mean']:>6.2f}  ({row['low']:.2f} to {row['high']:.2f})"
            for row in self.table.iter_rows(named=True)
        ]
        return "\n".join([*lines, f"Expected before: {self.prior.source}"] if self.prior.source else lines)


def posterior(
    formula: str,
    frame: Any,  # noqa: ANN401 - any eager frame narwhals knows
    prior: Prior,
    *,
    points: int | None = None,
    mixed: int = 64,
) -> Posterior:
    """Work out the posterior of a hierarchical model of few clients.

    Parameters
    ----------
    formula
        As for `fit`.
    frame
        As for `fit`; one client, or one session each, will do.
    prior
        What is expected before: see `Prior`.
    points
        How many values of the variances are laid out: 2,048 where factors are nested and all are worked on at once,
        256 where they are crossed and each takes its time.
    mixed
        How many of them, drawn evenly through the posterior, predictions are mixed over.

    Raises
    ------
    ModelProblem
        When the formula cannot be read, a column is missing, or the prior lacks a spread.
    """
    held = moments(formula, frame, few=True)
    model = likelihood(held, reml=True)
    parameters = Parameters(held, prior)
    fixed = _Pseudo.of(held, prior)

    def log_posterior(values: Array) -> Array:
        theta, sigma = parameters.theta(values)
        return _log_likelihood(model, theta, sigma, fixed) + parameters.log_prior(values)

    if points is None:
        points = _CROSSED if model.structure.border.width else _NESTED
    found = integrate(log_posterior, parameters.start(), parameters.rough(), points)
    drawn = found.resampled(mixed)
    given = tuple(
        _given(model, theta, float(sigma), fixed)
        for theta, sigma in zip(*parameters.theta(drawn), strict=True)
    )
    return Posterior(
        formula=held.formula.text,
        nobs=held.n,
        prior=prior,
        table=pl.concat([_fixed_table(held, given), _spread_table(parameters, found)]),
        effective=found.effective,
        moments=held,
        _model=model,
        _given=given,
        _spreads=parameters.named(drawn),
    )


@dataclass(frozen=True, slots=True)
class _Pseudo:
    """The fixed effects' prior as pseudo-data on the columns of the sums: precision, and precision times mean."""

    precision: Array
    weighted: Array
    constant: float

    @staticmethod
    def of(held: Moments, prior: Prior) -> _Pseudo:
        unknown = set(prior.fixed) - set(held.names)
        if unknown:
            raise ModelProblem(
                f"The prior names {', '.join(sorted(unknown))}; the fixed columns are {', '.join(held.names)}."
            )
        mean = np.array([prior.fixed.get(name, (0.0, np.inf))[0] for name in held.names])
        precision = np.array([prior.fixed.get(name, (0.0, np.inf))[1] ** -2.0 for name in held.names])
        turned = np.diag(precision)
        kept = independent(np.vstack([_fixed_columns(held), np.sqrt(turned)]))
        if len(kept) < len(held.names):
            lost = ", ".join(name for place, name in enumerate(held.names) if place not in kept)
            raise ModelProblem(
                f"These rows cannot tell {lost} from the other fixed columns; give the prior a mean and a standard "
                "deviation of it."
            )
        return _Pseudo(turned, turned @ mean, float(mean @ turned @ mean))


def _fixed_columns(held: Moments) -> Array:
    if not isinstance(held.cells, Rows):
        raise ModelProblem("A posterior needs the rows themselves; give a frame.")
    return held.cells.columns[:, list(held.fixed)]


def _log_likelihood(model: Likelihood, theta: Array, sigma: Array, fixed: _Pseudo) -> Array:
    """(T,) log-likelihoods, the fixed effects integrated over their prior; a constant is left out."""
    left = left_at(model, theta)
    variance = sigma**2
    square = left.square / variance[:, None, None]
    precision = square[:, :-1, :-1] + fixed.precision
    reach = square[:, :-1, -1] + fixed.weighted
    rounded = ~(np.isfinite(precision).all(axis=(1, 2)) & np.isfinite(reach).all(axis=1))
    precision[rounded] = np.eye(model.p)
    rounded |= np.linalg.eigvalsh(precision)[:, 0] <= 0.0  # so far off that nothing is left but rounding
    precision[rounded] = np.eye(model.p)
    root = np.linalg.cholesky(precision)
    half = np.linalg.solve(root, reach[:, :, None])[:, :, 0]
    logdet = 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    misfit = square[:, -1, -1] + fixed.constant - (half**2).sum(axis=1)
    found = -0.5 * (model.n * np.log(variance) + left.logdet + logdet + misfit)
    return np.where(rounded, -np.inf, found)


def _given(model: Likelihood, theta: Array, sigma: float, fixed: _Pseudo) -> tuple[Solution, float]:
    """Everything given one value of the variances, the fixed effects' prior included."""
    return model.given(theta, sigma**2 * fixed.precision, sigma**2 * fixed.weighted), sigma


def _fixed_table(held: Moments, given: tuple[tuple[Solution, float], ...]) -> pl.DataFrame:
    means = np.stack([at.beta for at, _ in given])
    sds = np.stack([np.sqrt(np.diagonal(at.spread)) * sigma for at, sigma in given])
    mean = means.mean(axis=0)
    return pl.DataFrame(
        {
            "term": list(held.names),
            "mean": mean,
            "sd": np.sqrt((sds**2 + (means - mean) ** 2).mean(axis=0)),
            "low": _mixed_quantile(means, sds, 0.025),
            "high": _mixed_quantile(means, sds, 0.975),
        }
    )


def _spread_table(parameters: Parameters, found: Points) -> pl.DataFrame:
    values = parameters.named(found.values)
    rows = [
        {
            "term": name,
            "mean": float(found.weights @ value),
            "sd": float(np.sqrt(found.weights @ (value - found.weights @ value) ** 2)),
            "low": found.quantile(value, 0.025),
            "high": found.quantile(value, 0.975),
        }
        for name, value in values.items()
    ]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("mean", "sd", "low", "high"), pl.Float64) | {"term": pl.String}
    ).select("term", "mean", "sd", "low", "high")


def _mixed_quantile(means: Array, sds: Array, share: float) -> Array:
    """(n,) quantiles of even mixtures of T normals, (T, n), by bisection."""
    low, high = (means - 12.0 * sds).min(axis=0), (means + 12.0 * sds).max(axis=0)
    for _ in range(50):
        middle = (low + high) / 2.0
        below = ndtr((middle - means) / np.maximum(sds, 1e-12)).mean(axis=0) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2.0)
