"""Outcomes whose truth is known: they are what they say, and check-ins are skipped as strongly as planted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from attunement import frames
from attunement.errors import ModelProblem
from attunement.mixed import cross_lagged
from attunement.simulate import Published, SimulatedPractice, simulate
from attunement.simulate.outcomes import Carrying, Skipping, carrying, skipping


@pytest.fixture(scope="module")
def large() -> SimulatedPractice:
    return simulate(4, 150, seed=9, sessions=10, settings=Published(missing_share=0.05))


def test_the_same_seed_gives_the_same_outcomes(large: SimulatedPractice) -> None:
    one, other, third = (carrying(large, seed=seed) for seed in (1, 1, 2))
    assert one.ratings.equals(other.ratings)
    assert one.growth.equals(other.growth)
    assert not one.ratings.equals(third.ratings)


def test_the_tables_keep_their_contracts(large: SimulatedPractice) -> None:
    made = carrying(large, seed=1)
    assert frames.ratings(made.ratings).height == large.ratings.height
    assert frames.outcomes(made.growth)["outcome"].is_between(0, 10).all()
    assert made.ratings["outcome"].is_null().equals(made.ratings["score"].is_null())


def test_what_was_planted_is_in_it(large: SimulatedPractice) -> None:
    how = Carrying(improvement_sd=0.0)
    made = carrying(large, how, seed=1)
    found = cross_lagged(made.ratings, x="score", y="outcome", detrend=True)
    assert abs(found.estimates["x_to_y"] - made.within) < 3.5 * found.se["x_to_y"]
    assert found.estimates["y_to_y"] == pytest.approx(how.kept, abs=0.06)
    assert found.estimates["y_to_x"] < 0  # a worse state, a less close session
    assert found.tie[0] == pytest.approx(-how.between, abs=0.12)


def test_after_established_it_swings_as_much_less_as_planted(large: SimulatedPractice) -> None:
    plain, steady = (
        carrying(large, Carrying(steadier=ratio, improvement=0.0, improvement_sd=0.0), seed=1)
        for ratio in (1.0, 0.5)
    )
    reached = steady.truth["reached"].to_numpy()
    level = steady.truth.join(steady.clients, on=["therapist", "client"], how="left", maintain_order="left")[
        "level"
    ]
    moves = [(each.truth["outcome"] - level).to_numpy() for each in (plain, steady)]
    assert np.allclose(moves[1][reached], 0.5 * moves[0][reached])
    assert np.allclose(moves[1][~reached], moves[0][~reached])


def test_check_ins_are_skipped_the_more_the_lower_the_connection(large: SimulatedPractice) -> None:
    low = large.truth["connection"].to_numpy() < large.truth["connection"].median()
    for strength, tied in ((0.8, True), (0.0, False)):
        ratings = skipping(large.ratings, large.truth, Skipping(strength=strength), seed=3)
        gone = (ratings["score"].is_null() & large.ratings["score"].is_not_null()).to_numpy()
        more = gone[low].mean() - gone[~low].mean()
        assert (more > 0.05) == tied
        assert ratings["chance"].is_between(0, 1).all()
        kept = ~gone & large.ratings["score"].is_not_null().to_numpy()
        assert ratings.filter(pl.Series(kept))["score"].equals(large.ratings.filter(pl.Series(kept))["score"])


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong, name in (
        ({"effect": 2.0}, "effect"),
        ({"kept": 1.0}, "kept"),
        ({"steadier": 0.0}, "steadier"),
    ):
        with pytest.raises(ModelProblem, match=name):
            Carrying(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ModelProblem, match="share"):
        Skipping(share=1.0)
