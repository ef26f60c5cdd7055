"""The key of an instrument: what a Questionnaire has no place for, as JSON in an extension of ours, and back.

Which items a scale counts, which are turned, cutoffs with their source: all but the words, which stand where FHIR has
them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.asked import lines_of
from attunement.exchange.fhir.said import common, heard, worded
from attunement.instruments import Instrument, from_table, to_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from attunement.exchange.fhir.asked import Line
    from attunement.instruments import Language

INTRO: Final = "intro.text"
"""The linkId of what stands above the items; no item's id has a point in it."""
_SPOKEN: Final = ("name", "note", "intro", "words", "right")


def key_of(instrument: Instrument) -> dict[str, Any]:
    """Return all of an instrument that a Questionnaire has no place for."""
    table = {name: value for name, value in to_table(instrument).items() if name not in _SPOKEN}
    if any(not instrument.choices_of(item) for item in instrument.items):
        table["ends"] = {"low": instrument.ends.low, "high": instrument.ends.high}
    for row in _rows(table):
        row.pop("en", None)
        row.pop("es", None)
    return table


def _rows(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What has words that stand elsewhere; answers that no item shares have no other place."""
    if any("choices" not in item for item in table.get("items", ())):
        yield from table.get("choices", ())
    for item in table.get("items", ()):
        yield item
        yield from item.get("choices", ())


def parsed(key: object) -> dict[str, Any]:
    """Read the text of a key.

    Raises
    ------
    InputError
        Where it is none; a clause.
    """
    try:
        table = json.loads(key) if isinstance(key, str) else None
    except (ValueError, RecursionError):
        table = None
    if not isinstance(table, dict) or not table.get("items") or not all(map(_is_list, _lists(table))):
        raise InputError(
            "Questionnaire.extension: the instrument's key cannot be read; take the extension out"
        )
    return table


def _lists(table: Mapping[str, Any]) -> Iterator[object]:
    """What has to be lists of tables before words can be laid into them."""
    yield table["items"]
    yield table.get("choices", [])
    for item in table["items"] if _is_list(table["items"]) else ():
        yield item.get("choices", [])


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def kept(resource: Mapping[str, Any], table: dict[str, Any], right: str, name: str | None) -> Instrument:
    """Return an instrument that was written here: its words are laid back into its key.

    Raises
    ------
    InputError, InstrumentProblem
        Where the words and the key are not of one instrument; a clause.
    """
    language = resource.get("language", "en")
    lines = lines_of(resource)
    title, notes = (heard(resource, name_, language) for name_ in ("title", "description"))
    intro = next(
        (heard(item, "text", language) for item in resource["item"] if item["linkId"] == INTRO), title
    )
    if [line.link for line in lines] != [str(_get(row, "id")) for row in table["items"]]:
        raise InputError("Questionnaire.item: its items are others than those of the instrument's key")
    said = common(
        [title, intro, *([notes] if notes else []), *(text for line in lines for text in _texts(line))]
    )
    languages = [each for each in said if each in (_listed(table.get("languages")) or said)]
    if not languages:
        raise InputError(f"Questionnaire.language is {language}; words in en or es are needed")
    rows = list(zip(table["items"], lines, strict=True))
    table |= {
        "words": "loaded", "right": right, "languages": languages, "id": name or table.get("id"),
        "name": _both(title, languages), "intro": _both(intro, languages),
        "items": [_row(row, line, languages) for row, line in rows],
    }  # fmt: skip
    if notes:
        table["note"] = _both(notes, languages)
    shared = next((line for row, line in rows if "choices" not in row), None)
    if "choices" in table and shared:
        table["choices"] = _choices(table["choices"], shared, languages)
    unchosen = next((line for line in lines if not line.options), None)
    if unchosen:
        table["ends"] = _ends(table.get("ends"), unchosen, languages)
    return from_table(table)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(line: Line) -> tuple[Mapping[str, str], ...]:
    return (line.text, *(option.text for option in line.options), *line.ends)


def _ends(ends: object, line: Line, languages: Sequence[Language]) -> dict[str, Any]:
    if (line.least, line.most) != (_get(ends, "low"), _get(ends, "high")):
        raise InputError("Questionnaire.item: the ends of its answers are others than those of the key")
    low, high = (_both(text, languages) for text in line.ends)
    return {"low": line.least, "high": line.most, "at_low": low, "at_high": high}


def _get(row: object, name: str) -> object:
    return row.get(name) if isinstance(row, dict) else None


def _both(text: Mapping[str, str], languages: Sequence[Language]) -> dict[str, str]:
    wording = worded(text, languages)
    return {"en": wording.en, "es": wording.es}


def _row(row: dict[str, Any], line: Line, languages: Sequence[Language]) -> dict[str, Any]:
    own = {"choices": _choices(row["choices"], line, languages)} if "choices" in row else {}
    return row | _both(line.text, languages) | own


def _choices(rows: list[dict[str, Any]], line: Line, languages: Sequence[Language]) -> list[dict[str, Any]]:
    if [_get(row, "value") for row in rows] != [option.value for option in line.options]:
        raise InputError(f"{line.where}: its answers count otherwise than the instrument's key says")
    return [row | _both(option.text, languages) for row, option in zip(rows, line.options, strict=True)]
