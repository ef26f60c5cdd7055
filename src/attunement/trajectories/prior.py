"""What is known of connections before a practice's own ratings: published figures, with a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.mixed import HalfNormal, LogNormal, Prior
from attunement.wording import say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories.measure import Measure


def published_prior(measure: Measure, *, language: Language = "en") -> Prior:
    """The prior of a course model on a measure's scale.

    From client-rated alliances between 1 and 5: 3.9 at session 3, .10 more a unit of log session, .60 between clients
    and .35 within (all within what outpatients give on the WAI-SR), a twentieth of the difference between therapists
    (Wampold & Brown 2005). Medians are those of `simulate.published`, where each has its source; a half-normal's
    median is .67 of its scale. The widths are judgements: a practice may well have half or twice of any spread, and a
    walk wide enough for a client who falls by half the scale.

    Parameters
    ----------
    measure
        Gives the ends of the scale; the figures are of a scale from 0 to 10.
    language
        In which it says where its figures come from.
    """
    unit = (measure.high - measure.low) / 10.0
    return Prior(
        spreads={
            "client": LogNormal(1.5 * unit, 0.4),
            "client: log2(session)": HalfNormal(0.25 * unit),
            "therapist": HalfNormal(0.5 * unit),
            "dyad": HalfNormal(1.0 * unit),
        },
        residual=LogNormal(0.85 * unit, 0.35),
        fixed={
            "Intercept": (measure.low + 7.0 * unit, 1.5 * unit),
            "log2(session)": (0.17 * unit, 0.25 * unit),
        },
        drift=HalfNormal(0.35 * unit),
        source=say("trajectory_source", language),
    )
