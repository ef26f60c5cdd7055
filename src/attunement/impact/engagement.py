"""Engagement in words: whether clients with a weaker bond leave more often, how far that foretells, and what it cannot.

Never a verdict on a client: of one there is a plain chance beside that of all, and only where chances told here have
held on clients they were not learnt from. It never takes the place of asking.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.impact.at_risk import EARLY, at_risk, points
from attunement.impact.hazard import HazardPrior, published_prior
from attunement.impact.staying import Staying, staying
from attunement.ruptures import ruptures as torn
from attunement.trajectories import measure_of, trajectories
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories import Measure

LEAVINGS: Final = 10
"""Clients who left from which anything is said: below that the prior says more than they do, and chances cannot be
held against what happened (benchmarks/bench_engagement.py)."""
CLIENTS: Final = 20
"""Clients with a known ending from which anything is said."""
TENTHS: Final = {
    "tenth": pl.Int64, "rows": pl.Int64, "told": pl.Float64, "happened": pl.Int64,
    "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip
"""The columns of `Engagement.calibration`: the told chances of the next session in tenths, and what happened."""
_ENDS = ("chance", "chance_low", "chance_high", "base", "base_low", "base_high")
ROW: Final = {
    "therapist": pl.String, "client": pl.String, "ending": pl.String, "session": pl.Int64,
} | dict.fromkeys(_ENDS, pl.Float64)  # fmt: skip
"""The columns of `Engagement.frame`; chances are of leaving within the next four sessions."""
_DYAD = ["therapist", "client"]


@dataclass(frozen=True, slots=True)
class Engagement:
    """Staying and leaving in a practice.

    Parameters
    ----------
    endings
        `frames.ENDINGS`.
    met
        The dyads of the ratings: therapist, client.
    now
        The present person-session of those still here.
    staying
        The fitted practice, or None where there is too little.
    missing
        What is missing then, and what would supply it: sentences' halves.
    step
        One standard deviation of the connection between clients, in points.
    measure, source, language
        What ratings are on; where the prior is from; of the sentences.
    """

    endings: pl.DataFrame = field(repr=False)
    met: pl.DataFrame = field(repr=False)
    now: pl.DataFrame = field(repr=False)
    staying: Staying | None = field(repr=False)
    missing: tuple[str, str] | None
    step: float
    measure: Measure
    source: str = ""
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say whether those with a weaker bond leave more often, and how far that foretells on others."""
        about = self._say("engagement_about_all")
        if self.staying is None:
            return not_yet(about, *(self.missing or ("", "")), self.language)
        usual, below, more = self.staying.lower()
        told = self._of_hundred("usual", usual) | self._of_hundred("lower", below) | self._ends(more)
        told["points"] = number(self.step, self.measure.digits, self.language)
        sentences = [
            self._say(_headline(self.staying)),
            self._say("engagement_shares", **told),
            *self._held(self.staying),
        ]
        return Finding(
            about, " ".join(sentences), more, self._evidence(self.staying), self._limits(self.staying)
        )

    @property
    def calibration(self) -> pl.DataFrame:
        """Chances of leaving before the next session, told for clients not learnt from, against what happened.

        A row a tenth of them, with the columns of `TENTHS`; no row where nothing can be told yet.
        """
        return pl.DataFrame(schema=TENTHS) if self.staying is None else self.staying.calibration.tenths

    def of(self, client: str, therapist: str | None = None) -> Finding | NotYet:
        """Tell one client's plain chance to leave within the next four sessions, beside that of all.

        Raises
        ------
        ColumnProblem
            Where there is no such client, or several therapists met them and none is named.
        """
        met = self.met.filter(client=client)
        met = met if therapist is None else met.filter(therapist=therapist)
        if met.height != 1:
            more = f"{met.height} therapists met the client {client!r}; name one"
            raise ColumnProblem(
                f"{more}." if met.height else f"There is no client {client!r} in these ratings."
            )
        about = self._say("engagement_about", name=client)
        missing = self._not_told() or self._not_here(met)
        if missing is not None or self.staying is None:
            return not_yet(about, *(missing or ("", "")), self.language)
        row = self.now.join(met, on=_DYAD, how="semi")
        return self._chance(about, client, row, self.staying)

    def frame(self) -> pl.DataFrame:
        """A row a dyad, with the columns of `ROW`; the chances are missing where `of` would not tell them."""
        known = self.met.join(
            self.endings.select(*_DYAD, "ending"), on=_DYAD, how="left", maintain_order="left"
        )
        known = known.join(self.now.select(*_DYAD, "session"), on=_DYAD, how="left", maintain_order="left")
        if self.staying is None or self._not_told() is not None or self.now.is_empty():
            return known.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in _ENDS).cast(ROW)  # type: ignore[arg-type]
        stage = self.now["session"].clip(upper_bound=EARLY + 1)
        base = {each: self.staying.base(each) for each in stage.unique()}
        told = [
            dict(zip(_ENDS, (*_numbers(each), *_numbers(base[at])), strict=True))
            for each, at in zip(self.staying.within(self.now), stage, strict=True)
        ]
        chances = self.now.select(_DYAD).hstack(pl.DataFrame(told))
        return known.join(chances, on=_DYAD, how="left", maintain_order="left").cast(ROW)  # type: ignore[arg-type]

    # -- inside

    def _chance(self, about: str, client: str, row: pl.DataFrame, found: Staying) -> Finding:
        chance, base = found.within(row)[0], found.base(int(row["session"][0]))
        told = self._of_hundred("chance", chance) | self._of_hundred("base", base)
        evidence = _table({"within four sessions": chance, "all clients at this stage": base})
        sentence = f"{self._say('engagement_chance', **told)} {self._say('engagement_ask', name=client)}"
        return Finding(about, sentence, chance, evidence, self._limits(found))

    def _held(self, found: Staying) -> tuple[str, str]:
        pairs, slope = found.calibration.pairs, found.calibration.slope
        name = "engagement_untrue" if found.calibration.refuted else "engagement_true"
        ends = zip(("slope", "low", "high"), (slope.value, slope.low, slope.high), strict=True)
        return (
            self._say("engagement_pairs", **self._of_hundred("pairs", pairs)),
            self._say(name, **{end: number(value, 1, self.language) for end, value in ends}),
        )

    def _not_told(self) -> tuple[str, str] | None:
        """Why no chance is told of anybody, where it is not."""
        if self.staying is None:
            return self.missing
        held, supply = self.staying.calibration, self._say("engagement_from_more")
        if not held.tells:
            return self._say("engagement_no_better", **self._of_hundred("pairs", held.pairs)), supply
        return (self._say("engagement_off"), supply) if held.refuted else None

    def _not_here(self, met: pl.DataFrame) -> tuple[str, str] | None:
        ending = met.join(self.endings, on=_DYAD)["ending"]
        if ending.is_empty():
            return self._say("engagement_unknown"), self._say("engagement_from_endings")
        over = ending[0] != "still here"
        return (self._say("engagement_over"), self._say("engagement_while")) if over else None

    def _evidence(self, found: Staying) -> pl.DataFrame:
        usual, below, more = found.lower()
        held = found.calibration
        shares = {"usual connection": usual, "one sd lower": below, "difference": more}
        ratios = {
            f"odds, {name}": _odds(*hazard.interval(column))
            for name, hazard, column in (
                ("connection, one sd higher", found.bond, "connection"),
                ("connection, these data alone", found.alone, "connection"),
                *((f"{each}, all known", found.expected, each) for each in found.expected.names[1:]),
            )
        }
        out = {
            "pairs told right": held.pairs,
            "calibration slope": held.slope,
            "calibration intercept": held.intercept,
        }
        return _table(shares | out | ratios)

    def _limits(self, found: Staying) -> tuple[str, ...]:
        left = int(found.rows["left"].sum())
        names = ["engagement_limit_ask", "engagement_limit_together", "engagement_limit_noted"]
        limits = [self._say(name) for name in names]
        if self.source:
            limits.append(self._say("engagement_limit_prior", left=left, source=self.source))
        return tuple(limits)

    def _of_hundred(self, name: str, share: Estimate) -> dict[str, str]:
        ends = {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high}
        return {end: in_hundred(value) for end, value in ends.items()}

    def _ends(self, more: Estimate) -> dict[str, str]:
        ends = {"more": more.value, "low": more.low, "high": more.high}
        return {end: number(100 * value, 0, self.language) for end, value in ends.items()}

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def engagement(
    ratings: Any,  # noqa: ANN401 - any eager frame narwhals knows, or a practice
    endings: Any,  # noqa: ANN401 - see above
    measure: Measure | None = None,
    *,
    sessions: Any = None,  # noqa: ANN401 - see above
    prior: HazardPrior | Literal["published"] | None = "published",
    language: Language = "en",
) -> Engagement:
    """Ask who leaves without agreement, from what was known before each next session.

    Parameters
    ----------
    ratings, endings
        `frames.RATINGS` and `frames.ENDINGS`. Therapies whose ending is not known are left out.
    measure
        The scale of the ratings; a practice's is that of its check-in.
    sessions
        `frames.SESSIONS`, where there is one: what was late, cancelled or missed, and the gaps, come in too.
    prior
        What is known before: published figures (`published_prior`), another prior, or None.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract, or somebody was met after what is called the last session.
    TooLittle
        When no session has a score, or one lies outside the scale.
    """
    measure = measure_of(ratings, measure)
    table, ended = frames.ratings(ratings), frames.endings(endings)
    held = None if sessions is None else frames.sessions(sessions)
    before = published_prior() if prior == "published" else prior or HazardPrior()
    met = table.select(_DYAD).unique(maintain_order=True)
    empty = pl.DataFrame(schema={**dict.fromkeys(_DYAD, pl.String), "session": pl.Int64})
    missing = _too_few(met.join(ended, on=_DYAD), language)
    if missing is not None:
        return Engagement(ended, met, empty, None, missing, 0.0, measure, language=language)
    caseload = trajectories(table, measure, language=language)
    if isinstance(caseload.model, NotYet):
        lacking = caseload.model.missing, caseload.model.supply
        return Engagement(ended, met, empty, None, lacking, 0.0, measure, language=language)
    rows = at_risk(table, ended, held, caseload.model, torn(caseload))
    found = staying(rows.drop_nulls("left"), before)
    now = rows.filter(pl.col("left").is_null())
    step = points(caseload.model)
    return Engagement(ended, met, now, found, None, step, measure, before.source, language)


def _too_few(known: pl.DataFrame, language: Language) -> tuple[str, str] | None:
    """What is missing among the dyads whose ending is known."""
    clients = known["client"].n_unique()
    left = known.filter(ending="left")["client"].n_unique()
    if not clients:
        return say("engagement_no_endings", language), say("engagement_from_endings", language)
    if clients < CLIENTS:
        few = say("engagement_few_clients", language, clients=clients)
        return few, say("engagement_from_number", language, number=CLIENTS)
    if left < LEAVINGS:
        few = say("engagement_few_left", language, left=left)
        return few, say("engagement_from_number", language, number=LEAVINGS)
    return None


def _headline(found: Staying) -> str:
    if found.lent:
        return "engagement_lent"
    return {-1: "engagement_more", 1: "engagement_fewer"}.get(found.direction, "engagement_unclear")


def _odds(value: float, low: float, high: float) -> Estimate:
    return Estimate(float(np.exp(value)), float(np.exp(low)), float(np.exp(high)), unit="odds ratio")


def _numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _table(parts: dict[str, Estimate]) -> pl.DataFrame:
    rows = [(name, *_numbers(each), each.unit) for name, each in parts.items()]
    return pl.DataFrame(rows, schema=("part", "value", "low", "high", "unit"), orient="row")
