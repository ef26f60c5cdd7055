"""What benchmarks/bench_engagement.py measures, in short: on simulated truth, and on real sessions in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.impact.calibration import area
from bench_ahead import DATA, sessions
from bench_engagement import NONE, PUBLISHED, drawn, one, pool
from unwilling import KNOWN, in_order, known_before

if TYPE_CHECKING:
    from attunement.simulate.leaving import Leaving

MANY = 12


@pytest.fixture(scope="module")
def clients() -> pl.DataFrame:
    return pool(practices=1, clients=200)


def practices(clients: pl.DataFrame, how: Leaving) -> pl.DataFrame:
    return pl.DataFrame([one(drawn(clients, 150, how, seed), how.slope) for seed in range(MANY)])


def test_where_leaving_goes_with_nothing_nothing_is_told(clients: pl.DataFrame) -> None:
    found = practices(clients, NONE)
    assert found["link told"].sum() <= 1
    assert found["clients told of"].sum() <= 1
    assert found["pairs"].mean() == pytest.approx(0.5, abs=0.05)


def test_the_published_slope_is_held_and_tells_more_than_the_last_rating(clients: pl.DataFrame) -> None:
    found = practices(clients, PUBLISHED)
    assert found["slope held"].mean() >= 0.85  # type: ignore[operator]
    assert found["slope held, flat prior"].mean() >= 0.85  # type: ignore[operator]
    assert found["pairs"].mean() == pytest.approx(0.65, abs=0.06)
    assert found["pairs"].mean() > found["pairs, last rating"].mean()  # type: ignore[operator]


@pytest.mark.skipif(not DATA.exists(), reason="the ratings of KokoroChat are not beside this checkout")
def test_on_real_sessions_unwilling_ones_are_told_from_earlier_sessions_alone() -> None:
    rows = sessions().head(1_200)
    table = known_before(rows, 600)
    names = KNOWN["… and the client's own share so far"]
    told = in_order(table, names, 600, 1_200)
    later = table.tail(600)
    held = area(told, later["left"].to_numpy(), later["client_id"].rank("dense").to_numpy().astype(int) - 1)
    assert held.value > 0.70
    changed = table.with_columns(left=pl.when(pl.int_range(pl.len()) >= 900).then(1.0).otherwise("left"))
    assert in_order(changed, names, 600, 1_200)[:300] == pytest.approx(told[:300])
    assert np.abs(in_order(changed, names, 600, 1_200)[400:] - told[400:]).max() > 0.1
