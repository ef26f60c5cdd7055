"""The process in which something from outside is read: ``python -m attunement.exchange.child``, by `apart`.

It is told which reader is asked for, imports that, gives up what `confining` names, and only then takes the first byte
of the file from its standard input. What it found goes out as `passing` has it.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attunement.errors import InputError
from attunement.exchange.confining import give_up, leave_the_disk, leave_the_network, narrow
from attunement.exchange.readers import READERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from attunement.exchange.readers import Reader

TOO_MUCH: Final = 87
"""The exit code of a process whose memory did not suffice."""


def main() -> None:
    """Read what one asks for, from standard input to standard output."""
    given, said = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # nobody prints into what is said
    os.close(nowhere)
    alone = leave_the_network()
    from attunement.exchange import passing  # noqa: PLC0415 - polars begins threads

    asked: dict[str, Any] = json.loads(given.read(int.from_bytes(given.read(4), "big")))
    reader = READERS[asked["reader"]]
    notes: list[str] = []
    try:
        read = imported(reader, asked, notes)
    except InputError as problem:
        passing.send(said, passing.SENTENCE, passing.sentence_out(problem))
        os._exit(0)
    held = confine(reader, asked["size"], alone=alone)
    passing.send(said, passing.READY, json.dumps(held).encode())
    try:
        for kind, payload in answers(reader, read, given, notes):
            passing.send(said, kind, payload)
    except MemoryError:
        os._exit(TOO_MUCH)
    os._exit(0)  # nothing is left to be tidied up, and much would be


def imported(
    reader: Reader, asked: dict[str, Any], notes: list[str] | None = None
) -> Callable[[BinaryIO], Any]:
    """Return the reader's function, with all that it takes besides the file; what it passes over goes to `notes`.

    Raises
    ------
    InputError
        Where it takes no such setting, or lacks one: nothing of the file is read then, and nothing is wrong with it.
    """
    module, _, name = reader.at.partition(":")
    function = getattr(importlib.import_module(module), name)
    settings = dict(asked["settings"])
    if "zone" in settings:
        settings["zone"] = _zone(settings["zone"])  # from the disk, which is given up
    if reader.named:
        settings["name"] = asked["name"]
    if reader.notes and notes is not None:
        settings["note"] = notes.append
    if reader.shelf:
        from attunement.instruments import from_table  # noqa: PLC0415 - for those alone

        settings["shelf"] = {key: from_table(table) for key, table in asked["shelf"]}
    try:
        inspect.signature(function).bind(None, **settings)
    except TypeError as problem:
        raise InputError(f"What was said of the file cannot be used: {problem}.") from None
    return lambda stream: function(stream, **settings)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise InputError("There is no such time zone; name one such as Europe/Madrid.") from None


def confine(reader: Reader, size: int, *, alone: bool) -> dict[str, bool]:
    """Give up all that a reader has no use for; says what the kernel holds to."""
    folders = [each for each in sys.path if Path(each).is_absolute()] + [sys.prefix, sys.base_prefix]
    disk = leave_the_disk(folders)
    narrow(reader.memory(size), reader.seconds(size), alone=alone)
    give_up(folders)
    return {"network": alone, "disk": disk}


def answers(
    reader: Reader, read: Callable[[BinaryIO], Any], given: BinaryIO, notes: Sequence[str] = ()
) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is found in a file, as frames; the last says that it is done, or why it is not."""
    from attunement.errors import AttunementError  # noqa: PLC0415 - as in `main`
    from attunement.exchange import passing  # noqa: PLC0415 - as in `main`

    try:
        found = read(given if reader.streams else io.BytesIO(given.read()))
        if reader.gives == "ratings":
            yield passing.RATINGS, passing.ratings_out(found)
        elif reader.gives == "entries":
            for lines in passing.entries_out(found):
                yield passing.ENTRIES, lines
            if notes:
                yield passing.NOTES, passing.notes_out(notes)
        else:
            for each in found if isinstance(found, list | tuple) or hasattr(found, "__next__") else [found]:
                yield passing.INSTRUMENT, passing.instrument_out(each)
    except AttunementError as problem:
        yield passing.SENTENCE, passing.sentence_out(problem)
    except (MemoryError, GeneratorExit):
        raise
    except BaseException as fault:  # noqa: BLE001 - polars' panics are no exceptions
        yield passing.FAULT, json.dumps(type(fault).__name__).encode()
    else:
        yield passing.DONE, b""


if __name__ == "__main__":
    main()
