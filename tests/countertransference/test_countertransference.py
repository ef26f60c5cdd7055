"""Countertransference: what is habitual, stirred, of the day and of the hour; and what cannot be told apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.countertransference import (
    NEGATIVE,
    POSITIVE,
    Countertransference,
    Norm,
    countertransference,
    published_prior,
)
from attunement.countertransference.sources import CLIENTS, REFLECTIONS, THERAPISTS
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.feeling import Feeling, Felt, feeling
from bench_countertransference import CLINIC, SHARED, SOLO, covered, too_soon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.instruments.description import Language

ROUGH = Feeling(feelings=("tense",), step=1.0)


def felt(
    therapists: int = 1,
    clients: int = 12,
    sessions: int = 8,
    *,
    seed: int = 4,
    how: Feeling = ROUGH,
    transfers: float = 0.0,
) -> Felt:
    practice = simulate(therapists, clients, seed=seed, sessions=sessions, transfer_share=transfers)
    return feeling(practice, how, seed=seed)


def found(what: Felt, language: Language = "en") -> Countertransference:
    return countertransference(what.reflections, days=what.days, negative=(), language=language)


@pytest.fixture(scope="module")
def solo() -> Felt:
    return felt()


@pytest.fixture(scope="module")
def clinic() -> Felt:
    return felt(6, 6, 5, transfers=0.5)


@pytest.fixture(scope="module")
def alone(solo: Felt) -> Countertransference:
    return found(solo)


@pytest.fixture(scope="module")
def together(clinic: Felt) -> Countertransference:
    return found(clinic)


def dyads(mirror: Countertransference) -> Iterator[tuple[str, str]]:
    yield from mirror.sources["tense"].parts


# -- what can be told apart, where


def test_one_client_alone_tells_the_hour_against_their_usual_and_nothing_else() -> None:
    one = found(felt(clients=1))
    (_, client), = dyads(one)  # fmt: skip
    assert isinstance(one.momentary(client, 5, feeling="tense"), Finding)
    for told in (one.shares("tense"), one.elicited(client, feeling="tense"), one.habitual(feeling="tense")):
        assert isinstance(told, NotYet)
    assert one.frame()["elicited"].null_count() == one.frame().height


def test_nothing_is_told_too_soon_in_practices_of_one_therapist_with_one_client() -> None:
    assert too_soon(24) == 0


def test_a_thousand_therapists_with_one_client_each_cannot_tell_habit_from_what_is_stirred() -> None:
    random = np.random.default_rng(1)
    who = np.repeat(np.arange(1_000), 3)
    table = pl.DataFrame(
        {
            "therapist": [f"T{each}" for each in who],
            "client": [f"c{each}" for each in who],
            "session": np.tile([1, 2, 3], 1_000),
            "feeling": "tense",
            "strength": np.clip(
                np.round(4 + random.normal(0, 1.5, 1_000)[who] + random.normal(0, 1, who.size)), 0, 10
            ),
        }
    )
    mirror = countertransference(table, negative=())
    assert isinstance(mirror.shares("tense"), NotYet)
    assert isinstance(mirror.habitual("T7", "tense"), NotYet)
    assert isinstance(mirror.elicited("c7", feeling="tense"), NotYet)


def test_a_solo_caseload_tells_what_a_client_stirs_against_the_others_and_no_habit(
    alone: Countertransference,
) -> None:
    told = alone.shares("tense")
    assert isinstance(told, Finding)
    assert told.evidence["part"].to_list() == ["elicited", "day", "momentary"]
    assert told.evidence["value"].sum() == pytest.approx(1.0)
    habit = alone.habitual(feeling="tense")
    assert isinstance(habit, NotYet)
    assert "norms of therapists elsewhere" in habit.supply


def test_with_a_norm_a_habit_is_told_against_it_and_says_so(solo: Felt) -> None:
    norms = {"tense": Norm(1.0, 0.1, "made up for a test")}
    told = countertransference(solo.reflections, negative=(), norms=norms).habitual(feeling="tense")
    assert isinstance(told, Finding)
    assert told.estimate.low > 0
    assert "published mean of 1.0 (made up for a test)" in told.sentence


def test_a_clinic_tells_all_three_and_the_clients_part_only_of_who_met_two(
    together: Countertransference,
) -> None:
    shares = together.shares("tense")
    assert isinstance(shares, Finding)
    assert set(shares.evidence["part"]) == {"habitual", "client", "pairing", "day", "momentary"}
    assert isinstance(together.habitual("T1", "tense"), Finding)
    met = together.sources["tense"].design.dyads.group_by("client").len()
    for client, therapists in met.iter_rows():
        first = together.sources["tense"].design.dyads.filter(client=client)["therapist"][0]
        told = together.whose(client, first, "tense")
        assert isinstance(told, Finding if therapists > 1 else NotYet)


def test_four_therapists_are_too_few_to_say_what_is_habitual() -> None:
    few = found(felt(THERAPISTS - 1, 6, 5))
    assert isinstance(few.habitual("T1", "tense"), NotYet)
    shares = few.shares("tense")
    assert isinstance(shares, Finding)
    assert "habitual" not in set(shares.evidence["part"])


def test_four_clients_are_too_few_and_so_are_three_reflections(solo: Felt) -> None:
    few = found(felt(clients=CLIENTS - 1))
    assert isinstance(few.shares("tense"), NotYet)
    client = next(dyads(few))[1]
    assert isinstance(few.elicited(client, feeling="tense"), NotYet)
    short = solo.reflections.filter(
        (pl.col("session") < REFLECTIONS) | (pl.col("client") != solo.reflections["client"][0])
    )
    told = countertransference(short, negative=()).elicited(solo.reflections["client"][0], feeling="tense")
    assert isinstance(told, NotYet)
    assert "3" in told.missing


def test_reflections_that_catch_too_little_are_not_told() -> None:
    noisy = found(
        felt(
            how=Feeling(feelings=("tense",), client_sd=0.1, pairing_sd=0.0, momentary_sd=2.5, step=1.0),
            seed=9,
        )
    )
    told = [noisy.elicited(client, feeling="tense") for _, client in dyads(noisy)]
    assert any(
        isinstance(each, NotYet) and "in 100 parts of such differences" in each.missing for each in told
    )


def test_a_feeling_rated_alike_or_never_is_not_told(solo: Felt) -> None:
    alike = countertransference(solo.reflections.with_columns(strength=pl.lit(3.0)), negative=())
    assert isinstance(alike.shares("tense"), NotYet)
    assert isinstance(alike.momentary(solo.reflections["client"][0], 1, feeling="tense"), NotYet)
    assert isinstance(alike.all, NotYet)
    assert isinstance(alike.day("warm"), NotYet)


def test_without_ones_own_day_it_is_not_told_and_gets_no_share(solo: Felt) -> None:
    mirror = countertransference(solo.reflections, negative=())
    assert isinstance(mirror.day("tense"), NotYet)
    shares = mirror.shares("tense")
    assert isinstance(shares, Finding)
    assert "day" not in set(shares.evidence["part"])


# -- what is told


def test_who_is_stirred_by_one_client_is_told_so_and_of_the_others_nothing_is_claimed() -> None:
    made = felt(
        how=Feeling(feelings=("tense",), client_sd=0.0, pairing_sd=0.0, momentary_sd=1.0, usual=4.0),
        sessions=10,
    )
    client = made.reflections["client"][0]
    strength = (
        pl.when(pl.col("client") == client)
        .then(pl.col("strength") + 4)
        .otherwise(pl.col("strength"))
        .clip(0, 10)
    )
    mirror = countertransference(made.reflections.with_columns(strength), negative=())
    told = mirror.elicited(client, feeling="tense")
    assert isinstance(told, Finding)
    assert re.search(r"you feel “tense” \d\.\d points more than with your usual client", told.sentence)
    assert any("theme of yours" in limit for limit in told.limits)
    sure = [
        each
        for _, other in dyads(mirror)
        if other != client
        and isinstance(each := mirror.elicited(other, feeling="tense"), Finding)
        and not each.estimate.low <= 0 <= each.estimate.high
    ]
    assert len(sure) <= 1


def test_an_hour_unlike_the_others_is_told_and_a_usual_one_is_called_usual(solo: Felt) -> None:
    client = solo.reflections["client"][0]
    hour = (pl.col("client") == client) & (pl.col("session") == 4)
    strength = (
        pl.when(hour).then(10.0).when(pl.col("client") == client).then(3.0).otherwise(pl.col("strength"))
    )
    mirror = countertransference(solo.reflections.with_columns(strength=strength), negative=())
    told, usual = (mirror.momentary(client, each, feeling="tense") for each in (4, 6))
    assert isinstance(told, Finding)
    assert isinstance(usual, Finding)
    assert "more than is usual with them" in told.sentence
    assert "about as usual with them" in usual.sentence
    assert usual.evidence.columns == ["session", "strength", "usual", "day", "value", "low", "high", "far"]


def test_a_feeling_that_goes_with_ones_own_day_is_told_and_its_part_of_an_hour_too() -> None:
    made = felt(how=Feeling(feelings=("tense",), day_slope=-0.9, usual=5.0))
    held = made.reflections.with_columns(pl.col("strength").clip(0, 10))
    mirror = countertransference(held, days=made.days, negative=())
    told = mirror.day("tense")
    assert isinstance(told, Finding)
    assert told.estimate.high < 0
    assert "less" in told.sentence
    hours = [mirror.momentary(client, 3, feeling="tense") for _, client in dyads(mirror)]
    assert any(isinstance(each, Finding) and "go with your own day" in each.sentence for each in hours)


def test_pleasant_and_unpleasant_feelings_are_factors_beside_the_single_ones() -> None:
    how = Feeling(feelings=(*POSITIVE[:2], *NEGATIVE[:2]), noise_sd=1.0, step=1.0)
    mirror = countertransference(felt(clients=6, how=how).reflections)
    assert set(mirror.sources) == {*how.feelings, "positive", "negative"}
    assert isinstance(mirror.all, Finding)
    assert mirror.all.about == "unpleasant feelings: where it comes from"
    positive = countertransference(felt(clients=6, how=Feeling(feelings=POSITIVE[:2], step=1.0)).reflections)
    assert positive.all.about == "pleasant feelings: where it comes from"


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_gate_and_every_finding_has_a_sentence_in_both_languages(
    clinic: Felt, language: Language
) -> None:
    mirror = found(clinic, language)
    opening = {"en": "Not yet: ", "es": "Todavía no: "}[language]
    for therapist, client in list(dyads(mirror))[:8]:
        told = (
            mirror.elicited(client, therapist, "tense"),
            mirror.whose(client, therapist, "tense"),
            mirror.momentary(client, 1, therapist, "tense"),
            mirror.habitual(therapist, "tense"),
            mirror.day("tense"),
            mirror.all,
        )
        for each in told:
            assert each.sentence.startswith(opening) == isinstance(each, NotYet)
            assert "{" not in each.sentence


def test_a_side_is_named_only_where_the_interval_lies_on_it(together: Countertransference) -> None:
    sided = re.compile(r"points (more|less) than")
    for therapist, client in dyads(together):
        for told in (together.elicited(client, therapist, "tense"), together.habitual(therapist, "tense")):
            if isinstance(told, Finding) and sided.search(told.sentence):
                assert not told.estimate.low <= 0 <= told.estimate.high
                assert "more" in told.sentence if told.estimate.value > 0 else "less" in told.sentence


def test_the_frame_is_what_the_findings_say(together: Countertransference) -> None:
    for row in together.frame().filter(feeling="tense").iter_rows(named=True):
        told = together.elicited(row["client"], row["therapist"], "tense")
        assert isinstance(told, NotYet if row["elicited"] is None else Finding)
        if isinstance(told, Finding):
            assert told.estimate.value == row["elicited"]


# -- whether it is so


@pytest.mark.parametrize("kind", [SOLO, CLINIC, SHARED], ids=lambda kind: kind.name)
def test_intervals_hold_the_truth_about_as_often_as_they_say(kind: object) -> None:
    held = covered(kind, 6 if kind is SOLO else 3, from_the_prior=True)  # type: ignore[arg-type]
    shares = [each for name, all_ in held.items() if name.startswith("share") for each in all_]
    assert np.mean(held["part elicited"]) >= 0.88
    assert np.mean(shares) >= 0.75


def test_the_prior_is_stated_with_what_leans_on_it_and_can_be_switched_off(solo: Felt) -> None:
    leaning = countertransference(solo.reflections, negative=()).shares("tense")
    free = countertransference(solo.reflections, negative=(), prior=None).shares("tense")
    assert isinstance(leaning, Finding)
    assert isinstance(free, Finding)
    assert any("published figures" in limit for limit in leaning.limits)
    assert not any("published figures" in limit for limit in free.limits)
    other = countertransference(solo.reflections, negative=(), prior=published_prior()).shares("tense")
    assert isinstance(other, Finding)
    assert other.estimate == leaning.estimate


# -- what comes in


def test_what_cannot_be_taken_is_refused_in_a_sentence(solo: Felt, together: Countertransference) -> None:
    with pytest.raises(TooLittle, match="outside 0 to 10, first 12"):
        countertransference(solo.reflections.with_columns(strength=pl.lit(12.0)))
    with pytest.raises(ColumnProblem, match="the column feeling is missing"):
        countertransference(solo.reflections.drop("feeling"))
    with pytest.raises(ColumnProblem, match="6 therapists are in these reflections; name one"):
        together.habitual(feeling="tense")
    with pytest.raises(ColumnProblem, match="'T99'"):
        together.habitual("T99", "tense")
    with pytest.raises(ColumnProblem, match="'nobody'"):
        together.elicited("nobody", feeling="tense")
    with pytest.raises(ColumnProblem, match="no reflection on session 77"):
        found(solo).momentary(solo.reflections["client"][0], 77, feeling="tense")
    twice = (
        together.sources["tense"].design.dyads.group_by("client").len().filter(pl.col("len") > 1)["client"][0]
    )
    with pytest.raises(ColumnProblem, match="name one"):
        together.elicited(twice, feeling="tense")


def test_pandas_is_taken_alike(solo: Felt, alone: Countertransference) -> None:
    mirror = countertransference(solo.reflections.to_pandas(), days=solo.days.to_pandas(), negative=())
    assert mirror.shares("tense").sentence == alone.shares("tense").sentence
