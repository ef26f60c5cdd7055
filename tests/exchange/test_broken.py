"""Hostile tables and places beyond those of `tests/test_cli.py`: one sentence each, and nothing overwritten."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET = "the lighthouse keeper wept on Tuesday"
HEADER = "client,session,score"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(count: int = 30) -> list[str]:
    """Six clients' ratings, a row each."""
    return [f"K-{row % 6:02d},{row // 6 + 1},{5 + (row * 7) % 5}" for row in range(count)]


def table(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def with_row(row: int, line: str) -> bytes:
    """A sound table in which one row (a spreadsheet's number) is another."""
    lines = [HEADER, *rows()]
    lines[row - 1] = line
    return table(*lines)


SOUND = table(HEADER, *rows())
WIDE = f"{'c' * 60},{'s' * 60},{'r' * 60}"

BROKEN: dict[str, tuple[bytes, Sequence[str], Sequence[str]]] = {
    "lines of blanks": (b"  \n \t \n", [], ["nothing in it"]),
    "no header and free text": (table(f"K-01,good,{SECRET},5", f"K-02,good,{SECRET},6"), [], ["looks like data"]),
    "no header, mapped": (table(*rows()), ["--map", "client=client"], ["looks like data"]),
    "twins without a header": (table("K-01,5,5", "K-02,5,6"), [], ["looks like data"]),
    "a line break in a bad cell": (with_row(17, 'K-01,3,"a\nb"'), [], ["row 17", "score"]),
    "an escape code in a bad cell": (with_row(17, "K-01,3,\x1b[31mred"), [], ["row 17"]),
    "a score beyond any scale": (with_row(17, "K-01,3,1e155"), [], ["row 17", "1e155"]),
    "no session number": (with_row(6, "K-04,,5"), [], ["row 6", "empty"]),
    "many bad rows under long names": (
        table(WIDE, *("c" * 90 + f",{'x' * 90},{'y' * 90}" for _ in range(9))),
        ["--map", f"client={'c' * 60},session={'s' * 60},score={'r' * 60}"],
        ["row 2", "more rows"],
    ),
    "a cell of 200,000 signs": (with_row(9, '"' + "a" * 200_000 + '",1,5'), [], ["row 9"]),
    "UTF-16, big end first, no mark": (SOUND.decode().encode("utf-16-be"), [], ["--encoding utf-16-be"]),
    "UTF-16, little end first, no mark": (SOUND.decode().encode("utf-16-le"), [], ["--encoding utf-16-le"]),
    "said to be UTF-16, and is not": (SOUND + b"x", ["--encoding", "utf-16"], ["utf-16"]),
    "a long line in UTF-16": (("x" * 3_000_000).encode("utf-16"), ["--encoding", "utf-16"], ["million"]),
    "Latin-1 behind a quoted line break": (
        table(f"{HEADER},notes", 'a,1,5,"two\nlines"', "Zo?,1,6,").replace(b"?", b"\xeb"), [], ["row 3"]
    ),
    "an encoding of bytes": (SOUND, ["--encoding", "base64"], ["no encoding"]),
    "an encoding with a zero byte": (SOUND, ["--encoding", "a\0b"], ["encoding"]),
    "a scale of three": (SOUND, ["--scale", "0,5,10"], ["low,high"]),
    "a scale that is no number": (SOUND, ["--scale", "nan,10"], ["from low to high"]),
    "a long therapist": (SOUND, ["--therapist", "T" * 900], ["therapist"]),
    "a long option": (SOUND, ["--" + "x" * 900], ["unknown option"]),
    "no value for an option": (SOUND, ["--established", "high"], ["--established"]),
    "two files": (SOUND, ["another.csv"], ["another.csv"]),
    "the page over the table": (SOUND, ["--out", "table.csv"], ["is the table that is read"]),
    "the frame over the table": (SOUND, ["--frame", "./table.csv"], ["is the table that is read"]),
    "page and frame in one place": (SOUND, ["--out", "a.csv", "--frame", "./a.csv"], ["two places"]),
    "a folder for the page": (SOUND, ["--out", "."], ["folder"]),
    "no name for a folder": (SOUND, ["--out", "new/page.html", "--frame", "all.txt"], [".csv or .parquet"]),
    "a name too long for the page": (SOUND, ["--out", "p" * 300], ["cannot be written"]),
    "a zero byte in the page's name": (SOUND, ["--out", "a\0b.html"], ["cannot be written"]),
}  # fmt: skip


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run, and hold the outcome to what a user is promised; returns the sentence."""
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    code = main(arguments)
    told = capsys.readouterr()
    assert code == 2, told.err
    assert told.out == ""
    lines = told.err.strip("\n").splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("attunement: ")
    assert lines[0].endswith(".")
    assert len(told.err) < 420
    assert all(sign.isprintable() for sign in lines[0])
    assert "Traceback" not in told.err
    assert "lighthouse" not in told.err
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    return lines[0]


@pytest.mark.parametrize("name", BROKEN)
def test_a_hostile_table_or_place_gets_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    content, options, said = BROKEN[name]
    Path("table.csv").write_bytes(content)
    sentence = refused(["look", "table.csv", *options], capsys)
    for part in said:
        assert part.lower() in sentence.lower(), sentence
    assert Path("table.csv").read_bytes() == content


def test_a_pipe_is_refused_and_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe.csv")
    assert "a pipe or a device" in refused(["look", "pipe.csv"], capsys)


def test_two_gigabytes_of_zeros_are_refused_in_utf_16_too(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("zeros.csv").open("wb") as file:
        os.truncate(file.fileno(), 2 << 30)
    assert "zero bytes" in refused(["look", "zeros.csv"], capsys)
    assert "zero bytes" in refused(["look", "zeros.csv", "--encoding", "utf-16-le"], capsys)


@pytest.mark.parametrize("name", ["n" * 300, "a\0b.csv", "gone/" * 60 + "x.csv"])
def test_a_name_that_cannot_be_is_said(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(["look", name], capsys)


def test_a_file_whose_own_page_would_overwrite_it_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.html").write_bytes(SOUND)
    assert "is the table that is read" in refused(["look", "table.html"], capsys)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_file_name_that_is_no_utf_8_is_read_all_the_same() -> None:
    file = os.fsdecode(b"Zo\xeb.csv")
    Path(file).write_bytes(SOUND)
    assert main(["look", file, "--out", "page.html"]) == 0
    assert "Zo?.csv" in Path("page.html").read_text(encoding="utf-8")


def test_a_file_name_that_looks_like_a_pattern_is_one_file(capsys: pytest.CaptureFixture[str]) -> None:
    pl.read_csv(SOUND).write_parquet("all[1]*.parquet")
    assert main(["look", "all[1]*.parquet", "--json"]) == 0, capsys.readouterr().err


def test_an_infinite_score_is_refused_in_parquet_as_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    scores = [float(place % 5) for place in range(29)] + [float("inf")]
    pl.read_csv(SOUND).with_columns(score=pl.Series(scores)).write_parquet("table.parquet")
    assert "“inf” is not a number" in refused(["look", "table.parquet"], capsys)


def test_what_rust_says_of_a_damaged_parquet_file_stays_unsaid(capfd: pytest.CaptureFixture[str]) -> None:
    pl.read_csv(SOUND).write_parquet("whole.parquet")
    whole = Path("whole.parquet").read_bytes()
    for place in range(len(whole) - 500, len(whole) - 8, 7):
        Path("table.parquet").write_bytes(whole[:place] + b"\xa5" + whole[place + 1 :])
        code = main(["look", "table.parquet", "--json"])
        told = capfd.readouterr()
        assert code in {0, 2}, told.err
        assert "panicked" not in told.err
        assert "Traceback" not in told.err


def test_a_code_is_printed_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.csv").write_bytes(SOUND.replace(b"K-00", b":smile: [red]"))
    assert main(["look", "table.csv"]) == 0
    told = capsys.readouterr().out + Path("table.html").read_text(encoding="utf-8")
    assert ":smile: [red]" in told
    assert "\N{SMILING FACE WITH OPEN MOUTH AND SMILING EYES}" not in told
