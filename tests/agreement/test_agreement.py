"""Agreement of the two sides: bias and tracking, pooled, gated, as lme4 has them, and as wide as they are uncertain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from attunement.agreement import Agreement, agreement
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.guessing import Guessed, Guessing, guessing
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from attunement.instruments.description import Language

MEASURE = Measure(0, 10)
REFERENCE = Path(__file__).parents[1] / "reference"


def guessed(clients: int = 16, seed: int = 3, therapists: int = 1, how: Guessing | None = None) -> Guessed:
    """A practice whose guesses are known; the few that no scale could hold are left out."""
    made = guessing(simulate(therapists, clients, seed=seed), how, seed=seed)
    held = pl.when(pl.col("guess").is_between(0, 10)).then(pl.col("guess"))
    return replace(made, ratings=made.ratings.with_columns(guess=held))


@pytest.fixture(scope="module")
def made() -> Guessed:
    return guessed()


@pytest.fixture(scope="module")
def found(made: Guessed) -> Agreement:
    return agreement(made.ratings, MEASURE)


def lme4() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((REFERENCE / "agreement.json").read_text(encoding="utf-8"))
    return dict(read["cases"]["dyads_in_therapists"])


def test_bias_and_tracking_are_lme4s() -> None:
    theirs = lme4()
    table = pl.read_csv(REFERENCE / "data" / "guesses.csv")
    told = agreement(table, MEASURE, prior=None)
    assert isinstance(told.all, Finding)
    assert told.all.estimate.value == pytest.approx(theirs["fixed"]["(Intercept)"], abs=2e-3)
    slope = told.all.evidence.filter(part="tracking")["value"][0]
    assert slope == pytest.approx(theirs["fixed"]["answer"], abs=2e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held: dict[str, list[bool]] = {"bias": [], "tracking": []}
    for seed in range(40, 46):
        made = guessed(clients=14, seed=seed)
        both = agreement(made.ratings, MEASURE).frame().drop_nulls("bias")
        both = both.join(made.truth, on=["therapist", "client"], suffix="_true")
        for name, each in held.items():
            within = pl.col(f"{name}_true").is_between(pl.col(f"{name}_low"), pl.col(f"{name}_high"))
            each.extend(both.select(within).to_series())
    for name, each in held.items():
        assert len(each) > 40
        assert np.mean(each) >= 0.88, name


def test_a_dyad_speaks_from_four_sessions_with_both(made: Guessed, found: Agreement) -> None:
    paired = made.ratings.drop_nulls(["score", "guess"]).group_by("client").len()
    counted = dict(paired.iter_rows())
    for client in made.ratings["client"].unique():
        told = found.of(client)
        assert isinstance(told, Finding if counted.get(client, 0) >= 4 else NotYet)
        if isinstance(told, Finding):
            assert told.estimate.low < told.estimate.value < told.estimate.high


def test_a_guess_that_is_low_with_everybody_is_a_habit() -> None:
    how = Guessing(bias=-2.5, pair_sd=0.1, habit_sd=0.0)
    made = guessed(clients=24, how=how)
    told = agreement(made.ratings, MEASURE)
    usual = told.usual()
    assert isinstance(usual, Finding)
    assert usual.estimate.high < -1.5
    said = [told.of(row["client"]) for row in told.frame().drop_nulls("bias").iter_rows(named=True)]
    habits = [each for each in said if "this is a habit of yours more than a sign about" in each.sentence]
    assert len(habits) >= len(said) / 2 > 0


@pytest.mark.parametrize(("tracking", "word"), [(1.0, "well"), (0.0, "not")])
def test_who_follows_is_told_so_and_who_does_not_is_told_neither(tracking: float, word: str) -> None:
    made = guessed(clients=40, how=Guessing(tracking=tracking, follow_sd=0.0, attend_sd=0.0, noise_sd=0.4))
    usual = agreement(made.ratings, MEASURE).usual()
    assert isinstance(usual, Finding)
    assert ("follow" in usual.sentence and "well" in usual.sentence) == (word == "well")


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_dyad_has_a_sentence_in_both_languages(made: Guessed, language: Language) -> None:
    told = agreement(made.ratings, MEASURE, language=language)
    assert told.all.sentence
    opening = {"en": "Not yet: ", "es": "Todavía no: "}[language]
    for client in made.ratings["client"].unique():
        of_client = told.of(client)
        assert of_client.sentence
        assert of_client.sentence.startswith(opening) == isinstance(of_client, NotYet)


def test_several_therapists_are_told_of_all_and_each_of_themselves() -> None:
    made = guessed(clients=8, therapists=6)
    told = agreement(made.ratings, MEASURE)
    assert isinstance(told.all, Finding)
    assert isinstance(told.usual("T1"), Finding)
    with pytest.raises(ColumnProblem, match="6 therapists are in these ratings; name one"):
        told.usual()
    with pytest.raises(ColumnProblem, match="'T9'"):
        told.usual("T9")


def test_what_is_missing_is_named(made: Guessed) -> None:
    with pytest.raises(ColumnProblem, match="the column guess is missing"):
        agreement(made.ratings.drop("guess"), MEASURE)
    with pytest.raises(TooLittle, match="of the column guess outside the scale"):
        agreement(made.ratings.with_columns(guess=pl.lit(12.0)), MEASURE)
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        agreement(made.ratings, MEASURE).of("nobody")
    none = agreement(made.ratings.with_columns(guess=pl.lit(None, dtype=pl.Float64)), MEASURE)
    assert isinstance(none.all, NotYet)
    few = agreement(made.ratings.head(3), MEASURE)
    assert isinstance(few.all, NotYet)
