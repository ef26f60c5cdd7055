"""What pages say around what is found: each sentence stands once, in both languages."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from attunement import wording

if TYPE_CHECKING:
    from attunement.instruments.description import Language

LANGUAGES: Final[tuple[Language, ...]] = ("en", "es")


@cache
def sentences(of: str = "words") -> dict[str, dict[str, str]]:
    """Return all sentences that clients read, or those of the rooms, by name and language."""
    return tomllib.loads((files("attunement.web") / f"{of}.toml").read_text("utf-8"))


def say(name: str, language: Language) -> str:
    """Return one sentence of the client's side."""
    return sentences()[name][language]


def word(name: str, language: Language, /, **values: str) -> str:
    """Return one sentence of the rooms."""
    return sentences("rooms")[name][language].format(**values)


def called(what: str, value: str, language: Language) -> str:
    """Return what a topic, a shelf, or what something to read bears on is called.

    Examples
    --------
    >>> called("shelf", "guide", "es"), called("about", "torn", "en")
    ('guía práctica', 'a rupture')
    """
    hypothesis = f"{value}_name"
    if what == "about" and hypothesis in wording.sentences():
        return wording.say(hypothesis, language)
    return say(f"{what}_{value}", language)


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
