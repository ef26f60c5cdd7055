"""The cast, for whoever asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cast import Cast, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    """Two therapists, a supervisor and an admin before one practice."""
    everybody = gathered(tmp_path / "practice")
    yield everybody
    everybody.close()
