"""Reflections in the rooms: sealed while they are typed, locked when nobody types, and nobody else's to see."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES, reflected, seen

from attunement.practice.unlocked import IDLE
from attunement.sessions import FEELINGS

if TYPE_CHECKING:
    from guest import Building, Guest

PAGE = "/clients/K-01/sessions/1/reflection"
TYPED = {
    "connection": "4", "my_day": "6", "g__safe": "5", "f__warm": "3", "f__bored": "7", "pull": "rescue",
    "whose": "theirs", "strain": "withdrew", "t__trigger": "PLANTED trigger", "words": "PLANTED words",
    "finished": "yes",
}  # fmt: skip


@pytest.fixture
def guest(house: Building) -> Guest:
    seen(house.cast.first, "K-01")
    return house.guest("T-1", unlocked=True)


def test_what_was_written_is_there_again_for_its_owner(house: Building, guest: Guest) -> None:
    assert guest.post(PAGE, **TYPED).headers["location"] == "/clients/K-01"
    page = guest.get(PAGE).text
    for value in (
        "PLANTED words",
        "PLANTED trigger",
        'name="connection" inputmode="decimal" maxlength="4" autocomplete="off" value="4"',
    ):
        assert value in page
    written = house.cast.first.reflections("K-01")[0].reflection
    assert (written.feelings, written.pull, written.whose) == (
        {"warm": 3.0, "bored": 7.0},
        ("rescue",),
        "theirs",
    )
    assert (written.guess, written.tags, written.finished) == (
        {"safe": 5.0},
        ("trigger: PLANTED trigger",),
        True,
    )


def test_feelings_are_asked_for_as_many_pleasant_as_unpleasant() -> None:
    assert all(len(pair) == 2 for pair in FEELINGS)
    assert len({word for pair in FEELINGS for word in pair}) == 2 * len(FEELINGS)


def test_it_is_sealed_as_it_is_typed_and_counts_as_begun(house: Building, guest: Guest) -> None:
    assert guest.post(f"{PAGE}/draft", words="half a sen").status_code == 204
    kept = house.cast.first.reflections("K-01")[0].reflection
    assert (kept.words, kept.finished) == ("half a sen", False)
    guest.post(PAGE, words="a whole sentence", finished="yes")
    guest.post(f"{PAGE}/draft", words="a whole sentence, mended")
    kept = house.cast.first.reflections("K-01")[0].reflection
    assert (kept.words, kept.finished) == ("a whole sentence, mended", True)


def test_what_was_typed_while_they_locked_comes_back_and_is_kept_nowhere(
    house: Building, guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    house.cast.hands.pass_by(timedelta(seconds=IDLE))
    guest.get("/today")  # the visit itself is in use
    with caplog.at_level(logging.DEBUG):
        met = guest.post(PAGE, **TYPED)
    assert met.status_code == 401
    assert "have locked themselves" in met.text
    assert "PLANTED words" in met.text
    assert "PLANTED" not in str([visit.kept for visit in house.rooms.visits.all_of("T-1")])
    assert "PLANTED" not in "".join(record.getMessage() for record in caplog.records)
    wrong = guest.post(PAGE, **TYPED, passphrase="not this")
    assert (wrong.status_code, "PLANTED words" in wrong.text) == (401, True)
    assert guest.post(PAGE, **TYPED, passphrase=PHRASES["T-1"]).status_code == 303
    assert house.cast.first.reflections("K-01")[0].reflection.words == "PLANTED words"


def test_a_draft_is_refused_while_they_are_locked(house: Building, guest: Guest) -> None:
    house.cast.hands.pass_by(timedelta(seconds=IDLE))
    assert guest.post(f"{PAGE}/draft", words="PLANTED").status_code == 401


def test_what_cannot_be_taken_is_said_and_stays_typed(guest: Guest) -> None:
    met = guest.post(PAGE, **{**TYPED, "connection": "11"})
    assert met.status_code == 400
    assert "Connection today is a number from 0 to 10" in met.text
    assert "PLANTED words" in met.text


def test_an_unlock_is_for_one_browser(house: Building, guest: Guest) -> None:
    guest.post(PAGE, **TYPED)
    other = house.guest("T-1")
    for path in (PAGE, "/clients/K-01", "/today", "/caseload"):
        assert "PLANTED" not in other.get(path).text
        assert "Reflections locked" in other.get(path).text
    assert other.post(f"{PAGE}/draft", words="x").status_code == 401
    assert "Reflections open" in guest.get("/today").text


def test_a_lock_at_once_is_one_button(house: Building, guest: Guest) -> None:
    guest.post(PAGE, **TYPED)
    guest.post("/reflections/lock")
    assert "PLANTED" not in guest.get(PAGE).text
    assert not house.cast.first.unlocked


def test_guessing_the_passphrase_stops_after_twenty_tries(guest: Guest) -> None:
    guest.post("/reflections/lock")
    statuses = [
        guest.post("/reflections/unlock", passphrase=f"{n}", then="/today").status_code for n in range(22)
    ]
    assert statuses == [401] * 20 + [400] * 2


def test_a_guess_after_looking_says_so(house: Building, guest: Guest) -> None:
    guest.post("/clients/K-01/sessions/2/reflection", g__safe="5", finished="yes")
    guest.get("/clients/K-01")  # shows what they answered
    guest.post(PAGE, g__safe="5", finished="yes")
    found = {each.session: each.reflection.after_seeing for each in house.cast.first.reflections("K-01")}
    assert found == {1: True, 2: False}


def test_todays_answers_are_not_shown_before_ones_own_guess(house: Building) -> None:
    house.cast.first.take_on("K-01", agreed=["check-ins"])  # type: ignore[list-item]
    house.cast.first.log_session("K-01", house.cast.hands.wall())
    token = house.cast.first.invite("K-01", 1).token
    house.guest().post(
        f"/c/{token}",
        instrument="connection",
        key="some-sending",
        a__safe="9",
        a__understood="2",
        a__hindering="8",
    )
    guest = house.guest("T-1", unlocked=True)
    assert "Guess first, then look" in guest.get("/today").text
    assert "highest 9" not in guest.get("/today").text
    guest.post(PAGE, g__safe="5", finished="yes")
    assert "highest 9" in guest.get("/today").text


def test_what_is_still_to_write_is_told_only_while_they_are_open(house: Building) -> None:
    house.cast.first.take_on("K-01")
    house.cast.first.log_session("K-01", house.cast.hands.wall())
    guest = house.guest("T-1", unlocked=True)
    assert "1 reflection still to write" in guest.get("/today").text
    guest.post(PAGE, words="some", finished="")
    assert "begun" in guest.get("/today").text
    guest.post(PAGE, words="all", finished="yes")
    assert "No reflections still to write" in guest.get("/today").text
    guest.post("/reflections/lock")
    assert "still to write." not in guest.get("/today").text


def test_a_strain_that_is_not_repaired_is_told_to_its_owner_alone(house: Building, guest: Guest) -> None:
    house.cast.first.change_session("K-01", 2, began=house.cast.hands.wall())
    guest.post("/clients/K-01/sessions/2/reflection", strain="withdrew", finished="yes")
    assert "they withdrew in session 2; no repair is noted yet" in guest.get("/today").text
    assert "they withdrew" not in house.guest("T-1").get("/today").text


ROOMS = (
    "/today",
    "/caseload",
    "/clients/K-01",
    "/clients/K-01/sessions/1/reflection",
    "/account",
    "/practice",
    "/shared",
)


@pytest.mark.parametrize("account", ["T-2", "S-1", "A-1", "T-1"])
def test_every_page_is_the_same_whether_reflections_exist_or_not(house: Building, account: str) -> None:
    """For others, and for the owner too, as long as they are locked."""
    for practice in (house.cast.first, house.cast.second):
        seen(practice, "K-01")
    before = [_plain(house.guest(account).get(path).text) for path in ROOMS]
    reflected(house.cast.first, "K-01", 2)
    assert [_plain(house.guest(account).get(path).text) for path in ROOMS] == before


def test_no_search_finds_a_reflection(guest: Guest) -> None:
    guest.post(PAGE, **TYPED)
    assert "PLANTED" not in guest.get("/caseload?find=PLANTED").text.replace('value="PLANTED"', "")


def test_no_page_of_anybody_else_holds_what_was_planted(house: Building, guest: Guest) -> None:
    guest.post(PAGE, **TYPED)
    for account in ("T-2", "S-1", "A-1"):
        other = house.guest(account)
        for path in (*ROOMS, "/clients/K-01/sessions/1/reflection", "/caseload?find=PLANTED"):
            assert "PLANTED" not in other.get(path).text.replace('value="PLANTED"', ""), (account, path)


def _plain(page: str) -> str:
    """The page without what differs from one look to the next: times, and names of visits."""
    page = re.sub(r'value="\d{4}-\d\d-\d\dT\d\d:\d\d"', "", page)
    return re.sub(
        r"/account/visits/\w+/end|used \d+ minutes",
        "",
        re.sub(r"<ul class=\"list\"><li class=\"line-item\">.*?</ul>", "", page, flags=re.DOTALL),
    )
