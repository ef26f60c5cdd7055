"""`keys.json`: who can open which vault, and the one place where a change of keys takes effect.

::

    passphrase ─Argon2id─┐
                         ├─ record root ─ X25519 ─HPKE→ keys of record and identity
    recovery code ─HKDF──┘
    passphrase ─Argon2id─┐
                         ├─ own root ─┬─ key of the own reflections file
    recovery code ─HKDF──┘            ├─ key that wraps each envelope's
                                      └─ private keys, for sharing

The two roots have nothing in common: a process that opened the record has no key to a reflection. The file holds
nothing in clear but codes of accounts, names of files, public keys and a drop box's address. It carries a MAC under the
record's key, so that nobody without that key adds an account, swaps a public key or points to another file. And since
anybody can seal a key of their own to an account's public key, each account keeps the record's key that it was given,
under its own root; a later one is believed if it leads back to that: each new key wraps the one before.

A vault under new keys is a new file beside the old; replacing `keys.json` (written aside, synced, renamed) is what
makes it the vault.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from attunement.errors import Damaged, NewerVersion, Refused, VaultProblem
from attunement.vault.account import Account, Opened, Own, OwnLock, account_as_dict, account_from_dict
from attunement.vault.locks import Cost, Lock
from attunement.vault.naming import IN_FILE, next_name, plain_names, suffix_of
from attunement.vault.places import replace_file
from attunement.vault.sealing import Key, canonical, seal, unseal
from attunement.vault.sharing import PrivateKeys, PublicKeys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.vault.recovery import RecoveryCode

VERSION: Final = 1
NAME: Final = "keys.json"
SHARED: Final = ("record", "identity")
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
NO_ACCOUNT: Final = "There is no such account, or the passphrase is not right."
_STRANGER = (
    "The keys in keys.json do not come from the practice that this account belongs to: somebody may have put another "
    "practice in its place. Nothing was opened; put the folder back from a backup (attunement restore)."
)
_BROKEN = "keys.json is not as it was written; put it back from a backup (attunement restore)."


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All accounts' locks, and the files' present names."""

    install: str
    files: dict[str, str]
    accounts: dict[str, Account]
    past: tuple[bytes, ...] = ()
    mac: bytes = b""
    drop_box: str = ""

    # -- opening

    def open_record(self, account: str, passphrase: str) -> Opened:
        """Open the shared files by a passphrase; an unknown account reads like a wrong passphrase."""
        found = self.account(account)
        return self._opened(found, found.lock.opened(passphrase, self._about("record", account)))

    def open_record_with_code(self, account: str, code: RecoveryCode) -> Opened:
        """Open the shared files by a recovery code."""
        found = self.account(account)
        return self._opened(found, found.lock.opened_with_code(code, self._about("record", account)))

    def open_own(self, account: str, passphrase: str) -> Own:
        """Open one's own reflections by a passphrase."""
        own = self._own(account)
        return self._owned(account, own, own.lock.opened(passphrase, self._about("own", account)))

    def open_own_with_code(self, account: str, code: RecoveryCode) -> Own:
        """Open one's own reflections by a recovery code."""
        own = self._own(account)
        return self._owned(account, own, own.lock.opened_with_code(code, self._about("own", account)))

    def account(self, code: str) -> Account:
        """Return the locks of an account."""
        if code not in self.accounts:
            raise Refused(NO_ACCOUNT)
        return self.accounts[code]

    def public(self, code: str) -> PublicKeys:
        """Return the public keys of an account, as the practice has them today."""
        return self._own(code).public

    @property
    def suffix(self) -> str:
        """Where the vaults are: ``.vault`` for files of our own, ``.schema`` for a database."""
        return suffix_of(self.files["record"])

    @property
    def named(self) -> tuple[str, ...]:
        """The names of all vaults."""
        own = (account.own.file for account in self.accounts.values() if account.own)
        return (*self.files.values(), *own)

    def check(self, record: Key) -> None:
        """Refuse a file that somebody without the record's key has written."""
        if not hmac.compare_digest(self.mac, self._mac(record)):
            raise Damaged(_BROKEN)

    def generations(self, record: Key) -> Iterator[Key]:
        """Go through the record's keys from the present one back, as far as each opens the one before."""
        yield record
        for wrapped in self.past:
            try:
                record = Key(unseal(record, wrapped, self._about("past")))
            except Damaged:
                return
            yield record

    # -- making

    @classmethod
    def fresh(cls, suffix: str = IN_FILE) -> KeyFile:
        """Return the key file of a new practice, with no account yet; the suffix tells where its vaults are."""
        files = {name: f"{name}-1{suffix}" for name in SHARED}
        return cls(secrets.token_hex(8), files, {})

    def with_account(
        self,
        code: str,
        passphrase: str,
        recovery: RecoveryCode,
        keys: dict[str, Key],
        *,
        own: bool,
        cost: Cost,
    ) -> KeyFile:
        """Add an account that can open the shared files, and one's own reflections if it has them."""
        root = Key.fresh()
        lock = Lock.around(root, passphrase, recovery, self._about("record", code), cost)
        agreement = _agreement(root).public_key().public_bytes_raw()
        account = Account(code, lock, agreement, self._seen(code, root, keys["record"]), {}, None)
        if own:
            account = replace(account, own=self._fresh_own(code, passphrase, recovery, cost))
        return self._put(self._let_in(account, keys)).signed(keys["record"])

    def sealed(self, keys: dict[str, Key]) -> KeyFile:
        """Seal other keys of the shared files to every account that is let in, and sign the whole."""
        accounts = {
            code: self._let_in(account, keys) if account.keys else account
            for code, account in self.accounts.items()
        }
        return replace(self, accounts=accounts).signed(keys["record"])

    def shut_out(self, code: str, record: Key) -> KeyFile:
        """Give an account no key to the shared files any more; its own reflections stay its own."""
        return self._put(replace(self.account(code), keys={})).signed(record)

    def moved(self, suffix: str, record: Key) -> KeyFile:
        """Name the shared files where they are from now on."""
        files = {name: next_name(file, suffix) for name, file in self.files.items()}
        return replace(self, files=files).signed(record)

    def moved_own(self, own: Own, suffix: str, record: Key) -> KeyFile:
        """Name one's reflections where they are from now on; their key stays."""
        account, locks = self.account(own.account), self._own(own.account)
        file = next_name(locks.file, suffix)
        key = seal(own.root, own.file.reveal(), self._about("own file", own.account, file))
        moved = replace(locks, file=file, key=key, sealed_as="")
        return self._put(replace(account, own=moved)).signed(record)

    def moved_sealed(self, code: str, suffix: str, record: Key) -> KeyFile:
        """Name somebody's reflections where they are from now on, without their key: as they are sealed."""
        account, locks = self.account(code), self._own(code)
        moved = replace(locks, file=next_name(locks.file, suffix), sealed_as=locks.bound_to)
        return self._put(replace(account, own=moved)).signed(record)

    def linked(self, drop_box: str, record: Key) -> KeyFile:
        """Name the drop box that clients' links lead to, or none."""
        return replace(self, drop_box=drop_box).signed(record)

    def signed(self, record: Key) -> KeyFile:
        """Set the MAC."""
        return replace(self, mac=self._mac(record))

    def relocked(
        self, code: str, old: tuple[Key | None, Key | None], passphrase: str, record: Key, cost: Cost
    ) -> KeyFile:
        """Give an account another passphrase; `old` are its roots, None for one that stays as it is."""
        account = self.account(code)
        root, own_root = old
        if root:
            lock = account.lock.relocked(root, passphrase, self._about("record", code), cost)
            account = replace(account, lock=lock, seen=self._seen(code, root, record))
        if own_root and account.own:
            lock = account.own.lock.relocked(own_root, passphrase, self._about("own", code), cost)
            account = replace(account, own=replace(account.own, lock=lock))
        return self._put(account).signed(record)

    def renewed(
        self,
        code: str,
        passphrase: str,
        recovery: RecoveryCode,
        keys: dict[str, Key],
        own: Own | None,
        *,
        before: Key,
        cost: Cost,
    ) -> KeyFile:
        """Give an account new roots and a new recovery code, and every account the new keys of the shared files.

        `before` is the record's key until now. `own` holds the new root and file key of the account's reflections,
        whose file has the next name. The keys for sharing stay: others have pinned them.
        """
        files = {name: next_name(file) for name, file in self.files.items()}
        root, account = Key.fresh(), self.account(code)
        lock = Lock.around(root, passphrase, recovery, self._about("record", code), cost)
        agreement = _agreement(root).public_key().public_bytes_raw()
        account = replace(
            account, lock=lock, agreement=agreement, seen=self._seen(code, root, keys["record"])
        )
        if own and account.own:
            account = replace(account, own=self._renewed_own(account.own, own, passphrase, recovery, cost))
        past = (seal(keys["record"], before.reveal(), self._about("past")), *self.past)
        return replace(self._put(account), files=files, past=past).sealed(keys)

    # -- the root keys of an account, for changing its locks

    def record_root(self, code: str, passphrase: str) -> Key:
        """Return the record root."""
        return self.account(code).lock.opened(passphrase, self._about("record", code))

    def record_root_with_code(self, code: str, recovery: RecoveryCode) -> Key:
        """Return the record root to one who has the recovery code."""
        return self.account(code).lock.opened_with_code(recovery, self._about("record", code))

    # -- on disk

    def save(self, folder: Path) -> None:
        """Replace `keys.json` as a whole: it is the old or the new one, whatever happens."""
        replace_file(folder / NAME, json.dumps(_as_dict(self), indent=1).encode() + b"\n")

    @classmethod
    def load(cls, folder: Path) -> KeyFile:
        """Read `keys.json`.

        Raises
        ------
        VaultProblem
            Where there is none, it cannot be read, or a later version wrote it.
        """
        try:
            stored = json.loads((folder / NAME).read_bytes())
        except FileNotFoundError:
            raise VaultProblem(f"There is no practice in {folder}; `attunement init` makes one.") from None
        except OSError as problem:
            raise VaultProblem(f"keys.json in {folder} cannot be read: {problem.strerror}.") from None
        except (ValueError, RecursionError):
            raise Damaged(_BROKEN) from None
        return _from_dict(stored)

    # -- inside

    def _opened(self, account: Account, root: Key) -> Opened:
        if not account.keys:
            raise Refused(NO_ACCOUNT)
        private = _agreement(root)
        try:
            keys = {
                name: Key(_SUITE.decrypt(box, private, info=self._about("file", account.code, name)))
                for name, box in account.keys.items()
            }
        except (InvalidTag, ValueError):
            raise Damaged(_BROKEN) from None
        if set(keys) != set(SHARED):
            raise Damaged(_BROKEN)
        self.check(keys["record"])
        if not self._leads_back(keys["record"], self._was_seen(account, root)):
            raise Damaged(_STRANGER)
        return Opened(account.code, keys)

    def _leads_back(self, record: Key, seen: Key) -> bool:
        """Whether a record's key is the one that was seen, or came of it by rotations."""
        return any(hmac.compare_digest(key.reveal(), seen.reveal()) for key in self.generations(record))

    def _seen(self, code: str, root: Key, record: Key) -> bytes:
        return seal(root, record.reveal(), self._about("seen", code))

    def _was_seen(self, account: Account, root: Key) -> Key:
        try:
            return Key(unseal(root, account.seen, self._about("seen", account.code)))
        except Damaged:
            raise Damaged(_STRANGER) from None

    def _owned(self, code: str, own: OwnLock, root: Key) -> Own:
        try:
            file = Key(unseal(root, own.key, self._about("own file", code, own.bound_to)))
            bound = self._about("private keys", code, own.public.sealing, own.public.signing)
            private = PrivateKeys.from_bytes(code, unseal(root, own.private, bound))
        except Damaged:
            raise Damaged(_BROKEN) from None
        return Own(code, root, file, private)

    def _fresh_own(self, code: str, passphrase: str, recovery: RecoveryCode, cost: Cost) -> OwnLock:
        root, private, name = (
            Key.fresh(),
            PrivateKeys.fresh(code),
            f"reflections-{secrets.token_hex(4)}-1{self.suffix}",
        )
        public = private.public
        return OwnLock(
            lock=Lock.around(root, passphrase, recovery, self._about("own", code), cost),
            file=name,
            key=seal(root, Key.fresh().reveal(), self._about("own file", code, name)),
            private=seal(
                root, private.reveal(), self._about("private keys", code, public.sealing, public.signing)
            ),
            public=public,
        )

    def _renewed_own(
        self, before: OwnLock, own: Own, passphrase: str, recovery: RecoveryCode, cost: Cost
    ) -> OwnLock:
        code, name = own.account, next_name(before.file)
        bound = self._about("private keys", code, before.public.sealing, before.public.signing)
        return OwnLock(
            lock=Lock.around(own.root, passphrase, recovery, self._about("own", code), cost),
            file=name,
            key=seal(own.root, own.file.reveal(), self._about("own file", code, name)),
            private=seal(own.root, own.private.reveal(), bound),
            public=before.public,
        )

    def _own(self, code: str) -> OwnLock:
        own = self.account(code).own
        if own is None:
            raise Refused("This account has no reflections of its own.")
        return own

    def _let_in(self, account: Account, keys: dict[str, Key]) -> Account:
        return replace(account, keys={name: self._box(account, name, key) for name, key in keys.items()})

    def _put(self, account: Account) -> KeyFile:
        return replace(self, accounts={**self.accounts, account.code: account})

    def _box(self, account: Account, name: str, key: Key) -> bytes:
        public = X25519PublicKey.from_public_bytes(account.agreement)
        return _SUITE.encrypt(key.reveal(), public, info=self._about("file", account.code, name))

    def _about(self, *what: str | bytes) -> bytes:
        return canonical(self.install, *what)

    def _mac(self, record: Key) -> bytes:
        content = json.dumps({**_as_dict(self), "mac": ""}, sort_keys=True).encode()
        return hmac.new(record.derived("key file").reveal(), content, hashlib.sha256).digest()


def _agreement(root: Key) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(root.derived("agreement").reveal())


def _as_dict(file: KeyFile) -> dict[str, Any]:
    return {
        "attunement": VERSION,
        "install": file.install,
        "files": file.files,
        "accounts": {code: account_as_dict(account) for code, account in file.accounts.items()},
        "past": [wrapped.hex() for wrapped in file.past],
        "mac": file.mac.hex(),
        **({"drop_box": file.drop_box} if file.drop_box else {}),
    }


def _from_dict(stored: dict[str, Any]) -> KeyFile:
    try:
        if type(stored["attunement"]) is int and stored["attunement"] > VERSION:
            raise NewerVersion(
                "A later version of attunement wrote this practice; please install that version."
            )
        if type(stored["attunement"]) is not int or stored["attunement"] != VERSION:
            raise ValueError("no version of ours")  # noqa: TRY301 - one way out
        accounts = {code: account_from_dict(code, each) for code, each in stored["accounts"].items()}
        past = tuple(bytes.fromhex(wrapped) for wrapped in stored["past"])
        mac = bytes.fromhex(stored["mac"])
        box = str(stored.get("drop_box", ""))
        return KeyFile(str(stored["install"]), plain_names(stored["files"], SHARED), accounts, past, mac, box)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise Damaged(_BROKEN) from None
