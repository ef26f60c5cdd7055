"""The codes that elements may hold, and the shapes of the resources that we write and read.

The value sets are those of R4B (4.3.0), each required by its element's binding.
"""

from __future__ import annotations

from typing import Any, Final

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
from attunement.exchange.fhir.strict import Json, shown

PUBLICATION: Final = ("draft", "active", "retired", "unknown")
ITEM_TYPES: Final = (
    *(
        "group",
        "display",
        "boolean",
        "decimal",
        "integer",
        "date",
        "dateTime",
        "time",
        "string",
        "text",
        "url",
    ),
    *("choice", "open-choice", "attachment", "reference", "quantity"),
    *("question", "coding"),  # R5 has coding for choice; question is abstract in both
)
RESPONSE_STATUS: Final = ("in-progress", "completed", "amended", "entered-in-error", "stopped")
OBSERVATION_STATUS: Final = (
    *(
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    ),
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

    def look(value: Json) -> None:
        shapes[name](value)

    return look


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
    {
        "item": many(_later(_DEEP, "answered")),
        "extension": _EXTENSIONS,
        "valueQuantity": _QUANTITY,
        **_VALUES_X,
    },
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
