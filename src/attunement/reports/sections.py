"""The sections of a page on what ratings mean: each asks one question, of the columns that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

from attunement import plots
from attunement.agreement import agreement
from attunement.countertransference import (
    FACTORS,
    NEGATIVE,
    POSITIVE,
    countertransference,
    next_session,
    signal,
)
from attunement.exchange.columns import LINES
from attunement.findings import Finding, NotYet
from attunement.impact import engagement, outcome, stability
from attunement.library import to_read
from attunement.trust import trust

if TYPE_CHECKING:
    from attunement.drawing import Chart
    from attunement.library import Source
    from attunement.ruptures import Ruptures
    from attunement.trajectories import Caseload

Worse = Literal["higher", "lower"]

FEELING: Final = "feeling:"
"""How the columns of a therapist's feelings begin."""
_MOST: Final = 40
_ABOUT: Final = {"ruptures": "rupture", "feelings": "mirror", "next": "next_session"}
"""What a section is called in the library, where it has another name there."""


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer.

    Parameters
    ----------
    name, heading
        For links, and as it is read.
    found
        The answer.
    chart
        Its picture, where there is one.
    table
        What stands behind it, at most 40 rows.
    more
        What else is told under the heading.
    """

    name: str
    heading: str
    found: Finding | NotYet
    chart: Chart | None
    table: pl.DataFrame
    more: tuple[Finding | NotYet, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that is told under the heading."""
        return tuple(each.sentence for each in (self.found, *self.more))

    @property
    def to_read(self) -> tuple[Source, ...]:
        """What bears on it, two at most."""
        return to_read(_ABOUT.get(self.name, self.name))[:2]

    @property
    def limits(self) -> tuple[str, ...]:
        """What none of it can tell, each sentence once."""
        said = [each.limits for each in (self.found, *self.more) if isinstance(each, Finding)]
        return tuple(dict.fromkeys(limit for limits in said for limit in limits))


def has(rows: pl.DataFrame, *names: str) -> bool:
    """Whether the table has these columns, and anything in each."""
    return all(name in rows.columns and not rows[name].is_null().all() for name in names)


def felt(rows: pl.DataFrame) -> pl.DataFrame | None:
    """Lay out the columns of feelings as `frames.REFLECTIONS`, or None where there are none."""
    names = [name for name in rows.columns if name.startswith(FEELING) and has(rows, name)]
    if not names:
        return None
    long = rows.unpivot(
        names, index=["therapist", "client", "session"], variable_name="feeling", value_name="strength"
    )
    return long.with_columns(pl.col("feeling").str.strip_prefix(FEELING)).drop_nulls("strength")


def of_ruptures(torn: Ruptures) -> Section:
    """Which ratings fell far below what was expected of them."""
    found = torn.all
    chart = plots.rules_chart(torn) if isinstance(found, Finding) else None
    return Section("ruptures", "Ruptures", found, chart, torn.episodes.head(_MOST))


def of_agreement(caseload: Caseload, rows: pl.DataFrame) -> Section | None:
    """How guesses lie to ratings; drawn client by client for one therapist alone, for nobody is compared."""
    if not has(rows, "guess"):
        return None
    found = agreement(rows, caseload.measure)
    told = found.all
    alone = rows["therapist"].n_unique() == 1
    chart = plots.gaps_chart(found) if alone and isinstance(told, Finding) else None
    return Section("agreement", "Your guess and their rating", told, chart, pl.DataFrame())


def of_trust(rows: pl.DataFrame) -> Section | None:
    """What trust rests on, and whether talk goes deeper once it is there."""
    asked = [name for name in LINES if has(rows, name)]
    if not asked:
        return None
    key = ["therapist", "client", "session", *(["time"] if has(rows, "time") else [])]
    sessions = rows.select(*key, "attendance").drop_nulls("attendance") if has(rows, "attendance") else None
    found = trust(rows.select(*key, *asked), sessions)
    lines = found.all
    told = {each.about: each for each in lines.values() if isinstance(each, Finding)}
    lacking = [each for each in lines.values() if isinstance(each, NotYet)]
    each = (*told.values(), *lacking, found.order)
    points = {name: each for name, each in told.items() if each.estimate.unit == "points"}
    chart = plots.parts_chart(points, "points") if points else None
    return Section("trust", "What trust rests on", each[0], chart, pl.DataFrame(), each[1:])


def of_feelings(rows: pl.DataFrame) -> Section | None:
    """Where the therapist's feelings come from; nothing of a single therapist."""
    reflections = felt(rows)
    if reflections is None:
        return None
    days = rows.select("therapist", "client", "session", "my_day") if has(rows, "my_day") else None
    ours = set(reflections["feeling"]) & {*POSITIVE, *NEGATIVE}
    found = countertransference(reflections, days=days, only=FACTORS if ours else None).all
    chart = plots.feelings_chart(found) if isinstance(found, Finding) else None
    return Section("feelings", "Your own feelings", found, chart, pl.DataFrame())


def of_signal(rows: pl.DataFrame, worse: Worse | None) -> Section | None:
    """Which feelings tell something of the clients' states."""
    reflections = felt(rows)
    if reflections is None or worse is None or not has(rows, "outcome"):
        return None
    found = signal(reflections, rows.select("therapist", "client", "session", "outcome"), worse=worse).all
    table = found.evidence if isinstance(found, Finding) else pl.DataFrame()
    return Section("signal", "What your feelings tell", found, None, table)


def of_next_session(caseload: Caseload, rows: pl.DataFrame) -> Section | None:
    """Whether what was felt in an hour goes with the next rating."""
    reflections = felt(rows)
    if reflections is None:
        return None
    there = set(reflections["feeling"])
    positive, negative = ([each for each in words if each in there] for words in (POSITIVE, NEGATIVE))
    if not positive or not negative:
        return None
    found = next_session(reflections, rows, caseload.measure, positive=positive, negative=negative)
    rest = (found.positive, found.usual_negative, found.usual_positive)
    return Section("next", "After hours like that", found.negative, None, found.frame(), rest)


def of_outcome(caseload: Caseload, rows: pl.DataFrame, worse: Worse | None) -> Section | None:
    """Whether a bond carries the outcome, within clients and between them."""
    if worse is None or not has(rows, "outcome"):
        return None
    found = outcome(rows, caseload.measure, worse=worse)
    return Section(
        "outcome", "The bond and the next outcome", found.all, None, found.frame(), (found.between,)
    )


def of_stability(caseload: Caseload, rows: pl.DataFrame) -> Section | None:
    """Whether the outcome is steadier once the bond stands."""
    if not has(rows, "outcome"):
        return None
    steady = stability(rows, caseload.measure, caseload=caseload).all
    return Section("stability", "How steady they are", steady, None, pl.DataFrame())


def of_staying(caseload: Caseload, rows: pl.DataFrame) -> Section | None:
    """Who leaves without agreement; of all, never of one."""
    if not has(rows, "ending"):
        return None
    endings = (
        rows.drop_nulls("ending").sort("session").group_by("therapist", "client").agg(pl.col("ending").last())
    )
    sessions = (
        rows.select("therapist", "client", "session", "attendance").drop_nulls()
        if has(rows, "attendance")
        else None
    )
    found = engagement(rows, endings, caseload.measure, sessions=sessions)
    return Section("staying", "Staying and leaving", found.all, None, found.calibration)
