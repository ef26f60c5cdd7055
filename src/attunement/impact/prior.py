"""What is expected of the growth item before a practice's own answers: our judgement, with a switch."""

from __future__ import annotations

from typing import Final

from attunement.mixed import HalfNormal, LogNormal, Prior

SOURCE: Final = "our own judgement; no study has this line"


def growth_prior(high: float = 10.0) -> Prior:
    """The prior of growth on its scale from 0 to `high`; all of it judgement, and wide.

    Answers differ by 2 points between clients at the start and by 1 between neighbouring months; yearly changes differ
    between clients by a few points. The mean start and the mean change are left open.
    """
    unit = high / 10.0
    return Prior(
        spreads={"client": LogNormal(1.8 * unit, 0.6), "client: months": HalfNormal(0.25 * unit)},
        residual=LogNormal(0.9 * unit, 0.5),
        source=SOURCE,
    )
