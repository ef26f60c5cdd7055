"""The cross-lagged model against lavaan, against the density written out, and against simulated truth."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal

from attunement.errors import ModelProblem
from attunement.mixed.crosslag import CrossLagged, cross_lagged
from attunement.mixed.crosslag_jackknife import Jackknife, half_panel_jackknife
from attunement.mixed.crosslag_likelihood import PARAMETERS, Likelihood, covariance
from attunement.mixed.crosslag_panel import panel, session_groups, stacks

REFERENCE = Path(__file__).parents[1] / "reference"
CASES: dict[str, dict[str, Any]] = json.loads((REFERENCE / "lavaan.json").read_text(encoding="utf-8"))[
    "cases"
]

TRUTH = {"x_to_y": 0.150, "y_to_x": 0.100, "x_to_x": 0.300, "y_to_y": 0.400}
LAGGED = np.array([[0.30, 0.10], [0.15, 0.40]])
INNOVATION = np.array([[1.0, -0.1], [-0.1, 1.0]])
BETWEEN = np.array([[1.5, 0.6], [0.6, 2.0]])
THETA = np.array([0.2, 0.05, 0.1, 0.3, 0.8, 0.2, 0.7, 0.7, 0.1, 0.6, 0.5, -0.1, 0.8])


def practice(
    clients: int, sessions: int, seed: int = 1, *, lost: float = 0.0, ragged: bool = False
) -> pl.DataFrame:
    """Clients whose connection and outcome move around their own levels, as in the table of known truth."""
    rng = np.random.default_rng(seed)
    moving, series = np.zeros((clients, 2)), []
    for session in range(-30, sessions):
        moving = moving @ LAGGED.T + rng.normal(size=(clients, 2)) @ np.linalg.cholesky(INNOVATION).T
        series += [moving] * (session >= 0)
    level = rng.normal(size=(clients, 2)) @ np.linalg.cholesky(BETWEEN).T
    values = np.stack(series, axis=1) + level[:, None] + [6.0, 20.0]
    values[rng.random(values.shape) < lost] = np.nan
    if ragged:
        values[np.arange(sessions) >= rng.integers(2, sessions + 1, clients)[:, None]] = np.nan
    return pl.DataFrame(
        {
            "client": np.repeat(np.arange(clients), sessions),
            "session": np.tile(np.arange(1, sessions + 1), clients),
            "connection": values[..., 0].ravel(),
            "outcome": values[..., 1].ravel(),
        }
    )


def likelihood(frame: pl.DataFrame, *, compressed: bool = True) -> Likelihood:
    laid = panel(frame, "client", "session", "connection", "outcome")
    columns = np.tile(np.eye(2), (laid.sessions, 1))
    return Likelihood(stacks(laid.values, compressed=compressed), columns)


def rows_of(model: Likelihood) -> int:
    return sum(stack.of.size for length in model.lengths for stack in length)


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], CrossLagged]:
    reference = CASES[request.param]
    table = pl.read_csv(REFERENCE / "data" / reference["data"])
    return reference, cross_lagged(table, detrend=reference["means"] == "free")


def test_the_log_likelihood_is_lavaans(case: tuple[dict[str, Any], CrossLagged]) -> None:
    reference, found = case
    assert found.loglik == pytest.approx(reference["log_likelihood"], abs=1e-7)  # flat at the optimum
    assert found.parameters == reference["parameters"]
    assert found.clients == reference["clients"]


def test_lagged_associations_and_both_kinds_of_errors_are_lavaans(
    case: tuple[dict[str, Any], CrossLagged],
) -> None:
    reference, found = case
    for term in TRUTH:  # lavaan stops within 1e-5
        assert found.estimates[term] == pytest.approx(reference["estimates"][term], abs=1e-5)
        assert found.se[term] == pytest.approx(reference["se"][term], abs=1e-5)
        assert found.robust_se[term] == pytest.approx(reference["robust_se"][term], abs=1e-5)


def test_covariances_are_lavaans(case: tuple[dict[str, Any], CrossLagged]) -> None:
    reference, found = case
    for name in ("between", "innovation", "first"):
        assert getattr(found, name) == pytest.approx(np.array(reference[name]), abs=1e-4)


def test_the_likelihood_is_the_normal_density_of_what_is_there() -> None:
    table = practice(60, 5, lost=0.15, ragged=True)
    model = likelihood(table)
    at = model.at(THETA)
    sigma, _ = covariance(THETA, model.sessions)
    mean, total = model.mean @ at.beta, 0.0
    for client in panel(table, "client", "session", "connection", "outcome").values.reshape(-1, mean.size):
        there = ~np.isnan(client)
        total += multivariate_normal(mean[there], sigma[np.ix_(there, there)]).logpdf(client[there])
    assert at.deviance == pytest.approx(-2.0 * total, rel=1e-12)


def test_the_gradient_is_that_of_finite_differences() -> None:
    model = likelihood(practice(60, 5, lost=0.15, ragged=True))
    step = 1e-5
    differences = [
        (model.at(THETA + each).deviance - model.at(THETA - each).deviance) / (2.0 * step)
        for each in step * np.eye(PARAMETERS)
    ]
    assert model.at(THETA).gradient == pytest.approx(differences, abs=1e-5)


def test_few_rows_with_the_same_sums_say_what_all_clients_say() -> None:
    table = practice(400, 3, lost=0.05)
    brief, full = likelihood(table), likelihood(table, compressed=False)
    assert rows_of(brief) < rows_of(full) / 4
    assert brief.at(THETA).deviance == pytest.approx(full.at(THETA).deviance, rel=1e-12)
    assert brief.at(THETA).gradient == pytest.approx(full.at(THETA).gradient, rel=1e-9)


def test_the_clients_scores_sum_to_the_gradient() -> None:
    model = likelihood(practice(60, 5, lost=0.15, ragged=True), compressed=False)
    at = model.at(THETA)
    by_theta, by_beta = model.scores(THETA, at.beta)
    assert -2.0 * by_theta.sum(axis=0) == pytest.approx(at.gradient, abs=1e-9)
    assert by_beta.sum(axis=0) == pytest.approx(np.zeros(2), abs=1e-9)


@pytest.mark.parametrize(("sessions", "tolerance"), [(5, 0.02), (10, 0.01)])
def test_with_many_clients_the_truth_is_found_where_centring_is_biased(
    sessions: int, tolerance: float
) -> None:
    found = cross_lagged(practice(40_000, sessions, seed=sessions))
    for term, true in TRUTH.items():  # standard errors: .004 and .002
        assert found.estimates[term] == pytest.approx(true, abs=tolerance)
        assert found.se[term] == pytest.approx(found.robust_se[term], rel=0.05)
    assert found.between == pytest.approx(BETWEEN, abs=0.1)
    assert found.innovation == pytest.approx(INNOVATION, abs=0.05)


def test_the_tie_of_levels_is_their_correlation_with_its_interval() -> None:
    true, held = BETWEEN[0, 1] / math.sqrt(BETWEEN[0, 0] * BETWEEN[1, 1]), []
    for seed in range(20):
        found = cross_lagged(practice(200, 5, seed=seed))
        value, low, high = found.tie
        root = math.sqrt(found.between[0, 0] * found.between[1, 1])
        assert value == pytest.approx(found.between[0, 1] / root, abs=1e-9)
        held.append(low <= true <= high)
    assert sum(held) >= 17


def test_with_series_cut_short_and_values_lost_the_truth_is_found() -> None:
    found = cross_lagged(practice(6_000, 8, seed=8, lost=0.1, ragged=True))
    for term, true in TRUTH.items():
        assert abs(found.estimates[term] - true) < 3.0 * found.se[term] < 0.04


def test_dropping_out_after_a_bad_session_does_not_bias() -> None:
    table = practice(8_000, 6, seed=9)
    bad = pl.col("outcome") < 18.5
    stayed = table.filter((bad.cast(pl.Int64).cum_sum() - bad.cast(pl.Int64)).over("client") == 0)
    assert stayed.height < 0.8 * table.height
    found = cross_lagged(stayed)
    for term, true in TRUTH.items():
        assert abs(found.estimates[term] - true) < 3.0 * found.se[term]


def test_an_outcome_asked_every_other_session_still_serves() -> None:
    table = practice(6_000, 8, seed=10).with_columns(
        pl.when((pl.col("session") % 2 == 1) | (pl.col("client") % 2 == 0)).then("outcome").alias("outcome")
    )
    found = cross_lagged(table)
    for term, true in TRUTH.items():
        assert abs(found.estimates[term] - true) < 3.0 * found.se[term]


def test_a_shared_course_is_taken_out_where_asked() -> None:
    rise = 1.5 * pl.col("session").log(2.0)
    table = practice(3_000, 8, seed=11).with_columns(pl.col("connection") + rise, pl.col("outcome") + rise)
    with_course, without = cross_lagged(table), cross_lagged(table, detrend=True)
    assert with_course.estimates["x_to_y"] > 0.2
    for term, true in TRUTH.items():
        assert abs(without.estimates[term] - true) < 3.0 * without.se[term]
    risen = without.mean[:, 1] - without.mean[0, 1]
    assert risen == pytest.approx(1.5 * np.log2(np.arange(1, 9)), abs=0.2)


def test_sessions_with_few_values_share_a_mean_with_their_neighbours() -> None:
    assert session_groups(np.array([50, 20, 6, 5, 12, 3])).tolist() == [0, 1, 2, 2, 3, 3]
    assert session_groups(np.array([4, 4])).tolist() == [0, 0]


def test_units_only_scale() -> None:
    table = practice(150, 6, seed=12)
    found, other = cross_lagged(table), cross_lagged(table.with_columns(pl.col("outcome") * 10.0 + 3.0))
    assert other.estimates["x_to_y"] == pytest.approx(10.0 * found.estimates["x_to_y"], rel=1e-6)
    assert other.se["y_to_x"] == pytest.approx(found.se["y_to_x"] / 10.0, rel=1e-6)
    assert other.estimates["y_to_y"] == pytest.approx(found.estimates["y_to_y"], rel=1e-6)
    values = 150 * 6
    assert other.loglik == pytest.approx(found.loglik - values * math.log(10.0), rel=1e-9)


def test_rows_in_any_order_and_two_runs_give_the_same() -> None:
    table = practice(80, 5, seed=13, lost=0.1)
    found = cross_lagged(table)
    assert found.estimates == cross_lagged(table).estimates
    assert found.estimates == cross_lagged(table.sample(fraction=1.0, shuffle=True, seed=1)).estimates


@pytest.mark.parametrize("seed", range(8))
def test_a_small_practice_is_fitted_or_refused_in_a_sentence(seed: int) -> None:
    table = practice(13, 4, seed=seed, lost=0.1 * (seed % 2))
    try:
        found = cross_lagged(table, detrend=seed > 4)
    except ModelProblem as problem:
        assert str(problem).endswith(".")  # noqa: PT017 - either outcome is right
    else:
        assert math.isfinite(found.loglik)
        assert found.left < 1e-6


def test_levels_without_variance_are_found_and_named() -> None:
    table = practice(300, 6, seed=14).with_columns(
        pl.col("connection", "outcome") - pl.col("connection", "outcome").mean().over("client")
    )
    found = cross_lagged(table)
    assert found.singular
    assert "On the boundary" in str(found)


def test_it_prints_as_association_in_the_measures_words() -> None:
    found = cross_lagged(practice(100, 7, seed=15).rename({"outcome": "distress"}), y="distress")
    check = half_panel_jackknife(practice(100, 7, seed=15).rename({"outcome": "distress"}), y="distress")
    for text in (str(found), str(check)):
        assert "connection  with the next distress" in text
        assert "Association" in text
        assert not any(word in text.lower() for word in ("effect", "cause", "influence"))


def test_the_tidy_table_has_the_intervals() -> None:
    found = cross_lagged(practice(100, 5, seed=16))
    table = found.tidy()
    assert table.columns == ["term", "estimate", "std_error", "low", "high"]
    assert table["term"].to_list() == list(TRUTH)
    assert table["high"][0] - table["low"][0] == pytest.approx(2 * 1.96 * found.se["x_to_y"], rel=1e-4)
    assert np.sqrt(np.diagonal(found.vcov)) == pytest.approx(table["std_error"].to_numpy())
    assert (found.clients, found.sessions, found.transitions) == (100, 500, 400)


SMALL = practice(30, 4, seed=17)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (SMALL.drop("outcome"), "no column 'outcome'"),
        (SMALL.with_columns(pl.col("outcome").cast(pl.String)), "'outcome' is not a number"),
        (SMALL.head(0), "No row has a value"),
        (SMALL.with_columns(pl.lit(None).alias("outcome")), "No session has both"),
        (SMALL.filter(pl.col("client") < 9), "No session has both"),
        (SMALL.filter(pl.col("session") < 3), "No client has .* at 3 sessions"),
        (SMALL.filter((pl.col("client") < 8) | (pl.col("session") < 3)), "8 clients have .* at 3 sessions"),
        (SMALL.with_columns(pl.col("session") * 2), "No client has .* in a row"),
        (SMALL.with_columns(pl.col("session") + 0.5), "not whole"),
        (pl.concat([SMALL, SMALL.head(1)]), "Client 0 has session 1 more than once"),
        (SMALL.with_columns(pl.lit(None).alias("client")), "no 'client'"),
        (SMALL.with_columns(connection=pl.col("client") * 1.0), "'connection' does not vary within clients"),
        (SMALL.with_columns(connection=2.0 * pl.col("outcome") + 1.0), "say the same within clients"),
        (SMALL.with_columns(pl.col("session") + 600 * (pl.col("session") == 4)), "the model takes 400"),
        ("not a table", "is not a table"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_sentence(table: pl.DataFrame, said: str) -> None:
    for estimator in (cross_lagged, half_panel_jackknife):
        with pytest.raises(ModelProblem, match=said):
            estimator(table)


def test_the_same_measure_twice_is_refused() -> None:
    with pytest.raises(ModelProblem, match="needs two"):
        cross_lagged(SMALL, x="outcome")


def test_values_that_are_not_finite_are_missing() -> None:
    table = practice(40, 5, seed=18, lost=0.1)
    assert cross_lagged(table).loglik == cross_lagged(table.fill_nan(None)).loglik
    endless = table.with_columns(pl.col("outcome").fill_nan(math.inf))
    assert cross_lagged(endless).loglik == cross_lagged(table).loglik


@pytest.fixture(scope="module")
def jackknifed() -> Jackknife:
    return half_panel_jackknife(practice(40_000, 10, seed=10))


def test_the_jackknife_takes_most_of_the_bias_of_centring_away(jackknifed: Jackknife) -> None:
    assert jackknifed.plain["x_to_y"] == pytest.approx(0.134, abs=0.005)  # ENGINE 6(c), 40,000 other clients
    assert jackknifed.plain["y_to_y"] == pytest.approx(0.237, abs=0.005)
    assert jackknifed.estimates["x_to_y"] == pytest.approx(0.153, abs=0.006)
    assert jackknifed.estimates["y_to_y"] == pytest.approx(0.411, abs=0.008)
    assert (jackknifed.clients, jackknifed.transitions) == (40_000, 360_000)


def test_the_jackknife_of_an_odd_number_of_transitions_cuts_on_either_side() -> None:
    table = practice(50, 8, seed=19)
    laid = table.select("connection", "outcome").to_numpy().reshape(50, 8, 2)

    def centred(part: np.ndarray) -> float:
        now, following = part[:, :-1], part[:, 1:]
        now = (now - now.mean(axis=1, keepdims=True)).reshape(-1, 2)
        following = (following - following.mean(axis=1, keepdims=True)).reshape(-1, 2)
        return float(np.linalg.lstsq(now, following, rcond=None)[0][0, 1])

    halves = [centred(part) for part in (laid[:, :4], laid[:, 3:], laid[:, :5], laid[:, 4:])]
    found = half_panel_jackknife(table)
    assert found.estimates["x_to_y"] == pytest.approx(2.0 * centred(laid) - np.mean(halves), rel=1e-9)


def test_the_jackknifes_errors_are_the_spread_over_practices() -> None:
    found = [half_panel_jackknife(practice(150, 8, seed=seed)) for seed in range(60)]
    spread = np.std([each.estimates["x_to_y"] for each in found])
    said = np.mean([each.se["x_to_y"] for each in found])
    assert said == pytest.approx(spread, rel=0.3)  # a spread of 60 has a standard error of 9 %


def test_the_jackknife_takes_each_sessions_mean_out_where_asked() -> None:
    table = practice(2_000, 9, seed=20)
    moved = table.with_columns(pl.col("connection", "outcome") + (pl.col("session") * 1.7).sin())
    left, taken = half_panel_jackknife(table, detrend=True), half_panel_jackknife(moved, detrend=True)
    assert taken.estimates == pytest.approx(left.estimates, rel=1e-6)


def test_the_jackknife_needs_seven_sessions_in_a_row() -> None:
    with pytest.raises(ModelProblem, match="here are 0"):
        half_panel_jackknife(practice(50, 6, seed=21))
