"""The board: hypotheses side by side, with what speaks for and against each, or what is missing; never a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.connecting import CALLED, HYPOTHESES, Known, board, supports
from attunement.connecting.signs import SIGNS
from attunement.errors import ColumnProblem, ModelProblem
from attunement.findings import Finding, NotYet
from attunement.ruptures import ruptures
from attunement.simulate.causes import CAUSES, FEELINGS, NotConnecting, not_connecting
from attunement.trajectories import Measure, trajectories
from bench_connecting import tried

if TYPE_CHECKING:
    from attunement.trajectories import Trajectory

MEASURE = Measure(0, 10)


def known_of(made: NotConnecting) -> Known:
    caseload = trajectories(made.ratings, MEASURE)
    return Known(
        caseload, ruptures(caseload), made.feelings, FEELINGS, made.days, made.triggers, made.ratings,
        made.background, made.states,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made() -> NotConnecting:
    return not_connecting("unsaid", seed=311)


@pytest.fixture(scope="module")
def known(made: NotConnecting) -> Known:
    return known_of(made)


def dyad_of(known: Known, client: str) -> Trajectory:
    return next(each for each in known.caseload.trajectories if each.client == client)


def test_all_eight_stand_on_the_board_the_best_supported_first(known: Known, made: NotConnecting) -> None:
    found = board(known, made.client)
    assert isinstance(found, Finding)
    assert sorted(found.evidence["hypothesis"]) == sorted(HYPOTHESES)
    assert found.evidence["support"].is_sorted(descending=True)
    assert found.estimate.value == found.evidence["support"][0]
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.evidence["support"].sum() < 1  # the rest is none of them


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_has_its_question_and_one_of_three_sentences(
    known: Known, made: NotConnecting, language: str
) -> None:
    found = board(known, made.client, language=language)  # type: ignore[arg-type]
    assert isinstance(found, Finding)
    for row in found.evidence.iter_rows(named=True):
        assert row["ask"].endswith((".", "?"))
        assert sum(row[name] is not None for name in ("speaks_for", "speaks_against", "missing")) == 1


def test_it_never_says_that_it_knows(known: Known, made: NotConnecting) -> None:
    found = board(known, made.client)
    assert isinstance(found, Finding)
    assert "not a verdict" in found.sentence or "Ask openly" in found.sentence
    assert (found.estimate.value >= CALLED) == ("What fits best" in found.sentence)
    assert "often there is more than one" in " ".join(found.limits)


def test_what_is_missing_is_named_and_moves_no_chance(known: Known, made: NotConnecting) -> None:
    bare = Known(known.caseload, known.ruptures)
    found, none = supports(bare, dyad_of(known, made.client))
    missing = {each.hypothesis for each in found if not each.sign.seen}
    assert missing == {"theme", "day", "stirs", "style", "unsaid", "outside"}
    chances = {each.hypothesis: each.chance for each in found}
    assert len({round(chances[name], 9) for name in missing}) == 1
    assert sum(chances.values()) + none == pytest.approx(1.0)
    told = board(bare, made.client)
    assert isinstance(told, Finding)
    shown = dict(told.evidence.select("hypothesis", "missing").iter_rows())
    assert "four others" in shown["stirs"]


def test_it_opens_only_where_the_bond_stalls_or_falls(known: Known) -> None:
    well = next(
        each for each in known.caseload.trajectories if each.states and each.states["established"] > 0.7
    )
    closed = board(known, well.client)
    assert isinstance(closed, NotYet)
    assert "the board opens from 80 in 100 on" in closed.sentence
    spanish = board(known, well.client, language="es")
    assert spanish.sentence.startswith("Todavía no: nada dice que el vínculo")


def test_a_client_that_is_not_there_is_one_sentence(known: Known) -> None:
    with pytest.raises(ColumnProblem, match="no client 'nobody'"):
        board(known, "nobody")


@pytest.mark.parametrize("table", ["feelings", "days", "triggers", "guesses", "background", "states"])
def test_an_empty_table_is_as_none(known: Known, made: NotConnecting, table: str) -> None:
    empty = replace(known, **{table: getattr(known, table).clear()})
    dyad = dyad_of(known, made.client)
    without = replace(known, **{table: None})  # type: ignore[arg-type]
    assert {each.hypothesis: each.chance for each in supports(empty, dyad)[0]} == pytest.approx(
        {each.hypothesis: each.chance for each in supports(without, dyad)[0]}
    )


def test_other_clients_of_another_background_are_no_evidence(known: Known, made: NotConnecting) -> None:
    """Only the client's own word counts: no table of demographics is read at all."""
    assert "background" in Known.__slots__
    silent = replace(known, background=known.background.with_columns(missed=pl.lit(0.0)))  # type: ignore[union-attr]
    sign = SIGNS["unsaid"](silent, dyad_of(known, made.client))
    assert sign.strength == pytest.approx(0.0, abs=1e-6)


def test_signs_are_standard_normal_where_nothing_was_planted() -> None:
    """On a few practices, all dyads of four sessions or more; the planted one left out."""
    seen: dict[str, list[float]] = {name: [] for name in SIGNS if name != "torn"}
    for seed in (901, 902):
        made = not_connecting("none", seed=seed)
        known = known_of(made)
        for dyad in known.caseload.trajectories:
            if dyad.rated.size < 4 or dyad.client == made.client:
                continue
            for name, found in seen.items():
                strength = SIGNS[name](known, dyad).strength
                if strength is not None:
                    found.append(strength)
    for name, found in seen.items():
        if name in {"forming", "outside"}:  # ratings and states have a course of their own
            continue
        assert abs(float(np.mean(found))) < 0.6, name
        assert 0.5 < float(np.std(found)) < 1.5, name


def test_a_cause_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ModelProblem, match="or none; 'fate' is not"):
        not_connecting("fate", seed=1)


def test_the_planted_cause_is_ranked_first_far_more_often_than_by_chance() -> None:
    found = tried(CAUSES, range(300, 302))
    assert float((found["first"] == found["cause"]).mean()) >= 0.5  # type: ignore[arg-type]


def test_where_nothing_was_planted_hardly_anything_is_called() -> None:
    found = tried(["none"], range(900, 916))
    assert int((found["support"] >= CALLED).sum()) <= 2
