"""An answer on somebody's safety that is passed over is told of: it may be all that a file says of it.

An Observation of one item, or a response to a Questionnaire that nobody knows, becomes no entry. Where its item is one
whose answer asks for a look at somebody's safety, a sentence says where it stands, and none of what was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.entries import asked_now
from attunement.exchange.fhir.names import LOINC
from attunement.exchange.fhir.observations import UNUSED
from attunement.exchange.fhir.responses import choice_counts, names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from attunement.instruments import Instrument, Item

_MOST_NAMED: Final = 20
_MOST: Final = 100_000  # that are remembered until the end of a file
_SURE: Final = "An answer that asks for a look at somebody's safety was passed over"
_UNSURE: Final = "An answer that may ask for a look at somebody's safety was passed over"
_Key = tuple[str, ...]


class Unseen:
    """Where answers on safety stand that become no entry, until it is seen that a response carries them."""

    def __init__(self, shelf: Mapping[str, Instrument]) -> None:
        self._items: dict[str, tuple[Instrument, Item]] = {}
        for instrument in asked_now(shelf):
            for item in instrument.items:
                if item.loinc and item.risk_from is not None:
                    self._items.setdefault(item.loinc, (instrument, item))
        self._found: list[tuple[str, str, frozenset[_Key]]] = []
        self._carried: set[_Key] = set()

    def observed(
        self,
        observation: Mapping[str, Any],
        place: str,
        subject: str,
        day: str | None,
        derived: Iterable[str],
    ) -> None:
        """Look at an Observation and its components; `derived` are the addresses of what it comes from."""
        if observation["status"] in UNUSED:
            return
        for part in (observation, *_tables(observation.get("component"))):
            for code in _loinc(part.get("code")):
                if code in self._items:
                    keys = {(address, code) for address in derived} | (
                        {(subject, day, code)} if day else set()
                    )
                    self._look(place, code, _value_in(part), frozenset(keys))

    def left(
        self,
        answered: Mapping[str, tuple[dict[str, Any], ...]],
        codes: Mapping[str, tuple[str, ...]],
        place: str,
    ) -> None:
        """Look at a response that becomes no entry."""
        for link, answers in answered.items():
            for code in {*codes.get(link, ()), *names_of(link)} & self._items.keys():
                for answer in answers:
                    self._look(place, code, answer, frozenset())

    def carried(
        self,
        instrument: Instrument,
        points: Mapping[str, float | None],
        address: str,
        subject: str,
        day: str | None,
    ) -> None:
        """Remember a response that becomes an entry: what it says of safety is seen."""
        for name in instrument.at_risk(points):
            code = instrument.item(name).loinc
            if code and len(self._carried) < _MOST:
                self._carried |= {(address, code)} | ({(subject, day, code)} if day else set())

    def notes(self) -> Iterator[str]:
        """Say where such answers stand, the sure ones first."""
        for sentence in (_SURE, _UNSURE):
            places = [
                place for said, place, keys in self._found if said == sentence and not keys & self._carried
            ]
            places = [*dict.fromkeys(places)]
            if places:
                more = f" and {len(places) - _MOST_NAMED:,} more" if len(places) > _MOST_NAMED else ""
                yield f"{sentence}: {', '.join(places[:_MOST_NAMED])}{more}."

    def _look(self, place: str, code: str, holder: Mapping[str, Any] | None, keys: frozenset[_Key]) -> None:
        instrument, item = self._items[code]
        if holder is None or item.risk_from is None or len(self._found) == _MOST:
            return
        try:
            value = _counts(instrument, item, holder)
        except InputError:
            value = None
        if value is None or value >= item.risk_from:
            self._found.append((_UNSURE if value is None else _SURE, place, keys))


def _value_in(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an Observation or a part of one holds, as an answer holds it; None where there is no value."""
    if not any(name.startswith("value") for name in part):
        return None
    quantity, concept = part.get("valueQuantity"), part.get("valueCodeableConcept")
    if isinstance(quantity, dict):
        return {"valueDecimal": quantity.get("value")}
    codings = _tables(concept.get("coding")) if isinstance(concept, dict) else []
    chosen = next((each for each in codings if each.get("system") == LOINC), None)
    return part if chosen is None else {"valueCoding": chosen}


def _counts(instrument: Instrument, item: Item, answer: Mapping[str, Any]) -> float | None:
    """What an answer counts in points; None where that cannot be told."""
    chosen = answer.get("valueCoding")
    if isinstance(chosen, dict):
        return choice_counts(instrument, item, chosen, "it")
    number = answer.get("valueDecimal", answer.get("valueInteger"))
    return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else None


def _loinc(concept: object) -> list[str]:
    """The LOINC codes of a concept, which was not checked where it is a component's."""
    codings = _tables(concept.get("coding")) if isinstance(concept, dict) else []
    return [str(each.get("code")) for each in codings if each.get("system") == LOINC]


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
