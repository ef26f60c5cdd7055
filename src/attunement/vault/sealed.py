"""Columns that are sealed wherever a vault's file is not encrypted as a whole; with what, an engine is told.

Nothing here has a key: what leaves a practice reads tables, and can reach none.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from attunement.vault.instants import read, written

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Fields(Protocol):
    """What seals fields: `attunement.vault.seals.Seals`."""

    def seal(self, value: Any, about: str, *, lookup: bool, padded: bool) -> bytes:  # noqa: ANN401 - a value of a column
        """Seal a value, which is no None, of a column."""

    def open(self, blob: bytes, about: str, *, lookup: bool, padded: bool) -> Any:  # noqa: ANN401 - see above
        """Open what `seal` made."""


class AsTheyAre:
    """Takes what is sealed for what it is: a copy needs no key."""

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


def give_seals(engine: sa.Engine, seals: Fields | None) -> None:
    """Let an engine seal."""
    engine.dialect.attunement_seals = seals  # type: ignore[attr-defined]


def seals_of(dialect: Dialect) -> Fields | None:
    """What an engine seals with; None where its file is encrypted as a whole."""
    return getattr(dialect, "attunement_seals", None)
