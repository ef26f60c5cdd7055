"""What no page of ours would send: numbers of another kind, other sites' pictures, secrets in what is carried on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN, PHRASES, reflected, seen
from guest import hidden

from attunement.practice.rated import MOST_SESSIONS
from attunement.sessions import Purpose
from attunement.web import WAYS
from attunement.web.rooms import SECRETS
from attunement.web.visits import IDLE

if TYPE_CHECKING:
    from guest import Building

NUMBERED = [way for way in WAYS if "{number:session}" in way.path]
GETS = [way for way in WAYS if way.method == "GET"]
POSTS = [way for way in WAYS if way.method == "POST" and not way.upload]


@pytest.mark.parametrize("number", ["9999999", "1" + "0" * 30, "-1", "0", "1e5", "٣", "1.0", "999999", " 1"])
def test_a_session_that_cannot_be_is_one_sentence(house: Building, number: str) -> None:
    seen(house.cast.first, "K-01")
    guest = house.guest("T-1", unlocked=True)
    for way in NUMBERED:
        path = way.path.replace("{code}", "K-01").replace("{number:session}", number)
        answer = guest.get(path) if way.method == "GET" else guest.post(path, attendance="held", words="x")
        assert answer.status_code in {400, 404}, way.path
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("typed", ["--5", ".5", "1e3", "inf", "nan", "٥", "5 5", "0x5", "5..", "+5", "11"])
def test_what_is_no_number_is_one_sentence_and_changes_nothing(house: Building, typed: str) -> None:
    seen(house.cast.first, "K-01")
    reflected(house.cast.first, "K-01", 1)
    guest = house.guest("T-1", unlocked=True)
    page = "/clients/K-01/sessions/1/reflection"
    for field in ("connection", "my_day", "g__safe", "f__warm"):
        answer = guest.post(page, **{field: typed, "words": "new"})
        assert answer.status_code == 400, field
        assert "is a number from 0 to 10, or left out" in answer.text
    assert house.cast.first.reflections("K-01")[0].reflection.words == "private 1"


def test_a_number_with_its_point_still_open_is_the_number(house: Building) -> None:
    seen(house.cast.first, "K-01")
    guest = house.guest("T-1", unlocked=True)
    guest.post("/clients/K-01/sessions/1/reflection", connection="5.", my_day="5,5")
    kept = house.cast.first.reflections("K-01")[0].reflection
    assert (kept.connection, kept.my_day) == (5.0, 5.5)


def test_a_table_that_is_too_long_is_refused_whole(house: Building) -> None:
    guest = house.guest("T-1")
    long = "client,session,score\nA-1,1,5\n" + f"A-1,{MOST_SESSIONS + 1},6\n"
    guest.upload("/import", "long.csv", long.encode())
    answer = guest.post("/import/take", name="long", low="0", high="10")
    assert answer.status_code in {303, 400}
    assert house.cast.first.clients() == ()


@pytest.mark.parametrize("way", GETS, ids=[way.path for way in GETS])
def test_a_picture_in_another_page_is_not_answered_and_a_link_is(house: Building, way: object) -> None:
    path = re.sub(r"\{[^}]*\}", "1", way.path)  # type: ignore[attr-defined]
    guest = house.guest()
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert guest.get(path, **elsewhere, **{"sec-fetch-mode": "no-cors"}).status_code == 403
    assert guest.get(path, **elsewhere, **{"sec-fetch-mode": "cors"}).status_code == 403
    assert guest.get(path, **elsewhere, **{"sec-fetch-mode": "navigate"}).status_code != 403


def test_a_clients_link_opens_from_a_mail(house: Building) -> None:
    house.cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    house.cast.first.log_session("K-01", BEGAN)
    token = house.cast.first.invite("K-01", 1).token
    mail = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert house.guest().get(f"/c/{token}", **mail).status_code == 200


@pytest.mark.parametrize("door", ["shut", "locked"])
@pytest.mark.parametrize("way", POSTS, ids=[way.path for way in POSTS])
def test_no_page_ever_carries_a_secret_on(house: Building, way: object, door: str) -> None:
    path = re.sub(r"\{[^}]*\}", "1", way.path)  # type: ignore[attr-defined]
    guest = house.guest("T-1" if door == "locked" else None)
    if door == "locked":
        house.cast.hands.pass_by(timedelta(seconds=IDLE + 1))
    planted = {name: f"PLANTED-{name}" for name in SECRETS}
    page = guest.post(path, account="T-1", words="kept words", **planted).text
    assert [value for value in planted.values() if value in page] == []


@pytest.mark.parametrize("how", ["signed out", "ended from the list", "passphrase changed"])
def test_a_visit_that_was_ended_gets_no_new_token(house: Building, how: str) -> None:
    guest, other = house.guest("T-1", agent="first"), house.guest("T-1", agent="second")
    token = guest.client.cookies[house.rooms.cookie]
    visit = house.rooms.visits.of(token)
    assert visit is not None
    if how == "signed out":
        guest.post("/sign-out")
    elif how == "ended from the list":
        other.post(f"/account/visits/{visit.id}/end")
    else:
        new = "seven copper kettles whistle"
        changed = other.post("/account/passphrase", old=PHRASES["T-1"], new=new, again=new)
        assert changed.status_code == 303, changed.text
    assert house.rooms.visits.renew(visit) is None  # as a slow request of that visit would ask for
    guest.client.cookies.set(house.rooms.cookie, token)
    answer = guest.get("/today")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert hidden(answer.text, "then") == "/today"
