"""From files into a clinic's database, and back: the same rows, the same journal, the same keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import Damaged, InputError, VaultProblem
from attunement.practice.desk import Desk
from attunement.practice.house import changing_keys, reached
from attunement.practice.policy import Verb
from attunement.vault.carrying import carry, carry_as_it_is, remove
from attunement.vault.keyfile import SHARED, KeyFile
from attunement.vault.naming import IN_DATABASE, IN_FILE, SEALED, suffix_of
from attunement.vault.store import IN_FORCE, NEWER, OVER
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.practice.house import House
    from attunement.vault.database import Database
    from attunement.vault.journal import Tip
    from attunement.vault.schema import Schema


class Moving(Desk):
    """The verb of moving house."""

    @changing_keys
    def move(self, address: str = "") -> tuple[str, ...]:
        """Carry every vault into a database, or back into files, verified; returns a sentence a vault.

        Each copy is read back against its journal before it counts, and what was there is removed when `keys.json`
        names the copies: whenever the program is stopped, the one or the other is in force, and all is there.
        Reflections are carried without a key where they are sealed, and else when their owner next unlocks them.

        Parameters
        ----------
        address
            Of a prepared PostgreSQL; back into files if left out.

        Raises
        ------
        InputError
            Where the practice is there already.
        VaultProblem
            Where nothing is to be kept in that database, or another practice is in it.
        Damaged
            Where a vault is not as its journal says; nothing was moved.
        """
        self._refuse_and_note_unless(Verb.MOVE)
        house, before = self.house, self.house.keyfile
        with self._noting(Verb.MOVE):
            _refuse_there(before, address)
        if address:
            self._reach(address)
        self._note(Verb.MOVE, "done")
        moved = _named(before, house, IN_DATABASE if address else IN_FILE)
        try:
            tips = self._all_carried(before, moved)
            told = (*_told(tips, moved, None if not address else house.database), *_left(house))
        finally:
            if IN_DATABASE not in {suffix_of(file) for file in house.keyfile.named}:
                house.leave_database()
        return told

    def _all_carried(self, before: KeyFile, moved: KeyFile) -> list[tuple[str, Tip]]:
        """Carry what can be carried, let the copies count, and only then remove what they are copies of."""
        house = self.house
        house.about_to_make(moved)
        with house.still():
            tips = [_carried(house, name, before, moved) for name in SHARED]
            for code, file in _sealed_reflections(before):
                carry_as_it_is(house.place(file, code), house.place(_own(moved, code), code), "reflections")
            try:
                house.set_keys(moved)
            finally:  # what stands on the disk is in force, even where syncing the folder failed after it was put there
                if KeyFile.load(house.folder).files == moved.files:
                    house.keyfile = moved
        gone = [file for _, file in _sealed_reflections(before)]
        for file in (*reversed(before.files.values()), *gone):
            remove(house.place(file))
        return tips

    def _reach(self, address: str) -> None:
        database, keyfile = reached(address), self.house.keyfile
        try:
            database.refuse_another(keyfile.install)
            standing = database.schemas(keyfile.install)
            if any(how == IN_FORCE for how in standing.values()):
                raise Damaged(NEWER)
            for name in standing:
                database.give_up(name, keyfile.install)
        except VaultProblem:
            database.release()
            raise
        self.house.database = database


def _named(before: KeyFile, house: House, suffix: str) -> KeyFile:
    """Name every vault where it is to be; reflections that only their owner's key can carry stay where they are."""
    record = house.keys["record"]
    moved = before.moved(suffix, record)
    for code, file in _sealed_reflections(before):
        moved = moved.moved_sealed(code, SEALED if suffix_of(file) == IN_DATABASE else IN_DATABASE, record)
    return moved


def _refuse_there(keyfile: KeyFile, address: str) -> None:
    if address and keyfile.suffix == IN_DATABASE:
        raise InputError("This practice is in a database already; move it back into files first.")
    if not address and keyfile.suffix != IN_DATABASE:
        raise InputError("This practice is in files already.")


def _carried(house: House, name: str, before: KeyFile, after: KeyFile) -> tuple[str, Tip]:
    """Carry a shared vault, if it is as its journal says."""
    source = Vault(house.place(before.files[name]), house.keys[name], name, house.clock)
    try:
        verdict = source.verify()
        if not verdict.whole:
            raise Damaged(f"{name} is not as its journal says: {verdict.problems[0]} Nothing was moved.")
        to: Path | Schema = house.place(after.files[name], record=after.files["record"])
        carry(source, to, house.keys[name], house.clock)
        return name, source.tip
    finally:
        source.close()


def _sealed_reflections(keyfile: KeyFile) -> Iterator[tuple[str, str]]:
    """Whose reflections are sealed field by field, and can be carried by anybody."""
    for code, account in keyfile.accounts.items():
        if account.own and suffix_of(account.own.file) in {IN_DATABASE, SEALED}:
            yield code, account.own.file


def _own(keyfile: KeyFile, code: str) -> str:
    locks = keyfile.account(code).own
    assert locks is not None  # noqa: S101 - it was among those with reflections
    return locks.file


def _left(house: House) -> Iterator[str]:
    """What could not be removed yet, since somebody reads it."""
    if house.database is not None:
        standing = house.database.schemas(house.keyfile.install)
        for name in sorted(name for name, how in standing.items() if how == OVER):
            yield f"{name}: still in the database, for somebody reads it; its administrator can drop it."


def _told(tips: list[tuple[str, Tip]], keyfile: KeyFile, database: Database | None) -> Iterator[str]:
    where = f"in the database {database.place}" if database else "in files"
    for name, tip in tips:
        yield f"{name}: {where}, verified up to {tip}."
    for code, account in keyfile.accounts.items():
        if account.own is None:
            continue
        if suffix_of(account.own.file) in {keyfile.suffix, SEALED}:
            kept = where
        elif account.keys:
            kept = "come when they next unlock them; until then they stay in their file"
        else:
            kept = "stay in their file: nobody can open them any more"
        yield f"reflections of {code}: {kept}."
