"""One step ahead: every response as it was to be expected from the earlier ones, against conditioning by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from attunement.errors import ModelProblem
from attunement.mixed import fit


def practice(seed: int = 1, clients: int = 40, sessions: int = 10) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    client, session = np.repeat(np.arange(clients), sessions), np.tile(np.arange(1, sessions + 1), clients)
    walk = np.cumsum(random.normal(0, 0.3, (clients, sessions)), axis=1)
    score = 7 + random.normal(0, 1, clients)[client] + walk.ravel() + random.normal(0, 0.7, client.size)
    return pl.DataFrame(
        {
            "therapist": [f"t{each // 8}" for each in client],
            "client": [f"c{each}" for each in client],
            "session": session,
            "score": score,
        }
    )


@pytest.mark.parametrize(
    "formula",
    [
        "score ~ log2(session) + (1 | client)",
        "score ~ log2(session) + (1 + log2(session) | client)",
        "score ~ log2(session) + (1 | client) + drift(session | client)",
        "score ~ log2(session) + (1 | client) + ar1(session | client)",
    ],
)
def test_it_is_the_conditional_normal_of_the_earlier_rows(formula: str) -> None:
    table = practice()
    found = fit(formula, table)
    told = found.ahead(table, series="client").filter(pl.col("client") == "c3")
    y, session = told["score"].to_numpy(), told["session"].to_numpy().astype(float)
    z = np.column_stack([np.ones_like(session), np.log2(session)])
    covariance = np.zeros((10, 10))
    own = found.varcorr[0].covariance
    covariance += z[:, : own.shape[0]] @ own @ z[:, : own.shape[0]].T
    covariance += found.drift * (np.minimum(session[:, None], session) - 1)
    covariance += (
        found.sigma**2
        * np.sign(found.ar1 or 1.0) ** np.abs(session[:, None] - session)
        * (abs(found.ar1) ** np.abs(session[:, None] - session) if found.ar1 else np.eye(10))
    )
    mean = z @ np.array([found.fixef["Intercept"], found.fixef["log2(session)"]])
    for row in range(10):
        before = covariance[:row, :row]
        tie = np.linalg.solve(before, covariance[:row, row]) if row else np.empty(0)
        assert told["expected"][row] == pytest.approx(mean[row] + tie @ (y - mean)[:row])
        variance = covariance[row, row] - tie @ covariance[:row, row]
        assert told["sd"][row] == pytest.approx(np.sqrt(variance))
        assert told["z"][row] == pytest.approx((y[row] - told["expected"][row]) / told["sd"][row])


def test_where_the_model_is_right_z_is_standard_normal() -> None:
    table = practice(seed=2, clients=200)
    z = fit("score ~ 1 + (1 | client) + drift(session | client)", table).ahead(table, series="client")["z"]
    assert z.mean() == pytest.approx(0, abs=0.08)
    assert z.std() == pytest.approx(1, abs=0.05)


def test_later_rows_do_not_matter_and_the_order_of_the_table_stays() -> None:
    table = practice()
    found = fit("score ~ log2(session) + (1 | client) + (1 | therapist)", table)
    whole = found.ahead(table, series=("therapist", "client"))
    early = found.ahead(table.filter(pl.col("session") <= 4), series=("therapist", "client"))
    assert whole.filter(pl.col("session") <= 4)["expected"].to_numpy() == pytest.approx(
        early["expected"].to_numpy()
    )
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=1)
    again = found.ahead(shuffled, series=("therapist", "client"))
    assert again["score"].equals(shuffled["score"])
    both = again.join(whole, on=["client", "session"], suffix="_whole")
    assert both["expected"].to_numpy() == pytest.approx(both["expected_whole"].to_numpy())


def test_a_missing_response_is_expected_all_the_same() -> None:
    table = practice().with_columns(
        score=pl.when((pl.col("client") == "c1") & pl.col("session").is_in([1, 5]))
        .then(None)
        .otherwise("score")
    )
    told = (
        fit("score ~ 1 + (1 | client)", table).ahead(table, series="client").filter(pl.col("client") == "c1")
    )
    assert told["expected"].null_count() == 0
    assert told.filter(pl.col("session").is_in([1, 5]))["z"].null_count() == 2
    assert told["z"].null_count() == 2


def test_two_rows_of_one_session_are_refused() -> None:
    table = practice()
    found = fit("score ~ 1 + (1 | client)", table)
    with pytest.raises(ModelProblem, match="the same session"):
        found.ahead(pl.concat([table, table.head(1)]), series="client")
    with pytest.raises(ModelProblem, match="has no week"):
        found.ahead(table, series="client", position="week")
