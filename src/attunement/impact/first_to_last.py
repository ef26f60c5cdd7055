"""Each client's outcome from first to last in words: more than error of measurement, or not, by published figures only.

The judging is `attunement.change`'s (Jacobson & Truax 1991); here it is said in both languages, and for all clients of
an instrument at once. Where the instrument has no published figures, the answer is a `NotYet` that names them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from scipy.stats import beta

from attunement import frames
from attunement.change import Cutoff, before_and_after, changes, cutoff
from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from attunement.change import Norms
    from attunement.instruments.description import Language

CLIENTS: Final = 10
"""Clients with two scores from which a share of them is told."""
ROW: Final = {
    "client": pl.String,
    **dict.fromkeys(("before", "after", "change", "low", "high"), pl.Float64),
    "result": pl.String,
}
"""The columns of `FirstToLast.frame`: scores and change on the scale's own points, and one of `change.RESULTS`."""


@dataclass(frozen=True, slots=True)
class FirstToLast:
    """How each client's outcome changed from the first score to the last.

    Parameters
    ----------
    norms
        The published figures.
    clients
        Everybody with a score.
    judged
        A row a client with two scores, as `change.changes` has it; None where the figures are not published.
    line
        The score between people with and without the complaint, or None where that is not published.
    language
        Of the sentences.
    """

    norms: Norms
    clients: tuple[str, ...] = field(repr=False)
    judged: pl.DataFrame | None = field(repr=False)
    line: Cutoff | None = field(repr=False)
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say how many changed for the better, and for the worse, by more than error explains."""
        about = self._say("impact_about_changes", scale=self.norms.name)
        if self.judged is None:
            return self._unpublished(about)
        if self.judged.height < CLIENTS:
            missing = self._say("impact_few_scored", clients=self.judged.height)
            return not_yet(about, missing, self._say("impact_from_series", number=CLIENTS), self.language)
        better, worse = (
            self.judged.filter(pl.col("result").is_in(results)).height
            for results in (("recovered", "improved"), ("harmed", "deteriorated"))
        )
        share = _share(better, self.judged.height)
        told = {
            name: number(100 * each, 0)
            for name, each in (("share", share.value), ("low", share.low), ("high", share.high))
        }
        sentence = self._say(
            "impact_change_all", clients=self.judged.height, better=better, worse=worse, **told
        )
        return Finding(about, sentence, share, self.frame(), self._limits())

    def of(self, client: str) -> Finding | NotYet:
        """Say of one client whether the outcome changed by more than error explains.

        Raises
        ------
        ColumnProblem
            Where there is no such client.
        """
        if client not in self.clients:
            raise ColumnProblem(f"There is no outcome of the client {client!r}.")
        about = self._say("impact_about_change", name=client, scale=self.norms.name)
        if self.judged is None:
            return self._unpublished(about)
        mine = self.judged.filter(pl.col("client") == client)
        if mine.is_empty():
            return not_yet(
                about,
                self._say("impact_change_one_score"),
                self._say("impact_change_two_scores"),
                self.language,
            )
        row = mine.row(0, named=True)
        estimate = Estimate(row["change"], row["low"], row["high"], unit="points")
        return Finding(about, self._sentence(row), estimate, mine, self._limits())

    def frame(self) -> pl.DataFrame:
        """One row a client with two scores, with the columns of `ROW`; none where the figures are not published."""
        if self.judged is None:
            return pl.DataFrame(schema=ROW)
        return self.judged.select(*ROW)

    # -- inside

    def _sentence(self, row: dict[str, Any]) -> str:
        better = self.norms.sign * row["change"]
        changed = row["result"] != "unchanged"
        side = (better > 0) - (better < 0) if changed else 0
        ends = sorted(self.norms.sign * row[end] for end in ("low", "high"))
        ends = [-ends[1], -ends[0]] if side < 0 else ends
        told = (abs(better) if changed else better, *ends)
        named = zip(("points", "low", "high"), told, strict=True)
        names = {1: "impact_change_better", -1: "impact_change_worse", 0: "impact_change_unclear"}
        scores = {name: number(row[name], 1, self.language) for name in ("before", "after")}
        values = {name: number(each, 1, self.language) for name, each in named}
        sentence = self._say(names[side], **scores, **values)
        if self.line is None:
            return sentence
        over = self.norms.sign * (row["after"] - self.line.value) > 0
        name = "impact_change_over" if over else "impact_change_not_over"
        return f"{sentence} {self._say(name, line=number(self.line.value, 1, self.language))}"

    def _unpublished(self, about: str) -> NotYet:
        lacking = [
            self._say(name)
            for name, figure in (
                ("impact_figure_reliability", self.norms.reliability),
                ("impact_figure_spread", self.norms.spread),
            )
            if figure is None
        ]
        missing = self._say("impact_change_unpublished", scale=self.norms.name, figures=", ".join(lacking))
        return not_yet(about, missing, self._say("impact_change_study"), self.language)

    def _limits(self) -> tuple[str, ...]:
        figures = (self.norms.reliability, self.norms.spread, self.line)
        sources = dict.fromkeys(figure.source for figure in figures if figure is not None)
        limits = [self._say("impact_limit_error"), self._say("impact_limit_extreme")]
        limits.append(self._say("impact_limit_figures", study="; ".join(sources)))
        return (*limits, *([self._say("impact_limit_line")] if self.line is None else []))

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def first_to_last(
    outcomes: Any,  # noqa: ANN401 - any eager frame narwhals knows
    norms: Norms,
    *,
    line: Cutoff | None = None,
    language: Language = "en",
) -> FirstToLast:
    """Judge each client's outcome from the first score to the last (`frames.OUTCOMES`, one instrument).

    Parameters
    ----------
    outcomes
        client, session, instrument, outcome.
    norms
        The published figures (`change.norms_of`, or a study's); none is guessed.
    line
        The cutoff; left out, the one that the figures allow.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract.
    InputError
        When it holds more than one instrument.
    """
    pairs = before_and_after(outcomes)
    drawn = cutoff(norms) if line is None else line
    found = changes(pairs, norms, line=line)
    scored = frames.outcomes(outcomes).drop_nulls("outcome")
    return FirstToLast(
        norms,
        tuple(scored["client"].unique(maintain_order=True).to_list()),
        None if isinstance(found, NotYet) else found,
        drawn if isinstance(drawn, Cutoff) else None,
        language,
    )


def _share(count: int, of: int) -> Estimate:
    """A share with its exact interval (Clopper & Pearson 1934, Biometrika 26:404)."""
    low = float(beta.ppf(0.025, count, of - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0
    return Estimate(count / of, low, high, unit="share")
