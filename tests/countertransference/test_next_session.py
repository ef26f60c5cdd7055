"""What comes after the therapist's feelings: found where planted, in numbers that hold, and else not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.countertransference.next_session import CLIENTS, DYAD, ROW, NextSession, next_session
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.telling import Telling, Told, telling
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from attunement.instruments.description import Language

WIDE = Measure(-20, 30)  # simulated ratings are not held at an end of the scale
PLANTED = Telling(next_positive=0.4, next_negative=-0.3)


def lived(clients: int, sessions: int, seed: int, how: Telling | None = None, therapists: int = 1) -> Told:
    return telling(simulate(therapists, clients, seed=seed, sessions=sessions), how, seed=seed)


def asked(made: Told, language: Language = "en") -> NextSession:
    return after(made.reflections, made.ratings, language)


def after(reflections: pl.DataFrame, ratings: pl.DataFrame, language: Language = "en") -> NextSession:
    names = Telling()
    return next_session(
        reflections, ratings, WIDE, positive=names.positive, negative=names.negative, language=language
    )


@pytest.fixture(scope="module")
def made() -> Told:
    return lived(30, 10, 5, PLANTED)


@pytest.fixture(scope="module")
def found(made: Told) -> NextSession:
    return asked(made)


def test_warmer_and_heavier_hours_are_told_by_what_came_after(found: NextSession) -> None:
    warm, heavy = found.positive, found.negative
    assert isinstance(warm, Finding)
    assert isinstance(heavy, Finding)
    assert "points higher" in warm.sentence
    assert warm.estimate.low < 0.4 < warm.estimate.high
    assert "points lower" in heavy.sentence
    assert heavy.estimate.low < -0.3 < heavy.estimate.high


def test_safety_is_told_beside_it_where_it_was_asked(found: NextSession, made: Told) -> None:
    assert found.safety is not None
    told = found.safety.positive
    assert isinstance(told, Finding)
    assert "points safer the next time" in told.sentence
    assert found.frame()["rated"].to_list() == ["score"] * 4 + ["safe"] * 4
    without = after(made.reflections, made.ratings.drop("safe"))
    assert without.safety is None
    assert without.frame().height == 4


def test_a_course_that_all_share_is_not_taken_for_an_answer() -> None:
    falling = Telling(trend=1.2, trend_sd=0.3, lasting=0.8)
    told = 0
    for seed in range(4):
        made = lived(14, 8, 200 + seed, falling)
        frame = after(made.reflections, made.ratings.drop("safe")).frame()
        momentary = frame.filter(part="momentary")
        told += momentary.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height
    assert told <= 2  # of 8; .4 are expected


def test_intervals_hold_what_was_planted() -> None:
    held = []
    for seed in range(4):
        made = lived(16, 9, 300 + seed, PLANTED)
        told = after(made.reflections, made.ratings.drop("safe"))
        for each, truth in ((told.positive, 0.4), (told.negative, -0.3)):
            assert isinstance(each, Finding)
            held.append(each.estimate.low <= truth <= each.estimate.high)
    assert np.mean(held) >= 0.75


def test_clients_one_usually_feels_warmer_with_are_told_apart_from_warmer_hours() -> None:
    made = lived(40, 8, 7, Telling(usual_positive=2.0))
    told = asked(made)
    assert isinstance(told.usual_positive, Finding)
    assert told.usual_positive.estimate.low < 2.0 < told.usual_positive.estimate.high
    assert told.usual_positive.sentence.startswith("With clients with whom")
    assert told.usual_positive.evidence.height == 40
    assert isinstance(told.positive, Finding)
    assert "not clear yet" in told.positive.sentence


def test_nothing_is_said_of_a_side_that_the_interval_does_not_settle(found: NextSession) -> None:
    for each in (found.usual_positive, found.usual_negative):
        assert isinstance(each, Finding)
        sure = each.estimate.low > 0 or each.estimate.high < 0
        assert ("not clear yet" in each.sentence) != sure


def test_therapists_are_not_compared() -> None:
    made = lived(8, 8, 8, PLANTED, therapists=3)
    warmer = pl.when(pl.col("therapist") == "T2").then(5.0).otherwise(0.0)
    shifted = made.reflections.with_columns(strength=pl.col("strength") + warmer)
    ratings = made.ratings.drop("safe")
    ours, theirs = after(made.reflections, ratings), after(shifted, ratings)
    assert isinstance(ours.usual_positive, Finding)
    assert isinstance(theirs.usual_positive, Finding)
    assert ours.usual_positive.estimate.value == pytest.approx(theirs.usual_positive.estimate.value)


@pytest.mark.parametrize("language", ["en", "es"])
def test_both_languages_have_a_sentence_for_each(made: Told, language: Language) -> None:
    told = asked(made, language)
    assert told.safety is not None
    for each in (told, told.safety):
        for finding in (each.positive, each.negative, each.usual_positive, each.usual_negative):
            assert finding.sentence
            assert "{" not in finding.sentence


def test_from_twelve_clients_with_four_pairs_and_not_before() -> None:
    few = asked(lived(CLIENTS - 1, 9, 9))
    assert isinstance(few.positive, NotYet)
    assert isinstance(few.usual_negative, NotYet)
    assert f"clients with {DYAD} sessions or more" in few.positive.missing
    assert few.frame().schema == ROW
    assert few.frame()["value"].null_count() == 8
    every_other = lived(20, 12, 9)
    gaps = every_other.ratings.filter(pl.col("session") % 2 == 0)
    alone = after(every_other.reflections, gaps)
    assert isinstance(alone.positive, NotYet)  # no session has the very next
    short = lived(14, 5, 9, Telling(missing_share=0.0))
    assert isinstance(told := asked(short).positive, NotYet)
    assert told.missing.startswith("sessions that have feelings")


def test_nothing_written_down_is_not_yet(made: Told) -> None:
    told = after(made.reflections.clear(), made.ratings.drop("safe"))
    assert isinstance(told.positive, NotYet)
    assert isinstance(told.usual_positive, NotYet)


def test_feelings_that_never_change_settle_nothing(made: Told) -> None:
    flat = made.reflections.with_columns(strength=pl.lit(4.0))
    told = after(flat, made.ratings)
    assert isinstance(told.positive, NotYet)
    assert isinstance(told.usual_positive, NotYet)
    assert "do not settle it" in told.positive.missing


def test_what_cannot_be_taken_is_refused_in_words(made: Told) -> None:
    with pytest.raises(ColumnProblem, match="'warm' is named as positive and as negative"):
        next_session(made.reflections, made.ratings, WIDE, positive=["warm"], negative=["warm"])
    with pytest.raises(ColumnProblem, match="No positive feeling is named"):
        next_session(made.reflections, made.ratings, WIDE, positive=[], negative=["heavy"])
    with pytest.raises(ColumnProblem, match="None of the positive feelings proud is in these reflections"):
        next_session(made.reflections, made.ratings, WIDE, positive=["proud"], negative=["heavy"])
    with pytest.raises(TooLittle, match="outside the scale 0 to 1"):
        next_session(made.reflections, made.ratings, Measure(0, 1), positive=["warm"], negative=["heavy"])
