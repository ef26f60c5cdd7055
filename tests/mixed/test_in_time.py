"""A whole table one step ahead: from earlier rows alone, by the mathematics of a Gaussian, better where people move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.errors import ModelProblem
from attunement.mixed.in_time import in_time
from bench_ahead import DATA, rmse, sessions

if TYPE_CHECKING:
    from attunement.mixed.in_time import InTime


def made_up(many: int = 400, seed: int = 1) -> pl.DataFrame:
    """Clients (sd 2) who move (sd 1.5, over 100 days), therapists (sd 1), noise (sd 1)."""
    rng = np.random.default_rng(seed)
    client, therapist = rng.integers(0, 25, many), rng.integers(0, 8, many)
    day = np.sort(rng.uniform(0, 500, many))
    near = np.exp(-np.abs(day[:, None] - day) / 100) * (client[:, None] == client)
    moved = 1.5 * np.linalg.cholesky(near + 1e-9 * np.eye(many)) @ rng.normal(size=many)
    y = rng.normal(0, 2, 25)[client] + rng.normal(0, 1, 8)[therapist] + moved + rng.normal(size=many)
    start = np.datetime64("2025-01-01T00:00:00")
    when = start + (day * 86_400e6).astype("timedelta64[us]")
    return pl.DataFrame({"client": client, "therapist": therapist, "when": when, "y": 50 + y})


@pytest.fixture(scope="module")
def found() -> InTime:
    return in_time(made_up(), "y", steady=["client", "therapist"], moving=["client"], time="when", learn=300)


def test_variances_are_found(found: InTime) -> None:
    parts = found.components.select(pl.format("{} {}", "kind", "part"), pl.col("variance").sqrt())
    sd = dict(parts.iter_rows())
    whole = np.hypot(sd["steady client"], sd["moving client"])
    assert whole == pytest.approx(2.5, abs=0.7)
    assert sd["noise session"] == pytest.approx(1.0, abs=0.15)
    assert sd["steady therapist"] == pytest.approx(1.0, abs=0.6)


def test_surprises_are_standard_normal_where_the_model_holds(found: InTime) -> None:
    z = found.table["z"].to_numpy()[25:]
    assert abs(z.mean()) < 0.15
    assert z.std() == pytest.approx(1.0, abs=0.1)


def test_later_rows_change_no_earlier_prediction(found: InTime) -> None:
    rows = made_up()
    changed = rows.with_columns(y=pl.when(pl.int_range(pl.len()) >= 350).then(0.0).otherwise("y"))
    again = in_time(changed, "y", steady=["client", "therapist"], moving=["client"], time="when", learn=300)
    assert again.table["expected"][:350].to_list() == pytest.approx(found.table["expected"][:350].to_list())


def test_the_order_of_the_table_is_of_no_account(found: InTime) -> None:
    shuffled = made_up().sample(fraction=1.0, shuffle=True, seed=3)
    again = in_time(shuffled, "y", steady=["client", "therapist"], moving=["client"], time="when", learn=300)
    assert again.loglik == pytest.approx(found.loglik, abs=1e-4)


def test_a_likelihood_that_knows_of_movement_is_the_better_one(found: InTime) -> None:
    still = in_time(made_up(), "y", steady=["client", "therapist"], time="when", learn=300)
    assert found.loglik > still.loglik + 5


def test_a_mean_alone_is_predicted_as_by_hand() -> None:
    rows = made_up(40).with_columns(one=pl.lit(1))
    told = in_time(rows, "y", steady=["one"], time="when", learn=40)
    y = told.table["y"].to_numpy()
    before = np.cumsum(y)[:-1] / np.arange(1, y.size)
    assert told.table["expected"].to_numpy()[1:] == pytest.approx(before, abs=0.2)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(ModelProblem, match="too few"):
        in_time(made_up(40), "y", steady=["client"], moving=["client"], time="when", learn=10)
    many = pl.DataFrame({"client": [1] * 10_001, "when": range(10_001), "y": [1.0] * 10_001})
    with pytest.raises(ModelProblem, match="At most 10,000 rows"):
        in_time(many, "y", steady=["client"], time="when", learn=100)


@pytest.mark.skipif(not DATA.exists(), reason="the ratings of KokoroChat are not beside this checkout")
def test_on_real_sessions_it_beats_the_filter_that_takes_people_for_unmoving() -> None:
    rows, half = sessions().head(1_800), 900
    who = ["client_id", "counselor_id", "dyad"]
    still = in_time(rows, "score_total", steady=who, time="rated_at", learn=half)
    moving = in_time(rows, "score_total", steady=[*who, "topic"], moving=who[:2], time="rated_at", learn=half)
    errors = [rmse(rows, each.table["expected"].to_numpy(), half) for each in (still, moving)]
    assert errors[1] < errors[0]
    held = (moving.table["z"].abs() < 1.96).to_numpy()[half:].mean()
    assert 0.93 <= held <= 0.97
