"""On whose behalf a piece of work reads and writes: what a database holds it to, beside the practice's own policy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OWNER: Final = "attunement_owner"
"""Owns the tables; no piece of work is in its name."""


class Hand(StrEnum):
    """The roles of a clinic's database; each piece of work takes one, and has no other's rights."""

    THERAPIST = "attunement_therapist"
    SUPERVISOR = "attunement_supervisor"
    ADMIN = "attunement_admin"
    DOOR = "attunement_door"
    KEEPER = "attunement_keeper"
    BACKUP = "attunement_backup"


@dataclass(frozen=True, slots=True)
class Whom:
    """Who a piece of work is for.

    Parameters
    ----------
    hand
        In which role.
    account
        Whose rows it may see, for a therapist's, a supervisor's or an admin's.
    token
        The hash of the token that somebody came with, for the door's.
    """

    hand: Hand
    account: str = ""
    token: bytes = b""


KEEPER = Whom(Hand.KEEPER)
"""The house itself: journals, erasures, backups. It sees every row of the record, and no reflection."""

BACKUP = Whom(Hand.BACKUP)
"""A copy of it all: what is sealed is sealed in it too."""

DOOR = Whom(Hand.DOOR)
"""Whoever is not known yet: accounts by their code, and what a token leads to."""

REFUSED: Final = "There is no such thing here, or it is not yours to see or change."
"""Said alike of what is not there and of what is somebody else's."""
