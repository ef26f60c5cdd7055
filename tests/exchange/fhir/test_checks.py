"""Our own checks stand alone: they find what each of the others misses."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from attunement.errors import InputError
from attunement.exchange.fhir import faults, read_fhir, to_questionnaire
from attunement.exchange.fhir.stream import LARGEST, resources
from attunement.exchange.fhir.times import moment
from attunement.instruments import instrument

if TYPE_CHECKING:
    from attunement.exchange.fhir.strict import Json

Faults = Callable[[Mapping[str, Any]], list[str]]


def questionnaire(**more: Json) -> dict[str, Any]:
    return {"resourceType": "Questionnaire", "status": "active"} | more


def observation(**more: Json) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "A score"}} | more


def encounter(**more: Json) -> dict[str, Any]:
    return {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}} | more


ITEM = {"linkId": "a", "type": "choice"}
BOGUS_STATUS = questionnaire(status="bogus")
WRONG_TYPE = questionnaire(item=[ITEM | {"type": "wrong"}])
NO_LINK = questionnaire(item=[{"type": "choice"}])


def test_fhir_resources_misses_codes_and_we_do_not(structural_faults: Faults) -> None:
    assert structural_faults(BOGUS_STATUS) == structural_faults(WRONG_TYPE) == []
    assert faults(BOGUS_STATUS) == [
        "Questionnaire.status is 'bogus', none of its codes (draft, active, retired, unknown)"
    ]
    assert faults(WRONG_TYPE)[0].startswith(
        "Questionnaire.item[0].type is 'wrong', none of its codes (group,"
    )


def test_the_json_schema_misses_a_missing_link_and_we_do_not(schema_faults: Faults) -> None:
    assert schema_faults(NO_LINK) == []
    assert schema_faults(BOGUS_STATUS) != []
    assert faults(NO_LINK) == ["Questionnaire.item[0].linkId is missing; it has to be there"]


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            questionnaire(item=[ITEM, {"linkId": "g", "type": "group", "item": [ITEM]}]),
            "linkId 'a' stands twice",
        ),
        (questionnaire(item=[]), "item is a list; it takes a list that is not empty"),
        (questionnaire(item=ITEM), "item is an object; it takes a list"),
        (questionnaire(url="two words"), "url is a text; it takes an address"),
        (questionnaire(item=[ITEM | {"required": "yes"}]), r"required is 'yes'; it takes true or false"),
        (
            questionnaire(item=[ITEM | {"answerOption": [{"valueInteger": 1, "valueString": "x"}]}]),
            "takes one value",
        ),
        (questionnaire(item=[ITEM | {"answerOption": [{"valueInteger": 2**31}]}]), "it takes a whole number"),
        (
            {"resourceType": "QuestionnaireResponse", "status": "final"},
            "status is 'final', none of its codes",
        ),
        ({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [{}]}, "linkId is missing"),
        (observation(status="done"), "status is 'done', none of its codes"),
        ({"resourceType": "Observation", "status": "final"}, "Observation.code is missing"),
        (observation(effectiveDateTime="2026-02-30"), "effectiveDateTime: it is no date or time of FHIR"),
        (observation(effectiveDateTime="2026-02-03T10:00:00"), "no date or time"),
        (observation(effectiveDateTime=20260203), "it takes a date or a time"),
        (observation(valueQuantity={"value": "7"}), "valueQuantity.value is '7'; it takes a number"),
        (observation(valueQuantity={"value": True}), "value is true; it takes a number"),
        (encounter(status="held"), "status is 'held', none of its codes"),
        (encounter(period={"start": "2026-03-02", "end": "2026-03-01"}), "period ends before it starts"),
        (encounter(id="two words"), "id is a text; it takes 1 to 64"),
        ({"resourceType": "Encounter", "status": "finished"}, "class is missing"),
        ({"resourceType": "Patient", "gender": "w"}, "gender is 'w', none of its codes"),
        ({"resourceType": "Bundle", "type": "pile"}, "type is 'pile', none of its codes"),
        ({"status": "final"}, "resourceType is missing"),
        ({"resourceType": 7}, "resourceType is missing"),
    ],
)
def test_each_fault_is_named_with_its_element(resource: dict[str, Any], said: str) -> None:
    (fault,) = faults(resource)
    assert said in fault


def test_a_reference_that_leads_nowhere_and_an_address_that_stands_twice_are_found() -> None:
    patient = {"resource": {"resourceType": "Patient", "id": "p"}}
    lost = {"resource": observation(subject={"reference": "Patient/q"})}
    named = {"resource": observation(subject={"reference": "Patient/q", "identifier": {"value": "K"}})}
    found = {"resource": observation(subject={"reference": "Patient/p"})}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [patient, lost, named, found]}
    assert faults(bundle) == ["entry 2: the reference 'Patient/q' leads nowhere in the Bundle"]
    bundle["entry"] = [patient, patient]
    assert faults(bundle) == ["Bundle.entry: 'Patient/p' stands twice"]


def test_hl7s_own_examples_pass_our_checks(examples: Callable[[str], Iterator[tuple[str, bytes]]]) -> None:
    looked = 0
    for prefix in ("Questionnaire-", "QuestionnaireResponse-", "Encounter-", "Observation-"):
        for name, content in examples(prefix):
            looked += 1
            wrong = ["Questionnaire.item[0].item[0].linkId is missing; it has to be there"]
            assert faults(json.loads(content)) == (wrong if "qs1" in name else []), name
    assert looked > 80


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-02T23:59:60Z", "2026-03-02T23:59:59+00:00"),
        ("2026-03-02T10:30:00.123456789+01:00", "2026-03-02T09:30:00.123456+00:00"),
        ("2026-03-02", "2026-03-02T00:00:00+00:00"),
        ("2026-03", None),
        ("2026", None),
    ],
)
def test_times_are_read_as_fhir_means_them(text: str, read: str | None) -> None:
    found = moment(text)
    assert (found.isoformat() if found else None) == read


NO_TIMES = (
    *("", "0000", "2026-13", "2026-03-02T24:00:00Z", "2026-03-02T10:30Z", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59-14:00", "2026-03-02T10:30:00+15:00", "2026-03-02T10:30:00+01:60", "2026-03-02\n"),
    "٢٠٢٦-03-02",
)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no date or time"):
        moment(text)


def parts(content: bytes) -> list[dict[str, Any] | None]:
    return [found.resource for found in resources(io.BytesIO(content))]


PATIENT = b'{"resourceType":"Patient","id":"p"}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"   \n", "The file is empty"),
        (b"<Bundle/>", "looks like XML"),
        (b"a,b\n1,2", "is no FHIR"),
        (b"[1]", "is no FHIR"),
        (PATIENT.decode().encode("utf-16"), "not in UTF-8"),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"a":NaN}}]}', "entry 1: NaN is no number"),
        (b'{"resourceType":"Bundle","entry":[{},{"resource":{"a":1e999}}]}', "entry 2: a number is too large"),
        (b'{"entry":[{"resource":{"a":1,"a":2}}]}', "entry 1: 'a' stands twice in one object"),
        (b'{"entry":[{"resource":{"a":"\\ud800"}}]}', "entry 1: a text holds half of a surrogate pair"),
        (b'{"entry":[{"resource":{"\\u0000":1}}]}', "entry 1: a text holds a control character"),
        (b'{"entry":[{"resource":{"a":' + b"9" * 5_000 + b"}}]}", "entry 1: a number has more than 18 digits"),
        (b'{"entry":[{"resource":' + b"[" * 40 + b"]" * 40 + b"}]}", "nested deeper than 32"),
        (b'{"entry":[{"resource":' + b"[" * 100_000, "nested deeper than 32"),
        (b'{"entry":[{"resource":' + PATIENT + b"},", "entry 2: it is no JSON"),
        (b'{"entry":[{"resource":' + PATIENT + b"}", "the file ends too early"),
        (b'{"resourceType":"Bundle","entry":[7]}', "entry 1: it is 7; an entry is an object"),
        (b'{"resourceType":"Bundle","entry":[{"resource":[]}]}', "its resource is a list"),
        (b'{"resourceType":"Bundle","entry":{}}', "Bundle.entry is an object"),
        (PATIENT + b"\n7", "entry 2: it is 7; a resource is an object"),
        (PATIENT + b"\n{", "entry 2: it is no JSON"),
        (b'{"resourceType":"Patient","id":"' + b"a" * (LARGEST + 1) + b'"}', "longer than 1,000,000 characters"),
    ],
)  # fmt: skip
def test_json_that_is_not_sound_is_refused_with_its_entry(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parts(content)


def test_a_bundle_of_any_length_or_order_a_resource_and_lines_are_read() -> None:
    entries = b",".join(b'{"resource":' + PATIENT + b"}" for _ in range(40_000))
    long = b'\xef\xbb\xbf{"entry" : [' + entries + b'] , "type":"collection","resourceType":"Bundle"}'
    assert len(long) > LARGEST
    assert len(parts(long)) == 40_000
    assert parts(b'{"entry":[{"resource":%s},{}],"resourceType":"Bundle"}' % PATIENT) == [
        {"resourceType": "Patient", "id": "p"},
        None,
    ]
    assert len(parts(PATIENT)) == 1
    assert len(parts(b"\r\n".join([PATIENT] * 60_000))) == 60_000


def test_what_is_long_and_no_bundle_is_refused_at_its_end() -> None:
    entries = b",".join(b'{"resource":' + PATIENT + b"}" for _ in range(40_000))
    with pytest.raises(InputError, match="'List' of more than"):
        parts(b'{"resourceType":"List","entry":[' + entries + b"]}")
    with pytest.raises(InputError, match="Something follows"):
        parts(b'{"resourceType":"Bundle","entry":[' + entries + b"]} {}")


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a socket may."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, _size: int = -1) -> bytes:
        return self._content.read(3)


def test_a_stream_may_come_in_drops() -> None:
    content = '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p","x":"ñ😀"}}]}'
    assert len(list(read_fhir(Trickle(content.encode()), {}))) == 1  # type: ignore[arg-type]


def test_what_we_write_says_nothing_of_a_person() -> None:
    text = json.dumps(to_questionnaire(instrument("connection")))
    assert "birthDate" not in text
    assert '"name": "connection"' in text
