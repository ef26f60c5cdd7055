"""What goes to a client and comes back: an invitation with its token, what is asked, what was tried, a receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from attunement.errors import InputError

if TYPE_CHECKING:
    from attunement.instruments import Instrument
    from attunement.sessions import Invitation


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, with the token that is shown once and kept nowhere.

    Parameters
    ----------
    invitation
        What is kept.
    token
        What the link carries; the practice knows its SHA-256 alone.
    """

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody who holds a token may know: what is asked, and nothing about whom.

    Parameters
    ----------
    instrument
        What is asked.
    step
        Whether a step was to be tried in this session, about which two more questions are asked.
    """

    instrument: Instrument
    step: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What a client says about what was tried: whether it was talked about, and whether that helped.

    Parameters
    ----------
    talked
        ``yes`` or ``no``; None where skipped.
    helped
        0 to 10; None where skipped.
    """

    talked: Literal["yes", "no"] | None = None
    helped: float | None = None

    def __post_init__(self) -> None:
        if self.talked not in {None, "yes", "no"}:
            raise InputError("Whether it was talked about is yes, no, or left out.")
        number = isinstance(self.helped, int | float) and not isinstance(self.helped, bool)
        if self.helped is not None and not (number and 0 <= self.helped <= 10):
            raise InputError("How far it helped is a number from 0 to 10, or left out.")


@dataclass(frozen=True, slots=True)
class Received:
    """That answers are on the disk.

    Parameters
    ----------
    receipt
        The same for the same sending.
    at_risk
        Whether an answer asks for a look at somebody's safety.
    curve
        Whether the therapist lets the client see their own course.
    """

    receipt: str
    at_risk: bool = False
    curve: bool = False


NOTHING_TRIED: Final = Tried()
