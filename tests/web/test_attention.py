"""What wants attention, and why: the reason that weighs most first, and nothing that is only noise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from attunement.concerns import Concern
from attunement.practice.agenda import Agenda, Standing
from attunement.ruptures import ruptures
from attunement.sessions import CheckIn, Client, Dyad, Invitation, Purpose, Reflection, Session, Step
from attunement.simulate import simulate
from attunement.simulate.published import Published
from attunement.trajectories import Measure, trajectories
from attunement.web.attention import Case, Weight, cases
from attunement.web.working import Board, Worked

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def standing(code: str = "K-07", **known: object) -> Standing:
    person = Client(f"id-{code}", code, NOW - timedelta(days=90))
    ended = known.pop("ended", None)
    dyad = Dyad(f"dyad-{code}", "T-1", person, NOW - timedelta(days=90), ended)  # type: ignore[arg-type]
    return Standing(dyad, **known)  # type: ignore[arg-type]


def session(number: int, ago: timedelta, attendance: str = "held") -> Session:
    return Session(f"s{number}", "K-07", number, NOW - ago, attendance)


def found(
    *standings: Standing, noted: dict[tuple[str, int], Reflection | None] | None = None
) -> tuple[Case, ...]:
    return cases(Agenda(NOW, NOW, standings, "1"), Worked("1", ()), noted or {})


def badges(case: Case) -> list[str]:
    return [reason.badge for reason in case.reasons]


def test_nothing_that_is_as_usual_wants_attention() -> None:
    (case,) = found(standing(sessions=(session(1, timedelta(days=1)),), answered=frozenset({1})))
    assert (case.reasons, case.calls) == ((), False)


def test_safety_comes_before_everything_and_calls() -> None:
    concern = Concern("c", "K-07", 1, NOW, "state.safety", 2.0)
    other = standing("A-01", steps=(Step("s", "A-01", NOW, "slower"),))
    first, second = found(other, standing("Z-99", concerns=(concern,)))
    assert (first.code, first.calls, second.calls) == ("Z-99", True, False)
    assert "2 of 10" in first.reasons[0].sentence
    assert first.reasons[0].weight is Weight.SAFETY


def test_a_concern_about_one_who_no_longer_comes_stays() -> None:
    concern = Concern("c", "K-07", None, NOW, why="quiet")
    (case,) = found(standing(ended=NOW, concerns=(concern,)))
    assert badges(case) == ["safety"]


def test_who_no_longer_comes_wants_nothing_and_stands_last() -> None:
    ended = standing(
        "A-01", ended=NOW, sessions=(session(1, timedelta(days=1)),), agreed=frozenset({Purpose.CHECK_INS})
    )
    assert [case.code for case in found(ended, standing("Z-99"))] == ["Z-99", "A-01"]
    assert found(ended)[0].reasons == ()


@pytest.mark.parametrize(("hours", "missing"), [(1, False), (5, True), (24 * 20, True), (24 * 30, False)])
def test_a_check_in_is_missing_after_a_while_and_not_for_ever(hours: int, missing: bool) -> None:
    held = session(1, timedelta(hours=hours))
    (case,) = found(standing(sessions=(held,), agreed=frozenset({Purpose.CHECK_INS})))
    assert badges(case) == (["no check-in"] if missing else [])
    assert not case.calls  # to be known, and nothing red


def test_none_is_missing_where_none_was_agreed_or_no_session_was_held() -> None:
    missed = session(1, timedelta(days=1), "missed")
    held = session(1, timedelta(days=1))
    agreed = frozenset({Purpose.CHECK_INS})
    assert found(standing(sessions=(held,)))[0].reasons == ()
    assert found(standing(sessions=(missed,), agreed=agreed))[0].reasons == ()


def test_it_says_whether_a_link_was_sent() -> None:
    sent = Invitation("i", "K-07", 1, "connection", NOW + timedelta(days=1))
    held = (session(1, timedelta(days=1)),)
    agreed = frozenset({Purpose.CHECK_INS})
    (case,) = found(standing(sessions=held, agreed=agreed, invitations=(sent,)))
    assert case.reasons[0].sentence.endswith("its link still works.")


@pytest.mark.parametrize(("answer", "named"), [(None, False), (4, False), (5, True), (10, True)])
def test_what_got_in_the_way_is_named_from_the_middle_on(answer: float | None, named: bool) -> None:
    last = CheckIn("c", "K-07", 1, NOW, "connection", "1", {"hindering": answer})
    (case,) = found(standing(last=last, said=last))
    assert bool(case.reasons) is named


def test_a_strain_is_told_from_ones_own_words_until_it_is_repaired() -> None:
    strained, repaired = Reflection(strain=("withdrew", "named")), Reflection(strain=("withdrew", "repaired"))
    (case,) = found(standing(), noted={("K-07", 3): strained})
    assert (
        case.reasons[0].sentence
        == "You noted that they withdrew in session 3, and it was named; no repair is noted yet."
    )
    assert found(standing(), noted={("K-07", 3): repaired})[0].reasons == ()
    assert found(standing(), noted={("K-07", 3): strained, ("K-07", 4): Reflection()})[0].reasons == ()
    assert found(standing("M-21"), noted={("K-07", 3): strained})[0].reasons == ()


def test_a_planned_session_that_is_over_asks_whether_it_was_held() -> None:
    (case,) = found(standing(sessions=(session(1, timedelta(hours=3), "planned"),)))
    assert badges(case) == ["was it held?"]
    (soon,) = found(standing(sessions=(session(1, timedelta(hours=-3), "planned"),)))
    assert (soon.reasons, soon.next is not None) == ((), True)


def test_a_fall_is_told_with_its_chance_and_how_often_it_is_wrong() -> None:
    made = simulate(1, 16, seed=4, plant={"falling": 1, "stalled": 1, "slow": 1})
    caseload = trajectories(made.ratings, Measure.of("connection"))
    worked = Worked("1", (Board("connection", "the check-in", caseload),))
    everybody = tuple(standing(each.client) for each in caseload)
    agenda = Agenda(NOW, NOW, everybody, "1")
    first, *rest = cases(agenda, worked, {})
    assert first.code == caseload.trajectories[0].client
    assert "%" in first.reasons[0].sentence
    assert "2 in 410" in first.reasons[0].rate
    assert sum(case.calls for case in rest) <= 2
    pending = cases(agenda, None, {})
    assert {case.word for case in pending} == {"being worked out"}


def torn_board(last: float) -> tuple[Board, str]:
    """A practice in which one client's rating fell by half the scale two sessions ago, and where it is now."""
    ratings = simulate(
        1, 24, seed=5, sessions=8, settings=Published(rupture_chance=0.0, missing_share=0.0)
    ).ratings
    code = str(ratings["client"][0])
    own = ratings["client"] == code
    fall = ratings.with_columns(
        score=pl.when(own & (ratings["session"] >= 7))
        .then(pl.when(ratings["session"] == 7).then(2.0).otherwise(last))
        .otherwise("score")
    )
    caseload = trajectories(fall, Measure.of("connection"))
    return Board("connection", "Connection", caseload, {}, ruptures(caseload)), code


def test_a_rupture_that_is_open_is_named_with_how_often_such_a_word_is_wrong() -> None:
    board, code = torn_board(2.0)
    (case,) = cases(Agenda(NOW, NOW, (standing(code),), "1"), Worked("1", (board,)), {})
    (reason,) = [each for each in case.reasons if each.weight is Weight.RUPTURE]
    assert (reason.badge, reason.calls) == ("probable rupture", True)
    assert "A probable rupture at session 7: 2.0, where" in reason.sentence
    assert "Of 100 sessions where nothing is wrong, about 5 look like this." in reason.sentence
    assert "would be seen at once in about" in reason.rate


def test_a_rupture_that_is_over_is_no_reason() -> None:
    quiet = simulate(1, 24, seed=5, settings=Published(rupture_chance=0.0)).ratings
    caseload = trajectories(quiet, Measure.of("connection"))
    board = Board("connection", "Connection", caseload, {}, ruptures(caseload))
    shut = [each for each in board.ruptures.looked if not each.open]  # type: ignore[union-attr]
    codes = tuple(standing(each.client) for each in shut)
    found = cases(Agenda(NOW, NOW, codes, "1"), Worked("1", (board,)), {})
    assert not [each for case in found for each in case.reasons if each.weight is Weight.RUPTURE]
