"""REDCap, both ways: dictionaries that REDCap takes, words with their right, and records with nothing lost."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from crossing import CODES, LOADED, RISKY, SHELF, SKELETON, SOME, WEATHER, entries, worded
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.exchange.formulas import FORMULA
from attunement.exchange.redcap import dictionary, read_dictionary, read_records, write_records
from attunement.exchange.redcap.fields import HEADERS
from attunement.instruments import Choice, Ends, Instrument, Item, Wording, catalogue, of_others

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HUMAN, API = ",".join(f'"{name}"' for name in HEADERS.values()), ",".join(HEADERS)
RIGHT = "a letter of 2026"


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def field(name: str, form: str, kind: str = "radio", label: str = "Was it so?", **more: str) -> str:
    """A row of a dictionary; choices as Never and Always unless told otherwise."""
    given = {"field_name": name, "form_name": form, "field_type": kind, "field_label": label} | more
    if kind in {"radio", "dropdown", "checkbox"}:
        given.setdefault("select_choices_or_calculations", "0, Never | 1, Always")
    text = io.StringIO(newline="")
    csv.writer(text).writerow(given.get(column, "") for column in HEADERS)
    return text.getvalue().strip()


def project(*rows: str, header: str = HUMAN) -> str:
    return "\n".join([header, field("record_id", "intake", "text", "Record ID"), *rows, ""])


# ---- a dictionary is written


def test_a_dictionary_has_redcaps_eighteen_columns_in_their_order() -> None:
    text = dictionary([WEATHER])
    assert next(csv.reader(io.StringIO(text))) == list(HEADERS.values())
    assert len(HEADERS) == 18
    assert list(HEADERS)[:6] == [
        "field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations",
    ]  # fmt: skip


@pytest.mark.parametrize("scores", [False, True])
def test_everything_shipped_makes_a_dictionary_that_keeps_redcaps_rules(scores: bool) -> None:
    rows = rows_of(dictionary([*catalogue(), *of_others()], scores=scores))
    names = [row["Variable / Field Name"] for row in rows]
    assert names[0] == "record_id"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name) for name in names)
    for column in ("Form Name", "Matrix Group Name"):
        runs = [
            row[column]
            for place, row in enumerate(rows)
            if place == 0 or rows[place - 1][column] != row[column]
        ]
        named = [run for run in runs if run]
        assert len(set(named)) == len(named)
    for row in rows:
        if row["Field Type"] in {"radio", "dropdown"}:
            choices = row["Choices, Calculations, OR Slider Labels"].split(" | ")
            assert all(re.match(r"-?\w+, \S", choice) for choice in choices)
    matrices: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        answers = (row["Field Type"], row["Choices, Calculations, OR Slider Labels"])
        matrices.setdefault(row["Matrix Group Name"], set()).add(answers)
    assert all(len(answers) == 1 for group, answers in matrices.items() if group)


def test_a_skeleton_is_written_without_words_and_its_reverse_items_are_marked() -> None:
    rows = {row["Variable / Field Name"]: row for row in rows_of(dictionary([SKELETON]))}
    assert rows["clouds_item1"]["Field Label"] == "Item 1"
    assert rows["clouds_item1"]["Choices, Calculations, OR Slider Labels"] == "0, 0 | 1, 1 | 2, 2 | 3, 3"
    assert rows["clouds_item2"]["Field Annotation"] == "reverse-keyed"
    assert rows["clouds_item4"]["Field Annotation"] == "asks for a look at safety from 1; LOINC 44-4"
    assert not any("words:" in row["Field Annotation"] for row in rows.values())


def test_words_that_were_loaded_stand_with_their_right() -> None:
    rows = {row["Variable / Field Name"]: row for row in rows_of(dictionary([LOADED]))}
    assert rows["clouds_item1"]["Field Label"] == "Cloud item1"
    assert rows["clouds_item1"]["Field Annotation"] == f"words: {RIGHT}"


def test_numbers_between_ends_are_a_slider_with_both() -> None:
    rows = {row["Variable / Field Name"]: row for row in rows_of(dictionary([WEATHER], language="es"))}
    sun = rows["weather_sun"]
    assert sun["Field Type"] == "slider"
    assert (sun["Text Validation Min"], sun["Text Validation Max"]) == ("0", "10")
    assert sun["Choices, Calculations, OR Slider Labels"] == "Gris | | Azul"
    assert sun["Section Header"] == "¿Cómo estuvo?"


def test_a_score_that_redcap_works_out_turns_reversed_items_and_needs_enough_answers() -> None:
    rows = {row["Variable / Field Name"]: row for row in rows_of(dictionary([SKELETON], scores=True))}
    said = rows["clouds_total_score"]["Choices, Calculations, OR Slider Labels"]
    assert rows["clouds_total_score"]["Field Type"] == "calc"
    assert 'if([clouds_item2] = "", "", 3 - [clouds_item2])' in said
    assert ">= 3, mean(" in said
    assert said.endswith('* 4, "")')


def test_no_cell_of_a_dictionary_is_a_formula() -> None:
    odd = replace(
        WEATHER, items=tuple(replace(each, wording=Wording("=1+1", "@x")) for each in WEATHER.items)
    )
    cells = [cell for row in csv.reader(io.StringIO(dictionary([odd, LOADED], scores=True))) for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if re.match(FORMULA, cell)]


def test_two_instruments_whose_names_would_meet_get_names_of_their_own() -> None:
    one = replace(
        WEATHER, id="a", items=(replace(WEATHER.items[2], id="b_c"),), scales=(), unscored="A test."
    )
    other = replace(
        WEATHER, id="a_b", items=(replace(WEATHER.items[2], id="c"),), scales=(), unscored="A test."
    )
    names = [row["Variable / Field Name"] for row in rows_of(dictionary([one, other]))]
    assert {"a_b_c", "a_b_c_2"} <= set(names)


# ---- a dictionary is read


@pytest.mark.parametrize("header", [HUMAN, API, HUMAN.replace('"', ""), "\ufeff" + HUMAN])
def test_a_dictionary_is_read_under_either_set_of_names(header: str) -> None:
    if '"' not in header and header != API:
        header = HUMAN  # a header with commas in its names needs its quotes
    (found,) = read_dictionary(
        project(field("mood_1", "mood"), field("mood_2", "mood"), header=header), right=RIGHT, shelf={}
    )
    assert (found.id, found.words, found.right, found.languages) == ("mood", "loaded", RIGHT, ("en",))
    assert [item.id for item in found.items] == ["mood_1", "mood_2"]
    assert [choice.wording for choice in found.choices] == [
        Wording("Never", "Never"),
        Wording("Always", "Always"),
    ]
    assert found.unscored


def test_a_dictionary_as_redcap_downloads_it_is_read_as_far_as_it_can_be_asked() -> None:
    text = project(
        field("name", "intake", "text", "First name", identifier="y"),
        field("hello", "mood", "descriptive", "<b>Welcome</b>"),
        field("calm", "mood", "slider", "How calm <i>were</i> you?", section_header="Think of today.",
              select_choices_or_calculations="not at all | | wholly",
              text_validation_type_or_show_slider_number="number"),
        field("often", "mood", "dropdown", "How often?", select_choices_or_calculations="2, Much | 0, Not | 1, Some"),
        field("ok", "mood", "yesno", "Is it fine?", branching_logic="[calm] > 50"),
        field("many", "mood", "checkbox"),
        field("why", "mood", "notes", "Why?"),
        field("when", "mood", "text", "When?", text_validation_type_or_show_slider_number="date_ymd"),
        field("steps", "mood", "text", "Steps?", text_validation_type_or_show_slider_number="integer"),
        field("sum", "mood", "calc", "Sum", select_choices_or_calculations="sum([calm],[often])"),
        field("photo", "mood", "file", "Photo"),
        field("sort", "mood", "radio", "Which?", select_choices_or_calculations="a, One | b, Two"),
        field("age", "mood", "text", "Age", text_validation_type_or_show_slider_number="integer",
              text_validation_min="18", text_validation_max="99"),
    )  # fmt: skip
    (found,) = read_dictionary(text, right=RIGHT, shelf={}, language="es")
    assert [item.id for item in found.items] == ["calm", "often", "ok"]
    assert found.items[0].wording.es == "How calm were you?"
    assert (found.ends.low, found.ends.high, found.ends.at_high.en) == (0, 100, "wholly")
    assert [choice.value for choice in found.items[1].choices] == [0, 1, 2]
    assert found.intro.en == "Think of today."
    assert found.languages == ("es",)
    assert found.note is not None
    for said in ("when (a date or a time)", "steps (a number without a minimum and a maximum)",
                 "many (several answers at once)", "why (free text)", "sum (a calculation)", "photo (a file)",
                 "sort (answers that are not numbers)", "age (another range than the rest)", "always: ok"):  # fmt: skip
        assert said in found.note.en
    assert "sum (un cálculo)" in found.note.es


@pytest.mark.parametrize(
    "names",
    [
        [f"clouds_item{n}" for n in range(1, 5)],
        [f"clouds_{n}" for n in range(1, 5)],
        ["a1", "b2", "c3", "d_04"],
    ],
)
def test_a_form_named_after_a_skeleton_takes_its_key(names: list[str]) -> None:
    answers = "0, Clear | 1, Few | 2, Many | 3, All"
    text = project(
        *(
            field(name, "clouds", label=f"Sky {name}?", select_choices_or_calculations=answers)
            for name in names
        )
    )
    (found,) = read_dictionary(text, right=RIGHT, shelf=SHELF)
    assert found.scales == SKELETON.scales
    assert [item.reverse for item in found.items] == [False, True, False, False]
    assert found.items[3].risk_from == 1
    assert [choice.loinc for choice in found.choices] == ["LA0", "LA1", "LA2", "LA3"]
    assert found.items[1].wording.en == f"Sky {names[1]}?"
    assert found.askable


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([field(f"c{n}", "clouds") for n in range(3)], "(Form Name): clouds asks 3 questions, and Weather has 4"),
        ([field(f"c{n}", "clouds") for n in range(1, 5)], "Labels): the answers count 0, 1; in Weather they count 0"),
        ([field("a", "x"), field("a", "x")], "row 4, column 1 (Variable / Field Name): a stands twice"),
        ([field("a", "x"), field("b", "y"), field("c", "x")], "row 5, column 2 (Form Name): the rows of x are apart"),
        ([field("Ab", "x")], "row 3, column 1 (Variable / Field Name): it is no variable"),
        ([field("a", "x y")], "row 3, column 2 (Form Name): it is no form"),
        ([field("a", "x", "stars")], "row 3, column 4 (Field Type): it is no type of a field"),
        ([field("a", "x", select_choices_or_calculations="Never | Always")], "row 3, column 6 (Choices, Calc"),
        ([field("a", "x", select_choices_or_calculations="0, No | 0, Yes")], "row 3, column 6 (Choices, Calc"),
        ([field("a", "x", matrix_group_name="m"),
          field("b", "x", "dropdown", matrix_group_name="m")], "row 4, column 4"),
        ([field("a", "x", matrix_group_name="m"),
          field("b", "x", matrix_group_name="m", select_choices_or_calculations="0, No | 1, Yes")], "row 4, column 6"),
        ([field("a", "x", matrix_group_name="m"), field("b", "x"),
          field("c", "x", matrix_group_name="m")], "row 5, column 16"),
        ([field("a", "x", "notes")], "has no question that a number answers"),
        ([field("b,a", "x")[:-1]], "row 3 has"),
    ],
)  # fmt: skip
def test_what_breaks_a_dictionary_is_said_with_its_row_and_column(rows: list[str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_dictionary(project(*rows), right=RIGHT, shelf=SHELF)
    assert said in str(refused.value)
    assert str(refused.value).startswith("The data dictionary")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", HUMAN, "{}", "\x00", "ï»¿"])
def test_what_is_no_dictionary_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"^The data dictionary.*\.$"):
        read_dictionary(text, right=RIGHT, shelf={})


def test_words_without_a_right_are_not_taken() -> None:
    with pytest.raises(InputError, match="by what right"):
        read_dictionary(project(field("a", "x")), right=" ", shelf={})


def test_a_form_that_still_says_item_1_has_no_words_to_load() -> None:
    with pytest.raises(InputError, match="Item 1"):
        read_dictionary(dictionary([SKELETON, WEATHER]), right=RIGHT, shelf=SHELF)


def test_a_dictionary_of_words_that_were_loaded_gives_the_same_instrument() -> None:
    assert read_dictionary(dictionary([LOADED], scores=True), right=RIGHT, shelf=SHELF) == (LOADED,)


WORDS = (
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)
LABELS = WORDS.map(lambda text: " ".join(text.replace("|", "/").split())).filter(bool)
IDS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


def same(words: str) -> Wording:
    return Wording(words, words)


@st.composite
def choices(draw: st.DrawFn) -> tuple[Choice, ...]:
    values = sorted(draw(st.sets(st.integers(-3, 9), min_size=2, max_size=5)))
    return tuple(Choice(value, same(draw(LABELS))) for value in values)


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """Instruments as somebody's dictionary tells of them: words and answers, and no key."""
    names = draw(st.lists(IDS, min_size=1, max_size=6, unique=True))
    general = draw(st.just(()) | choices())
    low, high = (
        (general[0].value, general[-1].value)
        if general
        else (draw(st.integers(-5, 0)), draw(st.integers(1, 9)))
    )
    own = [draw(choices()) if not general and draw(st.booleans()) else () for _ in names]
    if not general and all(own):
        own[0] = ()
    at_low, at_high = (
        (general[0].wording, general[-1].wording) if general else (same(draw(LABELS)), same(draw(LABELS)))
    )
    assert at_low
    assert at_high
    items = tuple(
        Item(name, same(draw(WORDS)), reverse=draw(st.booleans()), apart=draw(st.booleans()), choices=mine)
        for name, mine in zip(names, own, strict=True)
    )
    form = draw(IDS.filter(lambda name: name not in {"client", "session"}))
    return Instrument(
        id=form, name=same("Made up"), version="1", licence=RIGHT, source="These tests", validated=False,
        asked_of="client", how_often="after each session", intro=same(draw(WORDS)),
        ends=Ends(low, high, at_low, at_high), items=items, scales=(), note=same("Made up."), choices=general,
        words="loaded", right=RIGHT, unscored="no key", languages=("en",),
    )  # fmt: skip


@given(st.lists(instruments(), min_size=1, max_size=3, unique_by=lambda each: each.id))
@settings(max_examples=150)
def test_dictionary_to_instruments_to_dictionary_loses_nothing(made: list[Instrument]) -> None:
    text = dictionary(made)
    assume("_2," not in text)  # names that met were told apart, and then are others
    found = read_dictionary(text, right=RIGHT, shelf={})
    assert dictionary(found) == text
    for read, told in zip(found, made, strict=True):
        assert [item.wording for item in read.items] == [item.wording for item in told.items]
        assert [read.choices_of(item) for item in read.items] == [
            told.choices_of(item) for item in told.items
        ]
        assert [(item.reverse, item.apart) for item in read.items] == [
            (item.reverse, item.apart) for item in told.items
        ]
        assert read.intro == told.intro
        assert read.choices or any(i.choices for i in told.items) or read.ends == told.ends


PHQ9 = next(each for each in of_others() if each.id == "phq9")
GAD7 = next(each for each in of_others() if each.id == "gad7")
OTHERS = {each.id: each for each in of_others()}
FOUR = "0, Never | 1, Rarely | 2, Often | 3, Always"


def lines(form: str, names: Iterable[str], **more: str) -> list[str]:
    return [
        field(name, form, label=f"Line {name}?", select_choices_or_calculations=FOUR, **more)
        for name in names
    ]


@pytest.mark.parametrize(
    ("form", "known"),
    [
        ("patient_health_questionnaire_9", "phq9"), ("phq_9", "phq9"), ("phq9_survey", "phq9"), ("phq9_v2", "phq9"),
        ("phq9_followup", "phq9"), ("patient_health_questionnaire9", "phq9"), ("gad_7", "gad7"),
        ("gad7_weekly", "gad7"),
        ("generalized_anxiety_disorder_7", "gad7"),
    ],
)  # fmt: skip
def test_a_form_that_is_called_as_people_call_it_takes_the_key(form: str, known: str) -> None:
    names = [f"{form}_{number}" for number in range(1, 10 if known == "phq9" else 8)]
    (found,) = read_dictionary(project(*lines(form, names)), right=RIGHT, shelf=OTHERS)
    assert found.id == known
    assert found.scales == OTHERS[known].scales
    assert [item.risk_from for item in found.items][-1] == (1 if known == "phq9" else None)


@pytest.mark.parametrize("form", ["phq", "phq_15", "phq_2", "background_form", "mood"])
def test_a_form_that_is_called_otherwise_is_its_own(form: str) -> None:
    shelf = OTHERS | {each.id: each for each in catalogue()}
    if form == "phq":  # with other lines than nine, it is refused
        with pytest.raises(InputError, match="PHQ-9 has 9"):
            read_dictionary(project(*lines(form, "ab")), right=RIGHT, shelf=shelf)
    else:
        (own,) = read_dictionary(project(*lines(form, "ab")), right=RIGHT, shelf=shelf)
        assert (own.id, own.scales) == (form, ())


def test_which_instrument_the_one_form_is_can_be_said() -> None:
    text = project(*lines("mood", [f"m{number}" for number in range(1, 10)]))
    (found,) = read_dictionary(text, right=RIGHT, shelf=OTHERS, name="phq9")
    assert (found.id, found.items[8].risk_from) == ("phq9", 1)
    (other,) = read_dictionary(text, right=RIGHT, shelf=OTHERS, name="my_mood")
    assert (other.id, other.scales) == ("my_mood", ())
    two = project(*lines("mood", "ab"), *lines("sleep", "cd"))
    with pytest.raises(InputError, match="has 2 forms, and phq9 is the name of one"):
        read_dictionary(two, right=RIGHT, shelf=OTHERS, name="phq9")


def test_two_forms_that_are_called_like_one_instrument_are_refused() -> None:
    text = project(*lines("phq9_pre", ["p1", "p2"]), *lines("phq9_post", ["q1", "q2"]))
    with pytest.raises(
        InputError, match="row 5, column 2.*phq9_pre and phq9_post are both called like PHQ-9"
    ):
        read_dictionary(text, right=RIGHT, shelf=OTHERS)


def test_a_form_whose_owners_bar_it_is_refused_and_its_total_is_read_all_the_same() -> None:
    text = project(*lines("outcome_rating_scale", "abcd"))
    with pytest.raises(InputError, match="the owners of ORS bar electronic forms"):
        read_dictionary(text, right=RIGHT, shelf=OTHERS)
    both = project(*lines("ors", "abcd"), *lines("phq9", [f"phq9_{n}" for n in range(1, 10)]))
    assert not list(read_records("record_id,phq9_1\n", OTHERS, dictionary=both))


def test_lines_of_which_one_is_another_than_the_rest_are_not_told_by_their_place() -> None:
    with pytest.raises(InputError, match="which variable is which line of PHQ-9 cannot be told"):
        read_dictionary(project(*lines("phq9", "abcdefghi")), right=RIGHT, shelf=OTHERS)
    swapped = [f"phq9_{number}" for number in (1, 2, 3, 4, 5, 6, 7, 9, 8)]
    with pytest.raises(InputError, match="which variable is which line"):
        read_dictionary(project(*lines("phq9", swapped)), right=RIGHT, shelf=OTHERS)
    (alike,) = read_dictionary(project(*lines("gad7", "abcdefg")), right=RIGHT, shelf=OTHERS)
    assert alike.scales == GAD7.scales


def test_lines_are_told_by_their_loinc_codes_in_whatever_order() -> None:
    items = [item for item in reversed(PHQ9.items) if not item.apart]
    rows = [
        row for name, item in zip("abcdefghi", items, strict=True)
        for row in lines("phq9", name, field_annotation=f"LOINC {item.loinc}")
    ]  # fmt: skip
    (found,) = read_dictionary(project(*rows), right=RIGHT, shelf=OTHERS)
    assert [item.wording.en for item in found.items] == [f"Line {name}?" for name in "ihgfedcba"]


def test_a_line_in_no_scale_may_stand_beside_numbered_ones() -> None:
    own = "0, Easy | 1, So so | 2, Hard | 3, Too hard"
    rows = [
        *lines("phq9", [f"phq9_{number}" for number in range(1, 10)]),
        field("phq9_difficulty", "phq9", label="And so?", select_choices_or_calculations=own),
    ]
    (found,) = read_dictionary(project(*rows), right=RIGHT, shelf=OTHERS)
    assert [item.id for item in found.items] == [item.id for item in PHQ9.items]
    assert found.items[9].wording.en == "And so?"


# ---- records


def written(told: list[Entry], *, events: bool = False) -> str:
    return "".join(write_records(told, SHELF, events=events))


@given(entries(whole=True))
@settings(max_examples=150)
def test_records_of_repeating_instruments_are_read_as_they_were_written(told: list[Entry]) -> None:
    assert list(read_records(written(told), SHELF)) == told


@given(entries(whole=True))
@settings(max_examples=100)
def test_records_of_a_longitudinal_project_are_read_as_they_were_written(told: list[Entry]) -> None:
    places = [
        (
            type(each),
            getattr(each, "client", None),
            getattr(each, "session", getattr(each, "number", None)),
            getattr(each, "instrument", None),
        )
        for each in told
    ]
    assume(len(set(places)) == len(places))
    codes = [each.code for each in told if isinstance(each, ClientEntry)]
    assume(len(set(codes)) == len(codes))
    assert list(read_records(written(told, events=True), SHELF)) == told


def test_a_file_of_records_is_read_like_its_text(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_bytes(b"\xef\xbb\xbf" + written(SOME).encode())
    assert list(read_records(tmp_path / "records.csv", SHELF)) == SOME


def test_a_form_twice_in_one_event_is_not_written() -> None:
    with pytest.raises(InputError, match="twice for session 1"):
        written([SOME[5], SOME[5]], events=True)


def test_no_cell_of_the_records_is_a_formula() -> None:
    text = written([ClientEntry(code) for code in RISKY])
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if re.match(FORMULA, cell)]


FOREIGN = project(
    field("email", "intake", "text", "Email", identifier="y"),
    *(
        field(f"clouds_{n}", "clouds", select_choices_or_calculations="0, Clear | 1, Few | 2, Many | 3, All")
        for n in range(1, 5)
    ),
    field("clouds_total", "clouds", "calc", "Sum", select_choices_or_calculations="sum([clouds_1],[clouds_2])"),
)  # fmt: skip
CLOUDS = {"item1": 0.0, "item2": 1.0, "item3": 2.0, "item4": 3.0, "more": None}


@pytest.mark.parametrize("answers", ["0,1,2,3", "Clear,few,MANY,All"])
def test_records_of_another_project_are_read_by_its_dictionary_in_codes_or_in_labels(answers: str) -> None:
    text = (
        "study_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,email,"
        "clouds_timestamp,clouds_1,clouds_2,clouds_3,clouds_4,clouds_total,clouds_complete\n"
        "7,intake_arm_1,,,site,someone@example.org,,,,,,,\n"
        f"7,session_3_arm_1,,,site,,2026-03-08 18:22:00,{answers},6,2\n"
        "7,session_4_arm_1,,,site,,[not completed],,,,,,0\n"
    )
    zone = timezone(timedelta(hours=-5))
    assert list(read_records(text, SHELF, dictionary=FOREIGN, zone=zone)) == [
        ClientEntry("7"),
        SessionEntry("7", 3, at := datetime(2026, 3, 8, 23, 22, tzinfo=UTC)),
        AnswersEntry("7", 3, at, "clouds", "1", CLOUDS),
    ]


def test_an_instance_is_the_session_where_nothing_else_says_so() -> None:
    header = "record_id,redcap_repeat_instrument,redcap_repeat_instance,clouds_1,clouds_2,clouds_3,clouds_4"
    text = f"{header}\n7,Clouds,2,0,1,2,3\n"
    found = list(read_records(text, SHELF, dictionary=FOREIGN))
    assert found[-1] == AnswersEntry("7", 2, None, "clouds", "1", CLOUDS, counted=True)


def test_events_without_numbers_are_sessions_as_told() -> None:
    text = "record_id,redcap_event_name,clouds_1,clouds_2,clouds_3,clouds_4\n7,baseline_arm_1,0,1,2,3\n"
    with pytest.raises(
        InputError, match=r"row 2, column 2 \(redcap_event_name\): which session “baseline_arm_1” is"
    ):
        list(read_records(text, SHELF, dictionary=FOREIGN))
    found = list(read_records(text, SHELF, dictionary=FOREIGN, sessions={"baseline_arm_1": 1}))
    assert found[1] == SessionEntry("7", 1)


def test_missing_data_codes_are_no_answer_where_the_project_has_them() -> None:
    text = "record_id,clouds_1,clouds_2,clouds_3,clouds_4\n7,-999,NI,2,3\n"
    found = list(read_records(text, SHELF, dictionary=FOREIGN, missing=("-999", "NI")))
    answers = CLOUDS | {"item1": None, "item2": None}
    assert found[-1] == AnswersEntry("7", 1, None, "clouds", "1", answers, counted=True)
    with pytest.raises(
        InputError, match=r"row 2, column 2 \(clouds_1\): -999 is no answer to it; it takes 0, 1, 2, 3"
    ):
        list(read_records(text, SHELF, dictionary=FOREIGN))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Record ID,Was it so?\n7,1\n", "export the records with variables, not labels"),
        ("record_id,clouds_item1\n7,Sometimes\n", "row 2, column 2 (clouds_item1): “Sometimes” is none of its answers"),
        ("record_id,clouds_item1\n7,1.5\n", "row 2, column 2 (clouds_item1): 1.5 is no answer"),
        ("record_id,clouds_item1\n7,1e999\n", "row 2, column 2 (clouds_item1)"),
        ("record_id,clouds_item1\n,1\n", "row 2, column 1 (record_id): it is empty"),
        ("record_id,storms_total\n7,99\n", "row 2, column 2 (storms_total): 99 is no total"),
        ("record_id,clouds_item1,clouds_at\n7,1,soon\n", "row 2, column 3 (clouds_at): “soon” is no time"),
        ("record_id,clouds_item1,clouds_item1\n7,1,1\n", "row 1, column 3: “clouds_item1” stands twice"),
        ("record_id,clouds_item1\n7,1,2\n", "row 2 has 3 cells"),
        ('record_id,clouds_item1\n7,"1\n', "row 2 has an unclosed quote"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_records_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        list(read_records(text, SHELF))
    assert said in str(refused.value)


def test_a_total_that_their_project_worked_out_is_not_taken_for_one_from_elsewhere() -> None:
    text = "record_id,clouds_1,clouds_2,clouds_3,clouds_4,clouds_total\n7,0,1,2,3,6\n"
    assert not [
        each for each in read_records(text, SHELF, dictionary=FOREIGN) if isinstance(each, TotalEntry)
    ]


@given(CODES)
@settings(max_examples=60)
def test_a_code_stays_the_code_it_is(code: str) -> None:
    assert list(read_records(written([ClientEntry(code)]), SHELF)) == [ClientEntry(code)]


def test_words_laid_over_a_skeleton_are_asked_in_redcap_with_its_answers() -> None:
    rows = {row["Variable / Field Name"]: row for row in rows_of(dictionary([worded(SKELETON)]))}
    assert (
        rows["clouds_item3"]["Choices, Calculations, OR Slider Labels"]
        == "0, So 0 | 1, So 1 | 2, So 2 | 3, So 3"
    )
