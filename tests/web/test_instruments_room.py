"""Questionnaires of others in the rooms: words loaded, shown, kept, asked of a client, retired; and data brought in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cast import BEGAN, WORDS, seen
from guest import hidden

from attunement.instruments import of_others
from attunement.sessions import Purpose

if TYPE_CHECKING:
    from guest import Building, Guest

FILE = WORDS.encode()
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "K-31", "name": [{"family": "Planted-Surname"}]}},
    ],
}  # fmt: skip


def loaded_by(guest: Guest) -> None:
    shown = guest.upload("/instruments", "phq9.toml", FILE)
    kept = guest.post("/instruments/keep", shown=hidden(shown.text, "shown"))
    assert kept.headers["location"] == "/instruments"


def test_words_are_shown_as_a_client_would_read_them_and_kept_only_then(house: Building) -> None:
    guest = house.guest("T-1")
    shown = guest.upload("/instruments", "phq9.toml", FILE)
    assert shown.status_code == 200
    for said in ("made-up line nine", "all the time (3)", "too hard (3)", "made up for the tests", "stands apart",
                 "asks for a look at safety from 1 on"):  # fmt: skip
        assert said in shown.text
    assert house.cast.first.instruments() == ()
    guest.post("/instruments/keep", shown="another tab's")
    assert house.cast.first.instruments() == ()
    loaded_by(guest)
    assert "By right: made up for the tests" in guest.get("/instruments").text
    assert (
        guest.post("/instruments/keep", shown="").status_code == 303
    )  # nothing is left to be kept: nothing happens


def test_a_client_answers_in_its_own_words_and_answers(house: Building) -> None:
    guest = house.guest("T-1")
    loaded_by(guest)
    house.cast.first.take_on("K-01", agreed=tuple(Purpose))
    house.cast.first.log_session("K-01", BEGAN)
    assert '<option value="phq9">PHQ-9</option>' in guest.get("/clients/K-01").text
    token = house.cast.first.invite("K-01", 1, instrument="phq9").token
    client = house.guest()
    page = client.get(f"/c/{token}").text
    assert page.count('type="radio"') == 10 * 5
    assert "now and then" in page
    assert "A minute" not in page
    answers = {f"a__item{number}": "1" for number in range(1, 9)}
    sent = client.post(
        f"/c/{token}",
        instrument="phq9",
        key="some-sending",
        lang="en",
        a__item9="2",
        a__difficulty="skip",
        **answers,
    )
    assert sent.status_code == 200  # somebody's safety: the page with help
    (check_in,) = house.cast.first.check_ins("K-01")
    assert check_in.score is not None
    assert check_in.score["total"] == 10
    course = guest.get("/clients/K-01").text
    assert "phq9, item9" in course
    assert "made-up line two" in course
    again = client.post(
        f"/c/{token}",
        instrument="phq9",
        key="some-sending",
        lang="en",
        a__item9="2",
        a__difficulty="skip",
        **answers,
    )
    assert again.status_code == 200


def test_an_answer_that_is_none_of_the_choices_is_refused(house: Building) -> None:
    loaded_by(house.guest("T-1"))
    house.cast.first.take_on("K-01", agreed=tuple(Purpose))
    house.cast.first.log_session("K-01", BEGAN)
    token = house.cast.first.invite("K-01", 1, instrument="phq9").token
    refused = house.guest().post(
        f"/c/{token}", instrument="phq9", key="some-sending", lang="en", a__item1="4"
    )
    assert refused.status_code == 400
    assert house.cast.first.check_ins("K-01") == ()


def test_what_is_known_of_each_has_a_page_and_an_empty_form_where_it_takes_words(house: Building) -> None:
    guest = house.guest("T-1")
    for each in of_others():
        assert guest.get(f"/instruments/{each.id}").status_code == 200
        form = guest.get(f"/instruments/{each.id}/words.toml")
        assert form.status_code == (200 if each.takes_words else 404)
    assert guest.get("/instruments/none").status_code == 404
    empty = guest.get("/instruments/phq9/words.toml").content
    refused = guest.upload("/instruments", "phq9.toml", empty)
    assert refused.status_code == 400
    assert "right" in refused.text


def test_what_is_no_instrument_is_one_sentence(house: Building) -> None:
    guest = house.guest("T-1")
    for name, content in (
        ("a.toml", b"\xff\xfe"),
        ("a.json", b"{]"),
        ("a.csv", b"a,b\n1,2\n"),
        ("a.toml", b""),
    ):
        answer = guest.upload("/instruments", name, content)
        assert answer.status_code == 400
        assert "Traceback" not in answer.text
    assert house.cast.first.instruments() == ()


def test_what_another_system_gave_is_shown_and_then_taken_in(house: Building) -> None:
    seen(house.cast.second, "K-02")
    guest = house.guest("T-1")
    shown = guest.upload("/import", "from-the-clinic.json", json.dumps(BUNDLE).encode())
    assert "holds 1 client" in shown.text
    assert "Planted-Surname" not in shown.text
    assert house.cast.first.clients() == ()
    assert guest.post("/import/entries", shown=hidden(shown.text, "shown")).headers["location"] == "/caseload"
    assert [each.client.code for each in house.cast.first.clients()] == ["K-31"]
    assert guest.post("/import/entries", shown="").headers["location"] == "/import"


def test_totals_come_by_a_recipe(house: Building) -> None:
    guest = house.guest("T-1")
    table = b"client,session,date,ors,srs\nK-31,1,2026-03-02,18.5,34\nK-31,2,2026-03-09,22,36.5\n"
    shown = guest.client.post(
        "/import", files={"file": ("totals.csv", table)}, data={"what": "ors_srs"},
        headers={"origin": "http://127.0.0.1:8437", "sec-fetch-site": "same-origin"},
    )  # fmt: skip
    assert "4 totals" in shown.text, shown.text
    guest.post("/import/entries", shown=hidden(shown.text, "shown"))
    (rated,) = house.cast.first.rated()
    assert (rated.name, rated.ratings["score"].to_list()) == ("SRS", [34, 36.5])
    assert house.cast.first.own_tables().outcomes["outcome"].to_list() == [18.5, 22]
