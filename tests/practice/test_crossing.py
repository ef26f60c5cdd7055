"""What comes from other systems and goes to them: all or nothing, twice the same as once, never a reflection."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone

import pytest
from cast import BEGAN, PHRASES, Cast, reflected, seen

from attunement.errors import InputError, Locked
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, TotalEntry
from attunement.practice import Crossed
from attunement.sessions import Purpose, Reflection

WEEK = timedelta(days=7)
LINES: dict[str, float | None] = {f"item{number}": 1 for number in range(1, 10)} | {"difficulty": None}
ANSWERED = AnswersEntry("K-07", 1, BEGAN, "phq9", "2001", LINES | {"item9": 0})
FILE: tuple[Entry, ...] = (
    ClientEntry("K-07", BEGAN),
    SessionEntry("K-07", 1, BEGAN),
    SessionEntry("K-07", 2, BEGAN + WEEK, "late", 10),
    ANSWERED,
    TotalEntry("K-07", 2, BEGAN + WEEK, "ors", "total", 21.5),
)


def state(cast: Cast) -> tuple[object, ...]:
    return cast.first.clients(), cast.first.entries(), cast.first.concerns("K-01")


def test_a_file_is_taken_in_and_what_goes_out_is_what_came_in(cast: Cast) -> None:
    assert cast.first.take_in_entries(FILE) == Crossed(clients=1, sessions=2, answers=1, totals=1)
    assert cast.first.entries("K-07") == FILE
    assert cast.first.entries() == FILE


def test_taking_a_file_in_twice_changes_nothing(cast: Cast) -> None:
    cast.first.take_in_entries(FILE)
    assert cast.first.take_in_entries(FILE) == Crossed(there=len(FILE))
    assert cast.first.entries() == FILE


def test_what_one_practice_gives_another_takes(cast: Cast) -> None:
    seen(cast.first, "K-01", sessions=3)
    given = cast.first.entries()
    cast.second.take_in_entries(given)
    assert cast.second.entries() == given


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (replace(ANSWERED, instrument="phq_9"), "there is no instrument 'phq_9' here"),
        (replace(ANSWERED, version="2"), "phq9 is here in version 2001, and these answers are to '2'"),
        (replace(ANSWERED, answers={"item1": 1}), "item2 has no answer"),
        (replace(ANSWERED, answers=LINES | {"item9": 4}), "item9 is 4; it takes one of 0, 1, 2, 3"),
        (TotalEntry("K-07", 1, None, "ors", "total", 41), "ors, total is 41; it takes a number from 0 to 40"),
        (TotalEntry("K-07", 2, None, "ors", "total", 20), "there is another total of ors already, 21.5"),
        (TotalEntry("K-07", 2, None, "ors", "lines", 20), "'lines' is no scale of ors"),
        (SessionEntry("K-07", 1, BEGAN + WEEK), "Session 1 of K-07 is there with another beginning"),
        (SessionEntry("K-07", 3, BEGAN, "asleep"), "attendance is 'asleep'; it takes one of"),
        (SessionEntry("K-07", 0, BEGAN), "Session 0 of K-07 is no count of sessions"),
        (SessionEntry("K-07", 3, BEGAN, lateness=-1), "lateness is -1"),
        (TotalEntry("K-07", 1, None, "fwc58", "important", 1), "has no place in the record"),
        (ClientEntry("", BEGAN), "code"),
        (ClientEntry("K-99", BEGAN, BEGAN, "vanished"), "'vanished' is no ending"),
        (ClientEntry("K-99", BEGAN, BEGAN - WEEK), "ends before it begins"),
        (SessionEntry("K-07", 2, BEGAN + WEEK, "late", 25), "with another beginning, attendance or lateness"),
        (SessionEntry("K-07", 3, datetime.max.replace(tzinfo=timezone(-WEEK / 14))), "is out of all range"),
    ],
)
def test_one_wrong_entry_leaves_all_of_the_file_out(cast: Cast, wrong: Entry, said: str) -> None:
    seen(cast.first, "K-01")
    cast.first.take_in_entries(FILE)
    before = state(cast)
    with pytest.raises(InputError, match=said):
        cast.first.take_in_entries((ClientEntry("K-50"), SessionEntry("K-50", 1), wrong))
    assert state(cast) == before


def test_nothing_is_no_file(cast: Cast) -> None:
    with pytest.raises(InputError, match="nothing in it"):
        cast.first.take_in_entries(())


def test_answers_make_the_session_that_they_are_of(cast: Cast) -> None:
    assert cast.first.take_in_entries([ANSWERED]) == Crossed(clients=1, sessions=1, answers=1)
    assert [each.began for each in cast.first.sessions("K-07")] == [BEGAN]


def test_totals_of_outcomes_are_outcomes_and_those_of_the_bond_a_measure(cast: Cast) -> None:
    cast.first.take_in_entries(FILE)
    outcomes = cast.first.own_tables().outcomes
    assert sorted(outcomes.select("instrument", "session", "outcome").rows()) == [
        ("ors", 2, 21.5),
        ("phq9", 1, 8.0),
    ]
    assert cast.first.rated() == ()


def test_the_latest_answers_raise_a_concern_and_earlier_ones_do_not(cast: Cast) -> None:
    def at(session: int, answer: float) -> AnswersEntry:
        return replace(
            ANSWERED, session=session, at=BEGAN + session * WEEK, answers=LINES | {"item9": answer}
        )

    assert cast.first.take_in_entries([at(1, 2), at(2, 0)]).at_risk == 0
    assert cast.first.take_in_entries([at(3, 0), at(4, 1)]).at_risk == 1
    (concern,) = cast.first.concerns("K-07")
    assert (concern.session, concern.item, concern.answer) == (4, "phq9.item9", 1)


def test_a_later_session_in_which_the_line_was_skipped_takes_no_risk_away(cast: Cast) -> None:
    skipped = replace(ANSWERED, session=2, at=BEGAN + WEEK, answers=LINES | {"item9": None})
    assert cast.first.take_in_entries([replace(ANSWERED, answers=LINES | {"item9": 3}), skipped]).at_risk == 1
    (concern,) = cast.first.concerns("K-07")
    assert (concern.session, concern.answer) == (1, 3)


def test_within_a_session_the_worst_answer_counts_in_whatever_order_they_stand(cast: Cast) -> None:
    late = replace(ANSWERED, at=BEGAN + WEEK / 14, answers=LINES | {"item9": 3})
    assert cast.first.take_in_entries([late, ANSWERED]).at_risk == 1


def test_what_was_left_out_is_filled_in(cast: Cast) -> None:
    cast.first.take_in_entries([ClientEntry("K-07", BEGAN), SessionEntry("K-07", 1)])
    full = (ClientEntry("K-07", BEGAN, BEGAN + 9 * WEEK, "agreed"), SessionEntry("K-07", 1, BEGAN, "held", 4))
    cast.first.take_in_entries(full)
    assert cast.first.entries() == full
    with pytest.raises(InputError, match="K-07 is there with another ending"):
        cast.first.take_in_entries([replace(full[0], ended=BEGAN + 8 * WEEK)])


def test_a_client_who_ended_and_of_whom_no_beginning_is_known_began_with_the_first_session(
    cast: Cast,
) -> None:
    cast.first.take_in_entries([ClientEntry("K-07", ended=BEGAN + WEEK), SessionEntry("K-07", 1, BEGAN)])
    assert cast.first.entries()[0] == ClientEntry("K-07", BEGAN, BEGAN + WEEK)


def test_answers_of_which_all_but_the_ninth_were_skipped_still_raise_one(cast: Cast) -> None:
    skipped: dict[str, float | None] = dict.fromkeys(ANSWERED.answers, None)
    assert cast.first.take_in_entries([replace(ANSWERED, answers=skipped | {"item9": 1})]).at_risk == 1


def test_somebody_elses_clients_stay_theirs(cast: Cast) -> None:
    seen(cast.second, "K-07")
    theirs = cast.second.entries()
    cast.first.take_in_entries(FILE)
    assert cast.second.entries() == theirs


def test_no_entry_could_carry_a_reflection_and_none_leaves_while_they_are_open(cast: Cast) -> None:
    seen(cast.first, "K-01", agreed=tuple(Purpose))
    before = cast.first.entries()
    reflected(cast.first, "K-01", 2)
    assert cast.first.entries() == before
    cast.first.unlock(PHRASES["T-1"])
    with pytest.raises(Locked):
        cast.first.entries()
    carried = {
        each.name for kind in (ClientEntry, SessionEntry, AnswersEntry, TotalEntry) for each in fields(kind)
    }
    assert not carried & {each.name for each in fields(Reflection)}


def test_a_session_that_a_file_merely_counts_is_the_one_of_its_day_or_the_next(cast: Cast) -> None:
    cast.first.take_in_entries(FILE)
    risky = LINES | {"item9": 3}
    week = replace(ANSWERED, session=1, at=BEGAN + 5 * WEEK, answers=risky, counted=True)
    weekly = (SessionEntry("K-07", 1, BEGAN + 5 * WEEK, counted=True), week)
    assert cast.first.take_in_entries(weekly) == Crossed(sessions=1, answers=1, at_risk=1)
    assert [each.began for each in cast.first.sessions("K-07")] == [BEGAN, BEGAN + WEEK, BEGAN + 5 * WEEK]
    assert cast.first.concerns("K-07")[0].session == 3
    assert cast.first.take_in_entries(weekly).there == 2
    undated = replace(week, session=2, at=None)
    cast.first.take_in_entries([undated])
    assert undated.session in {each.session for each in cast.first.check_ins("K-07")}


def test_of_a_client_who_is_new_the_files_own_count_stands(cast: Cast) -> None:
    cast.first.take_in_entries([replace(ANSWERED, session=4, counted=True)])
    assert [each.number for each in cast.first.sessions("K-07")] == [4]
