"""Clinically significant change: where the line runs, and who is called what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attunement.change import (
    RESULTS,
    Cutoff,
    Method,
    Norms,
    Population,
    before_and_after,
    changed,
    changes,
    cutoff,
)
from attunement.errors import ColumnProblem, InputError
from attunement.findings import Finding, NotYet
from attunement.instruments import Higher, Published

REFERENCE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "outcomes"
COUPLES = SHARED / "jacobson_1989.csv"
DEPRESSION = SHARED / "claus_2020.csv"

STUDY = "Jacobson & Truax (1991), table 1"
CLINICAL, FUNCTIONAL = Population(40, 7.5, STUDY), Population(60, 7.5, STUDY)
SCALE = Norms("the scale", "better", Published(0.80, STUDY), clinical=CLINICAL, functional=FUNCTIONAL)


def of_sample(
    pairs: pl.DataFrame, higher: Higher, functional: Population | None = None, later: float | None = None
) -> Norms:
    """Figures taken from the sample itself, with a reliability of .80, as clinicalsignificance's examples do."""
    before, after = pairs["before"].to_numpy(), pairs["after"].to_numpy()
    together = pairs.select(pl.corr("before", "after")).item()
    return Norms(
        "the scale",
        higher,
        Published(0.80, "an example"),
        clinical=Population(before.mean(), before.std(ddof=1), "the sample"),
        functional=functional,
        after=Population(after.mean(), after.std(ddof=1), "the sample"),
        reliability_after=None if later is None else Published(later, "an example"),
        stability=Published(together, "the sample"),
    )


def counts(table: pl.DataFrame | NotYet) -> dict[str, int]:
    assert isinstance(table, pl.DataFrame)
    return {result: table.filter(result=result).height for result in RESULTS}


def couples(scale: str) -> pl.DataFrame:
    table = pl.read_csv(COUPLES, null_values="NA").pivot(on="time", index="subject", values=scale)
    return table.drop_nulls().select(client="subject", before="pre", after="post")


def test_the_three_cutoffs_of_jacobson_and_truax() -> None:
    # means 40 and 60, SD 7.5 each: a = 40 + 15, b = 60 - 15, c = 50
    found = [cutoff(SCALE, "a"), cutoff(SCALE, "b"), cutoff(SCALE, "c")]
    assert [line.value for line in found if isinstance(line, Cutoff)] == [55, 45, 50]


def test_where_lower_is_better_the_cutoffs_are_mirrored() -> None:
    turned = Norms("x", "worse", clinical=Population(-40, 7.5, "A"), functional=Population(-60, 7.5, "A"))
    found = [cutoff(turned, "a"), cutoff(turned, "b"), cutoff(turned, "c")]
    assert [line.value for line in found if isinstance(line, Cutoff)] == [-55, -45, -50]


def test_cutoff_c_lies_nearer_the_population_that_is_closer_together() -> None:
    # (4 * 20 + 8 * 5) / 12, by hand
    line = cutoff(Norms("x", "worse", clinical=Population(20, 8, "A"), functional=Population(5, 4, "B")))
    assert line == Cutoff("c", 10.0, "A and B")


def test_cutoff_b_takes_the_deviation_of_the_functional_population() -> None:
    line = cutoff(Norms("x", "worse", clinical=Population(20, 8, "A"), functional=Population(5, 4, "B")), "b")
    assert line == Cutoff("b", 13.0, "B")  # 5 + 2 * 4


def test_cutoffs_are_those_of_r() -> None:
    theirs = json.loads((REFERENCE / "change.json").read_text(encoding="utf-8"))
    figures = theirs["figures"]
    clinical = Population(figures["m_pre"], figures["sd_pre"], "R")
    norms = Norms("x", "worse", clinical=clinical, functional=Population(6, 4, "R"))
    kinds: tuple[Literal["a", "c"], ...] = ("a", "c")
    for kind in kinds:
        line = cutoff(norms, kind)
        assert isinstance(line, Cutoff)
        assert line.value == pytest.approx(theirs["cutoffs"][kind], abs=1e-9)


def test_the_best_cutoff_that_the_figures_allow_is_taken_and_said() -> None:
    one, other = (
        cutoff(Norms("x", "better", clinical=CLINICAL)),
        cutoff(Norms("x", "better", functional=FUNCTIONAL)),
    )
    assert isinstance(one, Cutoff)
    assert isinstance(other, Cutoff)
    assert (one.kind, other.kind) == ("a", "b")


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("a", "no published mean and standard deviation of people with the complaint of x"),
        ("b", "no published mean and standard deviation of people without the complaint of x"),
        (
            None,
            (
                "no published mean and standard deviation of people with the complaint and no mean and standard "
                "deviation of people without the complaint of x"
            ),
        ),
    ],
)
def test_without_a_published_population_there_is_no_cutoff(
    kind: Literal["a", "b"] | None, missing: str
) -> None:
    said = cutoff(Norms("x", "worse"), kind)
    assert isinstance(said, NotYet)
    assert said.missing == missing


def test_a_cutoff_without_a_source_or_of_no_kind_is_refused() -> None:
    with pytest.raises(InputError, match="A cutoff takes a source"):
        Cutoff("published", 10, "")
    with pytest.raises(InputError, match="'d' is no kind of cutoff; it is a, b or c"):
        cutoff(SCALE, "d")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        (32.5, 53.0, "recovered"),  # reliable, and over 50
        (32.5, 47.5, "improved"),  # reliable, and not over it: the example in the paper, by cutoff c
        (32.5, 50.0, "improved"),  # on the line is on neither side
        (51.0, 65.0, "improved"),  # began among people without the complaint
        (45.0, 54.0, "unchanged"),  # over the line, by less than 9.3
        (40.0, 30.0, "deteriorated"),
        (65.0, 52.0, "deteriorated"),  # reliably worse, and still among people without it
        (55.0, 41.0, "harmed"),
        (None, 41.0, None),
    ],
)
def test_each_course_is_called_what_the_literature_calls_it(
    before: float | None, after: float, result: str | None
) -> None:
    table = changes(pl.DataFrame({"client": ["K-07"], "before": [before], "after": [after]}), SCALE)
    assert isinstance(table, pl.DataFrame)
    assert table["result"].to_list() == [result]


@given(st.lists(st.tuples(st.integers(20, 80), st.integers(20, 80)), min_size=1, max_size=20))
def test_turned_over_the_same_people_get_the_same_results(scores: list[tuple[int, int]]) -> None:
    turned = Norms(
        "x",
        "worse",
        Published(0.80, "A"),
        clinical=Population(-40, 7.5, "A"),
        functional=Population(-60, 7.5, "A"),
    )
    pairs = pl.DataFrame(
        [(str(row), float(a), float(b)) for row, (a, b) in enumerate(scores)],
        schema=["client", "before", "after"],
        orient="row",
    )
    mirrored = pairs.with_columns(-pl.col("before"), -pl.col("after"))
    one, other = changes(pairs, SCALE), changes(mirrored, turned)
    assert isinstance(one, pl.DataFrame)
    assert isinstance(other, pl.DataFrame)
    assert one["result"].to_list() == other["result"].to_list()


def test_a_finding_says_size_error_side_and_source() -> None:
    found = changed("K-07", 32.5, 53.0, SCALE)
    assert isinstance(found, Finding)
    assert found.sentence == (
        "K-07 went from 32.5 to 53 on the scale: 20.5 points (11.2 to 29.8), for the better and more than the 9.3 "
        "that error of measurement explains; over the line from people with to people without the complaint (50.0, "
        "cutoff c of Jacobson & Truax (1991), table 1): recovered."
    )
    assert found.estimate.value == 20.5
    assert "not thereby an effect of the therapy" in found.limits[0]


def test_without_norms_of_a_population_a_finding_says_what_it_cannot_tell() -> None:
    norms = Norms("the scale", "worse", Published(0.88, "A"), sd=Published(6.1, "A"))
    found = changed("K-07", 17, 15, norms)
    assert isinstance(found, Finding)
    assert found.sentence == (
        "K-07 went from 17 to 15 on the scale: -2.0 points (-7.9 to 3.9), no more than the 5.9 that error of "
        "measurement explains: unchanged."
    )
    assert found.limits[-1].startswith(
        "It cannot be told if it ends among people without the complaint. The reason: no published mean"
    )


def test_a_published_cutoff_serves_as_it_is() -> None:
    norms = Norms("the scale", "worse", Published(0.88, "A"), sd=Published(6.1, "A"))
    found = changed("K-07", 17, 8, norms, line=Cutoff("published", 10, "Kroenke et al. (2001)"))
    assert isinstance(found, Finding)
    assert "(10.0, Kroenke et al. (2001)): recovered" in found.sentence


def test_a_missing_score_is_not_yet_a_change() -> None:
    said = changed("K-07", 32.5, None, SCALE)
    assert isinstance(said, NotYet)
    assert said.missing == "one of the two scores is missing"


def test_without_reliability_nothing_is_judged() -> None:
    bare = Norms("the scale", "better", clinical=CLINICAL)
    assert isinstance(changed("K-07", 32.5, 53.0, bare), NotYet)
    pairs = pl.DataFrame({"client": ["K-07"], "before": [1.0], "after": [2.0]})
    assert isinstance(changes(pairs, bare), NotYet)


def test_first_and_last_score_are_taken_by_session_and_single_scores_left_out() -> None:
    scores = pl.DataFrame(
        {
            "client": ["B", "A", "A", "A", "A"],
            "session": [1, 5, 1, 9, 3],
            "instrument": ["phq9"] * 5,
            "outcome": [9.0, 12.0, 18.0, None, 15.0],
        }
    )
    assert before_and_after(scores).rows() == [("A", 18.0, 12.0)]
    with pytest.raises(InputError, match="The outcomes are of gad7 and phq9"):
        before_and_after(scores.with_columns(instrument=pl.Series(["gad7"] + ["phq9"] * 4)))


def test_a_client_who_stands_twice_is_refused() -> None:
    pairs = pl.DataFrame({"client": ["A", "A"], "before": [1.0, 2.0], "after": [2.0, 3.0]})
    with pytest.raises(ColumnProblem, match="the same client stand in rows 1 and 2"):
        changes(pairs, SCALE)


needs_couples = pytest.mark.skipif(
    not COUPLES.exists(), reason="the couples' scores are not beside this checkout"
)


# clinicalsignificance, the examples of its function clinical_significance(), on the couples of Jacobson et al. (1989)
@needs_couples
@pytest.mark.parametrize(
    ("scale", "higher", "functional", "method", "expected"),
    [
        ("gds", "worse", None, "jacobson-truax", [10, 4, 12, 0, 0]),
        ("das", "better", None, "jacobson-truax", [10, 6, 13, 1, 0]),
        ("gds", "worse", Population(30, 7, "an example"), "jacobson-truax", [3, 11, 12, 0, 0]),
        ("gds", "worse", Population(30, 7, "an example"), "edwards-nunnally", [4, 13, 9, 0, 0]),
    ],
)
def test_couples_are_counted_as_in_r(
    scale: str, higher: Higher, functional: Population | None, method: Method, expected: list[int]
) -> None:
    pairs = couples(scale)
    table = changes(pairs, of_sample(pairs, higher, functional), method)
    assert list(counts(table).values()) == expected


@needs_couples
def test_as_many_couples_change_reliably_by_hageman_and_arrindell_as_in_r() -> None:
    pairs = couples("gds")
    found = counts(changes(pairs, of_sample(pairs, "worse"), "hageman-arrindell"))
    assert found["recovered"] + found["improved"] == 17  # 1 and 16 there: their line is of true scores
    assert found["unchanged"] == 9


# clinicalsignificance 2.1, tests/testthat/_snaps/cs_combined.md: HAM-D of Claus et al. (2020), first to fourth visit
@pytest.mark.skipif(not DEPRESSION.exists(), reason="the scores of Claus et al. are not beside this checkout")
@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("jacobson-truax", [26, 3, 10, 1, 0]),
        ("edwards-nunnally", [26, 6, 5, 3, 0]),
        ("gulliksen-lord-novick", [26, 3, 10, 1, 0]),
        ("nunnally-kotsch", [26, 2, 11, 1, 0]),
    ],
)
def test_patients_with_depression_are_counted_as_in_r(method: Method, expected: list[int]) -> None:
    visits = pl.read_csv(DEPRESSION, null_values="NA").pivot(on="time", index="id", values="hamd")
    pairs = visits.select(client="id", before="1", after="4").drop_nulls()
    norms = of_sample(pairs, "worse", Population(8, 8, "an example"), later=0.5)
    assert list(counts(changes(pairs, norms, method)).values()) == expected
