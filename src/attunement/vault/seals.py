"""Fields that only a vault's key opens, in a database that somebody else runs.

A file of our own is encrypted as a whole. In a PostgreSQL its owner, its backups and its disk would show every row; so
there what nobody but the practice is to read is sealed field by field, before it leaves this process (AES-SIV,
RFC 5297). A field that is looked up by its value gives the same bytes for the same value; any other has a nonce, so
that nobody sees which two are alike. Where a field belongs, its table and column, is bound to it; that a whole row is
where it was written, the journal's digest tells.
"""

from __future__ import annotations

import os
import struct
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from attunement.errors import Damaged
from attunement.vault.instants import written
from attunement.vault.sealing import pad, unpad

if TYPE_CHECKING:
    from attunement.vault.sealing import Key

_NONCE: Final = 16
_CANNOT_OPEN: Final = "A field is not as it was written, or belongs to another vault; nothing was changed."


class Seals:
    """Seals the fields of one vault.

    Parameters
    ----------
    key
        The vault's.
    """

    def __init__(self, key: Key) -> None:
        self._key = key
        self._ciphers: dict[str, AESSIV] = {}

    def seal(self, value: Any, about: str, *, lookup: bool, padded: bool) -> bytes:  # noqa: ANN401 - a value of a column
        """Seal a value, which is no None, of a column."""
        plain = _as_bytes(value)
        nonce = b"" if lookup else os.urandom(_NONCE)
        sealed = self._cipher(about).encrypt(pad(plain) if padded else plain, [about.encode(), nonce])
        return nonce + sealed

    def open(self, blob: bytes, about: str, *, lookup: bool, padded: bool) -> Any:  # noqa: ANN401 - see above
        """Open what `seal` made.

        Raises
        ------
        Damaged
            Where it was edited, moved from another column, or is another vault's.
        """
        cut = 0 if lookup else _NONCE
        try:
            plain = self._cipher(about).decrypt(blob[cut:], [about.encode(), blob[:cut]])
        except (InvalidTag, ValueError, TypeError):
            raise Damaged(_CANNOT_OPEN) from None
        return _from_bytes(unpad(plain) if padded else plain)

    def _cipher(self, about: str) -> AESSIV:
        if about not in self._ciphers:
            halves = (self._key.derived("field", about, half).reveal() for half in (1, 2))
            self._ciphers[about] = AESSIV(b"".join(halves))
        return self._ciphers[about]


def _as_bytes(value: Any) -> bytes:  # noqa: ANN401 - a value of a column
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, int):
        return b"i" + str(int(value)).encode()
    if isinstance(value, float):
        return b"f" + struct.pack(">d", value)
    return b"s" + (written(value) if isinstance(value, datetime) else str(value)).encode()


def _from_bytes(plain: bytes) -> Any:  # noqa: ANN401 - a value of a column
    kind, content = plain[:1], plain[1:]
    if kind == b"b":
        return content
    if kind == b"i":
        return int(content)
    if kind == b"f":
        return struct.unpack(">d", content)[0]
    return content.decode()
