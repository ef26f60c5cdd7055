"""Norms in the rooms: loaded and retired, one's own given and taken back, and what five together tell a manager."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN, PHRASES, elsewhere
from guest import hidden

from attunement.norms import Contribution, dump, load
from attunement.practice import Practice, Role
from attunement.sessions import Reflection
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from guest import Building, Guest

FILE = dump(elsewhere(usual=1.0)).encode()


def worked(practice: Practice, clients: int = 5) -> None:
    """Reflect four times on each client."""
    practice.unlock(PHRASES[practice.who.code])
    for client in range(clients):
        practice.take_on(f"N-{client}")
        for session in range(4):
            number = practice.log_session(f"N-{client}", BEGAN - timedelta(days=9 - session)).number
            felt = {"tense": float(3 + client + session) / 2, "curious": float((client * session) % 6)}
            practice.reflect(f"N-{client}", number, Reflection(connection=5, feelings=felt))


def given_by(practice: Practice, account: str, mean: float) -> None:
    """Let somebody more give numbers."""
    phrase = "kestrel basement violet ladder"
    practice.add_account(account, phrase, RecoveryCode.fresh(), roles=frozenset({Role.THERAPIST}), cost=LEAST)
    who = practice.sign_in(account, phrase)
    who.unlock(phrase)
    who.sign_out([Contribution("negative", BEGAN.date(), BEGAN.date(), mean=mean, clients=2.0, hours=30.0)])


def sent(guest: Guest, measure: str) -> str:
    """Give what is shown of one feeling; return the page after it."""
    page = guest.get("/norms").text
    answer = guest.post("/norms/signed", shown=hidden(page, "shown"), measure=measure)
    assert answer.headers["location"] == "/norms"
    return guest.get("/norms").text


def test_a_file_of_norms_is_loaded_and_used_no_longer_when_one_wants(house: Building) -> None:
    guest = house.guest("T-1")
    assert "No norms are loaded" in guest.get("/norms").text
    assert guest.upload("/norms", "norms.json", FILE).headers["location"] == "/norms"
    page = guest.get("/norms").text
    assert "Ash House" in page
    assert "unpleasant feelings</th><td>1</td><td>8</td>" in page
    (there,) = house.cast.first.norms_in_force()
    assert guest.post(f"/norms/{there.id}/retire").headers["location"] == "/norms"
    assert "No norms are loaded" in guest.get("/norms").text


@pytest.mark.parametrize("content", [b"", b"{}", b"client,session\n", b"\xff\xfe\x00", FILE[:-30]])
def test_what_is_no_file_of_norms_is_refused_in_one_sentence(house: Building, content: bytes) -> None:
    guest = house.guest("T-1")
    answer = guest.upload("/norms", "norms.json", content)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert house.cast.first.norms_in_force() == ()


def test_what_leaves_is_shown_first_and_can_be_taken_back(house: Building) -> None:
    worked(house.cast.first)
    guest = house.guest("T-1", unlocked=True)
    page = guest.get("/norms").text
    assert page == guest.get("/norms").text  # the lot is drawn once
    (positive, negative) = house.cast.first.to_sign_out(1)
    assert {positive.measure, negative.measure} == {"positive", "negative"}
    assert house.cast.first.signed_out() == ()
    said = sent(guest, "negative")
    assert "You can take it back until it is added" in said
    (kept,) = house.cast.first.signed_out()
    assert kept.numbers is not None
    assert f"<td>{kept.numbers.mean:.2f}</td>" in page
    guest.post(f"/norms/signed/{kept.id}/take-back")
    assert house.cast.first.signed_out() == ()


def test_what_was_given_in_another_tab_is_not_given_twice(house: Building) -> None:
    worked(house.cast.first)
    guest = house.guest("T-1", unlocked=True)
    shown = hidden(guest.get("/norms").text, "shown")
    for _ in range(2):
        guest.post("/norms/signed", shown=shown, measure="negative")
    assert "Nothing was given" in guest.get("/norms").text
    guest.post("/norms/signed", shown="another tab's", measure="positive")
    assert [each.measure for each in house.cast.first.signed_out()] == ["negative"]


def test_while_reflections_are_locked_nothing_of_them_is_shown(house: Building) -> None:
    worked(house.cast.first)
    page = house.guest("T-1").get("/norms").text
    assert "which are locked" in page
    assert "What would leave" not in page


def test_an_admins_page_is_the_same_with_no_notes_and_with_many(house: Building) -> None:
    admin = house.guest("A-1")
    before = admin.get("/norms").text
    worked(house.cast.first)
    assert admin.get("/norms").text == before
    assert "therapists who have signed out and are not added yet: 0" in before
    assert "Add them up" not in before


def test_five_together_are_told_to_an_admin_and_nobody_alone(house: Building) -> None:
    worked(house.cast.first)
    guest, admin = house.guest("T-1", unlocked=True), house.guest("A-1")
    sent(guest, "negative")
    for place in range(4):
        assert admin.post("/norms/publish", site="Elm House").status_code == 400
        given_by(house.cast.admin, f"X-{place}", mean=1.0 + place * 1.37)
    page = admin.get("/norms").text
    assert "Add them up" in page
    (own,) = house.cast.first.signed_out()
    assert own.numbers is not None
    assert f"{own.numbers.mean:.2f}" not in page
    admin.post("/norms/publish", site="Elm House")
    page = admin.get("/norms").text
    assert "the therapists here feel “unpleasant feelings” at" in page
    file = admin.get("/norms/practice.json")
    assert load(file.text).therapists("negative") == 5
    assert "attachment" in file.headers["content-disposition"]
    assert "added to others’, deleted here" in guest.get("/norms").text


def test_against_loaded_norms_the_mirror_tells_what_is_habitual(
    house: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attunement.web.understanding.PATIENCE", 60.0)
    worked(house.cast.first)
    guest = house.guest("T-1", unlocked=True)
    assert "nobody to hold your habit against" in guest.get("/mirror").text
    guest.upload("/norms", "norms.json", FILE)
    page = guest.get("/mirror").text
    assert "8 therapists of Ash House, 2026" in page
    assert "therapists who chose to take part" in page
    (there,) = house.cast.first.norms_in_force()
    guest.post(f"/norms/{there.id}/retire")
    assert "Ash House" not in guest.get("/mirror").text


def test_the_page_speaks_spanish(house: Building) -> None:
    page = house.guest("T-1").get("/norms?language=es").text
    assert "No hay baremos cargados" in page
    assert '<html lang="es">' in page
