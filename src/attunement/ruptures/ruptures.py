"""Ruptures in words: each client's episodes as a `Finding` or a `NotYet`, with the error rate beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.ruptures.alarm import BUDGET, Alarm, alarm
from attunement.ruptures.episodes import Watched, watched
from attunement.ruptures.foreseen import foreseen
from attunement.ruptures.rules import RULES
from attunement.ruptures.signs import surprises, weigh
from attunement.trajectories import asked
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from attunement.instruments.description import Language
    from attunement.ruptures.episodes import Episode
    from attunement.ruptures.foreseen import Foreseen
    from attunement.trajectories import Measure

    Array = NDArray[np.float64]

FROM = 2
"""Rated sessions from which one can be compared with what was expected."""
_REACH = 1.96
EPISODES = {
    "therapist": pl.String,
    "client": pl.String,
    **dict.fromkeys(("began", "alerted", "lowest", "back", "closed"), pl.Int64),
    "how": pl.String,
    **dict.fromkeys(("depth", "depth_low", "depth_high"), pl.Float64),
}
"""The columns of `Ruptures.episodes`: sessions by their number, depth in points below what was expected."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One dyad as it was looked at.

    Parameters
    ----------
    therapist, client, name
        Who, and what the dyad is called here.
    sessions, score
        (n,) the rated sessions and the ratings.
    watched
        Its surprises and episodes.
    """

    therapist: str
    client: str
    name: str
    sessions: Array
    score: Array
    watched: Watched

    @property
    def open(self) -> bool:
        """Whether its last episode is not over."""
        return bool(self.watched.episodes) and self.watched.episodes[-1].how == "open"

    def session(self, place: int | None) -> int | None:
        """The number of a session by its place."""
        return None if place is None else int(self.sessions[place])

    def depth(self, episode: Episode) -> Estimate:
        """How far below what was expected the lowest rating was, in points."""
        at = episode.lowest
        value = float(self.watched.expected[at] - self.score[at])
        reach = _REACH * float(self.watched.sd[at])
        return Estimate(value, value - reach, value + reach, unit="points")


@dataclass(frozen=True)
class Ruptures:
    """All dyads of a caseload, looked at session by session.

    Parameters
    ----------
    alarm
        The thresholds, and how often they are wrong.
    measure
        What the ratings are on.
    looked
        One a dyad, in the caseload's order; empty where there is nothing to expect yet.
    missing
        Why nothing can be expected yet, or None.
    language
        Of the sentences.
    """

    alarm: Alarm | None
    measure: Measure
    looked: tuple[Looked, ...] = field(repr=False)
    missing: NotYet | None
    language: Language = "en"

    @property
    def sessions(self) -> pl.DataFrame:
        """Every rated session: ``therapist, client, session, score, expected, sd, z, watch, episode``.

        ``episode`` counts from 1 within the dyad, and is empty outside of one.
        """
        found = [_sessions(each) for each in self.looked]
        return pl.concat(found) if found else pl.DataFrame()

    @property
    def episodes(self) -> pl.DataFrame:
        """A row an episode, with the columns of `EPISODES`."""
        rows = [_row(each, episode) for each in self.looked for episode in each.watched.episodes]
        return pl.DataFrame(rows, schema=EPISODES)

    def of(self, client: str, therapist: str | None = None) -> Finding | NotYet:
        """Say what happened with one client; of several episodes the last.

        Raises
        ------
        ColumnProblem
            Where there is no such client, or several therapists met them and none is named.
        """
        found = [
            each for each in self.looked if each.client == client and therapist in {None, each.therapist}
        ]
        if self.missing is not None:
            return self._not_yet(
                self._say("rupture_about", name=client), self.missing.missing, self.missing.supply
            )
        if len(found) != 1:
            more = f"{len(found)} therapists met the client {client!r}; name one"
            raise ColumnProblem(f"{more}." if found else f"There is no client {client!r} in these ratings.")
        return self.told(found[0])

    def looked_at(self, client: str) -> Looked | None:
        """Return the dyad of a client; of several the one with the latest session."""
        found = [each for each in self.looked if each.client == client]
        return max(found, key=lambda each: each.sessions[-1], default=None)

    @cached_property
    def still_open(self) -> Mapping[str, tuple[Finding | NotYet, str]]:
        """What is told of each client with whom a rupture is open, and how likely a real one is seen."""
        found = {each.client: self.looked_at(each.client) for each in self.looked}
        return {
            client: (self.told(each), self.power_at_last(each))
            for client, each in found.items()
            if each is not None and each.open
        }

    @property
    def all(self) -> Finding | NotYet:
        """With how many clients there was a rupture: a count, and what chance alone would give."""
        if self.missing is not None or self.alarm is None or not self.looked:
            missing = self.missing or self._not_yet("", self._say("rated_some", rated=0), self._from())
            return self._not_yet(self._say("rupture_all_about"), missing.missing, missing.supply)
        followed = [each for each in self.looked if each.sessions.size >= FROM]
        if not followed:
            return self._not_yet(
                self._say("rupture_all_about"), self._say("rated_one", rated=1), self._from()
            )
        torn = [each for each in followed if each.watched.episodes]
        told = {"clients": len(torn), "dyads": len(followed), "open": sum(each.open for each in torn)}
        name = "rupture_all" if torn else "rupture_all_none"
        counted = len(torn) / len(followed)
        low, high = _share(len(torn), len(followed))
        return Finding(
            self._say("rupture_all_about"),
            f"{self._say(name, **told)} {self._chance()}",
            Estimate(counted, min(low, counted), max(high, counted), unit="share"),
            self.episodes,
            self._limits(),
        )

    def rules(self) -> pl.DataFrame:
        """Replay the rules in use elsewhere: ``rule, sessions, alerts, share, low, high``, over the same sessions."""
        told = [each for each in self.looked if each.sessions.size >= FROM]
        sessions = sum(each.sessions.size - 1 for each in told)
        counted = {
            name: sum(int(rule(each.score, self.measure)[1:].sum()) for each in told)
            for name, rule in RULES.items()
        }
        own = sum(len(each.watched.episodes) for each in told)
        alerts = {"one step ahead": own, **counted}
        ends = [_share(each, max(sessions, 1)) for each in alerts.values()]
        return pl.DataFrame(
            {
                "rule": list(alerts),
                "sessions": [sessions] * len(alerts),
                "alerts": list(alerts.values()),
                "share": [each / max(sessions, 1) for each in alerts.values()],
                "low": [low for low, _ in ends],
                "high": [high for _, high in ends],
            }
        )

    def told(self, each: Looked) -> Finding | NotYet:
        """Say what happened in one dyad; of several episodes the last."""
        about = self._say("rupture_about", name=each.name)
        if each.sessions.size < FROM or self.alarm is None:
            return self._not_yet(about, self._so_far(each.sessions.size), self._from())
        if not each.watched.episodes:
            return self._quiet(each, about)
        last = each.watched.episodes[-1]
        return Finding(
            about,
            " ".join([self._seen(each, last), *self._since(each, last), self._rate()]),
            each.depth(last),
            _sessions(each),
            (self.power_at_last(each), *self._limits()),
        )

    def power_at_last(self, each: Looked) -> str:
        """Say what a real drop's chance to be seen is, at the last alert or rating."""
        episodes = each.watched.episodes
        return self._power(each, episodes[-1].alerted if episodes else each.sessions.size - 1)

    # -- inside

    def _quiet(self, each: Looked, about: str) -> Finding:
        """No episode: how far the last rating lay from what was expected of it."""
        off, reach = (
            float(each.score[-1] - each.watched.expected[-1]),
            _REACH * float(each.watched.sd[-1]),
        )
        return Finding(
            about,
            self._say("rupture_none", name=each.name),
            Estimate(off, off - reach, off + reach, unit="points"),
            _sessions(each),
            (self.power_at_last(each),),
        )

    def _seen(self, each: Looked, episode: Episode) -> str:
        at = episode.alerted
        expected, reach = each.watched.expected[at], _REACH * each.watched.sd[at]
        points = {"score": each.score[at], "expected": expected}
        band = {"low": expected - reach, "high": expected + reach}
        told = {name: self._points(value) for name, value in (points | band).items()}
        twice = [self._say("rupture_twice")] if episode.began < at else []
        return " ".join([self._say("rupture_seen", session=each.session(at), **told), *twice])

    def _since(self, each: Looked, episode: Episode) -> list[str]:
        lowest = (
            [self._say("rupture_lowest", session=each.session(episode.lowest))]
            if episode.lowest != episode.alerted
            else []
        )
        ended = {"repaired": "rupture_repaired", "settled lower": "rupture_settled"}.get(episode.how)
        ended = ended or ("rupture_open" if episode.back is None else "rupture_open_inside")
        return [*lowest, self._say(ended, session=each.session(episode.back))]

    def _rate(self) -> str:
        return "" if self.alarm is None else self._say("rupture_rate", rate=in_hundred(self.alarm.rate))

    def _chance(self) -> str:
        """How many episodes there would be if nothing were ever wrong."""
        sessions = sum(each.sessions.size - 1 for each in self.looked)
        rate = 0.0 if self.alarm is None else self.alarm.rate
        return self._say("rupture_chance", sessions=sessions, number=round(sessions * rate))

    def _power(self, each: Looked, at: int) -> str:
        if self.alarm is None:
            return ""
        one = self.alarm.powers(float(each.watched.sd[at])).row(1, named=True)
        points = number(one["points"], self.measure.digits, self.language)
        return self._say("rupture_power", points=points, power=in_hundred(one["power"]))

    def _limits(self) -> tuple[str, ...]:
        return self._say("rupture_limit_probable"), self._say("rupture_limit_kind")

    def _from(self) -> str:
        return self._say("rated_from", number=FROM)

    def _points(self, value: float) -> str:
        held = min(max(value, self.measure.low), self.measure.high)
        return number(held, self.measure.digits, self.language)

    def _so_far(self, rated: int) -> str:
        return self._say("rated_one" if rated == 1 else "rated_some", rated=rated)

    def _not_yet(self, about: str, missing: str, supply: str) -> NotYet:
        return not_yet(about, missing, supply, self.language)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def ruptures(
    given: Any,  # noqa: ANN401 - a practice, a table, or its courses
    measure: Measure | None = None,
    *,
    budget: float = BUDGET,
    signs: pl.DataFrame | None = None,
    language: Language | None = None,
) -> Ruptures:
    """Look at every session as it came, and say where a rating was far below what was to be expected of it.

    Parameters
    ----------
    given
        A practice, a table of its ratings (`frames.RATINGS`), or its courses, what `attunement.trajectories` found.
    measure
        The scale of a table's ratings.
    budget
        The share of quiet sessions that may be called a rupture.
    signs
        Other signs, higher is worse: therapist, client, session and a column each, such as the answer to what
        hindered, and how far away the therapist felt.
    language
        Of the sentences; where it is left out, that of the courses. What courses could not tell stays in theirs.
    """
    caseload = asked(given, measure, language=language or "en")
    language = language or caseload.language
    if isinstance(caseload.model, NotYet):
        return Ruptures(None, caseload.measure, (), caseload.model, language)
    rated = caseload.rated
    dyads = {(each.therapist, each.client): each for each in foreseen(rated, caseload.model)}
    ends = (caseload.measure.low, caseload.measure.high)
    limits = alarm(tuple(dyads.values()), ends, budget)
    weighed = {} if signs is None else weigh(_surprises(dyads.values()), _unusual(signs))
    looked = tuple(
        _looked(dyads[key], each.name, watched(dyads[key], limits, weighed.get(key)))
        for each in caseload.trajectories
        if (key := (each.therapist, each.client)) in dyads
    )
    return Ruptures(limits, caseload.measure, looked, None, language)


def _looked(dyad: Foreseen, name: str, seen: Watched) -> Looked:
    return Looked(dyad.therapist, dyad.client, name, dyad.session, dyad.score, seen)


def _unusual(signs: pl.DataFrame) -> pl.DataFrame:
    names = [name for name in signs.columns if name not in {"therapist", "client", "session", "time"}]
    return surprises(signs, names)


def _surprises(dyads: Any) -> pl.DataFrame:  # noqa: ANN401 - a view of a mapping
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "therapist": [each.therapist] * each.session.size,
                    "client": [each.client] * each.session.size,
                    "session": each.session.astype(int),
                    "z": each.ahead()[2],
                }
            )
            for each in dyads
        ]
    )


def _sessions(each: Looked) -> pl.DataFrame:
    seen = each.watched
    within = np.zeros(each.sessions.size, dtype=int)
    for place, episode in enumerate(seen.episodes, start=1):
        last = each.sessions.size if episode.closed is None else episode.closed + 1
        within[episode.began : episode.back or last] = place
    return pl.DataFrame(
        {
            "therapist": [each.therapist] * each.sessions.size,
            "client": [each.client] * each.sessions.size,
            "session": each.sessions.astype(int),
            "score": each.score,
            "expected": seen.expected,
            "sd": seen.sd,
            "z": seen.z,
            "watch": seen.watch,
            "episode": pl.Series([int(each) or None for each in within], dtype=pl.Int64),
        }
    )


def _row(each: Looked, episode: Episode) -> dict[str, Any]:
    depth = each.depth(episode)
    places = {
        name: each.session(getattr(episode, name))
        for name in ("began", "alerted", "lowest", "back", "closed")
    }
    who = {"therapist": each.therapist, "client": each.client}
    points = {"depth": depth.value, "depth_low": depth.low, "depth_high": depth.high}
    return {**who, **places, "how": episode.how, **points}


def _share(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    share, square = count / of, _REACH**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _REACH * np.sqrt(share * (1 - share) / of + square / (4 * of**2)) / (1 + square / of)
    return float(max(middle - reach, 0.0)), float(min(middle + reach, 1.0))
