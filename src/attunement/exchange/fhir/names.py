"""The addresses that stand in what we write, and the small parts that every resource is made of."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from attunement.exchange.fhir.strict import Json

BASE: Final = "http://attunement.invalid/fhir"
"""A name and no address: it never resolves (RFC 2606), and stays the same wherever the program runs."""

LOINC: Final = "http://loinc.org"
CLIENT: Final = f"{BASE}/NamingSystem/client"
SESSION: Final = f"{BASE}/NamingSystem/session"
SCORE: Final = f"{BASE}/CodeSystem/score"
ANSWER: Final = f"{BASE}/CodeSystem/answer"
BAND: Final = f"{BASE}/CodeSystem/band"
ORIGIN: Final = f"{BASE}/CodeSystem/origin"
WORKED_OUT: Final = "worked-out"
"""The tag of a score that stands in the same file as the answers that it was worked out from."""

KEY: Final = f"{BASE}/StructureDefinition/instrument-key"
ATTENDANCE: Final = f"{BASE}/StructureDefinition/attendance"
LATENESS: Final = f"{BASE}/StructureDefinition/lateness-minutes"
TOGETHER: Final = f"{BASE}/StructureDefinition/work-together"
ENDING: Final = f"{BASE}/StructureDefinition/ending"

_HL7: Final = "http://hl7.org/fhir/StructureDefinition"
ORDINAL: Final = f"{_HL7}/ordinalValue"
WEIGHTS: Final = (ORDINAL, f"{_HL7}/itemWeight", f"{_HL7}/questionnaire-ordinalValue")
"""Where the value of an answer stands: in R4, in R5, and in STU3."""
LEAST, MOST = f"{_HL7}/minValue", f"{_HL7}/maxValue"
TRANSLATION: Final = f"{_HL7}/translation"
CONTROL: Final = f"{_HL7}/questionnaire-itemControl"
CONTROLS: Final = "http://hl7.org/fhir/questionnaire-item-control"
HIDDEN: Final = f"{_HL7}/questionnaire-hidden"


def ident(*parts: object) -> str:
    """Return the id of a resource: the same for the same thing, in every export."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def client(code: str) -> dict[str, Any]:
    """Return a reference to a client."""
    return {"reference": f"Patient/{ident(code)}", "identifier": {"system": CLIENT, "value": code}}


def session(code: str, number: int) -> dict[str, Any]:
    """Return a reference to a session."""
    return {
        "reference": f"Encounter/{ident(code, number)}",
        "identifier": {"system": SESSION, "value": f"{code}/{number}"},
    }


def canonical(instrument: str) -> str:
    """Return the address of one of our Questionnaires, without its version."""
    return f"{BASE}/Questionnaire/{instrument}"


def extension(element: dict[str, Any], *urls: str) -> Json:
    """Return the value of the first extension with one of these addresses; None where there is none."""
    for each in element.get("extension", ()):
        if each.get("url") in urls:
            return next((value for name, value in each.items() if name.startswith("value")), None)
    return None
