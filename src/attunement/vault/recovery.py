"""The recovery code: shown once, typed back, kept on paper; it opens what a lost passphrase no longer can."""

from __future__ import annotations

import binascii
import hmac
import secrets
from dataclasses import dataclass, field

from attunement.errors import WrongKey

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to mistake
_READ_AS = str.maketrans("OIL", "011")
_SECRET, _CHECK = 20, 2  # bytes
_LENGTH, _GROUP = 36, 6  # letters; 180 bits, of which the last 4 are zero


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """160 random bits, with 16 that catch a typing error.

    >>> code = RecoveryCode.fresh()
    >>> len(str(code)), RecoveryCode.read(str(code).lower().replace("-", " ")) == code
    (41, True)
    """

    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> RecoveryCode:
        """Return a new code."""
        return cls(secrets.token_bytes(_SECRET))

    @classmethod
    def read(cls, typed: str) -> RecoveryCode:
        """Read a code as somebody typed it: small letters, spaces and O for 0 are understood.

        Raises
        ------
        WrongKey
            Where it is too short, too long, or has a typing error.
        """
        letters = "".join(sign for sign in typed.upper() if sign.isalnum()).translate(_READ_AS)
        if len(letters) != _LENGTH or any(letter not in _LETTERS for letter in letters):
            raise WrongKey("A recovery code has 36 letters and digits, in six groups of six.")
        number = 0
        for letter in letters:
            number = number << 5 | _LETTERS.index(letter)
        content, check = (number >> 4).to_bytes(_SECRET + _CHECK, "big")[:_SECRET], number >> 4 & 0xFFFF
        right = hmac.compare_digest(_checked(content), check.to_bytes(_CHECK, "big"))
        if number & 15 or not right:
            raise WrongKey("The recovery code has a typing error; please compare it letter by letter.")
        return cls(content)

    def __str__(self) -> str:
        number = int.from_bytes(self.secret + _checked(self.secret), "big") << 4
        letters = "".join(_LETTERS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
        return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _checked(secret: bytes) -> bytes:
    """CRC-16: every wrong letter, and every two neighbours exchanged, is noticed (a burst of 16 bits or fewer)."""
    return binascii.crc_hqx(secret, 0xFFFF).to_bytes(_CHECK, "big")
