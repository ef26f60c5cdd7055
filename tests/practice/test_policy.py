"""Who may do what: every verb by every role, on one's own and on somebody else's."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from cast import ANSWERS, BEGAN, PHRASES, Box, Cast, Empty, elsewhere, loaded, reflected, seen

from attunement.concerns import Protocol
from attunement.errors import AttunementError, Gone, InputError, Refused, TooLittle, WrongKey
from attunement.norms import Contribution, dump
from attunement.practice import Practice, Role, Scope, Verb, Who, permits
from attunement.practice.policy import ADDRESSED, ALLOWED, CLIENT
from attunement.sessions import Purpose, Reflection
from attunement.supervising import Report
from attunement.trajectories import Measure
from attunement.vault.backup import new_identity
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

Call = Callable[[Practice, str], object]
TABLE = pl.DataFrame({"client": ["X-01", "X-01"], "session": [1, 2], "score": [4.0, 5.0]})
UNTIL = BEGAN + timedelta(days=400)
SUMS = Contribution("negative", BEGAN.date(), BEGAN.date(), mean=3.0, clients=2.0, hours=20.0)

CALLS: dict[Verb, Call] = {
    Verb.SIGN_IN: lambda who, _: who.sign_in("T-1", PHRASES["T-1"]),
    Verb.ADD_ACCOUNT: lambda who, _: who.add_account(
        "X-1",
        "marble window seventeen otter",
        RecoveryCode.fresh(),
        roles=frozenset({Role.ADMIN}),
        cost=LEAST,
    ),
    Verb.END_ACCOUNT: lambda who, _: who.end_account("S-1"),
    Verb.SEE_ACCOUNTS: lambda who, _: who.accounts(),
    Verb.CHANGE_PASSPHRASE: lambda who, _: who.change_passphrase(
        PHRASES.get(who.who.code, "none"), "marble window seventeen otter", cost=LEAST
    ),
    Verb.ROTATE_KEYS: lambda who, _: who.rotate_keys(
        PHRASES.get(who.who.code, "none"), RecoveryCode.fresh(), cost=LEAST
    ),
    Verb.TAKE_ON: lambda who, _: who.take_on("K-99"),
    Verb.END_DYAD: lambda who, client: who.end(client),
    Verb.SEE_CLIENTS: lambda who, _: who.clients(),
    Verb.LOG_SESSION: lambda who, client: who.log_session(client, BEGAN),
    Verb.SEE_SESSIONS: lambda who, client: who.sessions(client),
    Verb.LOG_CONTACT: lambda who, client: who.log_contact(client, BEGAN, kind="call", begun_by="client"),
    Verb.SEE_CONTACTS: lambda who, client: who.contacts(client),
    Verb.GIVE_CONSENT: lambda who, client: who.give_consent(client, Purpose.RESEARCH),
    Verb.WITHDRAW_CONSENT: lambda who, client: who.withdraw_consent(client, Purpose.RESEARCH),
    Verb.SEE_CONSENTS: lambda who, client: who.consents(client),
    Verb.INVITE: lambda who, client: who.invite(client, 1),
    Verb.SEE_INVITATION: lambda who, _: who.invitation("no token"),
    Verb.RECEIVE: lambda who, _: who.receive("no token", ANSWERS, "some-sending"),
    Verb.LINK_DROP_BOX: lambda who, _: who.link_drop_box("https://answers.practice.example"),
    Verb.OPEN_SLOTS: lambda who, _: who.open_slots(Empty()),
    Verb.FETCH_DROPS: lambda who, _: who.fetch_drops(Empty()),
    Verb.SEE_CHECK_INS: lambda who, client: who.check_ins(client),
    Verb.SEE_TRAJECTORIES: lambda who, _: who.ratings(),
    Verb.CHOOSE_STEP: lambda who, client: who.choose_step(client, "name it"),
    Verb.CLOSE_STEP: lambda who, client: who.close_step(steps(who)[client], "it helped"),
    Verb.REOPEN_STEP: lambda who, client: who.reopen_step(steps(who)[client]),
    Verb.DROP_STEP: lambda who, client: who.drop_step(steps(who)[client]),
    Verb.SEE_STEPS: lambda who, client: who.steps(client),
    Verb.RESUME_DYAD: lambda who, client: who.resume(client),
    Verb.SEE_AGENDA: lambda who, _: who.agenda(),
    Verb.CHANGE_SESSION: lambda who, client: who.change_session(client, 1, attendance="late", lateness=5),
    Verb.WITHDRAW_INVITATION: lambda who, _: who.withdraw_invitation("no invitation"),
    Verb.SHOW_CURVE: lambda who, client: who.show_curve(client, shown=True),
    Verb.SEE_OWN_CURVE: lambda who, _: who.own_curve("no token", "some-sending"),
    Verb.TAKE_IN: lambda who, _: who.take_in(TABLE, f"table of {who.who.code}", Measure(0, 10)),
    Verb.LOAD_INSTRUMENT: lambda who, _: who.load_instruments(loaded()),
    Verb.RETIRE_INSTRUMENT: lambda who, _: who.retire_instrument("phq9"),
    Verb.SEE_INSTRUMENTS: lambda who, _: who.instruments(),
    Verb.LOAD_NORM: lambda who, _: who.load_norm(dump(elsewhere()).encode()),
    Verb.RETIRE_NORM: lambda who, _: who.retire_norm("no norm"),
    Verb.SEE_NORMS: lambda who, _: who.norms_in_force(),
    Verb.SIGN_OUT: lambda who, _: who.sign_out([SUMS]),
    Verb.SEE_SIGNED: lambda who, _: who.signed_out(),
    Verb.TAKE_BACK_SIGNED: lambda who, _: who.take_back_signed("no sums"),
    Verb.PUBLISH_NORM: lambda who, _: who.publish_norm("Elm House"),
    Verb.SEE_POOLED: lambda who, _: who.pooled(),
    Verb.RAISE_CONCERN: lambda who, client: who.raise_concern(client, "said goodbye oddly", session=1),
    Verb.CLOSE_CONCERN: lambda who, client: who.close_concern(concerns(who)[client], "called them", BEGAN),
    Verb.SEE_CONCERNS: lambda who, client: who.concerns(client),
    Verb.SET_PROTOCOL: lambda who, _: who.set_protocol(Protocol(number="112")),
    Verb.SEE_PROTOCOL: lambda who, _: who.protocol(),
    Verb.ADD_FACTOR: lambda who, _: who.add_factor("code", "my phone", b"secret"),
    Verb.REMOVE_FACTOR: lambda who, _: who.remove_factor("no factor"),
    Verb.USE_FACTOR: lambda who, _: who.use_factor("no factor", 1),
    Verb.SEE_FACTORS: lambda who, _: who.factors(),
    Verb.ADD_TOKEN: lambda who, _: who.add_token("a program", [Scope.SESSIONS_READ]),
    Verb.SEE_TOKENS: lambda who, _: who.tokens(),
    Verb.REMOVE_TOKEN: lambda who, _: who.remove_token("no token"),
    Verb.USE_TOKEN: lambda who, _: who.by_token("no token"),
    Verb.UNLOCK: lambda who, _: who.unlock(PHRASES.get(who.who.code, "none")),
    Verb.REFLECT: lambda who, client: who.reflect(client, 1, Reflection(words="w")),
    Verb.SEE_REFLECTIONS: lambda who, client: who.reflections(client),
    Verb.DESTROY_REFLECTION: lambda who, client: who.destroy_reflection(client, 1),
    Verb.SEE_FINGERPRINT: lambda who, _: who.fingerprint("S-1"),
    Verb.PIN: lambda who, _: who.pin("S-1", who.house.keyfile.public("S-1").fingerprint),
    Verb.SHARE: lambda who, client: who.share(client, 1, "S-1", until=UNTIL),
    Verb.SHARE_REPORT: lambda who, client: who.share_report(client, report(client), "S-1", until=UNTIL),
    Verb.TAKE_OUT_REPORT: lambda who, client: who.take_out_report(client, report(client)),
    Verb.SEE_COLLEAGUES: lambda who, _: who.colleagues(),
    Verb.SEE_SHARES: lambda who, _: who.shares(),
    Verb.OPEN_SHARE: lambda who, _: who.open_share("no share"),
    Verb.OPEN_REPORT: lambda who, _: who.open_report("no share"),
    Verb.REVOKE: lambda who, _: who.revoke("no share"),
    Verb.OFFER: lambda who, client: who.offer(client, other(who), kind="transfer"),
    Verb.SEE_HANDOVERS: lambda who, _: who.handovers(),
    Verb.ACCEPT: lambda who, _: who.accept("no handover", "K-98"),
    Verb.DECLINE: lambda who, _: who.decline("no handover"),
    Verb.WITHDRAW_HANDOVER: lambda who, _: who.withdraw_handover("no handover"),
    Verb.HAND_ON: lambda who, _: who.hand_on("T-1", "T-2"),
    Verb.SEE_MET_BEFORE: lambda who, client: who.met_before(client),
    Verb.IDENTIFY: lambda who, client: who.identify(client, "Somebody"),
    Verb.SEE_IDENTITY: lambda who, client: who.identity(client),
    Verb.HOLD: lambda who, client: who.hold(client, "a court"),
    Verb.RELEASE: lambda who, client: who.release(client),
    Verb.ERASE: lambda who, client: who.erase(client),
    Verb.EXPORT: lambda who, client: who.export(client),
    Verb.DEIDENTIFY: lambda who, _: who.deidentify(),
    Verb.SEE_JOURNAL: lambda who, _: who.journal(),
    Verb.VERIFY: lambda who, _: who.verify(),
    Verb.SEE_DUE: lambda who, _: who.due(),
    Verb.REMIND: lambda who, _: who.remind(Box()),
    Verb.SET_EMAIL: lambda who, _: who.set_email("somebody@practice.example"),
    Verb.SEE_EMAIL: lambda who, _: who.email(),
    Verb.BACK_UP: lambda who, _: who.back_up(Path(str(who.house.folder) + ".age"), new_identity()[1]),
    Verb.MOVE: lambda who, _: who.move(),
}
OF_A_CLIENT = [verb for verb, call in CALLS.items() if "client" in inspect.signature(call).parameters]
NOT_CALLED = {Verb.FOUND, Verb.UPGRADE}
UNLOCKED_FIRST = {
    Verb.REFLECT,
    Verb.SEE_REFLECTIONS,
    Verb.DESTROY_REFLECTION,
    Verb.SIGN_OUT,
    Verb.PIN,
    Verb.SHARE,
    Verb.SHARE_REPORT,
    Verb.TAKE_OUT_REPORT,
    Verb.SEE_COLLEAGUES,
    Verb.OPEN_SHARE,
    Verb.OPEN_REPORT,
}
OUTSIDE = {"knows", "knows_token", "close", "found", "open", "open_with_code", "for_client", "lock"}
_STEPS: dict[int, dict[str, str]] = {}
_CONCERNS: dict[int, dict[str, str]] = {}


def report(client: str) -> Report:
    """A question alone."""
    return Report(client, "T-1", BEGAN.date(), "What is it that I cannot bear?")


def other(who: Practice) -> str:
    """A therapist who is not the one who asks."""
    return "T-1" if who.who.code == "T-2" else "T-2"


def steps(who: Practice) -> dict[str, str]:
    """The step of each client, by code, whoever asks."""
    return _STEPS[id(who.house)]


def concerns(who: Practice) -> dict[str, str]:
    """The concern about each client, by code, whoever asks."""
    return _CONCERNS[id(who.house)]


@pytest.fixture
def practice(cast: Cast) -> Cast:
    """Each therapist has a client; T-1's is K-01, T-2's is K-02."""
    seen(cast.first, "K-01")
    seen(cast.second, "K-02")
    _STEPS[id(cast.first.house)] = {
        "K-01": cast.first.choose_step("K-01", "name it").id,
        "K-02": cast.second.choose_step("K-02", "name it").id,
    }
    _CONCERNS[id(cast.first.house)] = {
        "K-01": cast.first.raise_concern("K-01", "quiet").id,
        "K-02": cast.second.raise_concern("K-02", "quiet").id,
    }
    reflected(cast.first, "K-01", 1)
    reflected(cast.second, "K-02", 1)
    return cast


def entries(cast: Cast) -> Counter[str]:
    """How many entries each journal has; reflections that are locked are left out."""
    house = cast.first.house
    tips = {"record": house.record.tip.seq, "identity": house.identity.tip.seq}
    return Counter(tips | {account: each.use()[0].tip.seq for account, each in house.reflections.items()})


def unlocked(cast: Cast, *, wanted: bool) -> None:
    for account in ("T-1", "T-2", "S-1"):
        who = cast.of(account)
        if wanted and not who.unlocked:
            who.unlock(PHRASES[account])
        if not wanted:
            who.lock()


def test_every_verb_is_in_the_table_and_is_called_here() -> None:
    assert set(ALLOWED) == set(Verb) - {Verb.FOUND}
    assert set(CALLS) == set(Verb) - NOT_CALLED


def test_every_method_of_a_practice_is_one_of_the_verbs_called_here() -> None:
    called = " ".join(inspect.getsource(call) for call in CALLS.values())
    methods = {
        name for name, _ in inspect.getmembers(Practice, inspect.isfunction) if not name.startswith("_")
    }
    methods |= {name for name, _ in inspect.getmembers(Practice, inspect.ismethod)}
    twins = {
        "rated",
        "own_tables",
        "looked",
        "rated_stamp",
        "to_sign_out",
        "reflected",
        "trajectories",
        "verify_reflections",
        "reset_passphrase",
        "unlock_with_code",
        "finish_erasing",
        "asked",
        "shelf",
        "entries",
        "take_in_entries",
    }
    missing = {
        name for name in methods - OUTSIDE - twins if not name.startswith("_") and f".{name}(" not in called
    }
    assert not missing


def test_what_the_table_does_not_name_is_nobodys() -> None:
    everything = Who("A-1", frozenset(Role))
    assert not permits(everything, Verb.FOUND)
    assert not permits(CLIENT, Verb.SEE_CHECK_INS)


@pytest.mark.parametrize("verb", [verb for verb in ALLOWED if verb not in ADDRESSED])
def test_nobody_may_do_anything_to_what_is_somebody_elses(verb: Verb) -> None:
    assert not permits(Who("T-1", frozenset(Role)), verb, owner="T-2")


@pytest.mark.parametrize("account", ["T-1", "T-2", "S-1", "A-1", "client"])
def test_each_role_can_do_what_the_table_says_and_each_try_leaves_one_entry(
    practice: Cast, account: str
) -> None:
    who = practice.client if account == "client" else practice.of(account)
    client = "K-02" if account == "T-2" else "K-01"
    for verb in [*(verb for verb in CALLS if verb not in DESTRUCTIVE), *DESTRUCTIVE]:
        unlocked(practice, wanted=verb not in {Verb.EXPORT, *DESTRUCTIVE})
        before = entries(practice)
        outcome = tried(CALLS[verb], who, client)
        after = entries(practice)
        left = sum(after[name] - before[name] for name in after if name in before)
        if verb is Verb.SIGN_IN or permits(who.who, verb):
            assert outcome is None or isinstance(outcome, EXPECTED.get(verb, ())), (verb, outcome)
            assert left == 1 or (verb in WITH_OTHERS and left >= 1), (verb, left)
        else:
            assert type(outcome) is Refused, (verb, outcome)
            assert left == 1, verb


WITH_OTHERS = {
    Verb.ERASE,
    Verb.DESTROY_REFLECTION,
}  # what was shared or signed out ends with it, in the record
DESTRUCTIVE = (Verb.ERASE, Verb.END_ACCOUNT, Verb.ROTATE_KEYS, Verb.CHANGE_PASSPHRASE, Verb.MOVE)
EXPECTED: dict[Verb, type[AttunementError] | tuple[type[AttunementError], ...]] = {
    Verb.SEE_INVITATION: Gone,
    Verb.MOVE: InputError,  # where it is in files already
    Verb.RECEIVE: Gone,
    Verb.SEE_OWN_CURVE: Gone,
    Verb.WITHDRAW_INVITATION: Refused,
    Verb.RETIRE_NORM: Refused,
    Verb.TAKE_BACK_SIGNED: Refused,
    Verb.PUBLISH_NORM: TooLittle,
    Verb.REMOVE_FACTOR: Refused,
    Verb.USE_FACTOR: Refused,
    Verb.REMOVE_TOKEN: Refused,
    Verb.USE_TOKEN: WrongKey,
    Verb.OPEN_SHARE: Gone,
    Verb.OPEN_REPORT: Gone,
    Verb.SHARE_REPORT: InputError,
    Verb.REVOKE: Refused,
    Verb.ACCEPT: Refused,
    Verb.DECLINE: Refused,
    Verb.WITHDRAW_HANDOVER: Refused,
    Verb.HAND_ON: InputError,  # who can still sign in hands over themselves
    Verb.DEIDENTIFY: InputError,
    Verb.DESTROY_REFLECTION: InputError,
    Verb.SHARE: InputError,
}


def tried(call: Call, who: Practice, client: str) -> AttunementError | None:
    try:
        call(who, client)
    except AttunementError as problem:
        return problem
    return None


def test_somebody_elses_client_reads_like_one_that_is_not_there(practice: Cast) -> None:
    unlocked(practice, wanted=True)
    practice.first.pin("S-1", practice.first.fingerprint("S-1"))
    steps(practice.first)["K-77"] = "no step"
    concerns(practice.first)["K-77"] = "no concern"
    for verb in OF_A_CLIENT:
        unlocked(practice, wanted=verb is not Verb.EXPORT)
        theirs, nobodys = (tried(CALLS[verb], practice.first, client) for client in ("K-02", "K-77"))
        assert isinstance(theirs, Refused), (verb, theirs)
        assert (type(theirs), str(theirs)) == (type(nobodys), str(nobodys))


def test_two_therapists_may_use_one_code_and_see_each_their_own(practice: Cast) -> None:
    practice.first.take_on("K-02")
    assert practice.first.sessions("K-02") == ()
    assert len(practice.second.sessions("K-02")) == 2


def test_roles_stand_in_the_record_and_not_with_the_keys(practice: Cast) -> None:
    again = practice.first.sign_in("A-1", PHRASES["A-1"])
    assert again.who.roles == {Role.ADMIN}


def test_an_ended_account_does_not_come_in(practice: Cast) -> None:
    practice.admin.add_account(
        "A-2",
        "marble window seventeen otter",
        RecoveryCode.fresh(),
        roles=frozenset({Role.ADMIN}),
        cost=LEAST,
    )
    practice.admin.end_account("T-2")
    with pytest.raises(Refused):
        practice.second.clients()
    with pytest.raises(WrongKey):
        practice.first.sign_in("T-2", PHRASES["T-2"])


def test_every_act_and_every_refusal_stands_in_the_journal_without_what_was_said(practice: Cast) -> None:
    practice.first.choose_step("K-01", "PLANTED STEP")
    tried(CALLS[Verb.SEE_SESSIONS], practice.admin, "K-01")
    found = practice.admin.journal()
    assert [(row["who"], row["verb"], row["outcome"]) for row in found[-2:]] == [
        ("T-1", "choose step", "done"),
        ("A-1", "see sessions", "refused"),
    ]
    assert "PLANTED" not in str(found)
    assert "K-01" not in str(found)
