"""A file that came from outside and is on no disk of ours; and an instrument's description that came so."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TextIO, cast, get_args, overload

from attunement.errors import InputError
from attunement.exchange.strict import keepable, read_json
from attunement.instruments import Higher, Language, is_words, loads, refuse_otherwise, worded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import tzinfo

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument

_HIGHER: Final = get_args(Higher)
_LANGUAGES: Final = get_args(Language)


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
        Where it is no text in UTF-8, or no instrument, or one that is known here and counts otherwise.
    """
    text = _text(stream)
    if is_words(text):
        return worded(text, shelf)
    described = loads(text)
    refuse_otherwise(described, shelf.values())
    if described.words != "shipped":
        return described
    return replace(described, words="loaded", right=right or described.right or described.licence)


def read_questionnaire(
    stream: BinaryIO,
    shelf: Mapping[str, Instrument],
    name: str,
    right: str,
    *,
    instrument: str | None = None,
    higher: str | None = None,
    language: str | None = None,
) -> Instrument:
    """Read an instrument from a FHIR Questionnaire; `name` is the file's, `instrument` the one that it is or becomes.

    Raises
    ------
    InputError
        Where something is said that a Questionnaire does not take.
    """
    if higher is not None and higher not in _HIGHER:
        raise InputError(f"What a higher total means is one of {', '.join(_HIGHER)}.")
    if language is not None:
        raise InputError("A Questionnaire says itself in which language it is; leave the language out.")
    from attunement.exchange.fhir import from_questionnaire  # noqa: PLC0415 - for those alone

    found = read_json(stream.read(), name)
    if not isinstance(found, dict):
        raise InputError(f"{name} is no Questionnaire; one object is.")
    meant = cast("Higher | None", higher)
    return from_questionnaire(found, right=right, name=instrument, shelf=shelf, higher=meant)


def read_dictionary(
    stream: BinaryIO,
    shelf: Mapping[str, Instrument],
    right: str,
    *,
    instrument: str | None = None,
    higher: str | None = None,
    language: str = "en",
) -> tuple[Instrument, ...]:
    """Read instruments from a REDCap data dictionary; `instrument` is the one that its one form is or becomes.

    Raises
    ------
    InputError
        Where something is said that a dictionary does not take.
    """
    if higher is not None:
        raise InputError(
            "A data dictionary does not say which items count where, and no score is made of it; "
            "leave out what a higher total means."
        )
    if language not in _LANGUAGES:
        raise InputError(f"The words of a data dictionary are in one of {', '.join(_LANGUAGES)}.")
    from attunement.exchange import redcap  # noqa: PLC0415 - for those alone

    said = cast("Language", language)
    return redcap.read_dictionary(_text(stream), right=right, shelf=shelf, language=said, name=instrument)


def read_records(
    stream: BinaryIO,
    shelf: Mapping[str, Instrument],
    name: str,
    *,
    dictionary: str | None = None,
    missing: Sequence[str] = (),
    sessions: Mapping[str, int] | None = None,
    zone: tzinfo = UTC,
) -> Iterator[Entry]:
    """Read the records of a REDCap project; the settings are those of `redcap.read_records`."""
    from attunement.exchange import redcap  # noqa: PLC0415 - for those alone

    return redcap.read_records(
        Sent(name, stream.read()), shelf, dictionary=dictionary, missing=missing, sessions=sessions, zone=zone
    )


def read_tables(stream: BinaryIO, shelf: Mapping[str, Instrument], name: str) -> Iterator[Entry]:
    """Read our own tables, one of them or an archive."""
    from attunement.exchange import tables  # noqa: PLC0415 - for those alone

    return tables.read_tables(Sent(name, stream.read()), shelf)


def read_by_recipe(
    stream: BinaryIO,
    name: str,
    of: str,
    mapping: Mapping[str, str] | None = None,
    *,
    encoding: str = "utf-8",
    zone: tzinfo = UTC,
) -> Iterator[Entry]:
    """Read the totals of another program's export; the settings are those of `recipes.read_by_recipe`."""
    from attunement.exchange import recipes  # noqa: PLC0415 - for those alone

    return recipes.read_by_recipe(Sent(name, stream.read()), of, mapping, encoding=encoding, zone=zone)


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
