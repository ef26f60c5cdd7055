"""Where ratings differ: the intervals against profile likelihood intervals from lme4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement.mixed import Fit, fit

REFERENCE = Path(__file__).parents[1] / "reference"
KOKOROCHAT = Path(__file__).parents[2].parent / "shared" / "data" / "kokorochat_ratings.csv"


def intervals(found: Fit) -> dict[str, list[float]]:
    """95 % intervals of the standard deviations, from the draws that the shares' intervals are made of."""
    drawn = np.array([[relative[0, 0] for relative in draw] for draw in found.theta_draws(4_000, 20)])
    ends = np.quantile(np.sqrt(drawn) * found.sigma, (0.025, 0.975), axis=0)
    return {component.group: ends[:, place].tolist() for place, component in enumerate(found.varcorr)}


def profile(file: str, name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((REFERENCE / file).read_text(encoding="utf-8"))
    return dict(read["profile_intervals"][name])


def test_on_a_small_crossed_table_the_intervals_come_near_the_profiles() -> None:
    theirs = profile("lme4.json", "crossed")
    found = fit(theirs["formula"], pl.read_csv(REFERENCE / "data" / theirs["data"]), reml=False)
    mine = intervals(found)
    for group in ("client", "dyad"):
        assert mine[group] == pytest.approx(theirs["exact_sd"][group], rel=0.15)
    assert (
        mine["therapist"][0] < 1.0
    )  # near the boundary: the interval reaches down to almost nothing, as theirs
    assert mine["therapist"][1] == pytest.approx(theirs["exact_sd"]["therapist"][1], rel=0.15)


@pytest.mark.skipif(not KOKOROCHAT.exists(), reason="the KokoroChat table is not beside this checkout")
def test_on_a_real_corpus_they_lie_within_three_percent() -> None:
    theirs = profile("lme4_kokorochat.json", "log2")
    table = pl.read_csv(KOKOROCHAT).with_columns(dyad=pl.format("{} {}", "counselor_id", "client_id"))
    formula = "score_total ~ log2(session_number) + (1 | counselor_id) + (1 | client_id) + (1 | dyad)"
    mine = intervals(fit(formula, table, reml=False))
    for group in ("counselor_id", "client_id", "dyad"):
        assert mine[group] == pytest.approx(theirs["exact_sd"][group], rel=0.03)
