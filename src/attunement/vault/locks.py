"""A lock: a random root key under a passphrase (Argon2id), and under a recovery code.

A changed passphrase wraps the same root anew; nothing that the root protects is encrypted again.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from attunement.errors import Damaged, InUse, WrongKey
from attunement.vault.sealing import Key, canonical, seal, unseal

if TYPE_CHECKING:
    from attunement.vault.recovery import RecoveryCode

_AT_ONCE = threading.Semaphore(1)
"""Each takes 64 MiB; and two at once, of more than one lane, wait for each other for ever (OpenSSL 4.0.3)."""
_WAITS: Final = 20.0  # seconds
_SALT = 16  # bytes
SHORTEST = 12  # characters of a passphrase
_GUESSABLE = 3  # of zxcvbn's 0 to 4, the least that is taken


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at a passphrase costs (Argon2id, RFC 9106).

    Parameters
    ----------
    memory
        In KiB.
    passes, lanes
        How often over the memory, and with how many threads.
    """

    memory: int = 65536
    passes: int = 3
    lanes: int = 4

    def check(self) -> None:
        """Refuse costs that somebody has lowered, or that would eat the machine (ASVS 5.0, appendix C)."""
        if not (_LEAST.memory <= self.memory <= _MOST.memory):
            raise Damaged(_HOSTILE)
        if not (_LEAST.passes <= self.passes <= _MOST.passes and _LEAST.lanes <= self.lanes <= _MOST.lanes):
            raise Damaged(_HOSTILE)

    def parts(self) -> tuple[int, int, int]:
        """What is bound into the lock."""
        return self.memory, self.passes, self.lanes


_LEAST, _MOST = Cost(47104, 1, 1), Cost(1048576, 20, 16)
LEAST = _LEAST
_HOSTILE = "The key file's settings are weaker or larger than this program takes; restore it from a backup."
_WRONG = "The passphrase is not right."


@dataclass(frozen=True, slots=True)
class Lock:
    """A root key, wrapped twice.

    Parameters
    ----------
    cost, salt
        Of the passphrase.
    by_passphrase, by_code
        The root key, sealed.
    """

    cost: Cost
    salt: bytes
    by_passphrase: bytes
    by_code: bytes

    @classmethod
    def around(cls, root: Key, passphrase: str, code: RecoveryCode, belongs_to: bytes, cost: Cost) -> Lock:
        """Lock a root key."""
        by_code = seal(_from_code(code), root.reveal(), canonical("by code", belongs_to))
        return cls(cost, b"", b"", by_code).relocked(root, passphrase, belongs_to, cost)

    def opened(self, passphrase: str, belongs_to: bytes) -> Key:
        """Return the root key.

        Raises
        ------
        WrongKey
            Where the passphrase is not the one.
        Damaged
            Where the settings were tampered with.
        """
        self.cost.check()
        if len(self.salt) != _SALT:
            raise Damaged(_HOSTILE)
        key = _from_passphrase(passphrase, self.salt, self.cost)
        try:
            return Key(unseal(key, self.by_passphrase, _bound(belongs_to, self.salt, self.cost)))
        except Damaged:
            raise WrongKey(_WRONG) from None

    def opened_with_code(self, code: RecoveryCode, belongs_to: bytes) -> Key:
        """Return the root key to one who has the recovery code."""
        try:
            return Key(unseal(_from_code(code), self.by_code, canonical("by code", belongs_to)))
        except Damaged:
            raise WrongKey("This recovery code does not belong to this account.") from None

    def relocked(self, root: Key, passphrase: str, belongs_to: bytes, cost: Cost) -> Lock:
        """Return the lock with another passphrase."""
        salt = os.urandom(_SALT)
        key = _from_passphrase(passphrase, salt, cost)
        sealed = seal(key, root.reveal(), _bound(belongs_to, salt, cost))
        return replace(self, cost=cost, salt=salt, by_passphrase=sealed)

    def as_dict(self) -> dict[str, Any]:
        """Return it for the key file."""
        return {
            "argon2id": list(self.cost.parts()),
            "salt": self.salt.hex(),
            "by_passphrase": self.by_passphrase.hex(),
            "by_code": self.by_code.hex(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Lock:
        """Read it from the key file."""
        memory, passes, lanes = (int(number) for number in stored["argon2id"])
        blobs = (bytes.fromhex(stored[name]) for name in ("salt", "by_passphrase", "by_code"))
        return cls(Cost(memory, passes, lanes), *blobs)


def refuse_weak(passphrase: str, *known: str) -> None:
    """Refuse a passphrase that is short or easily guessed, and say what would do.

    Raises
    ------
    WrongKey
        With one sentence.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take a tenth of a second

    if len(passphrase) < SHORTEST:
        raise WrongKey(f"A passphrase has at least {SHORTEST} characters; four or five words would do.")
    if len(passphrase) > 1000:
        raise WrongKey("A passphrase has at most 1,000 characters.")
    if zxcvbn(passphrase[:72], user_inputs=[each for each in known if each])["score"] < _GUESSABLE:
        raise WrongKey("This passphrase is easily guessed; four or five unrelated words would do.")


def _bound(belongs_to: bytes, salt: bytes, cost: Cost) -> bytes:
    return canonical("by passphrase", belongs_to, salt, *cost.parts())


def _from_passphrase(passphrase: str, salt: bytes, cost: Cost) -> Key:
    typed = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    derive = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory)
    if not _AT_ONCE.acquire(timeout=_WAITS):
        raise InUse("Too many are signing in at once; please try again in a moment.")
    try:
        return Key(derive.derive(typed))
    finally:
        _AT_ONCE.release()


def _from_code(code: RecoveryCode) -> Key:
    return Key(code.secret + b"\0" * 12).derived("recovery code")
