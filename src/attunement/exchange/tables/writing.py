"""The four tables are written row by row beside their place, and are then there as a whole or not at all."""

from __future__ import annotations

import csv
import shutil
import tempfile
import zipfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.errors import InputError
from attunement.exchange.fitting import refuse_unknown
from attunement.exchange.formulas import defused
from attunement.exchange.tables.layout import TABLES, rows_of_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from attunement.exchange.entries import Entry
    from attunement.exchange.tables.layout import Kind, Table
    from attunement.instruments import Instrument

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLOCK: Final = 1 << 20


def write_tables(
    entries: Iterable[Entry], shelf: Mapping[str, Instrument], target: Path | str, kind: Kind = "csv"
) -> None:
    """Write entries as the tables ``clients``, ``sessions``, ``answers`` and ``totals``.

    Parameters
    ----------
    entries
        In any order; they are taken one by one.
    shelf
        The instruments that are answered, by id.
    target
        A folder that is new or empty; or a file that ends on ``.zip``.
    kind
        Of the tables: ``csv``, in which no cell is a formula to a spreadsheet, or ``parquet``.

    Raises
    ------
    InputError
        Where an entry does not fit the shelf or the place cannot be written; then nothing is there.
    """
    path = Path(target)
    zipped = path.suffix.lower() == ".zip"
    _refuse_place(path, zipped=zipped)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            dir=path.parent, prefix=".attunement.", ignore_cleanup_errors=True
        ) as beside:
            _write(entries, shelf, Path(beside) / "tables", kind)
            if zipped:
                _zip(Path(beside) / "tables", Path(beside) / "whole.zip").replace(path)
            else:
                _move(Path(beside) / "tables", path)
    except (OSError, ValueError) as problem:
        reason = (isinstance(problem, OSError) and problem.strerror) or type(problem).__name__
        raise InputError(f"{path} cannot be written ({reason}).") from None


def _refuse_place(path: Path, *, zipped: bool) -> None:
    try:
        if zipped and path.exists() and not path.is_file():
            raise InputError(f"{path} is a folder or a device; name a file to write.")
        if not zipped and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(
                f"{path} is no empty folder; name one that is, or a new one, or a file that ends on .zip."
            )
    except (OSError, ValueError) as problem:
        raise InputError(f"{path} cannot be written ({type(problem).__name__}).") from None


def _write(entries: Iterable[Entry], shelf: Mapping[str, Instrument], folder: Path, kind: Kind) -> None:
    folder.mkdir(mode=0o700)
    cell: Callable[[object], str] = _guarded if kind == "csv" else _bare
    with ExitStack() as files:
        writers = {}
        for table in TABLES:
            file = files.enter_context((folder / f"{table.name}.csv").open("w", encoding="utf-8", newline=""))
            writers[table.name] = csv.writer(file)
            writers[table.name].writerow(table.columns)
        for entry in entries:
            refuse_unknown(entry, shelf)
            table, rows = rows_of_entry(entry)
            writers[table.name].writerows([cell(value) for value in row] for row in rows)
    if kind == "parquet":
        for table in TABLES:
            _to_parquet(table, folder / f"{table.name}.csv")


def _guarded(value: object) -> str:
    return defused(value) if isinstance(value, str) else plain(value)


def _bare(value: object) -> str:
    if isinstance(value, datetime):
        passed = _utc(value) - _START
        return str((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds)
    return plain(value)


def plain(value: object) -> str:
    """Return a value as every text format here writes it: times in UTC, numbers in full, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _utc(value).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _utc(time: datetime) -> datetime:
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _to_parquet(table: Table, path: Path) -> None:
    """Turn the rows of a file to Parquet, in blocks."""
    types: dict[str, pl.DataType] = {
        **{name: pl.Datetime("us", "UTC") for name in table.times},
        **{name: pl.Float64() for name in table.numbers},
        **{name: pl.Int64() for name in table.counts},
    }
    whole = {name: pl.Int64() for name in table.times}
    with path.with_suffix(".parquet").open("wb") as file:
        pl.scan_csv(path, schema=dict.fromkeys(table.columns, pl.String()), glob=False).with_columns(
            pl.col(name).cast(whole.get(name, kind)).cast(kind) for name, kind in types.items()
        ).sink_parquet(file)
    path.unlink()


def _zip(folder: Path, path: Path) -> Path:
    path.touch(mode=0o600)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir(), key=lambda each: each.name):
            told = zipfile.ZipInfo(file.name)  # no times and no owner of this machine
            told.compress_type = zipfile.ZIP_DEFLATED
            with file.open("rb") as source, archive.open(told, "w", force_zip64=True) as member:
                shutil.copyfileobj(source, member, _BLOCK)
    return path


def _move(folder: Path, path: Path) -> None:
    if path.exists():
        path.rmdir()
    folder.replace(path)
