"""A report for one supervisor about one dyad: the course, the moment, the pattern, what was tried, and a question.

Nothing is in it because it was not struck out. It is built from nothing, part by part, by what the therapist ticks
(`Parts.only`); of a reflection each part has a tick of its own. The client stands in it as a code.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import date  # noqa: TC003 - read at run time, by `reading`
from typing import TYPE_CHECKING, Final, Literal

from attunement.errors import InputError
from attunement.sessions import LONGEST_WORDS
from attunement.supervising.reading import read_as

if TYPE_CHECKING:
    from collections.abc import Collection

    from attunement.findings import Finding, NotYet

LONGEST_QUESTION: Final = 1_000  # characters
TICKS: Final = ("course", "rupture", "answers", "feelings", "whose", "pull", "strain", "words", "steps")
"""What can be ticked, in the order of the report; the pattern's findings have one each (`pattern_tick`)."""
OWN: Final = frozenset({"feelings", "whose", "pull", "strain", "words"})
"""Those that come from the therapist's own reflection."""
_LONGEST_LINE, _LONGEST_TEXT = 400, 4_000  # characters
_MOST, _MOST_COLUMNS, _MOST_TOLD = 600, 12, 20  # rows of a table, its columns, findings of a pattern
_KEPT: Final = {"\n", "\t", "\r"}


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as it is told: what it speaks of, its sentence, what it cannot tell, and the table behind it.

    Parameters
    ----------
    heading, sentence
        Of the finding, with the uncertainty in the sentence.
    limits
        What it cannot tell, a sentence each.
    columns, rows
        The evidence as it is written; may be empty.
    """

    heading: str
    sentence: str
    limits: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        _check(_LONGEST_LINE, self.heading, *self.columns, *(cell for row in self.rows for cell in row))
        _check(_LONGEST_TEXT, self.sentence, *self.limits)
        _count(_MOST, self.rows, self.limits)
        if len(self.columns) > _MOST_COLUMNS or any(len(row) != len(self.columns) for row in self.rows):
            raise InputError("A table of a report has a cell for each of its columns, at most 12.")

    @classmethod
    def of(cls, found: Finding | NotYet, digits: int = 1) -> Told:
        """Tell what an analysis returned; where the data cannot carry it yet, that is told.

        Parameters
        ----------
        found
            Of an analysis.
        digits
            With how many decimals the table is written.
        """
        evidence = getattr(found, "evidence", None)
        if evidence is None:
            return cls(found.about, found.sentence)
        rows = tuple(tuple(_cell(value, digits) for value in row) for row in evidence.head(_MOST).iter_rows())
        return cls(found.about, found.sentence, getattr(found, "limits", ()), tuple(evidence.columns), rows)


@dataclass(frozen=True, slots=True)
class Point:
    """One session of a course, in points of its scale; what is not known is None."""

    session: int
    rating: float | None = None
    connection: float | None = None
    low: float | None = None
    high: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The course of the connection.

    Parameters
    ----------
    sentences
        State, depth and speed, each with its interval.
    limits
        What they cannot tell.
    low, high
        Ends of the scale.
    points
        A session each: what the chart and the table show.
    """

    sentences: tuple[str, ...]
    limits: tuple[str, ...]
    low: float
    high: float
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        _check(_LONGEST_TEXT, *self.sentences, *self.limits)
        _count(_MOST, self.points, self.sentences, self.limits)
        if not self.low < self.high or any(each.session < 1 for each in self.points):
            raise InputError("A course has sessions from 1 on, and a scale with two ends.")


@dataclass(frozen=True, slots=True)
class Rupture:
    """What the ratings tell of a rupture, with how often such an alert is wrong.

    Parameters
    ----------
    sentence, limits
        Of the finding; the error rate is in them.
    fell, back
        The sessions at which the ratings fell, and were back.
    """

    sentence: str
    limits: tuple[str, ...] = ()
    fell: tuple[int, ...] = ()
    back: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _check(_LONGEST_TEXT, self.sentence, *self.limits)
        _count(_MOST, self.limits, self.fell, self.back)


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of the client's check-in, and their answer in points; None where they skipped it."""

    line: str
    points: float | None


@dataclass(frozen=True, slots=True)
class Feeling:
    """A feeling of the therapist's own, 0 to 10."""

    word: str
    strength: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One session.

    Parameters
    ----------
    session, day
        Which, and when.
    most
        What the answers are out of.
    answers
        What the client answered.
    feelings, whose, pull, strain, words
        From the therapist's own reflection.
    """

    session: int
    day: date | None = None
    most: float = 10.0
    answers: tuple[Answer, ...] = ()
    feelings: tuple[Feeling, ...] = field(default=(), repr=False)
    whose: str = field(default="", repr=False)
    pull: tuple[str, ...] = field(default=(), repr=False)
    strain: tuple[str, ...] = field(default=(), repr=False)
    words: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        lines = (each.line for each in self.answers)
        _check(_LONGEST_LINE, self.whose, *self.pull, *self.strain, *lines, *(f.word for f in self.feelings))
        _check(LONGEST_WORDS, self.words)
        _count(100, self.answers, self.feelings, self.pull, self.strain)
        if self.session < 1 or not self.most > 0:
            raise InputError("The moment of a report is a session, from 1 on.")

    @property
    def own(self) -> bool:
        """Whether something of the therapist's own reflection is in it."""
        return bool(self.feelings or self.whose or self.pull or self.strain or self.words)

    def only(self, ticks: Collection[str]) -> Moment | None:
        """Return what was ticked of it; None where nothing was."""
        kept = {name: getattr(self, name) for name in ("answers", *OWN) if name in ticks}
        if not any(kept.values()):
            return None
        return Moment(self.session, self.day, self.most, **kept)


@dataclass(frozen=True, slots=True)
class Tried:
    """A step that was chosen, and what came of it."""

    chosen: date
    what: str
    outcome: str | None = None

    def __post_init__(self) -> None:
        _check(_LONGEST_TEXT, self.what, self.outcome or "")


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to choose from; and, after `only`, what was chosen."""

    course: Course | None = None
    rupture: Rupture | None = None
    moment: Moment | None = field(default=None, repr=False)
    pattern: tuple[Told, ...] = field(default=(), repr=False)
    steps: tuple[Tried, ...] = ()

    def __post_init__(self) -> None:
        _count(_MOST_TOLD, self.pattern)
        _count(_MOST, self.steps)

    def only(self, ticks: Collection[str]) -> Parts:
        """Return what was ticked, built from nothing.

        Raises
        ------
        InputError
            Where something was ticked that nobody can tick.
        """
        known = {*TICKS, *(pattern_tick(place) for place in range(len(self.pattern)))}
        if not set(ticks) <= known:
            raise InputError("What is shared is one of the parts that are shown; please load the page again.")
        return Parts(
            course=self.course if "course" in ticks else None,
            rupture=self.rupture if "rupture" in ticks else None,
            moment=self.moment.only(ticks) if self.moment else None,
            pattern=tuple(each for place, each in enumerate(self.pattern) if pattern_tick(place) in ticks),
            steps=self.steps if "steps" in ticks else (),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What one supervisor is shown of one dyad.

    Parameters
    ----------
    client
        The code.
    sender
        The therapist's account.
    made
        On which day.
    question
        What the therapist asks; 1 to 1,000 characters.
    parts
        What was ticked.
    language
        Of its headings.

    Raises
    ------
    InputError
        With one sentence, and never with what was written.
    """

    client: str
    sender: str
    made: date
    question: str = field(repr=False)
    parts: Parts = field(default_factory=Parts, repr=False)
    language: Literal["en", "es"] = "en"

    def __post_init__(self) -> None:
        _check(32, self.client, self.sender)
        if not self.question.strip():
            raise InputError("Please write your question: supervision begins with it.")
        if len(self.question) > LONGEST_QUESTION:
            raise InputError(f"The question has at most {LONGEST_QUESTION:,} characters.")
        _check(LONGEST_QUESTION, self.question)

    def as_json(self) -> str:
        """Write it, to be sealed."""
        return json.dumps(asdict(self), allow_nan=False, default=str, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read it, unsealed; whoever wrote it, nothing is taken that `as_json` would not have written.

        Raises
        ------
        Damaged
            With one sentence, whatever is wrong.
        """
        return read_as(cls, text)


def pattern_tick(place: int) -> str:
    """Name the tick of a pattern's finding by its place.

    >>> pattern_tick(2)
    'pattern-2'
    """
    return f"pattern-{place}"


def _check(most: int, *texts: str) -> None:
    for text in texts:
        if len(text) > most:
            raise InputError(f"A text of the report has more than {most:,} characters.")
        if not text.isprintable() and any(
            unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _KEPT for sign in text
        ):
            raise InputError("A text of the report holds a sign that cannot be kept; please write it anew.")


def _count(most: int, *lists: tuple[object, ...]) -> None:
    if any(len(each) > most for each in lists):
        raise InputError(f"A list of the report has more than {most} lines.")


def _cell(value: object, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)
