"""`attunement norms publish`, `pool` and `show`, as their user types them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from cast import elsewhere
from sites import site

from attunement.cli import main
from attunement.norms import dump, load

if TYPE_CHECKING:
    from pathlib import Path

DATES = ["--since", "2026-01-01", "--until", "2026-06-30"]
MAP = ["--map", "feeling:tense=strength", "--single"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    written(site("a", 12, seed=1), tmp_path / "sessions.csv")
    return tmp_path / "sessions.csv"


def written(rows: pl.DataFrame, path: Path) -> None:
    rows.drop("feeling").with_columns(score=pl.col("session")).write_csv(path)


def test_published_pooled_and_shown(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(site("b", 7, seed=2), tmp_path / "other.csv")
    one, other, both = (str(tmp_path / name) for name in ("a.json", "b.json", "both.json"))
    assert main(["norms", "publish", str(table), "--site", "Ahorn", "--out", one, *DATES, *MAP]) == 0
    assert "tense: 12 therapists" in capsys.readouterr().out
    assert (
        main(
            ["norms", "publish", str(tmp_path / "other.csv"), "--site", "Birke", "--out", other, *DATES, *MAP]
        )
        == 0
    )
    assert main(["norms", "pool", one, other, "--out", both]) == 0
    capsys.readouterr()
    assert main(["norms", "show", both]) == 0
    said = capsys.readouterr().out
    assert "Ahorn: 2026-01-01 to 2026-06-30" in said
    assert "tense: 19 therapists; mean " in said
    assert load((tmp_path / "both.json").read_text("utf-8")).therapists("tense") == 19


def test_what_cannot_be_done_is_one_sentence(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "a.json")
    publish = ["norms", "publish", str(table), "--site", "Ahorn", *DATES]
    assert main([*publish, "--out", out, *MAP]) == 0
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe")
    for command, said in (
        ([*publish, "--out", out, *MAP], "is there already"),
        ([*publish, "--out", str(tmp_path / "n.json"), "--map", "client=client"], "has no feeling"),
        (["norms", "pool", out, out, "--out", str(tmp_path / "p.json")], "'Ahorn' is there twice"),
        (["norms", "show", str(tmp_path / "nowhere.json")], "cannot be read"),
        (["norms", "show", str(tmp_path / "broken.json")], "no text in UTF-8"),
        (["norms", "show", str(table)], "no JSON"),
    ):
        capsys.readouterr()
        assert main(command) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1


def test_norms_are_loaded_into_a_practice_shown_and_retired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "phrase").write_text("glacier pencil tomorrow violin\n")
    monkeypatch.setenv("ATTUNEMENT_PRACTICE", str(tmp_path / "practice"))
    monkeypatch.setenv("ATTUNEMENT_PASSPHRASE_FILE", str(tmp_path / "phrase"))
    assert main(["init", "--credential", "psychologist", "--recovery-file", str(tmp_path / "code")]) == 0
    (tmp_path / "norms.json").write_text(dump(elsewhere()), "utf-8")
    assert main(["norms", "load", str(tmp_path / "norms.json")]) == 0
    assert "In force." in capsys.readouterr().out
    assert main(["norms", "loaded"]) == 0
    there = capsys.readouterr().out
    assert "negative: 8 therapists" in there
    assert main(["norms", "gather", "--site", "Elm House", "--out", str(tmp_path / "own.json")]) == 2
    assert "Fewer than five therapists have signed out" in capsys.readouterr().err
    assert not (tmp_path / "own.json").exists()
    assert main(["norms", "retire", there.split("\t")[0]]) == 0
    assert main(["norms", "retire", "no such id"]) == 2
    assert main(["norms", "loaded"]) == 0
    assert "None." in capsys.readouterr().out
