"""A ZIP archive of which nothing is believed: bytes are counted as they come, whatever its directory says."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from attunement.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO, BinaryIO

    from _typeshed import WriteableBuffer

MOST_BYTES: Final = 50_000_000
MOST_FILES: Final = 200
_BLOCK: Final = 1 << 20
_ENTRY: Final = b"PK\x01\x02"
_ARCHIVES: Final = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".zst")
_BROKEN: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error,
    OSError, OverflowError, IndexError, KeyError, AttributeError, MemoryError,
)  # fmt: skip


@dataclass(slots=True)
class Archive:
    """An archive that is open, with what was unpacked of it so far."""

    where: str
    zip: zipfile.ZipFile
    names: tuple[str, ...]
    unpacked: int = field(default=0, init=False)

    def open(self, name: str) -> BinaryIO:
        """Open a file of it, whose bytes are counted as they are read."""
        try:
            return io.BufferedReader(_Counted(self, self.zip.open(name)))
        except _BROKEN as problem:
            raise UnreadableFile(_broken(self.where, problem)) from None

    def count(self, read: int) -> None:
        """Count bytes that were unpacked, and refuse too many."""
        self.unpacked += read
        if self.unpacked > MOST_BYTES:
            raise UnreadableFile(
                f"{self.where} holds more than {MOST_BYTES // 1_000_000} MB unpacked; "
                "unpack it and give the folder."
            )


class _Counted(io.RawIOBase):
    """The bytes of one file, counted."""

    def __init__(self, archive: Archive, member: IO[bytes]) -> None:
        self._archive, self._member = archive, member

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            block = self._member.read(len(view))
        except _BROKEN as problem:
            raise UnreadableFile(_broken(self._archive.where, problem)) from None
        self._archive.count(len(block))
        view[: len(block)] = block
        return len(block)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive of tables.

    Raises
    ------
    UnreadableFile
        Where it is damaged, too large, has too many files, or one that leads out of it or is an archive itself.
    """
    where = path.name
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableFile(
                f"{where} has more than {MOST_BYTES // 1_000_000} MB; give the folder, unpacked."
            )
        if _entries(path) > MOST_FILES:
            raise UnreadableFile(
                f"{where} holds more than {MOST_FILES} files; four tables are what it takes."
            )
        file = zipfile.ZipFile(path)
    except _BROKEN as problem:
        raise UnreadableFile(_broken(where, problem)) from None
    with file:
        archive = Archive(where, file, _names(where, file))
        _weigh(archive)
        yield archive


def _weigh(archive: Archive) -> None:
    """Unpack everything once, to nowhere: what is too large or damaged is refused before a row of it is read."""
    for name in archive.names:
        with archive.open(name) as file:
            while file.read(_BLOCK):
                pass
    archive.unpacked = 0


def _entries(path: Path) -> int:
    """How many entries the directory could have, counted before it is parsed."""
    found, tail = 0, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found += (tail + block).count(_ENTRY)
            tail = block[-len(_ENTRY) + 1 :]
    return found


def _names(where: str, file: zipfile.ZipFile) -> tuple[str, ...]:
    names = [each.filename for each in file.infolist() if not each.filename.endswith("/")]
    for each in file.infolist():
        _refuse(where, each)
    if len(set(names)) < len(names):
        raise UnreadableFile(f"{where} holds two files of one name; pack it anew.")
    return tuple(names)


def _refuse(where: str, each: zipfile.ZipInfo) -> None:
    name = each.filename
    parts = name.replace("\\", "/").split("/")
    if (
        not name
        or ".." in parts
        or ":" in name
        or "\\" in name
        or name.startswith("/")
        or "\0" in each.orig_filename
    ):
        raise UnreadableFile(f"{where} holds a file whose name leads out of it; pack it anew.")
    if name.lower().endswith(_ARCHIVES):
        raise UnreadableFile(f"{where} holds another archive; the tables alone are what it takes.")
    if each.flag_bits & 0x1:
        raise UnreadableFile(f"{where} is locked with a password; pack it without one.")
    if each.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise UnreadableFile(f"{where} is packed in an unusual way; pack it anew as an ordinary ZIP archive.")


def _broken(where: str, problem: BaseException) -> str:
    return f"{where} is damaged or no ZIP archive ({type(problem).__name__})."
