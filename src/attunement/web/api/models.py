"""What comes in and goes out, with units and examples: the documentation is made of it.

What comes in is taken as it is or not at all: a field that is not asked for, a number in quotes or a false for a zero
is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from attunement.sessions import ATTENDANCE, PLANNED, UNDATED

_CLOCK: Final = (
    r"T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
_MOMENT: Final = r"(19[789][0-9]|2[01][0-9][0-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])" + _CLOCK
_WHEN_SAID: Final = (
    "is a day and a time with its zone, from 1970-01-02 to 2199, such as 2026-03-02T14:00:00+01:00"
)
ATTENDED: Final = (*ATTENDANCE, PLANNED)


def _when(value: object) -> datetime:
    if not isinstance(value, str) or not re.fullmatch(_MOMENT, value, re.ASCII):
        raise ValueError(_WHEN_SAID)
    try:
        found = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(_WHEN_SAID) from None
    if found.date() <= UNDATED.date():
        raise ValueError(_WHEN_SAID)
    return found


def written(at: datetime) -> str:
    """Write a point in time, in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").replace(".000000", "")


def dated(at: datetime) -> datetime | None:
    """Return when a session began; None where a table did not say."""
    return None if at == UNDATED else at


When = Annotated[
    datetime,
    BeforeValidator(_when),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_MOMENT}$"}),
]
"""A point in time that comes in."""
At = Annotated[
    datetime,
    PlainSerializer(written, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A point in time that goes out, in UTC."""
Attendance = Annotated[
    Literal["held", "late", "cancelled by client", "cancelled by therapist", "missed", "planned"],
    Field(description="Whether it was held, and if not, why; `planned` where it is still to come."),
]
Lateness = Annotated[
    float | None, Field(ge=0, le=600, description="Minutes that it began late; null where not known.")
]
Code = Annotated[str, Field(description="The client's code; never a name.", examples=["K-07"])]
Number = Annotated[int, Field(description="Which session with this client: 1, 2, …", examples=[3])]
Id = Annotated[str, Field(description="Random.", examples=["0b6f0f3c2c0e4b0f9a4f2f0d6f1a2b3c"])]
Began = Annotated[
    At | None, Field(description="When it began or is to begin, in UTC; null where a table did not say.")
]
Next = Annotated[
    str | None, Field(description="Ask with `after` set to this for what follows; null at the end.")
]
Fresh = Annotated[
    bool,
    Field(description="Whether nothing was rated since; false while what was rated last is being worked in."),
]


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# -- what goes out


class TokenOut(_Out):
    """The token that asks."""

    account: str = Field(description="Whose it is.", examples=["T-1"])
    scopes: list[str] = Field(description="What it opens.", examples=[["findings:read"]])


class ClientOut(_Out):
    """One of your clients."""

    code: Code
    since: At = Field(description="Since when they come.")
    ended: At | None = Field(description="Since when they no longer come; null while they do.")


class Clients(_Out):
    """Your clients, in the order in which they began."""

    items: list[ClientOut]
    next: Next


class SessionOut(_Out):
    """One session, held or not."""

    id: Id
    client: Code
    number: Number
    began: Began
    attendance: Attendance
    lateness: Lateness


class Sessions(_Out):
    """Sessions, in order."""

    items: list[SessionOut]
    next: Next


class CheckInOut(_Out):
    """What a client answered after, or before, one session."""

    id: Id
    client: Code
    session: Number
    at: At = Field(description="When it was sent.")
    instrument: str = Field(description="What was asked.", examples=["connection"])
    version: str = Field(description="Scores of two versions are not compared.", examples=["1.0.0"])
    answers: dict[str, float | None] = Field(
        description="By line, in points of the instrument's scale; null where the line was skipped.",
        examples=[{"safe": 8, "understood": None}],
    )
    scores: dict[str, float | None] = Field(
        description="By scale, in points; null where too many of its lines were skipped.",
        examples=[{"total": 7.5}],
    )


class CheckIns(_Out):
    """Check-ins, in the order of sessions."""

    items: list[CheckInOut]
    next: Next


class StepOut(_Out):
    """What the therapist tries next, and what came of it."""

    id: Id
    client: Code
    chosen: At = Field(description="When it was chosen.")
    what: str = Field(description="In the therapist's words.", examples=["ask how it was when I was late"])
    outcome: str | None = Field(description="What came of it; null while the step is open.")


class Steps(_Out):
    """Steps, in order."""

    items: list[StepOut]
    next: Next


class InvitationOut(_Out):
    """A way to one check-in: it works once, and until it ends."""

    id: Id
    client: Code
    session: Number
    instrument: str = Field(description="What is asked.")
    link: str = Field(description="For the client alone. It is shown here and kept nowhere.")
    expires: At = Field(description="Until when it works.")
    used: bool = Field(
        description="Whether answers were sent by it; true only where the same key asks again."
    )


class Estimated(_Out):
    """A number with its interval; the one never travels without the other."""

    value: float | None = Field(
        description="The number, in the unit; null where it is beyond what is looked at."
    )
    low: float | None = Field(description="Lower end of the interval; null where it is open.")
    high: float | None = Field(description="Upper end of the interval; null where it is open.")
    unit: str = Field(description="What it counts.", examples=["points", "sessions", "share"])
    level: float = Field(description="Probability that the interval holds.", examples=[0.95])


class Found(_Out):
    """Something that the data can carry."""

    kind: Literal["finding"]
    about: str = Field(description="What it speaks of.", examples=["Depth of K-07"])
    sentence: str = Field(
        description="In plain words, with its uncertainty in it. Show this, not the number."
    )
    estimate: Estimated
    limits: list[str] = Field(description="What it cannot tell, a sentence each.")


class NotFoundYet(_Out):
    """What cannot be said yet, and what would let it be said."""

    kind: Literal["not yet"]
    about: str = Field(description="What it speaks of.")
    sentence: str = Field(description="What is missing and what would supply it, as one sentence.")
    missing: str
    supply: str


Told = Annotated[Found | NotFoundYet, Field(discriminator="kind")]


class Course(_Out):
    """The course of one connection, on one measure."""

    client: Code
    measure: str = Field(description="Which measure, by its id; see `measures`.", examples=["connection"])
    rated: int = Field(description="How many sessions were rated.")
    session: Number
    word: str = Field(description="The state in a word or two.", examples=["established"])
    wants_a_look: bool = Field(description="Whether falling or stalled is more likely than not.")
    state: Told = Field(
        description="Forming, established, slow, stalled or falling; its number is the recent change."
    )
    depth: Told = Field(description="The connection at the present session, in points.")
    speed: Told = Field(description="By which session it is established, in sessions.")
    plateau: Told = Field(description="Where it settles, in points, where the courses show a plateau.")
    ruptures: Told | None = Field(
        description="Whether a rating fell far below what was expected of it, in points."
    )


class Scale(_Out):
    """The ends of a measure, in points, and from where on a connection is called established: a convention."""

    low: float
    high: float
    established: float


class Measured(_Out):
    """A measure, and what is told of all courses on it. Ratings of two measures are never mixed."""

    id: str = Field(description="`connection` for the check-ins; random for a table that was taken in.")
    name: str
    scale: Scale | None
    connected: Told | None = Field(
        description="With what share of those met three times or more there is a connection."
    )
    differences: Told | None = Field(
        description="Where ratings differ: between clients, or from session to session."
    )
    ruptures: Told | None = Field(description="With how many clients there was a rupture.")
    limits: list[str] = Field(description="What holds for every number of this measure.")
    problem: str | None = Field(description="Why nothing could be worked out; null where it could.")


class Findings(_Out):
    """What is told of the connection: the same that the pages show."""

    fresh: Fresh
    language: Literal["en", "es"]
    measures: list[Measured]
    items: list[Course] = Field(description="Those first that want attention, a measure after the other.")
    next: Next


class Waiting(_Out):
    """Nothing is known yet; it is being worked out. Ask again after the seconds of `Retry-After`."""

    status: Literal["being worked out"]


class RatingOut(_Out):
    """One rated session: a row of the table that `attunement.trajectories` reads."""

    therapist: str = Field(examples=["T-1"])
    client: Code
    session: Number
    time: At | None = Field(description="When the session began, in UTC; null where a table did not say.")
    score: float | None = Field(
        description="In points of the measure; null where too many lines were skipped."
    )


class Ratings(_Out):
    """Rated sessions, client by client."""

    items: list[RatingOut]
    next: Next


class DeidentifiedOut(_Out):
    """One score of a session of a client who agreed to research: no name, no date, no place, no text."""

    client: str = Field(description="Drawn for this one answer.", examples=["P-48213"])
    session: int
    day: int = Field(description="Days since this client's first session.")
    attendance: str
    instrument: str | None
    version: str | None
    scale: str | None
    score: float | None = Field(description="In points of the scale.")


class Deidentified(_Out):
    """The whole de-identified table; it comes at once, for its codes are drawn anew each time."""

    items: list[DeidentifiedOut]


class FieldProblem(_Out):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(BaseModel):
    """One sentence where something is refused (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="The sentence.")
    errors: list[FieldProblem] = Field(default=[], description="Field by field, where a body was not taken.")


# -- what comes in


class SessionIn(_In):
    """A session that was held, was not, or is planned."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"began": "2026-03-02T14:00:00+01:00", "attendance": "held"}]}
    )
    began: When = Field(description="When it began or is to begin; with its zone.")
    attendance: Attendance = "held"
    lateness: Lateness = None
    number: int | None = Field(
        default=None, ge=1, le=100_000, description="Which session; the next one if left out."
    )


class SessionChange(_In):
    """What is different now; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"attendance": "late", "lateness": 10}], "minProperties": 1}
    )
    began: When | None = Field(default=None, description="When it began or is to begin; with its zone.")
    attendance: Attendance | None = None
    lateness: Lateness = None


class InvitationIn(_In):
    """For which session, what is asked, and how long the link works."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"session": 3, "instrument": "connection"}]})
    session: int = Field(ge=1, le=100_000, description="Which session; it must have been logged.")
    instrument: Literal["connection", "state", "growth", "background"] = Field(
        default="connection", description="What is asked."
    )
    hours: int = Field(default=72, ge=1, le=2160, description="How many hours the link works.")


def out(values: Any, *names: str) -> dict[str, Any]:  # noqa: ANN401 - a value of the practice
    """Return fields of a value by their names: what is not named does not go out."""
    return {name: getattr(values, name) for name in names}
