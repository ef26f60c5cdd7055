"""The timeline: one line of sessions in a picture, a sentence and a table, whatever is known of a dyad."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from attunement.sessions import Session
from attunement.simulate import simulate
from attunement.timeline import Course, timeline
from attunement.trajectories import Measure, Trajectory, trajectories

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
ATTENDED = ("held", "late", "cancelled by client", "missed", "held", "planned")


def sessions(*attendance: str) -> tuple[Session, ...]:
    return tuple(
        Session(f"s{n}", "K-07", n, BEGAN + timedelta(days=7 * n), word, 10.0 if word == "late" else None)
        for n, word in enumerate(attendance, 1)
    )


@pytest.fixture(scope="module")
def trajectory() -> Trajectory:
    made = simulate(1, 16, seed=4, sessions=8)
    return trajectories(made.ratings, Measure.of("connection")).trajectories[0]


def test_it_is_a_picture_a_sentence_and_a_table(trajectory: Trajectory) -> None:
    course = Course(
        "K-07", sessions(*ATTENDED), trajectory, state={2: 4.0}, felt={1: 5.0, 2: 6.0}, guess={1: 4.0, 2: 5.5},
        strain={2: ("withdrew",), 5: ("repaired",)}, steps={2: "ask about the silence"}, concerns=frozenset({2}),
    )  # fmt: skip
    (drawn,) = timeline(course, 720)
    root = ET.fromstring(drawn.markup)  # noqa: S314 - our own
    assert root.get("aria-label") == drawn.sentence
    assert "3 sessions held with K-07, 2 not held" in drawn.sentence
    assert "Strain noted in session 2" in drawn.sentence
    assert trajectory.depth.sentence in drawn.sentence
    rows = {row["session"]: row for row in drawn.table.iter_rows(named=True)}
    assert rows[2]["attendance"] == "late, 10 min"
    assert (rows[2]["felt"], rows[2]["guess"], rows[2]["strain"]) == (6.0, 5.5, "withdrew")
    assert rows[2]["step"] == "ask about the silence"


def test_what_nobody_knows_is_no_column_and_no_track() -> None:
    (drawn,) = timeline(Course("K-07", sessions("held")), 720)
    assert drawn.table.columns == ["session", "attendance"]
    assert "strain" not in drawn.markup
    assert Course("K-07", ()).tracks == ()
    assert timeline(Course("K-07", ()), 720)[0].table.height == 0


@pytest.mark.parametrize("last", [1, 2, 400, 100_000])
def test_any_number_of_sessions_fits(last: int) -> None:
    one = Session("s", "K-07", last, BEGAN)
    for width, drawn in zip((340, 720), timeline(Course("K-07", (one,)), 340, 720), strict=True):
        root = ET.fromstring(drawn.markup)  # noqa: S314 - our own
        for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(circle.get("cx") or -1) <= width


def test_each_attendance_has_a_form_of_its_own() -> None:
    forms = []
    for word in ("held", "late", "missed", "cancelled by client", "planned"):
        drawn = timeline(Course("K-07", sessions(word)), 720)[0].markup
        forms.append(drawn[drawn.index("attendance</text>") :])
    assert len(set(forms)) == len(forms)


def test_a_code_is_text_in_the_picture() -> None:
    (drawn,) = timeline(Course('K"><script>', sessions("held")), 720)
    assert "<script>" not in drawn.markup


def test_where_a_rating_fell_and_was_back_has_marks_of_its_own() -> None:
    course = Course("K-07", sessions("held", "held", "held", "held"), ruptures={2: "fell", 4: "back"})
    (drawn,) = timeline(course, 720)
    assert "probable ruptures" in drawn.markup
    assert "Probable rupture at session 2." in drawn.sentence
    assert drawn.table["rupture"].to_list() == [None, "probable rupture", None, "back"]
