"""In short what `benchmarks/bench_ruptures.py` shows at length: false alarms as stated, and drops that are found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bench_ruptures import RULES, false_alarms, learnt, powers

MANY = 1_500
ERROR = 2 * np.sqrt(0.25 / MANY)  # of a share


@pytest.fixture(scope="module")
def found() -> pl.DataFrame:
    return powers(learnt(12, 11), MANY, 1)


def test_quiet_sessions_are_called_a_rupture_as_often_as_is_stated() -> None:
    share, quiet = false_alarms(40, range(200, 216))
    assert quiet > 2_000
    assert share == pytest.approx(0.05, abs=0.01)


def test_no_fixed_rule_finds_more_true_drops_at_any_session_from_the_second_on(found: pl.DataFrame) -> None:
    best = found.select(pl.max_horizontal(*RULES)).to_series()
    assert (found["ours"] >= best - ERROR).all()
    assert float((found["ours"] - best).mean()) > 0  # type: ignore[arg-type]


def test_who_knows_the_truth_finds_hardly_more(found: pl.DataFrame) -> None:
    assert (found["ours"] >= found["oracle"] - 0.03).all()


def test_with_other_signs_more_is_found_than_the_rating_alone_can_tell(found: pl.DataFrame) -> None:
    more = found["with_signs"] - found["oracle"]
    assert (more > -ERROR).all()
    assert float(more.mean()) > 0.1  # type: ignore[arg-type]
