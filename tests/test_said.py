"""What courses and changes say, gate by gate: every sentence is heard, in plain words, and in its own language."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from attunement.change import (
    METHODS,
    Criteria,
    Cutoff,
    Norms,
    Population,
    changed,
    changes,
    cutoff,
    jumped,
    norms_of,
    yardstick,
)
from attunement.findings import Finding, NotYet
from attunement.instruments import Published, instrument
from attunement.ruptures import ruptures
from attunement.simulate import simulate
from attunement.trajectories import Caseload, Measure, asked, trajectories
from attunement.wording import sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from attunement.instruments.description import Language

LANGUAGES: tuple[Language, ...] = ("en", "es")
ENGLISH = re.compile(
    r"\b(the|of|with|and|to|from|is|are|not|yet|on|at|by|it|or|than|points|sessions?)\b", re.IGNORECASE
)
HARDEST = 9.0
TEN = Measure(0, 10)


def rated(ratings: Mapping[str, Sequence[float]]) -> pl.DataFrame:
    rows = [
        (client, place, float(score))
        for client, scores in ratings.items()
        for place, score in enumerate(scores, 1)
    ]
    return pl.DataFrame(rows, schema=["client", "session", "score"], orient="row")


def usual(clients: int, sessions: int) -> dict[str, list[float]]:
    random = np.random.default_rng(11)
    level, slope = random.normal(6.3, 0.9, clients), random.normal(0.35, 0.1, clients)
    return {
        f"u{client}": [
            float(np.clip(level[client] + slope[client] * np.log2(s) + random.normal(0, 0.5), 0, 10))
            for s in range(1, sessions + 1)
        ]
        for client in range(clients)
    }


def steep() -> dict[str, list[float]]:
    random = np.random.default_rng(2)
    return {
        f"s{i}": [
            float(5 + random.normal(0, 0.5) + 4 * (1 - 1 / s) + random.normal(0, 0.15)) for s in range(1, 13)
        ]
        for i in range(15)
    }


PRACTICE = usual(20, 10) | {
    "falls": [6, 6.5, 7, 7.2, 7.4, 7.5, 7.3, 6.0, 4.8, 3.5],
    "wavers": [6, 6.5, 7, 7.2, 7.4, 7.5, 7.3, 7.0, 6.8, 6.4],
    "stalls": [3.6, 3.2, 3.5, 3.3, 3.6, 3.4, 3.2, 3.5, 3.3, 3.4],
    "slow": [4.1, 4.3, 4.6, 4.8, 5.1, 5.3, 5.4, 5.6, 5.9, 6.0],
    "deep": [9.2, 9.5, 9.7, 9.8, 10, 9.9, 10, 10, 9.8, 10],
    "new": [6.0, 6.4],
    **{f"top{i}": [9, 10, 10, 10] for i in range(5)},
}


def told(found: Finding | NotYet) -> list[str]:
    if isinstance(found, NotYet):
        return [found.about, found.sentence]
    return [found.about, found.sentence, *found.limits]


def of_caseload(caseload: Caseload) -> Iterator[str]:
    yield from told(caseload.shares)
    yield from told(caseload.connected)
    yield from caseload.limits
    if isinstance(caseload.model, NotYet):
        yield from told(caseload.model)
    for each in caseload:
        for found in (each.depth, each.speed, each.state, each.plateau):
            yield from told(found)
        yield from (
            each.word,
            each.depth_cell,
            each.speed_cell,
            each.state_cell,
            each.change_sentence,
            each.name,
        )


def of_courses(language: Language) -> list[str]:
    said: list[str] = []
    for table in (PRACTICE, {"a": [4.0, 5.0]}, {"a": [5.0, 6.0, 7.0], "b": [6.0, 8.0]}):
        said += of_caseload(trajectories(rated(table), TEN, language=language))
    line = {f"l{i}": [2 + i * 0.5 + s * 0.3 for s in range(1, 7)] for i in range(8)}
    few = {"a": [5.0, 6.0, 7.0], "b": [6.0, 6.0]}
    for table in (few, {"a": [5.0, 6.0], "b": [5.0]}, line, steep()):
        said += of_caseload(trajectories(rated(table), TEN, prior=None, language=language))
    moved = simulate(6, 6, seed=5, transfer_share=0.5)
    said += of_caseload(asked(moved, language=language))
    said += of_caseload(trajectories(simulate(2, 8, seed=3).ratings, TEN, prior=None, language=language))
    return said


STUDY = "Jacobson & Truax (1991)"
CLINICAL, FUNCTIONAL = Population(40, 7.5, STUDY), Population(60, 7.5, "Speer (1992)")
WHOLE = Norms(
    "X",
    "better",
    Published(0.80, STUDY),
    clinical=CLINICAL,
    functional=FUNCTIONAL,
    after=Population(50, 8, STUDY),
    reliability_after=Published(0.82, STUDY),
    stability=Published(0.4, STUDY),
)
BARE = Norms("X", "worse")
ALONE = Norms("X", "worse", Published(0.88, STUDY), sd=Published(6.1, STUDY))
PAIRS: tuple[tuple[float | None, float], ...] = (
    (32.5, 53.0),
    (32.5, 47.5),
    (40, 30),
    (55, 41),
    (45, 54),
    (None, 41),
)
STEPS = (
    (35, 37, 34, 23, 24, 21, 29),
    (10, 10, 10, 20, 20, 20, 14),
    (10, 11, 10, 20.5, 20, 21),
    (5, 5),
)


def of_change(language: Language) -> list[str]:
    said: list[str] = []
    for method in METHODS:
        for norms in (WHOLE, BARE, ALONE):
            found = [changed("K-07", *pair, norms, method, language=language) for pair in PAIRS]
            ruler, line = yardstick(norms, method, language=language), cutoff(norms, language=language)
            pair = pl.DataFrame({"client": ["K-07"], "before": [1.0], "after": [2.0]})
            found += [
                each
                for each in (ruler, line, changes(pair, norms, method, language=language))
                if isinstance(each, NotYet)
            ]
            said += [text for each in found for text in told(each)]
            said += [line.source] if isinstance(line, Cutoff) else []
    published = Cutoff("published", 10, "Kroenke et al. (2001)")
    said += told(changed("K-07", 17, 8, ALONE, line=published, language=language))
    own = norms_of(instrument("state"), language=language)
    said += [own.name, *told(changed("K-07", 6.5, 3.0, own, language=language))]
    for scores in STEPS:
        for reversal in (0.5, 0.25):
            said += of_steps(scores, Criteria(7, reversal=reversal), language)
    return said + of_steps((), Criteria(7), language)


def of_steps(scores: Sequence[float], criteria: Criteria, language: Language) -> list[str]:
    course = {"session": range(1, len(scores) + 1), "outcome": [float(score) for score in scores]}
    table = pl.DataFrame(course, schema={"session": pl.Int64, "outcome": pl.Float64}).with_columns(
        client=pl.lit("K-07"), instrument=pl.lit("bdi")
    )
    found = jumped(table, criteria, language=language)
    return [text for each in (found if isinstance(found, tuple) else (found,)) for text in told(each)]


@pytest.fixture(scope="module")
def said() -> dict[Language, list[str]]:
    """Everything that is said of the same tables, in the same order."""
    return {language: of_courses(language) + of_change(language) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_gate_and_every_finding_is_reached(said: dict[Language, list[str]], language: Language) -> None:
    whole = "\n".join(said[language])
    assert [
        name
        for name, both in sentences().items()
        if name.startswith(("trajectory_", "change_", "rated_one", "rated_some"))
        and (
            "_pairing" not in name or name == "trajectory_limit_pairing"
        )  # tests/trajectories/test_pairing.py
        and not re.search(re.sub(r"\\\{[a-z_]+\\\}", ".+?", re.escape(both[language])), whole)
    ] == []


def test_no_english_is_left_in_spanish(said: dict[Language, list[str]]) -> None:
    assert len(said["en"]) == len(said["es"])
    english = {text for text in said["en"] if text.endswith(".")}
    assert [text for text in said["es"] if text in english or ENGLISH.search(text)] == []
    for text, spanish in zip(said["en"], said["es"], strict=True):
        assert text != spanish or not ENGLISH.search(text)


def test_numbers_have_the_sign_of_their_language(said: dict[Language, list[str]]) -> None:
    assert [text for text in said["es"] if re.search(r"\d\.\d", text)] == []
    assert [text for text in said["en"] if re.search(r"\d,\d(?!\d\d)", text)] == []


def test_not_yet_opens_in_the_language(said: dict[Language, list[str]]) -> None:
    openings = [
        (a[:9] == "Not yet: ", b[:12] == "Todavía no: ") for a, b in zip(said["en"], said["es"], strict=True)
    ]
    assert any(first for first, _ in openings)
    assert all(first == second for first, second in openings)


def test_put_together_too_it_is_read_between_two_sessions(said: dict[Language, list[str]]) -> None:
    whole = {text for text in said["en"] if text.endswith(".") and "100 to 100" not in text}
    assert [text for text in whole if readability(text) > HARDEST] == []


def test_ruptures_speak_as_the_courses_do_unless_they_are_asked_otherwise() -> None:
    few = rated({"a": [5.0, 6.0], "b": [6.0, 6.0]})
    spanish = ruptures(trajectories(few, TEN, prior=None, language="es"))
    assert spanish.all.sentence.startswith("Todavía no: 2 clientes")
    assert spanish.of("a").sentence.startswith("Todavía no: 2 clientes")
    once = ruptures(rated({"a": [5.0], "b": [6.0]}), TEN, language="es")
    assert once.all.sentence.startswith("Todavía no: 1 sesión")
    assert once.of("a").sentence.startswith("Todavía no: 1 sesión")
    assert ruptures(trajectories(few, TEN, prior=None, language="es"), language="en").language == "en"


def test_one_therapists_caseload_keeps_its_language() -> None:
    whole = trajectories(simulate(2, 3, seed=3).ratings, TEN, language="es")
    assert {each.language for each in whole.of("T1")} == {whole.of("T1").language} == {"es"}


def readability(text: str) -> float:
    """Automated readability index (Smith & Senter 1967), as in test_wording.py."""
    letters = sum(sign.isalnum() for sign in text)
    words, ends = len(text.split()), max(len(re.findall(r"[.?!:;](\s|$)", text)), 1)
    return 4.71 * letters / words + 0.5 * words / ends - 21.43
