"""Sites whose therapists, clients and hours are simulated, caseloads unequal."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.countertransference.feelings import strengths
from attunement.norms import Norms, publish
from attunement.norms.designs import DESIGNS, Design, drawn

if TYPE_CHECKING:
    from collections.abc import Sequence

SINCE, UNTIL = date(2026, 1, 1), date(2026, 6, 30)
FEELING = "like wading"  # somebody's own word: it is in no factor


def site(name: str, therapists: int, seed: int, usual: float = 4.0, most: int = 24) -> pl.DataFrame:
    """Reflections of one site: habits and what clients stir have a standard deviation of 1, hours one of 1.4."""
    random = np.random.default_rng(seed)
    rows = []
    for therapist in range(therapists):
        level = usual + random.normal()
        for client in range(random.integers(5, most)):
            with_client = level + random.normal()
            for session in range(random.integers(4, 19)):
                strength = float(np.clip(with_client + random.normal(0, 1.4), 0, 10))
                rows.append(
                    (f"{name}-t{therapist}", f"{name}-t{therapist}-c{client}", session + 1, FEELING, strength)
                )
    names = ["therapist", "client", "session", "feeling", "strength"]
    return pl.DataFrame(rows, schema=names, orient="row")


def published(rows: pl.DataFrame, name: str, seed: int | None = 7) -> Norms:
    return publish(rows, site=name, since=SINCE, until=UNTIL, seed=seed)


def summed_rows(rows: pl.DataFrame, seed: int = 7, designs: Sequence[Design] = DESIGNS) -> pl.DataFrame:
    """The rows that `publish` sums with that seed, one below the other."""
    laid = strengths(rows, (), ()).rename({"strength": "value"})
    return pl.concat(drawn(laid, np.random.default_rng(seed), designs).values())
