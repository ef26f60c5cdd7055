"""Four tables, in every form: nothing is lost, nothing is run, and what is wrong is said with its place."""

from __future__ import annotations

import csv
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from crossing import ONLY_TOTALS, RISKY, SHELF, SOME, by_table, entries
from hypothesis import given, settings

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, TotalEntry
from attunement.exchange.formulas import FORMULA, defused, restored
from attunement.exchange.tables import TABLES, Kind, read_tables, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS: tuple[Kind, ...] = ("csv", "parquet")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["folder", "whole.zip"])
@given(entries())
@settings(max_examples=60)
def test_what_is_written_is_read_again_to_the_last_digit(kind: Kind, name: str, told: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_tables(told, SHELF, Path(folder) / name, kind)
        assert list(read_tables(Path(folder) / name, SHELF)) == by_table(told)


@pytest.mark.parametrize("text", [*RISKY, "\tx", "\rx", "\nx", " =1", "''''@", "", "'", "a=b"])
def test_a_cell_that_would_be_run_is_not_and_comes_back_as_it_was(text: str) -> None:
    assert not re.match(FORMULA, defused(text))
    assert restored(defused(text)) == text


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    write_tables([ClientEntry(code) for code in RISKY], SHELF, tmp_path / "out")
    with (tmp_path / "out/clients.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert len(cells) > len(RISKY)
    assert not [cell for cell in cells if re.match(FORMULA, cell)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_entries_make_four_tables_without_rows(tmp_path: Path, kind: Kind) -> None:
    write_tables([], SHELF, tmp_path / "out", kind)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{each.name}.{kind}" for each in TABLES
    )
    assert list(read_tables(tmp_path / "out", SHELF)) == []


def test_a_parquet_table_has_types(tmp_path: Path) -> None:
    write_tables(SOME, SHELF, tmp_path / "out", "parquet")
    schema = pl.read_parquet_schema(tmp_path / "out/totals.parquet")
    assert schema["at"] == pl.Datetime("us", "UTC")
    assert schema["session"] == pl.Int64
    assert schema["value"] == pl.Float64


def failing() -> Iterator[Entry]:
    yield from SOME
    yield TotalEntry("K-07", 1, None, "unheard_of", "total", 3.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["folder", "whole.zip"])
def test_an_entry_that_does_not_fit_leaves_nothing_written(tmp_path: Path, kind: Kind, name: str) -> None:
    with pytest.raises(InputError, match="unheard_of"):
        write_tables(failing(), SHELF, tmp_path / name, kind)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="no empty folder"):
        write_tables(SOME, SHELF, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_archive_that_is_there_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(b"old")
    write_tables(SOME, SHELF, tmp_path / "out.zip")
    assert list(read_tables(tmp_path / "out.zip", SHELF)) == by_table(SOME)
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


def test_the_same_entries_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_tables(SOME, SHELF, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_one_table_alone_is_read(tmp_path: Path) -> None:
    write_tables(SOME, SHELF, tmp_path / "out")
    read = list(read_tables(tmp_path / "out/totals.csv", SHELF))
    assert read == [entry for entry in SOME if isinstance(entry, TotalEntry)]


def test_a_table_that_a_person_wrote_in_a_european_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_bytes("﻿client;session;instrument;scale;value\r\nK-07;3;storms;total;31,5\r\n".encode())
    assert list(read_tables(path, SHELF)) == [TotalEntry("K-07", 3, None, "storms", "total", 31.5)]


def test_items_that_are_not_told_of_were_skipped(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("client,session,instrument,item,answer\nK-07,1,weather,sun,7\nK-07,2,weather,rain,3\n")
    first, second = read_tables(path, SHELF)
    assert isinstance(first, AnswersEntry)
    assert isinstance(second, AnswersEntry)
    assert first.answers == {"sun": 7.0, "rain": None, "wind": None}
    assert second.answers == {"sun": None, "rain": 3.0, "wind": None}


HEAD = {
    "clients": "client,since,ended,ending",
    "sessions": "client,session,began,attendance,lateness",
    "answers": "client,session,at,instrument,version,item,answer",
    "totals": "client,session,at,instrument,scale,value",
}
WRONG: dict[str, tuple[str, list[str], str]] = {
    "no number": ("totals", ["K-07,1,,storms,total,many"], "row 2, column 6 (value): “many” is not a number"),
    "no finite number": ("totals", ["K-07,1,,storms,total,1e999"], "row 2, column 6 (value): “1e999” is not a number"),
    "not a number": ("totals", ["K-07,1,,storms,total,NaN"], "row 2, column 6 (value): “NaN” is not a number"),
    "an empty total": ("totals", ["K-07,1,,storms,total,"], "row 2, column 6 (value): it is empty"),
    "beyond the scale": ("totals", ["K-07,1,,storms,total,41"], "column 6 (value): 41 is no total of storms"),
    "no such scale": ("totals", ["K-07,1,,storms,sum,4"], "column 5 (scale): “sum” is no scale of storms"),
    "no such instrument": ("totals", ["K-07,1,,gales,total,4"], "column 4 (instrument): “gales” is no instrument here"),
    "no session": ("totals", ["K-07,0,,storms,total,4"], "column 2 (session): “0” is none of 1, 2, …"),
    "no time": ("totals", ["K-07,1,8 March,storms,total,4"], "column 3 (at): “8 March” is no time; write it as"),
    "no day of the calendar": ("sessions", ["K-07,1,2026-02-30,,"], "column 3 (began): “2026-02-30” is no time"),
    "no such word": ("sessions", ["K-07,1,,slept,"], "column 4 (attendance): “slept” is none of held, late"),
    "no client": ("clients", ["K-07,,,", " ,2026-01-01,,"], "row 3, column 1 (client): it is empty"),
    "a line break in a code": ("clients", ['"K\n07",,,'], "row 2, column 1 (client): “K�07” has"),
    "no such item": ("answers", ["K-07,1,,weather,1,snow,4"], "column 6 (item): “snow” is no item of weather"),
    "an item twice": ("answers", ["K-07,1,,weather,1,sun,4"] * 2, "row 3, column 6 (item): sun stands twice"),
    "no such answer": ("answers", ["K-07,1,,clouds,1,item1,4"], "(answer): 4 is no answer to it; it takes 0, 1, 2, 3"),
    "another version": ("answers", ["K-07,1,,weather,2,sun,4"], "column 5 (version): “2” is not the version here"),
    "a form torn apart": (
        "answers", ["K,1,,weather,1,sun,4", "K,2,,weather,1,sun,4", "K,1,,weather,1,rain,4"],
        "row 4, column 6 (item): the rows of one form follow one another",
    ),
    "too few cells": ("clients", ["K-07,,,", "K-07"], "row 3 has 1 cells, the header 4"),
    "too many cells": ("clients", ["K-07,,,,"], "row 2 has 5 cells, the header 4"),
    "an unclosed quote": ("clients", ["K-07,,,", '"K-08,,,', "K-09,,,"], "row 3 has an unclosed quote"),
    "an endless cell": ("clients", [f'"{"K" * 140_000}",,,'], "row 2 has an unclosed quote or an endless cell"),
    "a quote in a cell": ("clients", ['"K"07,,,'], "row 2 has a quote in the wrong place"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_row_and_column(tmp_path: Path, name: str) -> None:
    table, rows, said = WRONG[name]
    path = tmp_path / f"{table}.csv"
    path.write_text("\n".join([HEAD[table], *rows, ""]), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        list(read_tables(path, SHELF))
    sentence = str(refused.value)
    assert sentence.startswith(f"{table}.csv, row ")
    assert said in sentence
    assert sentence.endswith(".")
    assert len(sentence) < 420
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("client,since,since,ending", "“since” stands twice"),
        ("client,since,,ending", "column 3 has no name"),
        ("client,since,ended,name", "column 4: “name” is no column of the table clients"),
        ("since,ended", "has no column client"),
        ("", "is empty"),
    ],
)
def test_a_header_that_is_not_the_tables_is_refused(tmp_path: Path, header: str, said: str) -> None:
    (tmp_path / "clients.csv").write_text(header, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)):
        list(read_tables(tmp_path / "clients.csv", SHELF))


def packed(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


ONE = {"clients.csv": b"client\nK\n"}
PACKED: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "a way up": (lambda: {"../clients.csv": b"client\nK\n"}, "may lie outside of it"),
    "the root": (lambda: {"/clients.csv": b"client\nK\n"}, "may lie outside of it"),
    "a drive": (lambda: {"C:clients.csv": b"client\nK\n"}, "may lie outside of it"),
    "a way up on Windows": (lambda: {"a\\..\\clients.csv": b"client\nK\n"}, "may lie outside of it"),
    "an archive within": (lambda: ONE | {"totals.csv": b"PK\x03\x04"}, "is an archive itself"),
    "a picture": (lambda: ONE | {"photo.png": b"x"}, "“photo.png”, which is no table"),
    "a table twice": (lambda: ONE | {"x/clients.csv": b"client\nK\n"}, "one of them would do"),
    "too many files": (lambda: {f"{number}.csv": b"" for number in range(201)}, "more than 200 files"),
    "a bomb": (
        lambda: {"clients.csv": b"client\n" + b"K\n" * 26_000_000},
        "unpacks to more than 50,000,000 bytes",
    ),
    "a bomb beside": (
        lambda: ONE | {"totals.csv": bytes(51_000_000)},
        "unpacks to more than 50,000,000 bytes",
    ),
    "no table": (lambda: {"other.csv": b"x"}, "none of the tables"),
}


@pytest.mark.parametrize("name", PACKED)
def test_an_archive_that_is_not_just_tables_is_refused(tmp_path: Path, name: str) -> None:
    contents, said = PACKED[name]
    path = packed(tmp_path / "in.zip", contents())
    with pytest.raises(InputError, match=re.escape(said)):
        next(read_tables(path, SHELF))


def test_bytes_are_counted_and_not_what_the_directory_says_of_them(tmp_path: Path) -> None:
    path = packed(tmp_path / "in.zip", {"clients.csv": b"client\n" + b"K\n" * 26_000_000})
    lying = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = lying.index(mark) + place
        lying[start : start + 4] = (600_000_000).to_bytes(4, "little")
    path.write_bytes(lying)
    with pytest.raises(InputError, match=r"50,000,000|damaged"):
        next(read_tables(path, SHELF))


def test_what_a_mac_packs_beside_the_tables_is_passed_over(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "in.zip",
        {"out/clients.csv": b"client\nK\n", "__MACOSX/out/._clients.csv": b"\0", "out/.DS_Store": b"x"},
    )
    assert list(read_tables(path, SHELF)) == [ClientEntry("K")]


def test_a_table_in_both_kinds_is_refused(tmp_path: Path) -> None:
    write_tables(SOME, SHELF, tmp_path / "out")
    pl.DataFrame({"client": ["K"]}).write_parquet(tmp_path / "out/clients.parquet")
    with pytest.raises(InputError, match="one of them would do"):
        list(read_tables(tmp_path / "out", SHELF))


def test_a_parquet_column_of_lists_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"client": [["K"]]}).write_parquet(tmp_path / "clients.parquet")
    with pytest.raises(InputError, match="numbers, text or times would do"):
        list(read_tables(tmp_path / "clients.parquet", SHELF))


def test_an_infinite_total_is_refused_in_parquet_as_in_csv(tmp_path: Path) -> None:
    frame = {
        "client": ["K"],
        "session": [1],
        "instrument": [ONLY_TOTALS.id],
        "scale": ["total"],
        "value": [float("inf")],
    }
    pl.DataFrame(frame).write_parquet(tmp_path / "totals.parquet")
    with pytest.raises(InputError, match=r"row 1, column 5 \(value\): “inf” is not a number"):
        list(read_tables(tmp_path / "totals.parquet", SHELF))


def test_every_column_of_the_four_tables_is_documented_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/tables.md").read_text(encoding="utf-8")
    section = page.partition("### Four tables")[2].partition("\n### ")[0]
    told = re.findall(r"^\| (\w+) \| `(\w+)` \| (\w+) \| (yes|no) \|", section, re.MULTILINE)
    assert [(table, column) for table, column, _, _ in told] == [
        (table.name, column) for table in TABLES for column in table.columns
    ]
    needed = {(table.name, column) for table in TABLES for column in table.needed}
    assert {(table, column) for table, column, _, said in told if said == "yes"} == needed
