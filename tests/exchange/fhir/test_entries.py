"""Entries leave as FHIR and come back as they were; files of others are read as far as they can be told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.exchange.fhir import faults, read_fhir, write_bundle, write_ndjson
from attunement.instruments import Instrument, catalogue, loads, of_others

if TYPE_CHECKING:
    from attunement.exchange.fhir.strict import Json

Faults = Callable[[Mapping[str, Any]], list[str]]
Shelf = dict[str, Instrument]
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
LOINC = "http://loinc.org"
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
CLIENT = "http://attunement.invalid/fhir/NamingSystem/client"
SHELF = {each.id: each for each in (*catalogue(), *of_others())}
PHQ9 = SHELF["phq9"]


def answered(instrument: Instrument, *points: float | None) -> dict[str, float | None]:
    given = [*points, *[None] * len(instrument.items)]
    return {item.id: point for item, point in zip(instrument.items, given, strict=False)}


CAST: list[Entry] = [
    ClientEntry("K-07", NOON, NOON + timedelta(days=90), "agreed"),
    SessionEntry("K-07", 1, NOON, "late", 12.5),
    AnswersEntry(
        "K-07", 1, NOON, "connection", "1", answered(SHELF["connection"], 8, 9.5, 8, None, 7, 6, 9, 2)
    ),
    AnswersEntry("K-07", 1, None, "phq9", "2001", answered(PHQ9, 1, 1, 1, 1, 1, 1, 1, None, 2, 3)),
    SessionEntry("K-07", 2, None, "cancelled by therapist"),
    TotalEntry("K-07", 3, NOON + timedelta(days=7), "ors", "total", 22.7),
    ClientEntry("Zoë 3.b"),
]


def bundle(*entries: Entry, shelf: Shelf = SHELF, write: Json = write_bundle) -> bytes:
    out = io.BytesIO()
    write(entries, shelf, out)
    return out.getvalue()


def read(content: bytes, shelf: Shelf = SHELF, notes: list[str] | None = None) -> list[Entry]:
    told = [] if notes is None else notes
    return list(read_fhir(io.BytesIO(content), shelf, note=told.append))


def resources(content: bytes, kind: str) -> list[dict[str, Any]]:
    entries = json.loads(content).get("entry", [])
    return [each["resource"] for each in entries if each["resource"]["resourceType"] == kind]


def foreign(*found: dict[str, Any]) -> bytes:
    entries = [{"resource": each} for each in found]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


codes = st.from_regex(r"[A-Za-zÀ-ÖØ-öø-ž0-9]([A-Za-zÀ-ÖØ-öø-ž0-9 .\-]{0,30}[A-Za-z0-9])?", fullmatch=True)
times = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
numbers = st.integers(0, 99_999)
attendances = st.sampled_from(["held", "late", "cancelled by client", "cancelled by therapist", "missed"])


def client_entry(code: str, one: datetime | None, other: datetime | None, ending: str | None) -> ClientEntry:
    if one is not None and other is not None:
        one, other = min(one, other), max(one, other)
    return ClientEntry(code, one, other, ending)


@st.composite
def answers(draw: st.DrawFn) -> AnswersEntry:
    instrument = draw(st.sampled_from([each for each in SHELF.values() if each.items]))
    points = {}
    for item in instrument.items:
        choices = [float(each.value) for each in instrument.choices_of(item)]
        any_point = st.floats(instrument.ends.low, instrument.ends.high)
        points[item.id] = draw(st.none() | (st.sampled_from(choices) if choices else any_point))
    return AnswersEntry(
        draw(codes), draw(numbers), draw(times), instrument.id, instrument.version, points
    )  # fmt: skip


entries = st.one_of(
    st.builds(
        client_entry, codes, times, times, st.none() | st.sampled_from(["agreed", "left", "still here"])
    ),
    st.builds(SessionEntry, codes, numbers, times, attendances, st.none() | st.floats(0, 600)),
    answers(),
    st.builds(TotalEntry, codes, numbers, times, st.just("ors"), st.just("total"), st.floats(0, 40)),
)


@given(st.lists(entries, max_size=8), st.sampled_from([write_bundle, write_ndjson]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_leaves_comes_back(some: list[Entry], write: Json) -> None:
    content = bundle(*some, write=write)
    if content.strip():
        assert read(content) == some


@given(st.lists(entries, max_size=3, unique_by=repr))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_whatever_leaves_is_valid(peer: Faults, some: list[Entry]) -> None:
    written = json.loads(bundle(*some))
    assert peer(written) == []
    for each in written.get("entry", []):
        assert faults(each["resource"]) == []


def test_a_bundle_of_all_kinds_is_valid(peer: Faults) -> None:
    written = json.loads(bundle(*CAST))
    assert peer(written) == []
    assert faults(written) == []


def test_an_empty_export_is_an_empty_bundle(peer: Faults) -> None:
    assert peer(json.loads(bundle())) == []
    assert read(bundle()) == []


def test_a_score_has_its_code_its_answers_and_its_published_bands() -> None:
    (total,) = [
        each
        for each in resources(bundle(*CAST), "Observation")
        if any(coding["code"] == "44261-6" for coding in each["code"]["coding"])
    ]
    assert total["valueQuantity"] == {
        "value": 10.125, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"
    }  # fmt: skip
    (response,) = [
        each for each in resources(bundle(*CAST), "QuestionnaireResponse") if "phq9" in each["questionnaire"]
    ]
    assert total["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert total["interpretation"][0]["text"] == "moderate (Kroenke, Spitzer & Williams (2001))"
    assert total["note"] == [{"text": "8 of 9 items were answered; the sum is prorated."}]


TWO_SETS = """
id = "two"
name = { en = "Two", es = "Dos" }
version = "1"
words = "totals only"
licence = "Invented"
source = "Invented"
validated = true
asked_of = "client"
how_often = "once"
ends = { low = 0, high = 40 }
[[scales]]
id = "total"
name = { en = "Total", es = "Total" }
limits = [0, 40]
higher = "worse"
bands = [
  { id = "one", source = "First", bands = [{ start = 0, name = "low" }, { start = 16, name = "high" }] },
  { id = "other", source = "Second", bands = [{ start = 0, name = "low" }, { start = 20, name = "high" }] },
]
"""


def test_where_two_sets_of_bands_do_not_agree_each_is_named() -> None:
    shelf = {"two": loads(TWO_SETS)}
    (total,) = resources(bundle(TotalEntry("K", 1, None, "two", "total", 17), shelf=shelf), "Observation")
    assert [each["text"] for each in total["interpretation"]] == ["high (First)", "low (Second)"]


def test_without_published_bands_nothing_is_interpreted() -> None:
    for each in resources(bundle(CAST[2]), "Observation"):
        assert "interpretation" not in each


def test_item_9_leaves_with_what_it_counts_whatever_was_skipped() -> None:
    only = AnswersEntry("K", 1, None, "phq9", "2001", answered(PHQ9) | {"item9": 1})
    content = bundle(only)
    assert resources(content, "Observation") == []
    (back,) = read(content)
    assert isinstance(back, AnswersEntry)
    assert PHQ9.at_risk(back.answers) == {"item9": 1}


def test_no_words_of_anybody_leave_with_answers(phq9: Instrument) -> None:
    content = bundle(CAST[3], shelf={"phq9": phq9}).decode()
    for words in ("One.", "Uno.", "rarely", "raro", "easy", "Some lines follow"):
        assert words not in content


def test_answers_to_an_earlier_version_leave_as_they_are_and_come_back_to_none() -> None:
    content = bundle(AnswersEntry("K", 1, None, "state", "1", {"distress": 3.0, "gone": None}))
    assert [each["resourceType"] for each in resources(content, "QuestionnaireResponse")] == [
        "QuestionnaireResponse"
    ]
    assert resources(content, "Observation") == []
    with pytest.raises(InputError, match="names version 1 of state, and the shelf has 2"):
        read(content)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (AnswersEntry("K", 1, None, "nobody", "1", {}), "entry 2: there is no instrument 'nobody'"),
        (AnswersEntry("K", 1, None, "phq9", "2001", {"item1": 1}), "entry 2: phq9: item2 has no answer"),
        (TotalEntry("K", 1, None, "ors", "total", float("nan")), "entry 2: a number is not finite"),
        (TotalEntry("K", 1, None, "ors", "gone", 1), "entry 2: ors: 'gone' is none of its scales"),
        (SessionEntry("K", 1, None, "asleep"), "entry 2: attendance is 'asleep'"),
        (ClientEntry("K\ud800"), "entry 2: A code of a client has 1 to 32"),
        (ClientEntry(" K "), "entry 2: the client's code has spaces"),
        (
            ClientEntry("K", NOON, NOON - timedelta(days=1)),
            "entry 2: the work together ends before it begins",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_number(entry: Entry, said: str) -> None:
    with pytest.raises(InputError, match=said):
        bundle(ClientEntry("K"), entry)


PLANTED = (
    "Szczepaniak",
    "Wilhelmina",
    "1961-04-17",
    "Grove Lane",
    "555-0199",
    "MRN-448812",
    "w.s@example.org",
)


def test_who_a_patient_is_is_not_read() -> None:
    patient = {
        "resourceType": "Patient", "id": "p-1",
        "name": [{"family": PLANTED[0], "given": [PLANTED[1]]}], "birthDate": PLANTED[2],
        "address": [{"line": [PLANTED[3]]}], "gender": "female",
        "telecom": [{"system": "phone", "value": PLANTED[4]}, {"system": "email", "value": PLANTED[6]}],
        "identifier": [{"system": "urn:oid:1.2.3", "value": PLANTED[5]}],
        "contact": [{"name": {"family": PLANTED[0]}}], "text": {"status": "generated", "div": PLANTED[1]},
    }  # fmt: skip
    notes: list[str] = []
    got = read(foreign(patient), notes=notes)
    assert got == [ClientEntry("p-1")]
    said = repr(got) + repr(notes) + bundle(*got).decode()
    for secret in PLANTED:
        assert secret not in said


@pytest.mark.parametrize("telling", ["szczepaniak-7", "wilhelmina", "19610417", "x-mrn-448812"])
def test_an_id_that_tells_who_it_is_is_no_pseudonym(telling: str) -> None:
    patient = {
        "resourceType": "Patient", "id": telling, "birthDate": PLANTED[2],
        "name": [{"family": PLANTED[0], "given": [PLANTED[1]]}], "identifier": [{"value": PLANTED[5]}],
    }  # fmt: skip
    with pytest.raises(InputError, match="tells who it is") as refused:
        read(foreign(patient))
    assert telling not in str(refused.value)
    named = patient | {"identifier": [{"value": PLANTED[5]}, {"system": CLIENT, "value": "K-07"}]}
    assert read(foreign(named)) == [ClientEntry("K-07")]


def test_a_fault_in_a_patient_does_not_say_who_it_is() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "gender": "Wilhelmina Szczepaniak",
        "active": "1961 04 17",
    }
    with pytest.raises(InputError, match=r"entry 1, Patient\.gender is a text") as refused:
        read(foreign(patient))
    assert "Szczepaniak" not in str(refused.value)


def encounter(
    name: str, start: str | None, status: str = "finished", subject: str = "Patient/p"
) -> dict[str, Any]:
    period = {"period": {"start": start}} if start else {}
    return {
        "resourceType": "Encounter", "id": name, "status": status, "class": {"code": "AMB"},
        "subject": {"reference": subject},
    } | period  # fmt: skip


def response(at: str | None, encounter: str | None = None, **more: Json) -> dict[str, Any]:
    """A PHQ-9 as others write it, with LOINC's codes."""
    items = [
        {
            "linkId": f"/{item.loinc}",
            "answer": [{"valueCoding": {"system": LOINC, "code": PHQ9.choices[1].loinc}}],
        }
        for item in PHQ9.items
        if not item.apart
    ]
    return {
        "resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/p"},
        "questionnaire": "http://loinc.org/q/44249-1", "item": [{"linkId": "g", "item": items}],
        **({"authored": at} if at else {}), **({"encounter": {"reference": encounter}} if encounter else {}),
    } | more  # fmt: skip


def sessions_of(found: list[Entry]) -> list[tuple[str, int]]:
    return [
        (type(each).__name__, each.number if isinstance(each, SessionEntry) else each.session)
        for each in found
        if not isinstance(each, ClientEntry)
    ]


def test_sessions_of_others_are_counted_in_the_order_of_their_time() -> None:
    found = read(
        foreign(
            response("2026-03-16T09:00:00Z", "http://server/fhir/Encounter/second/_history/2"),
            encounter("second", "2026-03-16T09:00:00Z"),
            encounter("first", "2026-03-02T09:00:00+01:00"),
            response("2026-03-02T09:50:00+01:00"),
            response("2026-03-20"),
        )
    )
    assert sessions_of(found) == [
        ("SessionEntry", 1), ("AnswersEntry", 1), ("SessionEntry", 2), ("AnswersEntry", 2), ("AnswersEntry", 3)
    ]  # fmt: skip
    assert {each.client for each in found if isinstance(each, AnswersEntry | SessionEntry)} == {"p"}


def test_two_clients_are_counted_apart_and_addresses_of_a_bundle_are_followed() -> None:
    uuid = "urn:uuid:6f2e3a0e-70ad-4a9b-b9a0-9f6cf6c7d001"
    known = {"resourceType": "Patient", "identifier": [{"system": CLIENT, "value": "K"}]}
    content = {
        "resourceType": "Bundle", "type": "collection", "entry": [
            {"resource": response("2026-03-02", subject={"reference": uuid})},
            {"resource": response("2026-03-01")},
            {"fullUrl": uuid, "resource": known},
        ],
    }  # fmt: skip
    found = read(json.dumps(content).encode())
    assert [(each.client, each.session) for each in found if isinstance(each, AnswersEntry)] == [
        ("K", 1),
        ("p", 1),
    ]


def test_answers_without_a_day_or_a_session_are_refused() -> None:
    with pytest.raises(InputError, match=r"entry 2: QuestionnaireResponse has neither an Encounter"):
        read(foreign(encounter("e", "2026-03-02"), response(None)))
    with pytest.raises(InputError, match=r"entry 1, QuestionnaireResponse\.subject names no Patient"):
        read(foreign(response("2026-03-02", subject={"display": "somebody"})))


def test_two_ways_of_counting_do_not_meet() -> None:
    own = json.loads(bundle(SessionEntry("p", 4, NOON)))["entry"][0]["resource"]
    with pytest.raises(InputError, match="entry 2: QuestionnaireResponse does not say which session"):
        read(foreign(own, response("2026-03-02")))


def test_encounters_that_were_no_session_are_counted_and_passed_over() -> None:
    notes: list[str] = []
    kinds = ("planned", "cancelled", "entered-in-error", "unknown")
    found = read(
        foreign(*(encounter(kind, "2026-03-02", kind) for kind in kinds), encounter("e", None)), notes=notes
    )
    assert found == []
    assert notes == [
        "Passed over: 4 × Encounter that is planned or withdrawn, or cancelled without saying by whom.",
        "Passed over: 1 × Encounter without a day on which it began.",
    ]


def test_other_kinds_are_counted_and_passed_over() -> None:
    notes: list[str] = []
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
    }
    unknown = response("2026-03-02", questionnaire="http://example.org/q", item=[{"linkId": "1"}])
    found = read(
        foreign({"resourceType": "Condition"}, {"resourceType": "Condition"}, pressure, unknown), notes=notes
    )
    assert found == []
    assert notes == [
        "Passed over: 2 × Condition.",
        "Passed over: 1 × Observation of something that no instrument on the shelf scores.",
        "Passed over: 1 × QuestionnaireResponse to a Questionnaire that is not on the shelf.",
    ]


def test_a_questionnaire_in_the_file_says_which_line_is_which() -> None:
    items = [
        {"linkId": f"l{place}", "type": "choice", "code": [{"system": LOINC, "code": item.loinc}]}
        for place, item in enumerate(PHQ9.items)
    ]
    asked = {
        "resourceType": "Questionnaire", "status": "active", "url": "http://example.org/mood", "item": items,
        "code": [{"system": LOINC, "code": "44249-1"}],
    }  # fmt: skip
    chosen = {"system": LOINC, "code": "LA6574-3"}
    answered_ = [{"linkId": "l9", "answer": [{"valueCoding": chosen}]}, {"linkId": "l8"}]
    (found,) = read(
        foreign(response("2026-03-02", questionnaire="http://example.org/mood|3", item=answered_), asked)
    )
    assert isinstance(found, AnswersEntry)
    assert {name: point for name, point in found.answers.items() if point is not None} == {"difficulty": 3}


def choice(code: str, ordinal: float | None = None, system: str = LOINC) -> list[dict[str, Any]]:
    extension = {"extension": [{"url": ORDINAL, "valueDecimal": ordinal}]} if ordinal is not None else {}
    return [{"valueCoding": {"system": system, "code": code, **extension}}]


@pytest.mark.parametrize(
    ("item", "answer", "counts"),
    [
        ("/69722-7", choice("LA6575-0"), 2),  # very, before extremely, though its code is the higher one
        ("/69722-7", choice("LA6574-3"), 3),
        ("/44260-8", choice("LA6569-3", 1), 1),
        ("/44260-8", choice("at0.1", 2, "http://example.org"), 2),
        ("/44260-8", [{"valueInteger": 3}], 3),
        ("/44260-8", choice("LA6569-3", 2), "count 2, which counts 1"),
        ("/44260-8", choice("LA9999-9"), "neither a number nor a choice that counts"),
        ("/44260-8", [{"valueInteger": 4}], "item9 is 4, which is no answer"),
        ("/44260-8", [{"valueDecimal": 1.5}], "item9 is 1.5, which is no answer"),
        ("/44260-8", [{"valueString": "1"}], "neither a number nor a choice"),
        ("/44260-8", [{"valueInteger": 1}, {"valueInteger": 2}], "has several answers"),
        ("/00000-0", choice("LA6569-3"), "'/00000-0' is no item of phq9"),
    ],
)
def test_an_answer_counts_what_its_code_and_its_number_say(
    item: str, answer: list[dict[str, Any]], counts: float | str
) -> None:
    content = foreign(response("2026-03-02", item=[{"linkId": item, "answer": answer}]))
    if isinstance(counts, str):
        with pytest.raises(InputError, match=counts):
            read(content)
    else:
        (found,) = read(content)
        assert isinstance(found, AnswersEntry)
        assert [point for point in found.answers.values() if point is not None] == [counts]


def test_loincs_own_answer_to_the_second_line_of_the_gad7_counts_as_much(shelf: Shelf) -> None:
    item = {"linkId": "/68509-9", "answer": choice("LA18938-3")}
    (found,) = read(
        foreign(response("2026-03-02", questionnaire="http://loinc.org/q/69737-5", item=[item])), shelf
    )
    assert isinstance(found, AnswersEntry)
    assert found.answers["item2"] == 2


def total(value: float, code: str = "44261-6", **more: Json) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-03-02", "valueQuantity": {"value": value},
    } | more  # fmt: skip


def test_a_total_of_another_system_is_taken_and_one_out_of_bounds_is_not() -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert read(foreign(total(17))) == [TotalEntry("p", 1, midnight, "phq9", "total", 17, counted=True)]
    with pytest.raises(InputError, match="total of phq9 goes from 0 to 27"):
        read(foreign(total(42)))


def test_a_total_beside_its_answers_is_not_taken_twice() -> None:
    notes: list[str] = []
    derived = total(9, derivedFrom=[{"reference": "QuestionnaireResponse/r"}])
    found = read(foreign(derived, response("2026-03-02", id="r")), notes=notes)
    assert sessions_of(found) == [("AnswersEntry", 1)]
    assert notes == ["Passed over: 1 × score that is worked out anew from its answers."]
    assert sessions_of(read(foreign(derived))) == [("TotalEntry", 1)]


READ = {"QuestionnaireResponse", "Observation", "Patient", "Encounter"}


def tried(content: bytes, shelf: Shelf, notes: list[str]) -> list[Entry] | str:
    try:
        return read(content, shelf, notes)
    except InputError as problem:
        return f"refused: {problem}"


def test_every_official_example_is_read_or_refused_in_one_sentence(
    examples: Callable[[str], Iterator[tuple[str, bytes]]], shelf: Shelf
) -> None:
    looked, told = 0, dict[str, object]()
    for name, content in examples(""):
        looked += 1
        notes: list[str] = []
        found = tried(content, shelf, notes)
        assert "\n" not in str(found)
        if name.split("-")[0] in READ or isinstance(found, str):
            told[name] = found or notes
    print(f"{looked} files", *(f"{name}: {what}" for name, what in told.items()), sep="\n")  # noqa: T201 - what did what
    assert looked > 5_000
    assert sum(isinstance(each, str) for each in told.values()) < 20


SURE = "An answer that asks for a look at somebody's safety was passed over"


def noted(*found: dict[str, Any], shelf: Shelf = SHELF) -> list[str]:
    notes: list[str] = []
    read(foreign(*found), shelf, notes)
    return notes


def of_an_item(value: Json, code: str = "44260-8", **more: Json) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-03-02", **value, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 1},
        {"valueQuantity": {"value": 3}},
        {"valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA6571-9"}]}},
    ],
)
def test_an_observation_on_safety_that_becomes_nothing_is_told_of_first(value: Json) -> None:
    notes = noted(of_an_item(value), of_an_item({"valueInteger": 2}, "44255-8"), of_an_item(value))
    assert notes[0] == f"{SURE}: entry 1, entry 3."
    part = {"code": {"coding": [{"system": LOINC, "code": "44260-8"}]}, **value}
    assert noted(of_an_item({}, "55757-9", component=[part]))[0] == f"{SURE}: entry 1."


@pytest.mark.parametrize("value", [{"valueInteger": 0}, {}, {"valueQuantity": {"value": 0.0}}])
def test_an_observation_that_says_nothing_of_safety_is_told_of_as_any_other(value: Json) -> None:
    assert noted(of_an_item(value)) == [
        "Passed over: 1 × Observation of something that no instrument on the shelf scores."
    ]


def test_an_observation_whose_value_cannot_be_told_may_ask_for_a_look_and_says_none_of_it() -> None:
    (first, _) = noted(of_an_item({"valueString": "PLANTED"}))
    assert first == "An answer that may ask for a look at somebody's safety was passed over: entry 1."
    assert noted(of_an_item({"valueInteger": 3}) | {"status": "entered-in-error"})[0].startswith(
        "Passed over"
    )


def item_nine(value: int, **more: Json) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": "Patient/p"},
        "id": "r", "authored": "2026-03-02", "item": [{"linkId": "44260-8", "answer": [{"valueInteger": value}]}],
        **more,
    }  # fmt: skip


def test_an_observation_that_a_response_carries_is_no_loss() -> None:
    of_day = of_an_item({"valueInteger": 1})
    assert SURE not in "".join(noted(of_day, item_nine(2)))
    derived = of_an_item({"valueInteger": 1}, derivedFrom=[{"reference": "QuestionnaireResponse/r"}])
    assert SURE not in "".join(noted(derived | {"effectiveDateTime": "2026-03-04"}, item_nine(2)))
    assert f"{SURE}: entry 1." in noted(of_day | {"effectiveDateTime": "2026-03-04"}, item_nine(2))
    assert f"{SURE}: entry 1." in noted(of_day, item_nine(0))


def test_a_response_on_safety_to_what_nobody_knows_is_told_of() -> None:
    twice = SHELF | {"other": loads(TWIN)}
    assert noted(item_nine(1), shelf=twice) == [
        f"{SURE}: entry 1.",
        "Passed over: 1 × QuestionnaireResponse to a Questionnaire that is not on the shelf.",
    ]
    assert len(noted(item_nine(0), shelf=twice)) == 1
    own = "http://attunement.invalid/fhir"
    ours = {
        "questionnaire": f"{own}/Questionnaire/gone|1",
        "encounter": {"identifier": {"system": f"{own}/NamingSystem/session", "value": "K-07/1"}},
    }
    assert noted(item_nine(1, **ours))[0] == f"{SURE}: entry 1."


TWIN = """
id = "other"
name = { en = "Other", es = "Otro" }
version = "1"
words = "missing"
licence = "Made up"
source = "Made up"
validated = true
asked_of = "client"
how_often = "once"
ends = { low = 0, high = 3 }
count = 1
items = [{ id = "item1", loinc = "44260-8", risk_from = 1 }]
[[scales]]
id = "total"
name = { en = "Total", es = "Total" }
items = [1]
method = "sum"
higher = "worse"
"""


def link(name: str, value: Json) -> dict[str, Any]:
    return {"linkId": name, "answer": [value]}


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 3},
        {"valueDecimal": 3.0},
        {"valueQuantity": {"value": 3}},
        {"valueCoding": {"code": "x"}},
    ],
)
def test_a_number_that_belongs_to_no_item_is_refused(value: Json) -> None:
    item = [link("44250-9", {"valueInteger": 1}), link("my-ninth", value)]
    with pytest.raises(InputError, match="'my-ninth' is no item of phq9; the Questionnaire in the same file"):
        read(foreign(response("2026-03-02", item=item)))


def test_a_total_beside_the_items_is_passed_over_and_no_other_while_the_line_on_safety_is_missing() -> None:
    first, ninth = link("44250-9", {"valueInteger": 1}), link("44260-8", {"valueInteger": 0})
    for total in ("44261-6", "/44261-6", "total"):
        assert read(foreign(response("2026-03-02", item=[first, link(total, {"valueInteger": 1})])))
    other = link("phq.TotalScore", {"valueDecimal": 1})
    assert read(foreign(response("2026-03-02", item=[first, ninth, other])))
    assert read(foreign(response("2026-03-02", item=[first, ninth, link("comment", {"valueString": "3"})])))
    with pytest.raises(InputError, match="'phq.TotalScore' is no item of phq9"):
        read(foreign(response("2026-03-02", item=[first, other])))


NAMED = {"resourceType": "Patient", "id": "p", "name": [{"family": "Szczepaniak", "given": ["Ola"]}]}
OWN = "http://attunement.invalid/fhir/NamingSystem/session"


def own_session(code: str, **subject: Json) -> dict[str, Any]:
    return {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": subject,
        "identifier": [{"system": OWN, "value": f"{code}/1"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "found",
    [
        [NAMED | {"identifier": [{"system": CLIENT, "value": "szczepaniak7"}]}],
        [
            NAMED
            | {
                "identifier": [
                    {"system": CLIENT, "value": "7-4411"},
                    {"system": "urn:x", "value": "74411"},
                    {"value": "4411"},
                ]
            }
        ],
        [own_session("Szczepaniak", reference="Patient/q", display="Ola Szczepaniak")],
        [own_session("Szczepaniak", reference="Patient/p"), NAMED],
        [own_session("K-Szczepaniak", reference="Patient/unknown"), NAMED],
        [
            response(
                "2026-03-02", subject={"reference": "Patient/o-szczepaniak", "display": "Szczepaniak, Ola"}
            )
        ],
        [
            response(
                "2026-03-02",
                subject={"identifier": {"system": CLIENT, "value": "ola-7"}, "display": "Ola S."},
            )
        ],
        [response("2026-03-02", subject={"identifier": {"system": CLIENT, "value": "OLA"}}), NAMED],
        [total(3, subject={"reference": "Patient/ola3", "display": "ola"})],
    ],
)
def test_a_code_in_which_a_name_stands_is_refused_wherever_it_comes_from(found: list[dict[str, Any]]) -> None:
    if "identifier" not in found[-1] and found[-1] is NAMED:
        found = [*found[:-1], NAMED | {"identifier": [{"system": CLIENT, "value": "K-07"}]}]
    with pytest.raises(InputError, match="has something in it that tells who it is") as refused:
        read(foreign(*found))
    assert not any(name in str(refused.value).lower() for name in ("szczepaniak", "ola", "4411"))


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/K-07", "display": "K-07"},
        {"reference": "Patient/patient-7", "display": "Patient 7"},
        {"reference": "urn:uuid:6f2e3ada-70ad-4a9b-b9a0-9f6cf6c7d001", "display": "Ada"},
        {"reference": "Patient/K-07", "display": 7},
    ],
)
def test_a_code_that_is_shown_as_it_is_tells_nobody(subject: dict[str, Any]) -> None:
    assert read(foreign(response("2026-03-02", subject=subject)))


def test_sessions_that_were_merely_counted_say_so_and_those_with_our_identifier_do_not() -> None:
    found = read(foreign(encounter("e", "2026-03-02T09:00:00Z"), response("2026-03-02"), total(3)))
    assert [each.counted for each in found if not isinstance(each, ClientEntry)] == [True, True, True]
    assert not any(each.counted for each in read(bundle(*CAST)) if not isinstance(each, ClientEntry))


def test_what_was_answered_twice_in_a_session_comes_in_the_order_of_time() -> None:
    late, early, none = (response(f"2026-03-02{at}") for at in ("T18:00:00Z", "T07:30:00Z", ""))
    found = [each for each in read(foreign(late, early, none)) if isinstance(each, AnswersEntry)]
    assert {each.session for each in found} == {1}
    assert [each.at and each.at.hour for each in found] == [0, 7, 18]
