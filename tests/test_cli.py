"""The command line: good reads, broken input in one sentence each, and no secret anywhere."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement import __version__
from attunement.cli import main
from attunement.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "the lighthouse keeper wept on Tuesday"
KOKOROCHAT = Path(__file__).parents[1].parent / "shared" / "data" / "kokorochat_ratings.csv"
HEADER = "client,session,score"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(count: int = 20) -> list[str]:
    """Six clients' ratings, a row each, as in a file."""
    return [f"K-{row % 6:02d},{row // 6 + 1},{5 + (row * 7) % 5}" for row in range(count)]


def table(*lines: str) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def with_row(row: int, line: str) -> bytes:
    """A sound table in which one row (a spreadsheet's number) is another."""
    lines = [HEADER, *rows(30)]
    lines[row - 1] = line
    return table(*lines)


def missing(share: float) -> bytes:
    kept = [
        line if place >= share * 30 else line.rsplit(",", 1)[0] + "," for place, line in enumerate(rows(30))
    ]
    return table(HEADER, *kept)


SOUND = table(HEADER, *rows(30))
BROKEN: dict[str, tuple[bytes, list[str], list[str]]] = {
    "empty": (b"", [], ["empty"]),
    "blank lines": (b"\n\n\n", [], ["nothing in it"]),
    "header only": (table(HEADER), [], ["no rows"]),
    "no header": (table(*rows(30)), [], ["header"]),
    "twin columns": (table("client,session,score,score", "a,1,2,3"), [], ["score", "more than one"]),
    "a word for a score": (with_row(17, "K-01,3,abc"), [], ["row 17", "abc", "score"]),
    "unknown date": (
        table("client,date,score", "a,2020-01-01,5", "a,the 8th of March,6"), [], ["row 3", "8th of March", "date"]
    ),
    "day first": (table("client,date,score", "a,31/12/2020,5", "a,01/01/2021,6"), [], ["row 2", "31/12/2020"]),
    "duplicate session": (with_row(5, "K-00,1,6"), [], ["row 5", "row 2", "K-00"]),
    "no score at all": (missing(1.0), [], ["no row has a score"]),
    "one session of one client": (table(HEADER, "a,1,5"), [], ["one rated session"]),
    "all scores equal": (table(HEADER, *(f"a{i},{s},7" for i in range(6) for s in (1, 2))), [], ["12 scores are 7"]),
    "40 % missing": (missing(0.4), [], ["12 of 30", "40 %", "--missing-ok"]),
    "UTF-16": (SOUND.decode().encode("utf-16"), [], ["utf-16", "csv utf-8", "--encoding"]),
    "UTF-16 without a mark": (SOUND.decode().encode("utf-16-le"), [], ["zero bytes"]),
    "Latin-1": (with_row(4, "Zo\xeb,9,5").decode().encode("latin-1"), [], ["row 4", "--encoding cp1252"]),
    "a long line in the middle": (SOUND + b"x" * 3_000_000 + b"\n" + SOUND, [], ["million characters"]),
    "random bytes": (bytes(range(256)) * 50, [], ["zero bytes"]),
    "Excel": (b"PK\x03\x04" + SOUND, [], ["excel", "csv utf-8"]),
    "PDF": (b"%PDF-1.7\n" + SOUND, [], ["pdf"]),
    "gzip": (b"\x1f\x8b\x08" + SOUND, [], ["gzip"]),
    "SQLite": (b"SQLite format 3\0" + SOUND, [], ["sqlite"]),
    "picture": (b"\x89PNG\r\n" + SOUND, [], ["picture"]),
    "damaged Parquet": (b"PAR1" + SOUND + b"PAR1", [], ["damaged"]),
    "too many cells": (with_row(9, "K-02,2,5,6"), [], ["row 9", "4 cells"]),
    "an unclosed quote": (with_row(7, '"K-03,2,5'), [], ["row 7", "unclosed quote"]),
    "a zero byte": (with_row(8, "K-0\0,2,5"), [], ["zero bytes"]),
    "negative session": (with_row(6, "K-04,-1,5"), [], ["row 6", "-1", "session"]),
    "half a session": (with_row(6, "K-04,1.5,5"), [], ["row 6", "1.5"]),
    "no client": (with_row(6, ",1,5"), [], ["row 6", "client is empty"]),
    "a huge score": (with_row(6, "K-04,1,2.27e216"), [], ["row 6", "2.27e216"]),
    "infinite score": (with_row(6, "K-04,1,inf"), [], ["row 6", "inf"]),
    "unknown key": (SOUND, ["--map", "patients=client"], ["patients", "the keys are"]),
    "unknown column": (SOUND, ["--map", "client=clint"], ["clint", "“client” comes near"]),
    "a key twice": (SOUND, ["--map", "client=client,client=score"], ["named twice"]),
    "no pair in the map": (SOUND, ["--map", "client"], ["key=column"]),
    "two scores": (table("client,session,score,total", "a,1,5,6"), [], ["could both be the score"]),
    "no client column": (table("person,session,score", "a,1,5"), [], ["clearly the client"]),
    "no session nor time": (table("client,score", "a,5"), [], ["session number nor a time"]),
    "outside the scale": (SOUND, ["--scale", "0,8"], ["outside the scale 0 to 8"]),
    "no scale": (SOUND, ["--scale", "ten"], ["low,high"]),
    "scale upside down": (SOUND, ["--scale", "10,0"], ["from low to high"]),
    "no number for a scale": (SOUND, ["--scale", "0,inf"], ["from low to high"]),
    "established off the scale": (SOUND, ["--scale", "0,10", "--established", "12"], ["12"]),
    "unknown therapist": (SOUND, ["--therapist", "T9"], ["T9"]),
    "unknown encoding": (SOUND, ["--encoding", "utf-99"], ["no encoding"]),
    "unknown option": (SOUND, ["--colour", "red"], ["--colour"]),
    "an ending for a frame": (SOUND, ["--frame", "all.txt"], [".csv or .parquet"]),
    "no place for the page": (SOUND, ["--out", "table.csv/page.html"], ["cannot be written"]),
    "no place for the frame": (SOUND, ["--frame", "table.csv/all.csv"], ["cannot be written"]),
    "same time twice": (table("client,date,score", "a,2020-01-01,5", "a,2020-01-01,6"), [], ["rows 2 and 3"]),
}  # fmt: skip


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run, and hold the outcome to what a user is promised; returns the sentence."""
    before = sorted(str(path) for path in Path().rglob("*"))
    code = main(arguments)
    told = capsys.readouterr()
    assert code == 2, told.err
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith("attunement: ")
    assert told.err.endswith(".\n")
    assert len(told.err) < 420
    assert "Traceback" not in told.err
    assert sorted(str(path) for path in Path().rglob("*")) == before
    return told.err


@pytest.mark.parametrize("name", BROKEN)
def test_broken_input_gets_one_sentence_and_leaves_nothing_behind(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content, options, said = BROKEN[name]
    Path("table.csv").write_bytes(content)
    sentence = refused(["look", "table.csv", *options], capsys)
    for part in said:
        assert part.lower() in sentence.lower(), sentence


def test_a_missing_file_and_a_folder_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    assert "There is no file" in refused(["look", "nowhere.csv"], capsys)
    assert "is a folder" in refused(["look", "folder"], capsys)


def test_a_line_of_two_gigabytes_is_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("long.csv").open("wb") as file:
        file.write(table(HEADER) + b"x" * (1 << 21))
        os.truncate(file.fileno(), 2 << 30)
    assert "million characters" in refused(["look", "long.csv"], capsys)


def test_a_parquet_file_of_lists_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pl.DataFrame({"client": ["a", "b"], "session": [1, 2], "score": [[1], [2]]}).write_parquet(
        "lists.parquet"
    )
    assert "score" in refused(["look", "lists.parquet"], capsys)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("40 % missing", ["--missing-ok"]),
        ("UTF-16", ["--encoding", "utf-16"]),
        ("Latin-1", ["--encoding", "cp1252"]),
        ("a word for a score", ["--skip-bad"]),
        ("duplicate session", ["--skip-bad"]),
    ],
)
def test_what_may_be_overruled_can_be(
    name: str, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("table.csv").write_bytes(BROKEN[name][0])
    assert main(["look", "table.csv", *option]) == 0, capsys.readouterr().err
    assert Path("table.html").read_text(encoding="utf-8").endswith("</html>")


def test_rows_left_out_are_listed_with_their_reason(capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.csv").write_bytes(with_row(17, "K-01,3,abc") + b"\nK-05,9,\n")
    assert main(["look", "table.csv", "--skip-bad", "--json"]) == 0
    skipped = json.loads(capsys.readouterr().out)["skipped"]
    assert [row["row"] for row in skipped] == [17, 32, 33]
    assert [row["why"] for row in skipped] == [
        "the score “abc” is not a number that a rating could be",
        "a blank row",
        "no score",
    ]


def test_json_is_all_there_is_on_standard_output_and_no_page_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("table.csv").write_bytes(SOUND)
    assert main(["look", "table.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["trajectories"]) == 6
    assert {"depth", "speed", "state", "plateau"} <= set(found["trajectories"][0])
    assert not list(Path().glob("*.html"))


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_frame_has_a_row_a_dyad(ending: str) -> None:
    Path("table.csv").write_bytes(SOUND)
    assert main(["look", "table.csv", "--frame", f"all.{ending}"]) == 0
    read: Callable[[str], pl.DataFrame] = pl.read_parquet if ending == "parquet" else pl.read_csv
    assert read(f"all.{ending}").height == 6


def test_the_page_and_the_frame_are_for_their_owner_alone() -> None:
    Path("table.csv").write_bytes(SOUND)
    assert main(["look", "table.csv", "--frame", "all.csv"]) == 0
    for name in ("table.html", "all.csv"):
        assert Path(name).stat().st_mode & 0o077 == 0


def test_free_text_of_a_table_shows_up_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{HEADER},notes", *(f"{line},{SECRET}" for line in rows(30))]
    Path("good.csv").write_bytes(table(*lines))
    lines[10] = f"K-01,3,abc,{SECRET}"
    Path("bad.csv").write_bytes(table(*lines))
    assert main(["look", "good.csv", "--frame", "all.csv"]) == 0
    assert main(["look", "good.csv", "--json"]) == 0
    assert main(["look", "bad.csv"]) == 2
    told = capsys.readouterr()
    written = [path.read_text(encoding="utf-8") for path in (Path("good.html"), Path("all.csv"))]
    for place in (told.out, told.err, *written):
        assert "lighthouse" not in place


def test_a_long_cell_is_cut_in_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    Path("table.csv").write_bytes(with_row(17, "K-01,3," + "secret " * 50))
    assert refused(["look", "table.csv"], capsys).count("secret") < 8


def test_our_own_fault_is_one_sentence_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    Path("table.csv").write_bytes(SOUND)
    monkeypatch.setattr("attunement.trajectories.trajectories", broken)
    assert main(["look", "table.csv"]) == 70
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "lighthouse" not in told.err
    assert not Path("table.html").exists()


def test_version_help_and_nothing_at_all_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert main([]) == 0
    assert "look" in capsys.readouterr().out


def test_an_unknown_command_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "lok" in refused(["lok", "table.csv"], capsys)


def test_the_demo_shows_who_was_planted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--no-open", "--out", "demo/demo.html", "--seed", "4"]) == 0
    said = capsys.readouterr().out
    practice = simulate(1, 16, seed=4, plant={"falling": 1, "stalled": 1, "slow": 1})
    planted = {
        row["course"]: row["client"] for row in practice.clients.iter_rows(named=True) if row["course"]
    }
    assert f"{planted['falling']} (falling" in said
    assert f"{planted['stalled']} (stalled" in said  # or slow: 16 clients leave room for doubt
    assert Path("demo/demo.html").exists()


@pytest.mark.skipif(not KOKOROCHAT.exists(), reason="the KokoroChat table is not beside this checkout")
def test_a_real_corpus_gives_the_shares_that_lme4_gives(capsys: pytest.CaptureFixture[str]) -> None:
    columns = "client=client_id,therapist=counselor_id,session=session_number,score=score_total"
    assert main(["look", str(KOKOROCHAT), "--map", columns, "--json", "--out", "k.html"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"][0] == "408 therapists, 334 clients, 4,934 rated sessions."
    assert len(found["trajectories"]) == 3_652
    shares = {row["source"]: round(row["share"], 3) for row in found["shares"]["sources"]}
    reference = json.loads(
        (Path(__file__).parent / "reference/lme4_kokorochat.json").read_text(encoding="utf-8")
    )
    theirs = reference["cases"]["log2_reml"]["shares"]
    names = {"client": "client_id", "therapist": "counselor_id", "dyad": "dyad", "session": "residual"}
    assert shares == {mine: round(theirs[their], 3) for mine, their in names.items()}
    for row in found["shares"]["sources"]:
        assert row["low"] < row["share"] < row["high"]
    assert Path("k.html").read_text(encoding="utf-8").endswith("</html>")


def test_the_rooms_need_a_free_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--practice", "nowhere", "--port", str(port), "--no-open"]) == 2
    said = capsys.readouterr().err
    assert f"Port {port} of 127.0.0.1 cannot be used" in said
    assert "--port names another" in said


def test_the_rooms_are_not_opened_to_others_in_the_clear(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "192.168.1.2", "--no-open"]) == 2
    assert "--certificate" in capsys.readouterr().err
