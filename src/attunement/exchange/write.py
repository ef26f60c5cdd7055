"""Files are written whole or not at all: beside their place first, and then moved there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMULA = r"^[=+\-@\t\r]"


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write CSV or Parquet, by the file's ending.

    A text cell that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.

    Raises
    ------
    InputError
        Where the ending is another one, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        _whole(path, frame.write_parquet)
    elif suffix == ".csv":
        _whole(path, _defused(frame).write_csv)
    else:
        raise InputError(f"{path.name}: a table is written to a .csv or .parquet file.")


def write_text(text: str, path: Path) -> None:
    """Write a text file in UTF-8."""
    _whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def _defused(frame: pl.DataFrame) -> pl.DataFrame:
    risky = pl.selectors.string()
    return frame.with_columns(
        pl.when(risky.str.contains(_FORMULA)).then(pl.lit("'") + risky).otherwise(risky).name.keep()
    )


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        os.close(handle)
    except OSError as problem:
        raise InputError(f"{path} cannot be written ({problem.strerror}).") from None
    beside = Path(name)
    try:
        write(beside)
        beside.chmod(0o600)  # client codes and their ratings: for the owner's eyes
        beside.replace(path)
    except OSError as problem:
        raise InputError(
            f"{path} cannot be written ({problem.strerror or type(problem).__name__})."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
