"""Whose one says a feeling is, beside the split; and which of one's own words recur across clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.countertransference import awareness, countertransference, tags
from attunement.countertransference.tags import shares
from attunement.errors import ColumnProblem
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.feeling import Feeling, Felt, feeling

if TYPE_CHECKING:
    from attunement.countertransference import Countertransference
    from attunement.instruments.description import Language


def felt(aware: float = 1.0, clients: int = 24, seed: int = 3) -> Felt:
    how = Feeling(feelings=("tense",), aware=aware, step=1.0)
    return feeling(simulate(1, clients, seed=seed, sessions=8), how, seed=seed)


def mirror(what: Felt, language: Language = "en") -> Countertransference:
    return countertransference(what.reflections, days=what.days, negative=(), language=language)


@pytest.mark.parametrize("language", ["en", "es"])
def test_naming_that_is_the_truth_goes_with_the_split(language: Language) -> None:
    made = felt()
    told = awareness(mirror(made, language), made.namings, "tense")
    assert isinstance(told, Finding)
    assert told.estimate.low > 0
    assert {"en": "goes with the split", "es": "va con el reparto"}[language] in told.sentence


def test_naming_at_random_is_seldom_said_to_go_with_it() -> None:
    said = []
    for seed in range(10):
        made = felt(aware=0.0, seed=seed)
        told = awareness(mirror(made), made.namings, "tense")
        said.append(isinstance(told, Finding) and not told.estimate.low <= 0 <= told.estimate.high)
    assert sum(said) <= 2


def test_naming_the_other_way_round_is_said_to_go_against_it() -> None:
    made = felt()
    turned = made.namings.with_columns(pl.col("whose").replace({"mine": "theirs", "theirs": "mine"}))
    told = awareness(mirror(made), turned, "tense")
    assert isinstance(told, Finding)
    assert "goes against the split" in told.sentence
    assert told.estimate.high < 0


def test_few_clients_or_one_word_for_all_are_not_held_against_the_split() -> None:
    made = felt(clients=7)
    few = awareness(mirror(made), made.namings, "tense")
    assert isinstance(few, NotYet)
    assert "so far: 7" in few.missing
    made = felt()
    alike = awareness(mirror(made), made.namings.with_columns(whose=pl.lit("theirs")), "tense")
    assert isinstance(alike, NotYet)
    unknown = awareness(mirror(made), made.namings.with_columns(whose=pl.lit("don't know")), "tense")
    assert isinstance(unknown, NotYet)
    nothing = awareness(mirror(felt(clients=3)), made.namings, "tense")
    assert isinstance(nothing, NotYet)


def test_a_word_with_many_clients_is_a_pattern_and_one_with_a_single_client_is_not() -> None:
    made = felt()
    clients = made.reflections["client"].unique(maintain_order=True)
    hours = made.reflections.select("therapist", "client", "session")
    many = hours.filter(pl.col("client").is_in(clients[:15].implode()), pl.col("session") <= 3)
    one = hours.filter(client=clients[0])
    marked = pl.concat([many.with_columns(tag=pl.lit("silence")), one.with_columns(tag=pl.lit("praise"))])
    told = tags(marked.with_columns(kind=pl.lit("trigger")), made.reflections)
    silence, praise = told.of("silence"), told.of("praise")
    assert "“silence” came up with 15 of 24 clients." in silence.sentence
    assert "a pattern that recurs across clients" in silence.sentence
    assert "pattern" not in praise.sentence
    assert f"Most of it comes with {clients[0]}." in praise.sentence
    rows = told.frame()
    assert rows["tag"].to_list() == ["silence", "praise"]
    assert rows["recurs"].to_list() == [True, False]


def test_shares_are_shrunk_and_hold_the_truth() -> None:
    random = np.random.default_rng(7)
    held = []
    for _ in range(60):
        mean, firm = random.uniform(0.02, 0.4), np.exp(random.uniform(np.log(1), np.log(40)))
        rates = random.beta(mean * firm, (1 - mean) * firm, 16)
        big = random.beta(mean * firm, (1 - mean) * firm, 20_000)
        truth = float((1 - (1 - big) ** 10).mean())
        told = shares(random.binomial(8, rates).astype(float), np.full(16, 8.0))
        held.append(told.low <= truth <= told.high)
    assert np.mean(held) >= 0.88


@pytest.mark.parametrize("language", ["en", "es"])
def test_below_five_clients_nothing_recurs(language: Language) -> None:
    made = felt(clients=4)
    told = tags(made.tags, made.reflections, language=language)
    tag = made.tags["tag"][0]
    assert isinstance(told.of(tag), NotYet)
    assert told.frame().is_empty()


def test_tags_are_one_therapists_own_words() -> None:
    made = felt()
    both = pl.concat([made.tags, made.tags.with_columns(therapist=pl.lit("T2"))])
    with pytest.raises(ColumnProblem, match="Tags of 2 therapists"):
        tags(both, made.reflections)
    with pytest.raises(ColumnProblem, match="No trigger 'nothing' was marked"):
        tags(made.tags, made.reflections).of("nothing")
