r"""When a surprise is an alert: thresholds that keep to a budget of false alarms, and the power that is left.

A *watch* is a rating below expectation at :math:`z \le -1.28 k`; a *rupture* is one at :math:`z \le -1.96 k`, or two
watches in a row. The factor k is found by simulation: quiet ratings are drawn from this practice's own model, for the
very sessions that it holds, put on its scale (rounded, held at the ends), and looked at as real ones are; k is the
least one with which no more of them are called a rupture than the budget allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtr

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attunement.ruptures.foreseen import Foreseen

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

WATCH: Final = 1.28
RUPTURE: Final = 1.96
BUDGET: Final = 0.05
DROPS: Final = (0.5, 1.0, 2.0)
"""Drops whose chance to be seen is told with each alert, in standard deviations of one rating."""

QUIET_MEAN: Final = 0.08
QUIET_SD: Final = 0.955
"""z of quiet sessions. Ruptures that are among the ratings make the fitted model wider and lower than quiet sessions
are: at published rates quiet z has mean .12 and standard deviation .95 (simulated), without ruptures 0 and 1. Which of
the two a practice is cannot be told from a few hundred ratings, so the half of it is allowed for; at a budget of 5 in
100 the true rate lies between 4 and 6 (benchmarks/bench_ruptures.py)."""

_DRAWN = 40_000  # quiet ratings that k is found from
_SEED = 41


@dataclass(frozen=True, slots=True)
class Alarm:
    """Thresholds for one practice.

    Parameters
    ----------
    budget
        The share of quiet sessions that may be called a rupture.
    watch, rupture
        In standard deviations below what was expected.
    rate
        The share of simulated quiet sessions that these call a rupture.
    sd
        Of one rating about its expectation where a client is known well, in points.
    """

    budget: float
    watch: float
    rupture: float
    rate: float
    sd: float

    def alerts(self, z: Array) -> tuple[Flags, Flags]:
        """Which of (…, n) surprises are a watch, and which a rupture; the first session of a dyad is neither."""
        watch = z <= -self.watch
        watch[..., 0] = False
        again = np.zeros_like(watch)
        again[..., 1:] = watch[..., 1:] & watch[..., :-1]
        return watch, ((z <= -self.rupture) & watch) | again

    def power(self, drop: float, sd: float) -> float:
        """The chance that a drop is called a rupture at the session where it happens.

        Parameters
        ----------
        drop
            In points.
        sd
            Of the prediction at that session, in points.
        """
        return float(ndtr((drop / sd - self.rupture - QUIET_MEAN) / QUIET_SD))

    def powers(self, sd: float) -> pl.DataFrame:
        """``drop, points, power`` for drops of .5, 1 and 2 standard deviations, where a prediction has this sd."""
        return pl.DataFrame(
            {
                "drop": DROPS,
                "points": [each * self.sd for each in DROPS],
                "power": [self.power(each * self.sd, sd) for each in DROPS],
            }
        )


def alarm(dyads: Sequence[Foreseen], ends: tuple[float, float], budget: float = BUDGET) -> Alarm:
    """Set the thresholds of a practice.

    Parameters
    ----------
    dyads
        Every dyad, as foreseen.
    ends
        Of the scale, in points.
    budget
        The share of quiet sessions that may be called a rupture, from .005 to .25.

    Raises
    ------
    InputError
        For a budget beyond that.
    """
    if not 0.005 <= budget <= 0.25:
        raise InputError(f"A budget of false alarms is a share from .005 to .25; {budget:g} is not.")
    grain = _grain(np.concatenate([each.score for each in dyads]))
    surprises = _quiet(dyads, _on_scale(ends, grain))
    low, high = 0.2, 3.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if _rate(surprises, middle) > budget else (low, middle)
    return Alarm(budget, WATCH * high, RUPTURE * high, _rate(surprises, high), _sd(dyads))


def _sd(dyads: Sequence[Foreseen]) -> float:
    """Of one rating about its expectation: from dyads that are known well, where there are any."""
    last = {
        known: [float(each.ahead()[1][-1]) for each in dyads if each.session.size >= known]
        for known in (4, 1)
    }
    return float(np.median(last[4] or last[1]))


def _grain(scores: Array) -> float:
    """The step in which ratings are given: the greatest thousandth of the scale's unit that divides them all."""
    found = int(np.gcd.reduce(np.round(np.abs(scores) * 1000).astype(np.int64)))
    return found / 1000 if found > 1 else 0.0


def _on_scale(ends: tuple[float, float], grain: float) -> Callable[[Array], Array]:
    def put(ratings: Array) -> Array:
        held = np.clip(ratings, *ends)
        return np.round(held / grain) * grain if grain else held

    return put


def _quiet(dyads: Sequence[Foreseen], on_scale: Callable[[Array], Array]) -> list[Array]:
    """Surprises of simulated quiet dyads, (k, n) for each dyad with two ratings or more."""
    rng = np.random.default_rng(_SEED)
    told = [each for each in dyads if each.session.size > 1]
    times = max(-(-_DRAWN // max(sum(each.session.size - 1 for each in told), 1)), 1)
    found = []
    for each in told:
        surprises = rng.normal(QUIET_MEAN, QUIET_SD, (times, each.session.size))
        found.append(each.ahead(on_scale(each.drawn(surprises)))[2])
    return found


def _rate(surprises: Sequence[Array], factor: float) -> float:
    """The share of sessions, first ones apart, that are called a rupture."""
    looked = Alarm(0.0, WATCH * factor, RUPTURE * factor, 0.0, 1.0)
    called = sum(int(looked.alerts(z)[1].sum()) for z in surprises)
    sessions = sum(z[:, 1:].size for z in surprises)
    return called / max(sessions, 1)
