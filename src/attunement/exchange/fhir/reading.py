"""Resources become entries, in flat memory: what says whose it is and which session it belongs to goes out at once.

What does not, as in most files of other systems, waits until the end, when the sessions of a client can be counted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, TotalEntry
from attunement.exchange.fhir.checks import refuse_faulty
from attunement.exchange.fhir.observations import is_worked_out, measured, measures, value_of
from attunement.exchange.fhir.people import attendance_of, client_of, numbered, session_of
from attunement.exchange.fhir.responses import given, own_instrument, points_of
from attunement.exchange.fhir.stream import Found, resources
from attunement.exchange.fhir.taught import Taught
from attunement.exchange.fhir.times import moment
from attunement.exchange.fhir.unseen import Unseen
from attunement.exchange.fhir.waiting import Answered, Measured, Met, Waiting, address_of, short, subject_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument

_TIMES: Final = ("effectiveDateTime", "effectiveInstant", "issued")


def read_fhir(
    stream: BinaryIO, shelf: Mapping[str, Instrument], *, note: Callable[[str], None] | None = None
) -> Iterator[Entry]:
    """Read a Bundle, a resource, or one resource a line.

    Parameters
    ----------
    stream
        JSON in UTF-8.
    shelf
        The instruments whose answers and scores are taken, as `entries.described` has it.
    note
        Told, at the end, what was passed over and why, a sentence each; first of all, where an answer stands that asks
        for a look at somebody's safety.

    Raises
    ------
    InputError
        With the entry, counted from 1, and the element.
    """
    reader = _Reader(shelf)
    for found in resources(stream):
        yield from at(found.place, reader.take(found))
    yield from reader.waiting.entries()
    if note is not None:
        for sentence in reader.unseen.notes():
            note(sentence)
        for what, times in sorted(reader.passed.items()):
            note(f"Passed over: {times:,} × {what}.")


def at(place: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Return entries; what is wrong with them is said with its place."""
    try:
        yield from entries
    except InputError as problem:
        raise InputError(f"{place}, {str(problem).rstrip('.')}.") from None


class _Reader:
    """What was passed over so far, and what waits."""

    def __init__(self, shelf: Mapping[str, Instrument]) -> None:
        self._measures = measures(shelf)
        self._taught = Taught(shelf)
        self.passed: Counter[str] = Counter()
        self.unseen = Unseen(shelf)
        self.waiting = Waiting(self._taught, self.passed, self.unseen)

    def take(self, found: Found) -> Iterator[Entry]:
        """Take a resource; returns the entries that can be told by now."""
        resource = found.resource
        if resource is None:
            self.passed["entry without a resource"] += 1
            return
        refuse_faulty(resource)
        kind = resource["resourceType"]
        if kind == "Observation":
            yield from self._observation(resource, found)
        elif kind == "QuestionnaireResponse":
            yield from self._response(resource, found)
        elif kind == "Encounter":
            yield from self._encounter(resource, found)
        elif kind == "Patient":
            entry = client_of(resource, found.url)
            self.waiting.know(resource, found.url, entry.code)
            yield entry
        else:
            if kind == "Questionnaire":
                self._taught.learn(resource)
            self.passed[kind if kind.isalpha() and len(kind) < 60 else "resource of an unknown type"] += 1

    def _see(self, resource: dict[str, Any], own: tuple[str, int] | None, where: str) -> None:
        """See that a code that a session brings does not tell who it is."""
        if own is not None:
            self.waiting.who.used(
                own[0], subject_of(resource), resource.get("subject", {}).get("display"), where
            )

    def _encounter(self, encounter: dict[str, Any], found: Found) -> Iterator[Entry]:
        attendance = attendance_of(encounter)
        if attendance is None:
            self.passed["Encounter that is planned or withdrawn, or cancelled without saying by whom"] += 1
            return
        own = numbered(encounter, "Encounter")
        self._see(encounter, own, "Encounter.identifier")
        if own is not None:
            self.waiting.told.add(own[0])
            yield session_of(encounter, *own, attendance)
            return
        start = encounter.get("period", {}).get("start")
        if start is None or moment(start) is None:
            self.passed["Encounter without a day on which it began"] += 1
            return
        slim: dict[str, Any] = {
            name: encounter[name] for name in ("period", "extension") if name in encounter
        }
        self.waiting.add(found, encounter, address_of(encounter, found), start, Met(slim, attendance))

    def _response(self, response: dict[str, Any], found: Found) -> Iterator[Entry]:
        if response["status"] == "entered-in-error":
            self.passed["QuestionnaireResponse entered in error"] += 1
            return
        own = numbered(response.get("encounter", {}), "QuestionnaireResponse.encounter")
        self._see(response, own, "QuestionnaireResponse.encounter")
        questionnaire, time = response.get("questionnaire", ""), response.get("authored")
        answered = given(response)
        if own is None or own_instrument(questionnaire) is None:
            self.waiting.add(found, response, None, time, Answered(questionnaire, answered, own))
            return
        instrument = self._taught.instrument_of(questionnaire, answered)
        self.waiting.told.add(own[0])
        if instrument is None:
            self.unseen.left(answered, self._taught.codes_of(questionnaire), found.place)
            self.passed["QuestionnaireResponse to a Questionnaire that is not on the shelf"] += 1
            return
        points = points_of(instrument, answered, {})
        day = None if time is None else time[:10]
        self.unseen.carried(instrument, points, address_of(response, found), subject_of(response), day)
        yield AnswersEntry(
            *own, None if time is None else moment(time), instrument.id, instrument.version, points
        )

    def _observation(self, observation: dict[str, Any], found: Found) -> Iterator[Entry]:
        what = measured(observation, self._measures)
        time = next(
            (observation[name] for name in _TIMES if name in observation),
            observation.get("effectivePeriod", {}).get("start"),
        )
        derived = tuple(
            each["reference"] for each in observation.get("derivedFrom", ()) if "reference" in each
        )
        self.unseen.observed(
            observation, found.place, subject_of(observation), time and time[:10], tuple(map(short, derived))
        )
        if what is None:
            self.passed["Observation of something that no instrument on the shelf scores"] += 1
            return
        if is_worked_out(observation):
            self.passed["score that is worked out anew from its answers"] += 1
            return
        value = value_of(observation, *what)
        if value is None:
            self.passed["Observation that was withdrawn, or has no value"] += 1
            return
        own = numbered(observation.get("encounter", {}), "Observation.encounter")
        self._see(observation, own, "Observation.encounter")
        instrument, scale = what
        if own is None or derived:
            self.waiting.add(
                found, observation, None, time, Measured(instrument.id, scale.id, value, derived, own)
            )
            return
        self.waiting.told.add(own[0])
        yield TotalEntry(*own, None if time is None else moment(time), instrument.id, scale.id, value)
