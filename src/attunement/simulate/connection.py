"""The connection itself, as a sum of parts: each dyad's line, its walk, its ruptures, or a planted course."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.diary import Diary, Dyads
    from attunement.simulate.published import Published

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

PARTS = ("usual", "of_therapist", "of_client", "of_pairing", "of_slope", "of_drift", "of_rupture")
COURSES = ("slow", "stalled", "falling")  # that can be planted
SHORTEST = 8  # sessions that a planted course needs

# In points and sessions [judgement]: plain to an eye that knows where to look.
_BELOW = 3.0  # slow and stalled begin this far below the usual
_CLIMB = 1.0  # a slow one has made up this much by now
_FALL = 4.0  # a falling one loses this much …
_FALLING = (4, 6)  # … over so many last sessions


@dataclass(frozen=True, slots=True)
class Lines:
    """Each dyad's own line along log2(session), as it differs from the usual one.

    Parameters
    ----------
    therapist, client, pairing
        (d,) points.
    slope
        (d,) points per doubling.
    """

    therapist: Floats
    client: Floats
    pairing: Floats
    slope: Floats

    @property
    def level(self) -> Floats:
        """(d,) points above or below the usual at session 1."""
        return self.therapist + self.client + self.pairing


def lines(rng: np.random.Generator, dyads: Dyads, held: Ints, settings: Published) -> Lines:
    """Draw the lines, (d,) with `held` sessions each; a planted course has the line that it needs."""
    therapists, clients = int(dyads.therapist.max()) + 1, int(dyads.client.max()) + 1
    shares = np.array([settings.therapist_share, settings.pairing_share])
    of_therapist, of_pairing = settings.client_sd * np.sqrt(shares)
    of_client = settings.client_sd * math.sqrt(max(1 - shares.sum(), 0.0))
    tie = settings.intercept_slope_correlation
    start, other = rng.standard_normal((2, clients))
    rise = settings.slope_sd * (tie * start + math.sqrt(1 - tie**2) * other)
    drawn = Lines(
        therapist=rng.normal(0.0, of_therapist, therapists)[dyads.therapist],
        client=of_client * start[dyads.client],
        pairing=rng.normal(0.0, of_pairing, dyads.client.size),
        slope=rise[dyads.client],
    )
    return _planted(drawn, dyads, held, settings)


def _planted(drawn: Lines, dyads: Dyads, held: Ints, settings: Published) -> Lines:
    """The client's part takes up what the therapist's gives, so that the course is the one that was planted."""
    slow, stalled = dyads.course == "slow", dyads.course == "stalled"
    level = np.where(slow | stalled, -_BELOW, 0.0) - drawn.therapist
    climb = _CLIMB / np.log2(np.maximum(held, 2))
    slope = np.select([slow, stalled], [climb, -settings.growth_per_doubling], 0.0)
    return Lines(
        therapist=drawn.therapist,
        client=np.where(dyads.planted, level, drawn.client),
        pairing=np.where(dyads.planted, 0.0, drawn.pairing),
        slope=np.where(dyads.planted, slope, drawn.slope),
    )


def parts(
    rng: np.random.Generator, dyads: Dyads, diary: Diary, line: Lines, settings: Published
) -> tuple[dict[str, Floats], Flags]:
    """Every part of the connection, (n,) each under its name in `PARTS`; and which sessions lie in a rupture."""
    dips, ruptured = _ruptures(rng, dyads, diary, settings)
    drawn = (
        settings.start + settings.growth_per_doubling * diary.doublings,
        line.therapist[diary.dyad],
        line.client[diary.dyad],
        line.pairing[diary.dyad],
        line.slope[diary.dyad] * diary.doublings,
        _walk(rng, dyads, diary, settings),
        dips,
    )
    return dict(zip(PARTS, drawn, strict=True)), ruptured


def _walk(rng: np.random.Generator, dyads: Dyads, diary: Diary, settings: Published) -> Floats:
    """(n,) the walk about the line; a falling course walks straight down at its end, others that are planted stay."""
    walk = diary.summed(rng.normal(0.0, settings.drift_sd, diary.session.size))
    lasts = rng.integers(*_FALLING, diary.held.size, endpoint=True)[diary.dyad]
    down = -_FALL * np.maximum(1.0 - diary.to_come / lasts, 0.0)
    planted = np.where(dyads.course == "falling", 1.0, 0.0)[diary.dyad] * down
    return np.where(dyads.planted[diary.dyad], planted, walk)


def _ruptures(
    rng: np.random.Generator, dyads: Dyads, diary: Diary, settings: Published
) -> tuple[Floats, Flags]:
    """(n,) how deep each session lies in a rupture, 0 or less, and whether it lies in one.

    A first session has nothing to tear. Where two overlap, the deeper one counts.
    """
    can_tear = (diary.session > 1) & ~dyads.planted[diary.dyad]
    torn = np.flatnonzero(can_tear & (rng.random(can_tear.size) < settings.rupture_chance))
    depth = rng.uniform(*settings.rupture_depth, torn.size)
    length = rng.integers(*settings.rupture_length, torn.size, endpoint=True)
    repaired = rng.random(torn.size) < settings.repair_chance
    dip, ruptured = np.zeros(can_tear.size), np.zeros(can_tear.size, dtype=bool)
    for after in range(settings.rupture_length[1] + math.ceil(5 * settings.half_life)):
        reached = after <= diary.to_come[torn]
        row = torn[reached] + after
        deep = depth * _shape(after, length, repaired, settings.half_life)
        dip[row] = np.minimum(dip[row], -deep[reached])
        ruptured[row] |= (after < length)[reached]
    return dip, ruptured


def _shape(after: int, length: Ints, repaired: Flags, half_life: float) -> Floats:
    """The share of its depth that a rupture has some sessions after it began: a V, or down and slowly back."""
    bottom = (length - 1) // 2
    down = (after + 1) / (bottom + 1)
    back = np.maximum((length - after) / (length - bottom), 0.0)
    fading = 0.5 ** ((after - bottom) / half_life)
    return np.where(after <= bottom, down, np.where(repaired, back, fading))
