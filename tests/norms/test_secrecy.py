"""Secrecy of single people: what published bytes hold, what an attacker makes of two files, what protects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from sites import FEELING, SINCE, UNTIL, published, site, summed_rows

from attunement.errors import TooLittle
from attunement.norms import dump, publish
from attunement.norms.designs import LEAST_CLIENTS, LEAST_THERAPISTS, Design

if TYPE_CHECKING:
    from collections.abc import Iterator


def numbers(plain: Any) -> Iterator[float]:  # noqa: ANN401 - whatever JSON has
    """Every number of a file."""
    if isinstance(plain, dict):
        for each in plain.values():
            yield from numbers(each)
    elif isinstance(plain, list):
        for each in plain:
            yield from numbers(each)
    elif isinstance(plain, float):
        yield plain


def told(rows: pl.DataFrame, *who: str) -> list[float]:
    """What would give somebody away: their sum, sum of squares, mean, and those less the middle of the scale."""
    found = rows.group_by(who).agg(
        sum=pl.col("value").sum(),
        squares=(pl.col("value") ** 2).sum(),
        mean=pl.col("value").mean(),
        centred=(pl.col("value") - 5.0).sum(),
        centred_mean=pl.col("value").mean() - 5.0,
        centred_squares=((pl.col("value") - 5.0) ** 2).sum(),
        within=((pl.col("value") - pl.col("value").mean()) ** 2).sum(),
    )
    return [number for row in found.drop(who).iter_rows() for number in row]


@pytest.mark.parametrize("who", [("client",), ("therapist",)])
def test_no_sum_of_one_client_or_therapist_leaves_a_site(
    who: tuple[str, ...], clinics: dict[str, pl.DataFrame]
) -> None:
    rows = clinics["Ahorn"]
    text = dump(published(rows, "Ahorn"))
    there = np.array(list(numbers(json.loads(text)["sites"])))
    every = rows.rename({"strength": "value"})
    for planted in (*told(every, *who), *told(summed_rows(rows), *who)):
        assert not np.isclose(there, planted, rtol=1e-7, atol=0.0).any()


def test_no_code_of_anybody_leaves_a_site(clinics: dict[str, pl.DataFrame]) -> None:
    for name, rows in clinics.items():
        text = dump(published(rows, name))
        for code in {*rows["client"], *rows["therapist"]}:
            assert f'"{code}"' not in text
            assert code not in text


def test_behind_every_number_are_five_therapists_and_twenty_clients_of_equal_weight() -> None:
    for therapists in range(5, 60, 9):
        rows = site("s", therapists, seed=therapists)
        for sums in published(rows, "Site").sums(FEELING):
            assert sums.therapists >= LEAST_THERAPISTS
            assert sums.therapists * sums.design.clients >= LEAST_CLIENTS
        drawn = summed_rows(rows)
        reflected = drawn.group_by("therapist", "client").len()
        alike = reflected.group_by("therapist").agg(pl.len().alias("clients"), pl.col("len").n_unique())
        assert alike["len"].to_list() == [1] * alike.height
        assert reflected["client"].n_unique() == reflected.height


def test_a_client_of_two_therapists_is_in_a_sum_once() -> None:
    rows = site("s", 8, seed=5)
    shared = rows.filter(client="s-t0-c0").with_columns(
        therapist=pl.lit("s-t1"), session=pl.col("session") + 100
    )
    drawn = summed_rows(pl.concat([rows, shared]))
    both = drawn.filter(client="s-t0-c0")
    assert both["therapist"].n_unique() <= 1


def test_answers_all_alike_are_not_published() -> None:
    rows = site("s", 8, seed=5)
    with pytest.raises(TooLittle):  # a sum of squares of zero would tell every one of them
        published(rows.with_columns(strength=pl.lit(0.0)), "Site")
    by_client = rows.with_columns(pl.col("strength").first().over("client"))
    with pytest.raises(TooLittle):
        published(by_client, "Site")


def test_no_file_holds_two_sums_of_the_same_answers() -> None:
    rows = site("s", 8, seed=5).with_columns(feeling=pl.lit("tense"))
    both = pl.concat([rows, rows.head(4).with_columns(feeling=pl.lit("bored"))])
    of = {"site": "Site", "since": SINCE, "until": UNTIL}
    assert publish(both, **of).measures == ("negative",)  # type: ignore[arg-type]
    assert publish(both, **of, single=True).measures == ("tense",)  # type: ignore[arg-type]


def test_the_lot_is_another_each_time(clinics: dict[str, pl.DataFrame]) -> None:
    first, second = (publish(clinics["Ahorn"], site="Ahorn", since=SINCE, until=UNTIL) for _ in range(2))
    assert first != second
    assert first.therapists(FEELING) == second.therapists(FEELING)


# -- two files of a site that differ by one client


def exact(seed: int, therapists: int = 6) -> pl.DataFrame:
    """A site with caseloads of the least size: five clients, four reflections each, and no room for a lot."""
    random = np.random.default_rng(seed)
    rows = [
        (f"t{t}", f"t{t}c{c}", s + 1, FEELING, float(random.integers(0, 11)))
        for t in range(therapists) for c in range(5) for s in range(4)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=["therapist", "client", "session", "feeling", "strength"], orient="row")


def total(rows: pl.DataFrame, design: Design) -> float:
    found = {each.design: each.total for each in published(rows, "Site", seed=None).sums(FEELING)}
    return found[design]


def test_what_does_not_protect_two_files_of_nearly_the_same_rows_where_all_are_drawn() -> None:
    """The attack works: so a period is published once, and the documentation says so."""
    before = exact(1)
    newcomer = before["client"] == "t0c0"
    after = before.with_columns(
        client=pl.when(newcomer).then(pl.lit("new")).otherwise("client"),
        strength=pl.when(newcomer).then(7.0).otherwise("strength"),
    )
    design = Design(5, 4)
    gone = total(before, design) - total(after, design)
    recovered = 7.0 + 5.0 * gone
    assert recovered == pytest.approx(before.filter(client="t0c0")["strength"].mean(), abs=1e-8)


def test_what_blurs_it_is_the_lot_where_caseloads_are_larger() -> None:
    """The same attack on caseloads of 12 clients with 12 reflections is worse than guessing the mean."""
    random, design = np.random.default_rng(2), Design(10, 8)
    missed, guessed = [], []
    for _ in range(30):
        rows = pl.DataFrame(
            [
                (f"t{t}", f"t{t}c{c}", s + 1, FEELING, float(np.clip(level + random.normal(0, 1.4), 0, 10)))
                for t in range(8) for c in range(12)
                for level in [4.0 + random.normal()] for s in range(12)
            ],
            schema=["therapist", "client", "session", "feeling", "strength"], orient="row",
        )  # fmt: skip
        target = rows["client"] == "t0c0"
        truth = float(rows.filter(target)["strength"].mean())  # type: ignore[arg-type]
        after = rows.with_columns(strength=pl.when(target).then(4.0).otherwise("strength"))
        recovered = 4.0 + design.clients * (total(rows, design) - total(after, design))
        missed.append(recovered - truth)
        guessed.append(4.0 - truth)
    assert np.std(missed) > 2.0 * np.std(guessed)


def test_a_coalition_of_all_but_one_therapist_learns_the_last_ones_mean_and_no_less_does() -> None:
    """What does not protect: four of five therapists who put all their notes together."""
    rows = exact(3, therapists=5)
    means = rows.group_by("therapist").agg(pl.col("strength").mean() - 5.0).sort("therapist")["strength"]
    found = total(rows, Design(5, 4)) - float(np.sum(means.to_numpy()[:4]))
    assert found == pytest.approx(means[4], abs=1e-9)
