"""Drops: a client's answers on their way, sealed to the practice's public key; by what is here, nothing is opened.

The box seals in the request itself (HPKE, RFC 9180), bound to the slot, the instrument and its version: put into
another slot, a drop does not open. The token goes in with the answers. The box keeps its hash alone, so whoever has
stolen the box, and with it the public key, cannot make a drop that counts for a slot that is still open. Every drop of
one instrument is of one length, whatever was answered.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from attunement.errors import Damaged, InputError
from attunement.vault.sealing import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
LONGEST_TOKEN: Final = 100  # characters
_AROUND: Final = 512  # bytes of a drop without its answers and its token
_AN_ANSWER: Final = 32  # bytes of an answer without its item's name
_STEP: Final = 1024  # bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a client sent, as it is sealed.

    Parameters
    ----------
    token
        Of the invitation.
    key
        Of the sending, made from all that was sent: the same sending again has the same.
    at
        When it was sent, by the box's clock.
    answers
        By item, None where skipped.
    talked, helped
        About a step, where the invitation asks.
    """

    token: str = field(repr=False)
    key: str
    at: datetime
    answers: Mapping[str, float | None] = field(repr=False)
    talked: str | None = None
    helped: float | None = None

    def written(self) -> bytes:
        """As bytes."""
        plain = {
            "token": self.token, "key": self.key, "at": self.at.isoformat(timespec="microseconds"),
            "answers": dict(self.answers), "talked": self.talked, "helped": self.helped,
        }  # fmt: skip
        return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, content: bytes) -> Told:
        """Read what `written` gave."""
        try:
            plain = json.loads(content)
            at = datetime.fromisoformat(plain["at"]).astimezone(UTC)
            answers = {str(item): _number(value) for item, value in plain["answers"].items()}
            talked, helped = plain["talked"], _number(plain["helped"])
            return cls(str(plain["token"]), str(plain["key"]), at, answers, talked, helped)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            raise Damaged(CANNOT_OPEN) from None


@dataclass(frozen=True, slots=True)
class Drop:
    """Sealed answers, as they lie in a box.

    Parameters
    ----------
    slot
        In which slot.
    instrument, version
        What was asked.
    sealed
        The answers.
    """

    slot: bytes
    instrument: str
    version: str
    sealed: bytes = field(repr=False)

    @property
    def about(self) -> bytes:
        """What it is bound to."""
        return canonical("drop", self.slot, self.instrument, self.version)


CANNOT_OPEN: Final = "This drop cannot be opened: it is not sealed for this practice, or not as it was sent."


def slot_of(token: str) -> bytes:
    """Return in which slot a token's answers lie."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def key_of_sending(token: str, key: str, sent: Iterable[Any]) -> str:
    """Return a key of a sending: the same for the same token, key and answers.

    It stands in the box in the clear. Without the token, nobody can try answers against it.
    """
    content = json.dumps([key, *sent], sort_keys=True, allow_nan=False).encode()
    return hmac.new(slot_secret(token), content, hashlib.sha256).hexdigest()


def slot_secret(token: str) -> bytes:
    """Return a secret that only who has the token knows; never the slot itself."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"attunement drop", hashlib.sha256).digest()


def size_of(items: Iterable[str]) -> int:
    """Return how long every drop of an instrument with these items is before it is sealed, in bytes.

    >>> size_of(["safe", "understood"]), size_of(f"item{number}" for number in range(40))
    (1024, 4096)
    """
    needed = _AROUND + 4 * LONGEST_TOKEN // 3 + sum(_AN_ANSWER + 6 * len(item) for item in items)
    return -(-needed // _STEP) * _STEP


def seal(told: Told, slot: bytes, asked: tuple[str, str], to: bytes, size: int) -> Drop:
    """Seal what was sent to a practice's public key.

    Parameters
    ----------
    told, slot
        What was sent, and in which slot.
    asked
        The instrument and its version.
    to
        The public key, 32 bytes.
    size
        Of what is sealed, in bytes, whatever was answered.
    """
    text = told.written()
    if len(text) + 4 > size:
        raise InputError("That is more than this page takes.")
    padded = struct.pack(">I", len(text)) + text + b"\0" * (size - 4 - len(text))
    empty = Drop(slot, *asked, b"")
    return Drop(slot, *asked, SUITE.encrypt(padded, X25519PublicKey.from_public_bytes(to), info=empty.about))


def to_sign(origin: str, what: str, challenge: bytes, content: bytes) -> bytes:
    """Return what the owner of a box signs to be heard: this box, this request, this once."""
    return canonical("drop box", origin, what, challenge, hashlib.sha256(content).digest())


def published_to_sign(content: bytes) -> bytes:
    """Return what the owner of a box signs of its slots, so that the box believes its own disk no other."""
    return canonical("drop box slots", content)


def is_signed(by: bytes, signature: bytes, content: bytes) -> bool:
    """Whether somebody with this public key (Ed25519, 32 bytes) has signed it."""
    try:
        Ed25519PublicKey.from_public_bytes(by).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _number(value: Any) -> float | None:  # noqa: ANN401 - whatever stands there
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError
    return value
