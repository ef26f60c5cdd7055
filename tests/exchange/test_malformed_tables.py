"""More than seven thousand malformed files: each is read, or refused in one sentence, soon, and nothing is written."""

from __future__ import annotations

import io
import random
import time
import zipfile
from typing import TYPE_CHECKING, Final

import pytest
from crossing import LOADED, SHELF, SOME, WEATHER

from attunement.errors import InputError
from attunement.exchange.recipes import read_by_recipe
from attunement.exchange.redcap import dictionary, read_dictionary, read_records, write_records
from attunement.exchange.tables import read_tables, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Mutation = Callable[[random.Random, bytes], bytes]

LONGEST: Final = 5.0  # seconds
ROUNDS: Final = {
    "csv": 2000,
    "zip": 1800,
    "zip of parquet": 500,
    "parquet": 1100,
    "records": 1400,
    "dictionary": 1400,
    "recipe": 800,
}
ODD: Final = (
    "NaN", "inf", "-Infinity", "1e999", "1e-999", "", "'", '"', "=cmd|' /C calc'!A0", "\0", "\u202e", "\ufffe", "0x10",
    "1_000", "١٢", "9" * 5000, "2026-13-45", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "true", "[]",
    "{", "\u2028", "-0", "½", "1,5", "|", "0, a | 0, b", "K" * 300,
)  # fmt: skip


def flipped(chance: random.Random, whole: bytes) -> bytes:
    out = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def cut(chance: random.Random, whole: bytes) -> bytes:
    return whole[: chance.randrange(len(whole))]


def doubled(chance: random.Random, whole: bytes) -> bytes:
    start, end = sorted((chance.randrange(len(whole)), chance.randrange(len(whole))))
    return whole[:end] + whole[start:]


def inserted(chance: random.Random, whole: bytes) -> bytes:
    place = chance.randrange(len(whole) + 1)
    what = chance.choice(
        [b'"', b"\0", b"\xff", b"\r", b"\n", b",", b"\xed\xa0\x80", b"'", b"\xef\xbb\xbf", b"\x1a"]
    )
    return whole[:place] + what * chance.choice([1, 1, 2, 9]) + whole[place:]


def one_cell(chance: random.Random, whole: bytes) -> bytes:
    lines = whole.decode().splitlines()
    place = chance.randrange(len(lines))
    cells = lines[place].split(",")
    cells[chance.randrange(len(cells))] = chance.choice(ODD)
    lines[place] = ",".join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def ragged(chance: random.Random, whole: bytes) -> bytes:
    lines = whole.decode().splitlines()
    place = chance.randrange(len(lines))
    lines[place] = chance.choice([lines[place] + ",x", lines[place].rpartition(",")[0], "", lines[place] * 2])
    return "\n".join(lines).encode()


def columns_twice(chance: random.Random, whole: bytes) -> bytes:
    place = chance.randrange(8)
    lines = [line.split(",") for line in whole.decode().splitlines()]
    return "\n".join(",".join([*line, line[min(place, len(line) - 1)]]) for line in lines).encode()


def otherwise_written(chance: random.Random, whole: bytes) -> bytes:
    text = whole.decode()
    encoding = chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp037", "utf-7"])
    if encoding == "utf-16-le" and chance.random() < 0.5:
        return b"\xff\xfe" + text.encode("utf-16-le") + b"\x00\xd8\x41\x00"  # half of a pair
    return text.encode(encoding, "replace")


def swapped(chance: random.Random, whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


TEXT: Final[tuple[Mutation, ...]] = (
    flipped, cut, doubled, inserted, one_cell, one_cell, ragged, columns_twice, otherwise_written, swapped,
)  # fmt: skip
BINARY: Final[tuple[Mutation, ...]] = (flipped, flipped, cut, doubled, inserted)


def packed(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def lying(chance: random.Random, whole: bytes) -> bytes:
    """A directory that says other sizes, places, flags or methods than are there."""
    out = bytearray(whole)
    marks = [
        place
        for place in range(len(out) - 4)
        if bytes(out[place : place + 4]) in {b"PK\1\2", b"PK\3\4", b"PK\5\6"}
    ]
    for _ in range(chance.randint(1, 4)):
        place = chance.choice(marks) + chance.randrange(4, 46)
        size = chance.choice([1, 2, 4])
        if place + size <= len(out):
            value = chance.choice([0, 1, 10, 0xFF, chance.randrange(256**size)]) % 256**size
            out[place : place + size] = value.to_bytes(size, "little")
    return bytes(out)


def taken(read: Callable[[], Iterable[object]]) -> bool:
    """Read to the end; whether it was taken. Anything but a sentence of refusal fails the test, and so does a wait."""
    began = time.monotonic()
    try:
        for _ in read():
            pass
    except InputError as refused:
        sentence = str(refused)
        assert sentence.endswith("."), sentence
        assert sentence.isprintable(), sentence
        assert len(sentence) < 1000, sentence
        return False
    finally:
        assert time.monotonic() - began < LONGEST
    return True


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Sound files of each kind, to be broken."""
    folder = tmp_path_factory.mktemp("sound")
    for kind in ("csv", "parquet"):
        write_tables(SOME, SHELF, folder / kind, kind)
        write_tables(SOME, SHELF, folder / f"{kind}.zip", kind)
    found = {
        path.name: path.read_bytes() for kind in ("csv", "parquet") for path in (folder / kind).iterdir()
    }
    return found | {
        "csv.zip": (folder / "csv.zip").read_bytes(),
        "parquet.zip": (folder / "parquet.zip").read_bytes(),
        "records": "".join(write_records(SOME, SHELF)).encode(),
        "dictionary": dictionary([WEATHER, LOADED], scores=True).encode(),
        "recipe": b"client,date,ors,srs1,srs2,srs3,srs4\n" + b"".join(
            f"K-{row % 3},2026-03-{row + 1:02d},{row},9,8,7,{row % 10}\n".encode() for row in range(20)
        ),
    }  # fmt: skip


def broken(kind: str, number: int, sound: dict[str, bytes]) -> tuple[str, bytes]:
    """The file of that number: its name, and its bytes."""
    chance = random.Random(f"{kind} {number}")  # noqa: S311 - the same files every time
    if kind in {"zip", "zip of parquet"}:
        name = "csv.zip" if kind == "zip" else "parquet.zip"
        mutation = chance.choice([*BINARY, lying, lying])
        if kind == "zip" and chance.random() < 0.4:
            tables = {
                each: sound[each] for each in ("clients.csv", "sessions.csv", "answers.csv", "totals.csv")
            }
            mine = chance.choice(sorted(tables))
            return "in.zip", packed(tables | {mine: chance.choice(TEXT)(chance, tables[mine])})
        return "in.zip", mutation(chance, sound[name])
    if kind in {"csv", "parquet"}:
        name = chance.choice(["clients", "sessions", "answers", "totals"]) + f".{kind}"
        return name, chance.choice(TEXT if kind == "csv" else BINARY)(chance, sound[name])
    return "export.csv", chance.choice(TEXT)(chance, sound[kind])


def reading(kind: str, path: Path) -> Callable[[], Iterable[object]]:
    """How a file of that kind is read."""
    if kind == "records":
        return lambda: read_records(path, SHELF)
    if kind == "dictionary":
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        return lambda: read_dictionary(text, right="a letter", shelf=SHELF)
    if kind == "recipe":
        return lambda: read_by_recipe(path, "ors_srs")
    return lambda: read_tables(path, SHELF)


def test_there_are_seven_thousand_of_them() -> None:
    assert sum(ROUNDS.values()) >= 7000


@pytest.mark.parametrize("kind", ROUNDS)
def test_a_malformed_file_is_refused_in_a_sentence_or_read(
    tmp_path: Path, sound: dict[str, bytes], kind: str
) -> None:
    refused = 0
    for number in range(ROUNDS[kind]):
        name, content = broken(kind, number, sound)
        path = tmp_path / name
        path.write_bytes(content)
        try:
            refused += not taken(reading(kind, path))
        except BaseException as problem:
            problem.add_note(f"{kind} {number}")
            raise
        assert [each.name for each in tmp_path.iterdir()] == [name]
        path.unlink()
    assert refused > 0.25 * ROUNDS[kind]


WIDE: Final = 140_000
HEADER: Final = b",".join(b"c%d" % number for number in range(WIDE))
PLAIN: Final = b"field_name,form_name,field_type,field_label\n"
LARGE: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "a header of many cells": ("csv", lambda: HEADER + b"\n1\n"),
    "a header of one name": ("csv", lambda: b"," * WIDE + b"\n"),
    "a row of many cells": ("csv", lambda: b"client,since,ended,ending\n" + b"a," * WIDE + b"\n"),
    "a cell of many signs": ("csv", lambda: b'client\n"' + b"a" * WIDE + b'"\n'),
    "a line of millions": ("csv", lambda: b"client\n" + b"a" * 3_000_000),
    "a quote that swallows all": ("csv", lambda: b'client\n"' + b"a\n" * 500_000),
    "many blank lines": ("csv", lambda: b"\n" * 500_000 + b"client\nK\n"),
    "many quotes": ("csv", lambda: b"client\n" + b'"' * 900_000),
    "records of many columns": ("records", lambda: b"record_id," + HEADER + b"\n1\n"),
    "a dictionary of one form of many fields": (
        "dictionary",
        lambda: PLAIN + b"".join(b"a%d,f,yesno,x\n" % n for n in range(20_000)),
    ),
    "a dictionary of many choices": (
        "dictionary",
        lambda: b"field_name,form_name,field_type,field_label,select_choices_or_calculations\nid,f,text,x,\n"
        b'a,f,radio,x,"' + b" | ".join(b"%d, a" % n for n in range(9_000)) + b'"\n',
    ),
    "a dictionary of many tags": (
        "dictionary",
        lambda: b"field_name,form_name,field_type,field_label\nid,f,text,x\na,f,yesno," + b"<" * 130_000 + b"\n",
    ),
    "a recipe's many columns": ("recipe", lambda: b"client,date,ors," + HEADER + b"\na,2026-03-01,4\n"),
    "a bomb of zeros": ("zip", lambda: packed({"clients.csv": bytes(80_000_000)})),
    "a bomb in many files": ("zip", lambda: packed({f"{n}.csv": bytes(1_000_000) for n in range(60)})),
    "a directory of many": ("zip", lambda: packed({f"{n}.csv": b"" for n in range(5_000)})),
    "a directory of marks": ("zip", lambda: packed({"clients.csv": b"client\nK\n"}) + b"PK\1\2" * 5_000_000),
    "an archive in an archive": ("zip", lambda: packed({"clients.csv": packed({"clients.csv": b"client\n"})})),
    "no archive": ("zip", lambda: b"PK\x05\x06" + bytes(18)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_told_soon(tmp_path: Path, name: str) -> None:
    kind, content = LARGE[name]
    path = tmp_path / ("in.zip" if kind == "zip" else "clients.csv")
    path.write_bytes(content())
    taken(reading(kind, path))
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def planted() -> Iterable[object]:
    yield 1
    raise ValueError("a bug")


def test_the_harness_fails_on_a_planted_bug() -> None:
    with pytest.raises(ValueError, match="a bug"):
        taken(planted)
