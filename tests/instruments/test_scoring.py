import math
from typing import cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attunement.errors import InstrumentProblem
from attunement.instruments import Answers, Instrument, catalogue, instrument, score, score_frame

ALL_ANSWERED: Answers = {
    "safe": 8,
    "understood": 9,
    "supported": 7,
    "not_judged": 10,
    "could_say": 6,
    "contact": 5,
    "matters": 4,
    "hindering": 3,
}  # 8 + 9 + 7 + 10 + 6 + 5 + 4 = 49, and 49 / 7 = 7


def skipping(*names: str) -> Answers:
    return {name: None if name in names else answer for name, answer in ALL_ANSWERED.items()}


def test_the_total_is_the_mean_of_the_seven_lines() -> None:
    assert score(instrument("connection"), ALL_ANSWERED)["total"] == 7.0


def test_what_got_in_the_way_is_kept_apart_and_moves_no_scale() -> None:
    much = score(instrument("connection"), {**ALL_ANSWERED, "hindering": 10})
    none = score(instrument("connection"), {**ALL_ANSWERED, "hindering": 0})
    assert (much["hindering"], none["hindering"]) == (10.0, 0.0)
    assert much.scales == none.scales


def test_empathy_non_judgment_and_openness_are_one_line_each() -> None:
    scored = score(instrument("connection"), ALL_ANSWERED)
    assert [scored[name] for name in ("empathy", "non_judgment", "openness")] == [9.0, 10.0, 6.0]


def test_a_heavy_week_lowers_the_state_because_distress_is_turned() -> None:
    heavy = {"distress": 8, "relationships": 6, "daily_life": 5, "hope": 3, "safety": 0}
    assert score(instrument("state"), heavy)["total"] == 4.0  # (2 + 6 + 5 + 3) / 4


def test_a_reversed_item_is_turned_about_the_middle_of_the_ends(warmth: Instrument) -> None:
    scored = score(warmth, {"near": 5, "cold": 1, "light": 5, "noise": 1})
    assert scored["total"] == 5.0  # on 1 to 5, a 1 turns into a 5


def test_a_sum_adds_up_points(warmth: Instrument) -> None:
    assert score(warmth, {"near": 4, "cold": 2, "light": 3, "noise": 1})["points"] == 11.0  # 4 + (6 - 2) + 3


def test_a_sum_with_a_skipped_item_is_prorated_to_all_items(warmth: Instrument) -> None:
    assert score(warmth, {"near": 4, "cold": None, "light": 3, "noise": 1})["points"] == 10.5  # 3 * 7 / 2


def test_two_skipped_lines_leave_the_mean_of_the_other_five() -> None:
    scored = score(instrument("connection"), skipping("not_judged", "matters"))
    assert scored["total"] == 7.0  # (8 + 9 + 7 + 6 + 5) / 5
    assert (scored.scales[0].answered, scored.scales[0].skipped) == (5, 2)


def test_three_skipped_lines_are_too_many_and_the_total_is_missing() -> None:
    scored = score(instrument("connection"), skipping("safe", "contact", "matters"))
    assert scored["total"] is None
    assert scored["empathy"] == 9.0


def test_nothing_answered_gives_no_score_and_no_guess() -> None:
    scored = score(instrument("connection"), skipping(*ALL_ANSWERED))
    assert all(one.value is None and one.answered == 0 for one in scored.scales)
    assert scored["hindering"] is None


def test_skipping_is_recorded_by_name() -> None:
    scored = score(instrument("connection"), skipping("contact", "hindering"))
    assert scored.skipped == ("contact", "hindering")
    assert scored.answered == ("safe", "understood", "supported", "not_judged", "could_say", "matters")


def test_a_zero_is_an_answer_and_no_skip() -> None:
    scored = score(instrument("growth"), {"grown": 0})
    assert scored["total"] == 0.0
    assert scored.skipped == ()


def test_a_score_carries_its_direction_its_bounds_and_its_version(warmth: Instrument) -> None:
    points = score(warmth, {"near": 4, "cold": 2, "light": 3, "noise": 1}).scales[1]
    assert (points.low, points.high, points.higher) == (3, 15, "closer")
    growth = score(instrument("growth"), {"grown": 5})
    assert (growth.instrument, growth.version, growth.scales[0].higher) == ("growth", "1", "better")


def test_a_score_prints_as_a_short_report() -> None:
    printed = str(score(instrument("connection"), skipping("safe", "understood", "supported", "hindering")))
    assert printed.splitlines() == [
        "connection, version 1",
        "  total: missing, 4 of 7 answered",
        "  empathy: missing, 0 of 1 answered",
        "  non_judgment: 10.0 on 0 to 10, higher is closer, 1 of 1 answered",
        "  openness: 6.0 on 0 to 10, higher is closer, 1 of 1 answered",
        "  hindering, apart: skipped",
        "  skipped: safe, understood, supported, hindering",
    ]


def test_asking_for_a_score_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(
        InstrumentProblem, match=r"connection: 'trust' is none of its scores \(total, empathy"
    ):
        score(instrument("connection"), ALL_ANSWERED)["trust"]


@pytest.mark.parametrize("number", [11, -1, 10.5, math.nan, math.inf])
def test_an_answer_beyond_the_ends_is_refused(number: float) -> None:
    with pytest.raises(InstrumentProblem) as refusal:
        score(instrument("connection"), {**ALL_ANSWERED, "safe": number})
    assert str(refusal.value) == (
        f"connection: safe is {number}; it takes a number from 0 to 10, or nothing where it was skipped."
    )


@pytest.mark.parametrize("wrong", [True, False, np.bool_(1), "7", "", [7], 7j])
def test_an_answer_that_is_no_number_is_refused(wrong: object) -> None:
    answers = cast("Answers", {**ALL_ANSWERED, "safe": wrong})
    with pytest.raises(InstrumentProblem, match=r"connection: safe is .*; it takes a number from 0 to 10"):
        score(instrument("connection"), answers)


@pytest.mark.parametrize("seven", [7, 7.0, np.int64(7), np.float32(7)])
def test_any_kind_of_number_is_an_answer(seven: object) -> None:
    assert score(instrument("growth"), cast("Answers", {"grown": seven}))["total"] == 7.0


def test_an_answer_to_a_line_that_was_not_asked_is_refused() -> None:
    with pytest.raises(InstrumentProblem, match=r"growth: 'hope' is none of its items \(grown\)\."):
        score(instrument("growth"), {"grown": 5, "hope": 5})


def test_a_line_that_was_never_asked_is_not_taken_for_skipped() -> None:
    with pytest.raises(
        InstrumentProblem, match=r"growth: grown has no answer; where it was skipped, say None\."
    ):
        score(instrument("growth"), {})


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)


def _frames(asked: Instrument) -> st.SearchStrategy[list[dict[str, float | None]]]:
    number = st.integers(asked.ends.low, asked.ends.high) | st.floats(asked.ends.low, asked.ends.high)
    return st.lists(st.fixed_dictionaries({item.id: st.none() | number for item in asked.items}), max_size=8)


@given(data=st.data())
def test_a_frame_and_single_check_ins_give_the_same_scores(warmth: Instrument, data: st.DataObject) -> None:
    asked = data.draw(st.sampled_from([*catalogue(), warmth]))
    rows = data.draw(_frames(asked))
    frame = pl.DataFrame(rows, schema={item.id: pl.Float64 for item in asked.items}, strict=False)
    scored = score_frame(asked, frame)
    assert scored.schema == {scale.id: pl.Float64 for scale in asked.scales}
    for row, numbers in zip(rows, scored.iter_rows(named=True), strict=True):
        for one in score(asked, row).scales:
            assert same(one.value, numbers[one.scale])


@given(data=st.data())
def test_a_score_lies_between_its_bounds_or_is_missing(warmth: Instrument, data: st.DataObject) -> None:
    for row in data.draw(_frames(warmth)):
        for one in score(warmth, row).scales:
            assert one.value is None or one.low - 1e-9 <= one.value <= one.high + 1e-9


@given(data=st.data())
def test_a_score_is_missing_exactly_where_too_few_were_answered(
    warmth: Instrument, data: st.DataObject
) -> None:
    for row in data.draw(_frames(warmth)):
        for one, scale in zip(score(warmth, row).scales, warmth.scales, strict=True):
            assert (one.value is None) == (one.answered < scale.at_least)


def test_a_frame_of_whole_numbers_with_who_and_when_beside_them_is_scored() -> None:
    frame = pl.DataFrame({"client": ["K-07", "K-07"], "session": [1, 2], "grown": [4, None]})
    assert score_frame(instrument("growth"), frame).to_dict(as_series=False) == {"total": [4.0, None]}


def test_a_line_that_everybody_skipped_is_a_column_of_nulls() -> None:
    frame = pl.DataFrame(
        {"distress": [5], "relationships": [5], "daily_life": [5], "hope": [None], "safety": [None]}
    )
    assert score_frame(instrument("state"), frame)["total"].to_list() == [5.0]


def test_scores_stand_beside_their_answers_without_a_clash_of_names() -> None:
    frame = pl.DataFrame([ALL_ANSWERED])
    assert frame.hstack(score_frame(instrument("connection"), frame)).width == 8 + 4


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        (
            [3, 11, 12],
            "the column grown has 11 in row 2, the first of 2 such rows; it takes a number",
        ),
        ([1.0, 2.0, math.nan], "the column grown has nan in row 3; it takes a number from 0 to 10"),
        ([True, False, True], "the column grown holds Boolean; it takes a number from 0 to 10"),
        (["7", "8", "9"], "the column grown holds String; it takes a number from 0 to 10"),
    ],
)
def test_a_frame_is_refused_with_the_column_and_the_row(column: list[object], complaint: str) -> None:
    with pytest.raises(InstrumentProblem, match=f"^growth: {complaint}"):
        score_frame(instrument("growth"), pl.DataFrame({"grown": column}))


def test_a_frame_without_an_item_is_refused() -> None:
    with pytest.raises(InstrumentProblem, match="growth: the column grown is missing"):
        score_frame(instrument("growth"), pl.DataFrame({"client": ["K-07"]}))


@pytest.mark.parametrize(("answer", "asks"), [(None, False), (0, False), (1, True), (10, True)])
def test_an_answer_on_safety_asks_for_a_look_whatever_the_rest_says(answer: float | None, asks: bool) -> None:
    well = {"distress": 0, "relationships": 10, "daily_life": 10, "hope": 10, "safety": answer}
    assert bool(instrument("state").at_risk(well)) is asks
    assert bool(instrument("state").at_risk({"safety": answer})) is asks  # a partial save keeps it
