"""Reports for supervision: shared like a reflection, as a kind of their own, and gone with what they tell of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cast import BEGAN, PHRASES, Cast
from test_supervision import with_other_keys

from attunement.errors import Damaged, Gone, InputError, KeyChanged, Locked, Refused
from attunement.practice import Role
from attunement.sessions import Purpose, Reflection
from attunement.supervising import Moment, Parts, Report, Tried
from attunement.vault import tables
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.practice import Practice
    from attunement.vault.rows import Rows

ASKED = Report(
    "K-1", "T-1", BEGAN.date(), "What is it that I cannot bear?", Parts(steps=(Tried(BEGAN.date(), "wait"),))
)
OWN = replace(ASKED, parts=Parts(moment=Moment(1, words="PLANTED words")))


@pytest.fixture
def both(cast: Cast) -> Cast:
    """T-1 has reflected on K-1, and has compared keys with S-1."""
    cast.first.take_on("K-1", agreed=[Purpose.SUPERVISION])
    cast.first.log_session("K-1", BEGAN)
    for account in ("T-1", "S-1"):
        cast.of(account).unlock(PHRASES[account])
    cast.first.reflect("K-1", 1, Reflection(connection=3, words="PLANTED words"))
    cast.first.pin("S-1", cast.supervisor.fingerprint("S-1"))
    cast.supervisor.pin("T-1", cast.first.fingerprint("T-1"))
    return cast


def soon(cast: Cast, days: int = 3) -> datetime:
    return cast.hands.wall() + timedelta(days=days)


def kept(practice: Practice) -> list[dict[str, object]]:
    with practice.house.record.reading(KEEPER) as rows:
        return rows.all(sa.select(tables.share))


def edit(practice: Practice, **values: object) -> None:
    """Write over every share, as somebody with the record's key could."""

    def work(rows: Rows) -> None:
        for row in rows.all(sa.select(tables.share)):
            rows.change(tables.share, row, **values)
        rows.note("A-1", "edit", "")

    practice.house.record.do(work, KEEPER)


def test_a_supervisor_opens_the_report_that_was_shared_and_nobody_else_does(both: Cast) -> None:
    shared = both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    assert shared.kind == "report"
    assert both.supervisor.open_report(shared.id) == OWN
    (listed,) = both.supervisor.shares()
    assert (listed.id, listed.kind, listed.client) == (shared.id, "report", "")
    assert [each.client for each in both.first.shares()] == ["K-1"]
    both.second.unlock(PHRASES["T-2"])
    for other in (both.second, both.admin, both.first):
        with pytest.raises(Refused):
            other.open_report(shared.id)


def test_another_supervisor_does_not_open_it(both: Cast) -> None:
    phrase = "marble window seventeen otter"
    both.first.sign_in("A-1", PHRASES["A-1"]).add_account(
        "S-2", phrase, RecoveryCode.fresh(), roles=frozenset({Role.SUPERVISOR}), cost=LEAST
    )
    other = both.first.sign_in("S-2", phrase)
    other.unlock(phrase)
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    with pytest.raises(Gone) as theirs:
        other.open_report(shared.id)
    with pytest.raises(Gone) as nobodys:
        other.open_report("no share")
    assert str(theirs.value) == str(nobodys.value)
    edit(both.first, recipient="S-2")
    other.pin("T-1", other.fingerprint("T-1"))
    with pytest.raises(Damaged):
        other.open_report(shared.id)


def test_a_report_is_no_reflection_and_a_reflection_no_report(both: Cast) -> None:
    report = both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    reflection = both.first.share("K-1", 1, "S-1", until=soon(both))
    with pytest.raises(Gone):
        both.supervisor.open_share(report.id)
    with pytest.raises(Gone):
        both.supervisor.open_report(reflection.id)


@pytest.mark.parametrize("kind", ["report", "reflection"])
def test_a_row_whose_kind_was_edited_does_not_open(both: Cast, kind: str) -> None:
    if kind == "report":
        opened = both.first.share("K-1", 1, "S-1", until=soon(both)).id
    else:
        opened = both.first.share_report("K-1", OWN, "S-1", until=soon(both)).id
    edit(both.first, kind=kind)
    with pytest.raises(Damaged, match="cannot be opened"):
        (both.supervisor.open_report if kind == "report" else both.supervisor.open_share)(opened)


@pytest.mark.parametrize(
    "column", ["expires", "basis", "note", "client", "revision", "sender", "body", "box"]
)
def test_a_row_that_was_edited_does_not_open(both: Cast, column: str) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    before = kept(both.first)[0][column]
    instead: dict[type, Callable[[], object]] = {
        int: lambda: 7, bytes: lambda: b"x" * 100, datetime: lambda: soon(both, 400), str: lambda: "T-2",
    }  # fmt: skip
    other = instead[type(before)]()
    edit(both.first, **{column: other})
    if column == "sender":
        both.supervisor.pin("T-2", both.supervisor.fingerprint("T-2"))
    with pytest.raises(Damaged):
        both.supervisor.open_report(shared.id)


def test_it_ends_on_its_day_and_its_row_is_swept_away(both: Cast) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both, 1))
    both.hands.pass_by(timedelta(hours=25))
    assert len(kept(both.first)) == 1
    both.supervisor.unlock(PHRASES["S-1"])
    assert kept(both.first) == []
    with pytest.raises(Gone):
        both.supervisor.open_report(shared.id)
    assert both.supervisor.shares() == ()
    assert both.first.verify()["record"].whole


def test_a_list_sweeps_too(both: Cast) -> None:
    both.first.share_report("K-1", ASKED, "S-1", until=soon(both, 1))
    both.first.share_report("K-1", ASKED, "S-1", until=soon(both, 5))
    both.hands.pass_by(timedelta(days=2))
    assert len(both.first.shares()) == 1
    assert len(kept(both.first)) == 1


def test_taken_back_it_is_gone(both: Cast) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    for other in (both.supervisor, both.second):
        with pytest.raises(Refused):
            other.revoke(shared.id)
    both.first.revoke(shared.id)
    with pytest.raises(Gone):
        both.supervisor.open_report(shared.id)


def test_with_the_consent_the_reports_go(both: Cast) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    both.first.withdraw_consent("K-1", Purpose.SUPERVISION)
    with pytest.raises(Gone):
        both.supervisor.open_report(shared.id)
    for act in (
        lambda: both.first.share_report("K-1", ASKED, "S-1", until=soon(both)),
        lambda: both.first.take_out_report("K-1", ASKED),
    ):
        with pytest.raises(Refused, match="not agreed to supervision"):
            act()


def test_with_the_client_the_reports_go(both: Cast) -> None:
    both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    both.first.erase("K-1")
    assert kept(both.first) == []


def test_with_a_reflection_every_report_about_that_client_goes_for_findings_may_tell_of_it_too(
    both: Cast,
) -> None:
    reports = [both.first.share_report("K-1", each, "S-1", until=soon(both)) for each in (OWN, ASKED)]
    both.first.destroy_reflection("K-1", 1)
    for each in reports:
        with pytest.raises(Gone):
            both.supervisor.open_report(each.id)


def test_whoever_has_left_shares_nothing_any_more(both: Cast) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    both.admin.end_account("T-1")
    assert both.supervisor.shares() == ()
    with pytest.raises(Gone):
        both.supervisor.open_report(shared.id)


def test_nothing_is_shared_with_one_who_has_left_or_is_no_supervisor(both: Cast) -> None:
    both.admin.end_account("S-1")
    both.first.pin("T-2", both.first.fingerprint("T-2"))
    for account in ("S-1", "T-2"):
        with pytest.raises(InputError, match="no supervisor here"):
            both.first.share_report("K-1", ASKED, account, until=soon(both))
    assert kept(both.first) == []


def test_a_changed_key_is_refused_on_either_side(both: Cast) -> None:
    shared = both.first.share_report("K-1", ASKED, "S-1", until=soon(both))
    with_other_keys(both.first, "T-1")
    with pytest.raises(KeyChanged, match="WARNING"):
        both.supervisor.open_report(shared.id)
    with_other_keys(both.first, "S-1")
    assert {each.account: each.compared for each in both.first.colleagues()} == {"S-1": "changed"}
    with pytest.raises(KeyChanged, match="WARNING"):
        both.first.share_report("K-1", ASKED, "S-1", until=soon(both))


def test_colleagues_are_those_whom_one_can_share_with_and_what_was_compared(both: Cast) -> None:
    assert {each.account: each.compared for each in both.first.colleagues()} == {"S-1": "yes"}
    assert {each.account: each.compared for each in both.supervisor.colleagues()} == {
        "T-1": "yes",
        "T-2": "no",
    }
    both.first.lock()
    with pytest.raises(Locked):
        both.first.colleagues()


@pytest.mark.parametrize("days", [0, -1, 91])
def test_a_share_ends_within_ninety_days(both: Cast, days: int) -> None:
    with pytest.raises(InputError, match="90 days"):
        both.first.share_report("K-1", ASKED, "S-1", until=soon(both, days))


def test_a_report_of_a_reflection_that_is_not_there_is_not_shared(both: Cast) -> None:
    other = replace(OWN, parts=Parts(moment=Moment(2, words="x")))
    with pytest.raises(InputError, match="not there yet"):
        both.first.share_report("K-1", other, "S-1", until=soon(both))
    both.first.log_session("K-1", BEGAN)
    with pytest.raises(InputError, match="no reflection about session 2"):
        both.first.take_out_report("K-1", other)


def test_what_stands_in_a_report_stands_in_no_journal_and_no_row(both: Cast) -> None:
    shared = both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    both.supervisor.open_report(shared.id)
    both.first.take_out_report("K-1", OWN)
    journal = both.admin.journal()
    assert [row["verb"] for row in journal][-3:] == ["share report", "open report", "take out report"]
    for said in ("PLANTED", "cannot bear", "K-1"):
        assert said not in str(journal)
        assert said not in str(kept(both.first))


def test_after_new_keys_a_report_still_opens(both: Cast) -> None:
    shared = both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    everything = both.first.sign_in("A-1", PHRASES["A-1"])
    everything.rotate_keys(PHRASES["A-1"], RecoveryCode.fresh(), cost=LEAST)
    both.supervisor.unlock(PHRASES["S-1"])
    assert both.supervisor.open_report(shared.id) == OWN


def test_a_record_without_reports_and_one_with_them_are_exported_alike(both: Cast) -> None:
    both.first.lock()
    both.supervisor.lock()
    before = both.first.export("K-1")
    both.first.unlock(PHRASES["T-1"])
    both.first.share_report("K-1", OWN, "S-1", until=soon(both))
    both.first.lock()
    assert both.first.export("K-1") == before
