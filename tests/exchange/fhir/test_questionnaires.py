"""An instrument as a Questionnaire, and a Questionnaire as an instrument."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.entries import AnswersEntry
from attunement.exchange.fhir import faults, from_questionnaire, read_fhir, to_questionnaire
from attunement.instruments import (
    Choice,
    Ends,
    Instrument,
    Item,
    Language,
    Scale,
    Wording,
    catalogue,
    from_table,
    loads,
    of_others,
    score,
    to_table,
    worded,
)

if TYPE_CHECKING:
    from attunement.exchange.fhir.strict import Json

Faults = Callable[[Mapping[str, Any]], list[str]]
Shelf = dict[str, Instrument]
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
LOINC = "http://loinc.org"
RIGHT = "Letter of the owner"


def answer(value: int, display: str, loinc: str | None = None, url: str = ORDINAL) -> dict[str, Any]:
    coding: dict[str, Any] = {"display": display, "extension": [{"url": url, "valueDecimal": value}]}
    return {"valueCoding": coding | ({"system": LOINC, "code": loinc} if loinc else {"code": f"a{value}"})}


def line(link: str, values: Mapping[int, str], **more: Json) -> dict[str, Any]:
    options = [answer(value, display) for value, display in values.items()]
    return {"linkId": link, "text": f"Line {link}", "type": "choice", "answerOption": options} | more


def form(*items: dict[str, Any], **more: Json) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "status": "active",
        "title": "A form",
        "item": list(items),
    } | more


WORDS = {0: "never", 1: "rarely", 2: "often", 3: "always"}


def coded(skeleton: Instrument, words: Mapping[int, str] = WORDS) -> dict[str, Any]:
    """A form of a skeleton as others write it: LOINC codes, linkIds of their own."""
    items = []
    for place, item in enumerate(skeleton.items, 1):
        options = [answer(each.value, words[each.value], each.loinc) for each in skeleton.choices_of(item)]
        codes = [{"system": LOINC, "code": item.loinc}]
        items.append(
            {
                "linkId": f"q{place}",
                "text": f"Line {place}",
                "type": "choice",
                "code": codes,
                "answerOption": options,
            }
        )
    group = {"linkId": "g", "type": "group", "item": items}
    return form(group, code=[{"system": LOINC, "code": skeleton.loinc}])


@pytest.mark.parametrize("instrument", catalogue(), ids=lambda each: each.id)
def test_our_own_questionnaires_are_valid(instrument: Instrument, peer: Faults) -> None:
    written = to_questionnaire(instrument)
    assert peer(written) == []
    assert faults(written) == []


def test_a_loaded_one_is_valid_and_names_the_right(phq9: Instrument, peer: Faults) -> None:
    written = to_questionnaire(phq9, loaded=True)
    assert peer(written) == []
    assert faults(written) == []
    assert "Invented for this test" in written["copyright"]


@pytest.mark.parametrize("instrument", catalogue(), ids=lambda each: each.id)
def test_our_own_come_back_as_they_were(instrument: Instrument) -> None:
    through = json.loads(json.dumps(to_questionnaire(instrument)))
    assert from_questionnaire(through, right=RIGHT) == replace(instrument, words="loaded", right=RIGHT)


def test_a_loaded_one_comes_back_as_it_was(phq9: Instrument, shelf: Shelf) -> None:
    through = json.loads(json.dumps(to_questionnaire(phq9, loaded=True)))
    assert phq9.right is not None
    assert from_questionnaire(through, right=phq9.right, shelf=shelf) == phq9


def test_words_of_others_leave_only_when_that_is_said(phq9: Instrument) -> None:
    with pytest.raises(InstrumentProblem, match="words are another's"):
        to_questionnaire(phq9)


@pytest.mark.parametrize("instrument", of_others(), ids=lambda each: each.id)
def test_without_words_there_is_no_questionnaire(instrument: Instrument) -> None:
    with pytest.raises(InstrumentProblem, match="no words to give out"):
        to_questionnaire(instrument, loaded=True)


def test_a_skeleton_takes_the_words_alone(shelf: Shelf) -> None:
    skeleton = shelf["phq9"]
    loaded = from_questionnaire(coded(skeleton), right=RIGHT, shelf=shelf)
    assert (loaded.id, loaded.words, loaded.right, loaded.languages) == ("phq9", "loaded", RIGHT, ("en",))
    assert loaded.scales == skeleton.scales
    assert loaded.item("item9").risk_from == 1
    assert [each.loinc for each in loaded.items] == [each.loinc for each in skeleton.items]
    assert loaded.at_risk({"item9": 1}) == {"item9": 1}


def test_the_codes_of_difficulty_are_not_in_the_order_of_the_answers(shelf: Shelf) -> None:
    loaded = from_questionnaire(coded(shelf["phq9"]), right=RIGHT, shelf=shelf)
    difficulty = {choice.value: choice.loinc for choice in loaded.item("difficulty").choices}
    assert difficulty == {0: "LA6572-7", 1: "LA6573-5", 2: "LA6575-0", 3: "LA6574-3"}
    crossed = coded(shelf["phq9"])
    last = crossed["item"][0]["item"][9]["answerOption"]
    last[2]["valueCoding"]["code"], last[3]["valueCoding"]["code"] = "LA6574-3", "LA6575-0"
    with pytest.raises(InputError, match="LA6574-3 count 2, where the published form has it count 3"):
        from_questionnaire(crossed, right=RIGHT, shelf=shelf)


def test_loincs_own_gad7_is_not_the_published_one(shelf: Shelf) -> None:
    sound = coded(shelf["gad7"])
    assert from_questionnaire(sound, right=RIGHT, shelf=shelf).id == "gad7"
    other_code = copy.deepcopy(sound)
    other_code["item"][0]["item"][1]["answerOption"][2] = answer(2, "another anchor", "LA18938-3")
    with pytest.raises(InputError, match="'q2' has the answer LA18938-3"):
        from_questionnaire(other_code, right=RIGHT, shelf=shelf)
    same_code = copy.deepcopy(sound)
    same_code["item"][0]["item"][1]["answerOption"][2]["valueCoding"]["display"] = "another anchor"
    with pytest.raises(InputError, match="'q2' has other words for its answers than"):
        from_questionnaire(same_code, right=RIGHT, shelf=shelf)


def test_without_item_9_it_is_another_instrument(shelf: Shelf) -> None:
    eight = coded(shelf["phq9"])
    del eight["item"][0]["item"][8]
    with pytest.raises(InputError, match=r"item9 \(LOINC 44260-8\) is not asked"):
        from_questionnaire(eight, right=RIGHT, shelf=shelf)


def test_difficulty_may_be_left_out_and_a_total_that_a_program_fills_in_is_no_item(shelf: Shelf) -> None:
    nine = coded(shelf["phq9"])
    nine["item"][0]["item"][9] = {
        "linkId": "sum", "text": "Total", "type": "integer", "code": [{"system": LOINC, "code": "44261-6"}],
    }  # fmt: skip
    loaded = from_questionnaire(nine, right=RIGHT, shelf=shelf)
    assert [item.id for item in loaded.items] == [f"item{number}" for number in range(1, 10)]


REVERSED = """
id = "turned"
name = { en = "Turned", es = "Girado" }
version = "1"
words = "missing"
licence = "Invented"
source = "Invented"
validated = true
asked_of = "client"
how_often = "once"
count = 3
reverse = [2]
ends = { low = 0, high = 4 }
[[scales]]
id = "total"
name = { en = "Total", es = "Total" }
items = [1, 2, 3]
method = "sum"
higher = "worse"
"""


@pytest.mark.parametrize("turned_already", [False, True])
def test_an_item_that_the_form_turns_already_is_turned_once(turned_already: bool) -> None:
    skeleton = loads(REVERSED)
    words = {0: "no", 1: "bit", 2: "half", 3: "most", 4: "all"}
    turned = {4 - value: word for value, word in words.items()}
    form_ = form(*(line(str(n), turned if n == 2 and turned_already else words) for n in (1, 2, 3)))
    loaded = from_questionnaire(form_, right=RIGHT, name="turned", shelf={"turned": skeleton})
    said = {choice.wording.en: choice.value for choice in loaded.choices if choice.wording}
    assert score(loaded, {"item1": said["no"], "item2": said["all"], "item3": said["no"]})["total"] == 0
    with pytest.raises(InputError, match="'3' has other words"):
        from_questionnaire(
            form(line("1", turned), line("2", words), line("3", words)),
            right=RIGHT, name="turned", shelf={"turned": skeleton},
        )  # fmt: skip


def test_without_a_key_it_is_the_sum_of_what_its_answers_count() -> None:
    two = form(
        line("1.1", {1: "one", 5: "five"}), line("1.2", {0: "none", 2: "two"}), url="http://example.org/q"
    )
    loaded = from_questionnaire(two, right=RIGHT, name="own", higher="worse")
    assert [item.id for item in loaded.items] == ["item_1_1", "item_1_2"]
    assert loaded.source.startswith("http://example.org/q")
    assert (loaded.words, loaded.validated, loaded.bounds(loaded.scale("total"))) == ("loaded", False, (1, 7))
    assert score(loaded, {"item_1_1": 5, "item_1_2": 2})["total"] == 7
    assert score(loaded, {"item_1_1": 5, "item_1_2": None})["total"] is None
    back = from_questionnaire(to_questionnaire(loaded, loaded=True), right=RIGHT)
    assert back == from_table(to_table(loaded))


def test_r5_says_it_in_other_names() -> None:
    weight = "http://hl7.org/fhir/StructureDefinition/itemWeight"
    options = [answer(value, word, url=weight) for value, word in WORDS.items()]
    r5 = form({"linkId": "a", "text": "A line", "type": "coding", "answerOption": options})
    loaded = from_questionnaire(r5, right=RIGHT, higher="better")
    assert [choice.value for choice in loaded.choices] == [0, 1, 2, 3]


def test_numbers_between_two_ends_are_taken() -> None:
    ends = [
        {"url": f"http://hl7.org/fhir/StructureDefinition/{which}Value", "valueInteger": value}
        for which, value in (("min", 0), ("max", 100))
    ]
    loaded = from_questionnaire(
        form({"linkId": "pain", "text": "How much?", "type": "integer", "extension": ends}),
        right=RIGHT, higher="worse",
    )  # fmt: skip
    assert (loaded.ends.low, loaded.ends.high, loaded.choices) == (0, 100, ())


def test_a_line_on_safety_is_one_in_every_form(shelf: Shelf) -> None:
    item = line("9", WORDS, code=[{"system": LOINC, "code": "44260-8"}])
    loaded = from_questionnaire(form(line("1", WORDS), item), right=RIGHT, shelf=shelf, higher="worse")
    assert loaded.at_risk({"item_1": 3, "item_9": 1}) == {"item_9": 1}


def spanish(text: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": "es-MX"}, {"url": "content", "valueString": text}]
    return {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": parts}]}


@pytest.mark.parametrize(
    ("language", "translated", "languages"),
    [("en-US", True, ("en", "es")), ("en", False, ("en",)), ("es", False, ("es",)), ("fr", True, ("es",))],
)
def test_the_languages_are_those_in_which_all_is_said(
    language: str, translated: bool, languages: tuple[str, ...]
) -> None:
    item = line("a", WORDS)
    both = form(item, language=language)
    if translated:
        item["_text"] = both["_title"] = spanish("Una línea")
        for option in item["answerOption"]:
            option["valueCoding"]["_display"] = spanish("palabra")
    loaded = from_questionnaire(both, right=RIGHT, higher="better")
    assert loaded.languages == languages
    assert loaded.items[0].wording.es == ("Una línea" if translated else "Line a")


REFUSED = [
    (form({"linkId": "a", "text": "Tell.", "type": "text"}), "'a' is of the type text, which has no number"),
    (form({"linkId": "a", "text": "Show.", "type": "attachment"}), "'a' is of the type attachment"),
    (form({"linkId": "a", "text": "Yes?", "type": "boolean"}), "'a' is of the type boolean"),
    (form({"linkId": "a", "text": "How many?", "type": "integer"}), "minValue and maxValue would say them"),
    (form({"linkId": "a", "text": "Which?", "type": "choice"}), "'a' names no answers"),
    (form(line("a", WORDS, repeats=True)), "'a' takes several answers"),
    (form(line("a", WORDS, enableWhen=[{"question": "b", "operator": "exists"}])), "only on a condition"),
    (form(line("a", WORDS) | {"text": None}), "item.0..text is null"),
    (form({k: v for k, v in line("a", WORDS).items() if k != "text"}), "'a' has no text"),
    (form(line("a", WORDS), line("A", WORDS)), "become one name, a"),
    (form(line("a", WORDS), line("a", WORDS)), "the linkId 'a' stands twice"),
    (form({"linkId": "a", "text": "Only shown.", "type": "display"}), "asks nothing that could be scored"),
    (form(line("a", WORDS), language="fr"), "language is fr"),
    (form(line("a", WORDS), status="bogus"), "status is 'bogus'"),
    (form(line("a", WORDS) | {"type": "wrong"}), "type is 'wrong'"),
    ({"resourceType": "Patient"}, "it is no Questionnaire"),
    (form({"type": "display", "text": "No linkId."}), "linkId is missing"),
]


@pytest.mark.parametrize(("questionnaire", "said"), REFUSED)
def test_what_cannot_be_asked_and_scored_is_refused_in_one_sentence(
    questionnaire: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        from_questionnaire(questionnaire, right=RIGHT, higher="better")
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_whether_more_is_better_has_to_be_said() -> None:
    with pytest.raises(InputError, match="higher total is better or worse"):
        from_questionnaire(form(line("a", WORDS)), right=RIGHT)


def test_items_and_key_that_say_different_things_are_refused(phq9: Instrument) -> None:
    written = to_questionnaire(phq9, loaded=True)
    written["item"][1]["answerOption"][0]["valueCoding"]["extension"][0]["valueDecimal"] = 7
    with pytest.raises(InputError, match="count otherwise than the instrument's key says"):
        from_questionnaire(written, right=RIGHT)


def test_what_is_taken_as_a_total_alone_takes_no_words(shelf: Shelf) -> None:
    with pytest.raises(InputError, match="ors: its owners bar electronic forms"):
        from_questionnaire(form(line("a", WORDS)), right=RIGHT, name="ors", shelf=shelf)


def lines_of_phq9(*places: int) -> dict[str, Any]:
    """A form with lines of the PHQ-9, by their LOINC codes, and no code of the whole."""
    choices = [
        {"valueCoding": {"code": f"c{n}", "display": f"So {n}", "extension": [ordinal(n)]}} for n in range(4)
    ]
    items = [item for item in PHQ9.items if not item.apart]
    lines = [
        {
            "linkId": f"q{place}", "type": "choice", "text": f"Line {place}?", "answerOption": choices,
            "code": [{"system": "http://loinc.org", "code": items[place - 1].loinc}],
        }
        for place in places
    ]  # fmt: skip
    return {"resourceType": "Questionnaire", "status": "active", "name": "Mood", "item": lines}


def ordinal(value: int) -> dict[str, Any]:
    return {"url": ORDINAL, "valueDecimal": value}


PHQ9 = next(each for each in of_others() if each.id == "phq9")
OTHERS = {each.id: each for each in of_others()}


def test_a_form_without_a_code_of_its_own_is_known_by_those_of_its_items() -> None:
    found = from_questionnaire(lines_of_phq9(*range(9, 0, -1)), right=RIGHT, shelf=OTHERS)
    assert (found.id, found.scales) == ("phq9", PHQ9.scales)
    assert found.item("item9").wording.en == "Line 9?"
    assert found.item("item9").risk_from == 1
    other = lines_of_phq9(*range(1, 10)) | {"code": [{"system": "http://loinc.org", "code": "00000-0"}]}
    assert from_questionnaire(other, right=RIGHT, shelf=OTHERS).id == "phq9"


def test_a_form_that_lacks_some_of_the_lines_is_refused_unless_it_says_to_be_another() -> None:
    with pytest.raises(
        InputError, match="item9 .LOINC 44260-8. is not asked; without it, it is another instrument"
    ):
        from_questionnaire(lines_of_phq9(*range(1, 9)), right=RIGHT, shelf=OTHERS, higher="worse")
    other = lines_of_phq9(*range(1, 9)) | {"code": [{"system": "http://loinc.org", "code": "69723-5"}]}
    assert from_questionnaire(other, right=RIGHT, shelf=OTHERS, higher="worse").id == "mood"
    assert from_questionnaire(lines_of_phq9(1, 2), right=RIGHT, shelf=OTHERS, higher="worse").id == "mood"


def test_answers_to_such_a_form_in_the_same_file_are_of_that_instrument() -> None:
    asked = lines_of_phq9(*range(1, 10)) | {"id": "q"}
    items = [{"linkId": f"q{place}", "answer": [{"valueInteger": 1}]} for place in range(1, 10)]
    answered = {
        "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "Questionnaire/q",
        "subject": {"reference": "Patient/p"}, "authored": "2026-03-02", "item": items,
    }  # fmt: skip
    content = "\n".join(json.dumps(each) for each in (asked, answered)).encode()
    (found,) = read_fhir(io.BytesIO(content), OTHERS)
    assert isinstance(found, AnswersEntry)
    assert (found.instrument, found.answers["item9"]) == ("phq9", 1)


def test_hl7s_own_questionnaires_load_or_are_refused_in_one_sentence(
    examples: Callable[[str], Iterator[tuple[str, bytes]]], shelf: Shelf
) -> None:
    said = {}
    for name, content in examples("Questionnaire-"):
        try:
            said[name] = from_questionnaire(json.loads(content), right=RIGHT, shelf=shelf, higher="worse").id
        except InputError as problem:
            said[name] = str(problem)
            assert "\n" not in said[name]
    print("\n".join(f"{name}: {what}" for name, what in said.items()))  # noqa: T201 - what did what
    assert len(said) == 7


def test_hl7s_glasgow_coma_score_loads_once_its_answers_count_and_reads_their_response(
    examples: Callable[[str], Iterator[tuple[str, bytes]]],
) -> None:
    gcs = json.loads(next(content for _, content in examples("Questionnaire-gcs")))
    for value_set in gcs["contained"]:
        for place, concept in enumerate(value_set["compose"]["include"][0]["concept"], 1):
            concept["extension"] = [{"url": ORDINAL, "valueDecimal": place}]
    for item in gcs["item"]:
        item["text"] = item["code"][0]["code"]
    loaded = from_questionnaire(gcs, right="HL7's example", name="gcs", higher="better")
    assert loaded.bounds(loaded.scale("total")) == (3, 15)
    assert all(
        isinstance(choice, Choice) and choice.loinc for item in loaded.items for choice in item.choices
    )
    response = next(content for _, content in examples("QuestionnaireResponse-gcs"))
    (found,) = read_fhir(io.BytesIO(response), {"gcs": loaded})
    assert isinstance(found, AnswersEntry)
    assert score(loaded, found.answers)["total"] == 13


def test_words_in_one_language_come_back_in_one(shelf: Shelf) -> None:
    one = worded(
        'instrument = "gad7"\nright = "r"\n[en]\nintro = "Lines."\n'
        'items = ["1", "2", "3", "4", "5", "6", "7"]\nchoices = ["a", "b", "c", "d"]',
        shelf,
    )
    back = from_questionnaire(to_questionnaire(one, loaded=True), right="r")
    assert back.languages == ("en",)
    assert back.items == one.items


sentences = st.from_regex(r"[A-Za-zñá¿][A-Za-z ñá?.,'<&\"]{0,30}[a-z?.]", fullmatch=True)
wordings = st.builds(Wording, sentences, sentences)


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    """Any instrument with words: choices or lines, turned or apart, one language or two."""
    either: list[tuple[Language, ...]] = [("en", "es"), ("en",), ("es",)]
    languages = draw(st.sampled_from(either))
    low, high = draw(st.sampled_from([(0, 10), (1, 5), (-3, 3), (0, 3)]))
    chosen = draw(st.booleans())
    choices = tuple(Choice(value, draw(wordings)) for value in range(low, high + 1)) if chosen else ()
    own = (Choice(low, draw(wordings)), Choice(high, draw(wordings), "LA6568-5"))
    items = tuple(
        Item(
            f"line_{number}",
            draw(wordings),
            reverse=draw(st.booleans()),
            apart=number > 2,
            risk_from=draw(st.sampled_from([None, low, high])),
            loinc=draw(st.sampled_from([None, "44260-8"])),
            choices=draw(st.sampled_from([(), own])),
        )
        for number in range(draw(st.integers(1, 4)))
    )
    counted = tuple(item.id for item in items if not item.apart)
    note = draw(st.none() | wordings)
    made = Instrument(
        id="made", name=draw(wordings), version=draw(st.sampled_from(["1", "2.0-beta"])), licence="CC0-1.0",
        source="Invented", validated=note is None, asked_of="client", how_often="once", intro=draw(wordings),
        ends=Ends(low, high, draw(wordings), draw(wordings)), items=items, choices=choices, note=note,
        scales=(
            Scale("total", draw(wordings), counted, draw(st.sampled_from(["sum", "mean"])), "worse", 1, factor=2.0),
        ),
        words="loaded", right=RIGHT, languages=languages, key="By hand",
    )  # fmt: skip
    return from_table(to_table(made))  # in one language, its words stand for both


@given(instruments())
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow], report_multiple_bugs=False
)
def test_any_instrument_comes_back_as_it_was(made: Instrument) -> None:
    written = to_questionnaire(made, loaded=True)
    assert faults(written) == []
    assert from_questionnaire(json.loads(json.dumps(written)), right=RIGHT) == made


@given(instruments())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_questionnaire_that_leaves_is_valid(peer: Faults, made: Instrument) -> None:
    assert peer(to_questionnaire(made, loaded=True)) == []
