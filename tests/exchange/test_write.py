"""Files are written whole or not at all, and never over what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.errors import InputError
from attunement.exchange import refuse_places, write_files

if TYPE_CHECKING:
    from pathlib import Path

FRAME = pl.DataFrame({"client": ["a", "b"], "depth": [5.0, None]})


@pytest.mark.parametrize("name", ["a.csv", "A.CSV", "a.parquet", "deep/er/a.csv"])
def test_a_table_is_written_by_its_ending(tmp_path: Path, name: str) -> None:
    write_files({tmp_path / name: FRAME})
    read = pl.read_parquet if name.endswith("parquet") else pl.read_csv
    assert read(tmp_path / name).equals(FRAME)


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("old", encoding="utf-8")
    write_files({tmp_path / "page.html": "new"})
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_fails_leaves_the_old_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("old", encoding="utf-8")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="folder"):
        write_files({tmp_path / "page.html": "new", tmp_path / "folder.csv": FRAME})
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.csv", "page.html"]


def test_a_text_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_files({tmp_path / "page.html": "\udceb"})
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name_a_disk_takes_can_be_written(tmp_path: Path) -> None:
    name = "p" * 250 + ".html"
    write_files({tmp_path / name: "text"})
    assert (tmp_path / name).exists()


def test_a_place_that_is_the_source_by_a_link_is_refused(tmp_path: Path) -> None:
    source, link = tmp_path / "table.csv", tmp_path / "link.html"
    source.write_text("x", encoding="utf-8")
    link.symlink_to(source)
    with pytest.raises(InputError, match="is the table that is read"):
        refuse_places(source, link, None)
