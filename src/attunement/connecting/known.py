"""What the board reads: tidy tables, each of which may be missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from attunement.ruptures import Ruptures
    from attunement.trajectories import Caseload

KEY = ("therapist", "client", "session")


@dataclass(frozen=True, slots=True)
class Known:
    """One therapist's own tables.

    Parameters
    ----------
    caseload, ruptures
        The courses, and what tore in them.
    feelings
        `frames.REFLECTIONS`: how strong each feeling was after each session, 0 to 10.
    heavy
        Which of the feelings are the heavy ones; their mean is looked at.
    days
        The therapist's own state on the day: therapist, client, session, strain (higher is harder).
    triggers
        What the therapist marked as a trigger: therapist, client, session, tag.
    guesses
        therapist, client, session, score, guess.
    background
        The client's answer to whether something about their background was missed: therapist, client, session, missed
        (higher is more). Never from demographics: a match of background did not predict it (Owen et al. 2011).
    states
        The client's state before each session: client, session, outcome, higher is worse.
    """

    caseload: Caseload
    ruptures: Ruptures
    feelings: pl.DataFrame | None = field(default=None, repr=False)
    heavy: tuple[str, ...] = ()
    days: pl.DataFrame | None = field(default=None, repr=False)
    triggers: pl.DataFrame | None = field(default=None, repr=False)
    guesses: pl.DataFrame | None = field(default=None, repr=False)
    background: pl.DataFrame | None = field(default=None, repr=False)
    states: pl.DataFrame | None = field(default=None, repr=False)
