"""Coming in: the first run, signing in, the second step, the lock screen, and what was typed before a door shut."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
import pytest
from cast import PHRASES, seen
from guest import HERE, Guest, hidden
from starlette.testclient import TestClient

from attunement.vault.locks import LEAST
from attunement.web import WAYS, Rooms, app, factors
from attunement.web.visits import IDLE, LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guest import Building

WORD = "the-word-of-the-first-run"
PHRASE = "marble window seventeen otter"
NEW = {"account": "T-1", "name": "Dr. Somebody", "credential": "psychologist (doctoral)", "passphrase": PHRASE,
       "again": PHRASE}  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[tuple[Guest, Rooms]]:
    """Rooms without a practice."""
    rooms = Rooms(tmp_path / "practice", port=8437, begin=WORD, cost=LEAST)
    yield Guest(TestClient(app(rooms, WAYS), base_url=HERE, follow_redirects=False)), rooms
    rooms.close()


def recovery_code(page: str) -> str:
    found = re.search(r'class="code">([^<]+)<', page)
    assert found
    return found[1]


def test_the_first_run_asks_shows_the_recovery_code_once_and_takes_on_clients(
    empty: tuple[Guest, Rooms],
) -> None:
    guest, rooms = empty
    assert "no practice here yet" in guest.get("/").text
    assert "psychologist (doctoral)" in guest.get(f"/begin/{WORD}").text
    shown = guest.post(f"/begin/{WORD}", **NEW)
    code = recovery_code(shown.text)
    assert not rooms.door.founded  # nothing is made before the code is typed back
    wrong = guest.post(f"/begin/{WORD}/confirm", code=code[:-1])
    assert (wrong.status_code, rooms.door.founded) == (400, False)
    done = guest.post(f"/begin/{WORD}/confirm", code=code.lower().replace("-", " "))
    assert done.headers["location"] == "/first-clients"
    assert (
        guest.post("/first-clients", codes="K-01\r\nM-02\r\n\r\nK-01", agreed="yes").headers["location"]
        == "/caseload"
    )
    assert "2 clients taken on" in guest.get("/caseload").text
    assert code not in guest.get("/today").text
    assert guest.get(f"/begin/{WORD}").status_code == 404  # over, once and for all


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"passphrase": "short", "again": "short"}, "at least"),
        ({"passphrase": "passwordpassword1", "again": "passwordpassword1"}, "easily guessed"),
        ({"again": "another one entirely"}, "not the same"),
        ({"account": ""}, "empty"),
        ({"credential": "wizard"}, "choose"),
    ],
)
def test_the_first_run_says_what_would_do_and_keeps_what_was_typed(
    empty: tuple[Guest, Rooms], changed: dict[str, str], said: str
) -> None:
    guest, _ = empty
    answer = guest.post(f"/begin/{WORD}", **{**NEW, **changed})
    assert answer.status_code == 400
    assert said in answer.text
    assert "Dr. Somebody" in answer.text
    assert PHRASE not in answer.text


def test_nobody_founds_a_practice_without_the_word_that_was_shown(empty: tuple[Guest, Rooms]) -> None:
    guest, rooms = empty
    for path in ("/begin/no", "/begin/no/confirm", "/begin/"):
        assert guest.post(path, **NEW).status_code in {404, 405}
    assert guest.get("/begin/no").status_code == 404
    assert guest.get("/today").headers["location"] == "/"
    assert not rooms.door.founded


def test_a_wrong_account_and_a_wrong_passphrase_read_alike(house: Building) -> None:
    wrong = house.guest().post("/sign-in", account="T-1", passphrase="not this", then="/")
    nobody = house.guest().post("/sign-in", account="T-9", passphrase="not this", then="/")
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert wrong.text.replace("T-1", "T-9") == nobody.text


def test_guessing_a_passphrase_stops_after_twenty_tries_for_that_account_alone(house: Building) -> None:
    guest = house.guest()
    statuses = [
        guest.post("/sign-in", account="T-2", passphrase=f"{n}", then="/").status_code for n in range(22)
    ]
    assert statuses == [401] * 20 + [429] * 2
    assert house.guest("T-1").get("/today").status_code == 200


def test_signing_in_gives_a_new_token_and_a_planted_one_is_worth_nothing(house: Building) -> None:
    guest = house.guest()
    guest.client.cookies.set("attunement", "planted-by-somebody", domain="127.0.0.1")
    came = guest.post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then="/")
    token = re.search(r"attunement=([^;]+)", came.headers["set-cookie"])
    assert token
    assert token[1] != "planted-by-somebody"
    flags = came.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert house.rooms.visits.of("planted-by-somebody") is None


def test_signing_in_again_ends_the_visit_before(house: Building) -> None:
    guest = house.guest("T-1")
    before = guest.client.cookies["attunement"]
    guest.post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then="/")
    assert house.rooms.visits.of(before) is None


def test_signing_out_ends_the_visit_and_clears_the_browser(house: Building) -> None:
    guest = house.guest("T-1", unlocked=True)
    token = guest.client.cookies["attunement"]
    out = guest.post("/sign-out")
    assert "cookies" in out.headers["clear-site-data"]
    assert house.rooms.visits.of(token) is None
    assert not house.cast.first.house.reflections


def test_a_visit_locks_after_fifteen_idle_minutes_and_ends_after_twelve_hours(house: Building) -> None:
    guest = house.guest("T-1", unlocked=True)
    house.cast.hands.pass_by(timedelta(seconds=IDLE))
    locked = guest.get("/clients/K-01")
    assert (locked.status_code, "is signed in here" in locked.text) == (401, True)
    assert not house.cast.first.unlocked
    assert guest.post("/unlock", passphrase="not this", then="/today").status_code == 401
    token = guest.client.cookies["attunement"]
    assert guest.post("/unlock", passphrase=PHRASES["T-1"], then="/today").headers["location"] == "/today"
    assert guest.client.cookies["attunement"] != token
    assert guest.get("/today").status_code == 200
    house.cast.hands.pass_by(timedelta(seconds=LONGEST))
    assert "<h1>Sign in" in guest.get("/today").text


def test_idle_visits_lock_also_where_no_browser_asks(house: Building) -> None:
    house.guest("T-1", unlocked=True)
    house.cast.hands.pass_by(timedelta(seconds=IDLE))
    house.rooms.visits.lock_idle()
    assert house.rooms.visits.all_of("T-1")[0].locked
    assert not house.cast.first.house.reflections


@pytest.mark.parametrize("door", ["locked", "ended"])
def test_a_form_that_meets_a_shut_door_is_not_lost(house: Building, door: str) -> None:
    seen(house.cast.first, "K-01")
    guest = house.guest("T-1")
    house.cast.hands.pass_by(timedelta(seconds=IDLE if door == "locked" else LONGEST))
    met = guest.post("/clients/K-01/steps", what="ask <b>about</b> the silence")
    assert met.status_code == 401
    assert house.cast.first.steps("K-01") == ()
    carried = {"then": hidden(met.text, "then"), "kept.what": "ask <b>about</b> the silence"}
    assert "ask &lt;b&gt;about&lt;/b&gt; the silence" in met.text
    path = "/unlock" if door == "locked" else "/sign-in"
    inside = guest.post(path, account="T-1", passphrase=PHRASES["T-1"], **carried)
    assert 'action="/clients/K-01/steps"' in inside.text
    guest.post("/clients/K-01/steps", what="ask <b>about</b> the silence")
    assert [step.what for step in house.cast.first.steps("K-01")] == ["ask <b>about</b> the silence"]


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_door_leads_nowhere_else(house: Building, then: str) -> None:
    came = house.guest().post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then=then)
    assert came.headers["location"] == "/today"


def test_codes_of_an_app_are_asked_for_and_each_works_once(
    house: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factors, "seconds", lambda: 30_000.0)
    guest = house.guest("T-1")
    offered = guest.post("/account/code", passphrase=PHRASES["T-1"])
    secret = recovery_code(offered.text.replace('class="code small"', 'class="code"')).replace(" ", "")
    assert guest.post("/account/code/confirm", code="000000", name="a").status_code == 400
    assert (
        guest.post("/account/code/confirm", code=pyotp.TOTP(secret).at(30_000), name="My phone").status_code
        == 303
    )
    other = house.guest()
    asked = other.post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then="/")
    assert "One more step" in asked.text
    assert other.get("/today").status_code == 401
    token = other.client.cookies["attunement"]
    used, code = (pyotp.TOTP(secret).at(moment) for moment in (30_000, 30_030))
    assert other.post("/second-step", code="12345", then="/").status_code == 401
    assert (
        other.post("/second-step", code=used, then="/").status_code == 401
    )  # it showed that the app is there
    assert other.post("/second-step", code="²³١٢٣٤", then="/").status_code == 401
    assert other.post("/second-step", code=code, then="/").headers["location"] == "/today"
    assert other.client.cookies["attunement"] != token
    third = house.guest()
    third.post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then="/")
    assert third.post("/second-step", code=code, then="/").status_code == 401  # seen over a shoulder


def test_nonsense_from_a_passkey_is_one_sentence(house: Building) -> None:
    guest = house.guest("T-1")
    guest.post("/account/passkey", passphrase=PHRASES["T-1"])
    for answer in ("{}", "[]", "null", "[" * 5_000, json.dumps({"id": "a", "rawId": "a", "response": {}})):
        refused = guest.post("/account/passkey/confirm", passkey=answer, name="a")
        assert refused.status_code == 400
    assert house.cast.first.factors() == ()


def test_a_code_belongs_to_its_half_minute_or_a_neighbour() -> None:
    secret = factors.new_secret()
    app_ = pyotp.TOTP(secret)
    assert factors.step_of(secret, app_.at(3_000), 3_000.0) == 100
    assert factors.step_of(secret, app_.at(3_000), 3_031.0) == 100
    assert factors.step_of(secret, app_.at(3_000), 3_061.0) is None
    assert factors.step_of(secret, "", 3_000.0) is None


def test_another_passphrase_signs_every_other_browser_out(house: Building) -> None:
    here, elsewhere = house.guest("T-1"), house.guest("T-1")
    changed = here.post("/account/passphrase", old=PHRASES["T-1"], new=PHRASE, again=PHRASE)
    assert changed.status_code == 303
    assert here.get("/today").status_code == 200
    assert elsewhere.get("/today").status_code == 401


def test_the_list_of_visits_ends_one_of_them(house: Building) -> None:
    here, elsewhere = (
        house.guest("T-1", agent="Firefox/1 Linux"),
        house.guest("T-1", agent="Chrome/1 Android"),
    )
    page = here.get("/account").text
    assert "Firefox on Linux (this one)" in page
    other = next(each for each in house.rooms.visits.all_of("T-1") if each.name == "Chrome on Android")
    here.post(f"/account/visits/{other.id}/end")
    assert elsewhere.get("/today").status_code == 401
    assert here.get("/today").status_code == 200


def test_an_ended_account_is_out_at_once(house: Building) -> None:
    theirs, admin = house.guest("T-2"), house.guest("A-1")
    admin.post("/practice/accounts/T-2/end")
    assert theirs.get("/today").status_code == 401
    assert (
        house.guest().post("/sign-in", account="T-2", passphrase=PHRASES["T-2"], then="/").status_code == 401
    )
