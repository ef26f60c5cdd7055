"""A copy of all vaults as files, for a backup: of a clinic's database too, so that any backup opens on any machine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from attunement.vault.carrying import carry, carry_as_it_is
from attunement.vault.file import FileStore
from attunement.vault.naming import IN_DATABASE, IN_FILE, SEALED, suffix_of

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.practice.house import House
    from attunement.vault.keyfile import KeyFile
    from attunement.vault.vault import Vault


def staged(house: House, folder: Path) -> KeyFile:
    """Put a copy of every vault into a folder, with the key file that opens them there; returns that.

    Reflections are copied without a key to them: merged where they are unlocked, byte by byte where nobody has them
    open, field by field as they are sealed from a database.
    """
    keyfile = as_files(house.keyfile, house)
    for name, vault in (("record", house.record), ("identity", house.identity)):
        _copied(house, vault, folder / keyfile.files[name])
    for code, account in house.keyfile.accounts.items():
        there = keyfile.accounts[code].own
        if account.own and there:
            _reflections(house, code, account.own.file, folder / there.file)
    keyfile.save(folder)
    return keyfile


def as_files(keyfile: KeyFile, house: House) -> KeyFile:
    """Return a key file in which no vault is in a database."""
    record = house.keys["record"]
    if keyfile.suffix == IN_DATABASE:
        keyfile = keyfile.moved(IN_FILE, record)
    for code, account in keyfile.accounts.items():
        if account.own and suffix_of(account.own.file) == IN_DATABASE:
            keyfile = keyfile.moved_sealed(code, SEALED, record)
    return keyfile


def _copied(house: House, vault: Vault, to: Path) -> None:
    if isinstance(vault.store, FileStore):
        vault.store.copy_to(to)
    else:
        carry(vault, to, house.keys[vault.kind], house.clock)


def _reflections(house: House, account: str, file: str, to: Path) -> None:
    if suffix_of(file) == IN_DATABASE:
        carry_as_it_is(house.place(file), to, "reflections")
        return
    unlocked = house.reflections.get(account)
    if unlocked is not None and unlocked.unlocked:
        _copied(house, unlocked.use()[0], to)
        return
    house.lock(account)
    for suffix in ("", "-wal"):
        source = house.folder / f"{file}{suffix}"
        if source.exists():
            shutil.copyfile(source, to.with_name(f"{to.name}{suffix}"))
