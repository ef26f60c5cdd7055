"""The locks of one account, as they stand in `keys.json`, and what opening them gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attunement.vault.locks import Lock
from attunement.vault.naming import plain_name
from attunement.vault.sharing import PrivateKeys, PublicKeys

if TYPE_CHECKING:
    from attunement.vault.sealing import Key


@dataclass(frozen=True, slots=True)
class OwnLock:
    """The second lock of an account that has reflections of its own.

    Parameters
    ----------
    lock
        Around the own root.
    file
        The name of the reflections file.
    key, private
        The file's key and the private keys, sealed under the own root.
    public
        What others seal to and verify with.
    sealed_as
        The name of the file when its key was sealed, if it was moved since by somebody without that key.
    """

    lock: Lock
    file: str
    key: bytes
    private: bytes
    public: PublicKeys
    sealed_as: str = ""

    @property
    def bound_to(self) -> str:
        """The name that the file's key is sealed for: the one before, where it was moved without that key."""
        return self.sealed_as or self.file


@dataclass(frozen=True, slots=True)
class Account:
    """The locks of one account.

    Parameters
    ----------
    code
        Such as ``T-1``.
    lock
        Around the record root.
    agreement
        The X25519 public key that the shared files' keys are sealed to.
    seen
        The record's key when the account was last given its locks, sealed under the record root: whoever has only the
        public key can seal other keys to the account, and cannot make this.
    keys
        Those sealed keys, by file.
    own
        The lock of the own reflections, for a therapist or supervisor.
    """

    code: str
    lock: Lock
    agreement: bytes
    seen: bytes
    keys: dict[str, bytes]
    own: OwnLock | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What an unlock of the record gives: the keys of the shared files, by name."""

    account: str
    keys: dict[str, Key] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Own:
    """What an unlock of one's own reflections gives."""

    account: str
    root: Key = field(repr=False)
    file: Key = field(repr=False)
    private: PrivateKeys = field(repr=False)


def account_as_dict(account: Account) -> dict[str, Any]:
    """Write it, for JSON."""
    stored: dict[str, Any] = {
        "lock": account.lock.as_dict(),
        "agreement": account.agreement.hex(),
        "seen": account.seen.hex(),
        "keys": {name: box.hex() for name, box in account.keys.items()},
    }
    if account.own:
        stored["own"] = {
            "lock": account.own.lock.as_dict(),
            "file": account.own.file,
            "key": account.own.key.hex(),
            "private": account.own.private.hex(),
            "sealing": account.own.public.sealing.hex(),
            "signing": account.own.public.signing.hex(),
            **({"sealed_as": account.own.sealed_as} if account.own.sealed_as else {}),
        }
    return stored


def account_from_dict(code: str, stored: dict[str, Any]) -> Account:
    """Read it; what is not as it should be is a KeyError, TypeError or ValueError."""
    own = None
    if "own" in stored:
        kept = stored["own"]
        public = PublicKeys(code, bytes.fromhex(kept["sealing"]), bytes.fromhex(kept["signing"]))
        key, private = bytes.fromhex(kept["key"]), bytes.fromhex(kept["private"])
        before = plain_name(kept["sealed_as"]) if "sealed_as" in kept else ""
        own = OwnLock(Lock.from_dict(kept["lock"]), plain_name(kept["file"]), key, private, public, before)
    keys = {name: bytes.fromhex(box) for name, box in stored["keys"].items()}
    agreement, seen = bytes.fromhex(stored["agreement"]), bytes.fromhex(stored["seen"])
    return Account(code, Lock.from_dict(stored["lock"]), agreement, seen, keys, own)
