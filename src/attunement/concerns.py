"""When somebody's safety is in question: what raised it, what was done, and what a practice does.

It is the record's, never a reflection's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - a field's type
from typing import Final

from attunement.errors import InputError

LONGEST_PROTOCOL: Final = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Concern:
    """A reason to think of somebody's safety, open until somebody says what was done.

    Parameters
    ----------
    id
        Random.
    client, session
        About whom, and after which session, where there is one.
    at
        When it was raised.
    item, answer
        What was answered, as ``instrument.item`` and in points; None where the therapist raised it.
    why
        What the therapist wrote.
    closed, closed_by
        When it was closed, and by which account.
    done, done_at
        What was done, and when.
    covered
        Whether it is from a cover that is over, whose sessions are another count: it is told to none of one's own.
    """

    id: str
    client: str
    session: int | None
    at: datetime
    item: str | None = None
    answer: float | None = None
    why: str = field(default="", repr=False)
    closed: datetime | None = None
    closed_by: str | None = None
    done: str = field(default="", repr=False)
    done_at: datetime | None = None
    covered: bool = False


@dataclass(frozen=True, slots=True)
class Protocol:
    """What the practice does where somebody's safety is in question, in its own words.

    Parameters
    ----------
    help_en, help_es
        The line on every page that a client sees.
    number
        What can be called or texted at any hour; 988 in the United States.
    steps
        What the therapist is to do, shown beside every open concern.
    """

    help_en: str = "In a crisis now? Call or text 988, at any hour. In danger: 911."
    help_es: str = (
        "¿Está en crisis ahora? Llame o envíe un mensaje al 988, a cualquier hora. En peligro: 911."
    )
    number: str = "988"
    steps: str = (
        "Reach the client today and ask directly. Assess with the tool you use, make or renew a safety plan, "
        "talk about means, consult. Write down what was done and when."
    )

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9 +()*#-]{2,30}", self.number):
            raise InputError("The number to call has 2 to 30 digits, such as 988.")
        if any(
            not 1 <= len(text.strip()) <= LONGEST_PROTOCOL
            for text in (self.help_en, self.help_es, self.steps)
        ):
            raise InputError(f"Each text of the protocol has 1 to {LONGEST_PROTOCOL:,} characters.")
