"""An instrument becomes a Questionnaire, and a Questionnaire that somebody has the right to use an instrument.

The words stand where FHIR has them, in English, Spanish or both. What FHIR has no place for (which items a scale counts,
which are turned, cutoffs with their source) stands in one extension of ours, as JSON; so the instrument that is read is
the one that was written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.fhir.asked import Line, lines_of
from attunement.exchange.fhir.codes import refuse_faulty
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
from attunement.exchange.fhir.said import common, heard, say, worded
from attunement.exchange.fhir.unkeyed import summed
from attunement.instruments import Choice, Higher, Instrument, Item, Wording, from_table, to_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SPOKEN: Final = ("name", "note", "intro", "words", "right")
_LONGEST: Final = 400  # characters of a message that quotes a field
_INTRO: Final = "intro.text"  # no item's id has a point in it


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
        "extension": [{"url": KEY, "valueString": json.dumps(_key(instrument), ensure_ascii=False)}],
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
            {"linkId": _INTRO, **say("text", instrument.intro, languages), "type": "display"},
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
        The id of the instrument; on the shelf, the skeleton whose words these are. Without it, the LOINC code tells.
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
        refuse_faulty(resource)
        if resource["resourceType"] != "Questionnaire":
            raise InputError("it is no Questionnaire")  # noqa: TRY301 - one place adds the end of the sentence
        kept = extension(resource, KEY)
        if kept is not None:
            return _kept(resource, _parsed(kept), right, name)
        skeleton = _skeleton(resource, name, shelf or {})
        if skeleton is not None:
            return laid_over(skeleton, resource, right)
        return summed(resource, right=right, name=name, higher=higher, risks=_risks(shelf or {}))
    except (InputError, InstrumentProblem) as problem:
        said = str(problem).rstrip(".")
        raise InputError(f"{said if len(said) <= _LONGEST else said[:_LONGEST] + '…'}.") from None


def _skeleton(
    resource: Mapping[str, Any], name: str | None, shelf: Mapping[str, Instrument]
) -> Instrument | None:
    """The instrument on the shelf that is meant: by its id, else by its LOINC code."""
    if name is not None:
        return shelf.get(name)
    codes = {each.get("code") for each in resource.get("code", ()) if each.get("system") == LOINC}
    codes.add(str(resource.get("url", "")).removeprefix(f"{LOINC}/q/").partition("|")[0])
    return next((each for each in shelf.values() if each.loinc in codes), None)


def _risks(shelf: Mapping[str, Instrument]) -> dict[str, float]:
    return {
        item.loinc: item.risk_from
        for each in shelf.values()
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


def _key(instrument: Instrument) -> dict[str, Any]:
    """All that is not words."""
    table = {name: value for name, value in to_table(instrument).items() if name not in _SPOKEN}
    if any(not instrument.choices_of(item) for item in instrument.items):
        table["ends"] = {"low": instrument.ends.low, "high": instrument.ends.high}
    for row in _rows(table):
        row.pop("en", None)
        row.pop("es", None)
    return table


def _rows(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from table.get("choices", ())
    for item in table.get("items", ()):
        yield item
        yield from item.get("choices", ())


def _parsed(key: object) -> dict[str, Any]:
    try:
        table = json.loads(key) if isinstance(key, str) else None
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or not table.get("items") or not all(map(_is_list, _lists(table))):
        raise InputError("Questionnaire.extension: the instrument's key cannot be read; take the extension out")
    return table


def _lists(table: Mapping[str, Any]) -> Iterator[object]:
    """What has to be lists of tables before words can be laid into them."""
    yield table["items"]
    yield table.get("choices", [])
    for item in table["items"] if _is_list(table["items"]) else ():
        yield item.get("choices", [])


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _kept(resource: dict[str, Any], table: dict[str, Any], right: str, name: str | None) -> Instrument:
    """One that was written here: its words are laid back into its key."""
    language = resource.get("language", "en")
    lines = lines_of(resource)
    texts = [heard(resource, "title", language)]
    notes = heard(resource, "description", language)
    intro = next(
        (heard(item, "text", language) for item in resource["item"] if item["linkId"] == _INTRO), texts[0]
    )
    if [line.link for line in lines] != [str(_get(row, "id")) for row in table["items"]]:
        raise InputError("Questionnaire.item: its items are others than those of the instrument's key")
    texts += [intro, *(line.text for line in lines)]
    texts += [text for line in lines for text in (*(option.text for option in line.options), *line.ends)]
    languages = common([*texts, *([notes] if notes else [])])
    if not languages:
        raise InputError(f"Questionnaire.language is {language}; words in en or es are needed")
    first = lines[0]
    shared = next(
        (line for row, line in zip(table["items"], lines, strict=True) if "choices" not in row), first
    )
    table |= {
        "words": "loaded", "right": right, "languages": list(languages), "id": name or table.get("id"),
        "name": _both(texts[0], languages), "intro": _both(intro, languages),
        "items": [_row(row, line, languages) for row, line in zip(table["items"], lines, strict=True)],
    }  # fmt: skip
    if notes:
        table["note"] = _both(notes, languages)
    if "choices" in table:
        table["choices"] = _choices(table["choices"], shared, languages)
    unchosen = next((line for line in lines if not line.options), None)
    if unchosen:
        ends = (unchosen.least, unchosen.most)
        if ends != (_get(table.get("ends"), "low"), _get(table.get("ends"), "high")):
            raise InputError("Questionnaire.item: the ends of its answers are others than those of the key")
        low, high = (_both(text, languages) for text in unchosen.ends)
        table["ends"] |= {"at_low": low, "at_high": high}
    return from_table(table)


def _get(row: object, name: str) -> object:
    return row.get(name) if isinstance(row, dict) else None


def _both(text: Mapping[str, str], languages: tuple[Any, ...]) -> dict[str, str]:
    wording = worded(text, languages)
    return {"en": wording.en, "es": wording.es}


def _row(row: dict[str, Any], line: Line, languages: tuple[Any, ...]) -> dict[str, Any]:
    own = {"choices": _choices(row["choices"], line, languages)} if "choices" in row else {}
    return row | _both(line.text, languages) | own


def _choices(rows: list[dict[str, Any]], line: Line, languages: tuple[Any, ...]) -> list[dict[str, Any]]:
    if [_get(row, "value") for row in rows] != [option.value for option in line.options]:
        raise InputError(f"{line.where}: its answers count otherwise than the instrument's key says")
    return [
        row | _both(option.text, languages) for row, option in zip(rows, line.options, strict=True)
    ]
