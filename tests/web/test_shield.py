"""What stands before every page: names, origins, lengths, headers, and one sentence where something goes wrong."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES, seen
from guest import FORM, HERE, HOST, OWN_PAGE

from attunement.errors import InputError
from attunement.web import WAYS, Rooms, serving
from attunement.web.pages import today
from attunement.web.shield import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guest import Building

UNSAFE = sorted({way.path for way in WAYS if way.method == "POST"})
FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:8437",
    "127.0.0.1",
    "127.0.0.1:80",
    "localhost:1",
    "",
    "127.0.0.1.nip.io:8437",
)
FOREIGN_PAGES: tuple[dict[str, str], ...] = (
    {},
    {"origin": "null"},
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1:9999"},
    {"origin": f"http://{HOST}.evil.example"},
    {"origin": f"ftp://{HOST}"},
    {"origin": HERE, "sec-fetch-site": "cross-site"},
    {"origin": HERE, "sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "none"},
    {"origin": "http://localhost:8437"},
    {"origin": ""},
)


def path_of(way: str) -> str:
    return way.replace("{number:session}", "1").replace("{", "").replace("}", "")


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_name_that_is_not_ours_is_not_answered(house: Building, host: str) -> None:
    guest = house.guest("T-1")
    for path in ("/today", "/health", "/c/no", *map(path_of, UNSAFE)):
        assert guest.get(path, host=host).status_code == 421
        assert guest.send(path, b"", host=host, **{"content-type": FORM}).status_code == 421


@pytest.mark.parametrize("page", FOREIGN_PAGES, ids=str)
def test_what_another_page_sends_changes_nothing(house: Building, page: dict[str, str]) -> None:
    guest = house.guest("T-1")
    for path in map(path_of, UNSAFE):
        answer = guest.client.post(path, content=b"", headers={**page, "content-type": FORM})
        assert answer.status_code == 403, path
    assert guest.get("/today").status_code == 200  # signed in still


def test_a_request_is_answered_where_only_the_kind_of_page_is_told(house: Building) -> None:
    answer = house.guest().client.post(
        "/sign-in", content=b"", headers={"sec-fetch-site": "same-origin", "content-type": FORM}
    )
    assert answer.status_code == 401


def test_every_answer_carries_the_headers_and_none_is_kept(house: Building) -> None:
    guest = house.guest("T-1")
    for path in ("/today", "/no", "/c/no", "/thanks", "/sign-in", "/health"):
        answer = guest.get(path)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
    assert guest.get("/no", host="evil.example").headers["x-frame-options"] == "DENY"


def test_no_page_holds_a_style_or_a_script_of_its_own(house: Building) -> None:
    seen(house.cast.first, "K-01")
    guest = house.guest("T-1", unlocked=True)
    for path in (
        "/today",
        "/caseload",
        "/clients/K-01",
        "/clients/K-01/sessions/1/reflection",
        "/account",
        "/practice",
    ):
        text = guest.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " on" + "click" not in text
        assert "<script>" not in text


BAD_BODIES = {
    "no form": (b"{}", "application/json", 415),
    "deep JSON": (b"[" * 50_000, "application/json", 415),
    "no kind": (b"a=b", "", 415),
    "NUL": (b"account=T%00-1&passphrase=a&then=/", FORM, 400),
    "a raw NUL": (b"account=T\x00&passphrase=a&then=/", FORM, 400),
    "not ASCII": ("account=é".encode("latin-1"), FORM, 400),
    "not UTF-8": (b"account=%ff%fe&passphrase=a", FORM, 400),
    "a lone surrogate": (b"account=%ED%A0%80&passphrase=a", FORM, 400),
    "a control sign": (b"account=%1b%5b31m&passphrase=a&then=/", FORM, 400),
    "twice the same": (b"account=T-1&account=T-2&passphrase=a&then=/", FORM, 400),
    "many fields": (b"&".join(b"a%d=1" % number for number in range(5_000)), FORM, 400),
    "too long": (b"account=" + b"a" * 400_000, FORM, 413),
}


@pytest.mark.parametrize(("body", "kind", "status"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_malformed_body_is_one_sentence(house: Building, body: bytes, kind: str, status: int) -> None:
    for path in ("/sign-in", "/c/no"):
        answer = house.guest().send(path, body, **({"content-type": kind} if kind else {}))
        assert answer.status_code == status or (
            path == "/c/no" and answer.status_code in {400, 404, status}
        ), answer.text
        assert "Traceback" not in answer.text


def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(house: Building) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1_000):
            yield b"a" * 1_000

    answer = house.guest().client.post(
        "/sign-in", content=endless(), headers={**OWN_PAGE, "content-type": FORM}
    )
    assert answer.status_code == 413


ODD_ANSWERS = ("NaN", "Infinity", "-1", "11", "7.5", "true", "false", "٣", "0x1", "1e0", " 7", "[]", "null")


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_an_answer_that_nobody_could_tap_is_not_taken(house: Building, answer: str) -> None:
    seen(house.cast.first, "K-01", 1)
    token = house.cast.first.invite("K-01", 1).token
    refused = house.guest().post(f"/c/{token}", instrument="connection", key="some-sending", a__safe=answer)
    assert refused.status_code == 400
    assert len(house.cast.first.check_ins("K-01")) == 1


def test_a_field_that_was_not_asked_for_is_not_taken(house: Building) -> None:
    guest = house.guest("T-1")
    answer = guest.post("/clients", client="K-09", since="1999-01-01", held="no")
    assert answer.status_code == 400
    assert house.cast.first.clients() == ()


def test_what_goes_wrong_inside_is_one_sentence_and_a_log_without_values(
    house: Building, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("PLANTED VALUE of somebody")

    guest = house.guest("T-1")
    monkeypatch.setattr(today, "looked", broken)
    with caplog.at_level(logging.DEBUG):
        answer = guest.get("/today")
    assert answer.status_code == 500
    assert "PLANTED" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert "Something went wrong" in answer.text


def test_logs_name_the_way_and_nothing_that_was_in_it(
    house: Building, caplog: pytest.LogCaptureFixture
) -> None:
    seen(house.cast.first, "K-01", 1)
    token = house.cast.first.invite("K-01", 1).token
    with caplog.at_level(logging.DEBUG):
        guest = house.guest("T-1", unlocked=True, agent="PLANTED-agent")
        guest.get("/caseload?find=PLANTED-find")
        guest.get("/clients/K-01")
        guest.post("/clients/K-01/sessions/1/reflection", words="PLANTED-words", finished="yes")
        guest.get(f"/c/{token}")
        guest.post(f"/c/{token}", instrument="connection", key="PLANTED-key", a__safe="3")
        guest.get("/clients/PLANTED-client")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("attunement"))
    assert "/c/{token}" in ours
    for secret in ("PLANTED", token, "K-01", PHRASES["T-1"]):
        assert secret not in ours, secret


def test_health_says_that_it_runs_and_ready_that_answers_are_taken(house: Building, tmp_path: Path) -> None:
    assert house.guest().get("/health").json() == {"status": "ok"}
    assert house.guest().get("/ready").json() == {"status": "ready"}
    house.rooms.door.__init__(tmp_path / "none")  # type: ignore[misc]
    closed = house.guest().get("/ready")
    assert (closed.status_code, json.loads(closed.text)) == (503, {"status": "closed"})
    client = house.guest().get("/c/whatever")
    assert client.status_code == 503
    assert "988" in client.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "0.0.0.0"}, "certificate"),  # noqa: S104 - refused
        ({"url": "http://practice.example"}, "https"),
        ({"url": "practice.example"}, "https"),
        ({"certificate": "a"}, "together"),
        ({"certificate": "/no/such", "key": "/no/such"}, "no file"),
    ],
)
def test_a_server_that_could_be_overheard_does_not_start(settings: dict[str, str], said: str) -> None:
    from pathlib import Path  # noqa: PLC0415 - for files alone

    given = {
        name: Path(value) if name in {"certificate", "key"} else value for name, value in settings.items()
    }
    with pytest.raises(InputError, match=said):
        serving.Place(**given)  # type: ignore[arg-type]


def test_over_tls_the_cookie_cannot_be_set_by_another_name(tmp_path: Path) -> None:
    rooms = Rooms(tmp_path, port=443, url="https://practice.example")
    assert rooms.cookie.startswith("__Host-")
    assert rooms.names.secure
    assert rooms.names.knows("practice.example")
    assert not rooms.names.knows("evil.practice.example")
