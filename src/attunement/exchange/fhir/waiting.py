"""What waits until the end of a file, because it does not say by itself whose it is or which session it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, SessionEntry, TotalEntry
from attunement.exchange.fhir.names import CLIENT
from attunement.exchange.fhir.occasions import Late, counted
from attunement.exchange.fhir.people import code_of, session_of
from attunement.exchange.fhir.responses import points_of
from attunement.exchange.fhir.telling import Told
from attunement.exchange.fhir.times import moment

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from attunement.exchange.entries import Entry
    from attunement.exchange.fhir.stream import Found
    from attunement.exchange.fhir.strict import Json
    from attunement.exchange.fhir.taught import Taught
    from attunement.exchange.fhir.unseen import Unseen
    from attunement.instruments import Instrument

MOST: Final = 100_000
_RELATIVE: Final = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")
_Own = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Met:
    """A session."""

    encounter: Mapping[str, Any]
    attendance: str
    own: _Own | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers, to what, and for which session, if that is said."""

    questionnaire: str
    answers: Mapping[str, tuple[dict[str, Any], ...]] = field(repr=False)
    own: _Own | None


@dataclass(frozen=True, slots=True)
class Measured:
    """A score, and the responses that it comes from."""

    instrument: str
    scale: str
    value: float = field(repr=False)
    derived: tuple[str, ...]
    own: _Own | None


class Waiting:
    """What waits, and what it needs: who is who, and of whom sessions bring their number."""

    def __init__(self, taught: Taught, passed: Counter[str], unseen: Unseen) -> None:
        self._taught, self._passed, self._unseen = taught, passed, unseen
        self._late: list[Late] = []
        self._codes: dict[str, str] = {}
        self._same: dict[str, str] = {}
        self.told: set[str] = set()
        self.who = Told()

    def know(self, patient: Mapping[str, Any], url: str | None, code: str) -> None:
        """Remember the code of a Patient by its addresses."""
        named = (url, patient.get("id") and f"Patient/{patient['id']}")
        addresses = [short(address) for address in named if address]
        self._codes |= dict.fromkeys(addresses, code)
        self.who.learn(patient, addresses)

    def add(
        self, found: Found, resource: Mapping[str, Any], own: str | None, time: str | None, content: Json,
    ) -> None:  # fmt: skip
        """Let a resource wait; `own` is the address of an Encounter itself."""
        if len(self._late) == MOST:
            raise InputError(
                f"more than {MOST:,} resources do not say which session they belong to; split the file by client"
            )
        kind, at = resource["resourceType"], None if time is None else moment(time)
        if own is not None and found.url is not None:
            self._same[short(found.url)] = own
        self._late.append(
            Late(
                place=found.place,
                kind=kind,
                subject=subject_of(resource),
                encounter=own or _reference(resource.get("encounter", {})),
                at=at,
                day=None if time is None or at is None else time[:10],
                content=(address_of(resource, found), content),
                display=resource.get("subject", {}).get("display"),
            )
        )

    def entries(self) -> Iterator[Entry]:
        """Return the entries of all that waited; those whose session was counted here say so."""
        asked = {
            each.place: self._asked(each) for each in self._late if isinstance(each.content[1], Answered)
        }
        late = [each for each in self._late if asked.get(each.place, "") is not None]
        if len(late) < len(self._late):
            missing = len(self._late) - len(late)
            self._passed["QuestionnaireResponse to a Questionnaire that is not on the shelf"] += missing
        codes = {each.place: self._code(each) for each in late}
        self.who.refuse()
        known = [(each, each.content[1].own) for each in late if each.content[1].own]
        unknown = [each for each in late if not each.content[1].own]
        found = [
            *known,
            *(
                (each, (codes[each.place], number))
                for each, number in counted(unknown, codes, self._same, frozenset(self.told))
            ),
        ]
        answered = {each.content[0] for each, _ in found if isinstance(each.content[1], Answered)}
        for each, own in found:
            merely = not each.content[1].own
            try:
                for entry in self._entry(each, own, asked.get(each.place), answered):
                    yield replace(entry, counted=True) if merely else entry
            except InputError as problem:
                raise InputError(f"{each.place}, {str(problem).rstrip('.')}.") from None

    def _entry(
        self, late: Late, own: _Own, instrument: Instrument | None, answered: set[str]
    ) -> Iterator[SessionEntry | AnswersEntry | TotalEntry]:
        content = late.content[1]
        if isinstance(content, Met):
            yield session_of(content.encounter, *own, content.attendance)
        elif isinstance(content, Answered) and instrument is not None:
            codes = self._taught.codes_of(content.questionnaire)
            points = points_of(instrument, content.answers, codes)
            self._unseen.carried(instrument, points, late.content[0], late.subject, late.day)
            yield AnswersEntry(*own, late.at, instrument.id, instrument.version, points)
        elif isinstance(content, Measured):
            if any(short(each) in answered for each in content.derived):
                self._passed["score that is worked out anew from its answers"] += 1
            else:
                yield TotalEntry(*own, late.at, content.instrument, content.scale, content.value)

    def _asked(self, late: Late) -> Instrument | None:
        content = late.content[1]
        try:
            found = self._taught.instrument_of(content.questionnaire, content.answers)
        except InputError as problem:
            raise InputError(f"{late.place}, {problem}.") from None
        if found is None:
            self._unseen.left(content.answers, self._taught.codes_of(content.questionnaire), late.place)
        return found

    def _code(self, late: Late) -> str:
        subject = late.subject
        if subject in self._codes:
            return self._codes[subject]
        where = f"{late.kind}.subject"
        try:
            code = _code_of(subject, where)
            self.who.used(code, subject, late.display, where)
        except InputError as problem:
            raise InputError(f"{late.place}, {problem}.") from None
        return code


def _code_of(subject: str, where: str) -> str:
    if subject.startswith(f"{CLIENT}|"):
        return code_of(subject.removeprefix(f"{CLIENT}|"), where)
    if subject.startswith(("Patient/", "urn:uuid:")):
        return code_of(subject, where)
    raise InputError(f"{where} names no Patient, so whose it is cannot be told")


def address_of(resource: Mapping[str, Any], found: Found) -> str:
    """Return the address by which others refer to a resource."""
    return f"{resource['resourceType']}/{resource['id']}" if "id" in resource else found.url or found.place


def subject_of(resource: Mapping[str, Any]) -> str:
    """Return whose a resource is: our identifier where there is one, else the address of the Patient."""
    subject = resource.get("subject", {})
    identifier = subject.get("identifier", {})
    if identifier.get("system") == CLIENT and "value" in identifier:
        return f"{CLIENT}|{identifier['value']}"
    return _reference(subject) or ""


def _reference(element: Mapping[str, Any]) -> str | None:
    return short(element["reference"]) if "reference" in element else None


def short(address: str) -> str:
    """Return an address without its server and its version."""
    found = _RELATIVE.fullmatch(address)
    return found[1] if found else address
