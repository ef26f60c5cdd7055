"""What is known of such answers before a practice's own: published figures, with a switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from attunement.mixed import HalfNormal, LogNormal, Prior

SOURCE: Final = (
    "published figures of client-rated alliances, put on this scale; how far a practice may lie from them is our "
    "judgement"
)


@dataclass(frozen=True, slots=True)
class Priors:
    """What is expected of courses and of links.

    Parameters
    ----------
    course
        Of a line's level and change; named as in `courses`.
    link
        Of how the rest of the connection goes along with a line, in points a point; named as in `links`.
    broken
        Of how the connection differs where a session was not kept as planned, in points; named likewise.
    """

    course: Prior
    link: Prior
    broken: Prior


def published_prior(low: float = 0.0, high: float = 10.0) -> Priors:
    """The priors on a scale from `low` to `high`.

    Level and growth are those of whole alliance scales (`trajectories.published_prior`, where each has its source); one
    line differs more between clients and is noisier than a mean of seven [both judgement]. A walk is expected to be
    there, of .28 points a session, times or divided by 1.4 [judgement]: one taken for none would make the interval of
    every change too narrow. Both links are expected at zero, so that only the data can tell one, up to a point a point
    and two points either way [judgement].
    """
    unit = (high - low) / 10.0
    return Priors(
        course=Prior(
            spreads={
                "dyad: pair": LogNormal(1.6 * unit, 0.4),
                "dyad: pace": HalfNormal(0.25 * unit),
                "therapist: habit": HalfNormal(0.5 * unit),
            },
            residual=LogNormal(1.0 * unit, 0.4),
            fixed={"usual": (low + 7.0 * unit, 1.5 * unit), "course": (0.17 * unit, 0.25 * unit)},
            drift=LogNormal(0.28 * unit, 0.35),
            source=SOURCE,
        ),
        link=Prior(
            spreads={"dyad: follow": HalfNormal(0.25)},
            residual=LogNormal(0.7 * unit, 0.5),
            fixed={"moved": (0.0, 0.5)},
            source=SOURCE,
        ),
        broken=Prior(
            spreads={"dyad: follow": HalfNormal(0.5 * unit)},
            residual=LogNormal(0.7 * unit, 0.5),
            fixed={"moved": (0.0, 1.0 * unit)},
            source=SOURCE,
        ),
    )
