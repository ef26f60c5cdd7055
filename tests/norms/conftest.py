"""Three sites of unequal size, one of which feels it more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sites import site

if TYPE_CHECKING:
    import polars as pl


@pytest.fixture(scope="session")
def clinics() -> dict[str, pl.DataFrame]:
    return {
        "Ahorn": site("a", 30, seed=1),
        "Birke": site("b", 14, seed=2, usual=4.4),
        "Eiche": site("e", 9, seed=3),
    }
