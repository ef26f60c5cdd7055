"""The page says the same as the findings, and what it leaves out it names."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest

from attunement.reports import Meaning, Source, for_machines, look_page, meaning, summary
from attunement.reports.look import CARDS, ROWS, TILES
from attunement.reports.summary import details
from attunement.simulate import simulate
from attunement.trajectories import Caseload, Measure, trajectories

SOURCE = Source(
    "ratings.csv", {"client": "id"}, ("A note.",), pl.DataFrame({"row": [5], "why": ["no score"]})
)
HOSTILE = "<img src=x onerror=alert(1)>"


def caseload_of(clients: int, prefix: str = "", therapists: int = 1) -> Caseload:
    ratings = simulate(therapists, clients, seed=4).ratings
    return trajectories(ratings.with_columns(client=pl.lit(prefix) + pl.col("client")), Measure(0, 10))


def meant(caseload: Caseload) -> Meaning:
    return meaning(caseload, caseload.rated)


def page_of(caseload: Caseload, source: Source = SOURCE) -> str:
    return look_page(caseload, source, meant(caseload))


def text_of(page: str) -> str:
    """What a reader sees of a page, white space folded."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_has_every_sentence_of_the_summary() -> None:
    caseload = caseload_of(16)
    text = text_of(page_of(caseload))
    for sentence in summary(caseload, meant(caseload)):
        assert sentence in text
    for each in details(caseload):
        assert each.depth.sentence in text
        assert each.speed.sentence in text
        assert each.state.sentence in text
    assert "A note." in text
    assert "1 row was left out" in text


def test_no_number_of_the_caseload_stands_without_its_interval() -> None:
    text = text_of(page_of(caseload_of(16)))
    for sentence in re.findall(r"Depth \d[^.]*\d\.[^.]*?\)", text):
        assert re.search(r"\([\d.]+ to [\d.]+\)", sentence)


def test_a_practice_of_two_says_what_is_missing_once() -> None:
    table = pl.DataFrame(
        {"client": ["a", "a", "b", "b"], "session": [1, 2, 1, 2], "score": [5.0, 6.0, 7.0, 7.5]}
    )
    text = text_of(page_of(trajectories(table, Measure(0, 10), prior=None)))
    assert text.count("2 clients with two rated sessions or more") == 1
    assert "the client’s ratings" in text
    assert "new clients here are expected" not in text


def test_a_practice_of_two_is_told_from_published_figures_and_the_page_says_so() -> None:
    table = pl.DataFrame(
        {"client": ["a", "a", "b", "b"], "session": [1, 2, 1, 2], "score": [5.0, 6.0, 7.0, 7.5]}
    )
    text = text_of(page_of(trajectories(table, Measure(0, 10))))
    assert text.count("published figures of client-rated alliances") == 1
    assert "new clients here are expected" in text


def test_a_code_cannot_break_out_of_the_page() -> None:
    hostile = Source(HOSTILE, {"client": HOSTILE}, (HOSTILE,), SOURCE.skipped)
    page = page_of(caseload_of(8, prefix=HOSTILE), hostile)
    assert "<img" not in page


def test_what_a_large_page_leaves_out_is_said() -> None:
    caseload = caseload_of(20, therapists=40)
    text = text_of(page_of(caseload))
    assert f"{len(caseload) - TILES:,} more have no picture here" in text
    assert f"{len(caseload) - ROWS:,} more rows are left out here" in text
    assert f"{len(details(caseload)) - CARDS:,} more are not drawn here" in text


@pytest.mark.parametrize("clients", [2, 16])
def test_what_machines_are_told_is_json_without_nan(clients: int) -> None:
    caseload = caseload_of(clients)
    told = for_machines(caseload, SOURCE, meant(caseload))
    assert json.loads(json.dumps(told, allow_nan=False))["source"]["name"] == "ratings.csv"


def test_ruptures_stand_on_the_page_with_their_chance_and_the_rules_in_use_elsewhere() -> None:
    caseload = caseload_of(24)
    found = meant(caseload).ruptures
    text = text_of(page_of(caseload))
    assert found.all.sentence in text
    assert "total below 36 of 40" in text
    for each in details(caseload)[:CARDS]:
        told = meant(caseload).of(each.client, each.therapist)
        assert told is None or told.sentence in text


def test_guesses_are_held_against_ratings_where_the_table_has_them() -> None:
    ratings = simulate(1, 24, seed=4).ratings
    caseload = trajectories(ratings, Measure(0, 10))
    found = meaning(caseload, ratings)
    page = look_page(caseload, SOURCE, found)
    (section,) = [each for each in found.sections if each.name == "agreement"]
    assert section.chart is not None
    assert section.found.sentence in text_of(page)
    assert "Your guess and their rating" in text_of(page)


def test_no_two_therapists_are_drawn_beside_each_other() -> None:
    ratings = simulate(3, 10, seed=4).ratings
    found = meaning(trajectories(ratings, Measure(0, 10)), ratings)
    (section,) = [each for each in found.sections if each.name == "agreement"]
    assert section.chart is None
    assert not any(code in section.found.sentence for code in ("T1", "T2", "T3"))


def test_what_a_further_column_would_show_is_said_where_it_is_missing() -> None:
    ratings = simulate(1, 16, seed=4).ratings
    caseload = trajectories(ratings, Measure(0, 10))
    less, more = (meaning(caseload, each).further for each in (caseload.rated, ratings))
    assert {each.partition(" (")[2].partition(")")[0] for each in set(less) - set(more)} == {"time", "guess"}
    assert any(each.startswith("With their state before each session (outcome)") for each in more)
