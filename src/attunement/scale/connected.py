"""Where the rows are, by an address: a Parquet file, a DuckDB file, a PostgreSQL, a Spark cluster."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import ibis

from attunement.errors import InputError, UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: Final = "duckdb:///FILE, postgresql://USER@HOST/DATABASE, spark://HOST:PORT or a Parquet file"


@contextlib.contextmanager
def connected(on: str, table: str = "") -> Iterator[Any]:
    """Reach the rows at an address, for `scale.moments`; what was opened is closed afterwards.

    Parameters
    ----------
    on
        ``duckdb:///sessions.parquet`` (``*`` for several), or a DuckDB file with tables; ``postgresql://…``;
        ``spark://host:port`` for Spark Connect; or the path of a Parquet file.
    table
        Which table; for Spark also Parquet files that the cluster can see.

    Raises
    ------
    InputError
        Where the address is none, or nothing answers there. Passwords are not repeated.
    """
    kind, told, rest = on.partition("://")
    if not told:
        yield _file(on, table)
    elif kind == "duckdb":
        with _duckdb(rest.removeprefix("/"), table) as found:
            yield found
    elif kind in {"postgresql", "postgres"}:
        with _postgresql(on, table) as found:
            yield found
    elif kind == "spark":
        with _spark(rest, table) as found:
            yield found
    else:
        raise InputError(f"{kind}:// is no place that rows can be summed at; {KINDS} is meant.")


def _file(path: str, table: str) -> str:
    if table:
        raise InputError("A Parquet file has no tables; leave --table out.")
    return path


@contextlib.contextmanager
def _duckdb(path: str, table: str) -> Iterator[Any]:
    if not table:
        yield path
        return
    if not Path(path).is_file():
        raise UnreadableFile(f"There is no DuckDB file {Path(path).name}.")
    with _said(f"{Path(path).name} cannot be opened by DuckDB"):
        connection = ibis.duckdb.connect(path, read_only=True)
    try:
        yield _table(connection, table)
    finally:
        connection.disconnect()


@contextlib.contextmanager
def _postgresql(on: str, table: str) -> Iterator[Any]:
    if not table:
        raise InputError("--table says which table of the database; [SCHEMA.]TABLE is meant.")
    with _said(f"PostgreSQL at {_without_password(on)} does not answer"):
        connection = ibis.connect(on)
    try:
        yield _table(connection, table)
    finally:
        connection.disconnect()


@contextlib.contextmanager
def _spark(place: str, table: str) -> Iterator[Any]:
    if not table:
        raise InputError("--table says which table of the cluster, or which Parquet files it can see.")
    with _said(f"Spark Connect at {_without_password('spark://' + place)} does not answer"):
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and slow to come

        session = SparkSession.builder.remote(f"sc://{place}").getOrCreate()
        connection = ibis.pyspark.connect(session)
    try:
        if table.endswith(".parquet") or "/" in table:
            with _said(f"Spark cannot read {table}"):
                found = connection.read_parquet(table)
            yield found
        else:
            yield _table(connection, table)
    finally:
        session.stop()


def _table(connection: Any, table: str) -> Any:  # noqa: ANN401 - any engine's
    schema, _, name = table.rpartition(".")
    with _said(f"There is no table {table} that can be read there"):
        return connection.table(name, database=schema or None)


@contextlib.contextmanager
def _said(sentence: str) -> Iterator[None]:
    """Turn whatever an engine raises into a sentence of ours: theirs may repeat a password."""
    try:
        yield
    except ImportError as problem:
        raise InputError(f"{sentence}: {problem.name} is not installed; see docs/how-to.") from None
    except Exception:  # noqa: BLE001 - engines' errors are of many kinds
        raise InputError(f"{sentence}; --on and --table say where to look.") from None


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.hostname or 'this computer'}{f':{parts.port}' if parts.port else ''}"
