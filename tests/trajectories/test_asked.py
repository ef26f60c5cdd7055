"""One door: a practice, a table, or courses already worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attunement.agreement import agreement
from attunement.errors import ColumnProblem, TooLittle
from attunement.ruptures import ruptures
from attunement.simulate import simulate
from attunement.trajectories import Measure, asked, trajectories

if TYPE_CHECKING:
    import polars as pl

PRACTICE = simulate(clients=6, seed=3)


class OpenPractice:
    """What a practice on a disk answers: its tables, by verbs."""

    def ratings(self) -> pl.DataFrame:
        return PRACTICE.ratings


def test_a_practice_its_table_and_its_courses_lead_to_the_same() -> None:
    courses = trajectories(PRACTICE.ratings, Measure.of("connection"))
    told = [
        ruptures(courses),
        ruptures(PRACTICE),
        ruptures(OpenPractice()),
        ruptures(PRACTICE.ratings, Measure.of("connection")),
        ruptures(PRACTICE.ratings.to_pandas(), Measure.of("connection")),
    ]
    assert len({each.all.sentence for each in told}) == 1
    assert asked(courses) is courses
    assert agreement(PRACTICE).all.sentence == agreement(PRACTICE.ratings, Measure(0, 10)).all.sentence


def test_the_scale_of_a_table_is_not_guessed() -> None:
    with pytest.raises(TooLittle, match=r"give it: measure=Measure\(0, 10\)"):
        ruptures(PRACTICE.ratings)
    with pytest.raises(TooLittle, match="what its scale is"):
        agreement(PRACTICE.ratings.to_pandas())


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(ColumnProblem, match="a list is not a table"):
        ruptures([1, 2, 3])
