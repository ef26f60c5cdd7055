"""The page of what to read: everybody's, searched by a form, taken away as BibTeX, and linked from what it bears on."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from bibtexparser.entrypoint import parse_string
from cast import seen

from attunement.library import About, Shelf, Topic, search, sources, to_read
from attunement.web.words import LANGUAGES, called, sentences

if TYPE_CHECKING:
    from guest import Building

    from attunement.instruments.description import Language

EVERYTHING = [each.id for each in sources()]


def shown(page: str) -> list[str]:
    return re.findall(r'<article class="card reading" id="([^"]+)"', page)


@pytest.mark.parametrize("account", ["T-1", "S-1", "A-1"])
def test_everybody_who_is_in_may_read(house: Building, account: str) -> None:
    page = house.guest(account).get("/library")
    assert page.status_code == 200
    assert shown(page.text) == EVERYTHING
    assert '<a href="/library" aria-current="page">Library</a>' in page.text
    assert house.guest().get("/library").status_code == 401
    assert house.guest().get("/library.bib").status_code == 401


def test_each_source_stands_with_its_citation_its_sentence_and_what_it_bears_on(house: Building) -> None:
    page = unescape(house.guest("S-1").get("/library").text)
    for each in sources():
        assert each.citation() in page
        assert each.en in page
        assert each.link is None or f'<a href="{each.link}" rel="noreferrer">' in page
        assert all(f'<a href="/library?about={about}">' in page for about in each.bears_on)


def test_it_is_searched_by_words_topic_and_kind(house: Building) -> None:
    guest = house.guest("T-1")
    for query, found in {
        "words=FLUCKIGER": search("flückiger"),
        "words=fl%C3%BCckiger&topic=outcome": search("flückiger", "outcome"),
        "shelf=guide": search(shelf="guide"),
        "topic=culture&shelf=guide&about=unsaid": search(topic="culture", shelf="guide", about="unsaid"),
        "words=zzzz": (),
        "words=&topic=&shelf=&about=": sources(),
    }.items():
        page = guest.get(f"/library?{query}").text
        assert shown(page) == [each.id for each in found], query
        assert f"{len(found)} of {len(EVERYTHING)} to read" in page
        assert ("Try with less" in page) == (not found)


def test_what_was_chosen_stays_chosen_and_is_never_taken_for_a_page(house: Building) -> None:
    guest = house.guest("T-1")
    page = guest.get("/library?words=%22%3E%3Cscript%3E&topic=rupture").text
    assert "<script>" not in page
    assert 'value="&#34;&gt;&lt;script&gt;"' in page
    assert '<option value="rupture" selected>' in page
    assert guest.get("/library?words=" + "%EF%BF%BD%00%FF" * 40).status_code == 200


@pytest.mark.parametrize("query", ["topic=weather", "shelf=attic", "about=%00", "topic=rupture%27"])
def test_what_is_not_on_the_list_is_one_sentence(house: Building, query: str) -> None:
    for path in ("/library", "/library.bib"):
        answer = house.guest("T-1").get(f"{path}?{query}")
        assert answer.status_code == 400
        assert "The library knows no such" in answer.text


def test_what_was_found_is_saved_as_bibtex(house: Building) -> None:
    guest = house.guest("T-1")
    saved = guest.get("/library.bib?topic=rupture&words=repair")
    assert saved.headers["content-type"] == "text/x-bibtex; charset=utf-8"
    assert saved.headers["content-disposition"] == 'attachment; filename="attunement-library.bib"'
    assert [each.key for each in parse_string(saved.text).entries] == [
        each.id for each in search("repair", "rupture")
    ]
    link = re.search(r'href="(/library\.bib[^"]*)"', guest.get("/library?topic=rupture&words=repair").text)
    assert link
    assert guest.get(unescape(link[1])).text == saved.text
    assert len(parse_string(guest.get("/library.bib").text).entries) == len(EVERYTHING)


def test_it_is_read_in_either_language(house: Building) -> None:
    guest = house.guest("T-1")
    asked = unescape(guest.get("/library?language=es&topic=rupture").text)
    assert '<div lang="es">' in asked
    preferred = unescape(guest.get("/library?topic=rupture", **{"accept-language": "es-MX,es;q=0.9"}).text)
    for each in search(topic="rupture"):
        assert each.es in asked
        assert each.es in preferred
    assert 'name="language" value="es"' in asked  # the search goes on in it
    assert "/library?topic=rupture&language=en" in asked
    assert unescape(guest.get("/library?language=xx").text).count(sources()[0].en) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_has_a_name_in_both_languages(language: Language) -> None:
    for what, values in {"topic": Topic, "shelf": Shelf, "about": About}.items():
        names = [called(what, value, language) for value in values]
        assert len(set(names)) == len(names)
    library = [name for name in sentences() if name.startswith(("library_", "topic_", "shelf_", "about_"))]
    assert len(library) > 40


@pytest.mark.parametrize("about", About)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_finding_says_what_to_read_about_it(about: About, language: Language) -> None:
    line = unescape(drawn_line(about, language))
    for each in to_read(about)[:3]:
        assert f'<a href="/library#{each.id}">{each.named(language)}</a>' in line
    more = len(to_read(about)) - 3
    assert (f'<a href="/library?about={about}">{more} ' in line) == (more > 0)


def drawn_line(about: About, language: Language) -> str:
    from attunement.web.page import _environment  # noqa: PLC0415 - a macro by itself

    source = '{% from "parts.html" import to_read with context %}{{ to_read(about, language) }}'
    return _environment().from_string(source).render(about=about, language=language)


def test_a_clients_page_says_what_to_read_where_the_course_is_told(house: Building) -> None:
    for number in range(6):
        seen(house.cast.first, f"K-{number:02}", 6)
    page = house.guest("T-1").get("/clients/K-01").text
    course = page[page.index('id="course"') : page.index('id="sessions"')]
    assert f'href="/library#{to_read("trajectory")[0].id}"' in course
