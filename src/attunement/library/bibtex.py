r"""Sources as BibTeX, for a reference manager or a paper.

Accented letters stay as they are (LaTeX reads UTF-8 since 2018); what LaTeX takes for a command is escaped; words with
capitals stand in braces, so that a style does not make them small. A DOI is left as it is, for `doi` and `url` packages
read it verbatim.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attunement.library.source import Source

_ESCAPED: Final = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip
_CONTAINERS: Final = {"article": "journal", "book": "publisher", "manual": "organization"}


def bibtex(sources: Iterable[Source]) -> str:
    """Write sources as BibTeX, an entry each, under their ids."""
    return "\n".join(_entry(each) for each in sources)


def escaped(text: str) -> str:
    r"""Escape what LaTeX takes for a command.

    Examples
    --------
    >>> print(escaped("Théorie & pratique: 50 % of C_1"))
    Théorie \& pratique: 50 \% of C\_1
    """
    return "".join(_ESCAPED.get(sign, sign) for sign in text)


def protected(title: str) -> str:
    """Put words with capitals in braces; the capital that begins a title needs none.

    Examples
    --------
    >>> protected("The CARE measure: A study of Ärzte")
    'The {CARE} measure: {A} study of {Ärzte}'
    """
    first, *rest = title.split(" ")
    return " ".join([_kept(first, first[1:]), *(_kept(word, word) for word in rest)])


def _kept(word: str, capitals: str) -> str:
    whole = escaped(word)
    return f"{{{whole}}}" if any(sign.isupper() for sign in capitals) else whole


def _entry(each: Source) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in _fields(each))
    return f"@{each.kind}{{{each.id},\n{lines}}}\n"


def _fields(each: Source) -> Iterator[tuple[str, str]]:
    if each.authors:
        yield "author", escaped(" and ".join(each.authors))
    if each.editors:
        yield "editor", escaped(" and ".join(each.editors))
    yield "title", protected(each.title)
    yield "year", str(each.year)
    if each.container:
        yield _CONTAINERS[each.kind], escaped(each.container)
    for name in ("volume", "number", "edition"):
        if value := getattr(each, name):
            yield name, escaped(value)
    if each.pages:
        yield "pages", re.sub("–", "--", escaped(each.pages))
    if each.doi:
        yield "doi", each.doi
