"""Steps in the rooms: from the alert to what is tried, what the client says of it, the repair, and what has helped."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest
from cast import ANSWERS, BEGAN, PHRASES, Box, seen

from attunement.practice import Tried
from attunement.sessions import ABOUT, Purpose, Reflection
from attunement.steps import helped, suggestions, table
from attunement.web.reminding import Daily

if TYPE_CHECKING:
    from guest import Building, Guest

    from attunement.practice import Practice

WEEK = timedelta(days=7)


@pytest.fixture
def guest(house: Building) -> Guest:
    practice = house.cast.first
    practice.take_on("K-01", agreed=tuple(Purpose))
    practice.log_session("K-01", BEGAN)
    return house.guest("T-1")


def step(house: Building) -> tuple[str | None, str, str | None, str | None]:
    (found,) = house.cast.first.steps("K-01")
    return found.about, found.what, found.outcome, found.repaired


def words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


def answered(practice: Practice, client: str, session: int, tried: Tried) -> None:
    token = practice.invite(client, session).token
    practice.for_client().receive(token, ANSWERS, f"sending-{client}-{session}", tried)


@pytest.mark.parametrize("about", ABOUT)
def test_what_is_offered_is_what_there_is_for_it(house: Building, guest: Guest, about: str) -> None:
    page = words(guest.get(f"/clients/K-01?about={about}").text)
    for each in suggestions(about):
        assert each in page
    assert guest.post("/clients/K-01/steps", about=about, pick="2", what="").status_code == 303
    assert step(house)[:2] == (about, suggestions(about)[1])


def test_ones_own_words_win_and_nothing_at_all_is_refused(house: Building, guest: Guest) -> None:
    assert guest.post("/clients/K-01/steps", about="torn", what="").status_code == 400
    assert guest.post("/clients/K-01/steps", about="torn", pick="9", what="x").status_code == 400
    assert guest.post("/clients/K-01/steps", about="PLANTED", what="x").status_code == 400
    assert house.cast.first.steps("K-01") == ()
    guest.post("/clients/K-01/steps", about="torn", pick="1", what="my own words")
    assert step(house)[:2] == ("torn", "my own words")


@pytest.mark.parametrize("about", ["", "nothing", "<script>", "torn' or 1=1"])
def test_an_odd_word_in_the_address_offers_nothing_and_breaks_nothing(guest: Guest, about: str) -> None:
    page = guest.get(f"/clients/K-01?about={about}")
    assert page.status_code == 200
    assert "<script>" not in page.text.partition("<main")[2]


def test_a_step_can_be_taken_back_with_one_button(house: Building, guest: Guest) -> None:
    guest.post("/clients/K-01/steps", what="the wrong one")
    undo = re.search(r'action="(/clients/K-01/steps/\w+/drop)"', guest.get("/clients/K-01").text)
    assert undo
    assert guest.post(undo[1]).status_code == 303
    assert house.cast.first.steps("K-01") == ()


def test_what_they_say_stands_beside_the_open_step_and_the_repair_is_logged(
    house: Building, guest: Guest
) -> None:
    guest.post("/clients/K-01/steps", about="rupture", pick="1", what="")
    house.cast.first.log_session("K-01", BEGAN + WEEK)
    answered(house.cast.first, "K-01", 2, Tried("yes", 8))
    said = "In the check-in for session 2 they say that you two talked about it; it helped 8 of 10."
    assert said in words(guest.get("/clients/K-01").text)
    assert said in words(guest.get("/steps").text)
    path = f"/clients/K-01/steps/{house.cast.first.steps('K-01')[0].id}"
    closed = guest.post(path, outcome="they were hurt", repaired="yes", then="steps")
    assert closed.headers["location"] == "/steps"
    assert step(house)[2:] == ("they were hurt", "yes")
    page = guest.get("/clients/K-01").text
    assert "A step was closed as repaired (session 2)." in page
    undo = re.search(rf'action="({path}/reopen)"', page)
    assert undo
    guest.post(undo[1])
    assert step(house)[2:] == (None, None)


@pytest.mark.parametrize(
    ("tried", "said"),
    [
        (Tried("no"), "they say that you two did not talk about it."),
        (Tried("yes"), "they say that you two talked about it."),
        (Tried(None, 3), "they say that it helped 3 of 10."),
        (Tried("no", 9), "they say that you two did not talk about it."),
    ],
)
def test_what_they_left_out_is_not_said_for_them(
    house: Building, guest: Guest, tried: Tried, said: str
) -> None:
    guest.post("/clients/K-01/steps", what="name it")
    house.cast.first.log_session("K-01", BEGAN + WEEK)
    answered(house.cast.first, "K-01", 2, tried)
    assert said in words(guest.get("/steps").text)


def test_the_strain_is_on_today_until_a_step_about_it_is_closed_as_repaired(
    house: Building, guest: Guest
) -> None:
    practice = house.cast.first
    practice.unlock(PHRASES["T-1"])
    practice.reflect("K-01", 1, Reflection(strain=("withdrew",)))
    assert guest.post("/reflections/unlock", passphrase=PHRASES["T-1"], then="/").status_code == 303
    today = guest.get("/today").text
    assert 'href="/clients/K-01?about=strain#steps"' in today
    for about, repaired, there in (
        ("style", "yes", True),
        ("strain", "partly", True),
        ("strain", "yes", False),
    ):
        chosen = practice.choose_step("K-01", "ask", about)
        practice.close_step(chosen.id, "they told me", repaired)
        assert ("about=strain" in guest.get("/today").text) is there, (about, repaired)


def test_the_room_says_what_the_finding_says_and_names_no_other_client(house: Building) -> None:
    practice = house.cast.first
    for client in range(5):
        seen(practice, f"K-1{client}", 1)
        for number in (2, 3):
            practice.choose_step(f"K-1{client}", f"try {number}", "torn")
            practice.log_session(f"K-1{client}", BEGAN + number * WEEK)
            answered(practice, f"K-1{client}", number, Tried("yes", float(client + number)))
            practice.close_step(practice.steps(f"K-1{client}")[-1].id, "well", None)
    seen(house.cast.second, "Z-99", 1)
    house.cast.second.choose_step("Z-99", "PLANTED")
    page = words(house.guest("T-1").get("/steps").text)
    asked = helped(table(practice.steps(), "T-1"))
    for finding in (asked.all, asked.talked, asked.about("torn")):
        assert finding.sentence in page
    assert "of 10 on average" in page
    assert "PLANTED" not in page
    assert "Z-99" not in page
    practice.choose_step("K-10", "once more", "torn")
    practice.log_session("K-10", BEGAN + 9 * WEEK)
    answered(practice, "K-10", 4, Tried("yes", 0))
    fresh = helped(table(practice.steps(), "T-1")).all.sentence
    assert fresh not in page
    assert fresh in words(house.guest("T-1").get("/steps").text)


def test_how_it_ended_is_asked_and_can_be_said_later_and_taken_back(house: Building, guest: Guest) -> None:
    guest.post("/clients/K-01/end", ending="")
    assert "How did it end?" in guest.get("/clients/K-01").text
    guest.post("/clients/K-01/end", ending="left")
    page = guest.get("/clients/K-01").text
    assert '<option value="left" selected>' in page
    assert house.cast.first.clients()[0].ending == "left"
    assert 'name="ending" value=""' in page  # what undoes it
    assert guest.post("/clients/K-01/end", ending="quarrel").status_code == 400


def test_today_lists_what_is_due_and_the_practice_page_the_backup(house: Building, guest: Guest) -> None:
    house.cast.hands.pass_by(timedelta(days=1))
    page = words(house.guest("T-1").get("/today").text)
    assert "What is due" in page
    assert "K-01, session 1: no check-in yet" in page
    admin = house.guest("A-1").get("/practice").text
    assert "A backup is due" in admin
    assert "K-01" not in admin
    assert guest


def test_ones_own_address_is_shown_to_oneself_alone(house: Building, guest: Guest) -> None:
    house.cast.first.set_email("old@practice.example")
    guest.post("/account/email", email="somebody@practice.example")
    page = guest.get("/account").text
    assert "somebody@practice.example" in page
    assert 'name="email" value="old@practice.example"' in page  # what undoes it
    refused = guest.post("/account/email", email="a@b.example, PLANTED@c.example")
    assert refused.status_code == 400
    assert "PLANTED" not in refused.text
    for account, path in (("A-1", "/practice"), ("A-1", "/account"), ("T-2", "/account")):
        assert "somebody@" not in house.guest(account).get(path).text


def test_the_rooms_remind_once_a_day_from_eight_on_of_whoever_has_signed_in(
    house: Building, guest: Guest
) -> None:
    house.cast.first.set_email("somebody@practice.example")
    house.cast.second.set_email("other@practice.example")
    house.cast.hands.pass_by(timedelta(hours=9))
    box, clock = Box(), [datetime(2026, 3, 3, 7, 50, tzinfo=UTC)]
    daily = Daily(box, "http://127.0.0.1:8437", lambda: house.rooms.door.signed_in, lambda: clock[0])
    daily.look()
    assert box.mails == []
    clock[0] += timedelta(minutes=20)
    daily.look()
    daily.look()
    assert box.mails == [
        ("somebody@practice.example", "A reminder from Attunement", "http://127.0.0.1:8437/")
    ]
    assert guest


def test_a_server_that_does_not_take_mail_is_in_the_log_without_an_address(
    house: Building, guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    house.cast.first.set_email("somebody@practice.example")
    house.cast.hands.pass_by(timedelta(hours=9))
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    box = Box("somebody@practice.example")
    Daily(box, "", lambda: house.rooms.door.signed_in, lambda: noon).look()
    assert "did not take the mail" in caplog.text
    assert "somebody" not in caplog.text
    assert guest
