"""Our own checks of codes, of what must be there, of dates and of references, for the resources that we write and read.

`fhir.resources` takes ``status: "bogus"`` and any item type; the JSON Schema takes an item without its linkId. These
checks take neither, and stand alone. The value sets are those of R4B (4.3.0), each required by its element's binding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.shapes import (
    Check,
    Shape,
    code,
    flag,
    ident,
    many,
    number,
    text,
    time,
    uri,
    whole,
)
from attunement.exchange.fhir.strict import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PUBLICATION: Final = ("draft", "active", "retired", "unknown")
ITEM_TYPES: Final = (
    *("group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url"),
    *("choice", "open-choice", "attachment", "reference", "quantity"),
    *("question", "coding"),  # R5 has coding for choice; question is abstract in both
)
RESPONSE_STATUS: Final = ("in-progress", "completed", "amended", "entered-in-error", "stopped")
OBSERVATION_STATUS: Final = (
    *("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"),
)
ENCOUNTER_STATUS: Final = (
    *("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error"),
    "unknown",
)
BUNDLE_TYPES: Final = (
    *("document", "message", "transaction", "transaction-response", "batch", "batch-response", "history"),
    *("searchset", "collection"),
)
GENDERS: Final = ("male", "female", "other", "unknown")


def _later(shapes: dict[str, Check], name: str) -> Check:
    """A shape that holds itself, as items do."""
    return lambda value: shapes[name](value)


def _one_value(value: dict[str, Any]) -> None:
    """Refuse two values of one choice of types."""
    named = [name for name in value if name.startswith("value")]
    if len(named) > 1:
        raise InputError(f" has {named[0]} and {shown(named[1])}; it takes one value")


def _right_way_round(value: dict[str, Any]) -> None:
    start, end = value.get("start"), value.get("end")
    if start and end and len(start) == len(end) and start.endswith("Z") == end.endswith("Z") and end < start:
        raise InputError(" ends before it starts")


_CODING: Final = Shape({"system": uri, "code": code(), "display": text})
_VALUES: Final[dict[str, Check]] = {
    "valueDecimal": number,
    "valueInteger": whole,
    "valueBoolean": flag,
    "valueCode": code(),
    "valueString": text,
    "valueCoding": _CODING,
    "valueDateTime": time,
    "valueDate": time,
}
_DEEP: Final[dict[str, Check]] = {}
_EXTENSIONS: Final = many(_later(_DEEP, "extension"))
_ELEMENT: Final = Shape({"extension": _EXTENSIONS})
_PERIOD: Final = Shape({"start": time, "end": time}, also=(_right_way_round,))
_DEEP["extension"] = Shape(
    {"url": uri, "extension": _EXTENSIONS, "valuePeriod": _PERIOD, **_VALUES}, ("url",), (_one_value,)
)
_CODING_X: Final = Shape({**_CODING.elements, "extension": _EXTENSIONS, "_display": _ELEMENT})
_VALUES_X: Final[dict[str, Check]] = {**_VALUES, "valueCoding": _CODING_X}
_CONCEPT: Final = Shape({"coding": many(_CODING_X), "text": text})
_IDENTIFIER: Final = Shape({"system": uri, "value": text, "type": _CONCEPT})
_REFERENCE: Final = Shape({"reference": uri, "identifier": _IDENTIFIER})
_QUANTITY: Final = Shape({"value": number, "unit": text, "system": uri, "code": code()})
_HEAD: Final[dict[str, Check]] = {
    "id": ident, "language": code(), "extension": _EXTENSIONS, "identifier": many(_IDENTIFIER),
    "contained": many(Shape({"resourceType": code(), "id": ident}, ("resourceType",))),
    "meta": Shape({"tag": many(_CODING), "security": many(_CODING), "profile": many(uri)}),
}  # fmt: skip


def _distinct_links(value: dict[str, Any]) -> None:
    seen: set[str] = set()
    level = [value.get("item", ())]
    while level:
        for item in level.pop():
            if item["linkId"] in seen:
                raise InputError(f".item: the linkId {shown(item['linkId'])} stands twice")
            seen.add(item["linkId"])
            level.append(item.get("item", ()))


_OPTION: Final = Shape({"extension": _EXTENSIONS, **_VALUES_X}, (), (_one_value,))
_DEEP["item"] = Shape(
    {
        "linkId": text, "type": code(*ITEM_TYPES), "text": text, "_text": _ELEMENT, "code": many(_CODING),
        "answerOption": many(_OPTION), "answerValueSet": uri, "item": many(_later(_DEEP, "item")),
        "required": flag, "repeats": flag, "readOnly": flag, "extension": _EXTENSIONS,
        "enableWhen": many(Shape({"question": text, "operator": code("exists", "=", "!=", ">", "<", ">=", "<=")})),
    },
    ("linkId", "type"),
)  # fmt: skip
_DEEP["answered"] = Shape(
    {"linkId": text, "item": many(_later(_DEEP, "answered")), "answer": many(_later(_DEEP, "answer"))},
    ("linkId",),
)
_DEEP["answer"] = Shape(
    {"item": many(_later(_DEEP, "answered")), "extension": _EXTENSIONS, "valueQuantity": _QUANTITY, **_VALUES_X},
    (),
    (_one_value,),
)

SHAPES: Final[dict[str, Shape]] = {
    "Questionnaire": Shape(
        {
            **_HEAD, "url": uri, "version": text, "name": text, "title": text, "_title": _ELEMENT,
            "status": code(*PUBLICATION), "date": time, "publisher": text, "description": text,
            "_description": _ELEMENT, "copyright": text, "code": many(_CODING), "item": many(_DEEP["item"]),
        },
        ("status",), (_distinct_links,),
    ),
    "QuestionnaireResponse": Shape(
        {
            **_HEAD, "identifier": _IDENTIFIER, "questionnaire": uri, "status": code(*RESPONSE_STATUS),
            "subject": _REFERENCE, "encounter": _REFERENCE, "authored": time, "item": many(_DEEP["answered"]),
        },
        ("status",),
    ),
    "Observation": Shape(
        {
            **_HEAD, "status": code(*OBSERVATION_STATUS), "category": many(_CONCEPT), "code": _CONCEPT,
            "subject": _REFERENCE, "encounter": _REFERENCE, "effectiveDateTime": time, "issued": time,
            "effectiveInstant": time, "effectivePeriod": _PERIOD, "derivedFrom": many(_REFERENCE),
            "valueQuantity": _QUANTITY, "valueInteger": whole, "interpretation": many(_CONCEPT),
        },
        ("status", "code"), (_one_value,),
    ),
    "Patient": Shape({**_HEAD, "active": flag, "gender": code(*GENDERS)}),
    "Encounter": Shape(
        {
            **_HEAD, "status": code(*ENCOUNTER_STATUS), "class": _CODING_X, "subject": _REFERENCE, "period": _PERIOD,
        },
        ("status", "class"),
    ),
    "Bundle": Shape(
        {
            "id": ident, "type": code(*BUNDLE_TYPES), "timestamp": time,
            "entry": many(Shape({"fullUrl": uri, "resource": Shape({"resourceType": code()}, ("resourceType",))})),
        },
        ("type",),
    ),
}  # fmt: skip


def refuse_faulty(resource: dict[str, Any]) -> None:
    """Refuse a resource of a kind that we read, with the first thing in it that is not as FHIR has it.

    >>> refuse_faulty({"resourceType": "Observation", "status": "bogus", "code": {}})
    Traceback (most recent call last):
    attunement.errors.InputError: Observation.status is 'bogus', none of its codes (registered, preliminary, final,
    amended, corrected, cancelled, entered-in-error, unknown)

    Raises
    ------
    InputError
        A clause that names the element; the caller knows the entry.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise InputError("resourceType is missing; every resource names its type")
    shape = SHAPES.get(kind)
    if shape is not None:
        try:
            shape(resource)
        except InputError as problem:
            raise InputError(f"{kind}{problem}") from None


def faults(resource: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource, and in a Bundle with each of its entries and its references."""
    found = list(_faults(resource))
    if resource.get("resourceType") == "Bundle" and not found:
        entries = resource.get("entry", [])
        for place, entry in enumerate(entries, 1):
            found += [f"entry {place}, {fault}" for fault in _faults(entry.get("resource", {}))]
        found += _unresolved(entries)
    return found


def _faults(resource: dict[str, Any]) -> Iterator[str]:
    try:
        refuse_faulty(resource)
    except InputError as problem:
        yield str(problem)


def _unresolved(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Say which references lead nowhere in the Bundle and name nothing else, and which addresses stand twice."""
    there: set[str] = set()
    for entry in entries:
        resource = entry.get("resource", {})
        named = f"{resource.get('resourceType')}/{resource['id']}" if "id" in resource else None
        for name in {named, entry.get("fullUrl")} - {None}:
            if name in there:
                yield f"Bundle.entry: {shown(name)} stands twice"
            there.add(name)
    for place, entry in enumerate(entries, 1):
        for found in _references(entry.get("resource", {})):
            if found["reference"] not in there and "identifier" not in found:
                yield f"entry {place}: the reference {shown(found['reference'])} leads nowhere in the Bundle"


def _references(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
