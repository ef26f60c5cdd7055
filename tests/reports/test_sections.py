"""What ratings mean, on the page: a section where its columns are, what its findings say, and nothing of one person."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING

import polars as pl
import pytest
from whole import whole

from attunement.cli import main
from attunement.findings import Finding
from attunement.library import to_read
from attunement.reports import Meaning, Source, for_machines, look_page, meaning
from attunement.reports.sections import felt
from attunement.trajectories import Caseload, Measure, trajectories

if TYPE_CHECKING:
    from pathlib import Path

MEASURE = Measure(0, 10)
SOURCE = Source("ratings.csv", {}, (), pl.DataFrame(schema={"row": pl.Int64, "why": pl.String}))
ALL = ["ruptures", "agreement", "trust", "feelings", "signal", "next", "outcome", "stability", "staying"]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return whole()


@pytest.fixture(scope="module")
def caseload(table: pl.DataFrame) -> Caseload:
    return trajectories(table, MEASURE)


@pytest.fixture(scope="module")
def meant(caseload: Caseload, table: pl.DataFrame) -> Meaning:
    return meaning(caseload, table, worse="higher")


def test_every_question_is_asked_where_its_columns_are_and_nothing_more_is_missing(meant: Meaning) -> None:
    assert [each.name for each in meant.sections] == ALL
    assert meant.further == ()


@pytest.mark.parametrize(
    ("without", "gone"),
    [
        ("guess", {"agreement"}),
        ("outcome", {"signal", "outcome", "stability"}),
        ("ending", {"staying"}),
    ],
)
def test_a_column_that_is_missing_is_named_with_what_it_would_show(
    caseload: Caseload, table: pl.DataFrame, without: str, gone: set[str]
) -> None:
    told = meaning(caseload, table.drop(without), worse="higher")
    assert [each.name for each in told.sections] == [name for name in ALL if name not in gone]
    (said,) = told.further
    assert f"({without})" in said


def test_without_the_way_it_is_worse_nothing_is_said_of_the_outcome_but_how_steady_it_is(
    caseload: Caseload, table: pl.DataFrame
) -> None:
    only = table.select("therapist", "client", "session", "score", "outcome")
    told = meaning(caseload, only)
    assert [each.name for each in told.sections] == ["ruptures", "stability"]
    assert any("--worse" in each for each in told.further)


def test_under_every_section_stands_what_to_read_about_it(caseload: Caseload, meant: Meaning) -> None:
    page = unescape(look_page(caseload, SOURCE, meant))
    for section in meant.sections:
        part = page.partition(f'<section aria-labelledby="{section.name}">')[2].partition("</section>")[0]
        assert 1 <= len(section.to_read) <= 2
        for each in section.to_read:
            assert each.citation() in part
            assert each.doi is None or f"doi:{each.doi}" in part
    for each in to_read("trajectory")[:2]:
        assert each.citation() in page.partition("</section>")[0]


def test_the_page_says_every_sentence_and_limit_of_every_section(caseload: Caseload, meant: Meaning) -> None:
    page = re.sub(r"<style>.*?</style>", "", look_page(caseload, SOURCE, meant), flags=re.DOTALL)
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for section in meant.sections:
        for sentence in (*section.sentences, *section.limits):
            assert " ".join(sentence.split()) in text.replace("&#34;", '"').replace("&#39;", "'")


def test_of_a_single_therapist_nothing_stands_on_a_page_of_several() -> None:
    table = whole(6, 8, seed=3)
    told = meaning(trajectories(table, MEASURE), table, worse="higher")
    feelings = next(each for each in told.sections if each.name == "feelings")
    for therapist in table["therapist"].unique():
        assert therapist not in " ".join(feelings.sentences)
        assert feelings.chart is None or therapist not in feelings.chart.markup


def test_machines_get_what_the_page_says(caseload: Caseload, meant: Meaning) -> None:
    told = json.loads(json.dumps(for_machines(caseload, SOURCE, meant), allow_nan=False))["meaning"][
        "sections"
    ]
    assert list(told) == ALL
    for section in meant.sections:
        kinds = [told[section.name]["kind"], *(each["kind"] for each in told[section.name]["more"])]
        assert kinds == [
            "finding" if isinstance(each, Finding) else "not yet" for each in (section.found, *section.more)
        ]


def test_feelings_are_laid_out_from_their_columns(table: pl.DataFrame) -> None:
    reflections = felt(table)
    assert reflections is not None
    assert set(reflections["feeling"]) == {"warm", "irritated", "curious", "bored"}
    assert felt(table.select("client", "session", "score")) is None


def test_the_command_reads_all_of_it_from_a_file(
    tmp_path: Path, table: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "ratings.csv", tmp_path / "page.html"
    table.head(150).write_csv(file)
    named = [
        *(name for name in table.columns if name.startswith("feeling:")),
        "my_day",
        "attendance",
        "ending",
        "understood",
    ]
    assert main(["look", str(file), "--map", ",".join(f"{name}={name}" for name in named), "--worse", "higher",
                 "--scale", "0,10", "--out", str(page)]) == 0  # fmt: skip
    assert "Your own feelings" in page.read_text(encoding="utf-8")
    broken = table.head(150).with_columns(attendance=pl.lit("held!"))
    broken.write_csv(file)
    assert main(["look", str(file), "--map", "attendance=attendance"]) == 2
    assert "is none of held, late, cancelled by client" in capsys.readouterr().err
