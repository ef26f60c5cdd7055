"""Files are written whole or not at all: beside their place first, and then moved there."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import InputError
from attunement.exchange.formulas import FORMULA

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_files(contents: Mapping[Path, pl.DataFrame | str]) -> None:
    """Write text and tables to their paths: all of them, or none.

    A table goes to CSV or Parquet, by the path's ending. In CSV, a text cell that a spreadsheet would run as a formula
    gets an apostrophe in front; numbers stay numbers.

    Raises
    ------
    InputError
        Where an ending is another one, or a file cannot be written.
    """
    beside: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            beside[path] = _place_beside(path)
            _write(content, path.suffix.lower(), beside[path])
        for path, written in beside.items():
            written.replace(path)
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be written ({_reason(problem)}).") from None
    finally:
        for written in beside.values():
            written.unlink(missing_ok=True)


def refuse_places(source: Path, page: Path | None, frame: Path | None) -> None:
    """Refuse, before any work is done, what cannot be written or would overwrite what is read.

    Raises
    ------
    InputError
        Where a place is a folder or the source itself, an ending is unknown, or both files are one.
    """
    if frame is not None:
        _refuse_ending(frame.suffix.lower())
    for path in (page, frame):
        if path is not None:
            _refuse_place(path, source)
    if page is not None and frame is not None and page.resolve() == frame.resolve():
        raise InputError(f"--out and --frame both say {page}; two files need two places.")


def _refuse_place(path: Path, source: Path) -> None:
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is a folder or a device; name a file to write.")
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(f"{path} is the table that is read; write to another place.")
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be written ({_reason(problem)}).") from None


def _refuse_ending(ending: str) -> None:
    if ending not in {".csv", ".parquet"}:
        raise InputError(
            f"A table is written to a .csv or .parquet file, not to {ending or 'a name without ending'}."
        )


def _reason(problem: OSError | ValueError) -> str:
    return (isinstance(problem, OSError) and problem.strerror) or type(problem).__name__


def _place_beside(path: Path) -> Path:
    """Make an empty file where the whole one will be moved from, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a folder or a device; name a file to write.")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".attunement.", suffix=".part")
    os.close(handle)
    return Path(name)


def _write(content: pl.DataFrame | str, ending: str, path: Path) -> None:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif ending == ".parquet":
        content.write_parquet(path)
    else:
        _refuse_ending(ending)
        _defused(content).write_csv(path)


def _defused(frame: pl.DataFrame) -> pl.DataFrame:
    risky = pl.selectors.string(include_categorical=True).cast(pl.String)
    cells = pl.when(risky.str.contains(FORMULA)).then(pl.lit("'") + risky).otherwise(risky)
    return frame.with_columns(cells.name.keep()).rename(
        {name: f"'{name}" for name in frame.columns if re.match(FORMULA, name)}
    )
