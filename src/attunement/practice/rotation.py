"""New keys for everything one can open: after a passphrase was seen, a laptop was lent, or somebody left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from attunement.errors import WrongKey
from attunement.practice.desk import Desk
from attunement.practice.house import changing_keys
from attunement.practice.policy import Verb
from attunement.vault import tables
from attunement.vault.account import Own
from attunement.vault.carrying import carry, remove
from attunement.vault.envelope import Envelope, Place, rewrapped
from attunement.vault.keyfile import SHARED, KeyFile
from attunement.vault.locks import Cost
from attunement.vault.naming import next_name
from attunement.vault.sealing import Key
from attunement.vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.vault.recovery import RecoveryCode
    from attunement.vault.rows import Rows
    from attunement.vault.schema import Schema


class Rotation(Desk):
    """The verb of new keys."""

    @changing_keys
    def rotate_keys(self, passphrase: str, recovery: RecoveryCode, *, cost: Cost | None = None) -> None:
        """Write every vault that one can open anew, under new keys, and destroy the old ones.

        Parameters
        ----------
        passphrase
            One's own; it stays. Change it as well, if somebody has seen it.
        recovery
            The new recovery code; the old one opens nothing any more, but backups made before.
        cost
            Of guessing the passphrase.

        Whenever the program is stopped, either the old keys or the new ones are in force, and all is there.
        """
        self._refuse_and_note_unless(Verb.ROTATE_KEYS)
        house, before = self.house, self.house.keyfile
        try:
            before.record_root(self.who.code, passphrase)
            own = before.open_own(self.who.code, passphrase) if before.account(self.who.code).own else None
        except WrongKey:
            self._note(Verb.ROTATE_KEYS, "refused")
            raise
        self._note(Verb.ROTATE_KEYS, "done")
        fresh = {name: Key.fresh() for name in SHARED}
        fresh_own = Own(own.account, Key.fresh(), Key.fresh(), own.private) if own else None
        with house.still():
            after = before.renewed(
                self.who.code,
                passphrase,
                recovery,
                fresh,
                fresh_own,
                before=house.keys["record"],
                cost=cost or Cost(),
            )
            house.about_to_make(after)
            for name in SHARED:
                source = Vault(house.place(before.files[name]), house.keys[name], name, house.clock)
                self._copied(
                    source, house.place(after.files[name], record=after.files["record"]), fresh[name]
                )
            if own and fresh_own:
                self._reflections_anew(before, own, fresh_own)
            try:
                house.set_keys(after)
            finally:  # what stands on the disk is in force, even where syncing the folder failed after it was put there
                if KeyFile.load(house.folder).files == after.files:
                    house.keyfile, house.keys = after, fresh
        for file in (*reversed(before.files.values()), *_own_files(before, after)):
            remove(house.place(file))

    def _copied(self, source: Vault, to: Path | Schema, key: Key) -> None:
        """Copy a vault under a new key, its journal under another from here on, and compare the two."""
        try:
            source.renew_chain_key()
            carry(source, to, key, self.house.clock)
        finally:
            source.close()

    def _reflections_anew(self, keyfile: KeyFile, own: Own, fresh: Own) -> None:
        """Copy one's reflections, and wrap the key of each envelope under the new root."""
        house, locks = self.house, keyfile.account(own.account).own
        assert locks is not None  # noqa: S101 - it has been opened
        to = house.place(next_name(locks.file), own.account)
        source = Vault(house.place(locks.file, own.account), own.file, "reflections", house.clock)
        self._copied(source, to, fresh.file)

        def work(rows: Rows) -> None:
            for row in rows.all(sa.select(tables.reflection)):
                place = Place(keyfile.install, own.account, row["id"], row["client"], row["revision"])
                envelope = rewrapped(Envelope(place, row["body"], row["key"]), own.root, fresh.root)
                rows.change(tables.reflection, row, key=envelope.key)
            rows.note(self.who.code, Verb.ROTATE_KEYS, "")

        vault = Vault(to, fresh.file, "reflections", house.clock)
        try:
            vault.do(work)
            vault.sweep()
        finally:
            vault.close()


def _own_files(before: KeyFile, after: KeyFile) -> list[str]:
    """Vaults of reflections that the new key file no longer names."""
    files = [{each.own.file for each in keyfile.accounts.values() if each.own} for keyfile in (before, after)]
    return sorted(files[0] - files[1])
