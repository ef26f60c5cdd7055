"""What speaks for and against each hypothesis: one number each, standard normal where it is not so.

The numbers are put on one scale so that they can be weighed against each other; each is worked out from the dyad and,
where something is compared, from the therapist's own other clients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import logsumexp, ndtr, ndtri, stdtr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.connecting.known import Known
    from attunement.trajectories import Trajectory

    Array = NDArray[np.float64]

_FEW, _PAIRS, _OTHERS = 4, 5, 4
_STEPS = (1.5, 2.5, 3.5)  # how far a torn bond falls, in standard deviations of one rating


@dataclass(frozen=True, slots=True)
class Sign:
    """How far what was seen is from what is usual, in standard deviations; None where there is too little to see.

    Parameters
    ----------
    strength
        Higher speaks for the hypothesis.
    told
        Values for its sentences.
    ratio
        The logarithm of the likelihood ratio itself, where it is not read off the strength.
    """

    strength: float | None
    told: dict[str, Any]
    ratio: float | None = None

    @property
    def seen(self) -> bool:
        """Whether there was enough to see."""
        return self.strength is not None or self.ratio is not None


MISSING = Sign(None, {})


def forming(_: Known, dyad: Trajectory) -> Sign:
    """Whether the ratings rise: their slope on log2(session), in its standard errors."""
    if dyad.rated.size < 3:
        return MISSING
    return Sign(_slope(np.log2(dyad.rated), dyad.score), {})


def torn(known: Known, dyad: Trajectory) -> Sign:
    """Whether the rating fell all at once and stayed: the likelihood of a step, against a straight line.

    The step may be at any session and of one of `_STEPS`; a slope is paid for as Schwarz's criterion has it. That is a
    likelihood ratio already, and is weighed as one.
    """
    alarm = known.ruptures.alarm
    if alarm is None or dyad.rated.size < _FEW:
        return MISSING
    y, unit = dyad.score, 2 * alarm.sd**2
    flat = float(((y - y.mean()) ** 2).sum())
    straight = min(flat, _rest(dyad.rated, y) + unit / 2 * math.log(y.size))
    places = range(1, y.size)
    tried = np.array([[_step(y, at, drop * alarm.sd) for drop in _STEPS] for at in places])
    ratio = (straight - tried) / unit
    at = 1 + int(ratio.max(axis=1).argmax())
    weight = float(logsumexp(ratio) - math.log(ratio.size))
    return Sign(None, {"session": int(dyad.rated[at])}, ratio=weight)


def theme(known: Known, dyad: Trajectory) -> Sign:
    """Whether other clients with the same trigger bring up the same heaviness: their mean against the rest's."""
    if known.triggers is None or known.feelings is None:
        return MISSING
    mine = known.triggers.filter(pl.col("client") == dyad.client)["tag"].value_counts(sort=True)
    felt = _felt(known)
    levels = felt.group_by("client").agg(pl.col("heavy").mean(), pl.len()).filter(pl.col("len") >= 2)
    others = levels.filter(pl.col("client") != dyad.client)
    best = MISSING
    for tag in mine["tag"]:
        sharing = known.triggers.filter(pl.col("tag") == tag)["client"].unique().implode()
        inside = others.filter(pl.col("client").is_in(sharing))["heavy"].to_numpy()
        outside = others.filter(~pl.col("client").is_in(sharing))["heavy"].to_numpy()
        if inside.size < 2 or outside.size < _OTHERS:
            continue
        spread = max(float(outside.std(ddof=1)), 0.2)
        strength = (inside.mean() - outside.mean()) / (spread * math.sqrt(1 / inside.size + 1 / outside.size))
        if best.strength is None or strength > best.strength:
            best = Sign(_normal(float(strength), outside.size - 1), {"trigger": tag})
    return best


def day(known: Known, dyad: Trajectory) -> Sign:
    """Whether hard days and heavy hours with this client go together: their correlation, by Fisher's z."""
    if known.days is None or known.feelings is None:
        return MISSING
    both = (
        _felt(known).filter(pl.col("client") == dyad.client).join(known.days, on=["therapist", "client", "session"])
    )  # fmt: skip
    if both.height < _PAIRS or both["strain"].n_unique() < 2 or both["heavy"].n_unique() < 2:
        return MISSING
    tie = float(np.corrcoef(both["strain"].to_numpy(), both["heavy"].to_numpy())[0, 1])
    return Sign(math.atanh(min(max(tie, -0.999), 0.999)) * math.sqrt(both.height - 3), {})


def stirs(known: Known, dyad: Trajectory) -> Sign:
    """Whether one feels heavier with this client than with one's others."""
    if known.feelings is None:
        return MISSING
    return _compared(_felt(known).rename({"heavy": "value"}), dyad, least=_FEW)


def style(known: Known, dyad: Trajectory) -> Sign:
    """Whether guess and answer are further apart than with others, either way; a low answer is always missed by more.

    Guesses lie nearer to the middle than answers do, so each client's gap is told from what is usual at their level.
    """
    if known.guesses is None:
        return MISSING
    paired = known.guesses.drop_nulls(["score", "guess"])
    paired = paired.with_columns(
        value=pl.col("guess") - pl.col("score"), level=pl.col("score").mean().over("client")
    )
    others = paired.filter(pl.col("client") != dyad.client)
    if others["client"].n_unique() < _OTHERS or others["level"].std() == 0:
        return MISSING
    slope, middle = np.polyfit(others["level"].to_numpy(), others["value"].to_numpy(), 1)
    told = _compared(
        paired.with_columns(value=pl.col("value") - middle - slope * pl.col("level")), dyad, least=_FEW
    )
    return told if told.strength is None else Sign(_folded(abs(told.strength)), {})


def unsaid(known: Known, dyad: Trajectory) -> Sign:
    """Whether the client says that something about their background was missed, more than one's other clients do."""
    if known.background is None:
        return MISSING
    return _compared(known.background.drop_nulls("missed").rename({"missed": "value"}), dyad, least=1)


def outside(known: Known, dyad: Trajectory) -> Sign:
    """Whether the state got worse before the bond did: its change over the sessions before the lowest ratings."""
    if known.states is None:
        return MISSING
    own = known.states.filter(pl.col("client") == dyad.client).drop_nulls("outcome").sort("session")
    if own.height < _PAIRS:
        return MISSING
    session, state = own["session"].to_numpy().astype(float), own["outcome"].to_numpy().astype(float)
    return Sign(_slope(session, state), {})


SIGNS: dict[str, Callable[[Known, Trajectory], Sign]] = {
    "forming": forming,
    "torn": torn,
    "theme": theme,
    "day": day,
    "stirs": stirs,
    "style": style,
    "unsaid": unsaid,
    "outside": outside,
}


def _felt(known: Known) -> pl.DataFrame:
    """Each session's heaviness: the mean of the heavy feelings."""
    if known.feelings is None:
        return pl.DataFrame()
    heavy = known.feelings.filter(pl.col("feeling").is_in(list(known.heavy)))
    return heavy.group_by("therapist", "client", "session").agg(pl.col("strength").mean().alias("heavy"))


def _compared(table: pl.DataFrame, dyad: Trajectory, *, least: int) -> Sign:
    """One client's mean against the others', in the spread of a client's mean: between clients, and of so few answers.

    `table` has client and value, from `least` rows a client on.
    """
    each = table.group_by("client").agg(pl.col("value").mean(), pl.col("value").var().alias("own"), pl.len())
    each = each.filter(pl.col("len") >= least)
    mine = each.filter(pl.col("client") == dyad.client)
    others = each.filter(pl.col("client") != dyad.client)
    if mine.is_empty() or others.height < _OTHERS:
        return MISSING
    means, many = others["value"].to_numpy(), others["len"].to_numpy()
    within = float(others["own"].drop_nulls().mean() or 0.0)  # type: ignore[arg-type]
    between = max(float(means.var(ddof=1)) - within * float((1 / many).mean()), 0.0)
    spread = math.sqrt(between * (1 + 1 / means.size) + within / mine["len"][0])
    return Sign(_normal((mine["value"][0] - means.mean()) / max(spread, 0.2), means.size - 1), {})


def _rest(x: Array, y: Array) -> float:
    """What a straight line leaves over, squared and added up."""
    off = x - x.mean()
    return float(((y - y.mean() - (off @ y) / (off @ off) * off) ** 2).sum())


def _step(y: Array, at: int, drop: float) -> float:
    """What a fall by so much at a place leaves over, squared and added up; the level before is fitted."""
    raised = y.copy()
    raised[at:] += drop
    return float(((raised - raised.mean()) ** 2).sum())


def _slope(x: Array, y: Array) -> float:
    """The slope of y on x in its standard errors, as a normal would have it."""
    off = x - x.mean()
    slope = float(off @ y / (off @ off))
    error = math.sqrt(max(_rest(x, y) / (x.size - 2), 1e-6) / float(off @ off))
    return _normal(slope / error, x.size - 2)


def _normal(t: float, freedom: int) -> float:
    """What is as far out in a normal as this is in Student's t."""
    return math.copysign(float(-ndtri(max(stdtr(freedom, -abs(t)), 1e-15))), t)


def _folded(off: float) -> float:
    """A distance either way as a normal that speaks one way: as unlikely as the distance is."""
    return float(-ndtri(min(max(2 * ndtr(-off), 1e-15), 1 - 1e-9)))
