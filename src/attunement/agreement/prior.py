"""What is known of therapists' guesses before a practice's own: published figures, with a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.mixed import HalfNormal, LogNormal, Prior

if TYPE_CHECKING:
    from attunement.trajectories import Measure

SOURCE: Final = (
    "published figures of therapists' and clients' ratings, put on this scale; how far a practice may lie from them is "
    "our judgement"
)
GAP: Final = -1.1
"""Points of a scale from 0 to 10: clients rate .63 standard deviations higher (Tryon et al. 2007, 53 studies), .44 of a
scale from 1 to 5."""
TRACKING: Final = 0.4
"""Between .3 and .5 [judgement]: therapists follow, and rate lower (Atzil-Slonim et al. 2015)."""


def published_prior(measure: Measure) -> Prior:
    """The prior of guesses on a measure's scale.

    The gap differs between dyads by 1.5 points, as it does where both sides differ by that much between clients and
    correlate .36 (Tryon et al. 2007). All widths are judgements, and wide: the mean gap may as well be zero or twice
    as large, and any tracking from none to all of it is within the prior's reach.

    Parameters
    ----------
    measure
        Gives the ends of the scale; the figures are of a scale from 0 to 10.
    """
    unit = (measure.high - measure.low) / 10.0
    return Prior(
        spreads={
            "dyad: pair": LogNormal(1.5 * unit, 0.5),
            "dyad: follow": LogNormal(0.15, 0.6),
            "therapist: habit": HalfNormal(1.0 * unit),
            "therapist: attend": HalfNormal(0.1),
        },
        residual=LogNormal(0.8 * unit, 0.4),
        fixed={"usual": (GAP * unit, 1.5 * unit), "answer": (TRACKING, 0.4)},
        source=SOURCE,
    )
