"""What each instrument of others scores, against examples computed by hand from its published key.

Every expected number stands with its sum. For the keys, see `key` in each file of ``catalogue/others/``.
"""

from collections.abc import Mapping

import polars as pl
import pytest

from attunement.errors import InstrumentProblem
from attunement.instruments import Answers, instrument, of_others, score, score_frame

Expected = Mapping[str, float | None]

CORE_OM_TURNED = (3, 4, 7, 12, 19, 21, 31, 32)
HAQ2_TURNED = (4, 8, 11, 16, 19)
CHS_TURNED = (3, 6, 8, 10, 11)
PROQOL5_TURNED = (1, 4, 15, 17, 29)


def listed(*values: float | None) -> Answers:
    return {f"item{number}": value for number, value in enumerate(values, 1)}


def all_of(count: int, value: float, *but: tuple[int, float | None]) -> Answers:
    """The same answer to all, but for some items by number."""
    return {**listed(*[value] * count), **{f"item{number}": other for number, other in but}}


def ends_of(count: int, low: float, high: float, turned: tuple[int, ...]) -> tuple[Answers, Answers]:
    """The answers that score least, and most."""
    return (
        all_of(count, low, *((number, high) for number in turned)),
        all_of(count, high, *((number, low) for number in turned)),
    )


def rounded(scores: Expected) -> Expected:
    return {scale: None if value is None else round(value, 10) for scale, value in scores.items()}


def phq9(*values: float | None) -> Answers:
    return {**listed(*values), "difficulty": None}


CORE_OM_LEAST, CORE_OM_MOST = ends_of(34, 0, 4, CORE_OM_TURNED)
HAQ2_LEAST, HAQ2_MOST = ends_of(19, 1, 6, HAQ2_TURNED)
CHS_LEAST, CHS_MOST = ends_of(12, 1, 5, CHS_TURNED)
WAI_S_LEAST, WAI_S_MOST = ends_of(12, 1, 7, (4, 10))

EXAMPLES: list[tuple[str, str, Answers, Expected]] = [
    # Kroenke, Spitzer & Williams (2001): the sum of nine
    ("phq9", "least", phq9(0, 0, 0, 0, 0, 0, 0, 0, 0), {"total": 0}),
    ("phq9", "most", phq9(3, 3, 3, 3, 3, 3, 3, 3, 3), {"total": 27}),
    ("phq9", "mixed: 1+2+3+0+1+2+0+1+0", phq9(1, 2, 3, 0, 1, 2, 0, 1, 0), {"total": 10}),
    ("phq9", "one skipped: 16 of eight, times 9/8", phq9(2, 2, None, 2, 2, 2, 2, 2, 2), {"total": 18}),
    ("phq9", "two skipped: 10 of seven, times 9/7", phq9(None, None, 3, 2, 1, 0, 1, 2, 1), {"total": 90 / 7}),
    ("phq9", "three skipped", phq9(None, None, None, 2, 1, 0, 1, 2, 1), {"total": None}),
    # Spitzer, Kroenke, Williams & Löwe (2006): the sum of seven
    ("gad7", "least", all_of(7, 0), {"total": 0}),
    ("gad7", "most", all_of(7, 3), {"total": 21}),
    ("gad7", "mixed: 0+1+2+3+2+1+0", listed(0, 1, 2, 3, 2, 1, 0), {"total": 9}),
    ("gad7", "one skipped", all_of(7, 1, (4, None)), {"total": None}),
    # National Center for PTSD: the sum of twenty, and of B 1-5, C 6-7, D 8-14, E 15-20
    (
        "pcl5", "least", all_of(20, 0),
        {"total": 0, "intrusion": 0, "avoidance": 0, "cognition_mood": 0, "arousal": 0},
    ),
    (
        "pcl5", "most: five, two, seven and six items of 4", all_of(20, 4),
        {"total": 80, "intrusion": 20, "avoidance": 8, "cognition_mood": 28, "arousal": 24},
    ),
    (
        "pcl5", "mixed: 1+2+3+4+0, 1+2, 3+4+0+1+2+3+4, 0+1+2+3+4+0",
        listed(1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0),
        {"total": 40, "intrusion": 10, "avoidance": 3, "cognition_mood": 17, "arousal": 10},
    ),
    (
        "pcl5", "item 7 skipped",
        listed(1, 2, 3, 4, 0, 1, None, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0),
        {"total": None, "intrusion": 10, "avoidance": None, "cognition_mood": 17, "arousal": 10},
    ),
    # Lovibond & Lovibond (1995): sums of seven, doubled
    ("dass21", "least", all_of(21, 0), {"depression": 0, "anxiety": 0, "stress": 0}),
    ("dass21", "most: seven times 3, doubled", all_of(21, 3), {"depression": 42, "anxiety": 42, "stress": 42}),
    (
        "dass21", "mixed, each the rest of its number by 4: D 3+1+2+1+0+1+1, A 2+0+3+1+3+3+0, S 1+2+0+3+0+2+2",
        listed(1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1),
        {"depression": 18, "anxiety": 24, "stress": 20},
    ),
    (
        "dass21", "item 3, of depression, skipped",
        listed(1, 2, None, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1),
        {"depression": None, "anxiety": 24, "stress": 20},
    ),
    # Barkham et al. (2013): the sum of ten, 2 and 3 turned; CORE System Trust: one may be missing
    ("core10", "least", all_of(10, 0, (2, 4), (3, 4)), {"total": 0}),
    ("core10", "most", all_of(10, 4, (2, 0), (3, 0)), {"total": 40}),
    ("core10", "all 0: the two that are turned are 4 each", all_of(10, 0), {"total": 8}),
    (
        "core10", "mixed: 1+(4-3)+(4-2)+0+4+1+2+3+0+1",
        listed(1, 3, 2, 0, 4, 1, 2, 3, 0, 1), {"total": 15},
    ),
    (
        "core10", "the same without item 5: 11 of nine, times 10/9",
        listed(1, 3, 2, 0, None, 1, 2, 3, 0, 1), {"total": 110 / 9},
    ),
    ("core10", "two skipped", listed(1, 3, 2, 0, None, None, 2, 3, 0, 1), {"total": None}),
    # Evans et al. (2002): item means, times ten; CORE System Trust: which may be missing
    (
        "core_om", "least", CORE_OM_LEAST,
        {"total": 0, "without_risk": 0, "well_being": 0, "problems": 0, "functioning": 0, "risk": 0},
    ),
    (
        "core_om", "most", CORE_OM_MOST,
        {"total": 40, "without_risk": 40, "well_being": 40, "problems": 40, "functioning": 40, "risk": 40},
    ),
    (
        "core_om", "all 1: 26 of 1 and eight turned to 3, two of them of well-being, six of functioning",
        all_of(34, 1),
        {
            "total": 500 / 34,  # 26 + 24 = 50
            "without_risk": 440 / 28,  # 50 - 6 = 44
            "well_being": 20,  # 3 + 1 + 1 + 3 = 8, by 4
            "problems": 10,
            "functioning": 20,  # 6 * 3 + 6 = 24, by 12
            "risk": 10,
        },
    ),
    (
        "core_om", "the same without 2, 5 and 8, all of problems", all_of(34, 1, (2, None), (5, None), (8, None)),
        {
            "total": 470 / 31,
            "without_risk": 410 / 25,
            "well_being": 20,
            "problems": None,
            "functioning": 20,
            "risk": 10,
        },
    ),
    (
        "core_om", "the same without 9, of risk", all_of(34, 1, (9, None)),
        {
            "total": 490 / 33,
            "without_risk": 440 / 28,
            "well_being": 20,
            "problems": 10,
            "functioning": 20,
            "risk": None,
        },
    ),
    (
        "core_om", "the same without 4, of well-being, and 3 and 7, of functioning",
        all_of(34, 1, (3, None), (4, None), (7, None)),
        {
            "total": 410 / 31,  # 50 - 9 = 41
            "without_risk": 350 / 25,  # 44 - 9 = 35
            "well_being": None,
            "problems": 10,
            "functioning": None,
            "risk": 10,
        },
    ),
    (
        "core_om", "the same without 1, 2, 5 and 8: more than one in ten",
        all_of(34, 1, (1, None), (2, None), (5, None), (8, None)),
        {
            "total": None,
            "without_risk": None,
            "well_being": 20,
            "problems": None,
            "functioning": 230 / 11,  # 24 - 1 = 23
            "risk": 10,
        },
    ),
    # Topp et al. (2015): the sum of five, times four
    ("who5", "least", all_of(5, 0), {"total": 0}),
    ("who5", "most", all_of(5, 5), {"total": 100}),
    ("who5", "mixed: 3+2+4+1+3 = 13, times 4", listed(3, 2, 4, 1, 3), {"total": 52}),
    ("who5", "one skipped", listed(3, 2, 4, None, 3), {"total": None}),
    # Australian Bureau of Statistics (2012): the sum of ten, each 1 to 5
    ("k10", "least", all_of(10, 1), {"total": 10}),
    ("k10", "most", all_of(10, 5), {"total": 50}),
    ("k10", "mixed: twice 1+2+3+4+5", listed(1, 2, 3, 4, 5, 1, 2, 3, 4, 5), {"total": 30}),
    ("k10", "one skipped", listed(1, 2, 3, 4, 5, 1, 2, 3, 4, None), {"total": None}),
    # Hatcher & Gillaspy (2006): means; goal 4, 6, 8, 11; task 1, 2, 10, 12; bond 3, 5, 7, 9
    ("wai_sr", "least", all_of(12, 1), {"total": 1, "goal": 1, "task": 1, "bond": 1}),
    ("wai_sr", "most", all_of(12, 5), {"total": 5, "goal": 5, "task": 5, "bond": 5}),
    (
        "wai_sr", "mixed: goal 2+5+3+5 = 15, task 5+4+1+4 = 14, bond 3+1+4+2 = 10, all 39 by 12",
        listed(5, 4, 3, 2, 1, 5, 4, 3, 2, 1, 5, 4),
        {"total": 3.25, "goal": 3.75, "task": 3.5, "bond": 2.5},
    ),
    (
        "wai_sr", "item 3, of the bond, skipped", listed(5, 4, None, 2, 1, 5, 4, 3, 2, 1, 5, 4),
        {"total": None, "goal": 3.75, "task": 3.5, "bond": None},
    ),
    # Tracey & Kokotovic (1989): sums, 4 and 10 turned; task 1, 2, 8, 12; bond 3, 5, 7, 9; goal 4, 6, 10, 11
    ("wai_s", "least", WAI_S_LEAST, {"total": 12, "task": 4, "bond": 4, "goal": 4}),
    ("wai_s", "most", WAI_S_MOST, {"total": 84, "task": 28, "bond": 28, "goal": 28}),
    (
        "wai_s", "mixed: task 7+6+2+6, bond 5+3+1+3, goal (8-2)+2+(8-5)+5",
        listed(7, 6, 5, 2, 3, 2, 1, 2, 3, 5, 5, 6), {"total": 49, "task": 21, "bond": 12, "goal": 16},
    ),
    (
        "wai_s", "item 4, of the goal, skipped", listed(7, 6, 5, None, 3, 2, 1, 2, 3, 5, 5, 6),
        {"total": None, "task": 21, "bond": 12, "goal": None},
    ),
    # Cahill et al. (2012), as PsyPack scores it: the mean of five, 3 turned
    ("arm5", "least", all_of(5, 1, (3, 7)), {"total": 1}),
    ("arm5", "most", all_of(5, 7, (3, 1)), {"total": 7}),
    ("arm5", "mixed: 6+5+(8-2)+7+4 = 28, by 5", listed(6, 5, 2, 7, 4), {"total": 5.6}),
    ("arm5", "one skipped", listed(6, 5, 2, None, 4), {"total": None}),
    # Luborsky et al. (1996): the sum of nineteen, five turned
    ("haq2", "least", HAQ2_LEAST, {"total": 19}),
    ("haq2", "most", HAQ2_MOST, {"total": 114}),
    ("haq2", "all 2: fourteen of 2 and five of 7-2", all_of(19, 2), {"total": 53}),
    (
        "haq2", "mixed: fourteen make 44, and (7-5)+(7-3)+(7-6)+(7-5)+(7-2) = 14",
        listed(2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2), {"total": 58},
    ),
    ("haq2", "one skipped", all_of(19, 2, (7, None)), {"total": None}),
    # Mercer et al. (2004): the sum of ten; up to two are made up
    ("care_measure", "least", all_of(10, 1), {"total": 10}),
    ("care_measure", "most", all_of(10, 5), {"total": 50}),
    ("care_measure", "mixed: four of 5, three of 4, three of 3", listed(5, 4, 3, 5, 4, 3, 5, 4, 3, 5), {"total": 41}),
    (
        "care_measure", "two skipped: 35 of eight, times 10/8",
        listed(5, 4, None, 5, 4, None, 5, 4, 3, 5), {"total": 43.75},
    ),
    ("care_measure", "three skipped", listed(5, 4, None, 5, 4, None, 5, 4, None, 5), {"total": None}),
    # Hook et al. (2013), as Blueprint scores it: the sum of twelve, five turned
    ("chs", "least", CHS_LEAST, {"total": 12, "positive": 7, "negative_turned": 5}),
    ("chs", "most", CHS_MOST, {"total": 60, "positive": 35, "negative_turned": 25}),
    (
        "chs", "mixed: 4+5+3+4+5+4+5, and (6-2)+(6-1)+(6-2)+(6-3)+(6-1)",
        listed(4, 5, 2, 3, 4, 1, 5, 2, 4, 3, 1, 5), {"total": 51, "positive": 30, "negative_turned": 21},
    ),
    (
        "chs", "item 12 skipped", listed(4, 5, 2, 3, 4, 1, 5, 2, 4, 3, 1, None),
        {"total": None, "positive": None, "negative_turned": 21},
    ),
    # Tedeschi & Calhoun (1996): sums
    (
        "ptgi", "least", all_of(21, 0),
        {"total": 0, "relating": 0, "possibilities": 0, "strength": 0, "spiritual": 0, "appreciation": 0},
    ),
    (
        "ptgi", "most: 7, 5, 4, 2 and 3 items of 5", all_of(21, 5),
        {"total": 105, "relating": 35, "possibilities": 25, "strength": 20, "spiritual": 10, "appreciation": 15},
    ),
    (
        "ptgi", "mixed: 0+2+3+3+4+2+3, 3+1+5+2+5, 4+4+0+1, 5+0, 1+2+1",
        listed(1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3),
        {"total": 51, "relating": 17, "possibilities": 16, "strength": 9, "spiritual": 5, "appreciation": 4},
    ),
    (
        "ptgi", "item 5 skipped", listed(1, 2, 3, 4, None, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1, 2, 3),
        {"total": None, "relating": 17, "possibilities": 16, "strength": 9, "spiritual": None, "appreciation": 4},
    ),
    # Stamm (2010): sums of ten, five of burnout turned
    (
        "proqol5", "least", all_of(30, 1, *((number, 5) for number in PROQOL5_TURNED)),
        {"satisfaction": 10, "burnout": 10, "traumatic_stress": 10},
    ),
    (
        "proqol5", "all 1: burnout is five of 5 and five of 1", all_of(30, 1),
        {"satisfaction": 10, "burnout": 30, "traumatic_stress": 10},
    ),
    (
        "proqol5", "most", all_of(30, 5, *((number, 1) for number in PROQOL5_TURNED)),
        {"satisfaction": 50, "burnout": 50, "traumatic_stress": 50},
    ),
    (
        "proqol5", "mixed: 4+2+3+2+4+1+3+5+3+1, (6-2)+(6-5)+4+1+(6-1)+(6-3)+5+2+2+(6-5), 3+1+3+5+2+4+5+4+1+4",
        listed(*[2, 3, 4, 5, 1] * 6), {"satisfaction": 28, "burnout": 28, "traumatic_stress": 32},
    ),
    (
        "proqol5", "item 1, of burnout, skipped", listed(None, 3, 4, 5, 1, *[2, 3, 4, 5, 1] * 5),
        {"satisfaction": 28, "burnout": None, "traumatic_stress": 32},
    ),
]  # fmt: skip

NO_ITEM_IS_KNOWN = (
    "Which of its items are turned, and which are of which scale, is not known surely here; "
    "a total from elsewhere is taken."
)
NO_WORD_IS_KNOWN = (
    "Which of its words are of which scale is not known surely here; a scale's mean from elsewhere is taken."
)

REFUSALS = {
    "blri": f"blri: no score is made here. {NO_ITEM_IS_KNOWN}",
    "rri_client": f"rri_client: no score is made here. {NO_ITEM_IS_KNOWN}",
    "rri_therapist": f"rri_therapist: no score is made here. {NO_ITEM_IS_KNOWN}",
    "seq": "seq: no score is made here. Which of its pairs are turned, and which are of which scale, is not known "
    "surely here; a scale's mean from elsewhere is taken.",
    "fwc24": f"fwc24: no score is made here. {NO_WORD_IS_KNOWN}",
    "fwc58": f"fwc58: no score is made here. {NO_WORD_IS_KNOWN}",
    "fwc_bv": f"fwc_bv: no score is made here. {NO_WORD_IS_KNOWN}",
    "care_scale": "care_scale: no score is made here. Which of its items are of which scale is not known surely here; "
    "a scale's sum from elsewhere is taken.",
    "cms": "cms: no score is made here. Which of its items are of which scale, and whether any is turned, is not known "
    "surely here; a scale's mean from elsewhere is taken.",
    "ors": "ors: a total is taken, and no answers to items.",
    "srs": "srs: a total is taken, and no answers to items.",
    "oq45": "oq45: a total is taken, and no answers to items.",
}


@pytest.mark.parametrize(
    ("which", "answers", "expected"),
    [
        pytest.param(which, answers, expected, id=f"{which}, {case}")
        for which, case, answers, expected in EXAMPLES
    ],
)
def test_answers_come_to_what_they_come_to_by_hand(which: str, answers: Answers, expected: Expected) -> None:
    scored = {each.scale: each.value for each in score(instrument(which), answers).scales}
    assert rounded(scored) == rounded(expected)


@pytest.mark.parametrize("which", sorted({which for which, *_ in EXAMPLES}))
def test_a_frame_of_answers_comes_to_the_same_by_hand(which: str) -> None:
    mine = [(answers, expected) for name, _, answers, expected in EXAMPLES if name == which]
    frame = pl.DataFrame([answers for answers, _ in mine], infer_schema_length=None)
    for found, (_, expected) in zip(score_frame(instrument(which), frame).to_dicts(), mine, strict=True):
        assert rounded(found) == rounded(expected)


@pytest.mark.parametrize("which", sorted(REFUSALS))
def test_where_the_key_is_not_known_no_score_is_made_and_the_sentence_says_why(which: str) -> None:
    asked = instrument(which)
    nothing: Answers = {item.id: None for item in asked.items}
    with pytest.raises(InstrumentProblem) as refused:
        score(asked, nothing)
    with pytest.raises(InstrumentProblem) as refused_too:
        score_frame(asked, pl.DataFrame([nothing]))
    assert str(refused.value) == str(refused_too.value) == REFUSALS[which]


def test_every_instrument_of_others_has_its_examples_or_its_refusal() -> None:
    assert sorted({which for which, *_ in EXAMPLES} | set(REFUSALS)) == [each.id for each in of_others()]
    assert not {which for which, *_ in EXAMPLES} & set(REFUSALS)


def test_every_scored_instrument_has_an_example_at_both_ends_of_each_scale_and_one_with_too_many_skips() -> (
    None
):
    for which in {which for which, *_ in EXAMPLES}:
        mine = [expected for name, _, _, expected in EXAMPLES if name == which]
        assert any(None in expected.values() for expected in mine), which
        for scale in instrument(which).scales:
            assert set(instrument(which).bounds(scale)) <= {expected[scale.id] for expected in mine}, which
