"""Autocorrelated residuals, strata and weights agree with nlme and lme4: values and scripts in tests/reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement.mixed import Fit, fit

REFERENCE = Path(__file__).parents[1] / "reference"
CASES: dict[str, dict[str, Any]] = json.loads((REFERENCE / "nlme.json").read_text(encoding="utf-8"))["cases"]
FIVE_DIGITS = 1e-5


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Fit]:
    reference = CASES[request.param]
    table = pl.read_csv(REFERENCE / "data" / reference["data"])
    series = " + ar1(session | client)" if reference["correlation"] else ""
    strata = "phase" if reference["variance"] else None
    return reference, fit(reference["formula"] + series, table, reml=reference["reml"], strata=strata)


def test_the_log_likelihood_is_nlmes(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.loglik == pytest.approx(reference["log_likelihood"], abs=1e-6)


def test_phi_and_the_ratio_of_the_strata_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    assert found.sigma == pytest.approx(reference["sigma"], rel=FIVE_DIGITS)
    assert found.ar1 == pytest.approx(reference["phi"] or 0.0, rel=1e-4)
    if reference["sd_ratio"]:
        assert found.strata["1"] / found.strata["0"] == pytest.approx(reference["sd_ratio"], rel=FIVE_DIGITS)


def test_fixed_effects_and_variances_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    for mine, (name, theirs) in zip(found.fixef, reference["fixed"].items(), strict=True):
        assert mine == name.replace("(Intercept)", "Intercept")
        assert found.fixef[mine] == pytest.approx(theirs["estimate"], rel=FIVE_DIGITS)
        assert found.se[mine] == pytest.approx(theirs["se"], rel=FIVE_DIGITS)
    wanted = np.array(reference["random"][0]["covariance"])
    assert found.varcorr[0].covariance == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_effects_agree(case: tuple[dict[str, Any], Fit]) -> None:
    reference, found = case
    mine = {(row["level"], row["term"]): row["value"] for row in found.ranef["client"].iter_rows(named=True)}
    for level, values in reference["effects"]["client"].items():
        for term, value in values["value"].items():
            assert mine[level, term.replace("(Intercept)", "Intercept")] == pytest.approx(value, abs=1e-4)
