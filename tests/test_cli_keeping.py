"""The commands that keep a practice, as their user types them."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postbox import postbox

from attunement.cli import app, main
from attunement.errors import InputError
from attunement.practice import Practice
from attunement.sessions import Purpose

PASSPHRASE, OTHER = "glacier pencil tomorrow violin", "harbour candle eleven mosquito"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a practice in it, and the passphrase in a file."""
    (tmp_path / "phrase").write_text(f"{PASSPHRASE}\n")
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
    for secret in (PASSPHRASE, OTHER):
        assert secret not in out + err
    return code, out, err


def test_a_practice_is_kept_from_its_beginning_to_a_restored_backup(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Practice.open(home / "practice", "T-1", PASSPHRASE) as practice:
        practice.take_on("K-07", agreed=[Purpose.CHECK_INS])
    tip = said(capsys, "journal", "tip")[1].strip()
    assert "whole" in said(capsys, "journal", "verify", "--tip", tip)[1]
    own = said(capsys, "journal", "tip", "--reflections")[1].strip()
    assert "reflections" in said(capsys, "journal", "verify", "--reflections", "--tip", own)[1]
    assert "take on" in said(capsys, "journal", "show", "--after", "1")[1]
    assert said(capsys, "backup-key", "key")[0] == 0
    public = re.findall("age1[a-z0-9]+", (home / "key").read_text())[0]
    assert "read back" in said(capsys, "backup", "b.age", "--to", public)[1]
    assert "well" in said(capsys, "doctor")[1]
    assert "verified up to" in said(capsys, "restore", "b.age", "--identity", "key", "--into", "again")[1]
    assert said(capsys, "export", "K-07", "K-07.zip")[0] == 0
    assert said(capsys, "hold", "K-07", "a court")[0] == 0
    code, _, err = said(capsys, "erase", "K-07", "--yes")
    assert (code, "hold forbids" in err) == (2, True)
    assert said(capsys, "release-hold", "K-07")[0] == 0
    assert said(capsys, "erase", "K-07", "--yes")[0] == 0
    scopes = ("--scope", "sessions:read", "--scope", "findings:read")
    made = said(capsys, "token", "add", "billing", *scopes, "--days", "7")[1]
    (secret,) = re.findall(r"^att_[\w-]{43}$", made, re.MULTILINE)
    listed = said(capsys, "token", "list")[1]
    assert "\tbilling\tfindings:read sessions:read\tuntil " in listed
    assert secret not in listed
    assert said(capsys, "token", "remove", listed.split("\t")[0])[0] == 0
    assert said(capsys, "token", "list")[1] == ""
    assert said(capsys, "token", "add", "billing", "--scope", "reflections:read")[0] == 2
    assert said(capsys, "rotate-keys", "--recovery-file", "code-2")[0] == 0
    assert said(capsys, "upgrade")[1].count("up to date") == 3
    monkeypatch.setenv("ATTUNEMENT_NEW_PASSPHRASE", OTHER)
    monkeypatch.setenv("ATTUNEMENT_RECOVERY_CODE_FILE", str(home / "code-2"))
    assert said(capsys, "recover")[0] == 0
    assert said(capsys, "journal", "tip")[0] == 2
    monkeypatch.setenv("ATTUNEMENT_PASSPHRASE", OTHER)
    monkeypatch.delenv("ATTUNEMENT_PASSPHRASE_FILE")
    assert said(capsys, "journal", "tip")[0] == 0
    assert said(capsys, "account", "S-1", "--role", "supervisor", "--recovery-file", "code-3")[0] == 0
    assert "Several accounts" in said(capsys, "journal", "tip")[2]
    assert said(capsys, "journal", "tip", "--account", "S-1")[0] == 0
    assert said(capsys, "end-account", "S-1", "--account", "T-1")[0] == 0
    assert said(capsys, "journal", "tip", "--account", "S-1")[0] == 2
    handed = said(capsys, "hand-on", "S-1", "T-1", "--account", "T-1")
    assert handed[:2] == (0, "0 clients of S-1 offered to T-1, who finds them under Handovers.\n")
    assert "can still sign in" in said(capsys, "hand-on", "T-1", "T-1", "--account", "T-1")[2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["init"], "not empty"),
        (["init", "--credential", "quack"], "--credential"),
        (["export", "K-99", "x.zip"], "no such thing"),
        (["deidentify", "x.csv"], "fewer than 5"),
        (["journal", "verify", "--tip", "nonsense"], "A tip reads as"),
        (["journal", "verify", "--tip", "999:AAAAAA-AAAAAA-AAAAAA-AAAAAA"], "not as its journal says"),
        (["backup", "b.age", "--to", "age1nonsense"], "age1"),
        (["backup", "nowhere/b.age", "--to", "age1nonsense"], "age1"),
        (["restore", "nothing.age", "--identity", "nothing", "--into", "x"], "cannot be read as a key"),
        (["doctor", "--practice", "nowhere"], "attunement init"),
        (["doctor", "--account", "T-9"], "no such account"),
        (["recover"], "ATTUNEMENT_RECOVERY_CODE"),
        (["rotate-keys"], "--recovery-file"),
        (["erase", "K-07"], "--yes"),
        (["passphrase"], "ATTUNEMENT_NEW_PASSPHRASE"),
        (["remind", "--send"], "ATTUNEMENT_SMTP_HOST"),
        (["remind", "--url", "http://practice.example"], "https://"),
        (["email", "a@b.example, c@d.example"], "one address"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_done_is_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, _, err = said(capsys, *words)
    assert code == 2
    assert sentence in err
    assert not Path("x.zip").exists()


def test_no_command_takes_a_secret_as_an_argument() -> None:
    for name in (name for name in app if not name.startswith("-")):
        inner = [app[name][each] for each in app[name] if not each.startswith("-")]
        for command in inner or [app[name]]:
            options = [each for argument in command.assemble_argument_collection() for each in argument.names]
            assert not [each for each in options if re.search("pass|secret|token|-code=", each)]


def test_what_is_due_is_printed_and_sent_with_a_link_and_nothing_else(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Practice.open(home / "practice", "T-1", PASSPHRASE) as practice:
        practice.take_on("K-07", agreed=[Purpose.CHECK_INS])
        practice.identify("K-07", "PLANTED Name", "planted@home.example")
        practice.log_session("K-07", datetime.now(UTC) - timedelta(hours=5))
    assert said(capsys, "email", "me@practice.example")[0] == 0
    lines = said(capsys, "remind")[1].splitlines()
    assert lines[0].split("\t") == ["client", "session", "since", "for", "what"]
    assert [line.split("\t")[:2] + line.split("\t")[3:4] for line in lines[1:]] == [
        ["K-07", "1", "client"], ["K-07", "1", "therapist"], ["-", "-", "admin"],
    ]  # fmt: skip
    with postbox() as box:
        monkeypatch.setenv("ATTUNEMENT_SMTP_HOST", "localhost")
        monkeypatch.setenv("ATTUNEMENT_SMTP_PORT", str(box.port))
        monkeypatch.setenv("ATTUNEMENT_SMTP_FROM", "practice@practice.example")
        box.after = "554 planted@home.example is not here"
        code, out, err = said(capsys, "remind", "--send", "--url", "https://practice.example")
        assert (code, "planted@" in out + err) == (2, False)
        assert "did not take the mail" in err
        box.after = "250 taken"
        assert said(capsys, "remind", "--send", "--url", "https://practice.example")[1].endswith("Sent: 2.\n")
        assert said(capsys, "remind", "--send", "--url", "https://practice.example")[1].endswith("Sent: 0.\n")
    assert [to for to, _ in box.taken] == ["planted@home.example", "me@practice.example"]
    for _, text in box.taken:
        assert "PLANTED" not in text
        assert "K-07" not in text
        body = text.partition("\n\n")[2].strip()
        assert re.fullmatch(r"https://practice\.example/(c/[\w-]{43})?", body)
    assert said(capsys, "email", "none")[0] == 0
    journal = said(capsys, "journal", "show")[1]
    assert not re.search("PLANTED|@|K-07", journal)


def test_while_another_program_has_it_open_remind_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Practice.open(home / "practice", "T-1", PASSPHRASE):
        code, _, err = said(capsys, "remind")
    assert code == 2
    assert "sends reminders itself" in err


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of Unix")
def test_the_passphrase_is_asked_twice_and_the_code_typed_back(tmp_path: Path) -> None:
    screen = typed_at_a_terminal(tmp_path / "practice")
    assert "There is a practice" in screen
    assert PASSPHRASE not in screen
    with Practice.open(tmp_path / "practice", "T-1", PASSPHRASE) as practice:
        assert practice.clients() == ()


def typed_at_a_terminal(folder: Path) -> str:
    """Run `attunement init` at a terminal of its own, and answer what it asks."""
    import pty  # noqa: PLC0415 - not on Windows

    child, terminal = pty.fork()
    if child == 0:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTUNEMENT")}
        program = [sys.executable, "-c", "from attunement.cli import main; raise SystemExit(main())"]
        os.execve(sys.executable, [*program, "init", "--practice", str(folder)], environment)  # noqa: S606
    screen, answers = (
        "",
        [("words): ", PASSPHRASE), ("again: ", PASSPHRASE), ("be sure: ", "wrong"), ("be sure: ", "")],
    )
    for question, answer in answers:
        shown = until(terminal, question)
        screen += shown
        code = re.search(r"(?:[0-9A-Z]{6}-){5}[0-9A-Z]{6}", screen)
        reply = answer or (code.group() if code else "")
        if answer == "wrong" and code:
            reply = "-".join(reversed(code.group().split("-")))
        os.write(terminal, reply.encode() + b"\n")
    screen += until(terminal, None)
    os.waitpid(child, 0)
    return screen


def until(terminal: int, question: str | None) -> str:
    shown, patience = "", time.monotonic() + 60
    while time.monotonic() < patience and not (question and shown.endswith(question)):
        try:
            piece = os.read(terminal, 1024)
        except OSError:
            break
        if not piece:
            break
        shown += piece.decode(errors="replace")
    return shown


def test_a_secret_that_cannot_be_read_is_said_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from attunement.cli.secrets import from_environment  # noqa: PLC0415 - by itself

    monkeypatch.setenv("ATTUNEMENT_PASSPHRASE_FILE", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match="cannot be read"):
        from_environment("ATTUNEMENT_PASSPHRASE")
    (tmp_path / "empty").write_bytes(b"")
    monkeypatch.setenv("ATTUNEMENT_PASSPHRASE_FILE", str(tmp_path / "empty"))
    with pytest.raises(InputError, match="no line"):
        from_environment("ATTUNEMENT_PASSPHRASE")
