"""One dyad's trajectory in words: depth, speed and state, each a `Finding` or a `NotYet`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from attunement.findings import Estimate, Finding, NotYet
from attunement.trajectories.course import AHEAD, RECENT, STATES, Course
from attunement.wording import in_hundred, not_yet, number, plain, say, signed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.instruments.description import Language
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

_CALLED: Final = {
    "forming": "trajectory_forming",
    "established": "trajectory_established",
    "slow": "trajectory_slow",
    "stalled": "trajectory_stalled",
    "falling": "trajectory_falling",
}
_TOLD: Final = _CALLED | {
    "forming": "trajectory_forming_told",
    "slow": "trajectory_slow_told",
    "stalled": "trajectory_stalled_told",
    "falling": "trajectory_falling_told",
}

_NO_PLATEAU: Final = {
    "log2": "trajectory_no_plateau_log2",
    "linear": "trajectory_no_plateau_linear",
}


@dataclass(frozen=True)
class Trajectory:
    """The course of one connection; what is told of it is worked out once.

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
    language
        Of the sentences.
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
    language: Language = "en"

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
            return self._say("trajectory_not_yet")
        if not self.shown:
            return self._say("trajectory_early")
        first, *second = (self._say(_CALLED[state]) for state, _ in self.shown)
        return self._say("trajectory_or", first=first, second=second[0]) if second else first

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

    @cached_property
    def depth(self) -> Finding | NotYet:
        """The connection at the present session, on the instrument's own scale."""
        about = self._say("trajectory_about_depth", name=self.name)
        if isinstance(self.course, NotYet):
            return self._not_yet(about, self.course)
        estimate = self._depth(self.course)
        sentence = self._say(
            "trajectory_depth",
            most=plain(self.measure.high, self.language),
            session=self.now,
            **self._ends(estimate),
        )
        return Finding(about, sentence, estimate, self.curve())

    @cached_property
    def speed(self) -> Finding | NotYet:
        """By which session it is established with probability .8; open where that is not in sight."""
        about = self._say("trajectory_about_speed", name=self.name)
        if isinstance(self.course, NotYet):
            return self._not_yet(about, self.course)
        estimate = self._speed(self.course)
        chance = pl.DataFrame(
            {
                "session": self.course.session.astype(int),
                "chance": self.course.chance_of(self.measure.established),
            }
        )
        return Finding(about, self._speed_sentence(estimate), estimate, chance, self._convention())

    @cached_property
    def state(self) -> Finding | NotYet:
        """Forming, established, slow, stalled or falling, with probabilities; its number is the recent change."""
        about = self._say("trajectory_about_state", name=self.name)
        if isinstance(self.course, NotYet):
            return self._not_yet(about, self.course)
        if not self.long_enough:
            so_far = self._say("rated_one" if self.rated.size == 1 else "rated_some", rated=self.rated.size)
            return not_yet(about, so_far, self._say("trajectory_from", number=FROM), self.language)
        change, spread = self.course.change()
        estimate = Estimate(change, change - 1.96 * spread, change + 1.96 * spread, unit="points")
        table = pl.DataFrame(
            {"state": list(STATES), "chance": [(self.states or {})[state] for state in STATES]}
        )
        return Finding(about, self._state_sentence(), estimate, table, self._convention())

    @property
    def change_sentence(self) -> str:
        """How connection moved over the last three sessions, with its interval."""
        if isinstance(self.state, NotYet):
            return self.state.sentence
        change, digits = self.state.estimate, self.measure.digits
        ends = {"change": change.value, "low": change.low, "high": change.high}
        told = {name: signed(value, digits, self.language) for name, value in ends.items()}
        return self._say("trajectory_moved", recent=min(RECENT, self.now - 1), **told)

    @cached_property
    def depth_cell(self) -> str:
        """Depth for a table's cell."""
        if isinstance(self.course, NotYet):
            return self._say("trajectory_not_yet")
        return self._say("trajectory_depth_cell", **self._ends(self._depth(self.course)))

    @cached_property
    def speed_cell(self) -> str:
        """Speed for a table's cell."""
        if isinstance(self.course, NotYet):
            return self._say("trajectory_not_yet")
        return self._speed_cell(self._speed(self.course))

    @property
    def state_cell(self) -> str:
        """State for a table's cell."""
        if not self.shown:
            return self.word
        return ", ".join(
            f"{self._say(_CALLED[state])} {in_hundred(chance)} %" for state, chance in self.shown
        )

    @property
    def plateau(self) -> Finding | NotYet:
        """Where connection settles, if the practice's curve supports a plateau."""
        about = self._say("trajectory_about_plateau", name=self.name)
        if isinstance(self.course, NotYet) or isinstance(self.model, NotYet):
            missing, supply = self._say("trajectory_no_curve"), self._say("trajectory_more_clients")
            return not_yet(about, missing, supply, self.language)
        if self.model.shape.name != "saturating":
            missing = self._say(_NO_PLATEAU[self.model.shape.name])
            return not_yet(about, missing, self._say("trajectory_longer"), self.language)
        h = np.array([1.0, 2.0])  # the saturating shape runs to 2
        value = float(h @ self.course.line)
        reach = 1.96 * math.sqrt(float(h @ self.course.spread @ h))
        estimate = self._held(value, value - reach, value + reach)
        sentence = self._say("trajectory_plateau", **self._ends(estimate))
        return Finding(about, sentence, estimate, self.curve())

    def curve(self) -> pl.DataFrame:
        """The table behind the chart: ``session, rating, connection, low, high, expected_low, expected_high``."""
        return self._curve

    @cached_property
    def _curve(self) -> pl.DataFrame:
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

    # -- in words

    def _state_sentence(self) -> str:
        (first, chance), *second = self.shown
        told = {"state": self._say(_TOLD[first], recent=RECENT), "chance": in_hundred(chance)}
        if not second:
            return self._say("trajectory_state", **told)
        other, less = second[0]
        return self._say(
            "trajectory_state_or", second=self._say(_CALLED[other]), other=in_hundred(less), **told
        )

    def _speed_sentence(self, estimate: Estimate) -> str:
        if math.isinf(estimate.low):
            return self._say("trajectory_speed_far", ahead=AHEAD)
        if math.isinf(estimate.value):
            return self._say("trajectory_speed_open", ahead=AHEAD, soonest=number(estimate.low, 0))
        name = "trajectory_speed_by" if estimate.value <= self.now else "trajectory_speed_likely"
        return self._say(name, **self._sessions(estimate))

    def _speed_cell(self, estimate: Estimate) -> str:
        last = self.now + AHEAD
        if math.isinf(estimate.low):
            return self._say("trajectory_speed_cell_far", last=last)
        if math.isinf(estimate.value):
            return self._say("trajectory_speed_cell_open", last=last, soonest=number(estimate.low, 0))
        return self._say("trajectory_speed_cell", **self._sessions(estimate))

    def _sessions(self, estimate: Estimate) -> dict[str, str]:
        beyond = math.isinf(estimate.high)
        high = self._say("trajectory_beyond", last=self.now + AHEAD) if beyond else number(estimate.high, 0)
        return {"session": number(estimate.value, 0), "low": number(estimate.low, 0), "high": high}

    def _ends(self, depth: Estimate) -> dict[str, str]:
        ends = {"depth": depth.value, "low": depth.low, "high": depth.high}
        return {name: self.measure.told(value, self.language) for name, value in ends.items()}

    def _convention(self) -> tuple[str, ...]:
        return (self._say("trajectory_convention"),)

    def _not_yet(self, about: str, course: NotYet) -> NotYet:
        return not_yet(about, course.missing, course.supply, self.language)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def _numbers(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
