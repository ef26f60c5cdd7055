"""What a client answered is a QuestionnaireResponse: raw, item by item, and without any words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.names import (
    ANSWER,
    BASE,
    LOINC,
    WEIGHTS,
    canonical,
    client,
    extension,
    ident,
    session,
)
from attunement.exchange.fhir.questionnaire import coding
from attunement.exchange.fhir.strict import shown
from attunement.exchange.fhir.times import written
from attunement.exchange.fhir.unkeyed import item_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attunement.exchange.entries import AnswersEntry
    from attunement.instruments import Instrument, Item

_COUNTING: Final = ("valueCoding", "valueDecimal", "valueInteger", "valueQuantity")
_TOTAL: Final = re.compile(r"(?:total|score|sum)s?$", re.IGNORECASE)
_ELSEWHERE: Final = {("68509-9", "LA18938-3"): 2}
"""LOINC's own GAD-7 has another answer to its second item than the published form; what it counts is the same."""


def response_of(entry: AnswersEntry, instrument: Instrument | None) -> dict[str, Any]:
    """Return answers as a QuestionnaireResponse; a skipped item stands there without an answer.

    Without the instrument, as where another version was answered than the one at hand, answers are plain numbers.
    """
    return {
        "resourceType": "QuestionnaireResponse",
        "id": response_id(entry),
        "questionnaire": f"{canonical(entry.instrument)}|{entry.version}",
        "status": "completed",
        "subject": client(entry.client),
        "encounter": session(entry.client, entry.session),
        **({"authored": written(entry.at)} if entry.at else {}),
        "item": [
            {"linkId": name, **({} if answer is None else {"answer": [_answer(instrument, name, answer)]})}
            for name, answer in entry.answers.items()
        ],
    }


def response_id(entry: AnswersEntry) -> str:
    """Return the id of the response that an entry becomes."""
    return ident(entry.client, entry.session, entry.instrument, entry.version, entry.at)


def _answer(instrument: Instrument | None, name: str, answer: float) -> dict[str, Any]:
    if instrument is None:
        return {"valueDecimal": answer}
    item = instrument.item(name)
    choice = next((each for each in instrument.choices_of(item) if each.value == answer), None)
    return (
        {"valueDecimal": answer}
        if choice is None
        else {"valueCoding": coding(instrument, item, choice, words=False)}
    )


def given(response: Mapping[str, Any]) -> dict[str, tuple[dict[str, Any], ...]]:
    """Return what was answered, by linkId, whatever the groups; nothing where an item was skipped."""
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for item in _walk(response.get("item", ())):
        link = item["linkId"]
        found[link] = (*found.get(link, ()), *item.get("answer", ()))
    return found


def _walk(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        yield from _walk(item.get("item", []))
        for answer in item.get("answer", ()):
            yield from _walk(answer.get("item", []))


def points_of(
    instrument: Instrument,
    answered: Mapping[str, tuple[dict[str, Any], ...]],
    codes: Mapping[str, tuple[str, ...]],
) -> dict[str, float | None]:
    """Return the answers to every item of an instrument, in points.

    Parameters
    ----------
    instrument, answered
        What was answered, as `given` returns it.
    codes
        The LOINC codes of a linkId, where a Questionnaire in the same file says them.

    Raises
    ------
    InputError
        Where an answer is none that can be given, there are several to an item, or none of the items is there; a
        clause.
    """
    known = {name: item for item in instrument.items for name in (item.id, item.loinc) if name}
    totals = {name for scale in instrument.scales for name in (scale.id, scale.loinc) if name}
    points: dict[str, float | None] = {item.id: None for item in instrument.items}
    met: set[str] = set()
    unknown: list[str] = []
    for link, answers in answered.items():
        names = (link, *codes.get(link, ()), *names_of(link))
        item = next((known[name] for name in names if name in known), None)
        if item is None:
            unknown += [link] if _counts_something(answers) and totals.isdisjoint(names) else []
            continue
        met.add(item.id)
        if len(answers) > 1 or (answers and points[item.id] is not None):
            raise InputError(f"QuestionnaireResponse.item {shown(link)} has several answers; one is taken")
        if answers:
            points[item.id] = _points(instrument, item, answers[0])
    _refuse_unknown(instrument, unknown, met)
    if not met:
        raise InputError(f"QuestionnaireResponse.item: none of its linkIds is an item of {instrument.id}")
    return points


def names_of(link: str) -> tuple[str, ...]:
    """Return what a linkId may name: an item of ours, or a LOINC code as LOINC's own forms write it."""
    return link, link.removeprefix("/"), item_of(link)


def _counts_something(answers: tuple[dict[str, Any], ...]) -> bool:
    return any(name in each for each in answers for name in _COUNTING)


def _refuse_unknown(instrument: Instrument, unknown: list[str], met: set[str]) -> None:
    """Refuse a choice or a number that belongs to no item; a comment beside them is passed over.

    What is called a total or a score is passed over too, unless a line on safety is missing: it could be that one.
    """
    unsafe = any(item.risk_from is not None and item.id not in met for item in instrument.items)
    for link in unknown:
        if unsafe or not _TOTAL.search(link):
            raise InputError(
                f"QuestionnaireResponse.item {shown(link)} is no item of {instrument.id}; "
                "the Questionnaire in the same file would say which it is"
            )


def _points(instrument: Instrument, item: Item, answer: Mapping[str, Any]) -> float:
    where = f"QuestionnaireResponse.item {item.id}"
    chosen = answer.get("valueCoding")
    number = answer.get("valueDecimal", answer.get("valueInteger"))
    value = choice_counts(instrument, item, chosen, where) if chosen is not None else number
    if value is None:
        raise InputError(f"{where} has an answer that is neither a number nor a choice that counts something")
    if not instrument.holds(item, float(value)):
        raise InputError(f"{where} is {value:g}, which is no answer to it in {instrument.id}")
    return float(value)


def choice_counts(instrument: Instrument, item: Item, chosen: dict[str, Any], where: str) -> float | None:
    """What a choice counts: by its code, and by the number beside it; the two may not differ."""
    code, weight = chosen.get("code", ""), extension(chosen, *WEIGHTS)
    by_code: int | None = None
    if chosen.get("system") == LOINC:
        coded = (each.value for each in instrument.choices_of(item) if each.loinc == code)
        by_code = next(coded, _ELSEWHERE.get((item.loinc or "", code)))
    elif chosen.get("system") == f"{ANSWER}/{instrument.id}":
        digits = code.removeprefix(f"{item.id}.")
        by_code = int(digits) if digits.removeprefix("-").isdecimal() and len(digits) <= 7 else None
    if weight is not None and (isinstance(weight, bool) or not isinstance(weight, int | float)):
        raise InputError(f"{where} has a choice that counts {shown(weight)}; it takes a number")
    if by_code is not None and weight is not None and weight != by_code:
        raise InputError(f"{where} has the choice {shown(code)} count {weight:g}, which counts {by_code}")
    return weight if by_code is None else by_code


def own_instrument(questionnaire: str) -> tuple[str, str] | None:
    """Return the id and the version that an address of ours names; else None."""
    url, _, version = questionnaire.partition("|")
    own = url.removeprefix(f"{BASE}/Questionnaire/")
    return None if own == url else (own, version)
