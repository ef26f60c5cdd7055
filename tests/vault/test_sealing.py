"""Sealing, locks, recovery codes and envelopes: what opens, and that it looks like nothing."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attunement.errors import Damaged, WrongKey
from attunement.vault.envelope import Place, disclose, enclose, rewrapped
from attunement.vault.locks import LEAST, Lock, refuse_weak
from attunement.vault.recovery import RecoveryCode
from attunement.vault.sealing import Key, canonical, pad, seal, unpad, unseal
from attunement.vault.sharing import PrivateKeys

PARTS = st.lists(st.one_of(st.text(max_size=5), st.binary(max_size=5), st.integers(), st.none()), max_size=4)


def test_a_key_shows_itself_nowhere() -> None:
    key = Key.fresh()
    assert repr(key) == str(key) == "<key>"
    assert key.reveal().hex() not in repr(vars(type(key)))
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)


@given(PARTS, PARTS)
def test_no_two_lists_of_parts_are_encoded_alike(one: list[str], other: list[str]) -> None:
    same = [(type(each), each) for each in one] == [(type(each), each) for each in other]
    assert (canonical(*one) == canonical(*other)) == same


@given(st.binary(max_size=5000))
def test_padding_comes_off_again(text: bytes) -> None:
    assert unpad(pad(text)) == text


def test_how_long_a_note_is_shows_only_in_sixteen_steps() -> None:
    assert len({len(pad(b"a" * length)) for length in range(252)}) == 1
    assert len({len(pad(b"a" * length)) for length in range(8001)}) <= 32


def test_the_same_text_is_never_sealed_alike() -> None:
    key = Key.fresh()
    assert seal(key, b"text", b"") != seal(key, b"text", b"")


def test_another_key_is_refused_before_anything_is_decrypted() -> None:
    with pytest.raises(Damaged, match="not sealed for you"):
        unseal(Key.fresh(), seal(Key.fresh(), b"text", b""), b"")


@settings(max_examples=50)
@given(st.text(max_size=2000))
def test_what_was_enclosed_is_disclosed_to_its_owner(words: str) -> None:
    words = words.encode("utf-8", "ignore").decode()
    owner, place = Key.fresh(), Place("install", "T-1", "note", "client", 1)
    assert disclose(enclose(words, place, owner), owner) == words


def test_after_new_keys_an_envelope_opens_for_the_new_alone() -> None:
    before, after = Key.fresh(), Key.fresh()
    envelope = enclose("words", Place("install", "T-1", "note", "client", 1), before)
    moved = rewrapped(envelope, before, after)
    assert moved.body == envelope.body
    assert disclose(moved, after) == "words"
    with pytest.raises(Damaged):
        disclose(moved, before)


def test_a_lock_opens_by_passphrase_and_by_code_and_by_nothing_else() -> None:
    root, code = Key.fresh(), RecoveryCode.fresh()
    lock = Lock.around(root, "glacier pencil tomorrow violin", code, b"mine", LEAST)
    assert lock.opened("glacier pencil tomorrow violin", b"mine").reveal() == root.reveal()
    assert lock.opened_with_code(code, b"mine").reveal() == root.reveal()
    for wrong in ("", "glacier pencil tomorrow violim", "Glacier pencil tomorrow violin"):
        with pytest.raises(WrongKey, match="passphrase is not right"):
            lock.opened(wrong, b"mine")
    with pytest.raises(WrongKey):
        lock.opened("glacier pencil tomorrow violin", b"somebody else's")
    with pytest.raises(WrongKey, match="does not belong"):
        lock.opened_with_code(RecoveryCode.fresh(), b"mine")


def test_a_letter_typed_in_two_ways_is_one_passphrase() -> None:
    lock = Lock.around(Key.fresh(), "Ångström am Fluß heute", RecoveryCode.fresh(), b"", LEAST)
    lock.opened("A\u030angstro\u0308m am Fluß heute", b"")


def test_another_passphrase_leaves_the_root_as_it_is() -> None:
    root, code = Key.fresh(), RecoveryCode.fresh()
    lock = Lock.around(root, "glacier pencil tomorrow violin", code, b"", LEAST)
    changed = lock.relocked(root, "entirely other words", b"", LEAST)
    assert changed.opened("entirely other words", b"").reveal() == root.reveal()
    assert changed.opened_with_code(code, b"").reveal() == root.reveal()
    with pytest.raises(WrongKey):
        changed.opened("glacier pencil tomorrow violin", b"")


@pytest.mark.parametrize(
    ("weak", "said"),
    [
        ("short", "at least 12"),
        ("x" * 1001, "at most"),
        ("password1234", "guessed"),
        ("aaaaaaaaaaaaaaa", "guessed"),
    ],
)
def test_a_weak_passphrase_is_refused_with_what_would_do(weak: str, said: str) -> None:
    with pytest.raises(WrongKey, match=said):
        refuse_weak(weak)


def test_a_recovery_code_is_read_however_it_was_typed() -> None:
    for _ in range(50):
        code = RecoveryCode.fresh()
        typed = str(code).lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert RecoveryCode.read(typed) == code
    assert str(code) not in repr(code)


@pytest.mark.parametrize("typed", ["", "ABC", "A" * 36, "U" * 36, "!" * 36])
def test_what_is_no_recovery_code_is_said_in_one_sentence(typed: str) -> None:
    with pytest.raises(WrongKey):
        RecoveryCode.read(typed)


def test_a_fingerprint_is_six_groups_of_five_digits_and_tells_people_apart() -> None:
    one, other = PrivateKeys.fresh("S-1").public, PrivateKeys.fresh("S-1").public
    assert [len(group) for group in one.fingerprint.split()] == [5] * 6
    assert one.fingerprint != other.fingerprint
