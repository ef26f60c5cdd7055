"""A file that came from outside and is on no disk of ours; and an instrument's description that came so."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attunement.errors import InputError
from attunement.exchange.strict import keepable
from attunement.instruments import loads, worded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from attunement.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Sent:
    """A file's name and bytes, opened like a path. It has no place."""

    name: str
    content: bytes = field(repr=False)

    def open(self, mode: str = "r", *, encoding: str | None = None, newline: str | None = None) -> Any:  # noqa: ANN401 - as `Path.open`
        """Open it to be read, as bytes or as text."""
        stream = io.BytesIO(self.content)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding=encoding, newline=newline)

    def is_dir(self) -> bool:
        """It is a file."""
        return False

    def is_file(self) -> bool:
        """It is a file."""
        return True

    def exists(self) -> bool:
        """It is there."""
        return True


def read_instrument(stream: BinaryIO) -> Instrument:
    """Read an instrument from its TOML.

    Raises
    ------
    InputError, InstrumentProblem
        Where it is no text in UTF-8, or no instrument.
    """
    return loads(_text(stream))


def read_words(stream: BinaryIO, shelf: Mapping[str, Instrument]) -> Instrument:
    """Read words in TOML, laid over the instrument of the shelf that they name.

    Raises
    ------
    InputError, InstrumentProblem
        Where it is no text in UTF-8, or the words fit no instrument.
    """
    return worded(_text(stream), shelf)


def _text(stream: BinaryIO) -> str:
    try:
        text = stream.read().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise InputError(
            f"Byte {problem.start + 1} of the description is not UTF-8; save it as UTF-8."
        ) from None
    if not keepable(text):
        raise InputError("The description holds a sign that cannot be kept.")
    return text
