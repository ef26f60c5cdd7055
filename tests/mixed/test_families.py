"""Responses that are not Gaussian agree with glmer, clmm and a likelihood written out in R: see tests/reference.

Laplace's approximation is the same function there and here, so it is held to the digits that its optimum has. What
the approximation itself costs against quadrature is another matter: up to 5.5 % of a standard deviation where the
response is yes or no and a client gives six of them, 1 % at a ceiling; the reference file has both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement.errors import ModelProblem
from attunement.mixed import Fit, fit
from attunement.mixed.design import moments
from attunement.mixed.families import Binomial, Ceiling, Family, Ordinal
from attunement.mixed.laplace import Laplace
from attunement.mixed.layout import likelihood
from attunement.mixed.rows import Rows

REFERENCE = Path(__file__).parents[1] / "reference"
CASES: dict[str, dict[str, Any]] = json.loads((REFERENCE / "families.json").read_text(encoding="utf-8"))[
    "cases"
]
FAMILY = {"binomial": "binomial", "cumulative": "ordinal", "normal, censored from above": "ceiling"}
SIX_DIGITS = 2e-6
LAPLACE_COSTS = {"binomial": 0.06, "cumulative": 0.025, "normal, censored from above": 0.012}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Fit]:
    reference = CASES[request.param]
    table = pl.read_csv(REFERENCE / "data" / reference["data"])
    found = fit(reference["formula"], table, family=FAMILY[reference["family"]], ceiling=reference["ceiling"])
    return reference, found


def test_the_log_likelihood_and_its_penalty_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.loglik == pytest.approx(reference["laplace"]["log_likelihood"], abs=1e-7)
    assert found.aic == pytest.approx(reference["laplace"]["aic"], abs=1e-6)


def test_fixed_effects_thresholds_and_errors_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    for name, theirs in reference["laplace"]["fixed"].items():
        mine = name.replace("(Intercept)", "Intercept")
        assert found.fixef[mine] == pytest.approx(theirs["estimate"], rel=SIX_DIGITS)
        assert found.se[mine] == pytest.approx(theirs["se"], rel=2e-5)  # theirs by differences
    for name, theirs in (reference["laplace"]["thresholds"] or {}).items():
        assert found.thresholds[name] == pytest.approx(theirs["estimate"], rel=SIX_DIGITS)
        assert found.threshold_se[name] == pytest.approx(theirs["se"], rel=2e-5)


def test_variances_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.sigma == pytest.approx(reference["laplace"]["sigma"] or 1.0, rel=SIX_DIGITS)
    theirs = {term["group"]: np.array(term["covariance"]) for term in reference["laplace"]["random"]}
    for component in found.varcorr:
        wanted = theirs[component.group]
        assert component.sd**2 == pytest.approx(np.diagonal(wanted), rel=SIX_DIGITS)
        sds = np.sqrt(
            np.diagonal(wanted)
        )  # a covariance may be near zero: its digits are those of the correlation
        assert component.covariance / np.outer(sds, sds) == pytest.approx(
            wanted / np.outer(sds, sds), abs=SIX_DIGITS
        )


def test_effects_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    for group, levels in reference["laplace"]["effects"].items():
        mine = {(row["level"], row["term"]): row for row in found.ranef[group].iter_rows(named=True)}
        for level, values in levels.items():
            for term, value in values["value"].items():
                row = mine[level, term.replace("(Intercept)", "Intercept")]
                assert row["value"] == pytest.approx(value, abs=2e-6)
                assert row["sd"] == pytest.approx(values["sd"][term], abs=2e-6)


def test_what_laplace_costs_against_quadrature_is_as_said(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    theirs = {term["group"]: term["sd"] for term in reference["quadrature"]["random"]}
    for component in found.varcorr:
        wanted = np.array(list(theirs[component.group].values()))
        assert component.sd == pytest.approx(wanted, rel=LAPLACE_COSTS[reference["family"]])


@pytest.mark.parametrize("name", list(CASES))
def test_away_from_the_optimum_the_criterion_is_the_same_and_its_gradient_its_own(name: str) -> None:
    reference = CASES[name]
    surface = _surface(reference)
    for place in reference["log_likelihood_at"]:
        values = _values(place)
        deviance, gradient = surface.with_gradient(values)
        assert -deviance / 2 == pytest.approx(place["laplace"], abs=1e-7)
        for entry in range(values.size):
            step = np.zeros(values.size)
            step[entry] = 1e-5
            along = (surface.deviance(values + step) - surface.deviance(values - step)) / 2e-5
            assert gradient[entry] == pytest.approx(along, abs=2e-4 * (1 + abs(along)))


def _surface(reference: dict[str, Any]) -> Laplace:
    held = moments(reference["formula"], pl.read_csv(REFERENCE / "data" / reference["data"]), few=True)
    rows = held.cells
    assert isinstance(rows, Rows)
    y, x = rows.columns[:, held.response], rows.columns[:, list(held.fixed)]
    family: Family = Binomial(y) if reference["family"] == "binomial" else Ordinal(y)
    if reference["ceiling"]:
        family = Ceiling(y, reference["ceiling"])
    if not family.intercept:
        x = x[:, 1:]
    without = {name: getattr(held, name) for name in held.__slots__} | {"fixed": ()}
    return Laplace(likelihood(type(held)(**without), reml=False), rows, family, x, rows.columns)


def _values(place: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    listed = {name: _listed(place[name]) for name in ("theta", "fixed", "thresholds")}
    own: list[float] = []
    if place["sigma"]:
        listed["theta"] = [each * place["sigma"] for each in listed["theta"]]
        own = [float(np.log(place["sigma"]))]
    if listed["thresholds"]:
        own = [listed["thresholds"][0], *np.log(np.diff(listed["thresholds"])).tolist()]
    return np.array([*listed["theta"], *listed["fixed"], *own])


def _listed(values: Any) -> list[float]:  # noqa: ANN401 - a list, an object or nothing
    return list(values.values()) if isinstance(values, dict) else list(values or [])


def test_at_a_ceiling_the_depth_is_hardly_biased() -> None:
    bias: dict[str, list[float]] = {"gaussian": [], "ceiling": []}
    at_top = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        client, session = np.repeat(np.arange(30), 8), np.tile(np.arange(1, 9), 30)
        level = 8.2 + random.normal(0, 1.2, 30)
        true = level[client] + 0.35 * np.log2(session)
        score = np.minimum(true + random.normal(0, 0.8, true.size), 10.0)
        at_top.append(float((score == 10.0).mean()))
        table = pl.DataFrame({"client": client.astype(str), "session": session, "score": score})
        now = table.filter(pl.col("session") == 8)
        for family, by_family in bias.items():
            found = fit("score ~ log2(session) + (1 | client)", table, family=family, ceiling=10.0)
            by_family.append(float(np.mean(found.predict(now)["value"].to_numpy() - true[session == 8])))
    assert 0.2 < np.mean(at_top) < 0.3
    assert np.mean(bias["gaussian"]) < -0.2
    assert abs(float(np.mean(bias["ceiling"]))) < abs(float(np.mean(bias["gaussian"]))) / 5


@pytest.mark.parametrize(
    ("family", "ceiling", "score", "said"),
    [
        ("poisson", None, [1, 2, 3], "no family"),
        ("ceiling", None, [1, 2, 3], "top of the scale"),
        ("ceiling", 2.0, [1, 2, 3], "one response is 3"),
        ("ceiling", 3.0, [3, 3, 3], "tell the response exactly"),
        ("binomial", None, [0, 1, 2], "0 or 1"),
        ("binomial", None, [1, 1, 1], "tell the response exactly"),
        ("ceiling", 3.0, [3, 2, 2], "have no spread"),
        ("ordinal", None, [0, 1, 1], "three categories"),
    ],
)
def test_a_response_that_does_not_fit_its_family_is_refused(
    family: str, ceiling: float | None, score: list[int], said: str
) -> None:
    table = pl.DataFrame({"client": ["a", "a", "b", "b", "c", "c"], "score": score * 2})
    with pytest.raises(ModelProblem, match=said):
        fit("score ~ 1 + (1 | client)", table, family=family, ceiling=ceiling)


def test_terms_for_gaussian_responses_are_refused_with_others() -> None:
    table = pl.DataFrame({"client": ["a", "a", "b", "b"], "session": [1, 2, 1, 2], "score": [0, 1, 1, 0]})
    with pytest.raises(ModelProblem, match="no drift"):
        fit("score ~ 1 + (1 | client) + drift(session | client)", table, family="binomial")
    with pytest.raises(ModelProblem, match="no weights"):
        fit("score ~ 1 + (1 | client)", table, family="binomial", weights="session")
