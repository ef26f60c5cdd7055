"""Which columns each tidy table has: of which type, in which unit, meaning what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "count", "number", "flag", "time", "word"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a tidy table.

    Parameters
    ----------
    name
        As in the vocabulary.
    kind
        ``code`` (text that names someone), ``count`` (1, 2, …), ``number``, ``flag`` (true or false),
        ``time`` (date and time, without zone), ``word`` (one of `words`).
    meaning
        What it holds, in one sentence.
    unit
        What its numbers count; empty for codes.
    required
        Whether the table is refused without it.
    empty
        Whether a row may leave it empty.
    words
        The words that a column of kind ``word`` may hold.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    empty: bool = True
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """A tidy table: its columns, and the columns that make a row unique."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def column(self, name: str) -> Column | None:
        """Return the column of that name, if the table has it."""
        return next((column for column in self.columns if column.name == name), None)


_THERAPIST = Column(
    "therapist", "code", "Who gave the session; left out where there is one therapist.", empty=False
)
_CLIENT = Column("client", "code", "Who it is about: a code, never a name.", required=True, empty=False)
_SESSION = Column(
    "session", "count", "Which session of this therapist with this client: 1, 2, ….", "sessions",
    required=True, empty=False,
)  # fmt: skip
_TIME = Column("time", "time", "When the session began, in local time.")
_WHO_AND_WHEN = (_THERAPIST, _CLIENT, _SESSION, _TIME)
_KEY = ("therapist", "client", "session")

RATINGS = Contract(
    "ratings",
    (
        *_WHO_AND_WHEN,
        Column(
            "score",
            "number",
            "The client's rating of the session, higher is closer.",
            "points",
            required=True,
        ),
        Column("guess", "number", "What the therapist guessed the client would answer.", "points"),
        Column("outcome", "number", "The client's state before the session, on its own scale.", "points"),
    ),
    key=_KEY,
)

SESSIONS = Contract(
    "sessions",
    (
        *_WHO_AND_WHEN,
        Column(
            "attendance", "word", "Whether it was held, and if not, why.", required=True, empty=False,
            words=("held", "late", "cancelled by client", "cancelled by therapist", "missed"),
        ),
        Column("lateness", "number", "How late it began; by whom stands in attendance.", "minutes"),
    ),
    key=_KEY,
)  # fmt: skip

OUTCOMES = Contract(
    "outcomes",
    (
        _CLIENT,
        _SESSION,
        _TIME,
        Column("instrument", "code", "Which instrument, by its id.", required=True, empty=False),
        Column("outcome", "number", "The score on that instrument's own scale.", "points", required=True),
    ),
    key=("client", "session", "instrument"),
)

REFLECTIONS = Contract(
    "reflections",
    (
        *_WHO_AND_WHEN,
        Column("feeling", "code", "Which feeling of the therapist's own.", required=True, empty=False),
        Column("strength", "number", "How strong it was.", "0 to 10", required=True),
    ),
    key=(*_KEY, "feeling"),
)

DAYS = Contract(
    "days",
    (
        *_WHO_AND_WHEN,
        Column(
            "my_day", "number", "How the therapist's own day was, higher is better.", "0 to 10", required=True
        ),
    ),
    key=_KEY,
)

NAMINGS = Contract(
    "namings",
    (
        *_WHO_AND_WHEN,
        Column(
            "whose", "word", "Where the therapist thought that the feeling belongs.", required=True,
            words=("mine", "theirs", "between us", "don't know"),
        ),
    ),
    key=_KEY,
)  # fmt: skip

TAGS = Contract(
    "tags",
    (
        *_WHO_AND_WHEN,
        Column(
            "kind", "word", "Which part of Hayes's model it names.", required=True, empty=False,
            words=("origin", "trigger", "manifestation", "effect", "management"),
        ),
        Column("tag", "code", "The therapist's own word for it.", required=True, empty=False),
    ),
    key=(*_KEY, "kind", "tag"),
)  # fmt: skip

ENDINGS = Contract(
    "endings",
    (
        _THERAPIST,
        _CLIENT,
        Column(
            "ending", "word", "How the therapy ended, if it has.", required=True, empty=False,
            words=("agreed", "left", "still here"),
        ),
        Column("last", "count", "The last session there was; else the last one in the other tables.", "sessions"),
    ),
    key=("therapist", "client"),
)  # fmt: skip

CHECK_INS = Contract(
    "check_ins",
    (
        *_WHO_AND_WHEN,
        Column("understood", "number", "The client's answer: understood as they really are.", "points"),
        Column("not_judged", "number", "The client's answer: listened to with an open mind.", "points"),
        Column("could_say", "number", "The client's answer: able to say what was on their mind.", "points"),
        Column("safe", "number", "The client's answer: a safe place to be.", "points"),
        Column("supported", "number", "The client's answer: supported in what they face.", "points"),
        Column("contact", "number", "The client's answer: a moment of real contact.", "points"),
        Column("matters", "number", "The client's answer: time went to what matters most.", "points"),
    ),
    key=_KEY,
)

STEPS = Contract(
    "steps",
    (
        _THERAPIST,
        _CLIENT,
        Column(
            "step", "count", "Which step of this therapist with this client: 1, 2, ….", "steps",
            required=True, empty=False,
        ),
        Column("session", "count", "The session after which it was chosen, where there was one.", "sessions"),
        Column("time", "time", "When it was chosen, in local time."),
        Column(
            "about", "word", "What the step answers; empty where that was not said.",
            words=(
                "forming", "torn", "theme", "day", "stirs", "style", "unsaid", "outside",
                "rupture", "course", "strain", "hindering",
            ),
        ),
        Column(
            "talked", "word", "The client's answer: whether the two talked about it.", words=("yes", "no"),
        ),
        Column("helped", "number", "The client's answer: how far that talk helped.", "0 to 10"),
        Column(
            "repaired", "word", "What the therapist said when it was closed: whether something was repaired.",
            words=("yes", "partly", "no"),
        ),
    ),
    key=("therapist", "client", "step"),
)  # fmt: skip

CONTRACTS = {
    contract.name: contract
    for contract in (RATINGS, SESSIONS, OUTCOMES, REFLECTIONS, DAYS, NAMINGS, TAGS, ENDINGS, CHECK_INS, STEPS)
}
