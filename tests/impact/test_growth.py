"""Growth: with each client, with all, and where the bond is deeper; gates and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.errors import ColumnProblem
from attunement.findings import Finding, NotYet
from attunement.impact import Growth, growth, growth_prior
from attunement.simulate import simulate
from attunement.simulate.outcomes import Carried, Carrying, carrying
from attunement.trajectories import Measure, trajectories
from bench_impact import growth_tried, own_held

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories import Caseload

MEASURE = Measure(0, 10)
HOW = Carrying(growth_a_year=3.0, growth_with_depth=1.5, growth_spread=0.5)


@pytest.fixture(scope="module")
def made() -> Carried:
    return carrying(simulate(1, 60, seed=4), HOW, seed=4)


@pytest.fixture(scope="module")
def caseload(made: Carried) -> Caseload:
    return trajectories(made.ratings, MEASURE)


@pytest.fixture(scope="module")
def found(made: Carried, caseload: Caseload) -> Growth:
    return growth(made.growth, caseload=caseload)


def test_growth_that_was_planted_is_told_a_month(found: Growth) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert told.sentence.startswith("Growth rises by")
    assert told.estimate.low < HOW.growth_a_year / 12 < told.estimate.high


def test_growth_with_depth_is_found_and_called_association(found: Growth) -> None:
    told = found.depth
    assert isinstance(told, Finding)
    assert told.estimate.low < HOW.growth_with_depth / 12 < told.estimate.high
    assert told.estimate.low > 0
    assert any("association" in limit for limit in told.limits)


def test_falling_growth_is_told_as_falling() -> None:
    how = Carrying(growth=7.0, growth_a_year=-5.0, growth_with_depth=0.0, growth_spread=0.2)
    told = growth(carrying(simulate(1, 60, seed=4), how, seed=4).growth).all
    assert isinstance(told, Finding)
    assert told.estimate.high < 0
    assert told.sentence.startswith("Growth falls by")


def test_intervals_hold_the_truth() -> None:
    tried = growth_tried(24, 0.0, range(10, 15))
    assert int(tried["all_holds"].sum()) >= 4
    assert int(tried["depth_holds"].sum()) >= 4
    assert own_held(tried) >= 88


def test_one_client_is_told_of_from_answers_in_three_months(found: Growth) -> None:
    for row in found.frame().iter_rows(named=True):
        told = found.of(row["client"])
        assert isinstance(told, Finding if row["answers"] >= 3 else NotYet)
        assert (row["change"] is not None) == (row["answers"] >= 3)


def test_without_ratings_depth_waits_for_them(made: Carried) -> None:
    told = growth(made.growth).depth
    assert isinstance(told, NotYet)
    assert "ratings" in told.supply


def test_few_clients_start_from_a_stated_prior_that_can_be_switched_off(made: Carried) -> None:
    told = growth(made.growth).all
    assert isinstance(told, Finding)
    assert any("our own judgement" in limit for limit in told.limits)
    other = growth(made.growth, prior=None).all
    assert isinstance(other, Finding)
    assert not any("our own judgement" in limit for limit in other.limits)
    assert growth(made.growth, prior=growth_prior()).all == told


def test_below_five_clients_all_wait_and_below_ten_depth_does(made: Carried, caseload: Caseload) -> None:
    often = made.growth.group_by("client").len().filter(pl.col("len") >= 3)["client"].sort()
    for clients, all_wait in ((4, True), (6, False)):
        told = growth(
            made.growth.filter(pl.col("client").is_in(often[:clients].to_list())), caseload=caseload
        )
        assert isinstance(told.all, NotYet if all_wait else Finding)
        assert isinstance(told.depth, NotYet)
        assert f": {clients}" in told.depth.missing


def test_what_is_missing_is_refused_with_a_sentence(made: Carried, found: Growth) -> None:
    with pytest.raises(ColumnProblem, match="the column time is missing"):
        growth(made.growth.drop("time"))
    with pytest.raises(ColumnProblem, match="'nobody'"):
        found.of("nobody")
    assert isinstance(growth(made.growth, instrument="another").all, NotYet)


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_speaks_both_languages(found: Growth, language: Language) -> None:
    told = replace(found, language=language)
    assert told.all.sentence != told.depth.sentence
    for client in told.frame()["client"]:
        assert told.of(client).sentence
