"""A report holds what was ticked and nothing else, and is read back strictly, whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attunement.errors import Damaged, InputError
from attunement.findings import Estimate, Finding, NotYet
from attunement.supervising import (
    LONGEST_QUESTION,
    TICKS,
    Answer,
    Course,
    Feeling,
    Moment,
    Parts,
    Point,
    Report,
    Rupture,
    Told,
    Tried,
    course_picture,
    pattern_tick,
)

if TYPE_CHECKING:
    from attunement.instruments.description import Language

DAY = date(2026, 3, 2)
PLANTED = {
    "course": "PLANTED-COURSE", "rupture": "PLANTED-RUPTURE", "answers": "PLANTED-ANSWER",
    "feelings": "PLANTED-FEELING", "whose": "PLANTED-WHOSE", "pull": "PLANTED-PULL", "strain": "PLANTED-STRAIN",
    "words": "PLANTED-WORDS", "steps": "PLANTED-STEP", "pattern-0": "PLANTED-FIRST", "pattern-1": "PLANTED-SECOND",
}  # fmt: skip
EVERY = tuple(PLANTED)
DAMAGED = "not as a report is written"


def whole() -> Parts:
    """Everything that can be ticked, each part with a word of its own."""
    points = (Point(1, 5.0), Point(2, None, 5.2, 4.1, 6.3, 3.0, 8.0))
    return Parts(
        Course((PLANTED["course"],), ("a limit",), 0.0, 10.0, points),
        Rupture(PLANTED["rupture"], ("a limit",), (2,), ()),
        Moment(
            2, DAY, 10.0, (Answer(PLANTED["answers"], 3.0), Answer("another", None)),
            (Feeling(PLANTED["feelings"], 7.0),), PLANTED["whose"], (PLANTED["pull"],), (PLANTED["strain"],),
            PLANTED["words"],
        ),
        tuple(Told("found", PLANTED[f"pattern-{place}"], ("a limit",), ("part",), (("1.0",),)) for place in (0, 1)),
        (Tried(DAY, PLANTED["steps"], "it helped"), Tried(DAY, "another")),
    )  # fmt: skip


def report(parts: Parts | None = None, **changed: Any) -> Report:  # noqa: ANN401 - of any field
    return replace(Report("K-1", "T-1", DAY, "What is it?", parts or Parts()), **changed)


def test_every_tick_has_a_word_here() -> None:
    assert set(PLANTED) == {*TICKS, pattern_tick(0), pattern_tick(1)}


def test_nothing_is_in_it_that_was_not_ticked_and_all_that_was() -> None:
    """All 2,048 combinations."""
    everything = whole()
    for bits in range(2 ** len(EVERY)):
        ticked = {name for place, name in enumerate(EVERY) if bits >> place & 1}
        told = report(everything.only(ticked)).as_json()
        assert {name for name, word in PLANTED.items() if word in told} == ticked


def test_a_moment_of_which_nothing_was_ticked_is_not_even_named() -> None:
    assert whole().only({"course", "steps"}).moment is None


def test_what_nobody_can_tick_is_refused() -> None:
    for odd in ("everything", "pattern-2", "my_day"):
        with pytest.raises(InputError, match="load the page again"):
            whole().only({odd})


@given(st.sets(st.sampled_from(EVERY)), st.text(min_size=1, max_size=60), st.sampled_from(["en", "es"]))
def test_it_is_read_back_as_it_was_written(ticked: set[str], question: str, language: Language) -> None:
    try:
        made = report(whole().only(ticked), question=question, language=language)
    except InputError:
        return
    assert Report.from_json(made.as_json()) == made


def places(value: object, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [where, *(found for key, each in inner for found in places(each, (*where, key)))]


def put(value: Any, where: tuple[Any, ...], new: object) -> object:  # noqa: ANN401 - whatever JSON holds
    if not where:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[where[0]] = put(value[where[0]], where[1:], new)
    return copy


ODD: tuple[Any, ...] = (None, True, -1, 3.5, "", "x", "\x00", [], [[]], {}, {"a": 1}, 10**30, "9" * 30_000)


@given(st.data())
def test_whatever_is_put_in_any_place_is_taken_as_written_or_damaged(data: st.DataObject) -> None:
    stored = json.loads(report(whole()).as_json())
    where = data.draw(st.sampled_from(places(stored)))
    changed = put(stored, where, data.draw(st.sampled_from(ODD)))
    try:
        taken = Report.from_json(json.dumps(changed))
    except Damaged:
        return
    assert Report.from_json(taken.as_json()) == taken
    taken.as_json().encode()  # no half of a pair of signs


ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(ANY)
def test_other_json_is_damaged(value: object) -> None:
    with pytest.raises(Damaged, match=DAMAGED):
        Report.from_json(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[" * 100_000, '{"client": NaN}', "1e999", "null", "9" * 5_000, "x" * 1_100_000,
        report().as_json().replace('"client": "K-1"', '"client": "K-1", "client": "K-2"'),
        report().as_json().replace('"K-1"', '"\\ud800"'),
        report().as_json().replace('"2026-03-02"', '"20260302"'),
        report().as_json().replace('"en"', '"fr"'),
        report().as_json()[:-1] + ', "extra": 1}',
    ],
    ids=range(13),
)  # fmt: skip
def test_hostile_text_is_damaged_in_one_sentence(text: str) -> None:
    with pytest.raises(Damaged, match=DAMAGED):
        Report.from_json(text)


@pytest.mark.parametrize("question", ["", "  \n", "x" * (LONGEST_QUESTION + 1), "a\x00b"])
def test_a_question_is_asked_in_one_to_a_thousand_characters(question: str) -> None:
    with pytest.raises(InputError) as refused:
        report(question=question)
    assert not question.strip() or question not in str(refused.value)


def test_what_is_private_is_not_printed() -> None:
    shown = repr(report(whole(), question="PLANTED-QUESTION"))
    assert not any(word in shown for word in ("PLANTED-QUESTION", *PLANTED.values()))


def test_a_finding_is_told_with_its_limits_and_its_table() -> None:
    table = pl.DataFrame({"part": ["client", None], "value": [2.125, None], "n": [3, 4]})
    found = Finding(
        "tense", "Two points more.", Estimate(2.1, 1.0, 3.2, "points"), table, ("An association.",)
    )
    told = Told.of(found, digits=2)
    assert told == Told(
        "tense", "Two points more.", ("An association.",), ("part", "value", "n"),
        (("client", "2.12", "3"), ("–", "–", "4")),
    )  # fmt: skip
    assert Told.of(NotYet("tense", "2 sessions", "from 3 it can be told")).sentence.startswith("Not yet")


def test_the_picture_shows_the_moment_and_a_rupture_only_where_they_were_ticked() -> None:
    alone = course_picture(whole().only({"course"}))
    both = course_picture(whole().only({"course", "words", "rupture"}))
    assert alone
    assert both
    assert "stroke-dasharray" not in alone.markup
    assert "stroke-dasharray" in both.markup
    assert "rupture" not in alone.sentence
    assert "rupture is probable at session 2" in both.sentence
    assert course_picture(whole().only({"words"})) is None
