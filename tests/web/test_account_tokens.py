"""Programs that may ask, on the page of one's account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES
from guest import hidden
from program import bearing

from attunement.practice import Scope
from attunement.web.api import ENDPOINTS

if TYPE_CHECKING:
    from guest import Building

FORM = {"name": "billing", "scopes": "sessions:read", "days": "30", "passphrase": PHRASES["T-1"]}


def test_a_token_is_made_by_the_passphrase_shown_once_and_removed(house: Building) -> None:
    guest = house.guest("T-1")
    made = guest.post("/account/tokens", **FORM)
    (secret,) = re.findall(r"att_[\w-]{43}", made.text)
    assert bearing(house, secret).get("/token").json()["scopes"] == ["sessions:read"]
    listed = guest.get("/account").text
    assert "billing" in listed
    assert secret not in listed
    (kept,) = house.cast.first.tokens()
    assert guest.post(f"/account/tokens/{kept.id}/remove").status_code == 303
    assert bearing(house, secret).get("/token").status_code == 401
    assert "billing" not in guest.get("/account").text


@pytest.mark.parametrize(
    "wrong",
    [{"passphrase": "not this one"}, {"scopes": "reflections:read"}, {"scopes": ""}, {"days": "0"}, {"days": "366"},
     {"days": "1.5"}, {"days": ""}, {"name": ""}, {"name": "x" * 61}, {"another": "field"}],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_no_token(house: Building, wrong: dict[str, str]) -> None:
    guest = house.guest("T-1")
    answer = guest.post("/account/tokens", **{**FORM, **wrong})
    assert answer.status_code == 400
    assert "att_" not in answer.text
    assert house.cast.first.tokens() == ()


def test_without_a_ticked_scope_nothing_is_made(house: Building) -> None:
    fields = {name: value for name, value in FORM.items() if name != "scopes"}
    assert house.guest("T-1").post("/account/tokens", **fields).status_code == 400


def test_somebody_elses_token_cannot_be_removed(house: Building) -> None:
    theirs = house.cast.second.add_token("theirs", [Scope.STEPS_READ]).token.id
    guest = house.guest("T-1")
    refused, nobodys = (guest.post(f"/account/tokens/{each}/remove") for each in (theirs, "no"))
    assert (refused.status_code, refused.text) == (404, nobodys.text)
    assert len(house.cast.second.tokens()) == 1


def test_who_is_no_therapist_sees_nothing_of_programs(house: Building) -> None:
    assert "Programs that may ask" not in house.guest("A-1").get("/account").text
    assert "Programs that may ask" in house.guest("T-1").get("/account").text


def test_the_page_for_programs_names_every_endpoint_and_needs_no_script(house: Building) -> None:
    page = house.guest().get("/api/v1/")
    assert page.status_code == 200
    assert "<script" not in page.text
    for each in ENDPOINTS:
        assert f"{each.method} /api/v1{each.path}" in page.text
        assert each.summary in page.text.replace("&#39;", "'")


def test_a_passphrase_is_never_carried_on_by_the_lock(house: Building) -> None:
    guest = house.guest("T-1")
    house.rooms.visits.lock(house.rooms.visits.all_of("T-1")[0])
    page = guest.post("/account/tokens", **FORM).text
    assert PHRASES["T-1"] not in page
    assert hidden(page, "then") == "/account/tokens"
