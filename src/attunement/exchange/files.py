"""Is this file a text table at all? Told from its bytes, in blocks, before anything is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attunement.exchange.sent import Sent

_BLOCK = 1 << 20
LONGEST_LINE = 1 << 20  # bytes; a longer line is no row of a table

_KINDS = (
    (
        b"PK\x03\x04",
        "an Excel workbook or another ZIP archive; save the sheet as “CSV UTF-8” and give that file",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as “CSV UTF-8” and give that file"),
    (b"%PDF", "a PDF; the table behind it, as CSV, would do"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"SQLite format 3", "an SQLite database; export the table as CSV"),
    (b"\x89PNG", "a picture; a CSV file would do"),
    (b"\xff\xd8\xff", "a picture; a CSV file would do"),
    (b"<!DOCTYPE", "a web page; a CSV file would do"),
    (b"<html", "a web page; a CSV file would do"),
)
_UTF_32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def is_parquet(path: Path | Sent) -> bool:
    """Whether the file says of itself that it is Parquet."""
    return first_bytes(path).startswith(b"PAR1")


def refuse_what_is_no_text(path: Path | Sent, encoding: str) -> None:
    """Raise `UnreadableFile` for what is empty, binary, in another encoding, or one endless line."""
    first = first_bytes(path)
    if not first:
        raise UnreadableFile(f"{path.name} is empty; a table with a header line is needed.")
    for magic, said in _KINDS:
        if first.startswith(magic):
            raise UnreadableFile(f"{path.name} is {said}.")
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32")):
        _scan_text(path, encoding)
        return
    for marks, name in ((_UTF_32, "utf-32"), (_UTF_16, "utf-16")):
        if first.startswith(marks):
            raise UnreadableFile(
                f"{path.name} is written in {name.upper()}; save it as “CSV UTF-8”, or add --encoding {name}."
            )
    _scan(path)


def name_of(path: Path) -> str:
    """The file's name as text; what is no UTF-8 in it becomes a question mark."""
    return path.name.encode("utf-8", "replace").decode("utf-8")


def first_bytes(path: Path | Sent, most: int = 64) -> bytes:
    """The first few bytes of a file.

    Raises
    ------
    UnreadableFile
        Where there is none, it is a folder or a device, or may not be read.
    """
    try:
        if path.is_dir():
            raise UnreadableFile(f"{path.name or path} is a folder; a CSV or Parquet file would do.")
        if path.exists() and not path.is_file():
            raise UnreadableFile(f"{path.name} is a pipe or a device; save it as a file first.")
        with path.open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except PermissionError:
        raise UnreadableFile(f"{path.name} may not be read by you; change its permissions.") from None
    except (OSError, ValueError) as problem:
        raise UnreadableFile(f"{path.name} cannot be read ({type(problem).__name__}).") from None


def _scan(path: Path | Sent) -> None:
    with path.open("rb") as file:
        _refuse_blocks(path, iter(lambda: file.read(_BLOCK).decode("latin-1"), ""))


def _scan_text(path: Path | Sent, encoding: str) -> None:
    try:
        with path.open(encoding=encoding, newline="") as file:
            _refuse_blocks(path, iter(lambda: file.read(_BLOCK), ""))
    except (LookupError, UnicodeError):
        return  # said where it is read, with the row


def _refuse_blocks(path: Path | Sent, blocks: Iterator[str]) -> None:
    carried = 0
    for block in blocks:
        if "\0" in block:
            raise UnreadableFile(f"{path.name} is no text: it holds zero bytes; {_instead(block)}.")
        ends = [place for place in (block.find("\n"), block.find("\r")) if place >= 0]
        if carried + (min(ends) if ends else len(block)) > LONGEST_LINE:
            raise UnreadableFile(
                f"{path.name} has a line of more than a million characters; "
                "it is no table with one row a session."
            )
        last = max(block.rfind("\n"), block.rfind("\r"))
        carried = len(block) - last - 1 if ends else carried + len(block)


def _instead(block: str) -> str:
    """UTF-16 without a mark has a zero in every other byte."""
    for encoding, zeros in (("utf-16-le", block[1:200:2]), ("utf-16-be", block[:200:2])):
        if zeros and set(zeros) == {"\0"} != set(block[:200]):
            return f"it looks like UTF-16, which --encoding {encoding} reads"
    return "a CSV file in UTF-8 would do"
