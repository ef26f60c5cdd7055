"""What comes from outside is read in a process of its own, which has given up all but the file itself.

The process has no network, no key, nothing of our environment, and no place to write to; it has little memory and
little time, and begins with the first byte only when it has given everything else up. What it says comes back as plain
data (`passing`), and is held to what an entry, an instrument or a table is held to. docs/reference/imports.md says
what holds on which system.
"""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from attunement.errors import UnreadableFile
from attunement.exchange import passing
from attunement.exchange.confining import FORBIDDEN
from attunement.exchange.files import first_bytes, name_of
from attunement.exchange.readers import READERS
from attunement.exchange.strict import refuse_other_than_json
from attunement.exchange.watching import Process
from attunement.instruments import of_others, refuse_otherwise, to_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.exchange.ratings import Reading
    from attunement.instruments import Instrument

_CHILD: Final = "attunement.exchange.child"
_TO_BEGIN: Final = 30.0  # seconds in which it is ready, however busy the machine is


def read_apart(  # noqa: PLR0913 - most of it may be left out
    reader: str,
    source: Path | bytes,
    settings: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    shelf: Mapping[str, Instrument] | None = None,
    most: int | None = None,
    seconds: float | None = None,
    note: Callable[[str], None] | None = None,
) -> Iterator[Entry]:
    """Read entries of a file, one after the other, while they are found; ending early ends the process.

    Parameters
    ----------
    reader
        One of `readers.READERS`.
    source
        The file, or its bytes.
    settings
        What the reader takes besides, as JSON has it.
    name
        What the file is called in a sentence; a path's own name if left out.
    shelf
        The instruments that the practice has, by id.
    most, seconds
        Bytes of the file, and how long may be waited for it in all; what that kind of file may have if left out.
    note
        Told, after the last entry, what was passed over and why: up to 20 sentences.

    Raises
    ------
    InputError
        One sentence: of the reader, with the place; or that the file is too large, or took too much time or memory.
    """
    asked = _Asked.of(reader, source, settings, name, shelf)
    asked = replace(asked, most=most or asked.most, seconds=seconds or asked.seconds, note=note)
    for payload in asked.answers(passing.ENTRIES):
        with asked.ours():
            found = list(passing.entries_in(payload))
        yield from found


def read_instruments_apart(
    reader: str,
    source: Path | bytes,
    settings: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    shelf: Mapping[str, Instrument] | None = None,
) -> tuple[Instrument, ...]:
    """Read the instruments of a file: a description, words, or a questionnaire; see `read_apart`.

    Raises
    ------
    InputError, InstrumentProblem
        One sentence; also where one is known here and counts otherwise.
    """
    asked = _Asked.of(reader, source, settings, name, shelf)
    with asked.ours():
        found = tuple(passing.instrument_in(payload) for payload in asked.answers(passing.INSTRUMENT))
    for each in found:
        refuse_otherwise(each, of_others())
    return found


def read_ratings_apart(
    source: Path | bytes, settings: Mapping[str, Any] | None = None, *, name: str = ""
) -> Reading:
    """Read a table of session ratings; the settings are those of `read_ratings`.

    Raises
    ------
    InputError
        One sentence.
    """
    asked = _Asked.of("ratings", source, settings, name)
    with asked.ours():
        (found,) = (passing.ratings_in(payload) for payload in asked.answers(passing.RATINGS))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which file is to be read, by what, and what that may take."""

    reader: str
    source: Path | bytes
    name: str
    size: int
    most: int
    seconds: float
    head: bytes
    note: Callable[[str], None] | None = None

    @classmethod
    def of(
        cls,
        reader: str,
        source: Path | bytes,
        settings: Mapping[str, Any] | None,
        name: str,
        shelf: Mapping[str, Instrument] | None = None,
    ) -> Self:
        row = READERS[reader]
        called = passing.cleaned(name or (name_of(source) if isinstance(source, Path) else "The file"), 120)
        first = source[:64] if isinstance(source, bytes) else first_bytes(source)
        if row.begins == "json":
            refuse_other_than_json(first, called)
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        head = {
            "reader": reader, "settings": dict(settings or {}), "name": called, "size": size,
            "shelf": [[key, to_table(each)] for key, each in (shelf or {}).items()] if row.shelf else [],
        }  # fmt: skip
        return cls(reader, source, called, size, row.most, row.seconds(size), json.dumps(head).encode())

    def answers(self, kind: bytes) -> Iterator[bytes]:
        """Yield what the process says of the file, which is of one kind; else raise why there is nothing."""
        if self.size > self.most:
            raise self._too_long()
        with self._opened() as source, Process(_CHILD, _TO_BEGIN) as process:
            process.ask(self.head)
            said, payload = process.frame()
            if said == passing.READY:
                process.allow(self.seconds)
                process.feed(source, self.most)
                said, payload = process.frame()
            while said == kind:
                yield payload
                said, payload = process.frame()
            if said == passing.NOTES and kind == passing.ENTRIES:
                self._tell(payload)
                said, payload = process.frame()
            if said == passing.SENTENCE:
                raise passing.sentence_in(payload)
            if said != passing.DONE:
                raise self._unread(process, said)

    def _tell(self, payload: bytes) -> None:
        with self.ours():
            notes = passing.notes_in(payload)
        if self.note is not None:
            for each in notes:
                self.note(each)

    @contextmanager
    def ours(self) -> Iterator[None]:
        """What comes and is nothing that a reader of ours says is refused as a whole."""
        try:
            yield
        except passing.NotOurs:
            raise UnreadableFile(f"{self.name} could not be read; {_ELSE}") from None

    def _opened(self) -> BinaryIO:
        return io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")

    def _too_long(self) -> UnreadableFile:
        return UnreadableFile(
            f"{self.name} has more than {self.most:,} bytes, the most that is read at once; a part of it would do."
        )

    def _unread(self, process: Process, said: bytes) -> UnreadableFile:
        """Why a process said nothing of the file, or nothing more."""
        if process.too_long:
            return self._too_long()
        if process.unread:
            return UnreadableFile(f"{self.name} cannot be read to its end; copy it to another place.")
        if said or process.code == FORBIDDEN:
            return UnreadableFile(f"{self.name} could not be read; {_ELSE}")
        return UnreadableFile(
            f"{self.name} could not be read in the memory and time that it may take; a smaller part of it would do."
        )


_ELSE: Final = "something in it is not as a file of this kind has it."
