"""How much change is more than the instrument's own noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attunement.findings import NotYet

if TYPE_CHECKING:
    from attunement.instruments.description import Instrument

_TWO_SIDED_95 = 1.96


def reliable_change(instrument: Instrument, scale: str = "total") -> float | NotYet:
    """Return the smallest change, in points of the scale, that is reliable at 95 %.

    Jacobson & Truax (1991), Journal of Consulting and Clinical Psychology 59:12-19: with
    ``RC = (post - pre) / (SD * sqrt(2 * (1 - r)))``, a change is reliable where ``|RC| > 1.96``. So the
    answer is ``1.96 * SD * sqrt(2 * (1 - r))``, with SD and reliability r as published for the scale.

    Returns
    -------
    float or NotYet
        `NotYet` where the instrument publishes no reliability or no standard deviation; none is guessed.

    Raises
    ------
    InstrumentProblem
        Where the instrument has no such scale.
    """
    asked = instrument.scale(scale)
    if asked.reliability is None or asked.sd is None:
        figures = {"reliability": asked.reliability, "standard deviation": asked.sd}
        missing = " and ".join(name for name, figure in figures.items() if figure is None)
        return NotYet(
            about=f"reliable change of {instrument.id}, {asked.id}",
            missing=f"no published {missing}",
            supply="a study that reports it, named as its source in the instrument's file, would supply it",
        )
    return _TWO_SIDED_95 * asked.sd.value * math.sqrt(2 * (1 - asked.reliability.value))
