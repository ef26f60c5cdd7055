"""Sharing one reflection with one supervisor, until a day.

The key of the revision, not the text, is sealed to the supervisor's public key (HPKE, RFC 9180) and signed by the
owner (Ed25519). Both people see the same fingerprint of each other's keys and compare it once, in person; from then on
the key is *pinned*, and another one is refused loudly.

A share that is revoked or has ended no longer opens. What was read cannot be un-known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from attunement.errors import Damaged, Gone
from attunement.vault.envelope import Envelope, Place, key_of, open_body
from attunement.vault.sealing import Key, canonical

if TYPE_CHECKING:
    from datetime import datetime

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_NOT_AS_SENT = "This share cannot be opened: it is not for you, or it is not as it was sent."


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The keys by which others seal to an account and check its signature, 32 bytes each."""

    account: str
    sealing: bytes
    signing: bytes

    @property
    def fingerprint(self) -> str:
        """Six groups of five digits that two people can read to each other."""
        digest = hashlib.sha256(canonical("fingerprint", self.account, self.sealing, self.signing)).digest()
        number = int.from_bytes(digest[:12], "big")
        return " ".join(f"{number >> 16 * place & 0xFFFF:05d}" for place in range(6))


@dataclass(frozen=True, slots=True)
class PrivateKeys:
    """The other halves; they never leave the owner's own lock."""

    account: str
    sealing: X25519PrivateKey
    signing: Ed25519PrivateKey

    @classmethod
    def fresh(cls, account: str) -> PrivateKeys:
        """Make a new pair of each."""
        return cls(account, X25519PrivateKey.generate(), Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, account: str, stored: bytes) -> PrivateKeys:
        """Read what `reveal` gave."""
        sealing, signing = stored[:32], stored[32:]
        return cls(
            account,
            X25519PrivateKey.from_private_bytes(sealing),
            Ed25519PrivateKey.from_private_bytes(signing),
        )

    def reveal(self) -> bytes:
        """Return the bytes, for sealing alone."""
        return self.sealing.private_bytes_raw() + self.signing.private_bytes_raw()

    @property
    def public(self) -> PublicKeys:
        """What others may see."""
        sealing, signing = self.sealing.public_key(), self.signing.public_key()
        return PublicKeys(self.account, sealing.public_bytes_raw(), signing.public_bytes_raw())

    def __repr__(self) -> str:
        return f"<private keys of {self.account}>"


@dataclass(frozen=True, slots=True)
class Share:
    """A reflection, or a report, as one supervisor can open it.

    Parameters
    ----------
    place, body
        The envelope's, as its owner sealed it.
    recipient
        The supervisor's account.
    basis
        On which ground it is shared, such as "supervision"; signed with the rest.
    expires
        When it ends, in UTC.
    box, signature
        The key, sealed to the supervisor; the owner's signature over everything.
    """

    place: Place
    body: bytes
    recipient: str
    basis: str
    expires: datetime
    box: bytes
    signature: bytes


def share(
    envelope: Envelope, owner: Key, sender: PrivateKeys, recipient: PublicKeys, basis: str, expires: datetime
) -> Share:
    """Seal the key of a reflection to a supervisor."""
    about = _about(envelope.place, recipient, basis, expires)
    key = key_of(envelope, owner)
    box = _SUITE.encrypt(key.reveal(), X25519PublicKey.from_public_bytes(recipient.sealing), info=about)
    signature = sender.signing.sign(_signed(about, box, envelope.body))
    return Share(envelope.place, envelope.body, recipient.account, basis, expires, box, signature)


def open_share(shared: Share, recipient: PrivateKeys, sender: PublicKeys, now: datetime) -> str:
    """Open a share as its recipient.

    Parameters
    ----------
    shared, recipient
        What came, and who opens it.
    sender
        The *pinned* keys of the sender, never those that the practice offers today.
    now
        In UTC.

    Raises
    ------
    Gone
        Where it has ended.
    Damaged
        Where it was edited, replayed for another note, or signed by another.
    """
    if now >= shared.expires:
        raise Gone("This share has ended; its owner can share it anew.")
    about = _about(shared.place, recipient.public, shared.basis, shared.expires)
    try:
        verifier = Ed25519PublicKey.from_public_bytes(sender.signing)
        verifier.verify(shared.signature, _signed(about, shared.box, shared.body))
        key = Key(_SUITE.decrypt(shared.box, recipient.sealing, info=about))
    except (InvalidSignature, InvalidTag, ValueError):
        raise Damaged(_NOT_AS_SENT) from None
    if shared.place.owner != sender.account or shared.recipient != recipient.account:
        raise Damaged(_NOT_AS_SENT)
    return open_body(shared.body, shared.place, key)


def _about(place: Place, recipient: PublicKeys, basis: str, expires: datetime) -> bytes:
    return canonical(
        "share", place.canonical(), recipient.account, recipient.sealing, basis, expires.isoformat()
    )


def _signed(about: bytes, box: bytes, body: bytes) -> bytes:
    return canonical("signed", about, box, hashlib.sha256(body).digest())
