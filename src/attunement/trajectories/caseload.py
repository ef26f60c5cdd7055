"""A caseload: every dyad's trajectory, and what can be said of all of them together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Estimate, Finding, NotYet
from attunement.mixed import Posterior
from attunement.trajectories.course import Course, course
from attunement.trajectories.model import LEAST, CourseModel, course_model, intercepts, small_practice_model
from attunement.trajectories.prior import published_prior
from attunement.trajectories.shares import shares
from attunement.trajectories.trajectory import ROW, Trajectory
from attunement.wording import counted, not_yet, number, plain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from attunement.instruments.description import Language
    from attunement.mixed import Fit, Prior
    from attunement.trajectories.measure import Measure

    Array = NDArray[np.float64]

_CEILING = 0.05  # share of ratings at the top from which a Gaussian model understates depth
FEW = 20  # clients below which the variances are integrated over, from a prior
_DRAWS = 4_000
_BEHIND = {"falling": 0, "stalled": 1, "slow": 2, "forming": 3, "established": 4, "": 5}


@dataclass(frozen=True)
class Caseload:
    """All trajectories of a table of ratings; what is told of them is worked out once.

    Parameters
    ----------
    measure
        What the ratings are on.
    rated
        The rated sessions: therapist, client, dyad, session, score.
    model
        The fitted practice, or why there is none yet.
    trajectories
        One a dyad; those that want attention first.
    shares
        Where ratings differ, or why that cannot be told yet.
    limits
        What holds for every number here, a sentence each.
    language
        Of the sentences.
    """

    measure: Measure
    rated: pl.DataFrame = field(repr=False)
    model: CourseModel | NotYet = field(repr=False)
    trajectories: tuple[Trajectory, ...] = field(repr=False)
    shares: Finding | NotYet
    limits: tuple[str, ...]
    language: Language = "en"

    def __iter__(self) -> Iterator[Trajectory]:
        return iter(self.trajectories)

    def __len__(self) -> int:
        return len(self.trajectories)

    def of(self, therapist: str) -> Caseload:
        """One therapist's own caseload; what is usual stays that of the whole table.

        Raises
        ------
        ColumnProblem
            Where the table has no such therapist.
        """
        own = tuple(each for each in self.trajectories if each.therapist == therapist)
        if not own:
            raise ColumnProblem(
                f"No session was given by the therapist {therapist!r}; look at the codes in the table."
            )
        return replace(self, trajectories=own, rated=self.rated.filter(pl.col("therapist") == therapist))

    @cached_property
    def connected(self) -> Finding | NotYet:
        """With how many of those met three times or more there is a connection."""
        about = self._say("trajectory_about_connected")
        if isinstance(self.model, NotYet):
            return not_yet(about, self.model.missing, self.model.supply, self.language)
        told = [each for each in self.trajectories if isinstance(each.course, Course) and each.long_enough]
        if len(told) < LEAST:
            return not_yet(about, *self._too_few(len(told)), self.language)
        chance = np.array([each.chance_established for each in told])
        drawn = (np.random.default_rng(0).random((_DRAWS, chance.size)) < chance).mean(axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        value = float(chance.mean())
        estimate = Estimate(value, float(min(low, value)), float(max(high, value)), unit="share")
        table = pl.DataFrame({"client": [each.name for each in told], "chance": chance})
        return Finding(about, self._connected(len(told), estimate), estimate, table, self.limits)

    @cached_property
    def band(self) -> pl.DataFrame:
        """The connection expected of a new client here: ``session, low, middle, high`` (10, 50 and 90 %)."""
        if isinstance(self.model, NotYet):
            return pl.DataFrame(schema=dict.fromkeys(("session", "low", "middle", "high"), pl.Float64))
        last = int(self.rated["session"].max() or 1)  # type: ignore[arg-type]
        session = np.arange(1.0, last + 1)
        columns = {
            name: np.clip(self.model.expected(session, share), self.measure.low, self.measure.high)
            for name, share in (("low", 0.1), ("middle", 0.5), ("high", 0.9))
        }
        return pl.DataFrame({"session": session.astype(int), **columns})

    def frame(self) -> pl.DataFrame:
        """One row a dyad: depth, speed, state and the probability of every state; the same as the pages show."""
        return pl.DataFrame([each.row() for each in self.trajectories], schema=ROW)

    # -- inside

    def _too_few(self, told: int) -> tuple[str, str]:
        """What is missing for a share of the clients, and what would supply it."""
        if not told:
            return self._say("trajectory_nobody"), self._say("trajectory_from_three")
        few = self._say("trajectory_one_told" if told == 1 else "trajectory_few_told", clients=told)
        return few, self._say("trajectory_from_connected", number=LEAST)

    def _connected(self, told: int, share: Estimate) -> str:
        one_each = self.rated["client"].n_unique() == self.rated["dyad"].n_unique()
        ends = {"share": share.value, "low": share.low, "high": share.high}
        return self._say(
            "trajectory_connected" if one_each else "trajectory_connected_pairs",
            told=counted(told, self.language),
            level=self.measure.told(self.measure.established, self.language),
            most=plain(self.measure.high, self.language),
            **{name: number(100 * value, 0, self.language) for name, value in ends.items()},
        )

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def trajectories(
    table: Any,  # noqa: ANN401 - any eager frame narwhals knows
    measure: Measure,
    *,
    prior: Prior | Literal["published"] | None = "published",
    language: Language = "en",
    progress: Callable[[str, float], None] = lambda what, share: None,  # noqa: ARG005
) -> Caseload:
    """Work out the connection with every client from a table of ratings (`frames.RATINGS`).

    Parameters
    ----------
    table
        therapist (if several), client, session, score.
    measure
        The scale's ends, and what is called established.
    prior
        What is known before the ratings, for tables of fewer than 20 clients: published figures
        (`published_prior`), another prior, or None for nothing. With None, fewer than 5 clients are not told.
    language
        Of the sentences.
    progress
        Called with what is being done and how far it is, 0 to 1.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract.
    TooLittle
        When nobody was rated, or all ratings are the same.
    """
    rated = _rated(frames.ratings(table), measure)
    progress("where ratings differ", 0.1)
    levels = intercepts(rated, language=language)
    where = shares(rated, levels, language=language)
    progress("the practice's usual course", 0.4)
    known = published_prior(measure, language=language) if prior == "published" else prior
    model = _model(rated, levels, known)
    progress("each client's course", 0.7)
    found = _trajectories(rated, model, measure, language)
    progress("each client's course", 1.0)
    return Caseload(measure, rated, model, found, where, _limits(rated, model, measure, language), language)


def _model(rated: pl.DataFrame, levels: Fit | NotYet, prior: Prior | None) -> CourseModel | NotYet:
    """The practice's courses: its own where it has many clients, else from a prior, where there is one."""
    if prior is not None and rated["client"].n_unique() < FEW:
        return small_practice_model(rated, prior)
    return levels if isinstance(levels, NotYet) else course_model(rated, levels)


def _rated(table: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    length = pl.col(
        "therapist"
    ).str.len_chars()  # in front, so that no two dyads share a name whatever the codes
    dyad = pl.concat_str(length, "therapist", "client", separator=" ").alias("dyad")
    rated = table.filter(pl.col("score").is_not_null()).select(
        "therapist", "client", dyad, "session", "score"
    )
    if rated.is_empty():
        raise TooLittle("No session has a score; there is nothing to look at.")
    outside = rated.filter(~pl.col("score").is_between(measure.low, measure.high))
    if not outside.is_empty():
        first = outside.row(0, named=True)
        raise TooLittle(
            f"{outside.height} score{'s lie' if outside.height > 1 else ' lies'} outside the scale "
            f"{measure.low:g} to {measure.high:g}, first {first['score']:g} (client {first['client'][:24]!r}, "
            f"session {first['session']}); give the scale's ends with --scale LOW,HIGH."
        )
    if rated["score"].n_unique() == 1:
        raise TooLittle(
            f"All {rated.height} scores are {rated['score'][0]:g}; there is no difference to look at."
        )
    return rated.sort("therapist", "client", "session")


def _trajectories(
    rated: pl.DataFrame, model: CourseModel | NotYet, measure: Measure, language: Language
) -> tuple[Trajectory, ...]:
    dyads = rated.group_by("dyad", maintain_order=True).agg(
        pl.col("therapist", "client").first(), "session", "score"
    )
    several = dyads["client"].n_unique() < dyads.height
    if isinstance(model, NotYet):
        courses: list[Course | NotYet] = [model] * dyads.height
    else:
        courses = [*_courses(dyads, model)]
    found = [
        Trajectory(
            therapist=row["therapist"],
            client=row["client"],
            name=_pair(row, language) if several else row["client"],
            rated=np.array(row["session"], dtype=float),
            score=np.array(row["score"], dtype=float),
            course=each,
            states=None
            if isinstance(each, NotYet) or isinstance(model, NotYet)
            else each.states(model, measure),
            model=model,
            measure=measure,
            language=language,
        )
        for row, each in zip(dyads.iter_rows(named=True), courses, strict=True)
    ]
    return tuple(sorted(found, key=_attention))


def _pair(row: dict[str, Any], language: Language) -> str:
    return say("trajectory_pair", language, client=row["client"], therapist=row["therapist"])


def _courses(dyads: pl.DataFrame, model: CourseModel) -> Iterator[Course]:
    at = model.at(dyads)
    for place, row in enumerate(dyads.iter_rows(named=True)):
        session, score = (np.array(row[name], dtype=float) for name in ("session", "score"))
        yield course(session, score, place, at, model)


def _attention(each: Trajectory) -> tuple[int, float, str]:
    """What wants attention comes first; a sort of clients by need, never by worth."""
    shown = each.shown[0] if each.shown else ("", 0.0)
    return 0 if each.wants_a_look else _BEHIND[shown[0]] + 1, -round(shown[1], 2), each.name


def _limits(
    rated: pl.DataFrame, model: CourseModel | NotYet, measure: Measure, language: Language
) -> tuple[str, ...]:
    limits = []
    top = rated.filter(pl.col("score") >= measure.high).height / rated.height
    if top > _CEILING:
        limits.append(say("trajectory_limit_top", language, top=number(100 * top, 0, language)))
    if isinstance(model, NotYet):
        return tuple(limits)
    clients = rated["client"].n_unique()
    if isinstance(model.fit, Posterior):
        name = "trajectory_limit_one" if clients == 1 else "trajectory_limit_few"
        limits.append(say(name, language, clients=clients, source=model.fit.prior.source))
    elif clients < FEW:
        limits.append(say("trajectory_limit_narrow", language, clients=clients))
    if model.still:
        limits.append(say("trajectory_limit_still", language))
    return tuple(limits)
