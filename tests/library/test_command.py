"""The command `library`, as its user types it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bibtexparser.entrypoint import parse_string

from attunement.cli import main
from attunement.library import search, source, sources

if TYPE_CHECKING:
    from pathlib import Path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["library", *words])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def test_without_words_it_shows_everything(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys)
    assert code == 0
    for each in sources():
        assert each.citation() in out
        assert each.en in out


def test_words_and_a_topic_find_what_the_page_finds(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "SAFRAN", "repair", "--topic", "rupture")
    assert code == 0
    assert out.splitlines()[0].startswith("Eubanks, C. F.; Muran, J. C.; Safran, J. D. (2018).")
    assert out.count("Bears on:") == len(search("safran repair", "rupture"))
    code, out, _ = said(capsys, "--shelf", "guide", "--about", "unsaid")
    assert out.count("Bears on:") == len(search(shelf="guide", about="unsaid")) > 0


def test_what_is_found_is_written_as_bibtex(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "own" / "read.bib"
    code, out, _ = said(capsys, "winnicott", "--bib", str(file))
    assert (code, out) == (0, f"Written: {file}, 1 to read.\n")
    (entry,) = parse_string(file.read_text(encoding="utf-8")).entries
    assert entry.key == source("winnicott-1949").id


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["zzzz"], "nothing with all of this"),
        (["--topic", "weather"], "weather"),
        (["--about", "nothing"], "nothing"),
        (["--shelf"], "shelf"),
        (["--cellar", "x"], "--cellar"),
    ],
)
def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err


def test_nothing_is_written_where_nothing_is_found_or_no_file_can_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "read.bib"
    assert said(capsys, "zzzz", "--bib", str(file))[0] == 2
    assert not file.exists()
    code, _, err = said(capsys, "--bib", str(tmp_path))
    assert code == 2
    assert "name a file to write" in err
    assert list(tmp_path.iterdir()) == []
