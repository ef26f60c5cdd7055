"""What an interrupted change of keys or move leaves in a folder or a database, and that it goes when next opened."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from attunement.errors import VaultProblem
from attunement.vault.file import remove_file
from attunement.vault.naming import IN_FILE, SEALED, generation
from attunement.vault.store import OVER

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.vault.database import Database
    from attunement.vault.keyfile import KeyFile

MAKING: Final = ".making"
"""Names the files that are being made for another `keys.json`, while they are."""


def forget_all(folder: Path, database: Database | None, install: str) -> None:
    """Remove the vaults of a practice whose keys were never written: they are of no use to anybody."""
    for file in folder.glob("*.vault*"):
        file.unlink()
    if database is not None:
        for schema in database.schemas(install):
            database.give_up(schema, install)


def forget_leftovers(folder: Path, keyfile: KeyFile, database: Database | None) -> None:
    """Remove what an interrupted change of keys or move left: files that were being made or are of before, schemas.

    An old copy of the key file costs nothing that was written since: what is of a later generation stays, unless it was
    being made when the program was stopped.
    """
    named, making = dict(generation(file) for file in keyfile.named), _being_made(folder)
    for path in (*folder.glob(f"*{IN_FILE}"), *folder.glob(f"*{SEALED}")):
        family, number = generation(path.name)
        if path.name not in keyfile.named and (number < named.get(family, 0) or path.name in making):
            remove_file(path)
    (folder / MAKING).unlink(missing_ok=True)
    if database is not None:
        with contextlib.suppress(VaultProblem):
            over = [name for name, how in database.schemas(keyfile.install).items() if how == OVER]
            for name in over:
                database.give_up(name, keyfile.install)


def _being_made(folder: Path) -> set[str]:
    try:
        return set((folder / MAKING).read_text().split())
    except (OSError, UnicodeDecodeError):
        return set()
