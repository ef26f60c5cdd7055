"""Trust in words: pooled, gated, in both languages, and never beyond its interval."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement import frames
from attunement.errors import ColumnProblem, ModelProblem, TooLittle
from attunement.findings import Finding, NotYet
from attunement.simulate import simulate
from attunement.simulate.trusting import Trusted, Trusting, trusting
from attunement.trust import LINES, Trust, trust
from attunement.trust.lines import laid_out, rest
from attunement.trust.links import links

if TYPE_CHECKING:
    from attunement.instruments.description import Language

NAMES = [*LINES, "consistency"]


@pytest.fixture(scope="module")
def made() -> Trusted:
    return trusting(simulate(1, 16, seed=5), seed=5)


@pytest.fixture(scope="module")
def found(made: Trusted) -> Trust:
    return trust(made.check_ins, made.sessions)


def test_a_client_is_told_of_from_three_answers_on(made: Trusted, found: Trust) -> None:
    for client in made.check_ins["client"].unique():
        sessions = made.check_ins.filter(client=client)["understood"].drop_nulls().len()
        told = found.of(client)
        assert list(told) == NAMES
        for line in LINES:
            assert isinstance(told[line], Finding if sessions >= 3 else NotYet)


def test_every_number_has_its_interval(made: Trusted, found: Trust) -> None:
    for client in made.check_ins["client"].unique():
        for told in found.of(client).values():
            if isinstance(told, Finding):
                assert told.estimate.low < told.estimate.value < told.estimate.high
                assert (told.evidence["low"] <= told.evidence["high"]).all()


def test_a_rise_is_called_one_only_where_its_interval_excludes_zero(made: Trusted, found: Trust) -> None:
    for client in made.check_ins["client"].unique():
        for line in LINES:
            told = found.of(client)[line]
            if isinstance(told, Finding):
                change = told.evidence.row(by_predicate=pl.col("part") == "change", named=True)
                assert ("has risen by" in told.sentence) == (change["low"] > 0)
                assert ("has fallen by" in told.sentence) == (change["high"] < 0)


def test_a_link_is_told_only_where_its_interval_excludes_zero(found: Trust) -> None:
    for told in found.all.values():
        if isinstance(told, Finding):
            link = told.evidence.filter(pl.col("part") == "link")
            excludes = bool(((link["low"] > 0) | (link["high"] < 0)).any())
            assert ("the rest of the check-in" in told.sentence) == excludes


def test_a_line_is_not_compared_with_itself() -> None:
    rng = np.random.default_rng(0)
    alone = trusting(
        simulate(1, 60, seed=1), Trusting(bond_sd=0.0, own_sd=0.0, noise_sd=1.0, ceiling=False), seed=1
    ).check_ins
    noise = [
        pl.Series(name, rng.normal(5.0, 1.0, alone.height).clip(0, 10))
        for name in ("understood", "not_judged", "could_say", "safe", "supported", "contact", "matters")
    ]
    rows = laid_out(frames.check_ins(alone.with_columns(noise)))
    told = links(rows, pl.col("understood"), rest("empathy"), None)
    assert told is not None
    assert told.all.low < 0 < told.all.high  # in the total it would be a seventh of itself


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held: dict[str, list[bool]] = {"level": [], "change": []}
    for seed in range(3):
        made = trusting(simulate(1, 14, seed=seed), Trusting(ceiling=False, own_keeps=0.0), seed=seed)
        inside = made.check_ins.with_columns(pl.col(*LINES.values()).clip(0, 10))
        frame = trust(inside.drop("safe", "supported", "contact", "matters")).frame().drop_nulls("level")
        both = frame.join(made.truth, on=["therapist", "client", "line"], suffix="_true")
        for name, each in held.items():
            within = pl.col(f"{name}_true").is_between(pl.col(f"{name}_low"), pl.col(f"{name}_high"))
            each.extend(both.select(within).to_series())
    for name, each in held.items():
        assert len(each) > 40
        assert np.mean(each) >= 0.86, name


@pytest.mark.parametrize("language", ["en", "es"])
def test_everything_has_a_sentence_in_both_languages(made: Trusted, found: Trust, language: Language) -> None:
    told = replace(found, language=language)
    assert all(each.sentence for each in told.all.values())
    assert told.order.sentence
    for client in made.check_ins["client"].unique():
        assert all(each.sentence for each in told.of(client).values())


def test_twelve_clients_cannot_tell_an_order(found: Trust) -> None:
    told = found.order
    assert isinstance(told, NotYet)
    assert "from 20 on the order can be looked for" in told.sentence


def with_check_ins(found: Trust, made: Trusted) -> Trust:
    """Only the order is asked of it: the rest need not be worked out anew."""
    return replace(found, rows=laid_out(frames.check_ins(made.check_ins)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_order_is_told_with_its_numbers_and_as_association(found: Trust, language: Language) -> None:
    made = trusting(simulate(1, 150, seed=0, sessions=10), Trusting(0.8, 0.8), seed=0)
    told = replace(with_check_ins(found, made), language=language).order
    assert isinstance(told, Finding)
    begins = {"en": "Trust comes first, then openness, then depth.", "es": "Primero va la confianza"}
    assert told.sentence.startswith(begins[language])
    assert told.estimate.low > 0
    assert told.evidence.height == 6
    forward = told.evidence.filter(~pl.col("part").str.ends_with("way back"))
    assert (forward["low"] > 0).all()
    fades = {"en": "fades more slowly", "es": "se apaga más despacio"}
    assert any(fades[language] in limit for limit in told.limits)
    assert any("associa" in limit or "asocia" in limit for limit in told.limits)


@pytest.mark.parametrize("clients", [60, 300])
def test_without_an_order_it_says_what_would_show_one(found: Trust, clients: int) -> None:
    made = trusting(simulate(1, clients, seed=3, sessions=14 if clients == 300 else None), seed=3)
    told = with_check_ins(found, made).order
    assert isinstance(told, NotYet)
    assert "one bond behind them" in told.missing
    assert ("such clients would show it" in told.supply) == (clients == 60)


def test_an_order_whose_slopes_cannot_be_had_is_not_told(
    found: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ModelProblem("The data do not settle the lagged associations.")

    monkeypatch.setattr(import_module("attunement.trust.order"), "cross_lagged", refuse)
    made = trusting(simulate(1, 150, seed=0, sessions=10), Trusting(0.8, 0.8), seed=0)
    told = with_check_ins(found, made).order
    assert isinstance(told, NotYet)
    assert "not yet how much each moves the next" in told.missing


def test_a_line_that_is_not_asked_is_not_told_and_said_so(made: Trusted) -> None:
    told = trust(made.check_ins.drop("not_judged"), prior=None)
    assert isinstance(told.all["non_judgment"], NotYet)
    assert "an answer named not_judged" in told.all["non_judgment"].supply
    assert isinstance(told.all["empathy"], Finding)
    lacking = told.order
    assert isinstance(lacking, NotYet)
    assert "not_judged" in lacking.supply


def test_without_a_diary_consistency_is_not_told(made: Trusted) -> None:
    few = made.check_ins.select("therapist", "client", "session", "safe")
    told = trust(few).all["consistency"]
    assert isinstance(told, NotYet)
    assert "no list of sessions" in told.missing


def test_what_has_no_data_is_named_and_not_made_up(found: Trust) -> None:
    told = found.all["consistency"]
    assert isinstance(told, Finding)
    assert any("Promises kept and messages answered" in limit for limit in told.limits)


def test_a_handful_of_clients_speaks_for_itself_and_not_of_what_is_usual(made: Trusted) -> None:
    one = made.check_ins.drop_nulls("understood").filter(pl.len().over("client") >= 4)
    one = one.filter(client=one["client"][0])
    told = trust(one)
    assert isinstance(told.of(one["client"][0])["empathy"], Finding)
    assert isinstance(told.all["empathy"], NotYet)
    bare = trust(one, prior=None)
    assert isinstance(bare.of(one["client"][0])["empathy"], NotYet)


def test_several_therapists_are_pooled_and_the_sentence_names_none() -> None:
    made = trusting(simulate(3, 5, seed=2), seed=2)
    told = trust(made.check_ins, made.sessions, prior=None)
    assert isinstance(told.all["empathy"], Finding)
    consistency = told.all["consistency"]
    assert isinstance(consistency, Finding)
    assert "by the therapist" in consistency.sentence
    assert set(told.frame()["therapist"]) == {f"T{each}" for each in range(1, 4)}


def test_bad_input_is_refused_with_a_sentence(made: Trusted, found: Trust) -> None:
    with pytest.raises(ColumnProblem, match="none of the answers is there"):
        trust(made.check_ins.select("client", "session"))
    with pytest.raises(TooLittle, match="of the column understood outside the scale 0 to 10"):
        trust(made.check_ins.with_columns(understood=pl.lit(11.0)))
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        found.of("nobody")
    twice = pl.concat([made.check_ins, made.check_ins.with_columns(therapist=pl.lit("T2"))])
    with pytest.raises(ColumnProblem, match="2 therapists met the client"):
        replace(found, rows=laid_out(twice)).of(made.check_ins["client"][0])


def test_pandas_is_taken_too(made: Trusted) -> None:
    import pandas as pd  # noqa: PLC0415 - only here

    few = made.check_ins.head(30)
    told = trust(pd.DataFrame(few.to_dict(as_series=False)), prior=None)
    assert told.frame().height == 4 * few["client"].n_unique()
