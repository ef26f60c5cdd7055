"""Three hundred tiny practices, two thirds of them without a real variance of slopes: lme4's best is never missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from attunement.mixed import fit

REFERENCE = Path(__file__).parents[1] / "reference"
TINY: dict[str, Any] = json.loads((REFERENCE / "tiny.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables() -> dict[int, pl.DataFrame]:
    table = pl.read_csv(REFERENCE / "data" / TINY["data"])
    return {int(str(key[0])): part for key, part in table.partition_by("practice", as_dict=True).items()}


def test_the_likelihood_is_never_below_the_best_that_lme4_found(tables: dict[int, pl.DataFrame]) -> None:
    below = {}
    for practice in TINY["practices"]:
        found = fit(TINY["formula"], tables[practice["practice"]])
        if found.loglik < practice["log_likelihood"] - 1e-6:
            below[practice["practice"]] = practice["log_likelihood"] - found.loglik
    assert len(TINY["practices"]) == 300
    assert below == {}
