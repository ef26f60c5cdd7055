"""A client handed over in the rooms: offered on their page, taken on by another code, taken back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN, seen

if TYPE_CHECKING:
    from guest import Building, Guest


@pytest.fixture
def pair(house: Building) -> tuple[Guest, Guest]:
    """T-1, who has K-01, and T-2, who has K-02."""
    seen(house.cast.first, "K-01")
    seen(house.cast.second, "K-02")
    return house.guest("T-1"), house.guest("T-2")


def until(house: Building) -> str:
    """A day within three weeks by the cast's clock, as a browser sends it."""
    return f"{house.cast.first.agenda().now.astimezone():%Y-%m-28T12:00}"


def offered(house: Building) -> str:
    return house.cast.second.handovers()[0].id


def test_a_client_page_leads_to_handing_over_and_the_caseload_to_what_is_offered(
    pair: tuple[Guest, Guest],
) -> None:
    first, _ = pair
    assert 'href="/clients/K-01/hand-over"' in first.get("/clients/K-01").text
    assert 'href="/handovers"' in first.get("/caseload").text
    page = first.get("/clients/K-01/hand-over").text
    assert set(re.findall(r'<option value="([^"]*)"', page)) == {"T-2"}


def test_a_transfer_goes_from_one_page_to_the_other(house: Building, pair: tuple[Guest, Guest]) -> None:
    first, second = pair
    sent = first.post("/clients/K-01/hand-over", to="T-2", kind="transfer", course="yes")
    assert (sent.status_code, sent.headers["location"]) == (303, "/handovers")
    shown = second.get("/handovers").text
    assert "A client of T-1" in shown
    assert "K-01" not in shown
    taken = second.post(f"/handovers/{offered(house)}/accept", client="L-07")
    assert (taken.status_code, taken.headers["location"]) == (303, "/clients/L-07")
    assert "L-07" in second.get("/clients/L-07").text
    assert "K-01" not in second.get("/handovers").text
    assert "ended" in first.get("/clients/K-01").text
    assert "Accepted by T-2" in first.get("/handovers").text


def test_a_code_that_is_taken_is_said_and_the_offer_stays(house: Building, pair: tuple[Guest, Guest]) -> None:
    first, second = pair
    first.post("/clients/K-01/hand-over", to="T-2", kind="transfer")
    answer = second.post(f"/handovers/{offered(house)}/accept", client="K-02")
    assert answer.status_code == 400
    assert "K-02 already" in answer.text
    assert "A client of T-1" in answer.text


@pytest.mark.parametrize(
    "form",
    [
        {"to": "T-2", "kind": "gift"},
        {"to": "T-2", "kind": "cover", "until": "tomorrow"},
        {"to": "T-2", "kind": "cover", "until": "2020-01-01T10:00"},
        {"to": "S-1", "kind": "transfer"},
        {"to": "", "kind": "transfer"},
    ],
)
def test_an_offer_that_cannot_be_is_said_on_the_form(pair: tuple[Guest, Guest], form: dict[str, str]) -> None:
    answer = pair[0].post("/clients/K-01/hand-over", **form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Hand over K-01" in answer.text


def test_a_cover_is_told_on_the_page_and_ends_when_it_is_taken_back(
    house: Building, pair: tuple[Guest, Guest]
) -> None:
    first, second = pair
    assert (
        first.post("/clients/K-01/hand-over", to="T-2", kind="cover", until=until(house)).status_code == 303
    )
    cover = offered(house)
    second.post(f"/handovers/{cover}/accept", client="L-07")
    page = second.get("/clients/L-07").text
    assert "You cover this client until" in page
    assert "hand-over" not in page
    assert "You cover this client for a colleague" in second.get("/clients/L-07/hand-over").text
    assert "End the cover now" in first.get("/handovers").text
    assert first.post(f"/handovers/{cover}/withdraw").status_code == 303
    gone, nobodys = second.get("/clients/L-07"), second.get("/clients/L-77")
    assert (gone.status_code, gone.text.replace("L-07", "L-77")) == (404, nobodys.text)


def test_the_page_of_a_client_who_was_handed_over_offers_nothing_that_is_the_others(
    house: Building, pair: tuple[Guest, Guest]
) -> None:
    first, second = pair
    first.post("/clients/K-01/hand-over", to="T-2", kind="transfer")
    second.post(f"/handovers/{offered(house)}/accept", client="L-07")
    page = first.get("/clients/K-01").text
    assert "/resume" not in page
    assert "/consents" not in page
    assert "/consents" in second.get("/clients/L-07").text
    answer = first.post("/clients/K-01/resume")
    assert answer.status_code == 400
    assert "ask whoever has this client now to hand them back" in answer.text


def test_an_offer_by_one_who_has_left_says_by_which_code_they_knew_the_client(
    house: Building, pair: tuple[Guest, Guest]
) -> None:
    _, second = pair
    house.cast.admin.end_account("T-1")
    house.cast.admin.hand_on("T-1", "T-2")
    page = second.get("/handovers").text
    assert "T-1 has left the practice, and knew this client as K-01." in page
    taken = second.post(f"/handovers/{offered(house)}/accept", client="L-07")
    assert (taken.status_code, taken.headers["location"]) == (303, "/clients/L-07")


def test_an_offer_is_declined_or_taken_back(house: Building, pair: tuple[Guest, Guest]) -> None:
    first, second = pair
    for who, verb in ((second, "decline"), (first, "withdraw")):
        first.post("/clients/K-01/hand-over", to="T-2", kind="transfer")
        assert who.post(f"/handovers/{offered(house)}/{verb}").status_code == 303
        assert house.cast.second.handovers() == ()


def test_a_concern_of_a_cover_is_told_to_whoever_was_covered_for(
    house: Building, pair: tuple[Guest, Guest]
) -> None:
    first, second = pair
    first.post("/clients/K-01/hand-over", to="T-2", kind="cover", until=until(house))
    cover = offered(house)
    second.post(f"/handovers/{cover}/accept", client="L-07")
    house.cast.second.log_session("L-07", BEGAN)
    concern = house.cast.second.raise_concern("L-07", "PLANTED CONCERN", session=1)
    first.post(f"/handovers/{cover}/withdraw")
    for page in ("/today", "/clients/K-01"):
        shown = first.get(page).text
        assert "A concern of the colleague who covered for you: PLANTED CONCERN" in shown
    form = {"done": "called", "done_at": f"{BEGAN.astimezone():%Y-%m-%dT%H:%M}"}
    assert first.post(f"/clients/K-01/concerns/{concern.id}", **form).status_code == 303


@pytest.mark.parametrize(("language", "said"), [("en", "Hand over K-01"), ("es", "Traspasar a K-01")])
def test_both_pages_speak_both_languages(pair: tuple[Guest, Guest], language: str, said: str) -> None:
    first, _ = pair
    page = first.get(f"/clients/K-01/hand-over?language={language}").text
    assert said in page
    assert f'<html lang="{language}">' in first.get("/handovers").text
