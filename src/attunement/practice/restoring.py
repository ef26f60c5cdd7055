"""From a backup to a practice: on another machine, with the passphrase or the recovery code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import Damaged, InputError
from attunement.practice.house import House
from attunement.vault.backup import opened_archive, put_in_place, read_identity, read_manifest
from attunement.vault.journal import Tip

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.vault.backup import Manifest
    from attunement.vault.recovery import RecoveryCode


def restore(archive: Path, identity: str, into: Path, account: str, secret: str | RecoveryCode) -> Manifest:
    """Open a backup, verify it against the tip it was made with, and only then put it in place.

    Parameters
    ----------
    archive
        The backup.
    identity
        The offline key, as text.
    into
        A folder that is empty or not there yet.
    account, secret
        Of somebody who could open the practice then: their passphrase or recovery code.

    Raises
    ------
    WrongKey
        Where the offline key, the passphrase or the code does not open it.
    Damaged
        Where it is not whole.
    """
    if not archive.is_file():
        raise InputError(f"{archive} is not there.")
    into.parent.mkdir(parents=True, exist_ok=True)
    with opened_archive(archive, read_identity(identity), into.parent) as folder:
        manifest = read_manifest(folder)
        house = (
            House.open(folder, account, secret)
            if isinstance(secret, str)
            else House.open_with_code(folder, account, secret)
        )
        try:
            problems = [
                problem
                for name, vault in (("record", house.record), ("identity", house.identity))
                for problem in (*vault.verify(Tip.read(manifest.tips[name])).problems, *vault.problems())
            ]
        finally:
            house.close()
        if problems:
            raise Damaged(f"This backup is damaged: {problems[0]} Nothing was restored.")
        (folder / ".lock").unlink(missing_ok=True)
        put_in_place(folder, into)
    return manifest
