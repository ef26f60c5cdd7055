"""A client is a Patient by a pseudonym, a session an Encounter.

What we write holds no name, date of birth or address, because an entry has none. What we read may hold them: only the
pseudonym and the dates of the work together are taken, and nothing else is looked at but to see that the pseudonym
does not tell who it is.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import ClientEntry, SessionEntry
from attunement.exchange.fhir.names import (
    ATTENDANCE,
    CLIENT,
    ENDING,
    LATENESS,
    SESSION,
    TOGETHER,
    client,
    extension,
    ident,
)
from attunement.exchange.fhir.strict import shown
from attunement.exchange.fhir.telling import refuse_telling
from attunement.exchange.fhir.times import moment, written
from attunement.frames import ENDINGS, SESSIONS
from attunement.sessions import code as held_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from attunement.frames import Contract

_STATUS: Final = {
    "held": "finished", "late": "finished", "cancelled by client": "cancelled",
    "cancelled by therapist": "cancelled", "missed": "cancelled",
}  # fmt: skip
_AMBULATORY: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory",
}  # fmt: skip
_BEGUN: Final = ("finished", "arrived", "triaged", "in-progress", "onleave")
_LONGEST_NUMBER: Final = 6  # digits of a session's number


def patient_of(entry: ClientEntry) -> dict[str, Any]:
    """Return a client as a Patient."""
    if entry.since and entry.ended and entry.ended < entry.since:
        raise InputError("the work together ends before it begins")
    period = {
        name: written(time)
        for name, time in (("start", entry.since), ("end", entry.ended))
        if time is not None
    }
    extensions: list[dict[str, Any]] = [{"url": TOGETHER, "valuePeriod": period}] if period else []
    if entry.ending is not None:
        extensions.append({"url": ENDING, "valueCode": _known(entry.ending, ENDINGS, "ending")})
    return {
        "resourceType": "Patient",
        "id": ident(entry.code),
        **({"extension": extensions} if extensions else {}),
        "identifier": [{"system": CLIENT, "value": entry.code}],
    }


def client_of(patient: Mapping[str, Any], url: str | None) -> ClientEntry:
    """Read a Patient, and pass over who it is.

    Raises
    ------
    InputError
        Where there is no pseudonym, or it tells who it is; a clause.
    """
    own = next((each for each in patient.get("identifier", ()) if each.get("system") == CLIENT), None)
    if own is not None:
        code, where = code_of(own.get("value", ""), "Patient.identifier"), "Patient.identifier"
    else:
        code, where = code_of(str(patient.get("id") or url or ""), "Patient.id"), "Patient.id"
    refuse_telling(code, patient, where)
    period = extension(dict(patient), TOGETHER) or {}
    ending = extension(dict(patient), ENDING)
    return ClientEntry(
        code,
        _time(period.get("start")),
        _time(period.get("end")),
        None if ending is None else _known(ending, ENDINGS, "Patient.extension, the ending"),
    )


def code_of(text: str, where: str) -> str:
    """Return the pseudonym that an id or an address gives; a UUID without its hyphens, which are too many."""
    last = text.removeprefix("urn:uuid:").rpartition("/")[2]
    try:
        last = uuid.UUID(last).hex if len(last) == 36 else last
        return held_code(last)
    except (ValueError, InputError):
        raise InputError(
            f"{where} gives no code for the client: 1 to 32 letters, digits, spaces, points or hyphens, "
            f"as an identifier of the system {CLIENT}"
        ) from None


def encounter_of(entry: SessionEntry) -> dict[str, Any]:
    """Return a session as an Encounter."""
    attendance = _known(entry.attendance, SESSIONS, "attendance")
    extensions: list[dict[str, Any]] = [{"url": ATTENDANCE, "valueCode": attendance}]
    if entry.lateness is not None:
        extensions.append({"url": LATENESS, "valueDecimal": entry.lateness})
    return {
        "resourceType": "Encounter",
        "id": ident(entry.client, entry.number),
        "extension": extensions,
        "identifier": [{"system": SESSION, "value": f"{entry.client}/{entry.number}"}],
        "status": _STATUS[attendance],
        "class": _AMBULATORY,
        "subject": client(entry.client),
        **({"period": {"start": written(entry.began)}} if entry.began else {}),
    }


def attendance_of(encounter: Mapping[str, Any]) -> str | None:
    """Return how a session was attended; None where it tells of none as yet, or not by whom it was cancelled."""
    own = extension(dict(encounter), ATTENDANCE)
    if own is not None:
        return _known(own, SESSIONS, "Encounter.extension, the attendance")
    return "held" if encounter["status"] in _BEGUN else None


def session_of(encounter: Mapping[str, Any], client_code: str, number: int, attendance: str) -> SessionEntry:
    """Read an Encounter of which it is known whose and which session it is."""
    lateness = extension(dict(encounter), LATENESS)
    if isinstance(lateness, bool) or not isinstance(lateness, int | float | None):
        raise InputError(f"Encounter.extension, the lateness is {shown(lateness)}; it takes minutes")
    began = _time(encounter.get("period", {}).get("start"))
    return SessionEntry(client_code, number, began, attendance, lateness)


def numbered(element: Mapping[str, Any], where: str) -> tuple[str, int] | None:
    """Return the client and the session that an identifier of ours names, of a resource or a reference; else None."""
    identifiers = element.get("identifier", ())
    for each in identifiers if isinstance(identifiers, list | tuple) else (identifiers,):
        if each.get("system") == SESSION:
            code, _, number = str(each.get("value", "")).rpartition("/")
            if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
                raise InputError(f"{where}.identifier names no session, such as K-07/3")
            return code_of(code, where), int(number)
    return None


def _time(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def _known(word: object, contract: Contract, where: str) -> str:
    words = next(column.words for column in contract.columns if column.kind == "word")
    if word not in words:
        raise InputError(f"{where} is {shown(word)}, none of {', '.join(words)}")
    return str(word)
