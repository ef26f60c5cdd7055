"""The engine against a likelihood written out in full, and against bad input."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.stats import multivariate_normal

from attunement.errors import ModelProblem
from attunement.mixed import Fit, fit, loglik_at
from attunement.mixed.formula import parse

DATA = Path(__file__).parents[1] / "reference" / "data"


def wandering(dyads: int = 12, sessions: int = 8, seed: int = 3) -> pl.DataFrame:
    """Dyads whose connection drifts, with a missed session here and there."""
    random = np.random.default_rng(seed)
    rows = []
    for dyad in range(dyads):
        level, slope, walk = random.normal(6, 1), random.normal(0.3, 0.2), 0.0
        for session in range(1, sessions + 1):
            walk += random.normal(0, 0.4) * (session > 1)
            if random.random() > 0.1:
                score = level + slope * math.log2(session) + walk + random.normal(0, 0.6)
                rows.append((f"T{dyad % 3}", f"c{dyad}", session, score))
    return pl.DataFrame(rows, schema=["therapist", "client", "session", "score"], orient="row")


def covariance(found: Fit, table: pl.DataFrame) -> np.ndarray:
    """The marginal covariance of the rows, written out."""
    session = table["session"].to_numpy().astype(float)
    total = found.sigma**2 * np.eye(table.height)
    for component in found.varcorr:
        same = np.equal.outer(table[component.group].to_numpy(), table[component.group].to_numpy())
        z = np.column_stack(
            [np.log2(session) if "log2" in name else np.ones_like(session) for name in component.names]
        )
        total += same * (z @ component.covariance @ z.T)
    same = np.equal.outer(table["client"].to_numpy(), table["client"].to_numpy())
    return np.asarray(total + same * found.drift * (np.minimum.outer(session, session) - 1))


FORMULAS = [
    "score ~ log2(session) + drift(session | client)",
    "score ~ log2(session) + (1 | client) + drift(session | client)",
    "score ~ log2(session) + (1 + log2(session) | client) + (1 | therapist) + drift(session | client)",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_with_a_drift_the_likelihood_is_the_normal_density_of_the_rows(formula: str) -> None:
    table = wandering()
    found = fit(formula, table, reml=False)
    x = np.column_stack([np.ones(table.height), np.log2(table["session"].to_numpy())])
    mean = x @ np.array(list(found.fixef.values()))
    density = multivariate_normal(mean, covariance(found, table)).logpdf(table["score"].to_numpy())
    assert found.loglik == pytest.approx(float(density), rel=1e-9)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_optimum_is_one(formula: str) -> None:
    found = fit(formula, wandering())
    here = found.criterion(found.theta)
    for place in range(len(found.theta)):
        for step in (-0.05, 0.05):
            moved = np.array(found.theta)
            moved[place] += step
            assert found.criterion(moved.tolist()) >= here - 1e-7


@pytest.mark.parametrize("formula", FORMULAS)
def test_predictions_of_unseen_and_seen_rows_have_the_covariance_of_the_normal(formula: str) -> None:
    table = wandering()
    found = fit(formula, table)
    new = pl.DataFrame(
        {"therapist": ["T0", "T0", "T9", "T9"], "client": ["c0", "c0", "zz", "zz"], "session": [1, 2, 1, 2]}
    )
    mean, spread = found.joint(new, 2)
    x = np.column_stack([np.ones(table.height), np.log2(table["session"].to_numpy())])
    x_new = np.column_stack([np.ones(4), np.log2(new["session"].to_numpy())])
    v = np.linalg.inv(covariance(found, table))
    prior, cross = np.zeros((4, 4)), np.zeros((4, table.height))
    both = pl.concat([new, table.select(new.columns)])
    for component in found.varcorr:
        same = np.equal.outer(both[component.group].to_numpy(), both[component.group].to_numpy())
        session = both["session"].to_numpy().astype(float)
        z = np.column_stack(
            [np.log2(session) if "log2" in name else np.ones_like(session) for name in component.names]
        )
        block = same * (z @ component.covariance @ z.T)
        prior, cross = prior + block[:4, :4], cross + block[:4, 4:]
    rest = x_new - cross @ v @ x
    wanted = prior - cross @ v @ cross.T + rest @ np.linalg.inv(x.T @ v @ x) @ rest.T
    beta = np.array(list(found.fixef.values()))
    center = x_new @ beta + cross @ v @ (table["score"].to_numpy() - x @ beta)
    assert mean.ravel() == pytest.approx(center, rel=1e-8)
    assert spread[0] == pytest.approx(wanted[:2, :2], rel=1e-6)
    assert spread[1] == pytest.approx(wanted[2:, 2:], rel=1e-6)
    assert found.predict(new)["sd"].to_numpy() == pytest.approx(np.sqrt(np.diagonal(wanted)), rel=1e-6)


def test_the_three_kinds_of_table_give_the_same_numbers() -> None:
    table = wandering()
    formula = "score ~ log2(session) + (1 | client)"
    logliks = {fit(formula, each).loglik for each in (table, table.to_pandas(), table.to_arrow())}
    assert max(logliks) - min(logliks) < 1e-9
    assert isinstance(table.to_pandas(), pd.DataFrame)
    assert isinstance(table.to_arrow(), pa.Table)


def test_a_column_said_twice_is_left_out_and_named() -> None:
    table = wandering().with_columns(twice=pl.col("session") * 2)
    found = fit("score ~ session + twice + (1 | client)", table)
    assert found.dropped == ("twice",)
    assert "twice" in str(found)


def test_the_likelihood_at_other_columns_is_that_of_a_fit_with_the_same_variances() -> None:
    table = wandering()
    kindred = fit("score ~ log2(session) + (1 | client)", table, reml=False)
    assert loglik_at("score ~ log2(session) + (1 | client)", table, kindred) == pytest.approx(
        kindred.loglik, abs=1e-9
    )


def test_a_kindred_start_ends_at_the_same_optimum() -> None:
    table = wandering()
    kindred = fit("score ~ log2(session) + (1 | client)", table)
    formula = "score ~ log2(session) + (1 + log2(session) | client) + drift(session | client)"
    assert fit(formula, table, start=kindred).loglik == pytest.approx(fit(formula, table).loglik, abs=1e-6)


def test_crossed_drift_is_refused() -> None:
    with pytest.raises(ModelProblem, match="within one level of therapist"):
        fit(
            "score ~ session + (1 | therapist) + drift(session | place)",
            wandering().with_columns(place=pl.lit("a")),
        )


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("score", "is not a formula"),
        ("score ~", "is not a formula"),
        ("score ~ session + (1 | client", "parentheses"),
        ("score ~ session + 1 | client", "needs parentheses"),
        ("score ~ session + ( | client)", "nothing before its bar"),
        ("score ~ session + (1 | log(client))", "behind the bar"),
        ("score ~ session + + (1 | client)", "nothing beside it"),
        ("score ~ drift(session) + (1 | client)", "is not a drift"),
        ("score ~ score + (1 | client)", "tell the response exactly"),
        ("score ~ drift(session | client) + drift(session | client)", "at most one"),
        ("score ~ mood + (1 | client)", "the table has"),
        ("score ~ session + (1 | clinic)", "the table has"),
        ("client ~ session", "is not a number"),
        ("score ~ log2(session - 1) + (1 | client)", "not finite"),
        ("score ~ session + (1 | one)", "one level"),
        ("score ~ session + (1 | row)", "cannot be told from the residual"),
        ("score ~ sess ion", "cannot be read"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_one_sentence(formula: str, said: str) -> None:
    table = wandering().with_columns(one=pl.lit("a")).with_row_index("row")
    with pytest.raises(ModelProblem, match=said.replace("(", r"\(")) as problem:
        fit(formula, table)
    assert "\n" not in str(problem.value)


def test_a_list_is_not_a_table() -> None:
    with pytest.raises(ModelProblem, match="not a table"):
        fit("score ~ session", [1, 2])


def test_a_slash_nests_as_in_lme4() -> None:
    assert [term.name for term in parse("y ~ 1 + (1 | a/b)").random] == ["a", "b:a"]


def test_rows_with_anything_missing_are_left_out() -> None:
    table = wandering()
    holed = table.with_columns(score=pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("score"))
    assert fit("score ~ session + (1 | client)", holed).nobs == holed.drop_nulls().height


def test_a_colon_in_a_code_joins_no_two_levels() -> None:
    table = wandering().with_columns(
        a=pl.when(pl.col("client") == "c0").then(pl.lit("x:y")).otherwise(pl.lit("x")),
        b=pl.when(pl.col("client") == "c0").then(pl.lit("z")).when(pl.col("client") == "c1").then(pl.lit("y:z"))
        .otherwise("client"),
    )  # fmt: skip
    assert fit("score ~ session + (1 | a:b)", table).loglik == pytest.approx(
        fit("score ~ session + (1 | client)", table).loglik, abs=1e-8
    )
