"""What happens in a practice, as values: who meets whom, what was answered, what was agreed.

A client is a code, never a name. Points in time are in UTC. A reflection is the therapist's own and never leaves the
hands of its owner in clear; all the others are the record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, Literal

from attunement.errors import InputError
from attunement.frames import SESSIONS, STEPS
from attunement.instruments import Answers, Instrument, Score, instrument, score

_CODE: Final = re.compile(r"[^\W_](?:[\w .\-]{0,30}[^\W_])?")
UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When a session began of which a table did not say."""
LONGEST_WORDS: Final = 20_000  # characters of private words

Feelings = Mapping[str, float]
Whose = Literal["mine", "theirs", "between us", "don't know"]
WHOSE: Final[tuple[Whose, ...]] = ("mine", "theirs", "between us", "don't know")
FEELINGS: Final = (
    ("warm", "irritated"),
    ("curious", "bored"),
    ("hopeful", "helpless"),
    ("at ease", "tense"),
    ("moved", "distant"),
    ("glad to see them", "relieved it was over"),
)
"""Our own words, as many pleasant as unpleasant; a pleasant one is as much countertransference as the other."""
PULLS: Final = ("rescue", "withdraw", "argue", "please", "teach", "control")
STRAINS: Final = ("withdrew", "confronted", "named", "repaired")
PLANNED: Final = "planned"
"""The attendance of a session that is still to come."""
ATTENDANCE: Final = next(column.words for column in SESSIONS.columns if column.name == "attendance")
ENDINGS: Final = ("agreed", "left")
"""How a therapy ended: agreed together, or left without agreement."""
ABOUT: Final = next(column.words for column in STEPS.columns if column.name == "about")
"""What a step can answer: a hypothesis of the board, or what called for attention."""
OWN_SIDE: Final = frozenset({"strain", "theme", "day", "stirs", "style"})
"""What a step can be about that comes from the therapist's own side; it is no part of what a client is given."""
REPAIRED: Final = next(column.words for column in STEPS.columns if column.name == "repaired")


class Credential(StrEnum):
    """By what licence somebody practises in the United States.

    *Psychologist* is a protected word there: it means a doctoral degree and a licence.
    """

    PSYCHOLOGIST = "psychologist (doctoral)"
    PSYCHIATRIST = "psychiatrist (MD, DO)"
    NURSE = "psychiatric nurse practitioner"
    SOCIAL_WORKER = "clinical social worker (LCSW)"
    COUNSELOR = "professional counselor (LPC, LMHC, LPCC)"
    FAMILY_THERAPIST = "marriage and family therapist (LMFT)"
    MASTERS_PSYCHOLOGY = "master's level, psychology (LPA, LMLP)"
    IN_TRAINING = "in supervised training"
    OTHER = "another licence, or outside the United States"


class Purpose(StrEnum):
    """What a client can agree to, each by itself."""

    CHECK_INS = "check-ins"
    SUPERVISION = "supervision"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class Therapist:
    """Somebody who gives sessions.

    Parameters
    ----------
    code
        The account, such as ``T-1``.
    credential
        The licence.
    name
        As the practice shows it; may be empty.
    """

    code: str
    credential: Credential
    name: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who comes: a code, never a name.

    Parameters
    ----------
    id
        Random; what other tables refer to.
    code
        What the therapist sees.
    since
        When they began.
    held
        Why the record may not be erased now (a legal hold), or None.
    """

    id: str
    code: str
    since: datetime
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Dyad:
    """A therapist with a client.

    Parameters
    ----------
    id
        Random.
    therapist, client
        Who.
    since, ended
        From when, and until when.
    ending
        How it ended, one of `ENDINGS`; None where that was not said.
    until
        The end of a cover; None where the client is the therapist's own.
    handed
        Whether it ended because the client was handed over for good.
    """

    id: str
    therapist: str
    client: Client
    since: datetime
    ended: datetime | None = None
    ending: str | None = None
    until: datetime | None = None
    handed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One session, held or not.

    Parameters
    ----------
    id
        Random.
    client
        The client's code.
    number
        1, 2, … within the dyad.
    began
        When it began, or was to begin.
    attendance
        One of ``held``, ``late``, ``cancelled by client``, ``cancelled by therapist``, ``missed``; or ``planned``.
    lateness
        In minutes, where known.
    """

    id: str
    client: str
    number: int
    began: datetime
    attendance: str = "held"
    lateness: float | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A message or a call between sessions; that it was, never what it said."""

    id: str
    client: str
    at: datetime
    kind: Literal["message", "call"]
    begun_by: Literal["client", "therapist"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time way to a check-in.

    Parameters
    ----------
    id
        Random.
    client, session
        Whose, and after which session.
    instrument
        What is asked.
    expires
        Until when it can be used.
    used
        Whether it was.
    """

    id: str
    client: str
    session: int
    instrument: str
    expires: datetime
    used: bool = False


@dataclass(frozen=True, slots=True)
class CheckIn:
    """The client's answers for one session; skipped items are None.

    Parameters
    ----------
    id
        Random.
    client, session
        By whom, and for which session.
    at
        When it was sent.
    instrument, version
        What was asked.
    answers
        By item, in points.
    description
        What was asked, where it is not one that is shipped.
    """

    id: str
    client: str
    session: int
    at: datetime
    instrument: str
    version: str
    answers: Answers
    description: Instrument | None = field(default=None, repr=False, compare=False)

    @property
    def asked(self) -> Instrument:
        """What was asked."""
        return self.description or instrument(self.instrument)

    @property
    def score(self) -> Score | None:
        """What the answers come to; None where no score can be made of them."""
        asked = self.asked
        return None if asked.unscored else score(asked, asked.complete(self.answers))


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """What the client said of a step in a check-in.

    Parameters
    ----------
    session
        Of which session the check-in was.
    talked
        ``yes`` or ``no``; None where skipped.
    helped
        0 to 10; None where skipped.
    """

    session: int
    talked: str | None = None
    helped: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What the therapist tries next, and what came of it.

    Parameters
    ----------
    id
        Random.
    client
        The client's code.
    chosen, after
        When, and after which session; None where there was none yet.
    what
        What is tried.
    outcome
        What came of it; None while it is open.
    about
        What it answers, one of `ABOUT`; None where that was not said.
    repaired
        Whether something was repaired, one of `REPAIRED`; None where it was not about that.
    answers
        What the client said of it, in the order of sessions.
    """

    id: str
    client: str
    chosen: datetime
    what: str
    outcome: str | None = None
    about: str | None = None
    repaired: str | None = None
    after: int | None = None
    answers: tuple[StepAnswer, ...] = ()

    @property
    def talked(self) -> str | None:
        """Whether they talked about it: yes as soon as the client said so once."""
        said = {each.talked for each in self.answers}
        return "yes" if "yes" in said else "no" if "no" in said else None

    @property
    def helped(self) -> float | None:
        """How far the talk helped, as the client last said; nothing where there was none."""
        given = [each.helped for each in self.answers if each.talked != "no" and each.helped is not None]
        return given[-1] if given else None


@dataclass(frozen=True, slots=True)
class Consent:
    """What a client agreed to; withdrawn, it stops every new use at once."""

    id: str
    client: str
    purpose: Purpose
    given: datetime
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reflection:
    """The therapist's own after a session: what they felt, guessed and make of it. Sealed to them.

    Parameters
    ----------
    connection
        How connected it felt today, 0 to 10.
    guess
        What the client will have answered, by item.
    feelings
        The therapist's own feelings, each 0 to 10.
    pull
        What one felt drawn to do: rescue, withdraw, argue, please, teach, control.
    whose
        Where it belongs: mine, theirs, between us, don't know.
    strain
        What was strained, and whether it was named or repaired.
    tags
        Of Hayes's model: ``origin: …``, ``trigger: …``, ``manifestation: …``, ``management: …``.
    my_day
        How the therapist's own day was, 0 to 10.
    words
        Private words.
    finished
        Whether it is done; what is kept while one is still writing is not.
    after_seeing
        Whether the client's answers had been shown before the guess was made.

    Raises
    ------
    InputError
        With one sentence, and never with what was written.
    """

    connection: float | None = None
    guess: Mapping[str, float | None] = field(default_factory=dict, repr=False)
    feelings: Feelings = field(default_factory=dict, repr=False)
    pull: tuple[str, ...] = field(default=(), repr=False)
    whose: Whose | None = field(default=None, repr=False)
    strain: tuple[str, ...] = field(default=(), repr=False)
    tags: tuple[str, ...] = field(default=(), repr=False)
    my_day: float | None = field(default=None, repr=False)
    words: str = field(default="", repr=False)
    finished: bool = True
    after_seeing: bool = False

    def __post_init__(self) -> None:
        for name in ("connection", "my_day"):
            _in_range(f"{name} of a reflection", getattr(self, name))
        for guessed in self.guess.values():
            _in_range("A guess of a reflection", guessed)
        for strength in self.feelings.values():
            _in_range("A feeling of a reflection", strength)
        if any(each not in PULLS for each in self.pull):
            raise InputError(f"The pull of a reflection is one of {', '.join(PULLS)}.")
        if any(each not in STRAINS for each in self.strain):
            raise InputError(f"The strain of a reflection is one of {', '.join(STRAINS)}.")
        if self.whose is not None and self.whose not in WHOSE:
            raise InputError(f"Whose it is, is one of {', '.join(WHOSE)}.")
        if len(self.words) > LONGEST_WORDS:
            raise InputError(f"The private words of a reflection have at most {LONGEST_WORDS:,} characters.")

    def as_json(self) -> str:
        """Write it, to be sealed."""
        return json.dumps({each.name: getattr(self, each.name) for each in fields(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Reflection:
        """Read it, unsealed."""
        stored: dict[str, Any] = json.loads(text)
        for name in ("pull", "strain", "tags"):
            stored[name] = tuple(stored[name])
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Reflected:
    """A reflection with where it belongs.

    Parameters
    ----------
    id, revision
        Which one, and which writing of it.
    client, session
        About whom, after which session.
    at
        When it was last written.
    reflection
        What it says.
    """

    id: str
    revision: int
    client: str
    session: int
    at: datetime
    reflection: Reflection = field(repr=False)


def code(text: str, what: str = "client") -> str:
    """Take a code, as somebody typed it: 1 to 32 letters, digits, spaces, points and hyphens.

    Raises
    ------
    InputError
        Where it is none, such as an e-mail address.

    Examples
    --------
    >>> code("  K-07 ")
    'K-07'
    """
    trimmed = text.strip()
    if not _CODE.fullmatch(trimmed):
        raise InputError(
            f"A code of a {what} has 1 to 32 letters, digits, spaces, points or hyphens, such as K-07."
        )
    return trimmed


def instant(time: datetime) -> datetime:
    """Take a point in time; one without a zone is in this computer's."""
    return time.astimezone(UTC)


def _in_range(what: str, points: object) -> None:
    number = isinstance(points, int | float) and not isinstance(points, bool)
    if points is not None and not (number and 0 <= float(points) <= 10):  # type: ignore[arg-type]
        raise InputError(f"{what[0].upper()}{what[1:]} is a number from 0 to 10, or left out.")
