"""Words in one language or two: the element itself, and beside it FHIR's translation extension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attunement.exchange.fhir.names import TRANSLATION
from attunement.instruments import Language, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def say(name: str, wording: Wording, languages: Sequence[Language]) -> dict[str, Any]:
    """Return an element in the first language, with the other one as its translation, where there is another one.

    >>> say("text", Wording("Yes", "Yes"), ("en",))
    {'text': 'Yes'}
    """
    element: dict[str, Any] = {name: wording.say(languages[0])}
    other: Language = "es" if languages[0] == "en" else "en"
    if other in languages or wording.en != wording.es:  # a name has both, whatever the rest has
        parts = [
            {"url": "lang", "valueCode": other},
            {"url": "content", "valueString": wording.say(other)},
        ]
        element[f"_{name}"] = {"extension": [{"url": TRANSLATION, "extension": parts}]}
    return element


def heard(element: Mapping[str, Any], name: str, language: str) -> dict[str, str]:
    """Return the words of an element by language, each by its first two letters.

    >>> heard(say("text", Wording("Yes", "Sí"), ("en", "es")), "text", "en-US")
    {'en': 'Yes', 'es': 'Sí'}
    """
    found = {language[:2].lower(): element[name]} if name in element else {}
    for each in element.get(f"_{name}", {}).get("extension", ()):
        if each["url"] == TRANSLATION:
            parts = {part["url"]: part for part in each.get("extension", ())}
            said, content = parts.get("lang", {}).get("valueCode"), parts.get("content", {})
            words = content.get("valueString") or content.get("valueMarkdown")
            if isinstance(said, str) and isinstance(words, str) and words.strip():
                found.setdefault(said[:2].lower(), words)
    return found


def common(texts: Sequence[Mapping[str, str]]) -> tuple[Language, ...]:
    """Return the languages of ours that all texts are in."""
    both: tuple[Language, ...] = ("en", "es")
    return tuple(each for each in both if all(each in text for text in texts))


def worded(text: Mapping[str, str], languages: Sequence[Language]) -> Wording:
    """Return words for both languages; where there is but one, it stands for both, as in an instrument's file."""
    return Wording(*(text.get(each, text[languages[0]]) for each in ("en", "es")))
