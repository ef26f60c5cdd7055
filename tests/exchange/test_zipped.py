"""An archive is counted while it is unpacked: what it says of itself is not believed."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile

import pytest
from hostile import KINDS, Rolls
from sound import archive

from attunement.errors import UnreadableFile
from attunement.exchange.zipped import unpacked


def packed(*names: str, content: bytes = b"a\n1\n", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as into:
        for name in names:
            into.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def test_files_come_in_their_order_without_folders() -> None:
    found = dict(unpacked(packed("tables/", "tables/b.csv", "a.csv")))
    assert list(found) == ["tables/b.csv", "a.csv"]
    assert found["a.csv"] == b"a\n1\n"


@pytest.mark.parametrize("seed", range(3))
def test_a_bomb_whose_directory_lies_is_refused_while_it_is_counted(seed: int) -> None:
    bomb = KINDS["a bomb"][1](Rolls(seed))
    assert len(bomb) < 250_000
    tracemalloc.start()
    began = time.monotonic()
    with pytest.raises(UnreadableFile, match="unpacks to more than 50,000,000 bytes|damaged"):
        list(unpacked(bomb, "a.zip"))
    assert time.monotonic() - began < 5
    assert tracemalloc.get_traced_memory()[1] < 120_000_000
    tracemalloc.stop()


def test_files_are_counted_together() -> None:
    five = packed(*(f"{number}.csv" for number in range(5)), content=bytes(1_000))
    assert len(list(unpacked(five, most=5_000))) == 5
    with pytest.raises(UnreadableFile, match="more than 4,999 bytes"):
        list(unpacked(five, most=4_999))


@pytest.mark.parametrize("many", [201, 3_000])
def test_there_are_at_most_two_hundred(many: int) -> None:
    with pytest.raises(UnreadableFile, match="more than 200 files"):
        list(unpacked(packed(*(f"{number}.csv" for number in range(many)))))


@pytest.mark.parametrize(
    "name",
    [
        "../a.csv",
        "a/../../b.csv",
        "/etc/passwd",
        "C:\\a.csv",
        "a:b.csv",
        "a\\b.csv",
        "a\nb.csv",
        "..",
        "a\u202e.csv",
    ],
)
def test_a_name_that_leads_out_of_it_is_refused(name: str) -> None:
    with pytest.raises(UnreadableFile, match="may lie outside"):
        list(unpacked(packed("a.csv", name)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.csv", "a.csv"), ("a.csv", "A.CSV")])
def test_one_name_is_there_once(names: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableFile, match="more than one file called"):
        list(unpacked(packed(*names)))


def test_an_archive_in_an_archive_is_not_opened() -> None:
    with pytest.raises(UnreadableFile, match="is an archive itself"):
        list(unpacked(packed("inner.csv", content=archive())))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_way_of_packing_is_not_read(method: int) -> None:
    with pytest.raises(UnreadableFile, match="rare way"):
        list(unpacked(packed("a.csv", method=method)))


@pytest.mark.parametrize(
    "content", [b"", b"PK\x05\x06", b"PK\x03\x04" + bytes(100), archive()[:-30], archive()[40:]]
)
def test_what_is_damaged_is_one_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="is a damaged ZIP archive"):
        list(unpacked(content, "a.zip"))
