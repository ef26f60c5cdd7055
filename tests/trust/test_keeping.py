"""Consistency: sessions held as planned, and what of it is not the client's doing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from attunement import frames
from attunement.simulate import simulate
from attunement.simulate.trusting import trusting
from attunement.trust.keeping import Keeping, Kept, keeping


def told(table: pl.DataFrame) -> Keeping:
    found = keeping(frames.sessions(table))
    assert found is not None
    return found


def diary(**clients: list[str]) -> pl.DataFrame:
    """Each client's attendance, word by word, a week apart."""
    begin = datetime(2025, 1, 6, 10)
    return pl.concat(
        pl.DataFrame(
            {
                "client": [client] * len(words),
                "session": list(range(1, len(words) + 1)),
                "time": [begin + timedelta(weeks=week) for week in range(len(words))],
                "attendance": words,
            }
        )
        for client, words in clients.items()
    )


def of(found: Keeping, client: str) -> Kept:
    return found.dyads["1", client]


def test_what_the_client_calls_off_does_not_count_against_the_therapist() -> None:
    kept = ["held"] * 8
    found = told(diary(a=kept, b=kept + ["cancelled by client", "missed"] * 4))
    assert of(found, "a").share == of(found, "b").share
    assert of(found, "b").by_client == 8


def test_what_the_therapist_calls_off_does() -> None:
    found = told(diary(a=["held"] * 10, b=["held", "cancelled by therapist"] * 5))
    assert of(found, "b").share.value < of(found, "a").share.value - 0.1
    assert of(found, "b").called_off == 5


def test_late_starts_stand_apart_as_nobody_wrote_down_whose_they_are() -> None:
    found = told(diary(a=["held"] * 10, b=["held", "late"] * 5))
    assert of(found, "b").share == of(found, "a").share
    assert of(found, "b").late_share.value > of(found, "a").late_share.value + 0.1


def test_a_share_of_few_sessions_is_drawn_to_the_usual() -> None:
    usual = {f"c{each}": ["held"] * 20 for each in range(10)}
    found = told(diary(**usual, few=["cancelled by therapist"]))
    assert of(found, "few").share.value > 0.7
    assert of(found, "few").share.low < of(found, "c0").share.low


def test_regularity_needs_six_intervals_and_has_an_interval_of_its_own() -> None:
    weekly = told(diary(a=["held"] * 7, b=["held"] * 6))
    assert of(weekly, "b").interval is None
    assert of(weekly, "a").interval == pytest.approx(7.0)
    spread = of(weekly, "a").spread
    assert spread is not None
    assert (spread.low, spread.value, spread.high) == (0.0, 0.0, 0.0)
    skipping = told(
        diary(a=["held", "held", "cancelled by client", "held", "missed", "missed", "missed"] * 5)
    )
    loose = of(skipping, "a").spread
    assert loose is not None
    assert loose.high >= loose.value > 0.0


def test_the_later_half_is_held_against_the_earlier_from_ten_sessions_on() -> None:
    found = told(
        diary(
            worse=["held"] * 10 + ["cancelled by therapist"] * 10,
            short=["held"] * 9,
            **{f"c{each}": ["held", "held", "held", "cancelled by therapist"] * 3 for each in range(5)},
        )
    )
    change = of(found, "worse").change
    assert change is not None
    assert change.high < 0
    assert of(found, "short").change is None


def test_intervals_of_shares_hold_the_truth_as_often_as_they_say() -> None:
    held: list[bool] = []
    for seed in range(8):
        made = trusting(simulate(1, 40, seed=seed), seed=seed)
        dyads = told(made.sessions).dyads
        for row in made.kept.iter_rows(named=True):
            kept = dyads[row["therapist"], row["client"]]
            held += [kept.share.low <= row["held"] <= kept.share.high]
            held += [kept.late_share.low <= row["late"] <= kept.late_share.high]
    assert 0.92 <= np.mean(held) <= 0.985


def test_a_diary_in_which_only_the_client_called_off_tells_nothing() -> None:
    assert keeping(frames.sessions(diary(a=["missed", "cancelled by client"]))) is None
