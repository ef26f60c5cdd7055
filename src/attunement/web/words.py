"""What a client reads: each sentence stands once, in both languages."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attunement.instruments.description import Language

LANGUAGES: Final[tuple[Language, ...]] = ("en", "es")


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Return all sentences, by name and language."""
    return tomllib.loads((files("attunement.web") / "words.toml").read_text("utf-8"))


def say(name: str, language: Language) -> str:
    """Return one sentence."""
    return sentences()[name][language]


def language_of(asked: str, accepted: str) -> Language:
    """Return the language that was asked for, or that the browser prefers.

    Examples
    --------
    >>> language_of("", "es-MX,es;q=0.9,en;q=0.8"), language_of("en", "es"), language_of("", "fr, *")
    ('es', 'en', 'en')
    """
    for language in LANGUAGES:
        if asked == language:
            return language
    for each in accepted.split(","):
        name = each.split(";")[0].strip().lower()
        if name.startswith("es"):
            return "es"
        if name.startswith("en"):
            return "en"
    return "en"
