"""How practices are, as far as it was published: the settings of a simulated practice."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attunement.errors import ModelProblem

LOW, HIGH = 0.0, 10.0  # ends of the scale

_SHARE = (0.0, 1.0)
_SPREAD = (0.0, HIGH)
_RANGES: dict[str, tuple[float, float]] = {
    "start": (LOW, HIGH),
    "growth_per_doubling": (-HIGH, HIGH),
    "client_sd": _SPREAD,
    "therapist_share": _SHARE,
    "pairing_share": _SHARE,
    "slope_sd": _SPREAD,
    "intercept_slope_correlation": (-1.0, 1.0),
    "session_sd": _SPREAD,
    "drift_sd": _SPREAD,
    "rupture_chance": _SHARE,
    "rupture_depth": _SPREAD,
    "rupture_length": (1, 50),
    "repair_chance": _SHARE,
    "half_life": (0.1, 50.0),
    "client_notices": _SHARE,
    "therapist_notices": _SHARE,
    "mean_sessions": (1.0, 500.0),
    "session_shape": (0.01, 1000.0),
    "intake_weeks": (1, 5000),
    "weekly_share": (0.05, 1.0),
    "missing_share": _SHARE,
    "guess_bias": (-HIGH, HIGH),
    "guess_accuracy": (-1.0, 1.0),
    "guess_tracking": (-1.0, 1.0),
    "guess_habit_share": _SHARE,
    "step": _SPREAD,
}


@dataclass(frozen=True, slots=True)
class Published:
    """The settings, each with its unit and source; points are of the scale from 0 to 10.

    Most studies rate from 1 to 5: x there is 2.5 (x − 1) points here. [judgement] marks what no paper gives.

    Parameters
    ----------
    start, growth_per_doubling
        Points at session 1, and gained with each doubling of the session number. From 3.9 of 5 at session 3 and
        + .10 ln(s) [judgement, within what outpatients give on the WAI-SR]; the start makes up for the dips.
    client_sd, therapist_share, pairing_share
        Points between clients at session 1 (.60 of 5 [judgement]); the shares of that variance that lie between
        therapists (.05: Wampold & Brown 2005, of outcome) and in the pairing [judgement: seen only where clients
        meet two therapists].
    slope_sd, intercept_slope_correlation
        Points per doubling between clients (.10 ln(s) of 5), and its tie to where they begin [both judgement].
    session_sd, drift_sd
        Points of noise in one rating, and of one step of the walk. With growth and dips they make the .35 of 5
        within clients, so that three quarters of the variance lie between clients [judgement].
    rupture_chance, rupture_depth, rupture_length
        A session's chance to begin a rupture (.12), its depth in points (.8 to 1.5 standard deviations within
        clients) and its sessions, each between two ends [judgement]. About a fifth of sessions lie in one, near
        the low end of what clients report (19 to 42 %); the shape is the V that Stevens et al. 2007 found.
    repair_chance, half_life
        .55: therapists notice half, and repair 70 % of what they notice and 40 % of the rest [judgement]; and the
        sessions in which the mark of an unrepaired one halves [judgement].
    client_notices, therapist_notices
        Share of the sessions in a rupture that raise the client's answer to what hindered (.30) and the therapist's
        feeling of distance (.50), independently of each other: near the rates at which the two sides report ruptures
        [their independence and the size of the rise are judgements].
    mean_sessions, session_shape
        Mean length of a therapy (12.9 over 20 naturalistic samples: Flückiger et al. 2020,
        10.1159/000507793), drawn as 1 + NegBin(mean − 1, shape .8), whose median is 8 [judgement].
    intake_weeks, weekly_share
        Working weeks before `TODAY` in which therapies began, and the share of weeks that a client comes in
        [both judgement].
    missing_share
        Share of check-ins skipped [judgement].
    guess_bias, guess_accuracy, guess_tracking, guess_habit_share
        The therapist guesses .63 standard deviations low, and guesses correlate with ratings .36 between clients
        (both Tryon et al. 2007, 53 studies; some points of bias make up for dips that are only half seen) and .40
        within a client (therapists follow, and rate lower: Atzil-Slonim et al. 2015; its size is a judgement).
        Share of the variance between guesses that is the therapist's own habit [judgement].
    step
        Points to which answers are rounded; 0 leaves them as they are.

    Raises
    ------
    ModelProblem
        Names the setting that is out of range.
    """

    start: float = 7.1
    growth_per_doubling: float = 0.17
    client_sd: float = 1.5
    therapist_share: float = 0.05
    pairing_share: float = 0.20
    slope_sd: float = 0.17
    intercept_slope_correlation: float = -0.2
    session_sd: float = 0.78
    drift_sd: float = 0.1
    rupture_chance: float = 0.12
    rupture_depth: tuple[float, float] = (0.7, 1.3)
    rupture_length: tuple[int, int] = (1, 3)
    repair_chance: float = 0.55
    half_life: float = 4.0
    client_notices: float = 0.30
    therapist_notices: float = 0.50
    mean_sessions: float = 12.9
    session_shape: float = 0.8
    intake_weeks: int = 52
    weekly_share: float = 0.87
    missing_share: float = 0.10
    guess_bias: float = -1.22
    guess_accuracy: float = 0.36
    guess_tracking: float = 0.40
    guess_habit_share: float = 0.35
    step: float = 0.1

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            for end in value if isinstance(value, tuple) else (value,):
                within(name, end, low, high)
        for name in ("rupture_depth", "rupture_length"):
            low, high = getattr(self, name)
            within(f"the upper end of {name}", high, low)
        within("therapist_share + pairing_share", self.therapist_share + self.pairing_share, 0, 1)
        within("guess_accuracy² + guess_habit_share", self.guess_accuracy**2 + self.guess_habit_share, 0, 1)


def within(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse a value that is out of range, by its name; NaN is out of every range.

    Raises
    ------
    ModelProblem
        With the name, the range and the value.
    """
    if not low <= value <= high:
        allowed = f"between {low:g} and {high:g}" if high < math.inf else f"at {low:g} or above"
        raise ModelProblem(f"{name} lies {allowed}; {value} does not.")


PUBLISHED = Published()
