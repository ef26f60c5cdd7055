"""Is this file a text table at all? Told from its bytes, in blocks, before anything is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.errors import UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path

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


def is_parquet(path: Path) -> bool:
    """Whether the file says of itself that it is Parquet."""
    return _first_bytes(path).startswith(b"PAR1")


def refuse_what_is_no_text(path: Path, encoding: str) -> None:
    """Raise `UnreadableFile` for what is empty, binary, in another encoding, or one endless line."""
    first = _first_bytes(path)
    if not first:
        raise UnreadableFile(f"{path.name} is empty; a table with a header line is needed.")
    for magic, said in _KINDS:
        if first.startswith(magic):
            raise UnreadableFile(f"{path.name} is {said}.")
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return
    for marks, name in ((_UTF_32, "utf-32"), (_UTF_16, "utf-16")):
        if first.startswith(marks):
            raise UnreadableFile(
                f"{path.name} is written in {name.upper()}; save it as “CSV UTF-8”, or add --encoding {name}."
            )
    _scan(path)


def _first_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise UnreadableFile(f"{path.name} is a folder; a CSV or Parquet file would do.")
    try:
        with path.open("rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise UnreadableFile(f"There is no file {path}.") from None
    except PermissionError:
        raise UnreadableFile(f"{path.name} may not be read by you; change its permissions.") from None
    except (OSError, ValueError) as problem:
        raise UnreadableFile(f"{path.name} cannot be read ({type(problem).__name__}).") from None


def _scan(path: Path) -> None:
    carried = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if b"\0" in block:
                raise UnreadableFile(
                    f"{path.name} is no text: it holds zero bytes; a CSV file in UTF-8 would do."
                )
            ends = [place for place in (block.find(b"\n"), block.find(b"\r")) if place >= 0]
            if carried + (min(ends) if ends else len(block)) > LONGEST_LINE:
                raise UnreadableFile(
                    f"{path.name} has a line of more than a million characters; "
                    "it is no table with one row a session."
                )
            last = max(block.rfind(b"\n"), block.rfind(b"\r"))
            carried = len(block) - last - 1 if ends else carried + len(block)
