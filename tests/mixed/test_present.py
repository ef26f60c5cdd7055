"""A fit as tables: broom's verbs, lme4's profile intervals, and what a notebook shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from attunement.errors import ModelProblem
from attunement.mixed import Fit, fit

REFERENCE = Path(__file__).parents[1] / "reference"
PROFILES: dict[str, dict[str, Any]] = json.loads((REFERENCE / "lme4.json").read_text(encoding="utf-8"))[
    "profile_intervals"
]
FORMULA = "score ~ log2(session) + severity + (1 + log2(session) | client) + (1 | therapist)"


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return pl.read_csv(REFERENCE / "data" / "nested.csv")


@pytest.fixture(scope="module")
def found(table: pl.DataFrame) -> Fit:
    return fit(FORMULA, table)


def test_every_parameter_has_a_row_and_an_interval_that_holds_it(found: Fit) -> None:
    tidy = found.tidy()
    assert tidy.columns == ["part", "group", "term", "estimate", "std_error", "low", "high"]
    assert tidy["part"].to_list() == ["fixed"] * 3 + ["sd", "sd", "correlation", "sd", "residual"]
    assert ((tidy["low"] <= tidy["estimate"]) & (tidy["estimate"] <= tidy["high"])).all()
    assert tidy.null_count().sum_horizontal()[0] == 0


def test_a_wider_level_gives_wider_intervals(found: Fit) -> None:
    narrow, wide = found.tidy(0.8), found.tidy(0.99)
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()


def test_glance_says_the_whole_in_one_row(found: Fit) -> None:
    row = found.glance().row(0, named=True)
    assert row["nobs"] == found.nobs
    assert row["loglik"] == found.loglik
    assert "77 client" in row["groups"]


def test_augment_keeps_the_rows_and_their_order(found: Fit, table: pl.DataFrame) -> None:
    holes = table.with_columns(severity=pl.when(pl.col("session") == 2).then(None).otherwise("severity"))
    beside = found.augment(holes)
    assert beside.select(table.columns).equals(holes.select(table.columns))
    assert beside.filter(pl.col("session") == 2)["fitted"].is_null().all()
    silent = table.with_columns(score=pl.when(pl.col("session") == 2).then(None).otherwise("score"))
    assert found.augment(silent)["fitted"].null_count() == 0
    assert found.augment(table.drop("score"))["fitted"].equals(found.augment(table)["fitted"])
    told = beside.drop_nulls()
    assert told["residual"].to_numpy() == pytest.approx((told["score"] - told["fitted"]).to_numpy())
    assert (told["low"] < told["fitted"]).all()


@pytest.mark.parametrize("name", ["dyestuff", "crossed"])
def test_profile_intervals_are_those_of_the_likelihood(name: str) -> None:
    reference = PROFILES[name]
    fitted = fit(reference["formula"], pl.read_csv(REFERENCE / "data" / reference["data"]), reml=False)
    mine = {row["group"] or "sigma": row for row in fitted.confint(method="profile").iter_rows(named=True)}
    assert set(mine) == set(reference["exact_sd"])
    for group, (low, high) in reference["exact_sd"].items():
        assert mine[group]["low"] == pytest.approx(low, rel=1e-4)
        assert mine[group]["high"] == pytest.approx(high, rel=1e-4)


def test_what_has_no_profile_is_refused(found: Fit) -> None:
    with pytest.raises(ModelProblem, match="one column"):
        found.confint(method="profile")
    with pytest.raises(ModelProblem, match="no method"):
        found.confint(method="bootstrap")


def test_drawn_responses_scatter_as_the_model_says(found: Fit, table: pl.DataFrame) -> None:
    drawn = found.simulate(table, 400, seed=1).to_numpy()
    again = found.simulate(table, 400, seed=1).to_numpy()
    assert np.array_equal(drawn, again)
    fixed = (
        drawn.mean(axis=1)
        - found.predict(table.with_columns(client=pl.lit("nobody"), therapist=pl.lit("nobody")))[
            "value"
        ].to_numpy()
    )
    spread = drawn.std(axis=1).mean()
    assert abs(fixed.mean()) < 4 * spread / np.sqrt(400 * 10)
    wanted = np.sqrt(sum(float(part.sd[0]) ** 2 for part in found.varcorr) + found.sigma**2)
    first = drawn[(table["session"] == 1).to_numpy()]
    assert first.std(axis=1).mean() == pytest.approx(wanted, rel=0.05)


def test_drawn_responses_of_known_clients_scatter_about_what_is_fitted(
    found: Fit, table: pl.DataFrame
) -> None:
    drawn = found.simulate(table, 300, seed=2, anew=False).to_numpy()
    assert drawn.mean(axis=1) == pytest.approx(found.predict(table)["value"].to_numpy(), abs=1.3)
    assert drawn.std(axis=1).mean() == pytest.approx(found.sigma, rel=0.03)


@pytest.mark.parametrize("series", ["drift(session | client)", "ar1(session | client)"])
def test_what_is_drawn_from_a_series_is_found_again(series: str) -> None:
    random = np.random.default_rng(5)
    client, session = np.repeat(np.arange(60), 12), np.tile(np.arange(1, 13), 60)
    noise = random.normal(0, 1, (60, 12))
    walk = np.cumsum(random.normal(0, 0.5, (60, 12)), axis=1) - 0.5 * noise
    score = 7 + random.normal(0, 1, 60)[client] + (noise + walk).ravel()
    table = pl.DataFrame({"client": client.astype(str), "session": session, "score": score})
    formula = f"score ~ 1 + (1 | client) + {series}"
    first = fit(formula, table)
    second = fit(formula, table.with_columns(score=first.simulate(table, seed=3)["draw_1"]))
    assert second.sigma == pytest.approx(first.sigma, rel=0.2)
    assert second.ar1 == pytest.approx(first.ar1, abs=0.15)
    assert second.drift == pytest.approx(first.drift, abs=0.15)


def test_the_notebooks_page_escapes_what_is_not_ours(table: pl.DataFrame) -> None:
    named = table.with_columns(
        place=pl.when(pl.col("session") > 3).then(pl.lit("z<b>")).otherwise(pl.lit("a"))
    )
    page = fit("score ~ place + (1 | client)", named)._repr_html_()
    assert "<b>" not in page
    assert "z&lt;b&gt;" in page
    assert "<th scope='col'" in page


def test_a_family_has_its_tables_too() -> None:
    staying = pl.read_csv(REFERENCE / "data" / "staying.csv")
    found = fit("stays ~ connection + (1 | client)", staying, family="binomial")
    assert found.tidy()["part"].to_list() == ["fixed", "fixed", "sd"]
    assert found.glance()["family"][0] == "binomial"
    assert "binomial" in found._repr_html_()
    with pytest.raises(ModelProblem, match="Only Gaussian"):
        found.simulate(staying, seed=1)


def test_the_picture_says_what_the_table_says(found: Fit) -> None:
    chart = found.plot()
    assert chart.table.height == 6
    assert chart.markup.startswith("<svg")
    assert "95 % interval" in chart.sentence
    assert "c001" not in chart.markup  # nobody is compared
