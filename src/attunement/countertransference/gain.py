r"""Whether a feeling tells anything: what it adds, out of sample, to foretelling the client's state.

Each session's state is foretold from all the others, of the dyad and of all dyads, from levels, course and what lasts
alone, and with the feeling besides. The *gain* is the share by which the squared errors fall,

.. math:: 1 - \sum_i e_{i,with}^2 \Big/ \sum_i e_{i,without}^2, \qquad e_i = (Q y)_i / Q_{ii},

where Q is the precision of the states with their fixed columns taken out: leaving one out needs no refit (Craven &
Wahba 1979, Numerische Mathematik 31:377). The feeling's slope is drawn towards none, and the dyads' towards it.

Many feelings are asked, and one of them always looks best. So the same gains are worked out for states that have
nothing to do with the feelings: the real moves shuffled over all sessions, and turned over by chance. The feelings stay
as they were, and so do what they share and how they last and fall. A feeling is told where the best of all feelings
gains as much in at most 4 of 100 such practices; those that are left are held against the best of those left (Westfall
& Young 1993, *Resampling-Based Multiple Testing*, algorithm 2.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import t as student

from attunement.findings import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.countertransference.moves import Moves

    Array = NDArray[np.float64]

SLOPE: Final = 0.3
"""The standard deviation of slopes before the data, state on feeling in standard deviations within dyads; associations
within clients of .16 to .21 were published (EVIDENCE 2.1, S75), and either sign is as likely."""
DIFFERS: Final = 0.1
"""By how much slopes differ between dyads, likewise [judgement]: a signal that all dyads share, and one that they do
not, are found nearly as often as with the best width for either."""
LEVEL: Final = 0.04
"""In how many shuffled practices the best feeling may gain as much as one that is told. At most 5 in 100 practices
without any signal are to be told one; the rest is for what is estimated on the way."""
_DRAWN = 999
_SEED = 67
_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Gain:
    """What one feeling adds.

    Parameters
    ----------
    gain
        The share of the squared error, left out by one, that it takes away; the interval is over dyads.
    chance
        How often the best of the feelings, or of those left, gains as much where none tells anything.
    """

    gain: Estimate
    chance: float

    @property
    def tells(self) -> bool:
        """Whether it may be said that it tells something."""
        return self.chance <= LEVEL and self.gain.value > 0


def gains(moved: Moves) -> list[Gain]:
    """Work the gains out, one for each feeling, in its order; all of them must move."""
    rng = np.random.default_rng(_SEED)
    drawn = rng.permuted(np.tile(moved.beside, (_DRAWN, 1)), axis=1).T
    drawn = drawn * rng.choice([-1.0, 1.0], drawn.shape)
    states = np.column_stack([moved.state, drawn])
    without = _LeftOut(moved, None)
    alone = without.squared(states)
    with_each = [_LeftOut(moved, felt) for felt in moved.feelings.T]
    shares = np.array([1.0 - each.squared(states) / alone for each in with_each])
    middle, spread = shares[:, 1:].mean(axis=1), shares[:, 1:].std(axis=1)
    chances = _chances((shares - middle[:, None]) / np.maximum(spread, 1e-12)[:, None])
    before = without.errors(moved.state[:, None])[:, 0] ** 2
    return [
        Gain(_over_dyads(moved, before, each.errors(moved.state[:, None])[:, 0] ** 2), float(chance))
        for each, chance in zip(with_each, chances, strict=True)
    ]


def _chances(gained: Array) -> Array:
    """(k,) how often the best of those left does as well; from (k, 1 + draws) gains, the real ones first."""
    order = np.argsort(-gained[:, 0], kind="stable")
    best = np.maximum.accumulate(gained[order[::-1], 1:], axis=0)[::-1]
    reached = (1 + (best >= gained[order, :1]).sum(axis=1)) / gained.shape[1]
    chances = np.empty(order.size)
    chances[order] = np.maximum.accumulate(reached)
    return chances


def _over_dyads(moved: Moves, before: Array, after: Array) -> Estimate:
    """The gain with its interval: a ratio of sums over dyads, linearised."""
    counts = np.bincount(moved.dyad) + 1  # sessions are one more than moves
    dyad = np.repeat(np.arange(counts.size), counts)
    less, whole = np.bincount(dyad, before - after), np.bincount(dyad, before)
    gain = float(less.sum() / whole.sum())
    off = less - gain * whole
    error = float(np.sqrt(counts.size / (counts.size - 1) * (off @ off)) / whole.sum())
    reach = float(student.ppf(0.975, counts.size - 1)) * error
    return Estimate(gain, gain - reach, gain + reach, unit="share")


class _LeftOut:
    """Foretells each session from the others: the levels and the course, and one feeling or none.

    The moves' covariance with a feeling g is ``I + DIFFERS² · blocks of g g' + SLOPE² · g g'``; it is inverted dyad by
    dyad, and once more for what all share (Sherman & Morrison 1950).
    """

    def __init__(self, moved: Moves, felt: Array | None) -> None:
        self.moved, self.felt = moved, np.zeros(moved.state.size) if felt is None else felt
        size = moved.summed(self.felt**2)
        self.own = DIFFERS**2 / (1.0 + DIFFERS**2 * size)
        self.kept = self.felt / (1.0 + DIFFERS**2 * size)[moved.dyad]
        self.all = SLOPE**2 / (1.0 + SLOPE**2 * float(self.felt @ self.kept))
        course = self._turned(moved.course)
        self.course = course @ np.linalg.inv(np.linalg.cholesky(moved.course.T @ course)).T
        back = moved.white.T
        own = (back @ self.felt) ** 2 * self._by_session(self.own)
        self.precision = (
            np.asarray((moved.white**2).sum(axis=0))
            - own
            - self.all * (back @ self.kept) ** 2
            - ((back @ self.course) ** 2).sum(axis=1)
        )

    def errors(self, states: Array) -> Array:
        """(n, columns) each session less what the others foretell of it, in the moves' unit; `states` are moves."""
        left = self._turned(states) - self.course @ (self.course.T @ states)
        return np.asarray((self.moved.white.T @ left) / self.precision[:, None])

    def squared(self, states: Array) -> Array:
        """(columns,) the sum of the squared errors."""
        width = max(1, _AT_ONCE // states.shape[0])
        parts = [states[:, begin : begin + width] for begin in range(0, states.shape[1], width)]
        return np.concatenate([(self.errors(each) ** 2).sum(axis=0) for each in parts])

    def _turned(self, columns: Array) -> Array:
        """The inverse of the covariance, times columns."""
        felt, kept = self.felt[:, None], self.kept[:, None]
        sums = self.moved.summed(felt * columns)
        turned = columns - felt * (self.own[:, None] * sums)[self.moved.dyad]
        return np.asarray(turned - self.all * kept * (kept.T @ columns))

    def _by_session(self, of_dyad: Array) -> Array:
        return np.repeat(of_dyad, np.bincount(self.moved.dyad) + 1)
