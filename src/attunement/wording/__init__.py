"""What findings say: each sentence stands once, in both languages, plain enough to be read between two sessions.

A file a kind of finding, beside this one; a name begins with its file's: ``rupture_seen`` stands in ``ruptures.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from attunement.findings import NotYet

if TYPE_CHECKING:
    from attunement.instruments.description import Language

FILES: Final = (
    "agreement",
    "awareness",
    "change",
    "common",
    "connecting",
    "conversation",
    "engagement",
    "feelings",
    "further",
    "impact",
    "next",
    "norms",
    "rooms",
    "ruptures",
    "signal",
    "steps",
    "supervision",
    "tags",
    "trajectories",
    "trust",
)


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Return all sentences, by name and language."""
    found: dict[str, dict[str, str]] = {}
    for name in FILES:
        found |= tomllib.loads((files("attunement.wording") / f"{name}.toml").read_text("utf-8"))
    return found


def say(name: str, language: Language, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
    """Return one sentence, with its values; numbers are written by `number` beforehand.

    Examples
    --------
    >>> say("rated_from", "en", number=2)
    'from 2 rated sessions on it can be told'
    """
    return sentences()[name][language].format(**values)


def not_yet(about: str, missing: str, supply: str, language: Language) -> NotYet:
    """Say what cannot be said yet, in the language.

    Examples
    --------
    >>> not_yet("", "2 sesiones", "a partir de 3 se puede decir", "es").sentence
    'Todavía no: 2 sesiones; a partir de 3 se puede decir.'
    """
    return NotYet(about, missing, supply, say("not_yet", language))


def number(value: float, digits: int, language: Language = "en") -> str:
    """Write a number as the language does.

    Examples
    --------
    >>> number(-0.04, 1), number(7.25, 2, "es")
    ('0.0', '7,25')
    """
    written = f"{value:.{digits}f}"
    if float(written) == 0:
        written = written.lstrip("-")
    return _pointed(written, language)


def signed(value: float, digits: int, language: Language = "en") -> str:
    """Write how much something moved: with its sign, up too.

    Examples
    --------
    >>> signed(1.25, 1, "es"), signed(-0.5, 1)
    ('+1,2', '-0.5')
    """
    return _pointed(f"{value:+.{digits}f}", language)


def plain(value: float, language: Language = "en") -> str:
    """Write a number as it was given, such as a score or the end of a scale.

    Examples
    --------
    >>> plain(10.0), plain(32.5, "es")
    ('10', '32,5')
    """
    return _pointed(f"{value:g}", language)


def counted(count: int, language: Language = "en") -> str:
    r"""Write a count; in Spanish the thousands stand apart from five figures on, as the Academy has it.

    Examples
    --------
    >>> counted(3652), counted(3652, "es"), counted(14934, "es")
    ('3,652', '3652', '14\xa0934')
    """
    if language == "es":
        return str(count) if count < 10_000 else f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")
    return f"{count:,}"


def in_hundred(share: float) -> str:
    """Write a share as so many in a hundred; none is told as never or as always.

    Examples
    --------
    >>> in_hundred(0.001), in_hundred(0.62), in_hundred(1.0)
    ('1', '62', '99')
    """
    return f"{min(max(round(100 * share), 1), 99)}"


def _pointed(written: str, language: Language) -> str:
    """Put the language's own decimal sign."""
    return written.replace(".", ",") if language == "es" else written
