"""Engagement in words: what is told, from when on, what is never told, and that nothing is told where nothing is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.errors import ColumnProblem
from attunement.findings import Finding, NotYet
from attunement.impact import Engagement, engagement
from attunement.impact.hazard import HazardPrior
from attunement.simulate import simulate
from attunement.simulate.leaving import Leaving, Left, leaving
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from attunement.instruments.description import Language

MEASURE = Measure(0, 10)
STRONG = Leaving(base=0.03, slope=1.0)
DYAD = ["therapist", "client"]


def left(clients: int, seed: int, how: Leaving | None = None, therapists: int = 1) -> Left:
    return leaving(simulate(therapists, clients, seed=seed), how, seed=seed)


@pytest.fixture(scope="module")
def made() -> Left:
    """A practice in which leaving goes strongly with the bond."""
    return left(130, 3, STRONG)


@pytest.fixture(scope="module")
def found(made: Left) -> Engagement:
    return engagement(made.ratings, made.endings, MEASURE)


@pytest.fixture(scope="module")
def aimless() -> Engagement:
    """A practice in which leaving goes with nothing."""
    made = left(100, 5, Leaving(base=0.03, slope=0.0, early=1.0))
    return engagement(made.ratings, made.endings, MEASURE)


def test_where_the_bond_matters_it_is_told_with_how_many_of_a_hundred(found: Engagement) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert "Clients with a weaker connection leave more often here." in told.sentence
    assert "one standard deviation" in told.sentence
    assert told.estimate.low > 0
    assert told.estimate.unit == "share"


def test_pairs_and_calibration_stand_in_the_sentence_and_in_the_evidence(found: Engagement) -> None:
    told = found.all
    assert isinstance(told, Finding)
    assert "of 100 pairs right" in told.sentence
    assert "Expect about 65" in told.sentence
    assert "come true" in told.sentence
    parts = set(told.evidence["part"])
    assert {"pairs told right", "calibration slope", "calibration intercept"} <= parts
    assert (
        (told.evidence["low"] <= told.evidence["value"]) & (told.evidence["value"] <= told.evidence["high"])
    ).all()


def test_calibration_is_a_table_by_tenths(found: Engagement) -> None:
    assert found.calibration.columns == ["tenth", "rows", "told", "happened", "share", "low", "high"]
    assert found.calibration.height == 10


def test_it_never_takes_the_place_of_asking_and_is_called_going_together(found: Engagement) -> None:
    here = found.now["client"][0]
    for told in (found.all, found.of(here)):
        assert isinstance(told, Finding)
        assert any("never takes the place of asking" in limit for limit in told.limits)
        assert any("Which one leads to the other" in limit for limit in told.limits)


def test_of_one_client_there_is_a_chance_beside_that_of_all_and_no_verdict(found: Engagement) -> None:
    for client in found.now["client"].head(8):
        told = found.of(client)
        assert isinstance(told, Finding)
        assert "not a verdict" in told.sentence
        assert "at this stage" in told.sentence
        assert 0 < told.estimate.low < told.estimate.value < told.estimate.high < 1


def test_who_has_a_weaker_bond_has_the_higher_chance_and_the_frame_says_the_same(found: Engagement) -> None:
    table = found.frame().join(found.now.select(*DYAD, "connection"), on=DYAD).drop_nulls("chance")
    assert table.height == found.now.height
    assert table.select(pl.corr("connection", "chance", method="spearman")).item() < -0.5
    row = table.row(0, named=True)
    told = found.of(row["client"])
    assert isinstance(told, Finding)
    assert told.estimate.value == pytest.approx(row["chance"])


def test_the_chance_of_all_is_that_of_the_truth(made: Left, found: Engagement) -> None:
    assert found.staying is not None
    later = made.truth.filter(pl.col("session") > 3)["hazard"].drop_nulls()
    stays = 1 - later.to_numpy()
    base = found.staying.base(10)
    assert base.low <= (1 - stays**4).mean() <= base.high


def test_where_nothing_goes_together_no_client_is_told_of(aimless: Engagement) -> None:
    assert isinstance(aimless.all, Finding)
    assert "leave more often here." not in aimless.all.sentence.replace("is not clear yet", "")
    here = aimless.now["client"][0]
    told = aimless.of(here)
    assert isinstance(told, NotYet)
    assert "not shown to be better than a guess" in told.sentence
    assert aimless.frame()["chance"].null_count() == aimless.frame().height


def test_what_the_prior_lends_is_called_so() -> None:
    made = left(90, 11, Leaving(base=0.02, slope=0.3))
    sure = HazardPrior({"connection": (-0.55, 0.05)}, source="a firm belief")
    told = engagement(made.ratings, made.endings, MEASURE, prior=sure).all
    assert isinstance(told, Finding)
    assert "Elsewhere, clients with a weaker connection leave more often." in told.sentence
    assert "leave more often here" not in told.sentence
    assert any("a firm belief" in limit for limit in told.limits)


def test_the_prior_can_be_switched_off_and_other_languages_say_the_same(
    made: Left, found: Engagement
) -> None:
    alone = engagement(made.ratings, made.endings, MEASURE, prior=None, language="es")
    assert isinstance(alone.all, Finding)
    assert isinstance(found.all, Finding)
    assert len(alone.all.limits) == len(found.all.limits) - 1
    assert any("published figures" in limit for limit in found.all.limits)


def test_several_therapists_may_differ_and_none_is_ranked() -> None:
    made = left(18, 8, Leaving(base=0.05, slope=0.8, therapist_sd=0.6), therapists=5)
    found = engagement(made.ratings, made.endings, MEASURE)
    assert isinstance(found.all, Finding)
    assert found.staying is not None
    assert found.staying.therapists
    assert not any(name in found.all.sentence or name in str(found.all.evidence["part"].to_list())
                   for name in found.staying.therapists)  # fmt: skip


def test_attendance_comes_in_where_there_is_a_table_of_it(made: Left) -> None:
    word = pl.when(pl.int_range(pl.len()) % 7 == 0).then(pl.lit("late")).otherwise(pl.lit("held"))
    sessions = made.ratings.select(*DYAD, "session", "time").with_columns(attendance=word)
    found = engagement(made.ratings, made.endings, MEASURE, sessions=sessions)
    assert found.staying is not None
    assert {"late", "gap"} <= set(found.staying.expected.names)
    assert "absent" not in found.staying.expected.names


# -- what is not told yet


def test_without_endings_there_is_nothing(made: Left) -> None:
    none = made.endings.with_columns(client=pl.lit("nobody")).head(1)
    told = engagement(made.ratings, none, MEASURE).all
    assert isinstance(told, NotYet)
    assert "no therapy with a known ending" in told.sentence


def test_few_clients_and_few_who_left_are_not_enough(made: Left) -> None:
    few = engagement(made.ratings, made.endings.head(19), MEASURE)
    assert isinstance(few.all, NotYet)
    assert "clients with a known ending: 19" in few.all.sentence
    stayed = made.endings.filter(pl.col("ending") != "left")
    nine = pl.concat([stayed, made.endings.filter(ending="left").head(9)])
    told = engagement(made.ratings, nine, MEASURE)
    assert isinstance(told.all, NotYet)
    assert "left without agreement: 9" in told.all.sentence
    assert isinstance(told.of(stayed["client"][0]), NotYet)
    assert told.calibration.is_empty()
    assert told.frame().height == made.ratings.select(DYAD).unique().height


def test_a_therapy_that_is_over_has_no_chance(made: Left, found: Engagement) -> None:
    gone = made.endings.filter(ending="left")["client"][0]
    told = found.of(gone)
    assert isinstance(told, NotYet)
    assert "has ended" in told.sentence


def test_one_whose_ending_is_not_noted_is_left_out(made: Left) -> None:
    whom = made.endings.filter(ending="still here")["client"][0]
    found = engagement(made.ratings, made.endings.filter(pl.col("client") != whom), MEASURE)
    told = found.of(whom)
    assert isinstance(told, NotYet)
    assert "not noted" in told.sentence


# -- at the door


@pytest.mark.parametrize("language", ["en", "es"])
def test_everything_has_a_sentence_in_both_languages(
    found: Engagement, aimless: Engagement, language: Language
) -> None:
    for each in (replace(found, language=language), replace(aimless, language=language)):
        assert each.all.sentence
        for client in each.met["client"].head(12):
            assert each.of(client).sentence


def test_what_cannot_be_taken_is_said(made: Left, found: Engagement) -> None:
    with pytest.raises(ColumnProblem, match="ending is one of agreed, left and still here"):
        engagement(made.ratings, made.endings.with_columns(ending=pl.lit("gone")), MEASURE)
    with pytest.raises(ColumnProblem, match="the column ending is missing"):
        engagement(made.ratings, made.endings.drop("ending"), MEASURE)
    with pytest.raises(ColumnProblem, match="each therapy is one row"):
        engagement(made.ratings, pl.concat([made.endings, made.endings.head(1)]), MEASURE)
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        found.of("nobody")
