"""A step: what it answers, when the client is asked about it, what they say, and what came of it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cast import ANSWERS, BEGAN, Cast

from attunement import frames
from attunement.errors import InputError, Refused
from attunement.practice import Tried
from attunement.sessions import UNDATED, Purpose, StepAnswer
from attunement.steps import helped

if TYPE_CHECKING:
    from attunement.practice import Practice

WEEK = timedelta(days=7)


@pytest.fixture
def week(cast: Cast) -> Cast:
    """A first session was held; it is a day later."""
    cast.first.take_on("K-01", agreed=tuple(Purpose))
    cast.first.log_session("K-01", BEGAN)
    cast.hands.pass_by(timedelta(days=1))
    return cast


def asked(practice: Practice, session: int, instrument: str = "connection") -> bool:
    return (
        practice.for_client().invitation(practice.invite("K-01", session, instrument=instrument).token).step
    )


def answer(practice: Practice, session: int, tried: Tried) -> None:
    token = practice.invite("K-01", session).token
    practice.for_client().receive(token, ANSWERS, f"sending-{session}", tried)


def test_a_step_is_asked_about_after_the_next_session_and_not_after_the_one_before(week: Cast) -> None:
    week.first.choose_step("K-01", "name it")
    week.first.log_session("K-01", BEGAN + WEEK)
    assert (asked(week.first, 1), asked(week.first, 2)) == (False, True)


def test_what_was_chosen_within_the_hour_belongs_to_it(week: Cast) -> None:
    week.first.log_session("K-01", BEGAN + timedelta(days=1, minutes=-40))
    week.first.choose_step("K-01", "name it")
    assert asked(week.first, 2)


def test_what_is_asked_before_a_session_asks_about_no_step(week: Cast) -> None:
    week.first.choose_step("K-01", "name it")
    week.first.log_session("K-01", BEGAN + WEEK)
    assert not asked(week.first, 2, "state")
    assert asked(week.first, 2, "growth")


def test_a_session_without_a_date_asks_about_what_is_open(week: Cast) -> None:
    week.first.choose_step("K-01", "name it")
    week.first.log_session("K-01", UNDATED)
    assert asked(week.first, 2)


@pytest.mark.parametrize(
    ("said", "again"),
    [
        (Tried("yes", 8), False),
        (Tried("yes"), False),
        (Tried(None, 3), False),
        (Tried("no"), True),
        (Tried(), True),
    ],
)
def test_it_is_asked_until_they_have_answered(week: Cast, said: Tried, again: bool) -> None:
    week.first.choose_step("K-01", "name it")
    for number in (2, 3):
        week.first.log_session("K-01", BEGAN + number * WEEK)
    answer(week.first, 2, said)
    assert asked(week.first, 3) is again


def test_a_closed_step_is_not_asked_about_and_an_earlier_one_is(week: Cast) -> None:
    first = week.first.choose_step("K-01", "name it")
    second = week.first.choose_step("K-01", "slow down")
    week.first.log_session("K-01", BEGAN + WEEK)
    week.first.close_step(second.id, "done")
    assert asked(week.first, 2)
    answer(week.first, 2, Tried("yes", 6))
    assert [each.answers for each in week.first.steps("K-01")] == [(StepAnswer(2, "yes", 6.0),), ()]
    assert week.first.steps("K-01")[0].id == first.id


def test_what_they_say_stands_with_the_step_and_the_session(week: Cast) -> None:
    week.first.choose_step("K-01", "name it", "torn")
    for number in (2, 3):
        week.first.log_session("K-01", BEGAN + number * WEEK)
    answer(week.first, 2, Tried("no", 9))
    answer(week.first, 3, Tried("yes", 7))
    (step,) = week.first.steps("K-01")
    assert (step.about, step.after, step.answers[1]) == ("torn", 1, StepAnswer(3, "yes", 7.0))
    assert (step.talked, step.helped) == ("yes", 7.0)


@pytest.mark.parametrize(("about", "repaired"), [("PLANTED", None), ("torn", "PLANTED"), ("", None)])
def test_what_a_step_is_about_and_whether_it_is_repaired_are_fixed_words(
    week: Cast, about: str, repaired: str | None
) -> None:
    step = week.first.choose_step("K-01", "name it").id
    with pytest.raises(InputError) as refused:  # noqa: PT012 - one of the two is wrong
        week.first.choose_step("K-01", "name it", about)
        week.first.close_step(step, "done", repaired)
    assert "PLANTED" not in str(refused.value)


def test_a_repair_stands_with_who_it_is_with_until_it_is_taken_back(week: Cast) -> None:
    step = week.first.choose_step("K-01", "name it", "strain")
    closed = week.first.close_step(step.id, "they told me", "yes")
    assert (closed.outcome, closed.repaired) == ("they told me", "yes")
    (standing,) = week.first.agenda().standings
    assert ([each.id for each in standing.repairs], standing.steps) == ([step.id], ())
    reopened = week.first.reopen_step(step.id)
    assert (reopened.outcome, reopened.repaired) == (None, None)
    assert week.first.agenda().standings[0].repairs == ()


def test_a_step_chosen_by_mistake_goes_unless_the_client_has_spoken_of_it(week: Cast) -> None:
    wrong = week.first.choose_step("K-01", "the wrong one")
    week.first.drop_step(wrong.id)
    assert week.first.steps("K-01") == ()
    step = week.first.choose_step("K-01", "name it")
    week.first.log_session("K-01", BEGAN + WEEK)
    answer(week.first, 2, Tried("yes", 7))
    with pytest.raises(InputError, match="stays"):
        week.first.drop_step(step.id)
    assert week.admin.verify()["record"].whole


def test_anothers_step_is_not_there(week: Cast) -> None:
    step = week.first.choose_step("K-01", "name it").id
    for act in (week.second.drop_step, week.second.reopen_step):
        with pytest.raises(Refused):
            act(step)
    assert week.second.steps() == ()
    assert [each.client for each in week.first.steps()] == ["K-01"]


def test_own_tables_have_steps_endings_and_contacts(week: Cast) -> None:
    week.first.take_on("K-02")
    week.first.take_on("K-03")
    week.first.take_on("K-04")
    week.first.end("K-02", "left")
    week.first.end("K-03")
    week.first.end("K-04", "agreed")
    step = week.first.choose_step("K-01", "name it", "torn")
    week.first.close_step(step.id, "done", "partly")
    week.first.log_contact("K-01", BEGAN, kind="call", begun_by="client")
    own = week.first.own_tables()
    assert frames.endings(own).select("client", "ending").rows() == [
        ("K-01", "still here"),
        ("K-02", "left"),
        ("K-04", "agreed"),
    ]
    (row,) = frames.steps(own).rows(named=True)
    assert (row["client"], row["step"], row["session"], row["about"], row["repaired"]) == (
        "K-01", 1, 1, "torn", "partly",
    )  # fmt: skip
    assert own.contacts.select("client", "kind", "begun_by").rows() == [("K-01", "call", "client")]
    assert helped(own).all.sentence.startswith("Not yet: no client has answered")


def test_how_it_ended_can_be_said_later_and_goes_when_they_come_again(week: Cast) -> None:
    ended = week.first.end("K-01").ended
    week.hands.pass_by(timedelta(days=3))
    later = week.first.end("K-01", "agreed")
    assert (later.ended, later.ending) == (ended, "agreed")
    assert week.first.clients()[0].ending == "agreed"
    again = week.first.resume("K-01")
    assert (again.ended, again.ending) == (None, None)
    with pytest.raises(InputError, match="agreed, left"):
        week.first.end("K-01", "PLANTED")


def test_the_clients_record_says_what_was_tried_and_how_it_ended(week: Cast) -> None:
    step = week.first.choose_step("K-01", "name it", "torn")
    week.first.close_step(step.id, "done", "yes")
    week.first.end("K-01", "agreed")
    with zipfile.ZipFile(io.BytesIO(week.first.export("K-01"))) as archive:
        record = json.loads(archive.read("record.json"))
    (tried,) = record["steps"]
    assert (tried["about"], tried["outcome"], tried["repaired"]) == ("torn", "done", "yes")
    assert record["client"][0]["ending"] == "agreed"
