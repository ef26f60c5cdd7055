"""From surprises to episodes: one alert each, until the connection is back, or stays where it is.

While an episode is open its ratings do not count as seen: what is expected is what it was before, or the fall itself
would soon be taken for the usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.ruptures.alarm import Alarm
    from attunement.ruptures.foreseen import Foreseen
    from attunement.ruptures.signs import Weighed

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

BACK: Final = 2
"""Rated sessions in a row, inside what is expected, after which a rupture counts as repaired."""
LONGEST: Final = 6
"""Rated sessions after which a rupture is taken for a new level: crises lasted up to six (Gumz et al. 2012)."""
How = Literal["repaired", "settled lower", "open"]


@dataclass(frozen=True, slots=True)
class Episode:
    """A probable rupture, from its first low session on; places count the dyad's rated sessions from 0.

    Parameters
    ----------
    began, alerted
        The first low session, and the one at which the alert was given: the same, or the next one where two watches
        in a row gave it.
    lowest
        Where the rating lay furthest below what was expected.
    back
        The first of the sessions that were inside again; None while there is none.
    closed
        The session at which it was known to be over; None while it is open.
    how
        How it ended.
    """

    began: int
    alerted: int
    lowest: int
    back: int | None
    closed: int | None
    how: How


@dataclass(frozen=True, slots=True)
class Watched:
    """A dyad's sessions as they were looked at, one after the other.

    Parameters
    ----------
    expected, sd, z
        (n,) what was expected of each rating at the time, in points, and how far beyond it the rating came out, other
        signs weighed in.
    watch
        (n,) whether it was low enough to be watched.
    episodes
        In the order of sessions.
    """

    expected: Array
    sd: Array
    z: Array
    watch: Flags
    episodes: tuple[Episode, ...]


def watched(dyad: Foreseen, alarm: Alarm, signs: Weighed | None = None) -> Watched:
    """Go through a dyad's sessions as they came."""
    expected, sd, z = dyad.ahead()
    told = z if signs is None else signs.on(z)
    watch, rupture = alarm.alerts(told)
    if not rupture.any():
        return Watched(expected, sd, told, watch, ())
    return _Walk(dyad, alarm, signs, expected, sd, told).done()


class _Walk:
    """One pass over the sessions; what is predicted depends on which earlier ones count as seen."""

    def __init__(
        self, dyad: Foreseen, alarm: Alarm, signs: Weighed | None, expected: Array, sd: Array, z: Array
    ) -> None:
        self.dyad, self.alarm, self.signs = dyad, alarm, signs
        self.expected, self.sd, self.z = expected.copy(), sd.copy(), z.copy()
        self.seen = np.ones(z.size, dtype=bool)
        self.episodes: list[Episode] = []

    def done(self) -> Watched:
        at, since = 1, 0  # since the last episode
        while at < self.z.size:
            if since:
                self._look(at)
            if self._alerts(at, since):
                at = since = self._through(at, since)
            else:
                at += 1
        watch = self.z <= -self.alarm.watch
        watch[0] = False
        return Watched(self.expected, self.sd, self.z, watch, tuple(self.episodes))

    def _look(self, at: int) -> None:
        self.expected[at], self.sd[at], z = self.dyad.given(self.seen, at)
        self.z[at] = z if self.signs is None else self.signs.on_one(z, at)

    def _low(self, at: int) -> bool:
        return at > 0 and bool(self.z[at] <= -self.alarm.watch)

    def _alerts(self, at: int, since: int) -> bool:
        again = at > since and self._low(at) and self._low(at - 1)
        return again or bool(self.z[at] <= -self.alarm.rupture)

    def _through(self, alerted: int, since: int) -> int:
        """Go through one episode; returns the place after it."""
        began = alerted - 1 if alerted > since and self._low(alerted - 1) else alerted
        self.seen[began : alerted + 1] = False
        back, at, inside = None, alerted + 1, 0
        while at < self.z.size:
            self._look(at)
            inside = 0 if self._low(at) else inside + 1
            back = None if inside == 0 else at - inside + 1
            if inside == BACK:
                return self._close(began, alerted, at, back, "repaired")
            self.seen[at] = False
            if at - began + 1 >= LONGEST and inside == 0:
                return self._close(began, alerted, at, None, "settled lower")
            at += 1
        return self._close(began, alerted, None, back, "open")

    def _close(self, began: int, alerted: int, closed: int | None, back: int | None, how: How) -> int:
        last = self.z.size if closed is None else closed + 1
        deep = (self.dyad.score - self.expected)[began:last]
        self.episodes.append(Episode(began, alerted, began + int(deep.argmin()), back, closed, how))
        if how == "settled lower":  # a new level: what was before tells nothing about it
            self.seen[:began], self.seen[began:last] = False, True
        elif back is not None:
            self.seen[back:last] = True
        return last
