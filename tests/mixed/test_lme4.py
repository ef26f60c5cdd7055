"""The engine agrees with lme4: reference values and the R script that made them stand in tests/reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement.mixed import Fit, fit

REFERENCE = Path(__file__).parents[1] / "reference"
CASES: dict[str, dict[str, Any]] = {
    name: case
    for file in ("lme4.json", "lme4_more.json")
    for name, case in json.loads((REFERENCE / file).read_text(encoding="utf-8"))["cases"].items()
}

FIVE_DIGITS = 5e-6
LOGLIK = 1e-7  # absolute: both sides stop within this of the optimum


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Fit]:
    reference = CASES[request.param]
    table = pl.read_csv(REFERENCE / "data" / reference["data"])
    return reference, fit(
        reference["formula"], table, reml=reference["reml"], weights=reference.get("weights")
    )


def test_the_same_rows_are_used(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.nobs == reference["rows_used"]


def test_the_log_likelihood_is_lme4s(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.loglik == pytest.approx(reference["log_likelihood"], abs=LOGLIK)
    assert found.aic == pytest.approx(reference["aic"], abs=1e-6)
    assert found.bic == pytest.approx(reference["bic"], abs=1e-6)


def test_fixed_effects_and_their_errors_agree_to_five_digits(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    theirs = {name.replace("(Intercept)", "Intercept"): value for name, value in reference["fixed"].items()}
    assert len(found.fixef) == len(theirs)
    for mine, value in zip(found.fixef, theirs.values(), strict=True):
        assert found.fixef[mine] == pytest.approx(value["estimate"], rel=FIVE_DIGITS)
        assert found.se[mine] == pytest.approx(value["se"], rel=FIVE_DIGITS)


def test_variances_agree_to_five_digits(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.sigma == pytest.approx(reference["sigma"], rel=FIVE_DIGITS)
    theirs = {(term["group"], *term["columns"]): np.array(term["covariance"]) for term in reference["random"]}
    for mine in found.varcorr:
        names = tuple(name.replace("Intercept", "(Intercept)") for name in mine.names)
        wanted = theirs[(mine.group, *names)]
        assert mine.covariance == pytest.approx(
            wanted, rel=FIVE_DIGITS, abs=FIVE_DIGITS * max(wanted.max(), 1e-3)
        )


def test_effects_and_their_conditional_errors_agree_to_five_digits(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    for group, levels in reference["effects"].items():
        mine = {(row["level"], row["term"]): row for row in found.ranef[group].iter_rows(named=True)}
        scale = max(abs(value) for level in levels.values() for value in level["value"].values())
        for level, values in levels.items():
            for term, value in values["value"].items():
                row = mine[level, term.replace("(Intercept)", "Intercept")]
                assert row["value"] == pytest.approx(value, abs=FIVE_DIGITS * max(scale, 1e-6))
                assert row["sd"] == pytest.approx(values["sd"][term], rel=FIVE_DIGITS, abs=1e-7)


def test_a_singular_fit_is_found_and_named(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert bool(found.singular) == reference["singular"]


def test_fitted_values_agree_to_five_digits(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    table = pl.read_csv(REFERENCE / "data" / reference["data"])
    rows = table[[row["row"] for row in reference["fitted"]]]
    wanted = [row["value"] for row in reference["fitted"]]
    assert found.predict(rows)["value"].to_list() == pytest.approx(wanted, rel=FIVE_DIGITS)


def test_the_criterion_is_lme4s_at_any_theta(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    for point in reference["criterion_at"]:
        theta = _in_our_order(found, reference, point["theta"])
        assert found.criterion(theta) == pytest.approx(point["criterion"], rel=1e-9)


def _in_our_order(found: Fit, reference: dict[str, Any], theta: list[float]) -> list[float]:
    """lme4 sorts its terms by their levels; we keep them as written."""
    parts, place = {}, 0
    for term in reference["random"]:
        q = len(term["columns"])
        columns = tuple(name.replace("(Intercept)", "Intercept") for name in term["columns"])
        parts[term["group"], columns] = theta[place : place + q * (q + 1) // 2]
        place += q * (q + 1) // 2
    return [value for mine in found.varcorr for value in parts[mine.group, mine.names]]
