"""What a feeling goes with, in points: one slope for all, and each dyad's own, drawn towards it.

The moves of `moves` are independent of one another and have no levels left, so the engine takes them as they are: the
state's moves on the feeling's, with slopes that differ between dyads. The size of a dyad's moves is taken from what the
feeling leaves of them: taken from all of them, dyads in which the feeling tells much count for less, and a slope of .6
was found as .5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtri

from attunement.countertransference.gain import SLOPE
from attunement.countertransference.moves import sized
from attunement.findings import Estimate
from attunement.mixed import HalfNormal, LogNormal, Posterior, Prior, fit, posterior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.countertransference.moves import Moves
    from attunement.mixed import Fit

    Array = NDArray[np.float64]

SOURCE: Final = (
    "associations within clients were published as .16 to .21 standard deviations; that a feeling may tell as much or "
    "twice as much, either way, is our judgement"
)
_DIFFERS = 0.2
_REACH = float(ndtri(0.975))
_NOBODY = "\0"
_POINTS = 512
_ROUNDS = 3
_UNIT = "points a point"


@dataclass(frozen=True, slots=True)
class Slope:
    """Points of the client's state by a point of one feeling.

    Parameters
    ----------
    all
        What is usual.
    dyads
        Each dyad's, in the order of the moves.
    """

    all: Estimate
    dyads: tuple[Estimate, ...]


def published_slopes() -> Prior:
    """The prior of slopes, in standard deviations within dyads: either sign is as likely, and most are small.

    The usual slope is drawn as in `gain`; those of dyads differ from it by less than twice .2 [judgement].
    """
    return Prior(
        spreads={"dyad: own": HalfNormal(_DIFFERS)},
        residual=LogNormal(1.0, 0.3),
        fixed={"felt": (0.0, SLOPE)},
        source=SOURCE,
    )


def slopes(moved: Moves, place: int, prior: Prior | None) -> Slope:
    """Work the slopes of one feeling out: from the prior, or without one by REML.

    Raises
    ------
    ModelProblem
        Where there is no prior, and too little to do without.
    """
    names = [f"course{at}" for at in range(moved.course.shape[1])]
    state, felt, *course = _resized(moved, place).T
    columns = dict(zip(names, course, strict=True))
    dyad = [str(each) for each in moved.dyad]
    table = pl.DataFrame({"state": state, **columns, "felt": felt, "own": felt, "dyad": dyad})
    formula = f"state ~ {' + '.join(['0', *names, 'felt'])} + (0 + own | dyad)"
    model = fit(formula, table) if prior is None else posterior(formula, table, prior, points=_POINTS)
    dyads = [str(each) for each in range(int(moved.dyad[-1]) + 1)]
    asked = {"own": [0.0, *[1.0] * len(dyads)], "dyad": [_NOBODY, *dyads], **dict.fromkeys(names, 0.0)}
    told = _told(
        model,
        pl.DataFrame({"felt": [1.0] * (len(dyads) + 1), **asked}),
        moved.scale / float(moved.scales[place]),
    )
    return Slope(told[0], tuple(told[1:]))


def _resized(moved: Moves, place: int) -> Array:
    """(m, 2 + p) state, feeling and course, in units of what the feeling leaves of each dyad's moves."""
    plain = (
        np.column_stack([moved.state, moved.feelings[:, place], moved.course]) * moved.sizes[moved.dyad, None]
    )
    sizes = moved.sizes
    for _ in range(_ROUNDS):
        columns = plain / sizes[moved.dyad, None]
        told = np.linalg.lstsq(columns[:, 1:], columns[:, 0], rcond=None)[0]
        left = plain[:, 0] - plain[:, 1:] @ told
        sizes = sized(left / np.sqrt((left**2).mean()), moved.dyad)
    return np.asarray(plain / sizes[moved.dyad, None])


def _told(model: Fit | Posterior, rows: pl.DataFrame, unit: float) -> Sequence[Estimate]:
    table = model.predict(rows)
    if "low" not in table.columns:
        half = _REACH * pl.col("sd")
        table = table.with_columns(low=pl.col("value") - half, high=pl.col("value") + half)
    return [
        Estimate(value * unit, min(low, value) * unit, max(high, value) * unit, unit=_UNIT)
        for value, low, high in table.select("value", "low", "high").iter_rows()
    ]
