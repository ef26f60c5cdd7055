"""Sealing bytes so that only the right key, for the right row, opens them.

AES-256-GCM does not commit to its key: a ciphertext can be made that opens under two. So each sealed blob begins
with a tag of its key, made by HKDF, and a wrong key is refused before anything is decrypted. What a blob belongs
to (install, owner, note, client, revision) is its associated data: put elsewhere, it does not open.

A blob is ``commitment (32) | nonce (12) | ciphertext | tag (16)``.
"""

from __future__ import annotations

import hmac
import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from attunement.errors import Damaged

KEY_BYTES: Final = 32
_COMMITMENT, _NONCE, _TAG = 32, 12, 16
_SMALLEST = 256  # bytes of the smallest padded text
_CLASSES = 8  # steps of size between one power of two and the next

Part = str | bytes | int | float | None


class Key:
    """A secret of 32 bytes that never shows itself in a log, a traceback or a printed object."""

    __slots__ = ("_bytes",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError("A key has 32 bytes.")
        self._bytes = secret

    @classmethod
    def fresh(cls) -> Key:
        """Return a new random key."""
        return cls(os.urandom(KEY_BYTES))

    def reveal(self) -> bytes:
        """Return the bytes, for a cipher alone."""
        return self._bytes

    def derived(self, *purpose: Part) -> Key:
        """Return another key from this one, for one purpose (HKDF-SHA256, RFC 5869)."""
        return Key(HKDF(hashes.SHA256(), KEY_BYTES, None, canonical("derive", *purpose)).derive(self._bytes))

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> str:
        raise TypeError("A key is never pickled.")


def canonical(*parts: Part) -> bytes:
    """Encode so that no two different lists of parts give the same bytes: each has its type and length.

    >>> canonical("ab", "c") == canonical("a", "bc")
    False
    """
    encoded = [b"attunement/1"]
    for part in parts:
        kind, content = _encoded(part)
        encoded.append(kind + struct.pack(">I", len(content)) + content)
    return b"".join(encoded)


def _encoded(part: Part) -> tuple[bytes, bytes]:
    if part is None:
        return b"n", b""
    if isinstance(part, bytes):
        return b"b", part
    if isinstance(part, int):
        return b"i", str(int(part)).encode()
    if isinstance(part, float):
        return b"f", part.hex().encode()
    return b"s", part.encode("utf-8", "surrogatepass")


def seal(key: Key, text: bytes, belongs_to: bytes) -> bytes:
    """Encrypt under a key, bound to what it belongs to."""
    commitment = key.derived("commitment").reveal()
    nonce = os.urandom(_NONCE)
    cipher = AESGCM(key.derived("encryption").reveal())
    return commitment + nonce + cipher.encrypt(nonce, text, belongs_to + commitment)


def unseal(key: Key, blob: bytes, belongs_to: bytes) -> bytes:
    """Decrypt what `seal` made.

    Raises
    ------
    Damaged
        With one sentence whatever the reason is: wrong key, edited, cut short, or moved from elsewhere.
    """
    commitment, nonce, ciphertext = (
        blob[:_COMMITMENT],
        blob[_COMMITMENT:][:_NONCE],
        blob[_COMMITMENT + _NONCE :],
    )
    known = hmac.compare_digest(commitment, key.derived("commitment").reveal())
    if not known or len(ciphertext) < _TAG:
        raise Damaged(_CANNOT_OPEN)
    try:
        cipher = AESGCM(key.derived("encryption").reveal())
        return cipher.decrypt(nonce, ciphertext, belongs_to + commitment)
    except InvalidTag:
        raise Damaged(_CANNOT_OPEN) from None


_CANNOT_OPEN = "This cannot be opened: it is not sealed for you, or it is not as it was written."


def pad(text: bytes) -> bytes:
    """Hide how long a text is: up to 256 bytes are alike, then eight sizes from one power of two to the next."""
    size, step = len(text) + 4, _SMALLEST
    while size > step * _CLASSES:
        step *= 2
    return struct.pack(">I", len(text)) + text + b"\0" * (-size % step)


def unpad(padded: bytes) -> bytes:
    """Take away what `pad` added."""
    length = struct.unpack(">I", padded[:4])[0] if len(padded) >= 4 else len(padded)
    if length > len(padded) - 4:
        raise Damaged(_CANNOT_OPEN)
    return padded[4 : 4 + length]
