"""Whatever comes in, it is read or refused in one sentence, and soon."""

from __future__ import annotations

import copy
import io
import json
import random
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.exchange.fhir import from_questionnaire, read_fhir, to_questionnaire, write_bundle
from attunement.instruments import catalogue, instrument, of_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attunement.exchange.fhir.strict import Json

SHELF = {each.id: each for each in (*catalogue(), *of_others())}
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
MUTATIONS: Final = 8_000
PATIENCE: Final = 5.0  # seconds
VALUES: Final[tuple[Any, ...]] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1.5,
        2**31,
        10**17,
        "",
        " ",
        "bogus",
        "1",
        [],
        [[]],
        [None],
        {},
        {"a": {}},
        [{}],
    ),
    *(
        {"value": "x"},
        {"reference": 7},
        {"coding": 3},
        [{"url": 1}],
        [{"url": "u", "valueCode": []}],
        "Patient/",
        "#",
    ),
    *(
        "urn:uuid:",
        "2026-02-31",
        "0001-01-01T00:00:00+14:00",
        "http://",
        "\u202e",
        "K-07/",
        "/9",
        "x" * 2_000,
    ),
)
RAW: Final = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 400, b"9" * 5_000, b"1" + b"0" * 18, b"0." + b"1" * 90,
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b"\x00", b'"\x01"', b'"', b"\\", b"{" * 50, b"[" * 200, b"]" * 9,
    b"[" * 100_000, b'{"a":' * 3_000, b'"a":1,"a":2,',
    b"\xff\xfe", b"\xed\xa0\x80", b"<a/>", b"//", b"'", b",", b":", b"\xef\xbb\xbf",
)  # fmt: skip


def sound() -> bytes:
    out = io.BytesIO()
    phq9 = SHELF["phq9"]
    write_bundle(
        [
            ClientEntry("K-07", NOON, None, "agreed"),
            SessionEntry("K-07", 1, NOON, "late", 3),
            AnswersEntry("K-07", 1, NOON, "phq9", "2001", {each.id: 1 for each in phq9.items}),
            TotalEntry("K-07", 1, NOON, "ors", "total", 30),
        ],
        SHELF,
        out,
    )
    bundle = json.loads(out.getvalue())
    bundle["entry"] += [{"resource": each} for each in foreign()]
    return json.dumps(bundle).encode()


def foreign() -> list[dict[str, Any]]:
    """What others write: no identifiers of ours, and so all that is counted at the end."""
    who = {"subject": {"reference": "Patient/p"}}
    code = {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]}
    weight = [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 1}]
    chosen = {"system": "http://loinc.org", "code": "LA6569-3", "extension": weight}
    return [
        {"resourceType": "Patient", "id": "p", "name": [{"family": "Somebody"}], "birthDate": "1970-01-01"},
        {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
         "period": {"start": "2026-03-02T10:00:00+01:00"}, **who},
        {"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed", "authored": "2026-03-02",
         "questionnaire": "http://loinc.org/q/44249-1", **who,
         "item": [{"linkId": "g", "item": [{"linkId": "/44260-8", "answer": [{"valueCoding": chosen}]}]}]},
        {"resourceType": "Observation", "status": "final", "code": code, "effectiveDateTime": "2026-03-09",
         "valueQuantity": {"value": 3}, "derivedFrom": [{"reference": "QuestionnaireResponse/r"}], **who},
    ]  # fmt: skip


def places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def changed(chance: random.Random, resource: Json) -> Json:
    """A resource with something else in one place."""
    found = list(places(resource))
    *above, last = chance.choice(found)
    inner = resource
    for key in above:
        inner = inner[key]
    how = chance.randrange(4)
    if how == 0 and isinstance(inner, dict):
        del inner[last]
    elif how == 1 and isinstance(inner, dict):
        inner[
            chance.choice(
                ["item", "extension", "identifier", "code", "valueCoding", "contained", "period", "_text"]
            )
        ] = inner.pop(last)
    else:
        inner[last] = copy.deepcopy(chance.choice(VALUES))
    return resource


def broken(chance: random.Random, content: bytes) -> bytes:
    """A file with something else in some of its bytes."""
    at = chance.randrange(len(content))
    how = chance.randrange(5)
    if how == 0:
        return content[:at]
    if how == 1:
        return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]
    if how == 2:
        return content[:at] + chance.choice(RAW) + content[at:]
    if how == 3:
        numbers = [
            place for place in range(at, len(content) - 1) if content[place : place + 1] in {b":", b","}
        ]
        place = numbers[0] + 1 if numbers else at
        return content[:place] + chance.choice(RAW) + content[place + chance.randrange(4) :]
    end = min(len(content), at + chance.randrange(1, 400))
    return content[:at] + content[end:] if chance.random() < 0.5 else content[:end] + content[at:]


def looked_at(do: Callable[[], object]) -> str:
    """Return what came of it: read, or refused."""
    start = time.perf_counter()
    try:
        do()
        outcome = "read"
    except InputError as problem:
        outcome = "refused"
        said = str(problem)
        assert "\n" not in said
        assert len(said) < 600, said
        assert "Somebody" not in said
    assert time.perf_counter() - start < PATIENCE
    return outcome


def _read(content: bytes) -> list[Entry]:
    return list(read_fhir(io.BytesIO(content), SHELF))


def test_eight_thousand_broken_files_are_read_or_refused() -> None:
    chance = random.Random(8)  # noqa: S311 - the same files each time
    content = sound()
    assert len(list(read_fhir(io.BytesIO(content), SHELF))) == 7
    outcomes: Counter[str] = Counter()
    for number in range(MUTATIONS):
        if number % 2:
            mutated = broken(chance, content)
        else:
            resource = json.loads(content)
            for _ in range(chance.randrange(1, 4)):
                resource = changed(chance, resource)
            mutated = json.dumps(resource).encode()
        outcomes[looked_at(partial(_read, mutated))] += 1
    print(outcomes)  # noqa: T201 - what came of them
    assert outcomes["refused"] > MUTATIONS // 2
    assert outcomes["read"] > MUTATIONS // 20


def test_two_thousand_broken_questionnaires_load_or_are_refused() -> None:
    chance = random.Random(9)  # noqa: S311 - the same each time
    outcomes: Counter[str] = Counter()
    for number in range(2_000):
        resource = json.loads(json.dumps(to_questionnaire(instrument("connection"))))
        if number % 2:
            del resource["extension"]
        else:
            key = json.loads(resource["extension"][0]["valueString"])
            resource["extension"][0]["valueString"] = json.dumps(changed(chance, key))
        resource = changed(chance, resource)
        load = partial(from_questionnaire, resource, right="r", shelf=SHELF, higher="closer")
        outcomes[looked_at(load)] += 1
    print(outcomes)  # noqa: T201 - what came of them
    assert outcomes["refused"] > 200
