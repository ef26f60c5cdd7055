"""An instrument becomes a Questionnaire, and a Questionnaire that somebody has the right to use an instrument.

The words stand where FHIR has them, in English, Spanish or both; what it has no place for stands in one extension of
ours (`keyed`), so that the instrument that is read is the one that was written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.entries import asked_now
from attunement.exchange.fhir.alike import MOST_OF_IT, most_alike
from attunement.exchange.fhir.checks import refuse_faulty
from attunement.exchange.fhir.keyed import INTRO, kept, key_of, parsed
from attunement.exchange.fhir.names import (
    ANSWER,
    CONTROL,
    CONTROLS,
    KEY,
    LEAST,
    LOINC,
    MOST,
    ORDINAL,
    canonical,
    extension,
)
from attunement.exchange.fhir.overlay import laid_over
from attunement.exchange.fhir.said import say
from attunement.exchange.fhir.unkeyed import summed
from attunement.instruments import refuse_otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attunement.instruments import Choice, Higher, Instrument, Item, Wording

_LONGEST: Final = 400  # characters of a message that quotes a field


def to_questionnaire(instrument: Instrument, *, loaded: bool = False) -> dict[str, Any]:
    """Return an instrument as a Questionnaire of R4B.

    Parameters
    ----------
    instrument
        One with words. One without any is refused: a Questionnaire is there to be asked, and a form of nine lines
        called "Item 1" to "Item 9" would be asked by somebody; answers and scores leave without it.
    loaded
        Say so where the words are another's: giving them on takes a right of its own. `copyright` names the right.

    Raises
    ------
    InstrumentProblem
        Where there are no words, or they are another's and that was not said.
    """
    if not instrument.askable:
        raise InstrumentProblem(
            f"{instrument.id}: there are no words to give out; load those that the practice has the right to first."
        )
    if instrument.words == "loaded" and not loaded:
        raise InstrumentProblem(
            f"{instrument.id}: its words are another's, by the right {instrument.right!r}; "
            "say that they may be given out (loaded)."
        )
    languages = instrument.languages
    right = f" {instrument.right}" if instrument.right else ""
    return {
        "resourceType": "Questionnaire",
        "id": instrument.id.replace("_", "-")[:64],
        "language": languages[0],
        "extension": [{"url": KEY, "valueString": json.dumps(key_of(instrument), ensure_ascii=False)}],
        "url": canonical(instrument.id),
        "version": instrument.version,
        "name": instrument.id,
        **say("title", instrument.name, languages),
        "status": "active",
        "subjectType": ["Patient"],
        **(say("description", instrument.note, languages) if instrument.note else {}),
        "copyright": f"{instrument.licence}.{right}",
        **({"code": [{"system": LOINC, "code": instrument.loinc}]} if instrument.loinc else {}),
        "item": [
            {"linkId": INTRO, **say("text", instrument.intro, languages), "type": "display"},
            *(_item(instrument, item) for item in instrument.items),
        ],
    }


def from_questionnaire(
    questionnaire: Mapping[str, Any],
    *,
    right: str,
    name: str | None = None,
    shelf: Mapping[str, Instrument] | None = None,
    higher: Higher | None = None,
) -> Instrument:
    """Read a Questionnaire that the practice has the right to use.

    Parameters
    ----------
    questionnaire
        As JSON has it; R4, R4B or R5.
    right
        By what right its words are shown.
    name
        The id of the instrument; on the shelf, the skeleton whose words these are. Without it, its LOINC code tells,
        or those of its items.
    shelf
        The instruments of others by id. Where one of them is meant, what counts where is taken from it, and the
        words alone from the Questionnaire.
    higher
        What a higher total means. Needed where no key is known, since a Questionnaire does not say.

    Raises
    ------
    InputError
        Where it is no Questionnaire, or not one that can be asked and scored; one sentence that names the item.
    """
    resource = dict(questionnaire)
    try:
        _refuse_other(resource)
        key = extension(resource, KEY)
        if key is not None:
            found = kept(resource, parsed(key), right, name)
            refuse_otherwise(found, asked_now(shelf or {}))
            return found
        skeleton = _skeleton(resource, name, shelf or {})
        if skeleton is not None:
            return laid_over(skeleton, resource, right)
        return summed(resource, right=right, name=name, higher=higher, risks=_risks(shelf or {}))
    except (InputError, InstrumentProblem) as problem:
        said = str(problem).rstrip(".")
        raise InputError(f"{said if len(said) <= _LONGEST else said[:_LONGEST] + '…'}.") from None


def _refuse_other(resource: dict[str, Any]) -> None:
    refuse_faulty(resource)
    if resource["resourceType"] != "Questionnaire":
        raise InputError("it is no Questionnaire")


def _skeleton(
    resource: Mapping[str, Any], name: str | None, shelf: Mapping[str, Instrument]
) -> Instrument | None:
    """The instrument on the shelf that is meant: by its id, else by its LOINC code, else by those of its items.

    A form with most of the lines of one that says no other code of its own is held to be it, and is refused where it
    lacks the rest.
    """
    if name is not None:
        return shelf.get(name)
    codes = {each.get("code") for each in resource.get("code", ()) if each.get("system") == LOINC}
    codes.add(str(resource.get("url", "")).removeprefix(f"{LOINC}/q/").partition("|")[0])
    found = next((each for each in asked_now(shelf) if each.loinc in codes), None)
    if found is not None:
        return found
    alike, share = most_alike(asked_now(shelf), set(_item_codes(resource)))
    named_otherwise = any(each.get("system") == LOINC for each in resource.get("code", ()))
    return alike if share == 1 or (share >= MOST_OF_IT and not named_otherwise) else None


def _item_codes(element: Mapping[str, Any]) -> Iterator[str]:
    """The LOINC codes of all items, and the linkIds, which may be such codes."""
    for item in element.get("item", ()):
        yield from (each.get("code", "") for each in item.get("code", ()) if each.get("system") == LOINC)
        yield item["linkId"].removeprefix("/")
        yield from _item_codes(item)


def _risks(shelf: Mapping[str, Instrument]) -> dict[str, float]:
    return {
        item.loinc: item.risk_from
        for each in asked_now(shelf)
        for item in each.items
        if item.loinc and item.risk_from is not None
    }


def _item(instrument: Instrument, item: Item) -> dict[str, Any]:
    choices = instrument.choices_of(item)
    written: dict[str, Any] = {"linkId": item.id}
    if item.loinc:
        written["code"] = [{"system": LOINC, "code": item.loinc}]
    written |= say("text", item.wording, instrument.languages)
    written |= {"type": "choice" if choices else "decimal", "required": False}
    if choices:
        return written | {
            "answerOption": [
                {"valueCoding": coding(instrument, item, choice, words=True)} for choice in choices
            ]
        }
    ends = instrument.ends
    written["extension"] = [
        {"url": url, "valueDecimal": end} for url, end in ((LEAST, ends.low), (MOST, ends.high))
    ]
    labels = (("lower", ends.at_low), ("upper", ends.at_high))
    written["item"] = [_label(instrument, item, which, wording) for which, wording in labels]
    return written


def _label(instrument: Instrument, item: Item, which: str, wording: Wording) -> dict[str, Any]:
    control = {"coding": [{"system": CONTROLS, "code": which}]}
    return {
        "linkId": f"{item.id}.{which}",
        "extension": [{"url": CONTROL, "valueCodeableConcept": control}],
        **say("text", wording, instrument.languages),
        "type": "display",
    }


def coding(instrument: Instrument, item: Item, choice: Choice, *, words: bool) -> dict[str, Any]:
    """Return an answer: by its LOINC code where it has one, else by one of ours, with what it counts."""
    own = {
        "system": f"{ANSWER}/{instrument.id}",
        "code": f"{item.id}.{choice.value}" if item.choices else f"{choice.value}",
    }
    said = say("display", choice.wording, instrument.languages) if words and choice.wording else {}
    return {
        "extension": [{"url": ORDINAL, "valueDecimal": choice.value}],
        **({"system": LOINC, "code": choice.loinc} if choice.loinc else own),
        **said,
    }
