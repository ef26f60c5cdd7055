"""Ten thousand attacks on envelopes, locks, shares and the key file: none opens, and a planted bug is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from attunement.errors import AttunementError, Damaged
from attunement.vault import envelope as envelopes
from attunement.vault.envelope import Envelope, Place, disclose, enclose
from attunement.vault.keyfile import NAME, KeyFile
from attunement.vault.locks import LEAST, Cost, Lock
from attunement.vault.recovery import RecoveryCode
from attunement.vault.sealing import Key
from attunement.vault.sharing import PrivateKeys, PublicKeys, Share, open_share, share

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = NOW + timedelta(days=7)
PLACE = Place("install", "T-1", "note-1", "client-1", 3)
ELSEWHERE = [
    replace(PLACE, install="another"),
    replace(PLACE, owner="T-2"),
    replace(PLACE, note="note-2"),
    replace(PLACE, client="client-2"),
    replace(PLACE, revision=2),
    replace(PLACE, revision=4),
]
PHRASE = "glacier pencil tomorrow violin"
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
Attack = Callable[[], object]


def opened(attacks: Iterator[Attack]) -> tuple[int, int]:
    """Try each attack; returns how many there were, and how many opened something."""
    tried = through = 0
    for attack in attacks:
        tried += 1
        try:
            attack()
        except AttunementError as refusal:
            said = str(refusal)
        else:
            said = ""
            through += 1
        assert "\n" not in said
    return tried, through


def flipped(blob: bytes) -> Iterator[bytes]:
    for place in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)


def on_envelopes() -> Iterator[Attack]:
    owner = Key.fresh()
    sealed = enclose("I felt bored, and then guilty.", PLACE, owner)
    edited = [replace(sealed, body=blob) for blob in flipped(sealed.body)]
    edited += [replace(sealed, key=blob) for blob in flipped(sealed.key)]
    edited += [replace(sealed, body=sealed.body[:cut]) for cut in range(len(sealed.body))]
    edited += [replace(sealed, key=sealed.key[:cut]) for cut in range(len(sealed.key))]
    for bad in edited:
        yield partial(disclose, bad, owner)
    yield partial(disclose, sealed, Key.fresh())
    yield from moves(owner)


def moves(owner: Key) -> Iterator[Attack]:
    """Envelopes put in another row's place, whole or in part."""
    here = enclose("about this client", PLACE, owner)
    for place in ELSEWHERE:
        there = enclose("about another", place, owner)
        for moved in (
            replace(here, place=place),
            replace(there, body=here.body),
            replace(there, key=here.key),
            replace(there, body=here.body, key=here.key),
        ):
            yield partial(disclose, moved, owner)


def on_shares() -> Iterator[Attack]:
    owner = Key.fresh()
    sender, recipient, other = (PrivateKeys.fresh(code) for code in ("T-1", "S-1", "S-2"))
    sealed = enclose("I felt bored.", PLACE, owner)
    sent = share(sealed, owner, sender, recipient.public, "supervision", UNTIL)
    assert open_share(sent, recipient, sender.public, NOW) == "I felt bored."

    def attack(
        bad: Share = sent,
        who: PrivateKeys = recipient,
        signer: PublicKeys = sender.public,
        at: datetime = NOW,
    ) -> Attack:
        return partial(open_share, bad, who, signer, at)

    for blob in flipped(sent.box):
        yield attack(replace(sent, box=blob))
    for blob in flipped(sent.signature):
        yield attack(replace(sent, signature=blob))
    for blob in flipped(sent.body):
        yield attack(replace(sent, body=blob))
    for place in ELSEWHERE:
        yield attack(replace(sent, place=place))
        yield attack(replace(sent, place=place, body=enclose("another", place, owner).body))
    yield attack(replace(sent, expires=UNTIL + timedelta(days=365)))
    yield attack(replace(sent, basis="training"))
    yield attack(replace(sent, place=replace(PLACE, kind="report")))
    yield attack(replace(sent, recipient="S-2"))
    yield attack(who=other)
    yield attack(replace(sent, recipient="S-2"), who=other)
    yield attack(signer=other.public)
    yield attack(signer=replace(sender.public, account="T-2"))
    yield attack(share(sealed, owner, other, recipient.public, "supervision", UNTIL))
    yield attack(at=UNTIL)
    yield attack(at=UNTIL + timedelta(days=365))


def on_locks() -> Iterator[Attack]:
    code = RecoveryCode.fresh()
    lock = Lock.around(Key.fresh(), PHRASE, code, b"mine", LEAST)
    hostile = [
        Cost(8, 1, 1), Cost(47103, 1, 1), Cost(47104, 0, 1), Cost(47104, 1, 0), Cost(1 << 40, 3, 4),
        Cost(65536, 10**9, 4), Cost(65536, 3, 10**6), Cost(-1, 3, 4),
    ]  # fmt: skip
    changed = [replace(lock, cost=cost) for cost in [*hostile, Cost(47104, 2, 1), Cost(50000, 1, 1)]]
    changed += [replace(lock, salt=b"\0" * 16), replace(lock, by_passphrase=lock.by_code)]
    for bad in changed:
        yield partial(bad.opened, PHRASE, b"mine")
    for blob in flipped(lock.by_code):
        yield partial(replace(lock, by_code=blob).opened_with_code, code, b"mine")
    yield partial(replace(lock, by_code=lock.by_passphrase).opened_with_code, code, b"mine")


def on_recovery_codes() -> Iterator[Attack]:
    """Each of the 36 letters typed wrong in each of 31 ways, and each two neighbours exchanged; of two codes."""
    for right in (str(RecoveryCode.fresh()).replace("-", "") for _ in range(2)):
        for place, letter in enumerate(right):
            for wrong in LETTERS.replace(letter, ""):
                yield partial(RecoveryCode.read, right[:place] + wrong + right[place + 1 :])
        for place, (one, other) in enumerate(pairwise(right)):
            if one != other:
                yield partial(RecoveryCode.read, right[:place] + other + one + right[place + 2 :])


def test_none_of_ten_thousand_attacks_opens_anything() -> None:
    total = 0
    for attacks in (on_envelopes, on_shares, on_locks, on_recovery_codes):
        tried, through = opened(attacks())
        assert through == 0, attacks.__name__
        total += tried
    assert total >= 10_000


def test_without_the_place_bound_in_the_same_attacks_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes.Place, "canonical", lambda _: b"")
    _, through = opened(moves(Key.fresh()))
    assert through > 0


# -- the key file


def made() -> KeyFile:
    keys = {"record": Key.fresh(), "identity": Key.fresh()}
    keyfile = KeyFile.fresh()
    for code in ("T-1", "T-2"):
        keyfile = keyfile.with_account(code, PHRASE, RecoveryCode.fresh(), keys, own=True, cost=LEAST)
    return keyfile


def edits(stored: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The key file with each of its fields changed, and with parts of other accounts put in."""
    mine, theirs = stored["accounts"]["T-1"], stored["accounts"]["T-2"]

    def with_account(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        return {**stored, "accounts": {**stored["accounts"], "T-1": {**mine, **changed}}}

    yield {**stored, "mac": "00" * 32}
    yield {**stored, "install": "another"}
    yield {**stored, "files": {"record": "identity-1.vault", "identity": "record-1.vault"}}
    for path in ("../record-1.vault", "/etc/x.vault", "a\\b.vault", ".x.vault", "record-1.db"):
        yield {**stored, "files": {**stored["files"], "record": path}}
    yield {**stored, "accounts": {**stored["accounts"], "T-3": mine}}
    yield {**stored, "accounts": {"T-1": mine}}
    yield with_account(lock=theirs["lock"])
    yield with_account(agreement=made().accounts["T-1"].agreement.hex())
    yield with_account(keys=theirs["keys"])
    yield with_account(own={**mine["own"], "file": theirs["own"]["file"]})
    yield with_account(own={**mine["own"], "sealing": theirs["own"]["sealing"]})
    yield with_account(own=theirs["own"])
    yield with_account(lock={**mine["lock"], "argon2id": [8, 1, 1]})
    yield with_account(keys={})
    yield with_account(seen=theirs["seen"])
    yield with_account(lock={**mine["lock"], "salt": "00"})
    yield with_account(lock={**mine["lock"], "argon2id": [float("inf"), 3, 4]})
    for version in (0, -1, True, 0.5, "1", None):
        yield {**stored, "attunement": version}
    for path in ("C:record-1.vault", "record\0.vault"):
        yield {**stored, "files": {**stored["files"], "record": path}}
    yield {}
    yield {**stored, "accounts": 5}


def test_no_edit_of_the_key_file_goes_unseen(tmp_path: Path) -> None:
    made().save(tmp_path)
    stored = json.loads((tmp_path / NAME).read_bytes())
    KeyFile.load(tmp_path).open_record("T-1", PHRASE)

    def attempts() -> Iterator[Attack]:
        for bad in edits(stored):
            (tmp_path / NAME).write_text(json.dumps(bad))
            yield lambda: KeyFile.load(tmp_path).open_record("T-1", PHRASE)

    tried, through = opened(attempts())
    assert tried >= 20
    assert through == 0


def test_the_keys_of_reflections_are_bound_to_their_account_and_file() -> None:
    keyfile = made()
    one, other = keyfile.accounts["T-1"].own, keyfile.accounts["T-2"].own
    assert one is not None
    assert other is not None
    swaps = [
        replace(one, file=other.file), replace(one, key=other.key), replace(one, private=other.private),
        replace(one, public=replace(one.public, sealing=other.public.sealing)), other,
    ]  # fmt: skip

    def attempts() -> Iterator[Attack]:
        for swapped in swaps:
            account = replace(keyfile.accounts["T-1"], own=swapped)
            changed = replace(keyfile, accounts={**keyfile.accounts, "T-1": account})
            yield partial(changed.open_own, "T-1", PHRASE)

    assert opened(attempts()) == (5, 0)


def strangers(genuine: KeyFile, past: tuple[bytes, ...] = ()) -> KeyFile:
    """The genuine accounts, with keys of a stranger's sealed to them, and signed by these."""
    own = {"record": Key.fresh(), "identity": Key.fresh()}
    return replace(genuine, past=past).sealed(own)


def test_keys_that_a_stranger_has_sealed_to_an_account_are_refused() -> None:
    keyfile = made()
    for forged in (strangers(keyfile), strangers(keyfile, (b"x" * 100,)), strangers(keyfile, keyfile.past)):
        with pytest.raises(Damaged, match="another practice in its place"):
            forged.open_record("T-1", PHRASE)


def test_one_who_was_away_for_two_changes_of_keys_comes_in_again() -> None:
    keyfile = made()
    for _ in range(2):
        before = keyfile.open_record("T-1", PHRASE).keys["record"]
        fresh = {"record": Key.fresh(), "identity": Key.fresh()}
        keyfile = keyfile.renewed("T-1", PHRASE, RecoveryCode.fresh(), fresh, None, before=before, cost=LEAST)
    assert keyfile.open_record("T-2", PHRASE).keys["record"].reveal() == fresh["record"].reveal()
    with pytest.raises(Damaged, match="another practice in its place"):
        strangers(keyfile, keyfile.past).open_record("T-2", PHRASE)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"", b"{", b"[]", b'{"attunement": 99}', b"\xff\xfe", b"null"]
)
def test_a_key_file_that_is_none_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(AttunementError) as said:
        KeyFile.load(tmp_path)
    assert "\n" not in str(said.value)


def test_an_envelope_hides_what_is_in_it() -> None:
    sealed: Envelope = enclose("PLANTED WORDS", PLACE, Key.fresh())
    assert b"PLANTED" not in sealed.body + sealed.key
