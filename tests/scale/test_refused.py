"""What no engine can sum is said in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement import scale
from attunement.errors import ModelProblem, UnreadableFile
from attunement.mixed import fit

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 on DuckDB 2
]


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("score ~ age + (1 | client)", "asks for age"),
        ("score ~ 1 + (1 | nobody)", "asks for nobody"),
        ("score ~ log(late) + (1 | client)", r"not finite in \d+ rows"),
        ("score ~ I(1 / phase) + (1 | client)", r"not finite in \d+ rows"),
        ("score ~ poly(session, 2) + (1 | client)", "cannot be worked out"),
        ("score ~ center(session) + (1 | client)", "cannot be worked out"),
        ("score ~ session + (1 | client) + drift(session | client)", "needs the rows themselves"),
        ("score ~ session + (1 | client) + ar1(session | client)", "needs the rows themselves"),
        ("place ~ session + (1 | client)", "is not a number"),
        ("score ~ session +", "nothing beside it"),
    ],
)
def test_what_cannot_be_summed_is_said(formula: str, said: str, file: Path) -> None:
    with pytest.raises(ModelProblem, match=said):
        scale.moments(formula, file)


def test_a_missing_file_and_one_that_is_no_parquet_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nowhere\.parquet"):
        scale.moments("score ~ 1 + (1 | client)", tmp_path / "nowhere.parquet")
    text = tmp_path / "text.parquet"
    text.write_text("client,score\na,1\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"text\.parquet cannot be read as Parquet"):
        scale.moments("score ~ 1 + (1 | client)", text)


def test_a_table_without_complete_rows_is_refused(tmp_path: Path) -> None:
    empty = pl.DataFrame(
        {"client": ["a", "b"], "score": [None, None]}, schema_overrides={"score": pl.Float64}
    )
    empty.write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(ModelProblem, match="nothing to fit"):
        scale.moments("score ~ 1 + (1 | client)", tmp_path / "empty.parquet")


def test_a_date_is_no_column_of_a_formula(tmp_path: Path) -> None:
    table = pl.DataFrame({"client": ["a", "b"], "score": [1.0, 2.0]}).with_columns(day=pl.date(2026, 1, 1))
    table.write_parquet(tmp_path / "dates.parquet")
    with pytest.raises(ModelProblem, match="'day' is a date"):
        scale.moments("score ~ day + (1 | client)", tmp_path / "dates.parquet")


def test_too_many_categories_are_taken_for_a_mistake(tmp_path: Path) -> None:
    table = pl.DataFrame({"client": ["a", "b"] * 150, "code": [f"x{n}" for n in range(300)], "score": 1.0})
    table.write_parquet(tmp_path / "codes.parquet")
    with pytest.raises(ModelProblem, match="more than 200 categories"):
        scale.moments("score ~ code + (1 | client)", tmp_path / "codes.parquet")


def test_moments_are_fitted_by_their_own_formula_only(file: Path) -> None:
    held = scale.moments("score ~ session + (1 | client)", file)
    with pytest.raises(ModelProblem, match="fit them by that formula"):
        fit("score ~ 1 + (1 | client)", held)
