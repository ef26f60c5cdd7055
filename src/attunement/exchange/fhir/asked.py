"""What a Questionnaire asks, line by line, whatever its groups: who can be asked it, and what each answer counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.names import CONTROL, HIDDEN, LEAST, LOINC, MOST, WEIGHTS, extension
from attunement.exchange.fhir.said import heard
from attunement.exchange.fhir.strict import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHOICES: Final = ("choice", "open-choice", "coding", "question")
_NUMBERS: Final = ("integer", "decimal")
_WORKED_OUT: Final = ("calculatedExpression", "cqf-expression", "initialExpression")
_MOST_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class Option:
    """An answer: what it counts and its LOINC answer code, where it says so, and its words by language."""

    value: int | None
    loinc: str | None
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """An item that is answered.

    Parameters
    ----------
    where, link
        Its place for a message, and its linkId.
    codes
        Its LOINC codes.
    text
        Its words, by language.
    options
        The answers, where it is a choice.
    ends
        The words at the two ends, where it is a number.
    least, most
        The two ends, where it is a number.
    conditional
        Whether it is asked only where another was answered in some way.
    """

    where: str
    link: str
    codes: tuple[str, ...]
    text: Mapping[str, str]
    options: tuple[Option, ...] = ()
    ends: tuple[Mapping[str, str], ...] = ()
    least: int | None = None
    most: int | None = None
    conditional: bool = False


def lines_of(resource: Mapping[str, Any], besides: frozenset[str] = frozenset()) -> tuple[Line, ...]:
    """Return the lines of a Questionnaire that passed `checks.refuse_faulty`, besides those with such LOINC codes.

    Raises
    ------
    InputError
        Where one cannot be scored, or there is none; a clause.
    """
    language = resource.get("language", "en")
    sets = {f"#{each.get('id')}": each for each in resource.get("contained", ())}
    found = tuple(
        _line(item, language, sets, conditional=conditional)
        for item, conditional in _asked(resource.get("item", []), conditional=False)
        if besides.isdisjoint(_loinc(item))
    )
    if not found:
        raise InputError("Questionnaire.item: it asks nothing that could be scored")
    if len(found) > _MOST_LINES:
        raise InputError(f"Questionnaire.item: it asks {len(found)} things; up to {_MOST_LINES} are taken")
    return found


def _asked(items: list[dict[str, Any]], *, conditional: bool) -> Iterator[tuple[dict[str, Any], bool]]:
    """The items that somebody answers, and whether each is asked on a condition."""
    for item in items:
        on_condition = conditional or "enableWhen" in item
        if item["type"] not in {"group", "display"} and not _is_filled_in(item):
            yield item, on_condition
        yield from _asked(item.get("item", []), conditional=on_condition)


def _loinc(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        each["code"] for each in item.get("code", ()) if each.get("system") == LOINC and "code" in each
    )


def _is_filled_in(item: Mapping[str, Any]) -> bool:
    """Tell whether a program fills it in, such as a total, and nobody is asked."""
    worked_out = any(each["url"].rpartition("-")[2] in _WORKED_OUT or each["url"].endswith(_WORKED_OUT)
                     for each in item.get("extension", ()))  # fmt: skip
    return item.get("readOnly") is True or extension(dict(item), HIDDEN) is True or worked_out


def _line(item: dict[str, Any], language: str, sets: Mapping[str, Any], *, conditional: bool) -> Line:
    where = f"Questionnaire.item {shown(item['linkId'])}"
    kind = item["type"]
    if item.get("repeats") is True:
        raise InputError(f"{where} takes several answers; one answer an item can be scored")
    text = heard(item, "text", language)
    codes = _loinc(item)
    if kind in _CHOICES:
        options = tuple(_options(item, language, sets, where))
        return Line(where, item["linkId"], codes, text, options, conditional=conditional)
    if kind not in _NUMBERS:
        raise InputError(
            f"{where} is of the type {kind}, which has no number to score; choices that count something, and "
            "whole or decimal numbers between two ends are taken"
        )
    least, most = (_end(item, url, where) for url in (LEAST, MOST))
    ends = tuple(
        _label(item, which, language) or {language[:2]: str(end)}
        for which, end in (("lower", least), ("upper", most))
    )
    return Line(where, item["linkId"], codes, text, (), ends, least, most, conditional)


def _end(item: dict[str, Any], url: str, where: str) -> int:
    end = extension(item, url)
    if isinstance(end, bool) or not isinstance(end, int | float) or end != int(end) or abs(end) > 1e6:
        raise InputError(
            f"{where} is a number without whole ends; the extensions minValue and maxValue would say them"
        )
    return int(end)


def _label(item: Mapping[str, Any], which: str, language: str) -> dict[str, str]:
    for inner in item.get("item", ()):
        for each in inner.get("extension", ()):
            concept = each.get("valueCodeableConcept")
            codings = concept.get("coding") if each["url"] == CONTROL and isinstance(concept, dict) else None
            if isinstance(codings, list) and any(
                isinstance(one, dict) and one.get("code") == which for one in codings
            ):
                return heard(inner, "text", language)
    return {}


def _options(item: Mapping[str, Any], language: str, sets: Mapping[str, Any], where: str) -> Iterator[Option]:
    options = item.get("answerOption")
    if options is not None:
        for option in options:
            yield _option(option, language, where)
        return
    concepts = [*_concepts(sets.get(str(item.get("answerValueSet"))))]
    if not concepts:
        raise InputError(
            f"{where} names no answers, or a value set that is not in the file; answerOption would"
        )
    for system, concept in concepts:
        yield Option(
            _counts(concept, where),
            concept["code"] if system == LOINC else None,
            heard(concept, "display", language),
        )


def _concepts(value_set: object) -> Iterator[tuple[object, dict[str, Any]]]:
    """The concepts that a contained value set lists; it was not checked, and may be anything."""
    compose = value_set.get("compose") if isinstance(value_set, dict) else None
    includes = compose.get("include") if isinstance(compose, dict) else None
    for include in includes if isinstance(includes, list) else ():
        listed = include.get("concept") if isinstance(include, dict) else None
        for each in listed if isinstance(listed, list) else ():
            if (
                isinstance(each, dict)
                and isinstance(each.get("code"), str)
                and isinstance(each.get("display"), str)
            ):
                yield include.get("system"), each


def _option(option: dict[str, Any], language: str, where: str) -> Option:
    coding = option.get("valueCoding")
    if coding is not None:
        loinc = coding.get("code") if coding.get("system") == LOINC else None
        counts = _counts(coding, where)
        return Option(
            counts if counts is not None else _counts(option, where),
            loinc,
            heard(coding, "display", language),
        )
    number = option.get("valueInteger")
    if number is None:
        raise InputError(f"{where} offers an answer that is neither a code nor a whole number")
    return Option(number, None, {language[:2]: str(number)})


def _counts(element: Mapping[str, Any], where: str) -> int | None:
    extensions = element.get("extension", ())
    weights = [
        extension({"extension": [each]}, *WEIGHTS)
        for each in (extensions if isinstance(extensions, list) else ())
        if isinstance(each, dict)
    ]
    weight = next((each for each in weights if each is not None), None)
    if weight is None:
        return None
    if (
        isinstance(weight, bool)
        or not isinstance(weight, int | float)
        or weight != int(weight)
        or abs(weight) > 1e6
    ):
        raise InputError(f"{where} has an answer that counts {shown(weight)}; whole numbers can be scored")
    return int(weight)
