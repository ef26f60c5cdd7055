"""Simulated leaving is what it says it is: how many, how early, how much weaker the bond, and nothing after the end."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from attunement import frames
from attunement.errors import ModelProblem
from attunement.simulate import SimulatedPractice, simulate
from attunement.simulate.leaving import Leaving, Left, leaving

DYAD = ["therapist", "client"]
KEY = [*DYAD, "session"]


@pytest.fixture(scope="module")
def large() -> SimulatedPractice:
    """Six thousand clients, twelve sessions each."""
    return simulate(300, 20, seed=1, sessions=12)


@pytest.fixture(scope="module")
def left(large: SimulatedPractice) -> Left:
    return leaving(large, seed=1)


def apart(gone: pl.Series, others: pl.Series) -> float:
    """Cohen's d."""
    first, second = gone.to_numpy(), others.to_numpy()
    pooled = (first.var() * first.size + second.var() * second.size) / (first.size + second.size)
    return float((second.mean() - first.mean()) / np.sqrt(pooled))


def test_a_fifth_leave_within_twelve_sessions(left: Left) -> None:
    assert left.endings.filter(ending="left").height / left.endings.height == pytest.approx(0.197, abs=0.015)


def test_the_alliance_of_those_who_left_was_weaker_by_the_published_d(left: Left) -> None:
    ending = left.endings.select(*DYAD, "ending")
    third = left.ratings.filter(session=3).join(ending, on=DYAD).drop_nulls("score")
    gone = third.filter(ending="left")["score"]
    assert apart(gone, third.filter(ending="agreed")["score"]) == pytest.approx(0.55, abs=0.12)


def test_early_sessions_are_twice_as_often_the_last(large: SimulatedPractice) -> None:
    truth = leaving(large, Leaving(slope=0.0), seed=1).truth.drop_nulls("hazard")
    odds = truth.with_columns(odds=pl.col("hazard") / (1 - pl.col("hazard")))
    shares = odds.group_by(early=pl.col("session") <= 3).agg(pl.col("odds").mean(), pl.col("left").mean())
    early, later = shares.filter("early"), shares.filter(~pl.col("early"))
    assert early["odds"][0] / later["odds"][0] == pytest.approx(2.0)
    assert early["left"][0] / later["left"][0] == pytest.approx(2.0, abs=0.3)


def test_the_truth_is_the_hazard_that_was_asked_for(left: Left) -> None:
    row = left.truth.drop_nulls("hazard").row(5, named=True)
    log_odds = math.log(0.0125 / 0.9875) - 0.55 * row["z"] + math.log(2.0) * (row["session"] <= 3)
    assert row["hazard"] == pytest.approx(1 / (1 + math.exp(-log_odds)))


def test_nothing_comes_after_the_last_session(large: SimulatedPractice, left: Left) -> None:
    assert left.ratings.height == left.signs.height == left.truth.height < large.ratings.height
    last = left.ratings.group_by(DYAD).agg(pl.col("session").max()).join(left.endings, on=DYAD)
    assert (last["session"] == last["last"]).all()
    assert set(left.truth.filter("left").join(left.endings, on=DYAD)["ending"]) == {"left"}


def test_the_tables_keep_their_contracts_and_the_seed_decides() -> None:
    practice = simulate(3, 20, seed=4)
    made = leaving(practice, seed=4)
    assert frames.endings(made.endings).height == practice.clients.height
    assert frames.ratings(made.ratings).height == made.ratings.height
    assert leaving(practice, seed=4).endings.equals(made.endings)
    assert not leaving(practice, seed=5).endings.equals(made.endings)


def test_of_a_therapy_that_goes_on_it_is_not_known_whether_the_client_comes_again() -> None:
    made = leaving(simulate(1, 60, seed=2), seed=2)
    here = made.truth.join(made.endings.filter(ending="still here"), on=DYAD)
    assert (
        here.filter(pl.col("session") == pl.col("last"))["hazard"].null_count()
        == here["client"].n_unique()
        > 0
    )


def test_who_left_the_first_therapist_does_not_go_on_to_a_second() -> None:
    practice = simulate(4, 60, seed=3, transfer_share=0.5)
    made = leaving(practice, Leaving(base=0.1), seed=3)
    several = made.endings.group_by("client").len().filter(pl.col("len") > 1)
    assert 0 < several.height < practice.clients.group_by("client").len().filter(pl.col("len") > 1).height
    first = (
        practice.ratings.group_by(DYAD).agg(pl.col("time").min()).sort("time").unique("client", keep="first")
    )
    stayed = first.join(several, on="client").join(made.endings, on=DYAD)
    assert set(stayed["ending"]) == {"agreed"}


def test_a_setting_out_of_range_is_refused_by_its_name() -> None:
    with pytest.raises(ModelProblem, match=r"base lies between 0 and 0\.5"):
        Leaving(base=0.9)
