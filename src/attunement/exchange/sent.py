"""A file that came from outside and is on no disk of ours; and an instrument's description that came so."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TextIO, overload

from attunement.errors import InputError
from attunement.exchange.strict import keepable, read_json
from attunement.instruments import is_words, loads, worded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Sent:
    """A file's name and bytes, opened like a path. It has no place."""

    name: str
    content: bytes = field(repr=False)

    @overload
    def open(self, mode: Literal["rb"]) -> BinaryIO: ...

    @overload
    def open(
        self, mode: Literal["r"] = "r", *, encoding: str | None = None, newline: str | None = None
    ) -> TextIO: ...

    def open(
        self, mode: str = "r", *, encoding: str | None = None, newline: str | None = None
    ) -> BinaryIO | TextIO:
        """Open it to be read, as bytes or as text."""
        stream = io.BytesIO(self.content)
        return stream if "b" in mode else io.TextIOWrapper(stream, encoding=encoding, newline=newline)

    def is_dir(self) -> bool:
        """It is a file."""
        return False

    def is_file(self) -> bool:
        """It is a file."""
        return True

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return PurePath(self.name).stem

    @property
    def suffix(self) -> str:
        """The ending of its name."""
        return PurePath(self.name).suffix

    def exists(self) -> bool:
        """It is there."""
        return True


def read_described(stream: BinaryIO, shelf: Mapping[str, Instrument], right: str = "") -> Instrument:
    """Read an instrument from its TOML: words, laid over the one of the shelf that they name; or a whole description.

    Parameters
    ----------
    stream, shelf
        The text, and the instruments that there are.
    right
        By what right a practice shows the words of a whole description; words of another's say it themselves.

    Raises
    ------
    InputError, InstrumentProblem
        Where it is no text in UTF-8, or no instrument.
    """
    text = _text(stream)
    if is_words(text):
        return worded(text, shelf)
    described = loads(text)
    if described.words != "shipped":
        return described
    return replace(described, words="loaded", right=right or described.right or described.licence)


def read_questionnaire(
    stream: BinaryIO, shelf: Mapping[str, Instrument], name: str, right: str, **settings: str
) -> Instrument:
    """Read an instrument from a FHIR Questionnaire."""
    from attunement.exchange.fhir import from_questionnaire  # noqa: PLC0415 - for those alone

    found = read_json(stream.read(), name)
    if not isinstance(found, dict):
        raise InputError(f"{name} is no Questionnaire; one object is.")
    return from_questionnaire(found, right=right, shelf=shelf, **settings)  # type: ignore[arg-type]


def read_dictionary(
    stream: BinaryIO, shelf: Mapping[str, Instrument], right: str, **settings: str
) -> tuple[Instrument, ...]:
    """Read instruments from a REDCap data dictionary."""
    from attunement.exchange import redcap  # noqa: PLC0415 - for those alone

    return redcap.read_dictionary(_text(stream), right=right, shelf=shelf, **settings)  # type: ignore[arg-type]


def read_records(
    stream: BinaryIO,
    shelf: Mapping[str, Instrument],
    name: str,
    **settings: Any,  # noqa: ANN401 - of the reader
) -> Iterator[Entry]:
    """Read the records of a REDCap project."""
    from attunement.exchange import redcap  # noqa: PLC0415 - for those alone

    return redcap.read_records(Sent(name, stream.read()), shelf, **settings)


def read_tables(stream: BinaryIO, shelf: Mapping[str, Instrument], name: str) -> Iterator[Entry]:
    """Read our own tables, one of them or an archive."""
    from attunement.exchange import tables  # noqa: PLC0415 - for those alone

    return tables.read_tables(Sent(name, stream.read()), shelf)


def read_by_recipe(stream: BinaryIO, name: str, **settings: Any) -> Iterator[Entry]:  # noqa: ANN401 - of the reader
    """Read the totals of another program's export."""
    from attunement.exchange import recipes  # noqa: PLC0415 - for those alone

    return recipes.read_by_recipe(Sent(name, stream.read()), **settings)


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
