"""What to read: enough of it, each for something, in words of our own, found by whoever looks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware, RemoveEnclosingMiddleware
from hypothesis import given
from hypothesis import strategies as st

from attunement.connecting import HYPOTHESES
from attunement.errors import InputError
from attunement.library import About, Shelf, Source, Topic, bibtex, search, source, sources, to_read
from attunement.library.search import folded

if TYPE_CHECKING:
    from random import Random

    from bibtexparser.library import Library

HARDEST = 9.0  # automated readability index: about ninth grade
DOI = re.compile(r"10\.\d{4,9}/[^\s{}\"<>]+[^\s{}\"<>.,;]")
ALL = sources()
by_id = pytest.mark.parametrize("each", ALL, ids=lambda each: each.id)


def readability(text: str) -> float:
    """Automated readability index (Smith & Senter 1967)."""
    letters = sum(sign.isalnum() for sign in text)
    words, ends = len(text.split()), max(len(re.findall(r"[.?!:;](\s|$)", text)), 1)
    return 4.71 * letters / words + 0.5 * words / ends - 21.43


# -- what there is


def test_there_are_forty_sources_and_more_journals_and_guides_both() -> None:
    assert len(ALL) >= 40
    assert sum(each.shelf is Shelf.GUIDE for each in ALL) >= 8
    assert sum(each.shelf is Shelf.JOURNAL for each in ALL) >= 30


@by_id
def test_every_source_bears_on_a_finding(each: Source) -> None:
    assert each.bears_on
    assert all(each in to_read(about) for about in each.bears_on)


@pytest.mark.parametrize("about", About)
def test_every_finding_has_something_to_read(about: About) -> None:
    assert to_read(about)
    assert all(about in each.bears_on for each in to_read(about))


@pytest.mark.parametrize("topic", Topic)
def test_every_topic_is_about_something(topic: Topic) -> None:
    assert search(topic=topic)


def test_every_hypothesis_of_the_board_can_be_read_about() -> None:
    assert set(HYPOTHESES) <= {each.value for each in About}


def test_what_says_most_about_a_finding_comes_first() -> None:
    for about in About:
        places = [each.bears_on.index(about) for each in to_read(about)]
        assert places == sorted(places)


def test_ids_short_names_and_dois_are_each_of_one_source() -> None:
    for told in (
        [each.id for each in ALL],
        [each.named() for each in ALL],
        [each.named("es") for each in ALL],
    ):
        assert len(set(told)) == len(told)
    dois = [each.doi.lower() for each in ALL if each.doi]
    assert len(set(dois)) == len(dois)


@by_id
def test_a_doi_is_one_and_an_id_can_be_an_anchor_and_a_key(each: Source) -> None:
    assert each.doi is None or DOI.fullmatch(each.doi)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*-\d{4}(-[a-z]+)?", each.id)
    assert each.id.split("-")[0] in folded((each.authors or each.editors)[0]).replace(" ", "")
    assert str(each.year) in each.id


@by_id
def test_a_source_has_what_its_kind_of_reference_needs(each: Source) -> None:
    assert bool(each.authors) != bool(each.editors)
    assert 1900 < each.year < 2027
    assert each.kind == "manual" or each.container
    assert each.kind != "article" or each.volume
    assert len(set(each.topics)) == len(each.topics) > 0
    assert len(set(each.bears_on)) == len(each.bears_on)


@by_id
def test_our_sentence_is_one_in_both_languages_and_plain(each: Source) -> None:
    assert each.en != each.es
    for said in (each.en, each.es):
        assert re.fullmatch(r"[A-Z].{25,160}\.", said)
        assert len(re.findall(r"\.(\s|$)", said)) == 1
        assert "–" not in said
        assert "—" not in said
    assert readability(each.en) <= HARDEST


@by_id
def test_our_sentence_is_not_the_title(each: Source) -> None:
    title = [word for word in folded(each.title).split() if len(word) > 4]
    shared = [word for word in title if word in folded(each.en).split()]
    assert len(shared) <= 3


def test_a_citation_is_one_line_with_everything() -> None:
    assert source("bordin-1979").citation() == (
        "Bordin, E. S. (1979). The generalizability of the psychoanalytic concept of the working alliance. "
        "Psychotherapy: Theory, Research & Practice, 16(3), 252–260."
    )
    assert source("hawkins-2020").citation().endswith("Open University Press, 5th ed.")
    assert (
        source("norcross-2019").citation("es").startswith("ed. por Norcross, J. C.; Lambert, M. J. (2019).")
    )
    assert source("fluckiger-2020").citation().startswith("Flückiger, C. and others (2020).")
    assert "death? Psychiatric" in source("simon-2013").citation()


@by_id
def test_a_citation_has_no_loose_ends(each: Source) -> None:
    for language in ("en", "es"):
        told = each.citation(language)
        assert told.endswith(".")
        assert "None" not in told
        assert ".." not in told
        assert "  " not in told


def test_a_source_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(InputError, match="no source 'nobody-2000'"):
        source("nobody-2000")


def test_a_page_that_asks_for_no_finding_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="weather"):
        to_read("weather")


def test_every_file_of_the_shelves_is_read() -> None:
    folder = files("attunement.library") / "shelves"
    written = sum(len(re.findall(r"^\[", each.read_text("utf-8"), re.MULTILINE)) for each in folder.iterdir())
    assert written == len(ALL)


# -- searching


def test_accents_and_capitals_do_not_matter() -> None:
    for words in ("flückiger", "FLUCKIGER", "fluckiger", "Flu\u0308ckiger"):
        assert {each.id for each in search(words)} >= {"fluckiger-2018", "fluckiger-2020"}
    assert [each.id for each in search("rossberg")] == ["breivik-2020"]
    assert [each.id for each in search("Perez Rojas")] == ["perez-rojas-2017"]
    assert search("vínculo") == search("VINCULO") != ()


def test_who_wrote_it_stands_before_who_is_only_told_of() -> None:
    assert search("safran")[0].id == "safran-2000"
    assert search("humility")[0].id in {"hook-2013", "hook-2017"}


def test_filters_narrow_and_do_not_reorder() -> None:
    assert all(each.shelf is Shelf.GUIDE for each in search(shelf="guide"))
    assert search(topic="rupture", about="supervision") == tuple(
        each for each in search(topic="rupture") if About.SUPERVISION in each.bears_on
    )
    assert search() == ALL


words_of_ours = st.sampled_from(
    sorted(
        {word for each in ALL for word in folded(f"{each.title} {each.en} {' '.join(each.authors)}").split()}
    )
)


@given(st.lists(words_of_ours, max_size=4))
def test_more_words_never_find_more(words: list[str]) -> None:
    found = [set(search(" ".join(words[:many]))) for many in range(len(words) + 1)]
    assert all(fewer <= more for more, fewer in pairwise(found))


@given(st.lists(words_of_ours, min_size=1, max_size=3), st.randoms())
def test_the_order_of_words_does_not_matter(words: list[str], random: Random) -> None:
    turned = list(words)
    random.shuffle(turned)
    assert set(search(" ".join(turned))) == set(search(" ".join(words)))


@given(st.sampled_from(ALL))
def test_a_source_is_found_by_its_own_title_and_first_author(each: Source) -> None:
    assert search(each.title)[0] == each
    family = (each.authors or each.editors)[0].partition(",")[0]
    assert each in search(f"{family} {each.year}")


@given(st.text(max_size=60))
def test_whatever_is_typed_is_searched_for(text: str) -> None:
    found = search(text)
    assert set(found) <= set(ALL)
    assert search(unicodedata.normalize("NFD", text)) == search(unicodedata.normalize("NFC", text))


# -- BibTeX


def parsed(text: str) -> Library:
    return parse_string(text)


def plain(value: str) -> str:
    """Take the braces away that protect capitals."""
    return value.replace("{", "").replace("}", "")


def test_bibtex_parses_and_every_entry_is_there() -> None:
    library = parsed(bibtex(ALL))
    assert library.failed_blocks == []
    assert [each.key for each in library.entries] == [each.id for each in ALL]
    assert [each.entry_type for each in library.entries] == [each.kind for each in ALL]


@by_id
def test_every_field_comes_back_from_bibtex_as_it_was(each: Source) -> None:
    library = parse_string(
        bibtex([each]), parse_stack=[RemoveEnclosingMiddleware(), LatexDecodingMiddleware()]
    )
    (entry,) = library.entries
    told = {field.key: plain(str(field.value)) for field in entry.fields}
    assert told["title"] == each.title
    assert told["year"] == str(each.year)
    assert told.get("author", told.get("editor")) == " and ".join(each.authors or each.editors)
    assert told.get("doi") == each.doi
    assert told.get("volume") == each.volume
    assert (told.get("pages") or "").replace("--", "–") == (each.pages or "")
    where = {"article": "journal", "book": "publisher", "manual": "organization"}[each.kind]
    assert told.get(where) == each.container


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=40
    )
)
def test_no_title_whatever_breaks_the_file(title: str) -> None:
    text = bibtex([replace(ALL[0], title=title), ALL[1]])
    library = parsed(text)
    assert library.failed_blocks == []
    assert [each.key for each in library.entries] == [ALL[0].id, ALL[1].id]


def test_what_latex_takes_for_a_command_is_escaped_and_capitals_are_kept() -> None:
    text = bibtex([replace(ALL[0], title="Élan & état: 100 % of WAI_SR #1 in Bern")])
    assert (
        r"title = {{Élan} \& état: 100 \% of {WAI\_SR} \#1 in {Bern}}" not in text
    )  # the first capital needs none
    assert r"title = {Élan \& état: 100 \% of {WAI\_SR} \#1 in {Bern}}" in text
