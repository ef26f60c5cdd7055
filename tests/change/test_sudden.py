"""Sudden gains and losses: the three criteria, sessions missed, reversals; against R step by step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attunement.change import Criteria, intervals, jumped, jumps
from attunement.errors import InputError
from attunement.findings import NotYet

REFERENCE = Path(__file__).parents[1] / "reference"
R: dict[str, Any] = json.loads((REFERENCE / "change.json").read_text(encoding="utf-8"))
SGDATA = Path(__file__).parents[2].parent / "shared" / "data" / "outcomes" / "sgdata.csv"
BDI = Criteria(7)

Scores = list[int | None]
courses = st.lists(st.one_of(st.none(), st.integers(0, 60)), min_size=2, max_size=14)


def course(*scores: float | None, client: str = "K-07") -> pl.DataFrame:
    """One client's scores from session 1 on; None is a session missed."""
    return pl.DataFrame(
        {
            "client": [client] * len(scores),
            "session": range(1, len(scores) + 1),
            "instrument": ["bdi"] * len(scores),
            "outcome": pl.Series(scores, dtype=pl.Float64),
        }
    )


def steps(table: pl.DataFrame, kind: str = "gain", criteria: Criteria = BDI) -> list[int]:
    return jumps(table, criteria).filter(kind=kind)["session"].to_list()


@pytest.mark.parametrize("kind", ["gain", "loss"])
def test_every_step_of_eighty_courses_with_gaps_is_judged_as_in_r(kind: str) -> None:
    table = pl.read_csv(REFERENCE / "data" / "change_courses.csv").with_columns(instrument=pl.lit("bdi"))
    judged = intervals(table, BDI)
    theirs = R["gains" if kind == "gain" else "losses"]
    mine = (
        judged.filter(kind=kind).select(pl.col("client").cast(pl.Int64), "session").sort("client", "session")
    )
    assert [list(row) for row in mine.rows()] == theirs["at"]
    assert judged["judged"].sum() == theirs["judged"]


# suddengains 0.7.2, tests/testthat/test-identify_sg.R
@pytest.mark.parametrize(
    ("scores", "gains"),
    [
        ((35, 37, 23, 23, 24, 21), [2]),
        ((35, 37, 34, 24, 24, 21), [3]),
        ((35, 37, 34, 34, 24, 21), [4]),
        ((35, 37, 34, 37, 37, 37), []),
        ((28, 19, 23, 12, 13, None), []),
        ((28, 19, 23, 11, 12, None), [3]),
        ((28, 19, None, 12, 13, None), []),
        ((28, 26, 28, 11, 12, None), [3]),
        ((None, 26, 28, None, 12, 11), []),
    ],
)
def test_gains_are_those_of_the_r_package(scores: tuple[float | None, ...], gains: list[int]) -> None:
    assert steps(course(*scores)) == gains


# suddengains 0.7.2, tests/testthat/test-identify_sl.R
@pytest.mark.parametrize(
    ("scores", "losses"),
    [
        ((10, 11, 12, 30, 28, 33), [3]),
        ((10, 11, 12, 10, 28, 33), [4]),
        ((10, 11, 30, 30, 28, 33), [2]),
        ((35, 37, 34, 23, 24, 21), []),
    ],
)
def test_losses_are_those_of_the_r_package(scores: tuple[float, ...], losses: list[int]) -> None:
    assert steps(course(*scores), "loss") == losses


def test_the_critical_t_falls_with_the_scores_around_the_step() -> None:
    # Lutz et al. (2013), Psychotherapy Research 23:14-24, and the documentation of suddengains
    assert [BDI.critical(scores) for scores in (6, 5, 4)] == pytest.approx([2.776, 3.182, 4.303], abs=5e-4)


def test_a_step_must_reach_the_cutoff_and_a_quarter_of_the_score() -> None:
    assert steps(course(40, 40, 40, 31, 31, 31)) == []  # 9 of 40 is less than a quarter
    assert steps(course(40, 40, 40, 30, 30, 30)) == [3]
    assert steps(course(20, 20, 20, 14, 14, 14)) == []  # 6 is less than 7
    assert steps(course(20, 20, 20, 13, 13, 13)) == [3]


def test_the_first_and_the_last_step_are_never_judged() -> None:
    table = intervals(course(40, 20, 20, 20, 20, 5), BDI)
    assert table.filter(~pl.col("judged"))["session"].to_list() == [1, 5]


def test_a_missed_session_leaves_its_place_empty() -> None:
    gap = course(30, 30, None, 12, 12, 12)
    assert intervals(gap, BDI)["session"].to_list() == [1, 4, 5]  # no step into or out of session 3
    two_a_side = intervals(course(None, 30, 30, 12, None, 12), BDI).filter(session=3).row(0, named=True)
    assert (two_a_side["n_before"], two_a_side["n_after"], two_a_side["kind"]) == (2, 2, "gain")


def test_a_gain_is_reversed_once_more_than_half_of_it_is_lost() -> None:
    kept = jumps(course(30, 30, 30, 20, 20, 20, 25), BDI)
    lost = jumps(course(30, 30, 30, 20, 20, 20, 25, 26, 27), BDI)
    assert kept["reversed"].to_list() == [False]  # exactly half is not more than half
    assert lost["reversed_at"].to_list() == [8]


def test_a_loss_is_reversed_the_other_way() -> None:
    assert jumps(course(10, 10, 10, 20, 20, 20, 14), BDI)["reversed_at"].to_list() == [7]


@given(courses)
def test_where_higher_is_better_the_mirrored_course_has_the_same_steps(scores: Scores) -> None:
    mirrored = course(*(None if score is None else 60 - score for score in scores))
    up = Criteria(7, higher="better", best=60)
    for kind in ("gain", "loss"):
        assert steps(course(*scores), kind) == steps(mirrored, kind, up)


@given(courses)
def test_on_a_scale_of_other_points_the_steps_are_the_same(scores: Scores) -> None:
    wider = course(*(None if score is None else 4 * score for score in scores))  # 4: exact in binary
    for kind in ("gain", "loss"):
        assert steps(course(*scores), kind) == steps(wider, kind, Criteria(28))


@given(courses)
def test_a_gain_goes_down_and_a_loss_goes_up_and_no_step_is_both(scores: Scores) -> None:
    table = intervals(course(*scores), BDI)
    assert table.select("client", "session").is_duplicated().sum() == 0
    assert (table.filter(kind="gain")["step"] >= 7).all()
    assert (table.filter(kind="loss")["step"] <= -7).all()


@given(courses)
def test_without_the_share_more_is_found_and_never_less(scores: Scores) -> None:
    assert set(steps(course(*scores))) <= set(steps(course(*scores), criteria=Criteria(7, share=0)))


def test_clients_do_not_reach_into_each_other() -> None:
    one, other = course(30, 30, 30), course(12, 12, 12, client="L-01").with_columns(pl.col("session") + 3)
    assert jumps(pl.concat([one, other]), BDI).is_empty()


def test_a_finding_says_when_how_much_and_whether_it_lasted() -> None:
    (found,) = jumped(course(35, 37, 34, 23, 24, 21, 29), BDI)  # type: ignore[misc]
    assert found.about == "sudden gain of K-07"
    assert found.sentence.endswith("More than half of it was lost again by session 7.")
    # means 35.33 and 22.67, pooled SD 1.5275, t 2.776 with 4 df, sqrt(2/3): by hand
    assert (found.estimate.low, found.estimate.high) == pytest.approx((-16.129, -9.204), abs=1e-3)
    assert any("18 to 71 %" in limit for limit in found.limits)


def test_a_loss_that_is_made_up_is_told_so() -> None:
    (found,) = jumped(course(10, 10, 10, 20, 20, 20, 14), Criteria(7, reversal=0.25))  # type: ignore[misc]
    assert "10 points for the worse" in found.sentence
    assert found.sentence.endswith("More than 25 % of it was made up by session 7.")


def test_a_steady_course_has_no_finding_and_a_short_one_cannot_be_judged() -> None:
    assert jumped(course(20, 19, 18, 17, 16, 15), BDI) == ()
    said = jumped(course(20, 10, 9), BDI)
    assert isinstance(said, NotYet)
    assert said.about == "sudden changes of K-07"
    assert isinstance(jumped(course(20).head(0), BDI), NotYet)


def test_four_scores_in_a_row_are_enough_to_be_judged() -> None:
    assert intervals(course(20, 20, 5, 5), BDI)["judged"].to_list() == [False, True, False]


def test_tables_of_two_people_or_two_instruments_are_refused() -> None:
    two = pl.concat([course(20, 20), course(20, 20, client="L-01")])
    with pytest.raises(InputError, match="The outcomes are of 2 clients; take the rows of one"):
        jumped(two, BDI)
    mixed = pl.concat([course(20, 20), course(9, 9).with_columns(instrument=pl.lit("gad7"))])
    with pytest.raises(InputError, match="The outcomes are of bdi and gad7; scores of two instruments"):
        jumps(mixed, BDI)


def test_criteria_that_would_find_anything_are_refused() -> None:
    with pytest.raises(InputError, match="The cutoff of a sudden gain is 0 points; it lies above 0"):
        Criteria(0)
    with pytest.raises(InputError, match="sudden gains need the best score"):
        Criteria(7, higher="better")
    with pytest.raises(InputError, match="share is 25; it lies between 0 and 1"):
        Criteria(7, share=25)
    with pytest.raises(InputError, match="risk is 0; it lies between 0 and 1"):
        Criteria(7, risk=0)


# suddengains 0.7.2, tests/testthat/test-describe_sg.R; the losses: ENGINE.md 2.6
@pytest.mark.skipif(
    not SGDATA.exists(), reason="the example data of suddengains are not beside this checkout"
)
def test_the_example_data_of_suddengains_give_its_documented_figures() -> None:
    sessions = [f"bdi_s{number}" for number in range(1, 13)]
    wide = pl.read_csv(SGDATA, null_values="NA").unpivot(index="id", on=sessions)
    table = wide.select(
        client="id",
        session=pl.col("variable").str.strip_prefix("bdi_s").cast(pl.Int64),
        instrument=pl.lit("bdi"),
        outcome="value",
    )
    gains = jumps(table, BDI).filter(kind="gain")
    assert (gains.height, gains["client"].n_unique(), gains["reversed"].sum()) == (24, 15, 4)
    assert (gains["step"].mean(), gains["step"].std()) == pytest.approx((11.00, 3.43), abs=0.005)
    earliest = gains.sort("session").unique("client", keep="first")
    assert earliest["reversed"].sum() == 3
    assert (earliest["step"].mean(), earliest["step"].std()) == pytest.approx((11.40, 3.98), abs=0.005)
    assert (gains["client"].value_counts()["count"] > 1).sum() == 8
    assert len(steps(table, "loss")) == 3
