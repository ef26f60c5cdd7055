"""What clients say of steps: told from enough answers of enough clients, with an interval that holds the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attunement.errors import ColumnProblem
from attunement.findings import Finding, NotYet
from attunement.steps import ANSWERS, CLIENTS, helped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEAN, SHARE, PRACTICES = 6.5, 0.7, 150


def steps(
    answers: Mapping[str, Sequence[float | None]], talked: str | None = "yes", about: str | None = "torn"
) -> pl.DataFrame:
    rows = [
        (client, place, about, talked, value)
        for client, given in answers.items()
        for place, value in enumerate(given, 1)
    ]
    columns = {
        "client": pl.String, "step": pl.Int64, "about": pl.String, "talked": pl.String, "helped": pl.Float64
    }  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row")


ENOUGH = {"A": [8.0, 7.0], "B": [6.0, 9.0], "C": [5.0, 4.0], "D": [10.0, 8.0]}


def test_with_enough_answers_it_is_told_with_its_interval_and_its_limits() -> None:
    found = helped(steps(ENOUGH)).all
    assert isinstance(found, Finding)
    estimate = found.estimate
    assert estimate.low < estimate.value < estimate.high
    assert estimate.value == pytest.approx(7.125, abs=0.01)
    assert f"{estimate.value:.1f} of 10" in found.sentence
    assert "8 answers of 4 clients" in found.sentence
    assert "does not show that the step changed anything" in found.limits[0]
    assert found.evidence.rows()[0][1:] == ("A", 2, 7.5)
    assert "media" in helped(steps(ENOUGH), language="es").all.sentence


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"A": [5.0] * 7 + [6.0]},
        {"A": [5.0, 6.0], "B": [5.0], "C": [4.0]},
        {"A": [5.0, 6.0, 3.0], "B": [5.0, 4.0], "C": [4.0, 9.0, 7.0]},
        {"A": [None] * 9, "B": [5.0], "C": [5.0], "D": [6.0]},
    ],
)
def test_with_less_it_says_what_is_missing(answers: dict[str, list[float | None]]) -> None:
    found = helped(steps(answers)).all
    assert isinstance(found, NotYet)
    assert found.sentence.startswith("Not yet: ")
    assert f"from {ANSWERS} answers of {CLIENTS} clients on" in found.supply


def test_answers_that_are_all_the_same_have_no_interval_and_are_not_told() -> None:
    found = helped(steps({key: [7.0, 7.0] for key in "ABCD"})).all
    assert isinstance(found, NotYet)
    assert "all 8 answers are the same" in found.sentence


def test_one_answer_a_client_is_told_too() -> None:
    found = helped(steps({str(place): [float(place)] for place in range(9)})).all
    assert isinstance(found, Finding)
    assert found.estimate.value == pytest.approx(4.0)


def test_what_was_talked_about_is_a_share_with_its_interval() -> None:
    both = pl.concat([steps(ENOUGH), steps({f"{name}2": given for name, given in ENOUGH.items()}, "no")])
    found = helped(both).talked
    assert isinstance(found, Finding)
    assert (found.estimate.value, found.estimate.unit) == (0.5, "share")
    assert 0 < found.estimate.low < 0.5 < found.estimate.high < 1
    everybody = helped(steps(ENOUGH)).talked
    assert isinstance(everybody, Finding)
    assert everybody.estimate.high == 1.0
    assert everybody.estimate.low < 0.7


def test_each_thing_that_was_answered_is_told_by_itself_where_there_is_enough() -> None:
    table = pl.concat([steps(ENOUGH), steps({"E": [3.0]}, about="style"), steps({"F": [3.0]}, about=None)])
    found = helped(table).by_about
    assert {name: type(each) for name, each in found.items()} == {"torn": Finding, "style": NotYet}
    assert isinstance(helped(table.drop("about")).about("torn"), NotYet)


def test_two_therapists_clients_of_one_code_are_two() -> None:
    twice = pl.concat(
        [steps(ENOUGH).with_columns(therapist=pl.lit(name)) for name in ("T-1", "T-2")], how="diagonal"
    )
    found = helped(twice).all
    assert isinstance(found, Finding)
    assert found.evidence.height == 8
    assert "of 8 clients" in found.sentence


def test_a_table_that_breaks_its_contract_is_refused() -> None:
    with pytest.raises(ColumnProblem, match="each step is one row"):
        helped(pl.concat([steps(ENOUGH), steps(ENOUGH)]))


@given(
    st.dictionaries(
        st.text("ABCDEFGH", min_size=1, max_size=1),
        st.lists(st.integers(0, 10).map(float) | st.none(), max_size=6),
    ),
    st.sampled_from(["yes", "no", None]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_was_answered_an_estimate_lies_in_its_interval_and_on_its_scale(
    answers: dict[str, list[float | None]], talked: str | None
) -> None:
    asked = helped(steps(answers, talked))
    for found, most in (
        (asked.all, 10.0),
        (asked.talked, 1.0),
        *((each, 10.0) for each in asked.by_about.values()),
    ):
        if isinstance(found, Finding):
            assert 0 <= found.estimate.low <= found.estimate.value <= found.estimate.high <= most


def test_the_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Six clients with 12 answers on average; benchmarks/bench_steps.py has more, and four clients."""
    random = np.random.default_rng(5)
    held = {"mean": 0, "share": 0}
    told = 0
    while told < PRACTICES:
        answers, talked = {}, []
        for name in "ABCDEF":
            many = random.poisson(1.0) + 1
            points = random.normal(MEAN + random.normal(0, 1.5), 1.5, many)
            answers[name] = [float(each) for each in np.clip(np.round(points), 0, 10)]
            often = random.beta(SHARE * 4, (1 - SHARE) * 4)
            talked += ["yes" if each else "no" for each in random.random(many) < often]
        asked = helped(steps(answers).with_columns(pl.Series("talked", talked)))
        if isinstance(asked.all, Finding) and isinstance(asked.talked, Finding):
            told += 1
            held["mean"] += (
                asked.all.estimate.low <= MEAN - 0.03 <= asked.all.estimate.high
            )  # of clipped points
            held["share"] += asked.talked.estimate.low <= SHARE <= asked.talked.estimate.high
    assert held["mean"] / told > 0.91
    assert held["share"] / told > 0.94
