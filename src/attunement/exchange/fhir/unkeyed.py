"""A Questionnaire that brings no key: the sum of what its answers count, where it says what each of them counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.asked import Line, lines_of
from attunement.exchange.fhir.said import common, heard, worded
from attunement.instruments import Choice, Ends, Instrument, Item, Language, Scale, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attunement.exchange.fhir.asked import Option
    from attunement.instruments import Higher

_NOTE: Final = {
    "en": "How it is scored was taken from its Questionnaire; compare only with this client's own earlier answers.",
    "es": "Su puntuación viene de su Questionnaire; compare solo con las respuestas anteriores de esta misma persona.",
}
_KEY: Final = "The sum of what its Questionnaire says each answer counts; no study was looked at"


def summed(
    resource: Mapping[str, Any],
    *,
    right: str,
    name: str | None,
    higher: Higher | None,
    risks: Mapping[str, float],
) -> Instrument:
    """Return an instrument with one scale, ``total``: the sum, and only where all items are answered.

    Parameters
    ----------
    resource, right, name, higher
        As `from_questionnaire`.
    risks
        From which answer on an item asks for a look at somebody's safety, by LOINC code: it does so in every form.

    Raises
    ------
    InputError
        Where an answer does not say what it counts; a clause.
    """
    lines = lines_of(resource)
    for line in lines:
        _refuse_uncounted(line)
    if higher is None:
        raise InputError(
            "a Questionnaire does not say whether a higher total is better or worse; say which (higher)"
        )
    intro = intro_of(resource)
    languages = languages_of(lines, intro, resource)
    ids = _ids(lines)
    alike = all(line.options == lines[0].options for line in lines)
    ranges = [_range(line) for line in lines]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    _refuse_other_ends(lines, low, high)
    title = heard(resource, "title", resource.get("language", "en")) or intro
    at_low, at_high = ends_of(lines[0], languages)
    return Instrument(
        id=_slug(name or str(resource.get("name") or resource.get("title") or resource.get("id") or "")),
        name=worded(title if set(languages) <= set(title) else intro, languages),
        version=str(resource.get("version", "1")),
        licence=str(resource.get("copyright", "As its Questionnaire's owner says; the Questionnaire is silent")),
        source=_source(resource),
        validated=False,
        asked_of="client",
        how_often="before each session",
        intro=worded(intro, languages),
        ends=Ends(low, high, at_low, at_high),
        items=tuple(
            Item(
                id=id_,
                wording=worded(line.text, languages),
                risk_from=next((risks[code] for code in line.codes if code in risks), None),
                loinc=next(iter(line.codes), None),
                choices=() if alike else choices_of(line.options, languages),
            )
            for id_, line in zip(ids, lines, strict=True)
        ),
        scales=(
            Scale(
                "total", Wording("Total", "Total"), ids, "sum", higher, len(ids),
                limits=(float(sum(low for low, _ in ranges)), float(sum(high for _, high in ranges))),
            ),
        ),
        note=worded(_NOTE, languages), choices=choices_of(lines[0].options, languages) if alike else (), words="loaded",
        right=right, key=_KEY, languages=languages, credit=resource.get("copyright"),
    )  # fmt: skip


def item_of(link: str) -> str:
    """Return the id that an item has with us, by its linkId.

    >>> item_of("2.1"), item_of("TotalScore"), item_of("total")
    ('item_2_1', 'totalscore', 'item_total')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", link.lower()).strip("_")
    return plain if re.match("[a-z]", plain) and plain != "total" else f"item_{plain}"


def intro_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands above the items: its first display, its description or its title, by language."""
    language = resource.get("language", "en")
    shown = [item for item in resource.get("item", ()) if item["type"] == "display"]
    found = [heard(item, "text", language) for item in shown[:1]]
    found += [heard(resource, name, language) for name in ("description", "title", "name")]
    return next((each for each in found if each), {language[:2]: "—"})


def languages_of(
    lines: Sequence[Line], intro: Mapping[str, str], resource: Mapping[str, Any]
) -> tuple[Language, ...]:
    """Return in which languages all is said; refuse where it is neither English nor Spanish, or a text is missing."""
    for line in lines:
        if not line.text or not all(option.text for option in line.options):
            raise InputError(f"{line.where} has no text, or an answer without words")
    texts = [intro, *(line.text for line in lines)]
    texts += [text for line in lines for text in (*(option.text for option in line.options), *line.ends)]
    languages = common(texts)
    if not languages:
        raise InputError(
            f"Questionnaire.language is {resource.get('language', 'en')}; all its words in en or es are needed"
        )
    return languages


def choices_of(options: Sequence[Option], languages: Sequence[Language]) -> tuple[Choice, ...]:
    """Return answers, the lowest first."""
    made = [Choice(option.value or 0, worded(option.text, languages), option.loinc) for option in options]
    return tuple(sorted(made, key=lambda choice: choice.value))


def ends_of(line: Line, languages: Sequence[Language]) -> tuple[Wording, Wording]:
    """Return what stands at the two ends of a line's answers."""
    if not line.options:
        return worded(line.ends[0], languages), worded(line.ends[1], languages)
    choices = choices_of(line.options, languages)
    return choices[0].wording or Wording("", ""), choices[-1].wording or Wording("", "")


def _source(resource: Mapping[str, Any]) -> str:
    publisher = f" ({resource['publisher']})" if "publisher" in resource else ""
    return f"{resource.get('url', 'A Questionnaire without an address')}{publisher}"


def _slug(text: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
    return plain if re.match("[a-z]", plain) else f"questionnaire_{plain}".rstrip("_")


def _ids(lines: Sequence[Line]) -> tuple[str, ...]:
    ids = tuple(item_of(line.link) for line in lines)
    for place, id_ in enumerate(ids):
        if id_ in ids[:place]:
            raise InputError(
                f"{lines[place].where} and another linkId become one name, {id_}; rename one of them"
            )
    return ids


def _range(line: Line) -> tuple[int, int]:
    if line.options:
        values = [option.value or 0 for option in line.options]
        return min(values), max(values)
    return line.least or 0, line.most or 0


def _refuse_uncounted(line: Line) -> None:
    if line.conditional:
        raise InputError(
            f"{line.where} is asked only on a condition; lines that are always asked can be scored"
        )
    values = [option.value for option in line.options]
    if None in values:
        raise InputError(
            f"{line.where} does not say what its answers count; the extension ordinalValue on each would"
        )
    if len(set(values)) < len(values):
        raise InputError(f"{line.where} has two answers that count the same; one of a value is taken")


def _refuse_other_ends(lines: Sequence[Line], low: int, high: int) -> None:
    for line in lines:
        if not line.options and _range(line) != (low, high):
            raise InputError(
                f"{line.where} goes from {line.least} to {line.most}, others of its items elsewhere; one range is taken"
            )
