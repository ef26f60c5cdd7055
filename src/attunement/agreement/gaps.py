r"""Bias and tracking of every dyad and of all, partially pooled: the truth-and-bias model as a hierarchical one.

With the guess g and the answer a of session s, and the mean answer :math:`\bar a_d` of the dyad's paired sessions,

.. math:: g_{ds} - \bar a_d = (b + b_k + b_d) + (t + t_k + t_d)(a_{ds} - \bar a_d) + e_{ds}

(West & Kenny 2011: truth and guess centred on the mean of the truth). The intercept is the bias, in points: the mean
gap in the sessions so far. The slope is the tracking: by how many points the guess moves where the answer moves by one.
Those of dyads d and therapists k are drawn towards the usual ones, the more so the fewer sessions they have.

The answers are taken as they were given: the slope is of the answer, not of a bond behind it, so noise in the answers
does not bias it; and as they are centred within the dyad, short dyads do not either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from attunement.errors import ModelProblem
from attunement.findings import Estimate
from attunement.mixed import Posterior, fit, posterior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.mixed import Fit, Prior

    Array = NDArray[np.float64]

DYAD: Final = 4
"""Sessions with a guess and an answer from which a dyad is told of by itself."""
CLIENTS: Final = 5
"""Clients with two such sessions or more from which a habit across clients is told."""
LEAST: Final = 5
"""Therapists from which the difference between them is estimated; from 2 to 4 it is taken from the prior."""
FEW: Final = 400
"""Dyads below which the variances are integrated over, from a prior: slopes of short dyads say little of how much
slopes differ, and an estimate of none would make every dyad's interval too narrow."""
FEW_THERAPISTS: Final = 30
"""Therapists, if several, below which they are likewise."""
_MIXED = 128  # values of the variances that predictions are mixed over
_DRAWS = 4_000
_SEED = 61
_REACH = float(ndtri(0.975))
_NOBODY = "\0"
_PARTS = ("usual", "answer", "habit", "attend", "pair", "follow")
_VARIED = 1e-9  # squared points


@dataclass(frozen=True, slots=True)
class Gap:
    """How guesses lie to answers, in one dyad, in one therapist's or in all.

    Parameters
    ----------
    bias
        Mean gap, guess less answer, in points.
    tracking
        Points that the guess moves where the answer moves by one.
    """

    bias: Estimate
    tracking: Estimate


@dataclass(frozen=True, slots=True)
class Gaps:
    """The fitted practice.

    Parameters
    ----------
    model
        The hierarchical model: a fit, or for few dyads the posterior that starts from a prior.
    pairs
        The sessions that it was fitted to: therapist, client, dyad, session, gap, answer (centred), and its columns.
    all
        What is usual in the whole table.
    habits
        What is usual of a therapist with clients as such, by therapist.
    dyads
        Each dyad's own, by therapist and client.
    own
        By how many points the gap of a dyad lies above its therapist's usual one, by therapist and client.
    mostly_habit
        The probability that it adds to or takes away from the usual gap by less than half of that.
    """

    model: Fit | Posterior = field(repr=False)
    pairs: pl.DataFrame = field(repr=False)
    all: Gap
    habits: dict[str, Gap] = field(repr=False)
    dyads: dict[tuple[str, str], Gap] = field(repr=False)
    own: dict[tuple[str, str], Estimate] = field(repr=False)
    mostly_habit: dict[tuple[str, str], float] = field(repr=False)

    @property
    def integrated(self) -> bool:
        """Whether the variances are integrated over, from a prior."""
        return isinstance(self.model, Posterior)

    @property
    def spread(self) -> Estimate:
        """How much the gap differs from client to client: a standard deviation, in points."""
        if isinstance(self.model, Posterior):
            row = self.model.table.row(by_predicate=pl.col("term") == "sd dyad: pair", named=True)
            return Estimate(row["mean"], row["low"], row["high"], unit="points")
        told = self.model.tidy().row(
            by_predicate=(pl.col("part") == "sd") & (pl.col("group") == "dyad") & (pl.col("term") == "pair"),
            named=True,
        )
        return Estimate(told["estimate"], told["low"], told["high"], unit="points")


def above(estimate: Estimate, bound: float) -> float:
    """The probability that a number lies above a bound, its interval taken as a normal's.

    Examples
    --------
    >>> round(above(Estimate(0.5, 0.3, 0.7, unit="points"), 0.5), 2)
    0.5
    """
    sd = max((estimate.high - estimate.low) / (2.0 * _REACH), 1e-12)
    return float(ndtr((estimate.value - bound) / sd))


def paired(table: pl.DataFrame) -> pl.DataFrame:
    """Keep the sessions with both, and lay them out for the model; a dyad's sessions in order.

    Parameters
    ----------
    table
        Holds `frames.RATINGS`, guess included.
    """
    length = pl.col("therapist").str.len_chars()  # so that no two dyads share a name whatever the codes
    dyad = pl.concat_str(length, "therapist", "client", separator=" ").alias("dyad")
    both = table.filter(pl.col("score").is_not_null() & pl.col("guess").is_not_null())
    mean = pl.col("score").mean().over("dyad")
    one = pl.lit(1.0)
    return (
        both.select("therapist", "client", dyad, "session", "score", "guess")
        .sort("therapist", "client", "session")
        .with_columns(gap=pl.col("guess") - mean, answer=pl.col("score") - mean)
        .with_columns(usual=one, habit=one, pair=one, attend=pl.col("answer"), follow=pl.col("answer"))
    )


def gaps(pairs: pl.DataFrame, prior: Prior | None) -> Gaps:
    """Fit bias and tracking; `pairs` is `paired`.

    Below 400 dyads whose answers move, and with 2 to 29 therapists, the variances are integrated over from the prior;
    without a prior they are estimated whatever there is.

    Raises
    ------
    ModelProblem
        Where there is no prior, and too little to do without.
    """
    therapists = pairs["therapist"].n_unique()
    levels = ["(0 + pair + follow | dyad)"]
    if therapists >= LEAST or (therapists > 1 and prior is not None):
        levels.append("(0 + habit + attend | therapist)")
    formula = " + ".join(["gap ~ 0 + usual + answer", *levels])
    if prior is not None and (1 < therapists < FEW_THERAPISTS or _few(pairs)):
        return _laid_out(posterior(formula, pairs, prior, mixed=_MIXED), pairs)
    try:
        return _laid_out(fit(formula, pairs), pairs)
    except ModelProblem:  # every guess right, to the point
        if prior is None:
            raise
        return _laid_out(posterior(formula, pairs, prior, mixed=_MIXED), pairs)


def _few(pairs: pl.DataFrame) -> bool:
    moving = pairs.group_by("dyad").agg(pl.col("answer").var()).filter(pl.col("answer") > _VARIED)
    return moving.height < FEW


def _laid_out(model: Fit | Posterior, pairs: pl.DataFrame) -> Gaps:
    """Predict rows that are sums of parts of the model: all, each therapist's, each dyad's, and what is its own."""
    therapists = pairs["therapist"].unique(maintain_order=True).to_list()
    dyads = pairs.select("dyad", "therapist", "client").unique(maintain_order=True).rows(named=True)
    pairings = [(each["dyad"], each["therapist"]) for each in dyads]
    rows = [_row(usual=1), _row(answer=1)]
    for who in therapists:
        rows += [_row(therapist=who, usual=1, habit=1), _row(therapist=who, answer=1, attend=1)]
    for pairing in pairings:
        rows += [
            _row(*pairing, usual=1, habit=1, pair=1),
            _row(*pairing, answer=1, attend=1, follow=1),
            _row(*pairing, pair=1),
        ]
    told = iter(_told(model, rows))
    keys = [(each["therapist"], each["client"]) for each in dyads]
    everybody = Gap(next(told), next(told))
    habits = {each: Gap(next(told), next(told)) for each in therapists}
    own, found = {}, {}
    for key in keys:
        found[key] = Gap(next(told), next(told))
        own[key] = next(told)
    return Gaps(
        model,
        pairs,
        everybody,
        habits,
        found,
        own,
        dict(zip(keys, _mostly_habit(model, pairings), strict=True)),
    )


def _mostly_habit(model: Fit | Posterior, pairings: Sequence[tuple[str, str]]) -> list[float]:
    """By dyad, the probability that its own part is less than half of the therapist's."""
    parts = [row for who in pairings for row in (_row(*who, usual=1, habit=1), _row(*who, pair=1))]
    normal = np.random.default_rng(_SEED).standard_normal((_DRAWS, 2))
    chances = []
    for mean, covariance in zip(*model.joint(_table(parts), 2), strict=True):
        values, vectors = np.linalg.eigh(covariance)
        drawn = mean + normal @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        chances.append(float((np.abs(drawn[:, 1]) < np.abs(drawn[:, 0]) / 2).mean()))
    return chances


def _told(model: Fit | Posterior, rows: Sequence[dict[str, float | str]]) -> list[Estimate]:
    table = model.predict(_table(rows))
    if "low" not in table.columns:
        table = table.with_columns(
            low=pl.col("value") - _REACH * pl.col("sd"), high=pl.col("value") + _REACH * pl.col("sd")
        )
    return [
        Estimate(told["value"], min(told["low"], told["value"]), max(told["high"], told["value"]), unit=unit)
        for told, unit in zip(
            table.iter_rows(named=True),
            ["points" if row["answer"] == 0 else "points a point" for row in rows],
            strict=True,
        )
    ]


def _row(dyad: str = _NOBODY, therapist: str = _NOBODY, **parts: float) -> dict[str, float | str]:
    """A row whose prediction is the sum of the parts named."""
    return {name: parts.get(name, 0.0) for name in _PARTS} | {"dyad": dyad, "therapist": therapist}


def _table(rows: Sequence[dict[str, float | str]]) -> pl.DataFrame:
    numbers = dict.fromkeys(_PARTS, pl.Float64)
    return pl.DataFrame(list(rows), schema={**numbers, "dyad": pl.String, "therapist": pl.String})
