"""The commands to and from other systems, as their user types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cast import WORDS

from attunement.cli import main
from attunement.practice import Practice

TOTALS = "client,session,date,ors,srs\nK-31,1,2026-03-02,18.5,34\nK-31,2,2026-03-09,22,36.5\n"
PHRASE = "glacier pencil tomorrow violin"


@pytest.fixture
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a practice in it, the passphrase in a file, and two files from elsewhere."""
    (tmp_path / "phrase").write_text(f"{PHRASE}\n")
    (tmp_path / "totals.csv").write_text(TOTALS)
    (tmp_path / "phq9.toml").write_text(WORDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTUNEMENT_PRACTICE", str(tmp_path / "practice"))
    monkeypatch.setenv("ATTUNEMENT_PASSPHRASE_FILE", str(tmp_path / "phrase"))
    assert main(["init", "--credential", "psychologist", "--recovery-file", "code"]) == 0
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(list(words))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert err.count("\n") == (1 if code else 0)
    return code, out, err


def entries(folder: Path) -> tuple[object, ...]:
    with Practice.open(folder / "practice", "T-1", PHRASE) as opened:
        return opened.entries()


@pytest.mark.usefixtures("practice")
def test_totals_are_shown_first_and_taken_in_once_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "import", "totals.csv", "--recipe", "ors_srs")
    assert code == 0
    assert "1 client, 2 sessions, 4 totals" in out
    assert "Nothing is taken in yet" in out
    assert entries(Path()) == ()
    code, out, _ = said(capsys, "import", "totals.csv", "--recipe", "ors_srs", "--yes")
    assert "Taken in: 1 clients, 2 sessions, 0 answered instruments, 4 totals" in out
    assert len(entries(Path())) == 7


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("fhir", "all.json"),
        ("ndjson", "all.ndjson"),
        ("csv", "all.zip"),
        ("parquet", "all.zip"),
        ("redcap", "all.csv"),
    ],
)
@pytest.mark.usefixtures("practice")
def test_what_goes_out_comes_back_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], kind: str, name: str
) -> None:
    said(capsys, "import", "totals.csv", "--recipe", "ors_srs", "--yes")
    before = entries(Path())
    code, out, _ = said(capsys, "export", "everybody", name, "--as", kind)
    assert code == 0
    assert "not encrypted" in out
    assert Path(name).stat().st_mode & 0o077 == 0
    code, out, _ = said(capsys, "import", name, "--yes")
    assert "7 were there already" in out, out
    assert entries(Path()) == before
    code, _, err = said(capsys, "export", "everybody", name, "--as", kind)
    assert code == 2
    assert "there already" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("import", "nothing.json"), "There is no file"),
        (("import", "totals.csv"), "say --as and one of fhir"),
        (("import", "totals.csv", "--as", "recipe"), "recipe"),
        (("import", "totals.csv", "--recipe", "none"), "none"),
        (("import", "totals.csv", "--as", "fhir"), "FHIR"),
        (("export", "everybody", "all.zip"), "say to which"),
        (("export", "K-99", "all.json", "--as", "fhir"), "no such thing"),
        (("export", "everybody", "all.txt", "--as", "fhir"), "something.json"),
        (("instruments", "show", "nothing"), "has no instrument"),
        (("instruments", "words", "srs", "srs.toml"), "takes no words"),
        (("instruments", "load", "nothing.toml"), "There is no file"),
        (("instruments", "retire", "phq9"), "is not loaded here"),
    ],
)
@pytest.mark.usefixtures("practice")
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    code, _, err = said(capsys, *words)
    assert code == 2
    assert sentence in err


@pytest.mark.usefixtures("practice")
def test_words_are_loaded_once_they_were_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "instruments", "load", "phq9.toml")
    assert code == 0
    assert "made-up line nine" in out
    assert "Nothing is kept yet" in out
    assert "Nothing is loaded" in said(capsys, "instruments", "list", "--loaded")[1]
    said(capsys, "instruments", "load", "phq9.toml", "--yes")
    assert "phq9\tversion 2001\tasked" in said(capsys, "instruments", "list", "--loaded")[1]
    said(capsys, "instruments", "retire", "phq9")
    assert "asked no longer" in said(capsys, "instruments", "list", "--loaded")[1]


def test_what_is_known_is_listed_and_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    listed = said(capsys, "instruments", "list")[1]
    assert all(name in listed for name in ("connection", "phq9", "dass21", "wai_sr", "srs"))
    assert "times 2" in said(capsys, "instruments", "show", "dass21")[1]
    form = tmp_path / "who5.toml"
    said(capsys, "instruments", "words", "who5", str(form))
    assert form.read_text().count('"",') >= 2 * 5
