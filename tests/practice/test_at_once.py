"""Two at once, where one would wait for the other for ever, or undo what the other did."""

from __future__ import annotations

import shutil
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cast import PHRASES, Cast, reflected, seen

from attunement.errors import Locked, WrongKey
from attunement.practice import Practice, Role
from attunement.vault.keyfile import KeyFile
from attunement.vault.locks import LEAST, Cost, Lock
from attunement.vault.recovery import RecoveryCode
from attunement.vault.sealing import Key

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 120.0
NEW = "seven copper kettles whistle"


def together(*calls: Callable[[], object]) -> list[object]:
    """Make all calls at the same time; what they gave or raised. One that never ends fails."""
    found: list[object] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def make(place: int) -> None:
        start.wait()
        try:
            found[place] = calls[place]()
        except Exception as problem:  # noqa: BLE001 - what came of it is the test's
            found[place] = problem

    threads = [threading.Thread(target=make, args=(place,), daemon=True) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "one waits for the other for ever"
    return found


def test_two_passphrases_at_their_real_cost_do_not_wait_for_each_other_for_ever() -> None:
    lock = Lock.around(Key.fresh(), PHRASES["T-1"], RecoveryCode.fresh(), b"T-1", Cost())
    tries = [partial(lock.opened, word, b"T-1") for word in (PHRASES["T-1"], "not the one", PHRASES["T-1"])]
    found = together(*tries)
    assert [type(each) for each in found] == [Key, WrongKey, Key]


def test_two_changes_of_the_keys_both_stay(cast: Cast) -> None:
    folder = cast.first.house.folder
    found = together(
        partial(cast.first.change_passphrase, PHRASES["T-1"], NEW, cost=LEAST),
        partial(cast.second.change_passphrase, PHRASES["T-2"], NEW, cost=LEAST),
        partial(
            cast.admin.add_account, "T-9", "acorn bridge saddle marble", RecoveryCode.fresh(),
            roles=frozenset({Role.THERAPIST}), cost=LEAST,
        ),
    )  # fmt: skip
    assert not [each for each in found if isinstance(each, Exception)]
    assert set(KeyFile.load(folder).accounts) == {*PHRASES, "T-9"}
    for account, phrase in (("T-1", NEW), ("T-2", NEW), ("T-9", "acorn bridge saddle marble")):
        assert cast.first.sign_in(account, phrase).who.code == account
    with pytest.raises(WrongKey):
        cast.first.sign_in("T-1", PHRASES["T-1"])


def test_what_was_changed_at_once_opens_again_from_the_disk(cast: Cast, tmp_path: Path) -> None:
    together(
        partial(cast.first.change_passphrase, PHRASES["T-1"], NEW, cost=LEAST),
        partial(cast.second.change_passphrase, PHRASES["T-2"], NEW, cost=LEAST),
    )
    cast.close()
    copy = Path(shutil.copytree(cast.first.house.folder, tmp_path / "copy"))
    for account in ("T-1", "T-2"):
        with Practice.open(copy, account, NEW) as practice:
            assert practice.who.code == account


def test_two_unlocks_at_once_open_one_file_and_one_lock_ends_both(cast: Cast) -> None:
    seen(cast.first, "K-01")
    reflected(cast.first, "K-01", 2)
    again = cast.first.sign_in("T-1", PHRASES["T-1"])
    unlocks = [partial(each.unlock, PHRASES["T-1"]) for each in (cast.first, again, cast.first, again)]
    assert together(*unlocks) == [None] * 4
    assert len({id(each) for each in cast.first.house.reflections.values()}) == 1
    assert len(cast.first.reflections("K-01")) == len(again.reflections("K-01")) == 2
    cast.first.lock()
    for practice in (cast.first, again):
        with pytest.raises(Locked):
            practice.reflections("K-01")
