"""One's own tables for the analyses: of the record always, of the reflections only while they are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from cast import ANSWERS, PHRASES, copied, seen

from attunement import frames
from attunement.agreement import agreement
from attunement.countertransference import countertransference
from attunement.errors import Refused
from attunement.impact import engagement
from attunement.ruptures import ruptures
from attunement.sessions import Reflection
from attunement.steps import helped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cast import Cast

CONTRACTS = (
    "ratings", "sessions", "check_ins", "outcomes", "reflections", "days", "namings", "tags", "endings", "steps",
)  # fmt: skip
GUESS = {"safe": 5.0, "understood": 6.0, "supported": 5.0, "not_judged": 6.0, "could_say": 5.0}
FULL = Reflection(
    connection=4, guess=GUESS, feelings={"bored": 6.0, "warm": 2.0}, whose="theirs", my_day=3.0,
    tags=("trigger: PLANTED silence", "origin: PLANTED"), words="PLANTED words",
)  # fmt: skip


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    whole = copied(tmp_path / "practice")
    for client in ("K-01", "K-02"):
        seen(whole.first, client, sessions=4)
    whole.first.unlock(PHRASES["T-1"])
    whole.first.reflect("K-01", 1, FULL)
    whole.first.reflect("K-01", 2, Reflection(guess=GUESS, feelings={"bored": 1.0}, after_seeing=True))
    whole.first.reflect("K-01", 3, Reflection(feelings={"bored": 9.0}, finished=False))
    yield whole
    whole.close()


def test_each_table_holds_to_its_contract(cast: Cast) -> None:
    own = cast.first.own_tables()
    for name in CONTRACTS:
        held = frames.hold(own, frames.CONTRACTS[name])
        assert held.height == getattr(own, name).height


def test_a_session_has_its_rating_its_lines_and_the_guess_that_was_made_before_it_was_seen(
    cast: Cast,
) -> None:
    own = cast.first.own_tables()
    assert own.ratings.height == own.sessions.height == own.check_ins.height == 8
    first = own.ratings.filter(client="K-01").sort("session")
    assert first["guess"].to_list() == [pytest.approx(5.4), None, None, None]
    lines = own.check_ins.filter(client="K-02", session=3).row(0, named=True)
    assert (lines["safe"], lines["understood"], lines["matters"]) == (3, ANSWERS["understood"], None)


def test_notes_are_there_while_they_are_open_and_unfinished_ones_are_not(cast: Cast) -> None:
    own = cast.first.own_tables()
    assert sorted(own.reflections.select("session", "feeling", "strength").rows()) == [
        (1, "bored", 6.0), (1, "warm", 2.0), (2, "bored", 1.0),
    ]  # fmt: skip
    assert own.days["my_day"].to_list() == [3.0]
    assert own.namings["whose"].to_list() == ["theirs"]
    assert sorted(own.tags.select("kind", "tag").rows()) == [
        ("origin", "PLANTED"),
        ("trigger", "PLANTED silence"),
    ]
    cast.first.lock()
    locked = cast.first.own_tables()
    assert all(getattr(locked, name).is_empty() for name in ("reflections", "days", "namings", "tags"))
    assert locked.ratings["guess"].null_count() == 8
    assert locked.ratings.drop("guess").equals(own.ratings.drop("guess"))


def test_they_are_ones_own_and_show_nothing_of_what_was_written(cast: Cast) -> None:
    seen(cast.second, "K-09")
    assert set(cast.first.own_tables().ratings["client"]) == {"K-01", "K-02"}
    assert set(cast.second.own_tables().ratings["client"]) == {"K-09"}
    assert cast.second.own_tables().reflections.is_empty()
    for other in (cast.supervisor, cast.admin, cast.client):
        with pytest.raises(Refused):
            other.own_tables()
    assert "PLANTED" not in repr(cast.first.own_tables())
    entries = " ".join(map(str, cast.admin.journal()))
    assert "PLANTED" not in entries


def test_a_door_of_the_library_takes_them(cast: Cast) -> None:
    own = cast.first.own_tables()
    assert ruptures(own).all.sentence
    assert agreement(own).all.sentence
    assert engagement(own, own, sessions=own).all.sentence.startswith("Not yet")
    assert helped(own).all.sentence.startswith("Not yet")
    told = countertransference(own, days=own)
    assert told.elicited("K-01").sentence.startswith("Not yet")
    assert isinstance(told.frame(), pl.DataFrame)
