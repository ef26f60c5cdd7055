"""What a reader in a process of its own says to the one who asked: frames of plain data, never objects.

A frame is a letter, a length and so many bytes: JSON, lines of JSON, or a table as Arrow has it. The one who asked
reads all of it as something that a stranger may have written.
"""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import polars as pl

from attunement import errors, frames
from attunement.errors import AttunementError, InputError
from attunement.exchange import entries
from attunement.exchange.entries import from_plain, to_plain
from attunement.exchange.ratings import Reading
from attunement.exchange.strict import parsed
from attunement.instruments import from_table, to_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument

READY: Final = b"R"
"""It has given up what it has to; the file may come."""
ENTRIES: Final = b"E"
INSTRUMENT: Final = b"I"
RATINGS: Final = b"T"
NOTES: Final = b"N"
"""What was passed over, and why; of entries alone, and after them."""
SENTENCE: Final = b"S"
"""The file cannot be taken, and why."""
FAULT: Final = b"F"
"""The reader failed on it, in a way that nobody had thought of."""
DONE: Final = b"D"

_LONGEST: Final = 1 << 28  # bytes of a frame
_FULL: Final = 1 << 16  # bytes of entries, from which on they are sent
_SAID: Final = 700  # characters of a sentence
MOST_NOTES: Final = 20
_LINE: Final = "An entry"
_KINDS: Final = ("InputError", "UnreadableFile", "ColumnProblem", "TooLittle", "InstrumentProblem")
_HINTS: Final = {
    kind: get_type_hints(kind, {**vars(entries), "Answers": dict, "datetime": datetime})
    for kind in (entries.ClientEntry, entries.SessionEntry, entries.AnswersEntry, entries.TotalEntry)
}


class NotOurs(Exception):  # noqa: N818 - never seen by a user
    """What came is nothing that a reader of ours says."""


def send(stream: BinaryIO, kind: bytes, payload: bytes = b"") -> None:
    """Write one frame."""
    stream.write(kind + len(payload).to_bytes(4, "big") + payload)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Read one frame; its letter is empty where there is none any more."""
    head = stream.read(5)
    if len(head) < 5:
        return b"", b""
    length = int.from_bytes(head[1:], "big")
    if length > _LONGEST:
        raise NotOurs
    payload = stream.read(length)
    return (head[:1], payload) if len(payload) == length else (b"", b"")


def entries_out(found: Iterable[Entry]) -> Iterator[bytes]:
    """Entries as lines of JSON, some thousand to a frame."""
    lines, size = [], 0
    for entry in found:
        line = json.dumps(to_plain(entry), allow_nan=False).encode()
        lines.append(line)
        size += len(line)
        if size > _FULL:
            yield b"\n".join(lines)
            lines, size = [], 0
    if lines:
        yield b"\n".join(lines)


def entries_in(payload: bytes) -> Iterator[Entry]:
    """The entries of a frame, each of the types that it has to have."""
    for line in payload.split(b"\n"):
        try:
            entry = from_plain(parsed(line, _LINE))
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            raise NotOurs from None
        if not _typed(entry):
            raise NotOurs
        yield entry


def instrument_out(found: Instrument) -> bytes:
    """An instrument as its table."""
    return json.dumps(to_table(found), allow_nan=False).encode()


def instrument_in(payload: bytes) -> Instrument:
    """The instrument of a frame, held to all that an instrument is held to."""
    try:
        return from_table(parsed(payload, _LINE))
    except (AttunementError, TypeError, ValueError, AttributeError):
        raise NotOurs from None


def ratings_out(found: Reading) -> bytes:
    """What was read of a table of ratings: what is said of it, and its rows as Arrow has them."""
    said = {
        "mapping": dict(found.mapping), "guessed": found.guessed, "notes": found.notes,
        "skipped": found.skipped.rows(),
    }  # fmt: skip
    head, table = json.dumps(said).encode(), io.BytesIO()
    found.rows.write_ipc(table)
    return len(head).to_bytes(4, "big") + head + table.getvalue()


def ratings_in(payload: bytes) -> Reading:
    """The reading of a frame, held to the contract of ratings."""
    length = int.from_bytes(payload[:4], "big")
    try:
        said: dict[str, Any] = json.loads(payload[4 : 4 + length])
        rows = frames.ratings(pl.read_ipc(io.BytesIO(payload[4 + length :]), use_pyarrow=False))
        return Reading(
            ratings=rows.filter(pl.col("score").is_not_null()),
            rows=rows,
            mapping={str(key): str(column) for key, column in said["mapping"].items()},
            guessed=tuple(map(str, said["guessed"])),
            notes=tuple(cleaned(str(note)) for note in said["notes"]),
            skipped=pl.DataFrame(
                [(int(row), cleaned(str(why))) for row, why in said["skipped"]],
                schema={"row": pl.Int64, "why": pl.String},
                orient="row",
            ),
        )
    except (
        AttunementError,
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        OSError,
    ):
        raise NotOurs from None


def notes_out(notes: Iterable[str]) -> bytes:
    """Sentences about what was passed over."""
    return json.dumps([cleaned(note) for note in notes][:MOST_NOTES]).encode()


def notes_in(payload: bytes) -> list[str]:
    """The sentences of a frame: so many, and of a line each."""
    try:
        notes = parsed(payload, _LINE)
    except InputError:
        raise NotOurs from None
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise NotOurs
    return [cleaned(note) for note in notes[:MOST_NOTES]]


def sentence_out(problem: AttunementError) -> bytes:
    """Why a file cannot be taken."""
    kind = next(each.__name__ for each in type(problem).__mro__ if each.__name__ in (*_KINDS, "Exception"))
    return json.dumps([kind, str(problem)]).encode()


def sentence_in(payload: bytes) -> AttunementError:
    """The sentence of a frame, as an error of ours that one line holds."""
    try:
        kind, said = json.loads(payload)
        problem: type[AttunementError] = getattr(errors, kind) if kind in _KINDS else InputError
        return problem(cleaned(said))
    except (TypeError, ValueError):
        raise NotOurs from None


def cleaned(said: str, most: int = _SAID) -> str:
    """Somebody's sentence for a line of ours: cut, and without what would break it."""
    plain = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in said[: most + 1])
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _typed(entry: Entry) -> bool:
    return all(_is(getattr(entry, name), kind) for name, kind in _HINTS[type(entry)].items())


def _is(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type hint
    if isinstance(value, bool):
        return kind is bool
    if kind is dict:
        return isinstance(value, dict) and all(_is(each, float | None) for each in value.values())
    return isinstance(value, kind) or (isinstance(value, int) and isinstance(0.0, kind))
