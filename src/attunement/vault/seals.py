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

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy.dialects import postgresql

from attunement.errors import Damaged
from attunement.vault.instants import read, written
from attunement.vault.sealing import pad, unpad

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

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


class AsTheyAre(Seals):
    """Takes what is sealed for what it is: a copy needs no key."""

    def __init__(self) -> None: ...

    def seal(self, value: Any, about: str, *, lookup: bool, padded: bool) -> bytes:  # noqa: ANN401, ARG002 - the signature of what it stands for
        """Leave it."""
        return bytes(value)

    def open(self, blob: bytes, about: str, *, lookup: bool, padded: bool) -> Any:  # noqa: ANN401, ARG002 - see above
        """Leave it."""
        return blob


class Sealed(sa.types.TypeDecorator[Any]):
    """A column whose values are sealed wherever the vault's file is not encrypted as a whole.

    Parameters
    ----------
    plain
        What it is in a file of our own.
    about
        Table and column.
    lookup
        Whether rows are looked up by it.
    padded
        Whether the length of what stands in it would tell something.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def __init__(
        self, plain: sa.types.TypeEngine[Any], about: str, *, lookup: bool = False, padded: bool = False
    ) -> None:
        super().__init__()
        self.plain, self.about, self.lookup, self.padded = plain, about, lookup, padded

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        """Bytes where it is sealed."""
        if seals_of(dialect) is None and dialect.name != "postgresql":
            return dialect.type_descriptor(self.plain)
        sealed = postgresql.BYTEA() if dialect.name == "postgresql" else sa.LargeBinary()
        return dialect.type_descriptor(sealed)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - a value of a column
        """Seal it, where it is to be."""
        seals = seals_of(dialect)
        if value is None or seals is None:
            return written(value) if isinstance(value, datetime) else value
        return seals.seal(value, self.about, lookup=self.lookup, padded=self.padded)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - see above
        """Open it, where it was sealed."""
        seals = seals_of(dialect)
        if value is not None and seals is not None:
            value = seals.open(bytes(value), self.about, lookup=self.lookup, padded=self.padded)
        return value


class SealedInstant(Sealed):
    """The same for a point in time."""

    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401 - see above
        """To a point in time."""
        found = super().process_result_value(value, dialect)
        return found if isinstance(found, bytes) else read(found)


def give_seals(engine: sa.Engine, seals: Seals | None) -> None:
    """Let an engine seal."""
    engine.dialect.attunement_seals = seals  # type: ignore[attr-defined]


def seals_of(dialect: Dialect) -> Seals | None:
    """What an engine seals with; None where its file is encrypted as a whole."""
    return getattr(dialect, "attunement_seals", None)


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
