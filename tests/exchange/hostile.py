"""Malformed files without end, each the same whenever its number is asked for: known tricks, and mutations.

``hostile(seed, number)`` is one of them. None is copied; the valid ones that mutations begin from are made
here.
"""

from __future__ import annotations

import copy
import io
import json
import math
import random
import tomllib
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sound import (
    BUNDLE,
    DESCRIPTION,
    DICTIONARY,
    QUESTIONNAIRE,
    RECORDS,
    RESOURCE,
    TABLE,
    TOTALS,
    WORDS,
    archive,
    parquet,
    tables,
    zipped,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

Rolls = random.Random


@dataclass(frozen=True, slots=True)
class Hostile:
    """One malformed file: what it is, which reader gets it, and its bytes."""

    kind: str
    reader: str
    content: bytes = field(repr=False)


def hostile(seed: int, number: int) -> Hostile:
    """The file of that number."""
    rolls = Rolls(f"{seed}/{number}")
    kind = _HEAVY[number // _EVERY % len(_HEAVY)] if number % _EVERY == 0 else rolls.choice(_OFTEN)
    reader, make = KINDS[kind]
    return Hostile(kind, reader, make(rolls))


# -- what makes something malformed of it

_NASTY: Final = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\\ud800",
    b"\\u0000", b"\x1b[31m",
    b"\xe2\x80\xae", b'"', b'""', b"'", b",", b";", b"\t", b"|", b"\r", b"\n", b"\r\n", b"\n\n\n", b"{",
    b"}", b"[", b"]", b":", b"=",
    b"NaN", b"nan", b"Infinity", b"-inf", b"1e999", b"-1e-999", b"1e308", b"0x10", b"1_000", b"9" * 25,
    b"9" * 5_000,
    b"-0", b"0.1.2", b"true", b"null", b"=1+1", b"@cmd", b"<a/>", b"<!DOCTYPE a>", b"../../etc/passwd",
    b"%s%n", b"${x}", b"\\",
    b"2026-02-30", b"9999-12-31T23:59:59Z", b"0001-01-01", b"13/13/2026", b"2026-03-04T25:61",
    "\N{FULLWIDTH DIGIT SEVEN}".encode(),
    "\N{NO-BREAK SPACE}".encode(), "\N{LINE SEPARATOR}".encode(),
    "\N{GREEK SMALL LETTER FINAL SIGMA}".encode(), b"a" * 3_000,
    b"[[a]]", b"[a.b]", b'"""', b"'''", b"#", b"item1", b"[" * 40, b"{" * 40, b"1979-05-27T07:32:00Z",
    b"inf", b"+nan", b"0o7", b"1e5",
)  # fmt: skip


def _mutated(rolls: Rolls, whole: bytes) -> bytes:
    made = bytearray(whole)
    for _ in range(rolls.randint(1, 4)):
        place, end = sorted(rolls.randrange(len(made) + 1) for _ in range(2))
        end = min(end, place + rolls.choice((1, 4, 40, 10_000)))
        change = rolls.randrange(8)
        if change == 0 and place < len(made):
            made[place] ^= 1 << rolls.randrange(8)
        elif change == 1:
            del made[place:end]
        elif change == 2:
            made[place:place] = made[place:end] * rolls.choice((1, 2, 30))
        elif change == 3:
            made[place:place] = rolls.randbytes(rolls.choice((1, 3, 20)))
        elif change == 4:
            made = made[:place]
        elif change == 5 and (lines := bytes(made).split(b"\n")):
            rolls.shuffle(lines)
            made = bytearray(b"\n".join(lines))
        else:
            made[place : rolls.choice((place, end))] = rolls.choice(_NASTY)
    return bytes(made[:200_000])


def _of(whole: Callable[[], bytes]) -> Callable[[Rolls], bytes]:
    return lambda rolls: _mutated(rolls, whole())


def _cells(rolls: Rolls) -> bytes:
    """A table whose cells are odd, and whose shape is."""
    header = [b"client", b"session", b"score", b"time", b"therapist", b"guess", b"x"][: rolls.randint(1, 7)]
    if rolls.random() < 0.2:
        rolls.shuffle(header)
    rows = [header]
    for _ in range(rolls.randint(0, 6)):
        row = [rolls.choice((b"K-1", b"1", b"2", b"5.5", b"", rolls.choice(_NASTY)))
               for _ in range(rolls.choice((len(header),) * 5 + (rolls.randint(0, 9),)))]  # fmt: skip
        rows.append(row)
    mark = rolls.choice((b",", b",", b";", b"\t", b"|"))
    return rolls.choice((b"\n", b"\r\n", b"\r")).join(mark.join(row) for row in rows)


def _json(rolls: Rolls) -> bytes:
    """JSON, or nearly, of odd parts."""

    def part(depth: int) -> bytes:
        roll = rolls.random()
        if depth > 4 or roll < 0.4:
            return rolls.choice((b"1", b'"a"', b"null", b"true", b"1.5", rolls.choice(_NASTY)))
        if roll < 0.7:
            return b"[" + b",".join(part(depth + 1) for _ in range(rolls.randint(0, 3))) + b"]"
        names = [
            rolls.choice((b'"a"', b'"a"', b'"b"', b'"resourceType"', b"a"))
            for _ in range(rolls.randint(0, 3))
        ]
        return b"{" + b",".join(name + b":" + part(depth + 1) for name in names) + b"}"

    return part(0)


_ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 3, 10**18, 10**30, 0.5, -0.0, 1e308, float("inf"), float("nan"), "", " ",
    "a", "é", "item1", "total",
    "en", "x" * 5_000, "2026-02-30", [], [None], [1, 2], ["item1"], ["item9"] * 3, [[1]], {}, {"en": "a"},
    {"en": "a", "es": "b"},
    {"id": "item1"}, [{"id": "item1", "value": 3}], [{"value": 0}, {"value": 0}], {"value": 1e300,
    "source": "a"},
)  # fmt: skip


def _odd_values(rolls: Rolls, table: Any) -> Any:
    """A sound table with one to three values that are others, are gone, or stand under another name."""
    made = json.loads(json.dumps(table))
    for _ in range(rolls.randint(1, 3)):
        place, inner = made, made
        while isinstance(inner, dict | list) and inner and (inner is made or rolls.random() < 0.7):
            place = inner
            key = rolls.choice(sorted(place)) if isinstance(place, dict) else rolls.randrange(len(place))
            inner = place[key]
        if not place:
            continue
        if isinstance(place, dict) and rolls.random() < 0.3:
            place[rolls.choice(_NAMES)] = rolls.choice((place.pop(key), _odd(rolls)))
        else:
            place[key] = _odd(rolls)
    return made


def _odd(rolls: Rolls) -> Any:
    return copy.deepcopy(rolls.choice(_ODD_VALUES))


_NAMES: Final = (
    "id", "name", "count", "items", "scales", "choices", "limits", "cutoffs", "bands", "changes",
    "languages", "words", "reverse", "ends",
    "established", "reliability", "sd", "loinc", "apart", "risk_from", "own", "intro", "es",
    "valueQuantity", "entry", "a b", "", "é",
)  # fmt: skip


def _toml(table: dict[str, Any]) -> bytes:
    return "\n".join(f"{json.dumps(name)} = {_as_toml(value)}" for name, value in table.items()).encode()


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_as_toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return '""' if value is None else json.dumps(value)


def _xml(rolls: Rolls) -> bytes:
    laughs = b"<?xml version='1.0'?><!DOCTYPE a [" + b"".join(
        b"<!ENTITY l%d '%s'>" % (level, b"&l%d;" % (level - 1) * 10 if level else b"ha") for level in range(9)
    )
    choices = (
        laughs + b"]><Bundle>&l8;</Bundle>",
        b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Bundle>&x;</Bundle>",
        b"<!DOCTYPE a [<!ENTITY x '" + b"A" * 20_000 + b"'>]><a>" + b"&x;" * 20_000 + b"</a>",
        b"\n\n <Bundle xmlns='http://hl7.org/fhir'>" + b"<entry>" * rolls.randint(1, 500),
    )
    return rolls.choice(choices)


def _names(rolls: Rolls) -> bytes:
    """An archive whose files are called what they may not."""
    odd = (
        "../up.csv",
        "/etc/passwd",
        "C:\\a.csv",
        "a:b",
        "a/../../b",
        "in.zip",
        "a\nb",
        "\u202e.csv",
        "A.CSV",
    )
    files = dict.fromkeys(rolls.sample(odd, 2), b"a\n1\n")
    if "in.zip" in files:
        files["in.zip"] = archive()
    return zipped(files)


def _lying(rolls: Rolls) -> bytes:
    """An archive whose directory says other sizes, counts and places than there are."""
    made = bytearray(archive())
    for signature, offsets in (
        (b"PK\x01\x02", range(10, 46)),
        (b"PK\x05\x06", range(4, 22)),
        (b"PK\x03\x04", range(6, 30)),
    ):
        if rolls.random() < 0.6:
            place = made.find(signature) + rolls.choice(offsets)
            width = rolls.choice((1, 2, 4))
            made[place : place + width] = rolls.choice(
                (b"\xff" * width, bytes(width), rolls.randbytes(width))
            )
    return bytes(made)


@cache
def _zeros() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()


def _bomb(rolls: Rolls) -> bytes:
    """200 MB of zeros in 195 kB, of which the directory says that they are ten bytes."""
    made = bytearray(zipped({"totals.csv": b"0123456789"}))
    info = zipfile.ZipFile(io.BytesIO(made)).infolist()[0]
    begins = info.header_offset + 30 + len(info.filename)
    ends = begins + info.compress_size
    packed = _zeros()
    made[begins:ends] = packed
    directory = made.find(b"PK\x01\x02")
    made[directory + 20 : directory + 24] = len(packed).to_bytes(4, "little")
    said = rolls.choice((10, 200 << 20, 0))
    made[directory + 24 : directory + 28] = said.to_bytes(4, "little")
    last = made.find(b"PK\x05\x06")
    made[last + 16 : last + 20] = directory.to_bytes(4, "little")
    return bytes(made)


def _many_files(_: Rolls) -> bytes:
    return zipped({f"{number}.csv": b"" for number in range(3_000)})


KINDS: Final[dict[str, tuple[str, Callable[[Rolls], bytes]]]] = {
    "a table, mutated": ("ratings", _of(lambda: TABLE)),
    "odd cells": ("ratings", _cells),
    "Parquet, mutated": ("ratings", _of(parquet)),
    "Parquet, cut": ("ratings", lambda rolls: parquet()[: rolls.randrange(len(parquet()))]),
    "any bytes": ("ratings", lambda rolls: rolls.randbytes(rolls.choice((1, 60, 2_000)))),
    "any bytes after a beginning": (
        "ratings",
        lambda rolls: rolls.choice((b"PAR1", b"PK\x03\x04", b"client,session,score\n")) + rolls.randbytes(300),
    ),
    "a description, mutated": ("described", _of(lambda: DESCRIPTION)),
    "a description with odd values": (
        "described",
        lambda rolls: _toml(_odd_values(rolls, tomllib.loads(DESCRIPTION.decode()))),
    ),
    "words with odd values": ("described", lambda rolls: _toml(_odd_values(rolls, tomllib.loads(WORDS.decode())))),
    "JSON with odd values": ("json", lambda rolls: json.dumps(_odd_values(rolls,
    json.loads(RESOURCE))).encode()),
    "words, mutated": ("described", _of(lambda: WORDS)),
    "JSON, mutated": ("json", _of(lambda: RESOURCE)),
    "odd JSON": ("json", _json),
    "JSON in a table's place": ("ratings", _json),
    "XML": ("json", _xml),
    "an archive, mutated": ("archive", _of(archive)),
    "an archive that lies": ("archive", _lying),
    "an archive with odd names": ("archive", _names),
    "XML in a table's place": ("ratings", _xml),
    "an unclosed quote": ("ratings", lambda _: b'client,session,score\n"K-1,1,5\n' + b"K-1,2,5\n" * 20_000),
    "a giant cell": ("ratings", lambda _: b"client,session,score\nK-1,1," + b"5" * 3_000_000),
    "a giant quoted cell": ("ratings", lambda _: b'client,session,score\nK-1,1,"' + b"5\n" * 1_000_000 + b'"'),
    "many columns": ("ratings",
    lambda _: b",".join(b"c%d" % each for each in range(50_000)) + b"\n" + b"1," * 50_000),
    "a short row of many": ("ratings", lambda _: b"client,session,score\n" + b"K-1,1,5\nK-1,2\n" * 30_000),
    "deep lists": ("json", lambda _: b"[" * 100_000),
    "deep objects": ("json", lambda _: b'{"a":' * 100_000),
    "deep and closed": ("json", lambda _: b"[" * 900 + b"]" * 900),
    "a number without end": ("json", lambda _: b"1" * 900_000),
    "a fraction without end": ("json", lambda _: b"0." + b"1" * 900_000),
    "a text without end": ("json", lambda _: b'"' + b"\\u0041" * 160_000),
    "more than a megabyte": ("json", lambda _: b"[" + b"0," * 600_000 + b"0]"),
    "a deep description": ("described", lambda _: b"a = " + b"[" * 100_000),
    "deep tables": ("described",
    lambda _: b"[" + b".".join(b"a%d" % each for each in range(5_000)) + b"]\na = 1"),
    "inline tables": ("described", lambda _: b"a = " + b"{a=" * 20_000),
    "a whole number without end": ("described", lambda _: b"count = " + b"9" * 100_000),
    "a dotted key without end": ("described", lambda _: b".".join(b"a" for _ in range(100_000)) + b" = 1"),
    "a text of quotes": ("described", lambda _: b'instrument = """' + b'\\"' * 200_000),
    "a Bundle, mutated": ("fhir", _of(lambda: BUNDLE)),
    "a Bundle with odd values": (
        "fhir", lambda rolls: json.dumps(_odd_values(rolls, json.loads(BUNDLE))).encode()),
    "a Questionnaire, mutated": ("questionnaire", _of(lambda: QUESTIONNAIRE)),
    "a Questionnaire with odd values": (
        "questionnaire", lambda rolls: json.dumps(_odd_values(rolls, json.loads(QUESTIONNAIRE))).encode()),
    "records, mutated": ("redcap records", _of(lambda: RECORDS)),
    "a dictionary, mutated": ("redcap dictionary", _of(lambda: DICTIONARY)),
    "totals, mutated": ("recipe", _of(lambda: TOTALS)),
    "tables, mutated": ("tables", _of(tables)),
    "XML in a Bundle's place": ("fhir", _xml),
    "an archive that lies in the tables' place": ("tables", _lying),
    "deep lists in a Bundle's place": ("fhir", lambda _: b'{"resourceType": "Bundle", "entry": ' + b"[" * 100_000),
    "a bomb in the tables' place": ("tables", _bomb),
    "a bomb": ("archive", _bomb),
    "too many files": ("archive", _many_files),
}  # fmt: skip

_OFTEN: Final = (
    *["a table, mutated"] * 5, *["odd cells"] * 8, *["Parquet, mutated"] * 3, "Parquet, cut",
    *["any bytes"] * 4,
    *["any bytes after a beginning"] * 6, *["a description, mutated"] * 6, *["words, mutated"] * 4,
    *["a description with odd values"] * 10, *["words with odd values"] * 4, *["JSON with odd values"] * 6,
    *["JSON, mutated"] * 16, *["odd JSON"] * 18, "JSON in a table's place", *["XML"] * 3,
    *["an archive, mutated"] * 6, *["an archive that lies"] * 6, *["an archive with odd names"] * 2,
    "XML in a table's place",
    *["a Bundle, mutated"] * 8, *["a Bundle with odd values"] * 6, *["a Questionnaire, mutated"] * 4,
    *["a Questionnaire with odd values"] * 4, *["records, mutated"] * 6, *["a dictionary, mutated"] * 4,
    *["totals, mutated"] * 4, *["tables, mutated"] * 4, "XML in a Bundle's place",
    "an archive that lies in the tables' place",
)  # fmt: skip
_HEAVY: Final = tuple(kind for kind in KINDS if kind not in _OFTEN)
_EVERY: Final = 250
