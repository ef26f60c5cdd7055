"""The library: what to read, found by words, topic and kind, and taken away as BibTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.responses import Response

from attunement.errors import InputError
from attunement.library import About, Shelf, Topic, bibtex, search, sources
from attunement.web.words import say

if TYPE_CHECKING:
    from enum import StrEnum

    from attunement.library import Source
    from attunement.web.page import Ask

FILE: Final = "attunement-library.bib"
_FILTERS: Final[dict[str, type[StrEnum]]] = {"topic": Topic, "shelf": Shelf, "about": About}


def library(ask: Ask) -> Response:
    """Show what is there, or what was searched for."""
    asked, found = _found(ask)
    chosen = {"language": ask.query("language", 2)} if ask.query("language", 2) else {}
    language = ask.language
    return ask.page(
        "library.html", found=found, many=len(sources()), asked=asked, language=language, chosen=chosen,
        say=say, filters={name: list(kinds) for name, kinds in _FILTERS.items()},
        file=f"/library.bib?{urlencode(asked)}", bare=f"/library?{urlencode(chosen)}",
        turned=f"/library?{urlencode({**asked, 'language': 'en' if language == 'es' else 'es'})}",
    )  # fmt: skip


def library_bib(ask: Ask) -> Response:
    """Send what the same search finds as BibTeX."""
    sent = {"content-disposition": f'attachment; filename="{FILE}"'}
    return Response(bibtex(_found(ask)[1]), media_type="text/x-bibtex", headers=sent)


def _found(ask: Ask) -> tuple[dict[str, str], tuple[Source, ...]]:
    """What was asked, without what was left open, and what that finds."""
    asked = {"words": ask.query("words"), **{name: _chosen(ask, name) for name in _FILTERS}}
    asked = {name: value for name, value in asked.items() if value}
    filters = {name: asked.get(name) for name in _FILTERS}
    return asked, search(asked.get("words", ""), **filters)


def _chosen(ask: Ask, name: str) -> str:
    value = ask.query(name)
    if value and value not in list(_FILTERS[name]):
        raise InputError(f"The library knows no such {name}; please choose one from its list.")
    return value
