"""The mathematics of leaving: the hazard's posterior, pairs told right, calibration, and what was known when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from attunement import frames
from attunement.errors import ColumnProblem, ModelProblem
from attunement.impact.at_risk import at_risk
from attunement.impact.calibration import area, areas, calibration, folds, tenths
from attunement.impact.hazard import HazardPrior, hazard, published_prior
from attunement.ruptures import Ruptures, ruptures
from attunement.simulate import simulate
from attunement.simulate.leaving import Left, leaving
from attunement.trajectories import Measure, trajectories
from attunement.trajectories.model import CourseModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

KEY = ["therapist", "client", "session"]
NAMES = ("constant", "connection")


def made_up(many: int, seed: int, slope: float = -0.55, base: float = -3.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(many), rng.normal(size=many)])
    return x, (rng.random(many) < expit(base + slope * x[:, 1])).astype(float)


# -- the hazard


def test_without_a_prior_it_is_maximum_likelihood() -> None:
    x, event = made_up(4_000, 1)
    best = minimize(lambda beta: np.logaddexp(0, x @ beta).sum() - event @ x @ beta, np.zeros(2))
    chance = expit(x @ best.x)
    errors = np.sqrt(np.diagonal(np.linalg.inv((x * (chance * (1 - chance))[:, None]).T @ x)))
    ours = hazard(x, event, NAMES, HazardPrior(), draws=20_000)
    for name, value, error in zip(NAMES, best.x, errors, strict=True):
        mean, low, high = ours.interval(name)
        assert mean == pytest.approx(value, abs=0.01)
        assert (high - low) / 3.92 == pytest.approx(error, rel=0.03)


def test_with_no_events_to_speak_of_the_prior_is_what_is_left() -> None:
    x, event = made_up(20, 2, base=-8.0)
    value, low, high = hazard(x, event, NAMES, published_prior()).interval("connection")
    assert value == pytest.approx(-0.55, abs=0.1)
    assert (high - low) / 3.92 == pytest.approx(0.4, abs=0.05)


def test_intervals_hold_slopes_drawn_from_the_prior_as_often_as_they_say() -> None:
    rng, held = np.random.default_rng(5), []
    for seed in range(300):
        slope = rng.normal(-0.55, 0.4)
        x, event = made_up(400, 1_000 + seed, slope=slope)
        _, low, high = hazard(x, event, NAMES, published_prior()).interval("connection")
        held.append(low <= slope <= high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_what_therapists_differ_by_is_found_and_drawn_towards_none() -> None:
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(10), 600)
    of = rng.normal(0, 0.8, 10)
    x, _ = made_up(6_000, 3)
    event = (rng.random(6_000) < expit(-2.5 - 0.5 * x[:, 1] + of[group])).astype(float)
    found = hazard(x, event, NAMES, HazardPrior(between=0.5), group=group)
    assert found.between == pytest.approx(0.8, abs=0.3)
    assert np.corrcoef(found.groups.mean(axis=0), of)[0, 1] > 0.9
    none = hazard(x, made_up(6_000, 3)[1], NAMES, HazardPrior(), group=group)
    assert none.between < 0.2


def test_a_column_that_parts_all_who_left_from_all_who_stayed_has_a_finite_slope() -> None:
    x = np.column_stack([np.ones(40), np.r_[np.zeros(30), np.ones(10)]])
    value, low, high = hazard(x, x[:, 1], ("constant", "rupture"), published_prior()).interval("rupture")
    assert 0 < value < 5
    assert np.isfinite([low, high]).all()


def test_events_other_than_none_and_one_are_refused() -> None:
    x, event = made_up(50, 1)
    with pytest.raises(ModelProblem, match="events that are 0 or 1"):
        hazard(x, event + 1, NAMES, HazardPrior())


# -- how good chances are


def test_the_area_is_the_share_of_pairs_told_right() -> None:
    rng = np.random.default_rng(1)
    chance, event = rng.integers(0, 6, 60) / 6, (rng.random(60) < 0.3).astype(float)
    gone, stayed = chance[event == 1], chance[event == 0]
    by_hand = np.mean([(a > b) + 0.5 * (a == b) for a in gone for b in stayed])
    alone = np.arange(60)
    assert area(chance, event, alone).value == pytest.approx(by_hand)
    assert areas(chance[None], event, alone, times=400).mean() == pytest.approx(by_hand, abs=0.02)


def test_its_interval_is_the_bootstraps_over_clients_and_wider_than_over_rows() -> None:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(60), 12)
    of = rng.normal(size=60)[cluster]
    chance = expit(of + 0.3 * rng.normal(size=720))
    event = (rng.random(720) < expit(of - 1)).astype(float)
    told = area(chance, event, cluster)
    drawn = areas(chance[None], event, cluster)[:, 0]
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert told.low == pytest.approx(low, abs=0.015)
    assert told.high == pytest.approx(high, abs=0.015)
    rows = area(chance, event, np.arange(720))
    assert rows.high - rows.low < told.high - told.low


def test_chances_that_are_right_are_calibrated_and_those_too_far_apart_are_not() -> None:
    rng = np.random.default_rng(3)
    odds = rng.normal(-2, 1, 6_000)
    event = (rng.random(6_000) < expit(odds)).astype(float)
    right = calibration(expit(odds), event, np.arange(6_000))
    assert right.slope.value == pytest.approx(1.0, abs=0.1)
    assert right.intercept.value == pytest.approx(0.0, abs=0.1)
    assert not right.refuted
    assert right.tells
    far = calibration(expit(2 * odds + 2), event, np.arange(6_000))
    assert far.slope.value == pytest.approx(0.5, abs=0.05)
    assert far.refuted


def test_tenths_hold_every_row_once_and_rise() -> None:
    rng = np.random.default_rng(4)
    chance = rng.random(503)
    event = (rng.random(503) < chance).astype(float)
    table = tenths(chance, event, np.arange(503))
    assert table["rows"].sum() == 503
    assert table["happened"].sum() == event.sum()
    assert table["told"].is_sorted()
    assert ((table["low"] <= table["share"]) & (table["share"] <= table["high"])).all()


def test_a_client_is_in_one_fold_and_leavings_are_dealt_evenly() -> None:
    rng = np.random.default_rng(5)
    cluster = np.repeat(np.arange(100), 5)
    event = np.where(np.arange(500) % 5 == 4, rng.random(500) < 0.3, 0).astype(float)
    fold = folds(cluster, event, 10)
    assert all(np.unique(fold[cluster == each]).size == 1 for each in range(100))
    counted = np.bincount(fold, weights=event)
    assert counted.max() - counted.min() <= 1


# -- what was known when


@pytest.fixture(scope="module")
def made() -> Left:
    return leaving(simulate(1, 60, seed=6), seed=6)


@pytest.fixture(scope="module")
def learnt(made: Left) -> tuple[CourseModel, Ruptures]:
    caseload = trajectories(made.ratings, Measure(0, 10))
    assert isinstance(caseload.model, CourseModel)
    return caseload.model, ruptures(caseload)


def laid(
    made: Left, learnt: tuple[CourseModel, Ruptures], ratings: pl.DataFrame | None = None
) -> pl.DataFrame:
    table = frames.ratings(made.ratings if ratings is None else ratings)
    return at_risk(table, frames.endings(made.endings), None, *learnt)


def test_later_ratings_change_no_earlier_row(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    other = made.ratings.with_columns(score=pl.when(pl.col("session") > 5).then(0.0).otherwise("score"))
    both = laid(made, learnt).join(laid(made, learnt, other), on=KEY, suffix="_other")
    early = both.filter(pl.col("session") <= 5)
    assert early["connection"].to_numpy() == pytest.approx(early["connection_other"].to_numpy())
    assert early["fall"].to_numpy() == pytest.approx(early["fall_other"].to_numpy())
    later = both.filter(pl.col("session") > 6)
    assert (later["connection"] - later["connection_other"]).abs().max() > 1.0  # type: ignore[operator]


def test_the_connection_follows_the_true_one(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    both = laid(made, learnt).join(made.truth.select(*KEY, "z"), on=KEY)
    assert both.select(pl.corr("connection", "z")).item() > 0.85


def test_rows_are_those_at_risk(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    rows = laid(made, learnt).join(made.truth.select(*KEY, "hazard", gone="left"), on=KEY)
    known = rows.drop_nulls("left")
    assert known["hazard"].null_count() == 0
    assert (known["left"] == known["gone"].cast(pl.Float64)).all()
    assert known["left"].sum() == made.endings.filter(ending="left").height
    here = rows.filter(pl.col("left").is_null())
    assert here.height == made.endings.filter(ending="still here").height


def test_sessions_that_were_not_rated_count_as_well(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    whole = laid(made, learnt)
    rated = laid(made, learnt, made.ratings.drop_nulls("score"))
    assert whole.height - rated.height <= made.ratings["score"].null_count()
    assert whole.height > rated["session"].count() * 0.95


def test_what_was_late_or_missed_comes_in(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    words = ["held", "late", "missed", "held", "cancelled by client", "cancelled by therapist"]
    sessions = made.ratings.select(*KEY, "time").with_columns(
        attendance=pl.Series([words[row % 6] for row in range(made.ratings.height)])
    )
    table = frames.ratings(made.ratings)
    rows = at_risk(table, frames.endings(made.endings), frames.sessions(sessions), *learnt)
    both = rows.join(sessions, on=KEY)
    assert set(both.filter(pl.col("late") == 1)["attendance"]) == {"late"}
    assert set(both.filter(pl.col("absent") == 1)["attendance"]) == {"missed", "cancelled by client"}
    assert both["gap"].is_between(-2, 2).all()
    assert both.filter(session=1)["gap"].to_list() == [0.0] * both.filter(session=1).height


def test_a_session_after_the_last_is_refused(made: Left, learnt: tuple[CourseModel, Ruptures]) -> None:
    early = made.endings.with_columns(last=pl.lit(1))
    with pytest.raises(
        ColumnProblem, match=r"the last session of the client .* is 1, and there is a session"
    ):
        at_risk(frames.ratings(made.ratings), frames.endings(early), None, *learnt)
