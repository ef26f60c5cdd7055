"""Outcome in words: what goes with a closer session, within clients and, told apart from it, between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from attunement.findings import Estimate, Finding, NotYet
from attunement.impact.lagged import CLIENTS, SESSIONS, TERMS, Lagged, Link, enough, lagged
from attunement.impact.series import series
from attunement.trajectories import measure_of
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.trajectories import Measure

_CEILING = 0.05  # share of ratings at the top from which it is said
_COARSE = 10.0  # points within clients from which tenths of a point a point are enough
_COURSES: Final = {True: "taken out", False: "left in"}
ROW: Final = {"path": pl.String, "course": pl.String} | dict.fromkeys(("value", "low", "high"), pl.Float64)
"""The columns of `Outcome.frame`: points of what comes next a point of what goes before, and a correlation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How connection and the next outcome go together.

    Parameters
    ----------
    measure
        What connection is rated on; a practice's is that of its check-in.
    worse
        Which way an outcome is worse.
    enough
        Series with three sessions or more, two of them in a row.
    lagged
        The fitted practice, or None where there is too little, or nothing moves.
    rows
        The sessions it was fitted to.
    language
        Of the sentences.
    """

    measure: Measure
    worse: Literal["higher", "lower"]
    enough: int
    lagged: Lagged | None = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Within clients: by how many points the next outcome is better where the session was a point closer.

        Something is claimed only where the shared course taken out and left in say the same.
        """
        about = self._say("impact_about_outcome")
        if self.lagged is None:
            return self._too_little(about)
        out, left = (self._better(self.lagged.link("next outcome", taken_out=each)) for each in (True, False))
        if out.side != left.side:
            sentence = self._say("impact_outcome_depends", **self._ends(out), **self._ends(left, "_in"))
        else:
            name = {1: "impact_outcome_better", -1: "impact_outcome_worse", 0: "impact_outcome_unclear"}[
                out.side
            ]
            turned = out if out.side >= 0 else _turned(out)
            same = self._say("impact_outcome_same", **self._ends(left if out.side >= 0 else _turned(left)))
            sentence = f"{self._say(name, **self._ends(turned))} {same}"
        estimate = Estimate(out.value, out.low, out.high, unit="points better a point")
        return Finding(about, sentence, estimate, self.frame(), self._limits(out))

    @property
    def between(self) -> Finding | NotYet:
        """Between clients: whether those with a closer connection throughout are better throughout."""
        about = self._say("impact_about_between")
        if self.lagged is None:
            return self._too_little(about)
        tie = self.lagged.between
        if tie is None:
            return not_yet(
                about, self._say("impact_levels_alike"), self._say("impact_more_clients"), self.language
            )
        tie = self._better(tie)
        name = {1: "impact_between_better", -1: "impact_between_worse", 0: "impact_between_unclear"}[tie.side]
        told = {end: number(getattr(tie, end), 2, self.language) for end in ("value", "low", "high")}
        limits = tuple(self._say(each) for each in ("impact_limit_association", "impact_limit_between"))
        estimate = Estimate(tie.value, tie.low, tie.high, unit="correlation, for the better")
        return Finding(about, self._say(name, **told), estimate, self.frame(), limits)

    def frame(self) -> pl.DataFrame:
        """Every path with its interval, on the outcome's own scale, with the columns of `ROW`.

        ``course`` is the one that all clients share: taken out, or left in. *next connection* is the way back, and
        *check* the half-panel jackknife, where there are series long enough.
        """
        if self.lagged is None:
            return pl.DataFrame(schema=ROW)
        told = [
            (name, _COURSES[out], self.lagged.link(name, taken_out=out))
            for name in TERMS
            for out in (True, False)
        ]
        if self.lagged.check is not None:
            row = self.lagged.check.tidy().row(by_predicate=pl.col("term") == "x_to_y", named=True)
            told.append(("check", _COURSES[True], Link(row["estimate"], row["low"], row["high"])))
        if self.lagged.between is not None:
            told.append(("between clients", _COURSES[True], self.lagged.between))
        rows = [(path, course, link.value, link.low, link.high) for path, course, link in told]
        return pl.DataFrame(rows, schema=ROW, orient="row")

    # -- inside

    def _too_little(self, about: str) -> NotYet:
        if self.enough < CLIENTS:
            missing = self._say("impact_few_series", clients=self.enough, sessions=SESSIONS)
            return not_yet(about, missing, self._say("impact_from_series", number=CLIENTS), self.language)
        return not_yet(
            about, self._say("impact_not_settled"), self._say("impact_more_clients"), self.language
        )

    def _better(self, link: Link) -> Link:
        return link if self.worse == "lower" else _turned(link)

    def _ends(self, link: Link, suffix: str = "") -> dict[str, str]:
        spread = float(self.rows["outcome"].std() or 0.0)  # type: ignore[arg-type]
        digits = 1 if spread >= _COARSE else 2
        ends = {"points": link.value, "low": link.low, "high": link.high}
        return {name + suffix: number(each, digits, self.language) for name, each in ends.items()}

    def _limits(self, link: Link) -> tuple[str, ...]:
        names = (
            "impact_limit_association",
            "impact_limit_next",
            "impact_limit_course",
            "impact_limit_tied",
            "impact_limit_skipped",
        )
        limits = [self._say(name) for name in names]
        scores = self.rows["score"].drop_nulls()
        top = float((scores >= self.measure.high).mean() or 0.0)  # type: ignore[arg-type]
        if top > _CEILING:
            limits.append(self._say("impact_limit_top", share=in_hundred(top)))
        check = (
            None
            if self.lagged is None or self.lagged.check is None
            else self.lagged.check.estimates["x_to_y"]
        )
        if check is not None:
            turned = check if self.worse == "lower" else -check
            if not link.low <= turned <= link.high:
                told = self._ends(Link(turned, turned, turned))
                limits.append(self._say("impact_limit_check", points=told["points"]))
        return tuple(limits)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def outcome(
    ratings: Any,  # noqa: ANN401 - any eager frame narwhals knows, or a practice
    measure: Measure | None = None,
    *,
    worse: Literal["higher", "lower"],
    language: Language = "en",
) -> Outcome:
    """Ask whether connection in a session goes with the outcome before the next (`frames.RATINGS`, with ``outcome``).

    Parameters
    ----------
    ratings
        therapist (if several), client, session, score, outcome; or a practice that has them.
    measure
        What connection is rated on; a practice's is that of its check-in.
    worse
        Which way an outcome is worse: a higher one, as of distress, or a lower one.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract, or has no outcomes.
    TooLittle
        When a score lies outside the scale.
    """
    measure = measure_of(ratings, measure)
    rows = series(ratings, measure)
    told = enough(rows)
    return Outcome(measure, worse, told, lagged(rows) if told >= CLIENTS else None, rows, language)


def _turned(link: Link) -> Link:
    return Link(-link.value, -link.high, -link.low)
