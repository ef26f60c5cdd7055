"""Stability in words: whether the state swings less once the bond was established, with each client and with all.

The session at which a bond was established is the first at which its trajectory (`attunement.trajectories`: the
connection as all ratings of the dyad have it, not a single rating) stands at the measure's level of that name. Who is
compared is therefore chosen: clients whose bond took some sessions and then formed. Nothing in the outcome was looked
at in choosing, but what else changed with time did so too; those who did not get there, cut at the usual session,
stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.impact.phases import LEAST, Phase, Ratio, Steadiness, moving, steadiness
from attunement.impact.series import series
from attunement.trajectories import measure_of, trajectories
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories import Caseload, Measure

    Key = tuple[str, str]

CLIENTS: Final = 10
"""Clients with enough on both sides from which all are told of."""
OWN: Final = 8
"""Outcomes on each side from which one client is told of: six degrees of freedom a side."""
ROW: Final = {
    "therapist": pl.String,
    "client": pl.String,
    "established": pl.Int64,
    "before": pl.Int64,
    "after": pl.Int64,
    **dict.fromkeys(("times", "times_low", "times_high"), pl.Float64),
}
"""The columns of `Stability.frame`: the session at which it was established, outcomes on each side, and the ratio."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One dyad's outcomes, cut where its bond was established; never, where that is None."""

    therapist: str
    client: str
    established: int | None
    before: Phase
    after: Phase

    @property
    def told(self) -> bool:
        """Whether both sides are long enough and move."""
        return self.established is not None and moving(self.before) and moving(self.after)


@dataclass(frozen=True, slots=True)
class Stability:
    """How widely the outcome swings before and after the bond was established.

    Parameters
    ----------
    cuts
        Every dyad with an outcome.
    ratios
        The ratio of each dyad with enough on both sides, by therapist and client.
    steady
        What these say together; None where there are fewer than two.
    others, at
        The same of those whose bond was not established, cut at the session `at`; None where too few.
    language
        Of the sentences.
    """

    cuts: tuple[Cut, ...] = field(repr=False)
    ratios: dict[Key, Ratio] = field(repr=False)
    steady: Steadiness | None = field(repr=False)
    others: Steadiness | None = field(repr=False)
    at: int
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say of all whether the state is steadier."""
        about = self._say("impact_about_stability")
        if self.steady is None or len(self.ratios) < CLIENTS:
            missing = self._say("impact_stability_few", sessions=LEAST, clients=len(self.ratios))
            return not_yet(about, missing, self._say("impact_from_series", number=CLIENTS), self.language)
        return self._found(about, self.steady.pooled)

    def of(self, client: str, therapist: str | None = None) -> Finding | NotYet:
        """Say of one client whether the state is steadier.

        Raises
        ------
        ColumnProblem
            Where there is no such client, or several therapists met them and none is named.
        """
        met = [cut for cut in self.cuts if cut.client == client and therapist in {None, cut.therapist}]
        if len(met) != 1:
            more = f"{len(met)} therapists met the client {client!r}; name one"
            raise ColumnProblem(f"{more}." if met else f"There is no client {client!r} in these ratings.")
        cut = met[0]
        about = self._say("impact_about_stability_of", name=client)
        if cut.established is None:
            missing, supply = self._say("impact_stability_not_reached"), self._say("impact_stability_later")
            return not_yet(about, missing, supply, self.language)
        sides = (cut.before.session.size, cut.after.session.size)
        supply = self._say("impact_stability_from_of", number=OWN)
        if min(sides) < OWN:
            missing = self._say("impact_stability_few_of", before=sides[0], after=sides[1])
            return not_yet(about, missing, supply, self.language)
        ratio = self.ratios.get((cut.therapist, cut.client))
        if ratio is None:
            return not_yet(about, self._say("impact_stability_still"), supply, self.language)
        return self._found(about, ratio)

    def frame(self) -> pl.DataFrame:
        """One row a dyad, with the columns of `ROW`; the ratio from eight outcomes on each side."""
        return pl.DataFrame([self._row(cut) for cut in self.cuts], schema=ROW)

    # -- inside

    def _found(self, about: str, ratio: Ratio) -> Finding:
        side = (ratio.low > 1.0) - (ratio.high < 1.0)
        names = {-1: "impact_stability_steadier", 1: "impact_stability_wilder", 0: "impact_stability_unclear"}
        estimate = Estimate(ratio.value, ratio.low, ratio.high, unit="times")
        return Finding(
            about, self._say(names[side], **self._ends(ratio)), estimate, self.frame(), self._limits()
        )

    def _ends(self, ratio: Ratio) -> dict[str, str]:
        ends = {"times": ratio.value, "low": ratio.low, "high": ratio.high}
        return {name: number(each, 2, self.language) for name, each in ends.items()}

    def _limits(self) -> tuple[str, ...]:
        beside = []
        if self.others is not None:
            told = self._ends(self.others.pooled)
            beside.append(self._say("impact_limit_others", session=self.at, **told))
        names = (
            "impact_limit_association",
            "impact_limit_time",
            "impact_limit_reached",
            "impact_limit_lines",
            "impact_limit_established",
        )
        return (*(self._say(name) for name in names[:2]), *beside, *(self._say(name) for name in names[2:]))

    def _row(self, cut: Cut) -> dict[str, Any]:
        row: dict[str, Any] = {
            "therapist": cut.therapist,
            "client": cut.client,
            "established": cut.established,
            "before": cut.before.session.size if cut.established is not None else None,
            "after": cut.after.session.size if cut.established is not None else None,
        }
        ratio = self.ratios.get((cut.therapist, cut.client))
        if ratio is None or min(row["before"], row["after"]) < OWN:
            return row
        return row | {"times": ratio.value, "times_low": ratio.low, "times_high": ratio.high}

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def stability(
    ratings: Any,  # noqa: ANN401 - any eager frame narwhals knows, or a practice
    measure: Measure | None = None,
    *,
    caseload: Caseload | None = None,
    language: Language = "en",
) -> Stability:
    """Ask whether the outcome swings less once the bond was established (`frames.RATINGS`, with ``outcome``).

    Parameters
    ----------
    ratings
        therapist (if several), client, session, score, outcome; or a practice that has them.
    measure
        What connection is rated on, and where it is called established.
    caseload
        The trajectories of these ratings; worked out where none are given.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract, or has no outcomes.
    TooLittle
        When a score lies outside the scale, or nobody was rated.
    """
    measure = measure_of(ratings, measure)
    rows = series(ratings, measure)
    reached = _reached(trajectories(ratings, measure) if caseload is None else caseload)
    cuts = tuple(_cut(rows, reached))
    told = [cut for cut in cuts if cut.told]
    at = int(np.median([cut.established for cut in told if cut.established])) if told else 1
    others = [cut for cut in _elsewhere(cuts, at) if cut.told]
    steady = _steady(told, 2)
    each = () if steady is None else steady.each
    ratios = {(cut.therapist, cut.client): ratio for cut, ratio in zip(told, each, strict=False)}
    return Stability(cuts, ratios, steady, _steady(others, CLIENTS), at, language)


def _reached(caseload: Caseload) -> dict[Key, int | None]:
    """The first session at which each trajectory stands at established, until now."""
    found: dict[Key, int | None] = {}
    for each in caseload:
        if isinstance(each.course, NotYet):
            continue
        there = np.flatnonzero(each.course.mean[: each.now] >= caseload.measure.established)
        found[each.therapist, each.client] = int(each.course.session[there[0]]) if there.size else None
    return found


def _cut(rows: pl.DataFrame, reached: dict[Key, int | None]) -> list[Cut]:
    told = rows.drop_nulls("outcome").group_by("therapist", "client", maintain_order=True)
    found = []
    for (therapist, client), mine in told:
        session = reached.get((str(therapist), str(client)))
        before, after = _phases(mine["session"].to_numpy(), mine["outcome"].to_numpy(), session or 1)
        found.append(Cut(str(therapist), str(client), session, before, after))
    return found


def _phases(session: Any, value: Any, at: int) -> tuple[Phase, Phase]:  # noqa: ANN401 - arrays
    whole = session.astype(float)
    return tuple(Phase(whole[side], value[side]) for side in (session < at, session >= at))  # type: ignore[return-value]


def _elsewhere(cuts: tuple[Cut, ...], at: int) -> list[Cut]:
    """Those whose bond was not established, cut at this session as if it had been."""
    found = []
    for cut in cuts:
        if cut.established is None:
            before, after = _phases(cut.after.session, cut.after.value, at)
            found.append(Cut(cut.therapist, cut.client, at, before, after))
    return found


def _steady(cuts: list[Cut], least: int) -> Steadiness | None:
    return steadiness([(cut.before, cut.after) for cut in cuts]) if len(cuts) >= least else None
