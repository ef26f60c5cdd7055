"""Find a source by words, however they are accented."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from attunement.library.shelf import sources

if TYPE_CHECKING:
    from attunement.library.source import About, Shelf, Source, Topic

_PLAIN: Final = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "đ": "d"})
_AT_THE_START: Final = 2.0
_WEIGHTS: Final = (4.0, 4.0, 3.0, 1.0)  # who, title, topics, the rest


def search(
    words: str = "",
    topic: Topic | str | None = None,
    *,
    shelf: Shelf | str | None = None,
    about: About | str | None = None,
) -> tuple[Source, ...]:
    """Find sources in which all words occur, the best match first.

    Parameters
    ----------
    words
        Whole words or parts of them, in any order, with or without accents and capitals; none finds all.
    topic, shelf, about
        Only those of this topic, on this shelf, that bear on this finding.

    Examples
    --------
    >>> [each.id for each in search("FLUCKIGER symptoms")]
    ['fluckiger-2020']
    >>> [each.id for each in search("", topic="supervision", shelf="guide")][:2]
    ['eubanks-2022', 'rousmaniere-2016']
    """
    asked = folded(words).split()
    found = [
        (_rank(each, asked), each)
        for each in sources()
        if (topic is None or topic in each.topics)
        and (shelf is None or shelf == each.shelf)
        and (about is None or about in each.bears_on)
    ]
    matched = [(rank, each) for rank, each in found if rank is not None]
    return tuple(each for _, each in sorted(matched, key=lambda pair: -pair[0]))


def folded(text: str) -> str:
    """Return a text as it is compared: small letters without accents, and blanks between words.

    Examples
    --------
    >>> folded("Flückiger & Pérez-Rojas")
    'fluckiger perez rojas'
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_PLAIN)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _rank(each: Source, asked: list[str]) -> float | None:
    """How well it matches, or None where a word does not occur; a word counts where it weighs most."""
    weights = [_weight(each, word) for word in asked]
    return None if 0.0 in weights else sum(weights)


def _weight(each: Source, word: str) -> float:
    found = zip(_texts(each), _WEIGHTS, strict=True)
    return max(
        weight * (_AT_THE_START if f" {word}" in f" {text}" else 1.0) if word in text else 0.0
        for text, weight in found
    )


@cache
def _texts(each: Source) -> tuple[str, str, str, str]:
    """Who, title, topics, and the rest, as they are compared."""
    rest = (each.en, each.es, each.container or "", str(each.year), each.shelf)
    parts = ((*each.authors, *each.editors), (each.title,), each.topics, rest)
    who, title, topics, more = (folded(" ".join(part)) for part in parts)
    return who, title, topics, more
