"""A page reads many things: each leaves its entry, and all are on the disk before any is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cast import ANSWERS, BEGAN, PHRASES, Cast

from attunement.errors import NotStored, Refused
from attunement.practice import together
from attunement.sessions import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.practice import Practice
    from attunement.sessions import Session


@pytest.fixture
def seen(cast: Cast) -> Callable[[], list[str]]:
    """What the record's journal says since now, by verb and outcome."""
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN)
    record = cast.first.house.record
    since = record.tip.seq

    def said() -> list[str]:
        rows = record.entries(after=since)
        return [f"{row['verb']}{'' if row['outcome'] == 'done' else ' ' + row['outcome']}" for row in rows]

    return said


def test_entries_of_one_page_are_on_the_disk_before_it_is_shown(
    cast: Cast, seen: Callable[[], list[str]]
) -> None:
    with together():
        cast.first.sessions("K-01")
        cast.first.contacts("K-01")
        assert seen() == []
    assert seen() == ["see sessions", "see contacts"]


def test_they_say_about_whom_as_each_would_alone(cast: Cast, seen: Callable[[], list[str]]) -> None:
    cast.first.sessions("K-01")
    with together():
        cast.first.sessions("K-01")
    alone, one = cast.first.house.record.entries()[-2:]
    assert seen() == ["see sessions"] * 2
    assert (alone["about"], alone["who"]) == (one["about"], one["who"])
    assert alone["about"]


def test_what_was_read_before_a_change_is_written_before_it(
    cast: Cast, seen: Callable[[], list[str]]
) -> None:
    with together():
        cast.first.sessions("K-01")
        cast.first.change_session("K-01", 1, attendance="late")
        cast.first.contacts("K-01")
    assert seen() == ["see sessions", "change session", "see contacts"]


def test_what_was_read_before_a_refusal_is_written_too(cast: Cast, seen: Callable[[], list[str]]) -> None:
    @together()
    def page() -> None:
        cast.first.sessions("K-01")
        cast.first.sessions("K-02")

    with pytest.raises(Refused):
        page()
    assert sorted(seen()) == ["see sessions", "see sessions refused"]


def test_reflections_that_are_locked_on_the_same_page_were_noted_before(cast: Cast) -> None:
    cast.first.take_on("K-01")
    cast.first.unlock(PHRASES["T-1"])
    with together():
        cast.first.reflections("K-01")
        cast.first.lock()
    cast.first.unlock(PHRASES["T-1"])
    vault, _ = cast.first.house.reflections["T-1"].use()
    assert "see reflections" in [row["verb"] for row in vault.entries()]


def test_where_the_disk_fails_nothing_of_it_is_shown(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.first.take_on("K-01")

    def full(*_: object) -> None:
        raise NotStored("The disk is full: nothing was stored.")

    @together()
    def page() -> tuple[Session, ...]:
        read = cast.first.sessions("K-01")
        monkeypatch.setattr(cast.first.house.record, "do", full)
        return read

    with pytest.raises(NotStored):
        page()
    monkeypatch.undo()
    cast.first.contacts("K-01")
    assert (
        cast.first.house.record.entries()[-1]["verb"] == "see contacts"
    )  # the next is not kept waiting by it


def test_what_was_rated_is_counted_anew_whenever_it_may_have_changed(
    cast: Cast, seen: Callable[[], list[str]]
) -> None:
    def stamp(practice: Practice) -> str:
        kept, fresh = practice.rated_stamp().rated, _counted_anew(practice)
        assert kept == fresh
        return kept

    before = stamp(cast.first)
    cast.second.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN)
    assert stamp(cast.first) == before
    token = cast.first.invite("K-01", 1).token
    cast.first.for_client().receive(token, ANSWERS, "a-sending-of-this")
    answered = stamp(cast.first)
    assert answered != before
    cast.first.erase("K-01")
    assert stamp(cast.first) == before
    assert "see trajectories" in seen()


def _counted_anew(practice: Practice) -> str:
    practice.house.counted.clear()
    return practice.rated_stamp().rated
