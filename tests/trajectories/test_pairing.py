"""One client with two therapists: alike, another way, or not to be told; and never who is better."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories import Caseload, Measure, pairing, trajectories
from attunement.trajectories.pairing import _sentence
from attunement.wording import sentences

if TYPE_CHECKING:
    from attunement.instruments.description import Language

SESSIONS = 24


def met(therapist: str, client: str, level: float, sessions: int = SESSIONS, seed: int = 0) -> pl.DataFrame:
    """A bond that grows to a level within a few sessions, with noise."""
    number = np.arange(1, sessions + 1)
    noise = np.random.default_rng(seed).normal(0, 0.3, sessions)
    score = np.clip(level - 2 / number + noise, 0, 10)
    return pl.DataFrame({"therapist": therapist, "client": client, "session": number, "score": score})


def courses(now: float, before: float, *, sessions: int = SESSIONS, language: Language = "en") -> Caseload:
    others = [
        met("T-2", f"K-{place}", level, seed=place) for place, level in enumerate((4, 5, 6, 7, 8, 6), 1)
    ]
    both = [
        met("T-2", "L-07", now, sessions=sessions, seed=11),
        met("before", "L-07", before, sessions=sessions, seed=12),
    ]
    return trajectories(pl.concat([*others, *both]), Measure(0, 10), language=language)


def told(
    now: float, before: float, *, sessions: int = SESSIONS, language: Language = "en"
) -> Finding | NotYet:
    return pairing(courses(now, before, sessions=sessions, language=language), "L-07", "T-2", "before")


def test_a_bond_that_went_another_way_is_not_the_clients_alone() -> None:
    found = told(8.5, 4.5)
    assert isinstance(found, Finding)
    assert found.estimate.low > 0
    assert "not the client's alone" in found.sentence
    assert "may have a part" in found.sentence


def test_a_bond_that_went_alike_may_be_the_clients_own() -> None:
    found = told(6.5, 6.5)
    assert isinstance(found, Finding)
    assert found.estimate.low < 0 < found.estimate.high
    assert "may be the client's own" in found.sentence or "cannot be told apart" in found.sentence


def test_the_difference_turns_with_whom_is_asked_about() -> None:
    worked = courses(8.5, 4.5)
    there, back = (pairing(worked, "L-07", *pair) for pair in (("T-2", "before"), ("before", "T-2")))
    assert isinstance(there, Finding)
    assert isinstance(back, Finding)
    assert (there.estimate.value, there.estimate.low) == (-back.estimate.value, -back.estimate.high)


def test_of_few_sessions_nothing_is_told() -> None:
    found = told(8.5, 4.5, sessions=2)
    assert isinstance(found, NotYet)
    assert "3 rated sessions with each" in found.sentence


def test_both_are_held_at_the_same_count_of_sessions() -> None:
    others = [
        met("T-2", f"K-{place}", level, seed=place) for place, level in enumerate((4, 5, 6, 7, 8, 6), 1)
    ]
    table = pl.concat([*others, met("T-2", "L-07", 6, sessions=5), met("before", "L-07", 6, sessions=20)])
    found = pairing(trajectories(table, Measure(0, 10)), "L-07", "T-2", "before")
    assert isinstance(found, Finding)
    assert found.evidence["session"].to_list() == [5, 5, 5]
    assert found.evidence["what"].to_list() == ["now", "before", "difference"]


def test_whoever_never_met_the_client_is_named_in_one_sentence() -> None:
    with pytest.raises(ColumnProblem, match="T-9"):
        pairing(courses(6, 6), "L-07", "T-9", "before")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("now", "before"), [(8.5, 4.5), (4.5, 8.5), (6.5, 6.5)])
def test_no_sentence_ranks_therapists(now: float, before: float, language: Language) -> None:
    found = told(now, before, language=language)
    assert isinstance(found, Finding)
    assert not re.search(r"\b(better|worse|best|mejor|peor)\b", found.sentence)
    assert "better therapist" in found.limits[0] or "mejor terapeuta" in found.limits[0]
    assert "T-2" not in found.sentence


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_sentence_about_two_therapists_is_reached(language: Language) -> None:
    worked = courses(8.5, 4.5, language=language)
    seen = [Estimate(7.0, 6.5, 7.5, "points"), Estimate(6.0, 5.5, 6.5, "points")]
    said = [
        _sentence(worked, seen, Estimate(*apart, "points"), 5)
        for apart in ((1.0, 0.3, 1.7), (0.0, -0.1, 0.1), (0.2, -3.0, 3.4))
    ]
    found = told(8.5, 4.5, language=language)
    assert isinstance(found, Finding)
    said += [found.about, found.sentence, *found.limits]
    too_few = told(8.5, 4.5, sessions=2, language=language)
    assert isinstance(too_few, NotYet)
    whole = "\n".join([*said, too_few.about, too_few.supply])
    assert [
        name
        for name, both in sentences().items()
        if name.startswith("trajectory_") and "_pairing" in name and name != "trajectory_limit_pairing"
        and not re.search(re.sub(r"\\\{[a-z_]+\\\}", ".+?", re.escape(both[language])), whole)
    ] == []  # fmt: skip
