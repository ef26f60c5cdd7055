"""A ZIP archive, unpacked in memory and counted as it is: what its directory says of sizes is not believed."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from attunement.errors import UnreadableFile
from attunement.exchange.raw import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 50_000_000
"""Bytes of all files of an archive together, unpacked."""
MOST_FILES: Final = 200
_BLOCK: Final = 1 << 16
_ENTRY: Final = b"PK\x01\x02"
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 1
_BROKEN: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, LookupError,
    RuntimeError, OverflowError,
)  # fmt: skip
"""All that Python's reader of archives raises of one that lies."""
_PACKED: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")


def is_zip(first: bytes) -> bool:
    """Whether a file says of itself that it is a ZIP archive."""
    return first.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def unpacked(
    content: bytes, name: str = "The archive", *, most: int = MOST, files: int = MOST_FILES
) -> Iterator[tuple[str, bytes]]:
    """Unpack an archive file by file, in its order; folders are left out.

    Parameters
    ----------
    content
        The archive.
    name
        What it is called in a sentence.
    most, files
        Bytes of all its files together, counted while they are unpacked, and how many there may be.

    Raises
    ------
    UnreadableFile
        One sentence: it is damaged or encrypted; unpacks to more than it may; has too many files, one twice, or one
        that lies outside or is an archive itself.
    """
    if content.count(_ENTRY) > 5 * files:  # each costs memory before any can be counted
        raise _too_many(name, files)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if len(entries) > files:
                raise _too_many(name, files)
            _refuse_names(entries, name)
            left = most
            for entry in entries:
                file = _unpacked(archive, entry, name, left)
                if file is None:
                    raise UnreadableFile(
                        f"{name} unpacks to more than {most:,} bytes; a smaller one would do."
                    )
                left -= len(file)
                yield entry.filename, file
    except _BROKEN:
        raise UnreadableFile(f"{name} is a damaged ZIP archive; pack it anew.") from None


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, left: int) -> bytes | None:
    """A file of it; None where it is longer than what is left."""
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise UnreadableFile(
            f"{shown(entry.filename)} of {name} is encrypted or packed in a rare way; pack it as plain ZIP."
        )
    whole = io.BytesIO()
    with archive.open(entry) as file:
        while block := file.read(_BLOCK):
            if whole.tell() + len(block) > left:
                return None
            whole.write(block)
    found = whole.getvalue()
    if found.startswith(_PACKED):
        raise UnreadableFile(f"{shown(entry.filename)} of {name} is an archive itself; unpack it first.")
    return found


def _refuse_names(entries: list[zipfile.ZipInfo], name: str) -> None:
    seen: set[str] = set()
    for entry in entries:
        said, called = shown(entry.filename), entry.filename
        outside = called.startswith("/") or ".." in called.replace("\\", "/").split("/")
        if outside or ":" in called or "\\" in called or not called.isprintable():
            raise UnreadableFile(
                f"{name} has a file called {said}, which may lie outside of it; pack it anew."
            )
        if called.casefold() in seen:
            raise UnreadableFile(f"{name} has more than one file called {said}; pack it anew.")
        seen.add(called.casefold())


def _too_many(name: str, files: int) -> UnreadableFile:
    return UnreadableFile(f"{name} has more than {files} files; a smaller one would do.")
