"""Rules for ruptures that are in use elsewhere, replayed on the same ratings, for comparison only.

Each looks at one dyad's ratings with fixed numbers, whatever is usual here; none states how often it is wrong. Numbers
are on a scale of 40 points where the source has them so, and are put on the measure's scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.trajectories import Measure

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_OF = 40.0  # points of the scale that the fixed numbers belong to
_BEFORE = 3  # sessions on each side of a sudden loss


def below_36(score: Array, measure: Measure) -> Flags:
    """A total below 36 of 40: pages for clinicians who use the Session Rating Scale."""
    return score < measure.low + 36.0 / _OF * (measure.high - measure.low)


def dropped(score: Array, measure: Measure) -> Flags:
    """A drop of one point of 40 or more since the session before: the same pages."""
    found = np.zeros(score.shape, dtype=bool)
    found[1:] = np.diff(score) <= -1.0 / _OF * (measure.high - measure.low)
    return found


def own_2sd(score: Array, measure: Measure) -> Flags:  # noqa: ARG001 - the rules are called alike
    """Two standard deviations or more below the mean of one's own earlier ratings, from the third on.

    A control chart of each client (Lipner et al. 2022 and others); the limits come from the earlier ratings alone.
    """
    found = np.zeros(score.shape, dtype=bool)
    for at in range(2, score.size):
        mean, sd = score[:at].mean(), score[:at].std(ddof=1)
        found[at] = sd > 0 and score[at] <= mean - 2 * sd
    return found


def v_shape(score: Array, measure: Measure) -> Flags:  # noqa: ARG001 - see above
    """Down by a standard deviation of one's own ratings, and back up within three sessions.

    After the idea of Stiles et al. 2004 and Strauss et al. 2006, whose exact formulas differ (Gumz et al. 2012). It
    needs the sessions that follow, so that it comes too late for an alert. The low session is marked.
    """
    found = np.zeros(score.shape, dtype=bool)
    sd = score.std(ddof=1) if score.size > 2 else 0.0
    for at in range(1, score.size - 1):
        down = score[at] <= score[at - 1] - sd
        back = score[at + 1 : at + 1 + _BEFORE].max() >= score[at - 1] - sd / 2
        found[at] = sd > 0 and down and bool(back)
    return found


RULES: Final[dict[str, Callable[[Array, Measure], Flags]]] = {
    "total below 36 of 40": below_36,
    "drop of 1 of 40 or more": dropped,
    "own mean - 2 SD": own_2sd,
    "V-shape": v_shape,
}
