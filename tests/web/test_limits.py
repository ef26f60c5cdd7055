"""Guesses are slowed down, each kind by itself, and what is kept of them is bounded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cast import ANSWERS, BEGAN, PHRASES
from test_at_once import together

from attunement.sessions import Purpose
from attunement.web import limits
from attunement.web.limits import TRIES, Limit

if TYPE_CHECKING:
    import pytest
    from guest import Building


def wrong(limit: Limit, name: limits.Name, times: int) -> list[bool]:
    return [limit.may_try(name) for _ in range(times)]


def test_a_name_that_is_typed_falls_together_with_no_other_kind() -> None:
    limit = Limit(seconds=lambda: 0.0)
    assert wrong(limit, ("account", "127.0.0.1", ""), TRIES + 1)[-1] is False
    for other in (("token", "", "127.0.0.1"), ("account", "", "127.0.0.1"), ("address", "127.0.0.1", "")):
        assert limit.may_try(other)


def test_who_was_right_is_forgiven_and_nobody_else() -> None:
    limit = Limit(seconds=lambda: 0.0)
    for name in (("account", "T-1", "a"), ("account", "T-2", "a")):
        wrong(limit, name, TRIES)
    limit.right(("account", "T-1", "a"))
    assert limit.may_try(("account", "T-1", "a"))
    assert not limit.may_try(("account", "T-2", "a"))


def test_an_hour_forgives() -> None:
    now = [0.0]
    limit = Limit(seconds=lambda: now[0])
    name = ("account", "T-1", "a")
    assert wrong(limit, name, TRIES + 1)[-1] is False
    assert limit.remembers(name)
    now[0] = limits.SPAN
    assert not limit.remembers(name)
    assert limit.may_try(name)


def test_of_ten_thousand_who_are_remembered_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST", 50)
    limit = Limit(seconds=lambda: 0.0)
    for number in range(60):
        wrong(limit, ("account", f"T-{number}", ""), TRIES)
    assert limit.may_try(("account", "T-0", ""))
    assert not limit.may_try(("account", "T-59", ""))


def link(house: Building) -> str:
    house.cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    house.cast.first.log_session("K-01", BEGAN)
    return house.cast.first.invite("K-01", 1).token


def test_a_right_link_is_heard_from_an_address_that_guessed(house: Building) -> None:
    token, guest = link(house), house.guest()
    statuses = [guest.get(f"/c/{'x' * 40}{number:03d}").status_code for number in range(40)]
    assert statuses == [404] * TRIES + [429] * 20
    assert house.rooms.wrong_tokens == 40
    assert guest.get(f"/c/{token}").status_code == 200
    form = {f"a__{item}": "skip" if value is None else f"{value:g}" for item, value in ANSWERS.items()}
    assert guest.post(f"/c/{token}", instrument="connection", key="one-sending", **form).status_code == 303


def test_guesses_at_once_are_counted_and_the_right_link_is_heard(house: Building) -> None:
    token = link(house)
    guests = [house.guest() for _ in range(30)]
    guesses = [partial(each.get, f"/c/{'y' * 40}{n:03d}") for n, each in enumerate(guests)]
    answers = together(*guesses)
    assert {each.status_code for each in answers} <= {404, 429}  # type: ignore[attr-defined]
    assert TRIES <= house.rooms.wrong_tokens <= len(guests)
    assert guests[0].get(f"/c/{'y' * 43}").status_code == 429
    assert guests[0].get(f"/c/{token}").status_code == 200


def test_guesses_fill_no_journal(house: Building) -> None:
    link(house)
    guest, journal = house.guest(), house.cast.first.house.record
    before = journal.tip.seq
    for number in range(200):
        guest.get(f"/c/{'z' * 40}{number:03d}")
    assert journal.tip.seq - before <= TRIES + 1


def test_a_used_link_that_is_opened_again_is_no_guess(house: Building) -> None:
    token, guest = link(house), house.guest()
    house.cast.client.receive(token, ANSWERS, "one-sending")
    assert [guest.get(f"/c/{token}").status_code for _ in range(30)] == [404] * 30
    assert house.rooms.wrong_tokens == 0


def test_a_phrase_that_is_right_is_taken_after_errors(house: Building) -> None:
    guest = house.guest()
    for _ in range(TRIES - 1):
        assert guest.post("/sign-in", account="T-1", passphrase="no", then="/").status_code == 401
    assert guest.post("/sign-in", account="T-1", passphrase=PHRASES["T-1"], then="/").status_code == 303
