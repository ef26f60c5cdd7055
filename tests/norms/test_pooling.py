"""Sums of sites, added, say what a fit of all their rows says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sites import FEELING, SINCE, UNTIL, published, site, summed_rows

from attunement.countertransference import countertransference
from attunement.errors import InputError, TooLittle
from attunement.findings import Finding
from attunement.mixed import Fit, fit
from attunement.norms import About, Norms, Peers, habitual, pool, publish
from attunement.norms.designs import DESIGNS, Design
from attunement.norms.likelihood import Likelihood

NINE_DIGITS = 1e-9
KOKOROCHAT = Path(__file__).parents[3] / "shared" / "data" / "kokorochat_ratings.csv"


def all_rows(parts: dict[str, pl.DataFrame], designs: tuple[Design, ...] = DESIGNS) -> pl.DataFrame:
    """Every row that was summed, of all sites."""
    each = [
        summed_rows(rows, designs=designs).with_columns(site=pl.lit(name)) for name, rows in parts.items()
    ]
    return pl.concat(each).with_columns(
        dyad=pl.concat_str("site", "therapist", "client", separator=" "),
        therapist=pl.concat_str("site", "therapist", separator=" "),
    )


def deviance(of: Likelihood, ratios: list[float], groups: int) -> float:
    """Minus twice the log-likelihood at ratios to the residual variance, that one at its best."""
    at, free = np.array([*ratios, 1.0]), of.n - groups
    here, twice = float(of.deviance(at)), float(of.deviance(2.0 * at))
    residual = 2.0 * (free * np.log(2.0) - (twice - here)) / free
    return float(of.deviance(residual * at))


def agree(norms: Norms, rows: Fit, *, apart: bool = False) -> None:
    measure = norms.measures[0]
    found = norms.fit(measure, apart=apart)
    assert found.loglik == pytest.approx(rows.loglik, rel=NINE_DIGITS)
    groups = [part.sums[measure] for part in norms.parts] if apart else [norms.sums(measure)]
    for factor in (1.0, 1.3):  # at equal theta no optimiser stands between
        theta = [factor * each for each in rows.theta]
        there = deviance(Likelihood(groups), [each**2 for each in theta], len(groups))
        assert there == pytest.approx(rows.criterion(theta), rel=NINE_DIGITS)
    habits, clients = (each.covariance[0, 0] for each in rows.varcorr)
    assert found.habits == pytest.approx(habits, rel=1e-4, abs=1e-5)
    assert found.clients == pytest.approx(clients, rel=1e-4, abs=1e-5)
    assert found.hours == pytest.approx(rows.sigma**2, rel=1e-5)


def test_pooled_sums_say_what_a_fit_of_all_rows_says(clinics: dict[str, pl.DataFrame]) -> None:
    norms = pool([published(rows, name) for name, rows in clinics.items()])
    rows = all_rows(clinics)
    assert len(norms.sums(FEELING)) > 3  # several designs
    assert norms.therapists(FEELING) == rows["therapist"].n_unique() > 45
    found = fit("value ~ 1 + (1 | therapist) + (1 | dyad)", rows)
    agree(norms, found)
    mean = norms.fit(FEELING)
    assert mean.mean + 5.0 == pytest.approx(found.fixef["Intercept"], abs=1e-6)
    assert mean.error == pytest.approx(found.se["Intercept"], rel=1e-5)


def test_with_a_mean_of_its_own_for_each_site_too(clinics: dict[str, pl.DataFrame]) -> None:
    norms = pool([published(rows, name) for name, rows in clinics.items()])
    found = fit("value ~ 0 + site + (1 | therapist) + (1 | dyad)", all_rows(clinics))
    agree(norms, found, apart=True)


def test_in_whatever_order_sites_are_pooled(clinics: dict[str, pl.DataFrame]) -> None:
    first, second, third = (published(rows, name) for name, rows in clinics.items())
    assert pool([first, pool([second, third])]) == pool([third, second, first])


def test_the_same_of_kokorochat() -> None:
    if not KOKOROCHAT.exists():
        pytest.skip("needs ../shared/data/kokorochat_ratings.csv, which is not passed on")
    designs = (Design(2, 2), Design(4, 2), Design(2, 3))
    table = pl.read_csv(KOKOROCHAT).select(
        therapist=pl.col("counselor_id").cast(pl.String),
        client=pl.col("client_id").cast(pl.String),
        session="session_number",
        feeling=pl.lit("total"),
        strength=pl.col("score_total").cast(pl.Float64),
    )
    half = pl.col("therapist").cast(pl.Int64) % 2 == 0
    parts = {"even": table.filter(half), "odd": table.filter(~half)}
    about = About("KokoroChat", "1", 0.0, 100.0)
    norms = pool(
        [
            publish(rows, site=name, seed=7, about=about, designs=designs, since=SINCE, until=UNTIL)
            for name, rows in parts.items()
        ]
    )
    agree(norms, fit("value ~ 1 + (1 | therapist) + (1 | dyad)", all_rows(parts, designs)))


def test_a_habit_told_by_sums_is_the_one_told_by_the_rows(clinics: dict[str, pl.DataFrame]) -> None:
    norms = pool([published(rows, name) for name, rows in clinics.items()])
    rows = all_rows(clinics).rename({"value": "strength"}).drop("site")
    for seed, usual in ((21, 2.0), (23, 6.5)):
        own = site("me", 1, seed=seed, usual=usual)
        by_sums = habitual(own, norms, feeling=FEELING)
        table = pl.concat([rows.select(own.columns), own])
        by_rows = countertransference(table).habitual("me-t0", FEELING)
        assert isinstance(by_sums, Finding)
        assert isinstance(by_rows, Finding)
        for end in ("value", "low", "high"):
            assert getattr(by_sums.estimate, end) == pytest.approx(getattr(by_rows.estimate, end), abs=0.06)


def test_it_is_labelled_with_whose_it_is_in_both_languages(clinics: dict[str, pl.DataFrame]) -> None:
    norms = pool([published(rows, name) for name, rows in clinics.items()])
    own = site("me", 1, seed=23, usual=7.5)
    there = norms.therapists(FEELING)
    english = habitual(own, norms, feeling=FEELING).sentence
    spanish = habitual(own, norms, feeling=FEELING, language="es").sentence
    assert f"({there} therapists at 3 sites, 2026)" in english
    assert "Of 100 therapists, about 68 lie within" in english
    assert f"({there} terapeutas de 3 lugares, 2026)" in spanish


def test_a_norm_of_few_therapists_leaves_a_wider_interval(clinics: dict[str, pl.DataFrame]) -> None:
    own = site("me", 1, seed=22)
    few, many = (
        published(clinics["Eiche"], "Eiche"),
        pool([published(each, name) for name, each in clinics.items()]),
    )

    def width(norms: Norms) -> float:
        found = Peers(norms, FEELING).off(own)
        return found.high - found.low

    assert width(few) > 1.1 * width(many)
    assert Peers(few, FEELING).spread().high > Peers(many, FEELING).spread().high


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for trial in range(60):
        norms = published(site("p", 14, seed=1_000 + trial, most=9), "Peers")
        own = site("me", 1, seed=5_000 + trial, most=9)
        level = np.random.default_rng(5_000 + trial).normal()  # the first that `site` draws: its habit
        found = Peers(norms, FEELING).off(own)
        held += found.low <= level <= found.high
    assert held >= 60 * 0.95 - 2 * np.sqrt(60 * 0.95 * 0.05)


def test_a_site_is_not_counted_twice(clinics: dict[str, pl.DataFrame]) -> None:
    one = published(clinics["Ahorn"], "Ahorn")
    with pytest.raises(InputError, match="'Ahorn' is there twice"):
        pool([one, one])


def test_different_measures_are_not_pooled(clinics: dict[str, pl.DataFrame]) -> None:
    other = publish(
        clinics["Birke"], site="Birke", about=About("feelings", "2", 0.0, 10.0), since=SINCE, until=UNTIL
    )
    with pytest.raises(InputError, match="not the same measure"):
        pool([published(clinics["Ahorn"], "Ahorn"), other])
    with pytest.raises(InputError, match="told against feelings"):
        habitual(site("me", 1, seed=22), other, feeling=FEELING)


def test_without_norms_of_the_feeling_nothing_is_told(clinics: dict[str, pl.DataFrame]) -> None:
    own = site("me", 1, seed=22).with_columns(feeling=pl.lit("tense"))
    said = habitual(own, published(clinics["Ahorn"], "Ahorn"), feeling="tense").sentence
    assert said.startswith("Not yet: nobody to hold your habit against")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"site": " "}, "The site's name"),
        ({"site": "a" * 81}, "The site's name"),
        ({"since": UNTIL, "until": SINCE}, "is after the last"),
    ],
)
def test_what_cannot_be_published_is_said(
    change: dict[str, object], said: str, clinics: dict[str, pl.DataFrame]
) -> None:
    with pytest.raises(InputError, match=said):
        publish(clinics["Eiche"], **({"site": "Eiche", "since": SINCE, "until": UNTIL} | change))  # type: ignore[arg-type]


def test_strengths_off_the_scale_are_refused(clinics: dict[str, pl.DataFrame]) -> None:
    with pytest.raises(InputError, match="outside 0 to 10"):
        publish(
            clinics["Eiche"].with_columns(pl.col("strength") * 10), site="Eiche", since=SINCE, until=UNTIL
        )


def test_too_few_therapists_publish_nothing() -> None:
    with pytest.raises(TooLittle, match="5 therapists with 5 clients each"):
        published(site("a", 4, seed=1), "Small")
