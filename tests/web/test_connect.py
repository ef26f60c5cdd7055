"""`attunement.connect`, against a server on a real port: the library's own values come back."""

from __future__ import annotations

import http.client
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES, Cast, seen
from served import served

import attunement
from attunement.errors import InputError, Locked, Refused, VaultProblem, WrongKey
from attunement.findings import Finding
from attunement.practice import Scope
from attunement.remote import line
from attunement.trajectories import Measure, trajectories
from attunement.web import working

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.remote import Remote
    from attunement.web import Rooms

BEGAN = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def place(cast: Cast) -> Iterator[tuple[str, Rooms]]:
    for number in range(1, 7):
        seen(cast.first, f"K-0{number}", 3)
    seen(cast.second, "K-20", 3)
    with served(cast) as here:
        yield here


@pytest.fixture
def practice(cast: Cast, place: tuple[str, Rooms]) -> Remote:
    return attunement.connect(place[0], cast.first.add_token("a", Scope).secret)


def test_what_comes_back_are_the_librarys_own_values(cast: Cast, practice: Remote, tmp_path: Path) -> None:
    assert practice.account == "T-1"
    assert practice.scopes == set(Scope)
    assert practice.clients() == tuple(f"K-0{number}" for number in range(1, 7))
    logged = practice.log_session("K-01", BEGAN, attendance="late", lateness=5)
    changed = practice.change_session("K-01", logged.number, attendance="missed")
    assert practice.sessions("K-01") == cast.first.sessions("K-01")
    assert changed == cast.first.sessions("K-01")[-1]
    assert practice.check_ins("K-01") == cast.first.check_ins("K-01")
    link = practice.invite("K-01", 1, instrument="growth", hours=3)
    assert cast.client.invitation(link.address.rpartition("/")[2]).instrument.id == "growth"
    assert link.address not in repr(link)
    step = cast.first.choose_step("K-01", "name it")
    assert practice.steps("K-01") == (step,)
    file = practice.export("K-01", tmp_path / "K-01.zip")
    assert "record.json" in zipfile.ZipFile(file).namelist()
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="there already"):
        practice.export("K-01", file)
    assert practice.deidentified()["client"].n_unique() == 6


def test_its_ratings_go_right_into_trajectories_and_come_to_its_findings(practice: Remote) -> None:
    here = {each.client: each for each in trajectories(practice.ratings(), Measure.of("connection"))}
    there = practice.findings()
    assert {each.client for each in there} == set(here)
    for each in there:
        for name in ("state", "depth", "speed"):
            mine, theirs = getattr(here[each.client], name), getattr(each, name)
            assert theirs.sentence == mine.sentence
            assert theirs.as_dict() == mine.as_dict()
    assert isinstance(there[0].depth, Finding)
    (spanish,) = practice.findings("K-01", language="es")
    assert "sesión" in spanish.depth.sentence


def test_what_is_refused_there_is_the_same_error_here(cast: Cast, place: tuple[str, Rooms]) -> None:
    url, _ = place
    practice = attunement.connect(url, cast.first.add_token("a", Scope).secret)
    for read in (practice.sessions, practice.check_ins, practice.steps, practice.findings):
        with pytest.raises(Refused, match="no such thing here"):
            read("K-20")
    with pytest.raises(InputError, match="already there"):
        practice.log_session("K-01", BEGAN, number=1)
    with pytest.raises(InputError, match="Attendance is one of"):
        practice.log_session("K-01", BEGAN, attendance="there")
    cast.first.unlock(PHRASES["T-1"])
    with pytest.raises(Locked, match="Lock the reflections"):
        practice.export("K-01", cast.first.house.folder / "x.zip")
    narrow = attunement.connect(url, cast.first.add_token("b", ["steps:read"]).secret)
    with pytest.raises(Refused, match="no scope clients:read"):
        narrow.clients()
    for token in cast.first.tokens():
        cast.first.remove_token(token.id)
    with pytest.raises(WrongKey):
        practice.clients()
    with pytest.raises(WrongKey):
        attunement.connect(url, "att_never")


@pytest.mark.parametrize(
    "url",
    ["", "practice.example", "http://practice.example", "http://192.168.0.7:8437", "ftp://localhost", "https://",
     "https://a:b@practice.example", "https://practice.example/there", "http://localhost.evil.example",
     "http://localhost:99999", "https://practice.example?x=1", "http://[::1"],
)  # fmt: skip
def test_a_token_travels_nowhere_in_the_clear(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(http.client.HTTPConnection, "connect", nobody)
    monkeypatch.setattr(http.client.HTTPSConnection, "connect", nobody)
    with pytest.raises(InputError):
        attunement.connect(url, "att_x")


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "att_é", "a\r\nHost: evil.example"])
def test_a_token_is_one_word(token: str) -> None:
    with pytest.raises(InputError, match="one word"):
        attunement.connect("https://practice.example", token)


def test_where_nobody_answers_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_PAUSE", 0.0)
    with pytest.raises(VaultProblem, match="did not answer"):
        attunement.connect("http://127.0.0.1:9", "att_x", timeout=0.5)


def test_a_connection_that_breaks_after_the_sending_logs_one_session(
    cast: Cast, practice: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "_PAUSE", 0.0)
    answer = http.client.HTTPConnection.getresponse
    broken: list[int] = []

    def breaking(asked: http.client.HTTPConnection) -> http.client.HTTPResponse:
        found = answer(asked)
        if len(broken) < line.TRIES - 1:
            broken.append(found.status)
            raise ConnectionResetError("the answer was lost")
        return found

    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", breaking)
    logged = practice.log_session("K-01", BEGAN)
    assert broken == [201, 201]
    assert logged.number == 4
    assert len(cast.first.sessions("K-01")) == 4


def test_what_is_being_worked_out_is_waited_for(practice: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "FIRST", 0.0)
    monkeypatch.setattr(line, "_seconds", lambda said: 0.05 if said == "2" else 1 / 0)
    with pytest.raises(VaultProblem, match="being worked out"):
        practice.findings(wait=0.0)
    assert len(practice.findings(wait=120.0)) == 6


def test_a_server_that_is_no_practice_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(200, {}, b"<html>"), (301, {"location": "https://evil.example"}, b""), (500, {}, b"oops"),
               (404, {"content-type": "application/problem+json"}, b"[" * 100_000)]  # fmt: skip
    for told in answers:
        monkeypatch.setattr("attunement.remote.line.Line._once", lambda *_, told=told: told)
        with pytest.raises(VaultProblem, match="a practice"):
            attunement.connect("https://practice.example", "att_x")


def test_importing_the_library_opens_nothing_and_loads_nothing() -> None:
    looked = "('ssl', 'polars', 'fastapi', 'attunement.remote')"
    code = f"import sys, attunement; print([each for each in {looked} if each in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert loaded.stdout.strip() == "[]"


def test_the_token_is_in_no_text_of_the_connection(cast: Cast, place: tuple[str, Rooms]) -> None:
    secret = cast.first.add_token("a", Scope).secret
    practice = attunement.connect(place[0], secret)
    assert secret not in repr(practice) + str(vars(practice))
    assert "T-1" in repr(practice)
    with pytest.raises(AttributeError):
        attunement.nothing  # noqa: B018 - looked at
