"""Sudden gains and sudden losses: a large step between two sessions, with the scores around it steady.

Tang & DeRubeis (1999), Journal of Consulting and Clinical Psychology 67:894-904, counted as the R package suddengains
0.7.2 counts (Wiedemann et al. 2020, PLOS ONE 15:e0230276). With x the score of a session, the step from session n to
session n + 1 is a sudden gain where

1. it is for the better by at least the cutoff, in points,
2. and by at least a quarter of x at session n,
3. and the mean of sessions n-2 to n differs from the mean of n+1 to n+3 by more than t times their pooled standard
   deviation, with t at .05 two-sided and n_before + n_after - 2 degrees of freedom: 2.776, 3.182 or 4.303. There is
   no sqrt(1/n + 1/n) in it, as in the paper, which makes it stricter than a t test.

A missing session leaves its place empty: both scores of the step must be there, and at least two of the three on
each side. So the first and the last step of a course are never judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from scipy import stats

from attunement.change.significant import one_instrument
from attunement.errors import InputError
from attunement.findings import Estimate, Finding
from attunement.frames import outcomes
from attunement.wording import not_yet, number, plain, say

if TYPE_CHECKING:
    from attunement.findings import NotYet
    from attunement.instruments import Higher
    from attunement.instruments.description import Language

_BEFORE: Final = (-2, -1, 0)
_AFTER: Final = (1, 2, 3)
_LEAST: Final = 2  # scores on each side

_LIMITS: Final = ("change_limit_large", "change_limit_simulated", "change_limit_why")
_DIGITS: Final = 1  # of a mean in points


@dataclass(frozen=True, slots=True)
class Criteria:
    """When a step is sudden.

    Parameters
    ----------
    cutoff
        The least step in points: 7 on the BDI in Tang and DeRubeis, and elsewhere the reliable change of the
        instrument (`attunement.change.Yardstick.margin`).
    higher
        What a higher score means: ``worse``, ``better`` or ``closer``.
    best
        The best score there is. The second criterion counts the score from there: a quarter of what is left to
        gain. 0 where it is left out and higher is worse, as in the paper; needed where higher is better.
    share
        The least share of the score for a gain.
    share_of_losses
        The same for a loss. 0: the R package asks no share of a loss, although its code looks as if it did.
    risk
        Two-sided, of the third criterion.
    reversal
        Which share of a step must be lost at a later session for it to be called reversed; more than that.

    Raises
    ------
    InputError
        Where a number is none that it can be, or `best` is missing.
    """

    cutoff: float
    higher: Higher = "worse"
    best: float | None = None
    share: float = 0.25
    share_of_losses: float = 0.0
    risk: float = 0.05
    reversal: float = 0.5

    def __post_init__(self) -> None:
        """Refuse criteria that would find anything, or nothing."""
        if not 0 < self.cutoff < math.inf:
            raise InputError(f"The cutoff of a sudden gain is {self.cutoff:g} points; it lies above 0.")
        if self.best is None and self.higher != "worse":
            raise InputError(
                "Where a higher score is for the better, sudden gains need the best score that there is."
            )
        for name in ("share", "share_of_losses", "reversal"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name):g}; it lies between 0 and 1.")
        if not 0 < self.risk < 1:
            raise InputError(f"risk is {self.risk:g}; it lies between 0 and 1.")

    @property
    def sign(self) -> int:
        """1 where a higher score is for the worse, -1 where it is for the better."""
        return 1 if self.higher == "worse" else -1

    def left(self, score: pl.Expr) -> pl.Expr:
        """How much is left to gain from a score, in points."""
        return self.sign * (score - (self.best or 0.0))

    def critical(self, scores: int) -> float:
        """The t of the third criterion for that many scores around a step: 2.776 for six."""
        return float(stats.t.ppf(1 - self.risk / 2, scores - 2))


def intervals(table: Any, criteria: Criteria) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Judge every step between two neighbouring sessions that both have a score.

    Returns
    -------
    polars.DataFrame
        One row a step: ``client``; ``session``, the one before it; the scores ``before`` and ``after`` it; the
        ``step`` in points, above 0 for the better; how many scores are on each side (``n_before``, ``n_after``),
        their means (``mean_before``, ``mean_after``), pooled standard deviation (``spread``) and ``critical`` t,
        all on the scale's own points; whether it could be ``judged``; and the ``kind``, ``gain``, ``loss`` or
        nothing.

    Raises
    ------
    ColumnProblem
        Where the table is none of outcomes (`attunement.frames.OUTCOMES`).
    InputError
        Where it holds more than one instrument.
    """
    scored = (
        one_instrument(outcomes(table))
        .select("client", "session", before="outcome")
        .sort("client", "session")
    )
    around = _with_neighbours(scored)
    n_before, n_after = _count(_BEFORE), _count(_AFTER)
    spread = ((_squares(_BEFORE) + _squares(_AFTER)) / (n_before + n_after - 2)).sqrt()
    ts = {float(scores): criteria.critical(scores) for scores in range(2 * _LEAST, 7)}
    return (
        around.filter(pl.col("x1").is_not_null())
        .with_columns(
            after=pl.col("x1"),
            step=criteria.left(pl.col("before")) - criteria.left(pl.col("x1")),
            n_before=n_before,
            n_after=n_after,
            mean_before=_mean(_BEFORE),
            mean_after=_mean(_AFTER),
        )
        .with_columns(judged=(pl.col("n_before") >= _LEAST) & (pl.col("n_after") >= _LEAST))
        .with_columns(
            spread=pl.when("judged").then(spread),
            critical=pl.when("judged").then(
                (n_before + n_after)
                .cast(pl.Float64)
                .replace_strict(ts, default=None, return_dtype=pl.Float64)
            ),
        )
        .with_columns(kind=_kind(criteria))
        .drop(*(f"x{place}" for place in (*_BEFORE, *_AFTER)))
    )


def jumps(table: Any, criteria: Criteria) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Find every sudden gain and sudden loss, and whether it was reversed.

    A step is reversed where the score of a session after n + 1 has gone back by more than half of it (`Criteria`).

    Returns
    -------
    polars.DataFrame
        The rows of `intervals` that are a gain or a loss, with ``reversed`` and ``reversed_at``, the first session
        by which it was, or nothing.

    Examples
    --------
    >>> scores = {"session": [1, 2, 3, 4, 5, 6, 7], "outcome": [35.0, 37, 34, 23, 24, 21, 29]}
    >>> course = pl.DataFrame(scores).with_columns(client=pl.lit("K-07"), instrument=pl.lit("bdi"))
    >>> found = jumps(course, Criteria(7))
    >>> found.select("client", "session", "before", "after", "step", "kind", "reversed_at").rows()
    [('K-07', 3, 34.0, 23.0, 11.0, 'gain', 7)]
    """
    scored = one_instrument(outcomes(table)).select("client", later="session", score="outcome")
    found = intervals(table, criteria).filter(pl.col("kind").is_not_null())
    half = pl.col("after") + criteria.reversal * (pl.col("before") - pl.col("after"))
    back = (
        found.join(scored, on="client")
        .filter(pl.col("later") > pl.col("session") + 1)
        .filter((pl.col("score") - half) * (pl.col("before") - pl.col("after")).sign() > 0)
        .group_by("client", "session")
        .agg(reversed_at=pl.col("later").min())
    )
    return (
        found.join(back, on=["client", "session"], how="left")
        .sort("client", "session")
        .with_columns(reversed=pl.col("reversed_at").is_not_null())
    )


def jumped(
    table: Any,  # noqa: ANN401 - any eager frame narwhals knows
    criteria: Criteria,
    *,
    language: Language = "en",
) -> tuple[Finding, ...] | NotYet:
    """Say of one client whether, and when, the outcome jumped; no finding means that no step was sudden.

    The estimate is the difference of the means around the step, after minus before, with its t interval.

    Parameters
    ----------
    table
        `attunement.frames.OUTCOMES`, of one client.
    criteria
        When a step is sudden.
    language
        Of the sentences.

    Returns
    -------
    tuple of Finding, or NotYet
        A finding a step; `NotYet` where no step could be judged.

    Raises
    ------
    InputError
        Where the table holds more than one client.

    Examples
    --------
    >>> scores = {"session": [1, 2, 3, 4, 5, 6, 7], "outcome": [35.0, 37, 34, 23, 24, 21, 29]}
    >>> course = pl.DataFrame(scores).with_columns(client=pl.lit("K-07"), instrument=pl.lit("bdi"))
    >>> print(jumped(course, Criteria(7))[0].sentence)
    A sudden gain between sessions 3 and 4: from 34 to 23 at once, 11 points for the better; the mean of the sessions
    around it moved by -12.7 points (-16.1 to -9.2). More than half of it was lost again by session 7.
    """
    whole = intervals(table, criteria)
    clients = outcomes(table)["client"].unique().sort().to_list()
    if len(clients) > 1:
        raise InputError(f"The outcomes are of {len(clients)} clients; take the rows of one, or use `jumps`.")
    if not whole["judged"].any():
        about = (
            say("change_about_steps", language, client=clients[0])
            if clients
            else say("change_about_no_steps", language)
        )
        return not_yet(about, say("change_no_step", language), say("change_from_four", language), language)
    return tuple(
        _finding(row, whole, criteria, language) for row in jumps(table, criteria).iter_rows(named=True)
    )


def _finding(row: dict[str, Any], whole: pl.DataFrame, criteria: Criteria, language: Language) -> Finding:
    moved = row["mean_after"] - row["mean_before"]
    around = row["critical"] * row["spread"] * math.sqrt(1 / row["n_before"] + 1 / row["n_after"])
    estimate = Estimate(moved, moved - around, moved + around, unit="points", level=1 - criteria.risk)
    about = "change_about_gain" if row["kind"] == "gain" else "change_about_loss"
    return Finding(
        about=say(about, language, client=row["client"]),
        sentence=" ".join([_step(row, estimate, language), *_reversed(row, criteria, language)]),
        estimate=estimate,
        evidence=whole,
        limits=tuple(say(name, language) for name in _LIMITS),
    )


def _step(row: dict[str, Any], moved: Estimate, language: Language) -> str:
    given = {"before": row["before"], "after": row["after"], "step": abs(row["step"])}
    around = {"moved": moved.value, "low": moved.low, "high": moved.high}
    return say(
        "change_gain" if row["kind"] == "gain" else "change_loss",
        language,
        session=row["session"],
        next=row["session"] + 1,
        **{name: plain(value, language) for name, value in given.items()},
        **{name: number(value, _DIGITS, language) for name, value in around.items()},
    )


def _reversed(row: dict[str, Any], criteria: Criteria, language: Language) -> list[str]:
    """By when more than half of it was lost again, or whatever share is asked; nothing where it was not."""
    if not row["reversed"]:
        return []
    name = "change_gain_reversed" if row["kind"] == "gain" else "change_loss_reversed"
    part = (
        say("change_part_half", language)
        if criteria.reversal == 0.5
        else say("change_part", language, share=number(100 * criteria.reversal, 0, language))
    )
    return [say(name, language, part=part, session=row["reversed_at"])]


def _with_neighbours(scored: pl.DataFrame) -> pl.DataFrame:
    """Beside each score x0 the scores of the sessions around it, by session number; a missing one stays empty."""
    around = scored.with_columns(x0=pl.col("before"))
    for place in (*_BEFORE[:-1], *_AFTER):
        there = scored.select("client", pl.col("session") - place, pl.col("before").alias(f"x{place}"))
        around = around.join(there, on=["client", "session"], how="left")
    return around


def _at(places: tuple[int, ...]) -> list[pl.Expr]:
    return [pl.col(f"x{place}") for place in places]


def _count(places: tuple[int, ...]) -> pl.Expr:
    return pl.sum_horizontal(each.is_not_null().cast(pl.Int64) for each in _at(places))


def _mean(places: tuple[int, ...]) -> pl.Expr:
    return pl.mean_horizontal(_at(places))


def _squares(places: tuple[int, ...]) -> pl.Expr:
    return pl.sum_horizontal((each - _mean(places)) ** 2 for each in _at(places))


def _kind(criteria: Criteria) -> pl.Expr:
    step, left = pl.col("step"), criteria.left(pl.col("before"))
    moved = criteria.sign * (pl.col("mean_before") - pl.col("mean_after"))
    beyond = pl.col("critical") * pl.col("spread")
    gain = (step >= criteria.cutoff) & (step >= criteria.share * left) & (moved > beyond)
    loss = (-step >= criteria.cutoff) & (-step >= criteria.share_of_losses * left) & (-moved > beyond)
    return (
        pl.when(~pl.col("judged")).then(None).when(gain).then(pl.lit("gain")).when(loss).then(pl.lit("loss"))
    )
