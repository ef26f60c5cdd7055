"""By what a program comes in, how far, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cast import BEGAN, PHRASES, Cast, reflected, seen
from test_policy import CALLS, tried

from attunement.errors import InputError, Locked, Refused, WrongKey
from attunement.practice import Scope, Verb, Who, permits
from attunement.practice.policy import ALLOWED, SCOPES
from attunement.practice.tokens import LONGEST, MOST, PREFIX
from attunement.vault import tables
from attunement.vault.locks import LEAST
from attunement.vault.whom import KEEPER

NEW = "marble window seventeen otter"
NEVER = {
    Verb.UNLOCK, Verb.REFLECT, Verb.SEE_REFLECTIONS, Verb.DESTROY_REFLECTION, Verb.SHARE, Verb.SEE_SHARES,
    Verb.OPEN_SHARE, Verb.REVOKE, Verb.PIN, Verb.IDENTIFY, Verb.SEE_IDENTITY, Verb.ROTATE_KEYS, Verb.CHANGE_PASSPHRASE,
    Verb.ADD_ACCOUNT, Verb.END_ACCOUNT, Verb.SEE_ACCOUNTS, Verb.ADD_TOKEN, Verb.REMOVE_TOKEN, Verb.SEE_TOKENS,
    Verb.ADD_FACTOR, Verb.REMOVE_FACTOR, Verb.SEE_FACTORS, Verb.USE_FACTOR, Verb.ERASE, Verb.HOLD, Verb.RELEASE,
    Verb.SEE_JOURNAL, Verb.VERIFY, Verb.BACK_UP, Verb.RAISE_CONCERN, Verb.CLOSE_CONCERN, Verb.SEE_CONCERNS,
    Verb.SET_PROTOCOL, Verb.SEE_AGENDA, Verb.RECEIVE,
}  # fmt: skip


def test_no_scope_opens_reflections_supervision_identity_keys_accounts_tokens_or_erasing() -> None:
    opened = frozenset().union(*SCOPES.values())
    assert set(SCOPES) == set(Scope)
    assert not opened & NEVER


@pytest.mark.parametrize("verb", ALLOWED)
def test_a_token_of_all_scopes_and_all_roles_does_what_its_scopes_say_and_nothing_else(verb: Verb) -> None:
    from attunement.practice import Role  # noqa: PLC0415 - for this alone

    everything = Who("T-1", frozenset(Role), frozenset(Scope))
    assert permits(everything, verb) == any(verb in verbs for verbs in SCOPES.values())
    assert not permits(Who("T-1", frozenset(Role), frozenset()), verb)
    for scope in Scope:
        assert permits(Who("T-1", frozenset(Role), frozenset({scope})), verb) == (verb in SCOPES[scope])


def test_a_program_is_refused_every_verb_that_its_scopes_do_not_name(cast: Cast) -> None:
    seen(cast.first, "K-01")
    reflected(cast.first, "K-01", 1)
    cast.first.unlock(PHRASES["T-1"])  # whoever has them open elsewhere opens them to no program
    program = cast.first.by_token(cast.first.add_token("all", Scope).secret)
    opened = frozenset().union(*SCOPES.values())
    of_a_step = {Verb.CLOSE_STEP, Verb.REOPEN_STEP, Verb.DROP_STEP}
    elsewhere = {Verb.SIGN_IN, Verb.USE_TOKEN, Verb.CLOSE_CONCERN} | of_a_step
    for verb in CALLS:
        if verb in opened or verb in elsewhere:
            continue
        assert type(tried(CALLS[verb], program, "K-01")) is Refused, verb
    assert not program.unlocked
    assert program.own_tables().reflections.is_empty()


def test_a_token_is_shown_once_and_kept_as_its_digest(cast: Cast) -> None:
    given = cast.first.add_token(" billing ", ["sessions:read"], 7)
    assert given.secret.startswith(PREFIX)
    assert len(given.secret) >= 43 + len(PREFIX)
    assert given.secret not in repr(given)
    (kept,) = cast.first.tokens()
    assert kept == given.token
    assert (kept.name, set(kept.scopes), kept.over) == ("billing", {Scope.SESSIONS_READ}, False)
    assert abs(kept.expires - kept.made - timedelta(days=7)) < timedelta(minutes=1)
    with cast.first.house.record.reading(KEEPER) as rows:
        (row,) = rows.all(tables.token.select())
    assert given.secret.encode() not in b"".join(str(value).encode() for value in row.values())
    assert len(row["hash"]) == 32
    assert cast.second.tokens() == ()


@pytest.mark.parametrize("days", [0, -1, LONGEST + 1, True, 1.5])
def test_a_token_ends_within_a_year(cast: Cast, days: int) -> None:
    with pytest.raises(InputError, match="1 to 365 days"):
        cast.first.add_token("a", [Scope.SESSIONS_READ], days)


@pytest.mark.parametrize("scopes", [(), ("reflections:read",), ("sessions:read", "all"), ("",)])
def test_a_scope_that_there_is_not_is_refused_whole(cast: Cast, scopes: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="at least one scope"):
        cast.first.add_token("a", scopes)
    assert cast.first.tokens() == ()


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb", "\x1b[31m"])
def test_a_name_is_a_line_that_can_be_read(cast: Cast, name: str) -> None:
    with pytest.raises(InputError, match="1 to 60 characters"):
        cast.first.add_token(name, [Scope.SESSIONS_READ])


def test_an_account_has_so_many_tokens_and_no_more(cast: Cast) -> None:
    for number in range(MOST):
        cast.first.add_token(f"a-{number}", [Scope.SESSIONS_READ])
    with pytest.raises(InputError, match="at most 20"):
        cast.first.add_token("one more", [Scope.SESSIONS_READ])


def test_what_was_removed_has_ended_or_never_was_reads_alike(cast: Cast) -> None:
    removed, ended = (cast.first.add_token(name, [Scope.SESSIONS_READ], 1) for name in ("a", "b"))
    cast.first.remove_token(removed.token.id)
    cast.hands.pass_by(timedelta(hours=20))
    cast.first.by_token(ended.secret)
    cast.hands.pass_by(timedelta(hours=5))
    said = set()
    for secret in (removed.secret, ended.secret, "att_never", "", "\ud800", ended.secret + " "):
        with pytest.raises(WrongKey) as refusal:
            cast.first.by_token(secret)
        said.add(str(refusal.value))
    assert len(said) == 1
    assert [each.over for each in cast.first.tokens()] == [True]
    assert not cast.first.knows_token(removed.secret)


def test_somebody_elses_token_cannot_be_removed(cast: Cast) -> None:
    theirs = cast.second.add_token("theirs", [Scope.SESSIONS_READ])
    with pytest.raises(Refused) as refusal:
        cast.first.remove_token(theirs.token.id)
    with pytest.raises(Refused) as nobodys:
        cast.first.remove_token("no token")
    assert str(refusal.value) == str(nobodys.value)
    assert cast.second.by_token(theirs.secret).who.code == "T-2"


def test_an_ended_accounts_token_is_worth_nothing_and_one_that_came_in_before_is_refused(cast: Cast) -> None:
    given = cast.second.add_token("theirs", [Scope.CLIENTS_READ])
    program = cast.second.by_token(given.secret)
    cast.admin.end_account("T-2")
    with pytest.raises(WrongKey):
        cast.first.by_token(given.secret)
    with pytest.raises(Refused):
        program.clients()


def test_another_passphrase_ends_all_tokens_of_the_account_and_nobody_elses(cast: Cast) -> None:
    mine, theirs = (who.add_token("a", [Scope.CLIENTS_READ]) for who in (cast.first, cast.second))
    cast.first.change_passphrase(PHRASES["T-1"], NEW, cost=LEAST)
    assert cast.first.tokens() == ()
    with pytest.raises(WrongKey):
        cast.first.by_token(mine.secret)
    assert cast.first.by_token(theirs.secret).who.code == "T-2"
    assert cast.first.verify()["record"].whole


def test_a_program_sees_its_owners_clients_alone(cast: Cast) -> None:
    seen(cast.first, "K-01")
    seen(cast.second, "K-02")
    program = cast.second.by_token(cast.first.add_token("a", Scope).secret)
    assert [each.client.code for each in program.clients()] == ["K-01"]
    assert set(program.ratings()["client"]) == {"K-01"}
    for read in (program.sessions, program.check_ins, program.steps, program.export):
        with pytest.raises(Refused):
            read("K-02")


def test_the_journal_tells_what_a_program_did_from_what_its_owner_did(cast: Cast) -> None:
    given = cast.first.add_token("PLANTED NAME", [Scope.CLIENTS_READ])
    program = cast.first.by_token(given.secret)
    program.clients()
    with pytest.raises(Refused):
        program.sessions("K-01")
    with pytest.raises(WrongKey):
        cast.first.by_token("att_PLANTED")
    found = cast.admin.journal()
    by = f"T-1 by token {given.token.id[:8]}"
    assert [(row["who"], row["verb"], row["outcome"]) for row in found[-4:]] == [
        (by, "use token", "done"),
        (by, "see clients", "done"),
        (by, "see sessions", "refused"),
        ("nobody", "use token", "refused"),
    ]
    assert found[-4]["about"] == given.token.id
    assert "PLANTED" not in str(found)
    assert given.secret not in str(found)


def test_the_same_sending_logs_one_session_and_another_one_by_its_key_is_refused(cast: Cast) -> None:
    seen(cast.first, "K-01", 0)
    once = cast.first.log_session("K-01", BEGAN, key="sending-1")
    cast.first.change_session("K-01", once.number, attendance="missed")
    again = cast.first.log_session("K-01", BEGAN, key="sending-1")
    assert (again.id, again.attendance) == (once.id, "missed")
    with pytest.raises(InputError, match="a key of its own"):
        cast.first.log_session("K-01", BEGAN + timedelta(days=1), key="sending-1")
    other = cast.first.log_session("K-01", BEGAN + timedelta(days=1), key="sending-2")
    assert [each.number for each in cast.first.sessions("K-01")] == [1, 2]
    assert not {once.id, other.id} & {"sending-1", "sending-2"}
    seen(cast.second, "K-01", 0)
    assert cast.second.log_session("K-01", BEGAN, key="sending-1").id[:16] != once.id[:16]


def test_the_same_sending_makes_one_invitation_and_its_key_none_of_another_session(cast: Cast) -> None:
    seen(cast.first, "K-01")
    token = "t" * 43
    first, again = (cast.first.invite("K-01", 1, token=token) for _ in range(2))
    assert (first.invitation, first.token) == (again.invitation, again.token)
    with pytest.raises(InputError, match="a key of its own"):
        cast.first.invite("K-01", 2, token=token)
    with pytest.raises(InputError, match="a key of its own"):
        cast.first.invite("K-01", 1, token=token, instrument="state")


def test_an_export_is_not_made_for_a_program_while_reflections_are_open(cast: Cast) -> None:
    seen(cast.first, "K-01")
    program = cast.first.by_token(cast.first.add_token("a", [Scope.EXPORTS_READ]).secret)
    cast.first.unlock(PHRASES["T-1"])
    with pytest.raises(Locked):
        program.export("K-01")
    cast.first.lock()
    assert program.export("K-01").startswith(b"PK")
