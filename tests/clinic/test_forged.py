"""What somebody who may write to the database cannot do unseen: give an account other roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cast import PHRASES

from attunement.errors import Damaged
from attunement.vault.whom import OWNER

if TYPE_CHECKING:
    from cast import Cast


def forged(cast: Cast, statement: str) -> None:
    """Write to the record beside the program, as its tables' owner."""
    database = cast.first.house.database
    assert database is not None
    with database.connected("record_1") as connection:
        connection.execute(f'SET ROLE "{OWNER}"')
        assert connection.execute(statement).rowcount == 1


def test_an_account_that_was_given_anothers_roles_does_not_sign_in(in_database: Cast) -> None:
    first = in_database.first
    assert first.sign_in("S-1", PHRASES["S-1"]).who.code == "S-1"
    copied = "UPDATE account SET roles = (SELECT roles FROM account WHERE id = 'A-1') WHERE id = 'S-1'"
    forged(in_database, copied)
    with pytest.raises(Damaged, match="The account S-1 is not as the journal says"):
        first.sign_in("S-1", PHRASES["S-1"])
    assert first.sign_in("A-1", PHRASES["A-1"]).who.code == "A-1"
    assert not first.house.record.verify().whole


def test_an_account_signs_in_after_it_was_changed_and_under_a_new_key_of_the_journal(
    in_database: Cast,
) -> None:
    first = in_database.first
    first.set_email("somebody@clinic.example")
    first.house.record.renew_chain_key()
    assert first.sign_in("T-1", PHRASES["T-1"]).who.code == "T-1"
    first.set_email("other@clinic.example")
    assert first.sign_in("T-1", PHRASES["T-1"]).who.code == "T-1"


def test_an_account_of_which_no_entry_tells_does_not_sign_in(in_database: Cast) -> None:
    forged(
        in_database,
        "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal WHERE verb = 'add account')",
    )
    told = 0
    for code in ("T-1", "T-2", "S-1", "A-1"):
        try:
            in_database.first.sign_in(code, PHRASES[code])
        except Damaged:
            told += 1
    assert told == 1
