"""The same fit from a frame, DuckDB, PostgreSQL and Spark agrees to nine digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement import scale
from attunement.mixed import Fit, fit

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 on DuckDB 2
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),  # Ibis and PySpark on pandas 3
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # their sockets
]

NINE_DIGITS = 1e-9
FORMULAS = {
    "nested": "score ~ log2(session) + severity + (1 + log2(session) | client) + (1 | own)",
    "one factor": "score ~ log2(session) + (1 | client)",
    "crossed": "score ~ log2(session) + (1 | client) + (1 | therapist)",
    "crossed with dyads": "score ~ log2(session) + (1 | client) + (1 | therapist) + (1 | therapist:client)",
    "slash": "score ~ severity + (1 | own/client)",
    "categories": "score ~ place * log2(session) + online + (1 | client)",
    "misled by the first rows": "score ~ late + log2(session) + (1 | client)",
    "two terms": "score ~ session + (1 | client) + (0 + session | client)",
    "no intercept": "score ~ 0 + place + (1 | client)",
    "arithmetic": "score ~ I(session / 10) + I((session / 10) ** 2) + (1 | client)",
    "nothing random": "score ~ log2(session) + severity",
}


@pytest.mark.parametrize("name", list(FORMULAS))
def test_the_fit_is_that_of_the_frame(name: str, source: Any, sessions: pl.DataFrame) -> None:  # noqa: ANN401
    formula = FORMULAS[name]
    here, there = fit(formula, sessions), fit(formula, scale.moments(formula, source))
    _agree(here, there)


def _agree(here: Fit, there: Fit) -> None:
    assert there.nobs == here.nobs
    assert there.loglik == pytest.approx(here.loglik, rel=NINE_DIGITS)
    assert list(there.fixef) == list(here.fixef)
    for factor in (1.0, 1.3):  # at equal theta no optimiser stands between
        theta = [factor * each for each in here.theta]
        assert there.criterion(theta) == pytest.approx(here.criterion(theta), rel=NINE_DIGITS)
    for name, value in here.fixef.items():
        assert there.fixef[name] == pytest.approx(value, rel=1e-6, abs=1e-7)
        assert there.se[name] == pytest.approx(here.se[name], rel=1e-5)
    for mine, theirs in zip(here.varcorr, there.varcorr, strict=True):
        assert theirs.covariance == pytest.approx(mine.covariance, rel=1e-4, abs=1e-4)


def test_effects_and_predictions_are_those_of_the_frame(source: Any, sessions: pl.DataFrame) -> None:  # noqa: ANN401
    formula = FORMULAS["nested"]
    here, there = fit(formula, sessions), fit(formula, scale.moments(formula, source))
    for group, table in here.ranef.items():
        both = table.join(there.ranef[group], on=["level", "term"], suffix="_there")
        assert both.height == table.height
        assert both["value_there"].to_numpy() == pytest.approx(both["value"].to_numpy(), abs=1e-5)
        assert both["sd_there"].to_numpy() == pytest.approx(both["sd"].to_numpy(), rel=1e-5)
    rows = sessions.drop_nulls().head(20).with_columns(client=pl.col("client") + pl.Series([0, 500] * 10))
    mine, theirs = here.predict(rows), there.predict(rows)
    assert theirs["value"].to_numpy() == pytest.approx(mine["value"].to_numpy(), abs=1e-5)
    assert theirs["sd"].to_numpy() == pytest.approx(mine["sd"].to_numpy(), rel=1e-5)


def test_weights_and_strata_are_those_of_the_frame(source: Any, sessions: pl.DataFrame) -> None:  # noqa: ANN401
    formula = FORMULAS["one factor"]
    here = fit(formula, sessions, weights="weight", strata="phase")
    there = fit(formula, scale.moments(formula, source, weights="weight", strata="phase"))
    _agree(here, there)
    assert there.strata == pytest.approx(here.strata, rel=1e-5)


def test_cells_may_be_added_up_from_two_sites(sessions: pl.DataFrame, tmp_path: Any) -> None:  # noqa: ANN401
    formula = FORMULAS["one factor"]
    sessions.filter(pl.col("client") < 30).write_parquet(tmp_path / "a.parquet")
    sessions.filter(pl.col("client") >= 30).write_parquet(tmp_path / "b.parquet")
    both = fit(formula, scale.moments(formula, tmp_path / "*.parquet"))
    assert both.loglik == pytest.approx(fit(formula, sessions).loglik, rel=NINE_DIGITS)


def test_the_sums_themselves_are_the_same(source: Any, file: Any) -> None:  # noqa: ANN401
    formula = FORMULAS["nested"]
    nothing = np.empty(0)
    mine, theirs = scale.moments(formula, file).cells(nothing), scale.moments(formula, source).cells(nothing)
    scale_of = np.abs(mine.products).max(axis=1, keepdims=True)
    assert np.abs(theirs.products - mine.products).max() <= 1e-12 * scale_of.max()
