"""A fit as tables and as a page: broom's three verbs, intervals, and what a notebook shows.

Every estimate has an interval. Those of standard deviations and correlations come from the likelihood's curvature,
as draws of lme4's theta folded at zero, or from the profile where one asks for it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.optimize import brentq, minimize
from scipy.special import ndtri

from attunement.errors import ModelProblem
from attunement.mixed.design import as_polars

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.mixed.fitted import Fit

    Array = NDArray[np.float64]

_DRAWS, _SEED = 4_000, 20
_FAR = 30.0  # standard errors within which a profile's end must lie


def tidy(found: Fit, level: float = 0.95) -> pl.DataFrame:
    """One row a parameter: ``part, group, term, estimate, std_error, low, high``.

    `part` is fixed, threshold, sd, correlation or residual; standard deviations are in points. Fixed effects have
    normal intervals; those of variances hold the same share of draws from the likelihood's curvature.
    """
    tail = (1.0 - level) / 2.0
    z = float(ndtri(1.0 - tail))
    rows: list[dict[str, Any]] = []
    for part, values, errors in (
        ("fixed", found.fixef, found.se),
        ("threshold", found.thresholds, found.threshold_se),
    ):
        for name, value in values.items():
            half = z * errors[name]
            rows.append(_row(part, "", name, value, errors[name], value - half, value + half))
    rows += _of_variances(found, tail)
    texts: dict[str, Any] = dict.fromkeys(("part", "group", "term"), pl.String)
    numbers: dict[str, Any] = dict.fromkeys(("estimate", "std_error", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema=texts | numbers)


def _row(part: str, group: str, term: str, *numbers: float | None) -> dict[str, Any]:
    keys = ("part", "group", "term", "estimate", "std_error", "low", "high")
    return dict(zip(keys, (part, group, term, *numbers), strict=True))


def _of_variances(found: Fit, tail: float) -> list[dict[str, Any]]:
    draws = found.theta_draws(_DRAWS, _SEED) if found.theta else []
    rows = []
    for place, component in enumerate(found.varcorr):
        drawn = np.array([draw[place] for draw in draws]) * found.sigma**2
        for i, name in enumerate(component.names):
            of_sd = np.sqrt(np.maximum(drawn[:, i, i], 0.0))
            rows.append(_drawn_row("sd", component.group, name, float(component.sd[i]), of_sd, tail))
        for i, name in enumerate(component.names):
            for j in range(i):
                sds = np.sqrt(np.maximum(drawn[:, i, i] * drawn[:, j, j], 1e-300))
                of_tie = np.clip(drawn[:, i, j] / sds, -1.0, 1.0)
                product = component.sd[i] * component.sd[j]
                tie = float(component.covariance[i, j] / product) if product > 0 else 0.0
                term = f"{component.names[j]}, {name}"
                rows.append(_drawn_row("correlation", component.group, term, tie, of_tie, tail))
    if found.family in {"gaussian", "ceiling"}:
        spread = found.sigma / np.sqrt(2.0 * max(found.nobs - len(found.fixef), 1))
        half = float(ndtri(1.0 - tail)) * spread / found.sigma
        ends = (found.sigma * float(np.exp(-half)), found.sigma * float(np.exp(half)))
        rows.append(_row("residual", "", "sd", found.sigma, spread, *ends))
    return rows


def _drawn_row(part: str, group: str, term: str, value: float, drawn: Array, tail: float) -> dict[str, Any]:
    low, high = np.quantile(drawn, (tail, 1.0 - tail))
    return _row(part, group, term, value, float(drawn.std()), min(float(low), value), max(float(high), value))


def glance(found: Fit) -> pl.DataFrame:
    """One row for the whole fit: ``nobs, groups, loglik, aic, bic, sigma, family, reml, singular``."""
    groups = {component.group: component.levels for component in found.varcorr}
    return pl.DataFrame(
        {
            "nobs": [found.nobs],
            "groups": [", ".join(f"{levels:,} {group}" for group, levels in groups.items())],
            "loglik": [found.loglik],
            "aic": [found.aic],
            "bic": [found.bic],
            "sigma": [found.sigma],
            "family": [found.family],
            "reml": [found.reml],
            "singular": [", ".join(found.singular)],
        }
    )


def augment(found: Fit, table: Any, level: float = 0.95) -> pl.DataFrame:  # noqa: ANN401 - any eager frame
    """The table with ``fitted, sd, low, high, residual`` beside its rows; nothing where they lack a column.

    `fitted` is the connection behind the rating, with the interval of that, not of a rating.
    """
    frame = as_polars(table).with_row_index("_row")
    formula = found.moments.formula
    whole = frame.drop_nulls([name for name in found.moments.needed if name in frame.columns])
    z = float(ndtri(0.5 + level / 2.0))
    told = whole.select("_row").hstack(found.predict(whole)).rename({"value": "fitted"})
    told = told.with_columns(
        low=pl.col("fitted") - z * pl.col("sd"), high=pl.col("fitted") + z * pl.col("sd")
    )
    told = told.select("_row", "fitted", "sd", "low", "high")
    joined = frame.join(told, on="_row", how="left", maintain_order="left").drop("_row")
    if formula.response not in frame.columns:
        return joined
    return joined.with_columns(residual=pl.col(formula.response) - pl.col("fitted"))


def confint(found: Fit, level: float = 0.95, *, method: str = "curvature") -> pl.DataFrame:
    """Intervals of all parameters: by curvature (as `tidy`), or of the standard deviations by profile.

    The profile is lme4's: the interval holds every value that the criterion, minimised over all else, does not
    raise by more than the chi-squared quantile. It is of terms with one column each, and of the ML criterion
    where the fit is by ML.

    Raises
    ------
    ModelProblem
        For a method that there is not, or a profile of what has none.
    """
    if method == "curvature":
        return tidy(found, level).select("part", "group", "term", "estimate", "low", "high")
    if method != "profile":
        raise ModelProblem(f"There is no method {method!r}; there are curvature and profile.")
    if found.family != "gaussian" or any(len(component.names) > 1 for component in found.varcorr):
        raise ModelProblem(
            "A profile is worked out for Gaussian responses and terms of one column; use curvature."
        )
    rise = float(ndtri(0.5 + level / 2.0)) ** 2
    terms = [(place, component.group, component.names[0]) for place, component in enumerate(found.varcorr)]
    return pl.DataFrame([_profiled(found, *term, rise) for term in [*terms, (None, "", "sd")]])


def _profiled(found: Fit, place: int | None, group: str, term: str, rise: float) -> dict[str, Any]:
    """The interval of one standard deviation: where the profiled criterion is `rise` above its least."""
    value = found.sigma if place is None else float(found.varcorr[place].sd[0])
    near = np.append(found.theta, np.log(found.sigma))
    best = found.sd_criterion(place, value, near)[0]

    def above(sd: float) -> float:
        return found.sd_criterion(place, sd, near)[0] - best - rise

    step = max(value, 0.1 * found.sigma)
    low = _inner(above, value, value if place is None else 0.0)
    high = value + step
    while above(high) < 0 and high < value + _FAR * step:
        high += step
    numbers = {"estimate": value, "low": low, "high": _root(above, value, high)}
    return {"part": "residual" if place is None else "sd", "group": group, "term": term} | numbers


def _inner(above: Callable[[float], float], value: float, least: float) -> float:
    """The lower end: zero where even that is not too far."""
    if least == 0.0 and above(0.0) <= 0:
        return 0.0
    low = least / 2.0
    while least > 0.0 and above(low) < 0:
        low /= 2.0
    return _root(above, low, value)


def _root(above: Callable[[float], float], low: float, high: float) -> float:
    return float(brentq(above, low, high, xtol=1e-7)) if high > low else high


def profiled_out(criterion: Callable[[Array], tuple[float, Array]], near: Array) -> tuple[float, Array]:
    """Minimise a criterion over what is left of theta and sigma."""
    ended = minimize(criterion, near, jac=True, method="BFGS", options={"gtol": 1e-6})
    return float(ended.fun), ended.x


def as_html(found: Fit, level: float = 0.95) -> str:
    """A small table for a notebook: what was fitted, and every estimate with its interval."""
    table = tidy(found, level)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td style='text-align:left'>{escape(row[name])}</td>" for name in ("part", "group", "term")
        )
        + f"<td>{row['estimate']:.2f}</td><td>{row['low']:.2f} to {row['high']:.2f}</td></tr>"
        for row in table.iter_rows(named=True)
    )
    heads = ("part", "group", "term", "estimate", f"{100 * level:.0f} % interval")
    head = "".join(f"<th scope='col' style='text-align:left'>{name}</th>" for name in heads)
    boundary = "".join(f"<p>On the boundary: {escape(group)}.</p>" for group in found.singular)
    how = found.family if found.family != "gaussian" else ("REML" if found.reml else "ML")
    return (
        "<div style='font-variant-numeric:tabular-nums'>"
        f"<p><strong>{escape(found.formula)}</strong><br>"
        f"{escape(how)}, {found.nobs:,} rows, log-likelihood {found.loglik:.1f}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{boundary}</div>"
    )
