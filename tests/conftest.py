"""The cast and its rooms, for whoever asks for them."""

from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with its accounts, closed: founding takes seconds, and each test has a copy."""
    folder = tmp_path_factory.mktemp("founded") / "practice"
    gathered(folder).close()
    return folder


@pytest.fixture
def cast(founded: Path, tmp_path: Path) -> Iterator[Cast]:
    """Two therapists, a supervisor and an admin before one practice."""
    everybody = reopened(Path(shutil.copytree(founded, tmp_path / "practice")))
    yield everybody
    everybody.close()


@pytest.fixture
def house(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Building:
    """The rooms of the cast; a page waits for what is worked out beside it, however slow the machine is."""
    from guest import building  # noqa: PLC0415 - the web, for tests of the rooms alone

    from attunement.web import working  # noqa: PLC0415 - see above

    monkeypatch.setattr(working, "FIRST", 60.0)
    return building(cast)
