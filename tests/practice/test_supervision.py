"""Sharing with a supervisor: compared keys, a signature, an end, and a way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cast import BEGAN, PHRASES, Cast

from attunement.errors import Gone, InputError, KeyChanged, Refused
from attunement.sessions import Purpose, Reflection
from attunement.vault.sharing import PrivateKeys

if TYPE_CHECKING:
    from attunement.practice import Practice


@pytest.fixture
def both(cast: Cast) -> Cast:
    """T-1 has reflected on K-1, and has compared keys with S-1."""
    cast.first.take_on("K-1", agreed=[Purpose.SUPERVISION])
    cast.first.log_session("K-1", BEGAN)
    for account in ("T-1", "S-1"):
        cast.of(account).unlock(PHRASES[account])
    cast.first.reflect("K-1", 1, Reflection(connection=3, words="mine alone"))
    cast.first.pin("S-1", cast.supervisor.fingerprint("S-1"))
    cast.supervisor.pin("T-1", cast.first.fingerprint("T-1"))
    return cast


def soon(cast: Cast, days: int = 3) -> datetime:
    return cast.hands.wall() + timedelta(days=days)


def with_other_keys(practice: Practice, account: str) -> None:
    """Put other public keys in somebody's place, as an admin with the record's key could."""
    keyfile = practice.house.keyfile
    theirs = keyfile.accounts[account]
    assert theirs.own is not None
    swapped = replace(theirs, own=replace(theirs.own, public=PrivateKeys.fresh(account).public))
    accounts = {**keyfile.accounts, account: swapped}
    practice.house.set_keys(replace(keyfile, accounts=accounts).signed(practice.house.keys["record"]))


def test_a_supervisor_reads_what_was_shared_and_nobody_else_does(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both))
    assert both.supervisor.open_share(shared.id).words == "mine alone"
    assert [each.id for each in both.supervisor.shares()] == [shared.id]
    assert both.second.shares() == ()
    both.second.unlock(PHRASES["T-2"])
    for other in (both.second, both.admin):
        with pytest.raises(Refused):
            other.open_share(shared.id)


def test_both_see_the_same_fingerprint(both: Cast) -> None:
    assert both.first.fingerprint("S-1") == both.supervisor.fingerprint("S-1")
    with pytest.raises(KeyChanged, match="not the fingerprint"):
        both.first.pin("S-1", both.first.fingerprint("T-1"))


def test_nothing_is_shared_with_one_whose_key_was_not_compared(both: Cast) -> None:
    with pytest.raises(InputError, match="in person"):
        both.first.share("K-1", 1, "T-2", until=soon(both))


def test_a_changed_key_is_a_loud_warning_and_nothing_is_shared(both: Cast) -> None:
    with_other_keys(both.first, "S-1")
    with pytest.raises(KeyChanged, match="WARNING"):
        both.first.share("K-1", 1, "S-1", until=soon(both))
    assert both.first.shares() == ()


def test_a_share_whose_senders_key_has_changed_is_not_opened(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both))
    with_other_keys(both.first, "T-1")
    with pytest.raises(KeyChanged, match="WARNING"):
        both.supervisor.open_share(shared.id)


def test_a_share_that_was_taken_back_is_gone_at_the_next_opening(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both))
    both.supervisor.open_share(shared.id)
    with pytest.raises(Refused):
        both.supervisor.revoke(shared.id)
    both.first.revoke(shared.id)
    with pytest.raises(Gone):
        both.supervisor.open_share(shared.id)


def test_a_share_ends_on_its_day_and_a_clock_set_back_does_not_revive_it(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both, 1))
    both.hands.pass_by(timedelta(hours=23))
    both.supervisor.unlock(PHRASES["S-1"])
    assert both.supervisor.open_share(shared.id).connection == 3
    both.hands.pass_by(timedelta(hours=2))
    both.supervisor.unlock(PHRASES["S-1"])
    both.hands.back = timedelta(days=400)
    with pytest.raises(Gone):
        both.supervisor.open_share(shared.id)
    assert both.supervisor.shares() == ()


@pytest.mark.parametrize("hours", [-5, 0, 9])
def test_the_end_of_a_share_may_be_said_in_any_zone(both: Cast, hours: int) -> None:
    until = soon(both).astimezone(timezone(timedelta(hours=hours)))
    assert both.supervisor.open_share(both.first.share("K-1", 1, "S-1", until=until).id).words == "mine alone"


def test_the_end_of_a_share_without_a_zone_is_this_computers(both: Cast) -> None:
    until = soon(both).astimezone().replace(tzinfo=None)
    shared = both.first.share("K-1", 1, "S-1", until=until)
    assert shared.expires == soon(both).replace(microsecond=shared.expires.microsecond)
    assert both.supervisor.open_share(shared.id).words == "mine alone"


@pytest.mark.parametrize("days", [0, -1, 91])
def test_a_share_ends_within_ninety_days(both: Cast, days: int) -> None:
    with pytest.raises(InputError, match="90 days"):
        both.first.share("K-1", 1, "S-1", until=soon(both, days))


def test_a_later_writing_is_not_shared_with_the_earlier(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both))
    both.first.reflect("K-1", 1, Reflection(words="written since"))
    assert both.supervisor.open_share(shared.id).words == "mine alone"


def test_a_reflection_that_was_destroyed_is_shared_no_more(both: Cast) -> None:
    shared = both.first.share("K-1", 1, "S-1", until=soon(both))
    both.first.destroy_reflection("K-1", 1)
    with pytest.raises(Gone):
        both.supervisor.open_share(shared.id)
    assert both.first.verify()["record"].whole


def test_nothing_is_shared_without_the_clients_consent(both: Cast) -> None:
    both.first.withdraw_consent("K-1", Purpose.SUPERVISION)
    with pytest.raises(Refused, match="not agreed to supervision"):
        both.first.share("K-1", 1, "S-1", until=soon(both))
