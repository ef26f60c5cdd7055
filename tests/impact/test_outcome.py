"""Does a closer session go with a better state next time: gates, both ways of counting, no claim where nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.impact import Outcome, outcome
from attunement.mixed import cross_lagged
from attunement.simulate import simulate
from attunement.simulate.outcomes import Carried, Carrying, carrying
from attunement.trajectories import Measure
from bench_impact import REAL, SLOW, naive, outcomes_tried, sgdata

if TYPE_CHECKING:
    from attunement.instruments.description import Language

MEASURE = Measure(0, 10)


@pytest.fixture(scope="module")
def made() -> Carried:
    return carrying(simulate(1, 40, seed=2, sessions=10), Carrying(effect=0.3), seed=2)


@pytest.fixture(scope="module")
def found(made: Carried) -> Outcome:
    return outcome(made.ratings, MEASURE, worse="higher")


def test_a_link_that_was_planted_is_told_in_the_outcomes_own_points(made: Carried, found: Outcome) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert "goes with a state" in told.sentence
    assert "better next time" in told.sentence
    assert told.estimate.low <= -made.within <= told.estimate.high  # lower is better here


def test_better_and_worse_follow_the_direction_of_the_outcome(made: Carried, found: Outcome) -> None:
    turned = made.ratings.with_columns(outcome=-pl.col("outcome"))
    told, other = found.all, outcome(turned, MEASURE, worse="lower").all
    assert isinstance(told, Finding)
    assert isinstance(other, Finding)
    assert told.estimate.value == pytest.approx(other.estimate.value, abs=1e-4)
    assert told.sentence == other.sentence
    assert "worse next time" in replace(found, worse="lower").all.sentence


def test_the_estimates_are_the_engines_and_the_intervals_no_narrower(made: Carried, found: Outcome) -> None:
    theirs = cross_lagged(made.ratings, x="score", y="outcome", detrend=True)
    mine = found.frame().filter(path="next outcome", course="taken out").row(0, named=True)
    assert mine["value"] == pytest.approx(theirs.estimates["x_to_y"], abs=1e-9)
    assert mine["high"] - mine["low"] > 2 * 1.96 * theirs.se["x_to_y"]


def test_every_path_is_shown_both_ways_and_the_way_back_is_among_them(found: Outcome) -> None:
    counted = found.frame().group_by("course").len().sort("course")
    assert found.frame().filter(path="next connection").height == 2
    assert counted.filter(course="left in")["len"].item() == 4
    assert "left in" in found.all.sentence


def test_between_clients_has_a_sentence_of_its_own(found: Outcome) -> None:
    between = found.between
    assert isinstance(between, Finding)
    assert "From client to client" in between.sentence
    assert "same client" not in between.sentence
    assert -1 < between.estimate.low < between.estimate.high < 1


def test_where_levels_cannot_be_told_from_moves_the_between_link_waits(found: Outcome) -> None:
    assert found.lagged is not None
    nothing = replace(found.lagged.taken_out, tie=(0.9, -1.0, 1.0))
    told = replace(found, lagged=replace(found.lagged, taken_out=nothing))
    assert isinstance(told.between, NotYet)
    assert told.frame().filter(path="between clients").is_empty()


def test_where_the_two_ways_disagree_nothing_is_claimed() -> None:
    """Everybody gets better while bonds grow, and neither goes with the other: the bait."""
    how = Carrying(effect=0.0, back=0.0, between=0.0, improvement=2.0, improvement_sd=0.0)
    made = carrying(simulate(1, 100, seed=8, sessions=8, settings=SLOW), how, seed=8)
    found = outcome(made.ratings, MEASURE, worse="higher")
    assert found.lagged is not None
    out, left_in = (found.lagged.link("next outcome", taken_out=each) for each in (True, False))
    assert out.side == 0
    assert left_in.side == -1
    assert "depends on how one looks" in found.all.sentence
    assert "goes with a state" not in found.all.sentence


def test_where_nothing_goes_with_anything_nothing_is_told_of_a_link() -> None:
    tried = outcomes_tried(20, 0.0, range(300, 304)).filter("told")
    assert tried.height >= 3
    assert not tried["claims"].any()
    assert tried["holds"].all()


def test_at_the_length_of_short_therapies_the_usual_way_misses_and_ours_holds_the_truth() -> None:
    how = Carrying(effect=0.3, improvement=0.0, improvement_sd=0.0)
    made = carrying(simulate(1, 400, seed=6, sessions=5), how, seed=6)
    found = outcome(made.ratings, MEASURE, worse="higher")
    assert found.lagged is not None
    ours, (usual, low, high) = found.lagged.link("next outcome"), naive(made)
    assert ours.low <= made.within <= ours.high
    assert not low <= made.within <= high
    assert abs(ours.value - made.within) < abs(usual - made.within) / 2


@pytest.mark.parametrize("language", ["en", "es"])
def test_it_speaks_both_languages_and_says_association(found: Outcome, language: Language) -> None:
    told = replace(found, language=language)
    for each in (told.all, told.between):
        assert isinstance(each, Finding)
        assert any({"en": "association", "es": "asociación"}[language] in limit for limit in each.limits)


def test_below_ten_clients_who_tell_it_says_what_is_missing() -> None:
    made = carrying(simulate(1, 9, seed=1, sessions=10), seed=1)
    told = outcome(made.ratings, MEASURE, worse="higher")
    for each in (told.all, told.between):
        assert isinstance(each, NotYet)
        assert "two of them in a row: 9" in each.missing
    assert told.frame().is_empty()


def test_a_client_with_two_sessions_or_with_gaps_only_does_not_count(made: Carried) -> None:
    two = made.ratings.filter(pl.col("session") <= 2)
    assert outcome(two, MEASURE, worse="higher").enough == 0
    odd = made.ratings.filter(pl.col("session") % 2 == 1)
    assert outcome(odd, MEASURE, worse="higher").enough == 0


def test_an_outcome_that_does_not_move_settles_nothing(made: Carried) -> None:
    still = made.ratings.with_columns(outcome=pl.lit(3.0))
    told = outcome(still, MEASURE, worse="higher").all
    assert isinstance(told, NotYet)
    assert "do not settle" in told.missing


def test_ratings_at_the_top_are_mentioned(found: Outcome) -> None:
    told = replace(found, measure=Measure(0, 8)).all
    assert isinstance(told, Finding)
    assert any("at the top" in limit for limit in told.limits)


def test_what_is_missing_or_off_the_scale_is_refused_with_a_sentence(made: Carried) -> None:
    with pytest.raises(ColumnProblem, match="the column outcome is missing"):
        outcome(made.ratings.drop("outcome"), MEASURE, worse="higher")
    with pytest.raises(TooLittle, match="of the column score outside the scale 0 to 5"):
        outcome(made.ratings, Measure(0, 5), worse="higher")


def test_on_real_scales_it_says_what_it_can() -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL} is not there")
    told = outcome(sgdata("bdi", "rq"), Measure(0, 63), worse="higher")
    assert isinstance(told.all, Finding)
    assert isinstance(told.between, NotYet)  # so strongly kept that levels cannot be told from moves
    assert any("second way" in limit for limit in told.all.limits) or told.frame().filter(path="check").height
