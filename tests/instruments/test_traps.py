"""What others have got wrong with these instruments, each as a claim about ours."""

from dataclasses import replace

import pytest

from attunement.errors import InstrumentProblem
from attunement.instruments import (
    Answers,
    Choice,
    Instrument,
    Scale,
    catalogue,
    instrument,
    of_others,
    reliable_change,
    score,
)

COUNTERTRANSFERENCE = ("care_scale", "cms", "fwc24", "fwc58", "fwc_bv")


def bands(which: str, scale: str, value: float) -> dict[str, str]:
    """The band of a score in each set, by the set's name."""
    return {each.id: each.of(value) for each in instrument(which).scale(scale).bands}


def turned(which: str) -> list[str]:
    return [item.id for item in instrument(which).items if item.reverse]


def skipped(asked: Instrument, **given: float) -> Answers:
    return asked.complete(given)


def holds_by_luhn(code: str) -> bool:
    """Whether the last digit of a LOINC code is the check digit of the rest (Luhn's, as LOINC says)."""
    body, _, check = code.partition("-")
    digits = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))]
    return (10 - sum(digit // 10 + digit % 10 for digit in digits) % 10) % 10 == int(check)


def coded(asked: Instrument) -> list[str]:
    choices = [choice.loinc for item in asked.items for choice in asked.choices_of(item)]
    parts = [
        asked.loinc,
        *(item.loinc for item in asked.items),
        *(scale.loinc for scale in asked.scales),
        *choices,
    ]
    return [code for code in parts if code]


@pytest.mark.parametrize(
    ("value", "abs_2012", "clinical"),
    [
        (10, "low", "likely to be well"),
        (15, "low", "likely to be well"),
        (16, "moderate", "likely to be well"),
        (19, "moderate", "likely to be well"),
        (20, "moderate", "mild"),
        (21, "moderate", "mild"),
        (22, "high", "mild"),
        (25, "high", "moderate"),
        (29, "high", "moderate"),
        (30, "very high", "severe"),
        (50, "very high", "severe"),
    ],
)
def test_the_two_band_sets_of_k10_disagree_and_each_has_its_name(
    value: float, abs_2012: str, clinical: str
) -> None:
    assert bands("k10", "total", value) == {"abs_2012": abs_2012, "clinical": clinical}


def test_a_k10_that_counts_from_0_is_none_of_ours() -> None:
    with pytest.raises(InstrumentProblem, match="k10: item1 is 0; it takes one of 1, 2, 3, 4, 5"):
        score(instrument("k10"), {item.id: 0 for item in instrument("k10").items})


@pytest.mark.parametrize(
    ("scale", "highest", "named"),
    [
        ("depression", 9, "normal"), ("depression", 10, "mild"), ("depression", 13, "mild"),
        ("depression", 14, "moderate"), ("depression", 20, "moderate"), ("depression", 21, "severe"),
        ("depression", 27, "severe"), ("depression", 28, "extremely severe"),
        ("anxiety", 7, "normal"), ("anxiety", 8, "mild"), ("anxiety", 9, "mild"), ("anxiety", 10, "moderate"),
        ("anxiety", 14, "moderate"), ("anxiety", 15, "severe"), ("anxiety", 19, "severe"),
        ("anxiety", 20, "extremely severe"),
        ("stress", 14, "normal"), ("stress", 15, "mild"), ("stress", 18, "mild"), ("stress", 19, "moderate"),
        ("stress", 25, "moderate"), ("stress", 26, "severe"), ("stress", 33, "severe"),
        ("stress", 34, "extremely severe"),
    ],
)  # fmt: skip
def test_the_bands_of_dass21_are_those_of_doubled_sums(scale: str, highest: float, named: str) -> None:
    assert bands("dass21", scale, highest) == {"lovibond_1995": named}


def test_a_dass21_sum_is_doubled_before_it_meets_its_band() -> None:
    """Seven answers that add up to 5 make 10, which is mild; a guide that prints bands of sums not doubled has
    anxiety normal up to 3, and would call the 8 of a sum of 4 severe."""
    depressed = {"item3": 1, "item5": 1, "item10": 1, "item13": 1, "item16": 1, "item17": 0, "item21": 0}
    anxious = {"item2": 1, "item4": 1, "item7": 1, "item9": 1, "item15": 0, "item19": 0, "item20": 0}
    scored = score(instrument("dass21"), skipped(instrument("dass21"), **depressed, **anxious))
    assert (scored["depression"], scored["anxiety"]) == (10, 8)
    assert bands("dass21", "depression", 10) == {"lovibond_1995": "mild"}
    assert bands("dass21", "anxiety", 8) == {"lovibond_1995": "mild"}


def test_depression_and_anxiety_of_dass21_are_not_the_wrong_way_round() -> None:
    """A public page gives each the other's items."""
    assert [name.removeprefix("item") for name in instrument("dass21").scale("depression").items] == [
        "3", "5", "10", "13", "16", "17", "21",
    ]  # fmt: skip
    assert [name.removeprefix("item") for name in instrument("dass21").scale("anxiety").items] == [
        "2", "4", "7", "9", "15", "19", "20",
    ]  # fmt: skip


def test_the_lowest_answer_of_gad7_is_coded_as_that_of_phq9_is() -> None:
    """A widespread copy has other words there (Zorowitz 2021, Lancet Psychiatry 8:180); LA6568-5 is as published."""
    for which in ("gad7", "phq9"):
        assert [(choice.value, choice.loinc) for choice in instrument(which).choices] == [
            (0, "LA6568-5"), (1, "LA6569-3"), (2, "LA6570-1"), (3, "LA6571-9"),
        ]  # fmt: skip


def test_item_2_of_gad7_has_loinc_s_code_without_loinc_s_own_answer() -> None:
    """LOINC's item 68509-9 has another text, and LA18938-3 for 2, where all other items have LA6570-1."""
    asked = instrument("gad7")
    second = asked.item("item2")
    assert second.loinc == "68509-9"
    assert [choice.loinc for choice in asked.choices_of(second)] == [each.loinc for each in asked.choices]
    assert "LA18938-3" not in coded(asked)
    assert "LA18938-3" in asked.key


def test_the_codes_of_phq9_s_difficulty_are_not_in_the_order_of_its_answers() -> None:
    choices = instrument("phq9").item("difficulty").choices
    assert [(choice.value, choice.loinc) for choice in choices] == [
        (0, "LA6572-7"), (1, "LA6573-5"), (2, "LA6575-0"), (3, "LA6574-3"),
    ]  # fmt: skip


def test_phq9_s_difficulty_moves_no_score() -> None:
    asked = instrument("phq9")
    nine = {f"item{number}": 1 for number in range(1, 10)}
    assert [score(asked, {**nine, "difficulty": each})["total"] for each in (None, 0, 3)] == [9, 9, 9]


def test_phq9_s_item_9_is_seen_where_all_else_was_skipped() -> None:
    asked = instrument("phq9")
    answers = skipped(asked, item9=1)
    assert score(asked, answers)["total"] is None
    assert asked.at_risk(answers) == {"item9": 1}


def test_phq9_s_item_9_is_seen_in_a_form_that_was_saved_half_done() -> None:
    assert instrument("phq9").at_risk({"item9": 2}) == {"item9": 2}


def test_phq9_s_item_9_is_seen_however_low_the_total_made_up_for_skips_is() -> None:
    asked = instrument("phq9")
    seven = dict.fromkeys(("item3", "item4", "item5", "item6", "item7", "item8"), 0)
    answers = skipped(asked, **seven, item9=1)
    assert score(asked, answers)["total"] == pytest.approx(9 / 7)
    assert bands("phq9", "total", 9 / 7) == {"kroenke_2001": "minimal"}
    assert asked.at_risk(answers) == {"item9": 1}


def test_phq9_s_item_9_is_never_left_out_of_the_nine() -> None:
    assert "item9" in instrument("phq9").scale("total").items


def test_a_0_on_item_9_is_not_called_risk_and_nothing_calls_it_safe() -> None:
    assert instrument("phq9").at_risk({"item9": 0}) == {}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate"),
        (15, "moderately severe"), (19, "moderately severe"), (20, "severe"), (27, "severe"),
    ],
)  # fmt: skip
def test_phq9_s_bands_meet_without_a_gap_or_an_overlap(value: float, named: str) -> None:
    assert bands("phq9", "total", value) == {"kroenke_2001": named}


@pytest.mark.parametrize(("value", "named"), [(4, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe")])
def test_gad7_s_bands_do_not_overlap_at_5(value: float, named: str) -> None:
    assert bands("gad7", "total", value) == {"spitzer_2006": named}


def test_phq9_s_reliable_change_of_the_nhs_is_another_than_the_smallest_that_matters() -> None:
    changes = instrument("phq9").scale("total").changes
    assert {(each.points, each.means) for each in changes} == {(6, "reliable"), (5, "meaningful")}
    assert all(each.source for each in changes)


def test_pcl5_s_criteria_of_change_disagree_and_each_has_its_source() -> None:
    changes = instrument("pcl5").scale("total").changes
    reliable = {each.points: each.source for each in changes if each.means == "reliable"}
    assert set(reliable) == {5, 15, 18}
    assert "Marx" in reliable[15]
    assert "Marx" in reliable[18]
    assert "older advice" in reliable[5]


def test_pcl5_s_cut_is_a_range_and_its_end_state_is_on_the_other_side() -> None:
    cutoffs = instrument("pcl5").scale("total").cutoffs
    assert [(each.value, each.side) for each in cutoffs] == [(31, "from"), (33, "from"), (28, "up to")]
    assert [each.holds(32) for each in cutoffs] == [True, False, False]
    assert [each.holds(28) for each in cutoffs] == [False, False, True]


def test_wai_s_turns_items_4_and_10_and_wai_sr_turns_none() -> None:
    assert turned("wai_s") == ["item4", "item10"]
    assert turned("wai_sr") == []


def test_wai_s_and_wai_sr_count_other_items_as_task_and_goal() -> None:
    revised, short = instrument("wai_sr"), instrument("wai_s")
    assert revised.scale("bond").items == short.scale("bond").items
    assert revised.scale("task").items != short.scale("task").items
    assert revised.scale("goal").items != short.scale("goal").items
    assert (revised.ends.high, short.ends.high) == (5, 7)


def test_wai_sr_is_the_client_s_of_2006_and_says_that_another_is_called_so_too() -> None:
    asked = instrument("wai_sr")
    assert (asked.asked_of, asked.version) == ("client", "2006")
    assert "Supervisory Relationships" in asked.source


@pytest.mark.parametrize("which", ["wai_sr", "wai_s"])
def test_no_bands_that_vendors_made_are_put_on_the_alliance(which: str) -> None:
    assert all(not scale.bands and not scale.cutoffs for scale in instrument(which).scales)


def test_core10_turns_items_2_and_3_and_asks_after_risk_in_item_6() -> None:
    asked = instrument("core10")
    assert turned("core10") == ["item2", "item3"]
    assert asked.at_risk(skipped(asked, item6=1)) == {"item6": 1}
    assert asked.at_risk(skipped(asked, item6=0, item2=4)) == {}


@pytest.mark.parametrize("which", ["core10", "core_om"])
def test_core_says_that_the_numbers_printed_on_its_form_are_turned_already(which: str) -> None:
    """CamCOPS keeps 4 for the best answer of items 2 and 3 (tasks/core10.py); turned twice, it would be the worst."""
    assert "are turned already and must be turned back before they come in" in instrument(which).key


def test_core10_takes_one_skipped_item_as_the_trust_says_and_core_om_one_in_ten() -> None:
    assert instrument("core10").scale("total").at_least == 9
    least = {scale.id: (len(scale.items), scale.at_least) for scale in instrument("core_om").scales}
    assert least == {
        "total": (34, 31), "without_risk": (28, 25), "well_being": (4, 4), "problems": (12, 11),
        "functioning": (12, 11), "risk": (6, 6),
    }  # fmt: skip


def test_core_om_turns_item_32_and_not_item_30() -> None:
    """A public scoring library has it the other way."""
    assert turned("core_om") == [f"item{number}" for number in (3, 4, 7, 12, 19, 21, 31, 32)]


def test_core_om_s_scales_divide_its_items_and_all_of_risk_ask_for_a_look() -> None:
    asked = instrument("core_om")
    parts = [asked.scale(name).items for name in ("well_being", "problems", "functioning", "risk")]
    assert sorted(name for part in parts for name in part) == sorted(asked.scale("total").items)
    assert {item.id for item in asked.items if item.risk_from is not None} == set(asked.scale("risk").items)


def test_up_to_two_of_the_care_measure_may_not_apply() -> None:
    asked = instrument("care_measure")
    eight = {f"item{number}": 4 for number in range(1, 9)}
    assert score(asked, skipped(asked, **eight))["total"] == 40
    seven = {name: value for name, value in eight.items() if name != "item1"}
    assert score(asked, skipped(asked, **seven))["total"] is None


def test_the_care_measure_and_the_care_scale_are_two_and_each_names_the_other() -> None:
    measure, scale = instrument("care_measure"), instrument("care_scale")
    assert (measure.asked_of, scale.asked_of) == ("client", "therapist")
    assert "care_scale" in measure.source
    assert "care_measure" in scale.source


def test_blri_has_no_answer_0() -> None:
    asked = instrument("blri")
    first = asked.item("item1")
    assert [value for value in range(-3, 4) if asked.holds(first, value)] == [-3, -2, -1, 1, 2, 3]


@pytest.mark.parametrize("which", ["srs", "ors", "oq45"])
def test_srs_ors_and_oq45_have_no_items_and_take_no_answers(which: str) -> None:
    asked = instrument(which)
    assert (asked.items, asked.choices, asked.words) == ((), (), "totals only")
    with pytest.raises(InstrumentProblem, match=f"^{which}: a total is taken, and no answers to items.$"):
        score(asked, {"item1": 5})


@pytest.mark.parametrize(("which", "limits"), [("srs", (0, 40)), ("ors", (0, 40)), ("oq45", (0, 180))])
def test_their_totals_have_limits(which: str, limits: tuple[float, float]) -> None:
    assert instrument(which).bounds(instrument(which).scale("total")) == limits


def test_srs_has_one_total_and_no_line_of_its_own_is_taken() -> None:
    assert [scale.id for scale in instrument("srs").scales] == ["total"]


@pytest.mark.parametrize("which", COUNTERTRANSFERENCE)
def test_measures_of_countertransference_have_no_cut_no_band_and_no_norm(which: str) -> None:
    for scale in instrument(which).scales:
        assert (scale.cutoffs, scale.bands, scale.changes, scale.sd) == ((), (), (), None)


def test_only_codes_that_were_verified_are_there_and_each_holds_by_its_check_digit() -> None:
    assert {each.id for each in (*catalogue(), *of_others()) if coded(each)} == {"phq9", "gad7"}
    for which in ("phq9", "gad7"):
        numbers = [code for code in coded(instrument(which)) if not code.startswith("LA")]
        assert len(numbers) == len(instrument(which).items) + 2  # the panel and its total
        assert all(map(holds_by_luhn, numbers))


def test_a_slip_in_a_code_would_be_seen() -> None:
    assert holds_by_luhn("44261-6")
    assert not holds_by_luhn("44216-6")


def test_the_panels_items_and_totals_have_the_codes_of_hl7_s_pco_guide() -> None:
    phq9, gad7 = instrument("phq9"), instrument("gad7")
    assert [item.loinc for item in phq9.items] == [
        "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8", "69722-7",
    ]  # fmt: skip
    assert [item.loinc for item in gad7.items] == [
        "69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7",
    ]  # fmt: skip
    assert (phq9.loinc, phq9.scale("total").loinc) == ("44249-1", "44261-6")
    assert (gad7.loinc, gad7.scale("total").loinc) == ("69737-5", "70274-6")


@pytest.mark.parametrize("scale", ["satisfaction", "burnout", "traumatic_stress"])
@pytest.mark.parametrize(
    ("value", "named"), [(10, "low"), (22, "low"), (23, "moderate"), (41, "moderate"), (42, "high")]
)
def test_proqol_s_bands_are_of_sums(scale: str, value: float, named: str) -> None:
    assert bands("proqol5", scale, value) == {"stamm_2010": named}


def test_who5_is_a_percentage_and_high_is_good() -> None:
    total: Scale = instrument("who5").scale("total")
    assert (instrument("who5").bounds(total), total.higher) == ((0, 100), "better")
    assert [(each.value, each.side) for each in total.cutoffs] == [(50, "up to"), (28, "up to")]


def test_core10_s_reliable_change_at_95_percent_is_larger_than_the_published_one_at_90() -> None:
    """1.96 * 7.7 * sqrt(2 * (1 - .90)) = 1.96 * 7.7 * 0.44721 = 6.75; at 90 %, 1.645 times the same is 5.66, so 6."""
    assert reliable_change(instrument("core10")) == pytest.approx(6.75, abs=0.005)
    assert instrument("core10").scale("total").changes[0].points == 6


def test_what_a_page_could_not_draw_is_no_instrument() -> None:
    state = instrument("state")
    wide = replace(state.ends, high=101)
    with pytest.raises(InstrumentProblem, match="ends: they are 101 points apart; up to 100 can be asked"):
        replace(state, ends=wide)
    assert replace(state, ends=replace(state.ends, high=100)).ends.high == 100
    many = tuple(Choice(value, state.intro) for value in range(51))
    with pytest.raises(InstrumentProblem, match="choices: there are 51; up to 50 can be asked"):
        replace(state, choices=many)
    with pytest.raises(InstrumentProblem, match=f"item {state.items[0].id}: choices: there are 51"):
        replace(state, items=(replace(state.items[0], choices=many), *state.items[1:]))
    assert replace(state, choices=many[:50], ends=wide).choices
