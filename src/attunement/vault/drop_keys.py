"""The practice's own pair of keys for its drop box: one opens what was sealed to it, one signs what the box is told.

Both come of the record's key. A check-in belongs to the record, not to anybody's reflections, so whoever can open the
record can fetch it: by a program that runs while every reflection is locked, and without another secret to lose, to
back up or to steal. New keys of the record are new keys here too; what was sealed to the ones before still opens, since
each key of the record wraps the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from attunement.errors import Damaged
from attunement.vault.drops import CANNOT_OPEN, SUITE, Drop, Told
from attunement.vault.sealing import unpad

if TYPE_CHECKING:
    from attunement.vault.sealing import Key


class DropKeys:
    """The private keys for a drop box.

    Parameters
    ----------
    record
        The record's key.
    """

    __slots__ = ("_sealing", "_signing")

    def __init__(self, record: Key) -> None:
        self._sealing = X25519PrivateKey.from_private_bytes(record.derived("drop box", "sealing").reveal())
        self._signing = Ed25519PrivateKey.from_private_bytes(record.derived("drop box", "signing").reveal())

    @property
    def sealing(self) -> bytes:
        """The public key to which the box seals."""
        return self._sealing.public_key().public_bytes_raw()

    @property
    def owner(self) -> bytes:
        """The public key by which the box knows its owner."""
        return self._signing.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """Sign."""
        return self._signing.sign(content)

    def opened(self, drop: Drop) -> Told:
        """Open a drop.

        Raises
        ------
        Damaged
            Where it is sealed to another key, was edited, or lay in another slot.
        """
        try:
            padded = SUITE.decrypt(drop.sealed, self._sealing, info=drop.about)
        except (InvalidTag, ValueError):
            raise Damaged(CANNOT_OPEN) from None
        return Told.read(unpad(padded))

    def __repr__(self) -> str:
        return "<keys of a drop box>"
