"""One dyad's trajectory in words: depth, speed and state, each a `Finding` or a `NotYet`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories.course import AHEAD, RECENT, STATES, Course
from attunement.trajectories.measure import CONVENTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.trajectories.measure import Measure
    from attunement.trajectories.model import CourseModel

    Array = NDArray[np.float64]

FROM = 3  # rated sessions from which a state is told
SECOND = 0.25  # probability from which the second state is shown too

ROW = {
    "therapist": pl.String,
    "client": pl.String,
    "rated": pl.Int64,
    "session": pl.Int64,
    **dict.fromkeys(("depth", "depth_low", "depth_high", "speed", "speed_low", "speed_high"), pl.Float64),
    "state": pl.String,
    "chance": pl.Float64,
    "second": pl.String,
    **{f"p_{state}": pl.Float64 for state in STATES},
}
"""The columns of `Caseload.frame`; speeds are infinite where they are not within the sessions looked ahead."""

_SAID = {
    "forming": "forming: inside what is expected of a new client here",
    "established": "established",
    "slow": "slow, and that is normal: in the lower part of what is expected of a new client here",
    "stalled": "stalled: below where nine in ten new clients here are expected, with no notable rise",
    "falling": f"falling: notably lower than {RECENT} sessions ago",
}


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The course of one connection.

    Parameters
    ----------
    therapist, client
        Codes.
    name
        What the dyad is called here: the client's code, and the therapist's where a client met several.
    rated, score
        (n,) rated sessions and their ratings.
    course
        The posterior, or why there is none yet.
    states
        The probability of each state, or None.
    """

    therapist: str
    client: str
    name: str
    rated: Array = field(repr=False)
    score: Array = field(repr=False)
    course: Course | NotYet = field(repr=False)
    states: dict[str, float] | None
    model: CourseModel | NotYet = field(repr=False)
    measure: Measure = field(repr=False)

    @property
    def now(self) -> int:
        """The last rated session."""
        return int(self.rated[-1])

    @property
    def long_enough(self) -> bool:
        """Whether enough sessions are rated to tell a state."""
        return self.rated.size >= FROM

    @property
    def shown(self) -> tuple[tuple[str, float], ...]:
        """The likeliest state with its probability, and the second where it has a quarter or more."""
        if self.states is None or not self.long_enough:
            return ()
        ordered = sorted(self.states.items(), key=lambda item: -item[1])
        return tuple(ordered[:1]) + tuple(each for each in ordered[1:2] if each[1] >= SECOND)

    @property
    def word(self) -> str:
        """The state in a word or two, for a label."""
        if self.states is None:
            return "not yet"
        if not self.shown:
            return "too early to tell"
        return " or ".join(state for state, _ in self.shown)

    @property
    def wants_a_look(self) -> bool:
        """Whether falling or stalled is more likely than not; what is less likely than that would be noise."""
        if self.states is None or not self.long_enough:
            return False
        return self.states["falling"] + self.states["stalled"] > 0.5

    @property
    def on_course(self) -> bool:
        """Whether nothing wants a look: forming, established or too early to tell; no fall or stall in sight."""
        return all(state in {"forming", "established"} for state, _ in self.shown)

    @property
    def chance_established(self) -> float:
        """The probability that connection is at the level called established, at the present session."""
        if isinstance(self.course, NotYet):
            return math.nan
        return float(self.course.chance_of(self.measure.established)[self.now - 1])

    @property
    def depth(self) -> Finding | NotYet:
        """The connection at the present session, on the instrument's own scale."""
        if isinstance(self.course, NotYet):
            return NotYet(f"depth with {self.name}", self.course.missing, self.course.supply)
        estimate = self._depth(self.course)
        told = self.measure.told
        sentence = (
            f"Depth {told(estimate.value)} of {self.measure.high:g} at session {self.now} "
            f"({told(estimate.low)} to {told(estimate.high)})."
        )
        return Finding(f"depth with {self.name}", sentence, estimate, self.curve())

    @property
    def speed(self) -> Finding | NotYet:
        """By which session it is established with probability .8; open where that is not in sight."""
        if isinstance(self.course, NotYet):
            return NotYet(f"speed with {self.name}", self.course.missing, self.course.supply)
        estimate = self._speed(self.course)
        chance = pl.DataFrame(
            {
                "session": self.course.session.astype(int),
                "chance": self.course.chance_of(self.measure.established),
            }
        )
        sentence = _speed_sentence(estimate, self.now)
        return Finding(f"speed with {self.name}", sentence, estimate, chance, (CONVENTION,))

    @property
    def state(self) -> Finding | NotYet:
        """Forming, established, slow, stalled or falling, with probabilities; its number is the recent change."""
        if isinstance(self.course, NotYet):
            return NotYet(f"state with {self.name}", self.course.missing, self.course.supply)
        if not self.long_enough:
            so_far = f"{self.rated.size} rated session{'s' * (self.rated.size != 1)} so far"
            return NotYet(f"state with {self.name}", so_far, f"from {FROM} on it can be told")
        change, spread = self.course.change()
        estimate = Estimate(change, change - 1.96 * spread, change + 1.96 * spread, unit="points")
        (first, chance), *second = self.shown
        sentence = f"Most likely {_SAID[first]} ({_percent(chance)})"
        sentence += f"; or {second[0][0]} ({_percent(second[0][1])})." if second else "."
        table = pl.DataFrame(
            {"state": list(STATES), "chance": [(self.states or {})[state] for state in STATES]}
        )
        return Finding(f"state with {self.name}", sentence, estimate, table, (CONVENTION,))

    @property
    def change_sentence(self) -> str:
        """How connection moved over the last three sessions, with its interval."""
        if isinstance(self.state, NotYet):
            return self.state.sentence
        change = self.state.estimate
        digits = self.measure.digits
        return (
            f"Over the last {min(RECENT, self.now - 1)} sessions connection moved by "
            f"{change.value:+.{digits}f} points ({change.low:+.{digits}f} to {change.high:+.{digits}f})."
        )

    @property
    def depth_cell(self) -> str:
        """Depth for a table's cell."""
        if isinstance(self.course, NotYet):
            return "not yet"
        told, depth = self.measure.told, self._depth(self.course)
        return f"{told(depth.value)} ({told(depth.low)} to {told(depth.high)})"

    @property
    def speed_cell(self) -> str:
        """Speed for a table's cell."""
        if isinstance(self.course, NotYet):
            return "not yet"
        return _speed_cell(self._speed(self.course), self.now)

    @property
    def state_cell(self) -> str:
        """State for a table's cell."""
        if not self.shown:
            return self.word
        return ", ".join(f"{state} {_percent(chance)}" for state, chance in self.shown)

    @property
    def plateau(self) -> Finding | NotYet:
        """Where connection settles, if the practice's curve supports a plateau."""
        if isinstance(self.course, NotYet) or isinstance(self.model, NotYet):
            return NotYet(
                f"plateau with {self.name}", "a curve of this practice", "more rated clients would do"
            )
        if self.model.shape.name != "saturating":
            return NotYet(
                f"plateau with {self.name}",
                f"the {self.model.shape.name} curve fits this practice better, and it has no plateau",
                "longer courses would show one if there is one",
            )
        h = np.array([1.0, 2.0])  # the saturating shape runs to 2
        value = float(h @ self.course.line)
        reach = 1.96 * math.sqrt(float(h @ self.course.spread @ h))
        estimate = self._held(value, value - reach, value + reach)
        told = self.measure.told
        sentence = f"Settles near {told(estimate.value)} ({told(estimate.low)} to {told(estimate.high)})."
        return Finding(f"plateau with {self.name}", sentence, estimate, self.curve())

    def curve(self) -> pl.DataFrame:
        """The table behind the chart: ``session, rating, connection, low, high, expected_low, expected_high``."""
        if isinstance(self.course, NotYet) or isinstance(self.model, NotYet):
            return pl.DataFrame({"session": self.rated.astype(int), "rating": self.score})
        session = self.course.session[: self.now]
        reach = 1.96 * self.course.sd[: self.now]
        mean = self.course.mean[: self.now]
        columns = {
            "connection": mean,
            "low": mean - reach,
            "high": mean + reach,
            "expected_low": self.model.expected(session, 0.1),
            "expected_high": self.model.expected(session, 0.9),
        }
        held = {name: np.clip(each, self.measure.low, self.measure.high) for name, each in columns.items()}
        ratings = pl.DataFrame({"session": self.rated.astype(int), "rating": self.score})
        return (
            pl.DataFrame({"session": session.astype(int), **held})
            .join(ratings, on="session", how="left")
            .select("session", "rating", *held)
        )

    def row(self) -> dict[str, Any]:
        """The trajectory as one row of `Caseload.frame`."""
        seen = None if isinstance(self.course, NotYet) else self.course
        found: dict[str, Any] = {
            "therapist": self.therapist,
            "client": self.client,
            "rated": self.rated.size,
            "session": self.now,
            **_numbers("depth", self._depth(seen) if seen else None),
            **_numbers("speed", self._speed(seen) if seen else None),
            "state": self.shown[0][0] if self.shown else None,
            "chance": self.shown[0][1] if self.shown else None,
            "second": self.shown[1][0] if len(self.shown) > 1 else None,
        }
        told = self.states if self.shown else None
        return found | {f"p_{state}": told[state] if told else None for state in STATES}

    def _depth(self, course: Course) -> Estimate:
        return self._held(*course.interval(self.now))

    def _speed(self, course: Course) -> Estimate:
        value, low, high = course.reaching(self.measure.established)
        return Estimate(value, min(low, value), max(high, value), unit="sessions")

    def _held(self, value: float, low: float, high: float) -> Estimate:
        """Hold an interval to the scale's ends."""
        value, low, high = np.clip([value, low, high], self.measure.low, self.measure.high).tolist()
        return Estimate(value, low, high, unit="points")


def _numbers(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _percent(chance: float) -> str:
    """Write a probability; none is told as certain."""
    return f"{min(max(round(100 * chance), 1), 99)} %"


def _speed_cell(estimate: Estimate, now: int) -> str:
    last = now + AHEAD
    if math.isinf(estimate.low):
        return f"not by session {last}"
    if math.isinf(estimate.value):
        return f"not surely by {last}; {estimate.low:.0f} at the soonest"
    return f"session {estimate.value:.0f} ({estimate.low:.0f} to {_late(estimate, last)})"


def _speed_sentence(estimate: Estimate, now: int) -> str:
    last = now + AHEAD
    if math.isinf(estimate.low):
        return f"Not likely to be established within the next {AHEAD} sessions."
    if math.isinf(estimate.value):
        soonest = f"session {estimate.low:.0f} at the soonest"
        return f"Not surely established within the next {AHEAD} sessions; {soonest}."
    tense = "Established by" if estimate.value <= now else "Likely to be established by"
    return f"{tense} session {estimate.value:.0f} ({estimate.low:.0f} to {_late(estimate, last)})."


def _late(estimate: Estimate, last: int) -> str:
    return f"beyond {last}" if math.isinf(estimate.high) else f"{estimate.high:.0f}"
