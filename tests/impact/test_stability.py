"""Is the state steadier once a bond is established: ratios, what is not taken for unsteadiness, and gates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.errors import ColumnProblem
from attunement.findings import Finding, NotYet
from attunement.impact import Stability, stability
from attunement.impact.phases import Phase, moving, steadiness
from attunement.simulate import simulate
from attunement.simulate.outcomes import Carried, Carrying, carrying
from attunement.trajectories import Measure, trajectories
from bench_impact import SLOW, stability_tried

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories import Caseload

MEASURE = Measure(0, 10)


@pytest.fixture(scope="module")
def made() -> Carried:
    practice = simulate(1, 60, seed=5, sessions=24, settings=SLOW)
    return carrying(practice, Carrying(steadier=0.4), seed=5)


@pytest.fixture(scope="module")
def caseload(made: Carried) -> Caseload:
    return trajectories(made.ratings, MEASURE)


@pytest.fixture(scope="module")
def found(made: Carried, caseload: Caseload) -> Stability:
    return stability(made.ratings, MEASURE, caseload=caseload)


def phases(
    clients: int, ratio: float, sizes: tuple[int, int], seed: int, alike: float = 0.4, trend: float = 0.0
) -> list[tuple[Phase, Phase]]:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(clients):
        series = [rng.normal()]
        for _ in range(sum(sizes) - 1):
            series.append(alike * series[-1] + np.sqrt(1 - alike**2) * rng.normal())
        session = np.arange(1.0, sum(sizes) + 1)
        value = (
            np.array(series) * np.where(session > sizes[0], ratio, 1.0) * rng.uniform(1, 4) + trend * session
        )
        early = session <= sizes[0]
        pairs.append((Phase(session[early], value[early]), Phase(session[~early], value[~early])))
    return pairs


@pytest.mark.parametrize("ratio", [1.0, 0.6])
def test_the_pooled_ratio_is_without_bias_though_one_side_is_short_and_neighbours_are_alike(
    ratio: float,
) -> None:
    told = [steadiness(phases(25, ratio, (4, 14), seed)) for seed in range(16)]
    logs = np.log([each.pooled.value / ratio for each in told])
    assert abs(logs.mean()) < 3 * logs.std() / np.sqrt(16) + 0.02
    assert np.mean([each.pooled.low <= ratio <= each.pooled.high for each in told]) >= 0.85
    assert np.mean([each.alike for each in told]) == pytest.approx(0.4, abs=0.1)


def test_one_clients_interval_holds_the_ratio() -> None:
    told = [each for seed in range(6) for each in steadiness(phases(25, 0.7, (9, 12), seed)).each]
    assert np.mean([each.low <= 0.7 <= each.high for each in told]) >= 0.9
    assert all(each.low <= each.value <= each.high for each in told)


def test_getting_better_is_not_taken_for_being_unsteady() -> None:
    flat, falling = (steadiness(phases(20, 1.0, (6, 10), 3, trend=trend)).pooled for trend in (0.0, -2.0))
    assert flat.value == pytest.approx(falling.value, rel=1e-4)


def test_a_phase_that_does_not_move_or_is_too_short_is_none() -> None:
    session = np.arange(1.0, 7.0)
    assert not moving(Phase(session, 3.0 * session))
    assert not moving(Phase(session[:3], np.array([1.0, 5.0, 2.0])))
    assert moving(Phase(session, np.array([1.0, 5.0, 2.0, 2.0, 7.0, 1.0])))


def test_a_state_that_grew_steady_is_told_so(found: Stability) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert "it is steadier" in told.sentence
    assert told.estimate.high < 1


def test_those_who_did_not_get_there_stand_beside(found: Stability) -> None:
    assert found.others is not None
    assert found.others.pooled.low < 1 < found.others.pooled.high
    told = found.all
    assert isinstance(told, Finding)
    assert any("who did not get there" in limit for limit in told.limits)
    assert any("convention" in limit for limit in told.limits)


def test_where_nothing_changed_the_interval_holds_one() -> None:
    tried = stability_tried(1.0, 60, range(20, 23))
    assert tried["told"].all()
    assert int(tried["holds"].sum()) >= 2


def test_one_client_is_told_of_from_eight_on_each_side(found: Stability) -> None:
    for row in found.frame().iter_rows(named=True):
        told = found.of(row["client"])
        enough = row["established"] is not None and min(row["before"], row["after"]) >= 8
        assert isinstance(told, Finding if enough else NotYet)
        assert (row["times"] is not None) == enough


def test_each_reason_to_wait_is_named(made: Carried, found: Stability, caseload: Caseload) -> None:
    frame = found.frame()
    never = frame.filter(pl.col("established").is_null())["client"][0]
    early = frame.filter(pl.col("before") < 8)["client"][0]
    assert "has not come to" in found.of(never).sentence
    assert "before and after" in found.of(early).sentence
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        found.of("nobody")
    few = stability(made.ratings.filter(pl.col("session") < 6), MEASURE, caseload=caseload).all
    assert isinstance(few, NotYet)
    still = stability(made.ratings.with_columns(outcome=pl.lit(2.0)), MEASURE, caseload=caseload)
    assert isinstance(still.all, NotYet)


def test_a_client_who_does_not_move_on_one_side_is_told_so(
    made: Carried, caseload: Caseload, found: Stability
) -> None:
    row = found.frame().drop_nulls("times").row(0, named=True)
    client = row["client"]
    still = pl.when((pl.col("client") == client) & (pl.col("session") >= row["established"])).then(1.0)
    told = stability(
        made.ratings.with_columns(outcome=still.otherwise(pl.col("outcome"))), MEASURE, caseload=caseload
    ).of(client)
    assert isinstance(told, NotYet)
    assert "does not move" in told.missing


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_speaks_both_languages(found: Stability, language: Language) -> None:
    told = replace(found, language=language)
    assert told.all.sentence
    for cut in told.cuts:
        assert told.of(cut.client).sentence
