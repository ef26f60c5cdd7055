"""The tidy contracts: what is taken at the door, and what is refused with its column and rows."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from attunement import frames
from attunement.errors import ColumnProblem

GOOD = {"client": ["K-07", "K-07", "M-21"], "session": [1, 2, 1], "score": [5.0, 6.0, 7.5]}


def with_column(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame(GOOD | columns, strict=False)


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, pa.table], ids=["polars", "pandas", "Arrow"])
def test_the_three_kinds_of_table_are_taken_alike(make: type) -> None:
    taken = frames.ratings(make(GOOD))
    assert taken.columns == ["therapist", "client", "session", "score"]
    assert taken.dtypes == [pl.String, pl.String, pl.Int64, pl.Float64]
    assert taken["client"].to_list() == GOOD["client"]


def test_without_a_therapist_there_is_one() -> None:
    assert frames.ratings(pl.DataFrame(GOOD))["therapist"].unique().to_list() == ["1"]


def test_nan_is_missing() -> None:
    assert frames.ratings(with_column(score=[float("nan"), 6.0, 7.0]))["score"].to_list() == [None, 6.0, 7.0]


def test_a_code_that_pandas_made_a_float_is_a_code_again() -> None:
    table = pd.DataFrame(GOOD | {"therapist": [7.0, 7.0, 8.0]})
    assert frames.ratings(table)["therapist"].to_list() == ["7", "7", "8"]


def test_other_columns_stay_behind_the_contracts_own() -> None:
    table = with_column(mood=[1, 2, 3]).select("mood", "score", "client", "session")
    assert frames.ratings(table).columns == ["therapist", "client", "session", "score", "mood"]


def test_a_zone_is_left_out_and_the_local_hour_stays() -> None:
    zoned = pl.Series([datetime(2020, 3, 8, 18)] * 3).dt.replace_time_zone("America/New_York")
    assert frames.ratings(with_column().with_columns(time=zoned))["time"][0] == datetime(2020, 3, 8, 18)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (pl.DataFrame(GOOD).drop("score"), "the column score is missing"),
        (with_column(session=[1, 2, 0]), "session counts from 1; row 3 has 0"),
        (with_column(session=[1, 1.5, 1]), "session holds whole numbers; row 2 has 1.5"),
        (with_column(session=[1, None, 1]), "session may not be empty; row 2 has nothing"),
        (with_column(client=["a", " ", "b"]), "client may not be empty; row 2 has ' '"),
        (with_column(score=["5", "abc", "7"]), "score holds numbers; row 2 has 'abc'"),
        (with_column(score=[1.0, float("inf"), 2.0]), "score holds numbers; row 2 has inf"),
        (with_column(session=[1, 1, 1]), "stand in rows 1 and 2"),
        (with_column(client=["a"] * 3, session=[0, -1, -2]), "row 1 has 0, row 2 has -1, row 3 has -2"),
    ],
)
def test_a_violation_names_the_column_and_the_first_bad_rows(table: pl.DataFrame, said: str) -> None:
    with pytest.raises(ColumnProblem) as problem:
        frames.ratings(table)
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_list_is_no_table() -> None:
    with pytest.raises(ColumnProblem, match="a list is not a table"):
        frames.ratings([1, 2, 3])


def test_attendance_is_one_of_its_words() -> None:
    sessions = pl.DataFrame({"client": ["a", "a"], "session": [1, 2], "attendance": ["held", "gone fishing"]})
    with pytest.raises(ColumnProblem, match="attendance is one of held, late"):
        frames.sessions(sessions)
    assert frames.sessions(sessions.with_columns(attendance=pl.lit("late"))).height == 2


def test_outcomes_and_reflections_have_their_own_keys() -> None:
    two = {"client": ["a", "a"], "session": [1, 1]}
    outcomes = pl.DataFrame(two | {"instrument": ["state", "growth"], "outcome": [4.0, 5.0]})
    reflections = pl.DataFrame(two | {"feeling": ["warm", "heavy"], "strength": [7, 2]})
    assert frames.outcomes(outcomes).height == 2
    assert frames.reflections(reflections).height == 2
    with pytest.raises(ColumnProblem, match="stand in rows 1 and 2"):
        frames.outcomes(outcomes.with_columns(instrument=pl.lit("state")))


def test_every_column_has_a_meaning_that_is_a_sentence() -> None:
    for contract in frames.CONTRACTS.values():
        for column in contract.columns:
            assert column.meaning.endswith(".")
            assert column.unit or column.kind in {"code", "time", "word", "flag"}
