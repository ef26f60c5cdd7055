"""Entries go out, in whichever format is asked for: one name a format, and a file that is whole or not there."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attunement.errors import InputError
from attunement.exchange.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.exchange.formats import Format
    from attunement.instruments import Instrument


def to_file(entries: Sequence[Entry], shelf: Mapping[str, Instrument], path: Path, kind: Format) -> None:
    """Write entries to a new file that its owner alone can read: whole, or not there.

    Raises
    ------
    InputError
        Where the file is there already, ends otherwise than the format does or cannot be written, or an entry does not
        fit the shelf.
    """
    ending = FORMATS[kind][1]
    if path.suffix.lower() != f".{ending}":
        raise InputError(f"A file of this kind is called something.{ending}; {path.name} is not.")
    if path.exists():
        raise InputError(f"{path} is there already; name another file.")
    if kind in {"csv", "parquet"}:
        from attunement.exchange.tables import write_tables  # noqa: PLC0415 - each format is loaded when asked for

        write_tables(entries, shelf, path, kind)
        path.chmod(0o600)
        return
    with _whole(path) as out:
        write(entries, shelf, out, kind)


def write(entries: Sequence[Entry], shelf: Mapping[str, Instrument], out: BinaryIO, kind: Format) -> None:
    """Write entries to a stream, in a format that is one.

    Raises
    ------
    InputError
        Where an entry does not fit the shelf.
    """
    if kind == "redcap":
        from attunement.exchange.redcap import write_records  # noqa: PLC0415 - see above

        answered = {getattr(entry, "instrument", "") for entry in entries}
        used = {name: each for name, each in shelf.items() if each.id in answered}
        out.writelines(line.encode() for line in write_records(entries, used))
    else:
        from attunement.exchange import fhir  # noqa: PLC0415 - see above

        (fhir.write_bundle if kind == "fhir" else fhir.write_ndjson)(entries, shelf, out)


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file beside its place, readable by its owner alone, that is moved there once it is whole."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".attunement.", suffix=".part")
    except OSError as problem:
        raise InputError(f"{path} cannot be written ({problem.strerror}).") from None
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
        Path(beside).rename(path)
    except OSError as problem:
        raise InputError(f"{path} cannot be written ({problem.strerror}).") from None
    finally:
        Path(beside).unlink(missing_ok=True)
