"""Bringing the vaults of an earlier version to the present tables; a copy is made first, and it can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.errors import Damaged, InputError
from attunement.practice.house import claimed
from attunement.practice.policy import Verb
from attunement.vault import migrations
from attunement.vault.cipher import engine, in_sentences, quoted, refuse_holes
from attunement.vault.clock import Clock
from attunement.vault.keyfile import KeyFile
from attunement.vault.naming import IN_FILE, suffix_of
from attunement.vault.places import OWNER_ONLY, sync_file
from attunement.vault.rows import Chain, Rows
from attunement.vault.verifying import as_it_is, chain_keys, digest_anew, last_entry, verified

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from attunement.vault.sealing import Key

COPIES: Final = "before-upgrade"


def upgrade(folder: Path, account: str, passphrase: str, *, undo: bool = False) -> tuple[str, ...]:
    """Upgrade the record, the identities and one's own reflections; returns a sentence a vault.

    Parameters
    ----------
    folder, account, passphrase
        Which practice, and by whose passphrase.
    undo
        Go one revision back instead, for the version of the program before; what was stored since stays.

    Raises
    ------
    Damaged
        Where a vault is not as its journal says; it is left as it is.
    """
    with claimed(folder) as lock:
        try:
            keyfile = KeyFile.load(folder)
            keys = keyfile.open_record(account, passphrase).keys
            if keyfile.suffix != IN_FILE:
                raise InputError(
                    "A practice in a database is upgraded as files: `attunement move --to files` by the version it was "
                    "kept with, then `attunement upgrade` and `attunement move --to database` by this one."
                )
            work = [(name, keyfile.files[name], keys[name]) for name in keys]
            locks = keyfile.account(account).own
            if locks and suffix_of(locks.file) == IN_FILE:
                work.append(("reflections", locks.file, keyfile.open_own(account, passphrase).file))
            return tuple(_upgraded(folder, *each, account, undo=undo) for each in work)
        finally:
            lock.release()


def _upgraded(folder: Path, kind: str, file: str, key: Key, account: str, *, undo: bool) -> str:
    opened = engine(folder / file, key)
    try:
        with in_sentences(file):
            before = migrations.revision(opened)
            if before is None:
                raise Damaged(
                    f"{file} is not a {kind} vault; `attunement restore` puts a backup in its place."
                )
            if undo and migrations.previous(kind, before) is None:
                return f"{kind}: nothing to undo ({before})."
            if before == migrations.HEADS[kind] and not undo:
                return f"{kind}: up to date ({before})."
            with opened.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                verdict = verified(connection, as_it_is(connection))
                refuse_holes(connection)
                connection.exec_driver_sql("ROLLBACK")
            if not verdict.whole:
                raise Damaged(
                    f"{file} is not as its journal says: {verdict.problems[0]} It was not upgraded."
                )
            copy = folder / COPIES / f"{before}-{file}"
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            copy.unlink(missing_ok=True)
            copy.touch(mode=OWNER_ONLY)
            with opened.connect() as connection:
                connection.exec_driver_sql(f"VACUUM INTO {quoted(copy)}")
            sync_file(copy)
            step = migrations.downgrade if undo else migrations.upgrade
            step(opened, kind, then=lambda connection: _noted(connection, account))
            return f"{kind}: {before} to {migrations.revision(opened)}; the copy from before is {COPIES}/{copy.name}."
    finally:
        opened.dispose()


def _noted(connection: sa.Connection, account: str) -> None:
    """Let the journal answer for the rows as they are after the step, in the transaction of the step."""
    metadata = as_it_is(connection)
    keys = chain_keys(connection, metadata)
    chain = Chain(keys[max(keys)], last_entry(connection, metadata)[0])
    rows = Rows(connection, metadata, chain, Clock())
    digest_anew(rows, metadata)
    rows.note(account, Verb.UPGRADE, "")
