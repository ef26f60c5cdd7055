"""Concerns, the protocol, what was tried, a client's own course, planned sessions, a table taken in, a second step."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from cast import ANSWERS, BEGAN, seen

from attunement.concerns import Concern, Protocol
from attunement.errors import Gone, InputError, Refused
from attunement.practice import Tried
from attunement.sessions import Purpose
from attunement.trajectories import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cast import Cast

WELL = {"distress": 1, "relationships": 9, "daily_life": 9, "hope": 9, "safety": 0}


def state(cast: Cast, answers: Mapping[str, float | None]) -> tuple[bool, tuple[Concern, ...]]:
    cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    cast.first.log_session("K-01", BEGAN)
    token = cast.first.invite("K-01", 1, instrument="state").token
    received = cast.client.receive(token, answers, "some-sending")
    return received.at_risk, cast.first.agenda().standings[0].concerns


def test_an_answer_on_safety_opens_a_concern_in_the_same_transaction(cast: Cast) -> None:
    at_risk, found = state(cast, {**WELL, "safety": 1})
    assert at_risk
    assert [(each.item, each.answer, each.session) for each in found] == [("state.safety", 1, 1)]


def test_all_other_answers_skipped_suppress_no_concern(cast: Cast) -> None:
    at_risk, found = state(cast, {**dict.fromkeys(WELL), "safety": 3})
    assert (at_risk, len(found)) == (True, 1)


def test_no_concern_opens_where_none_is_answered(cast: Cast) -> None:
    assert state(cast, WELL) == (False, ())


def test_a_double_tap_opens_one_concern(cast: Cast) -> None:
    cast.first.take_on("K-01", agreed=[Purpose.CHECK_INS])
    cast.first.log_session("K-01", BEGAN)
    token = cast.first.invite("K-01", 1, instrument="state").token
    answers = {**WELL, "safety": 5}
    assert len({cast.client.receive(token, answers, "some-sending") for _ in range(3)}) == 1
    assert len(cast.first.concerns("K-01")) == 1


def test_a_concern_is_closed_by_what_was_done_when_and_by_whom_and_only_once(cast: Cast) -> None:
    state(cast, {**WELL, "safety": 5})
    concern = cast.first.agenda().standings[0].concerns[0].id
    with pytest.raises(InputError, match="1 to 2,000"):
        cast.first.close_concern(concern, "  ", BEGAN)
    with pytest.raises(InputError, match="future"):
        cast.first.close_concern(concern, "called", BEGAN + timedelta(days=400))
    with pytest.raises(Refused):
        cast.second.close_concern(concern, "called", BEGAN)
    cast.first.close_concern(concern, "called, made a safety plan", BEGAN)
    (closed,) = cast.first.concerns("K-01")
    assert (closed.done, closed.done_at, closed.closed_by) == ("called, made a safety plan", BEGAN, "T-1")
    assert cast.first.agenda().standings[0].concerns == ()
    with pytest.raises(InputError, match="closed already"):
        cast.first.close_concern(concern, "something else", BEGAN)


def test_the_protocol_is_the_practices_own_and_earlier_ones_stay(cast: Cast) -> None:
    assert cast.client.protocol() == Protocol()
    theirs = Protocol("Call 112.", "Llame al 112.", "112", "Call the person on duty.")
    cast.admin.set_protocol(theirs)
    assert cast.client.protocol() == cast.first.protocol() == theirs
    with pytest.raises(Refused):
        cast.first.set_protocol(Protocol())
    assert [row["verb"] for row in cast.admin.journal() if row["verb"] == "set protocol"] == [
        "set protocol"
    ] * 2


def test_where_a_step_is_open_the_next_check_in_asks_about_it(cast: Cast) -> None:
    seen(cast.first, "K-01", 1)
    cast.first.log_session("K-01", BEGAN)
    token = cast.first.invite("K-01", 2).token
    assert not cast.client.invitation(token).step
    cast.first.choose_step("K-01", "ask about the silence")
    assert cast.client.invitation(token).step
    cast.client.receive(token, ANSWERS, "some-sending", Tried("yes", 7))
    cast.first.lock()
    with zipfile.ZipFile(io.BytesIO(cast.first.export("K-01"))) as archive:
        assert archive.read("step_answers.csv").decode().split() == ["session,talked,helped", "2,yes,7.0"]


def test_a_client_sees_their_own_course_by_their_own_sending_alone(cast: Cast) -> None:
    seen(cast.first, "K-01", 2)
    cast.first.log_session("K-01", BEGAN)
    token = cast.first.invite("K-01", 3).token
    cast.first.show_curve("K-01", shown=True)
    with pytest.raises(Gone):
        cast.client.own_curve(token, "my-sending")
    assert cast.client.receive(token, ANSWERS, "my-sending").curve
    assert [number for number, _ in cast.client.own_curve(token, "my-sending")] == [1, 2, 3]
    with pytest.raises(Gone):
        cast.client.own_curve(token, "another-sending")
    cast.hands.pass_by(timedelta(minutes=16))
    with pytest.raises(Gone):
        cast.client.own_curve(token, "my-sending")


def test_a_withdrawn_link_works_no_longer(cast: Cast) -> None:
    seen(cast.first, "K-01", 1)
    invited = cast.first.invite("K-01", 1)
    with pytest.raises(Refused):
        cast.second.withdraw_invitation(invited.invitation.id)
    cast.first.withdraw_invitation(invited.invitation.id)
    with pytest.raises(Gone):
        cast.client.receive(invited.token, ANSWERS, "some-sending")


def test_a_planned_session_is_held_or_moved(cast: Cast) -> None:
    cast.first.take_on("K-01")
    cast.first.log_session("K-01", BEGAN + timedelta(days=1), attendance="planned")
    later = BEGAN + timedelta(days=2)
    assert cast.first.change_session("K-01", 1, began=later).attendance == "planned"
    held = cast.first.change_session("K-01", 1, attendance="late", lateness=10)
    assert (held.began, held.attendance, held.lateness) == (later, "late", 10)
    with pytest.raises(InputError, match="Session 2"):
        cast.first.change_session("K-01", 2, attendance="held")


def test_a_table_is_taken_in_as_a_measure_of_its_own_all_or_nothing(cast: Cast) -> None:
    seen(cast.first, "K-01", 2)
    table = pl.DataFrame(
        {"client": ["K-01", "K-01", "M-02"], "session": [2, 3, 1], "score": [30.0, 31.0, 12.0]}
    )
    taken = cast.first.take_in(table, "ORS totals", Measure(0, 40))
    assert (taken.clients, taken.sessions, taken.ratings) == (1, 2, 3)
    check_ins, imported = cast.first.rated()
    assert (check_ins.ratings.height, imported.ratings.height) == (2, 3)
    assert imported.measure == Measure(0, 40)
    before = cast.first.agenda().rated
    with pytest.raises(InputError, match="already"):
        cast.first.take_in(table, "ORS totals", Measure(0, 40))
    bad = table.with_columns(client=pl.Series(["K-01", "K-01", "a@b.c"]))
    with pytest.raises(InputError, match="code"):
        cast.first.take_in(bad, "other", Measure(0, 40))
    assert cast.first.agenda().rated == before
    assert cast.second.rated() == ()
    cast.first.erase("M-02")
    assert cast.first.agenda().rated != before
    assert cast.first.verify()["record"].whole


def test_the_agenda_holds_ones_own_clients_and_how_they_stand(cast: Cast) -> None:
    seen(cast.first, "K-01", 2)
    seen(cast.second, "K-02", 1)
    cast.first.log_session("K-01", BEGAN + timedelta(days=30), attendance="planned")
    cast.first.invite("K-01", 3)
    cast.first.choose_step("K-01", "slower")
    (standing,) = cast.first.agenda().standings
    assert (standing.code, len(standing.sessions), set(standing.answered)) == ("K-01", 3, {1, 2})
    assert standing.last is not None
    assert (standing.last.session, standing.last.answers["safe"]) == (2, 2)
    assert [each.session for each in standing.invitations] == [3]
    assert [each.what for each in standing.steps] == ["slower"]
    assert set(standing.agreed) == set(Purpose)


def test_a_second_step_is_ones_own_and_is_used_once(cast: Cast) -> None:
    mine = cast.first.add_factor("code", "my phone", b"secret")
    assert cast.first.use_factor(mine.id, 7)
    assert not cast.first.use_factor(mine.id, 7)
    assert cast.second.factors() == ()
    with pytest.raises(Refused):
        cast.second.remove_factor(mine.id)
    cast.first.remove_factor(mine.id)
    assert cast.first.factors() == ()
