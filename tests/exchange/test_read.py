"""Tables as people have them: what is understood, what is assumed, and that it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from attunement.errors import ColumnProblem, InputError
from attunement.exchange import Reading, parse_mapping, read_ratings, write_files
from attunement.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path


def reading(tmp_path: Path, text: str, **options: object) -> Reading:
    file = tmp_path / "table.csv"
    file.write_bytes(text.encode())
    return read_ratings(file, **options)  # type: ignore[arg-type]


PLAIN = "client,session,score\na,1,5\na,2,6.5\nb,1,7\n"


def test_columns_are_taken_from_a_clear_header_and_it_is_said(tmp_path: Path) -> None:
    found = reading(tmp_path, "Client ID,Session_No,Total Score,mood\na,1,5,x\na,2,6,y\n")
    assert found.mapping == {"client": "Client ID", "session": "Session_No", "score": "Total Score"}
    assert found.guessed == ("client", "session", "score")
    assert "score is Total Score" in found.notes[0]
    assert "1 column was left aside." in found.notes
    assert found.ratings.columns == ["therapist", "client", "session", "score"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ";").replace("6.5", "6,5"),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.replace("a,1", " a , 1 "),
        PLAIN.replace("a,1,5", '"a","1","5"'),
    ],
    ids=["mark", "CRLF", "CR", "tabs", "semicolons and decimal commas", "blank lines", "blanks", "quotes"],
)
def test_the_same_table_in_another_dress_is_the_same_table(tmp_path: Path, text: str) -> None:
    assert_frame_equal(reading(tmp_path, text).ratings, reading(tmp_path, PLAIN).ratings)


def test_rows_are_numbered_as_a_spreadsheet_does(tmp_path: Path) -> None:
    text = 'client,session,score,notes\na,1,5,"two\nlines"\n\nb,1,x,\n'
    with pytest.raises(ColumnProblem, match="Row 4: the score “x”"):
        reading(tmp_path, text)


def test_a_short_row_has_empty_cells(tmp_path: Path) -> None:
    found = reading(tmp_path, PLAIN + "b,2\n")
    assert found.skipped.rows() == [(5, "no score")]


@pytest.mark.parametrize("word", ["", "NA", "n/a", "NaN", "null", "None", ".", "-"])
def test_the_usual_words_for_missing_are_missing(tmp_path: Path, word: str) -> None:
    assert reading(tmp_path, PLAIN + f"b,2,{word}\n").skipped.rows() == [(5, "no score")]


def test_a_code_for_missing_is_not_guessed(tmp_path: Path) -> None:
    assert reading(tmp_path, PLAIN + "b,2,-99\n").ratings["score"].min() == -99


def test_without_session_numbers_time_orders_them(tmp_path: Path) -> None:
    found = reading(tmp_path, "client,date,score\na,3/15/2020,6\na,3/8/2020,5\nb,2020-03-01,7\n")
    assert found.ratings["session"].to_list() == [2, 1, 1]
    assert "Dates such as 3/8/2020 were read with the month first." in found.notes
    assert "Sessions were numbered by their time." in found.notes


def test_a_session_without_time_cannot_be_ordered(tmp_path: Path) -> None:
    with pytest.raises(ColumnProblem, match="Row 3 has no time"):
        reading(tmp_path, "client,date,score\na,3/15/2020,6\na,,5\n")


def test_an_intake_moves_its_dyad_up_by_one(tmp_path: Path) -> None:
    found = reading(tmp_path, "client,session,score\na,0,5\na,1,6\nb,1,7\n")
    assert found.ratings["session"].to_list() == [1, 2, 1]
    assert any(note.startswith("1 intake numbered 0") for note in found.notes)


def test_numbers_that_count_within_the_client_start_anew_with_each_therapist(tmp_path: Path) -> None:
    text = "therapist,client,session,score\nT1,a,1,5\nT1,a,2,6\nT2,a,3,4\nT2,a,4,5\n"
    found = reading(tmp_path, text)
    assert found.ratings["session"].to_list() == [1, 2, 1, 2]
    assert any("within the client" in note for note in found.notes)


def test_numbers_that_count_within_the_dyad_stay(tmp_path: Path) -> None:
    text = "therapist,client,session,score\nT1,a,1,5\nT1,a,2,6\nT2,a,1,4\nT2,a,3,5\n"
    found = reading(tmp_path, text)
    assert found.ratings["session"].to_list() == [1, 2, 1, 3]
    assert not any("within the client" in note for note in found.notes)


def test_feelings_are_kept_behind_the_contracts_columns(tmp_path: Path) -> None:
    mapping = parse_mapping("client=client,session=session,score=score,feeling:warm=w")
    found = reading(tmp_path, "client,session,score,w\na,1,5,7\na,2,6,8\n", mapping=mapping)
    assert found.ratings.columns[-1] == "feeling:warm"
    assert found.ratings["feeling:warm"].to_list() == [7.0, 8.0]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    practice = simulate(3, 8, seed=1)
    files = {tmp_path / "a.csv": practice.ratings, tmp_path / "a.parquet": practice.ratings}
    write_files(files)
    read = [read_ratings(path).ratings for path in files]
    assert_frame_equal(read[0], read[1])
    assert_frame_equal(read[0], practice.ratings.filter(pl.col("score").is_not_null()), check_row_order=False)


def test_no_text_of_an_export_is_a_formula_to_a_spreadsheet(tmp_path: Path) -> None:
    cells = ["=1+1", "+1", "-1", "@now", "\tx", "K-07"]
    frame = pl.DataFrame({"client": cells, "=score": [-1.0] * 6})
    write_files({tmp_path / "out.csv": frame.with_columns(again=pl.col("client").cast(pl.Categorical))})
    read = pl.read_csv(tmp_path / "out.csv").rename({"'=score": "score"})
    assert read["again"].to_list() == read["client"].to_list()
    assert read["client"].to_list() == [f"'{cell}" for cell in cells[:-1]] + ["K-07"]
    assert read["score"].to_list() == [-1.0] * 6


def test_either_all_files_are_written_or_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        write_files({tmp_path / "page.html": "text", tmp_path / "table.txt": pl.DataFrame({"a": [1]})})
    assert list(tmp_path.iterdir()) == []
