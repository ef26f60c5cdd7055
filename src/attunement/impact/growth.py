r"""Growth in words: how the monthly line on growth moves, with each client and with all, and with the bond's depth.

.. math:: g_{cm} = (\beta_0 + u_c) + (\beta_1 + w_c) m + e_{cm}

with m months since the client's first answer. With depth d of each bond the mean
slope is :math:`\beta_1 + \beta_2 (d_c - \bar d)`. A depth is the trajectory's posterior mean, drawn towards the usual
as far as its ratings are few: the part of it that is error then does not thin the association out, as that of a
client's mean rating would (regression calibration; Carroll et al. 2006, Measurement Error in Nonlinear Models,
chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import polars as pl
from scipy.stats import t as student

from attunement import frames
from attunement.errors import ColumnProblem, ModelProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.impact.prior import growth_prior
from attunement.mixed import Posterior, fit, posterior
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.mixed import Fit, Prior
    from attunement.trajectories import Caseload

CLIENTS: Final = 5
"""Clients with answers in two months or more from which all are told of."""
DEEP: Final = 10
"""The same, from which depth is held against growth."""
OWN: Final = 3
"""Months with an answer from which one client is told of."""
FEW: Final = 400
"""Clients below which the variances are integrated over, from a prior: short courses say little of how much changes
differ, and with an estimate of none 78 in 100 intervals of one client's change held the truth."""
_MONTH = 30.4375  # days
_PLAIN = "growth ~ 1 + months + (1 + months | client)"
_DEEP = "growth ~ 1 + months + depth + by_depth + (1 + months | client)"
ROW: Final = {"client": pl.String, "answers": pl.Int64} | dict.fromkeys(
    ("months", "change", "change_low", "change_high", "depth"), pl.Float64
)
"""The columns of `Growth.frame`: months with an answer, months from first to last, the change over them in points."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How growth moves.

    Parameters
    ----------
    answers
        client, months (since the client's first answer), growth, and depth where it is known.
    model
        The fitted practice, or None where there is too little.
    moved
        The change of each client with answers in three months or more, in points, as the model has it.
    deep
        The same model with depth in it, or None.
    language
        Of the sentences.
    """

    answers: pl.DataFrame = field(repr=False)
    model: Fit | Posterior | None = field(repr=False)
    moved: dict[str, Estimate] = field(repr=False)
    deep: Fit | Posterior | None = field(repr=False)
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say by how much growth rises a month, on average."""
        about = self._say("impact_about_growth")
        if self.model is None:
            return self._few(about, CLIENTS)
        change = _fixed(self.model, "months", _told(self.answers), "points a month")
        names = {1: "impact_growth_up", -1: "impact_growth_down", 0: "impact_growth_unclear"}
        return self._found(about, names, change, 2, {})

    @property
    def depth(self) -> Finding | NotYet:
        """Say whether growth is faster where the bond is deeper, from client to client."""
        about = self._say("impact_about_depth")
        if "depth" not in self.answers.columns:
            return not_yet(
                about, self._say("impact_depth_unknown"), self._say("impact_depth_supply"), self.language
            )
        known = self.answers.drop_nulls("depth")
        if self.deep is None:
            return self._few(about, DEEP, known)
        tie = _fixed(self.deep, "by_depth", _told(known), "points a month a point")
        names = {1: "impact_depth_up", -1: "impact_depth_down", 0: "impact_depth_unclear"}
        return self._found(about, names, tie, 2, {}, ("impact_limit_association", "impact_limit_between"))

    def of(self, client: str) -> Finding | NotYet:
        """Say by how many points one client's growth has moved since the first answer.

        Raises
        ------
        ColumnProblem
            Where there is no such client.
        """
        mine = _counted(self.answers.filter(pl.col("client") == client))
        if mine.is_empty():
            raise ColumnProblem(f"There is no answer on growth of the client {client!r}.")
        about = self._say("impact_about_growth_of", name=client)
        if client not in self.moved:
            missing = self._say("impact_growth_few_of", answers=mine["answers"][0])
            return not_yet(about, missing, self._say("impact_growth_from_of", number=OWN), self.language)
        names = {1: "impact_growth_up_of", -1: "impact_growth_down_of", 0: "impact_growth_unclear_of"}
        return self._found(about, names, self.moved[client], 1, {"months": number(mine["months"][0], 0)})

    def frame(self) -> pl.DataFrame:
        """One row a client, with the columns of `ROW`; the change from three months with an answer on."""
        rows = [
            {"client": client, "change": moved.value, "change_low": moved.low, "change_high": moved.high}
            for client, moved in self.moved.items()
        ]
        changes = pl.DataFrame(
            rows, schema={name: ROW[name] for name in ("client", "change", "change_low", "change_high")}
        )
        told = _counted(self.answers).join(changes, on="client", how="left", maintain_order="left")
        known = told if "depth" in told.columns else told.with_columns(depth=pl.lit(None, dtype=pl.Float64))
        return known.select(*ROW)

    # -- inside

    def _found(
        self,
        about: str,
        names: dict[int, str],
        change: Estimate,
        digits: int,
        values: dict[str, str],
        limits: tuple[str, ...] = (),
    ) -> Finding:
        side = (change.low > 0) - (change.high < 0)
        ends = (change.value, change.low, change.high)
        ends = (-ends[0], -ends[2], -ends[1]) if side < 0 else ends
        told = dict(
            zip(
                ("points", "low", "high"), (number(each, digits, self.language) for each in ends), strict=True
            )
        )
        sentence = self._say(names[side], **told, **values)
        return Finding(about, sentence, change, self.frame(), self._limits(limits))

    def _limits(self, names: tuple[str, ...]) -> tuple[str, ...]:
        limits = [self._say(name) for name in (*names, "impact_limit_growth", "impact_limit_stay")]
        if isinstance(self.model, Posterior):
            limits.append(self._say("impact_limit_growth_few", source=self.model.prior.source))
        return tuple(limits)

    def _few(self, about: str, least: int, answers: pl.DataFrame | None = None) -> NotYet:
        clients = _told(self.answers if answers is None else answers)
        missing = self._say("impact_growth_few", clients=clients)
        return not_yet(about, missing, self._say("impact_from_series", number=least), self.language)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def growth(
    outcomes: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    caseload: Caseload | None = None,
    instrument: str = "growth",
    prior: Prior | Literal["ours"] | None = "ours",
    language: Language = "en",
) -> Growth:
    """Follow the growth item, about once a month (`frames.OUTCOMES`, instrument "growth", with ``time``).

    Parameters
    ----------
    outcomes
        client, session, time, instrument, outcome; rows of other instruments are left out.
    caseload
        The trajectories of the same clients, whose depth is held against growth.
    instrument
        The id of the growth item.
    prior
        What is expected before, for fewer than 400 clients: ours (`growth_prior`), another prior, or None.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract, or has no times.
    """
    answers = _answers(outcomes, instrument)
    if caseload is not None:
        answers = answers.join(_depths(caseload), on="client", how="left", maintain_order="left")
    known = growth_prior() if prior == "ours" else prior
    deep = None
    if "depth" in answers.columns and _told(answers.drop_nulls("depth")) >= DEEP:
        deep = _fitted(_DEEP, _centred(answers.drop_nulls("depth")), known)
    model = _fitted(_PLAIN, answers, known) if _told(answers) >= CLIENTS else None
    moved = {} if model is None else _moved(model, answers)
    return Growth(answers, model, moved, deep, language)


def _answers(table: Any, instrument: str) -> pl.DataFrame:  # noqa: ANN401 - any eager frame
    taken = frames.outcomes(table)
    if "time" not in taken.columns:
        raise ColumnProblem("outcomes: the column time is missing (When the line on growth was answered.)")
    mine = (
        taken.filter(pl.col("instrument") == instrument)
        .drop_nulls(["outcome", "time"])
        .sort("client", "time")
    )
    days = (pl.col("time") - pl.col("time").min().over("client")).dt.total_seconds() / 86_400
    return mine.select("client", months=days / _MONTH, growth="outcome")


def _depths(caseload: Caseload) -> pl.DataFrame:
    """Each client's depth; the mean of the dyads' of one who met several therapists."""
    told = caseload.frame().select("client", "depth").drop_nulls()
    return told.group_by("client").agg(pl.col("depth").mean())


def _centred(answers: pl.DataFrame) -> pl.DataFrame:
    each = answers.unique("client")
    mean = float(each["depth"].mean() or 0.0)  # type: ignore[arg-type]
    around = answers.with_columns(depth=pl.col("depth") - mean)
    return around.with_columns(by_depth=pl.col("depth") * pl.col("months"))


def _counted(answers: pl.DataFrame) -> pl.DataFrame:
    """A row a client: months with an answer, months from the first to the last, and depth where it is known."""
    depth = [pl.col("depth").first()] if "depth" in answers.columns else []
    months = pl.col("months").cast(pl.Float64)
    return answers.group_by("client", maintain_order=True).agg(
        months.floor().n_unique().cast(pl.Int64).alias("answers"), months.max(), *depth
    )


def _told(answers: pl.DataFrame) -> int:
    """Clients with answers at two times or more."""
    return answers.group_by("client").agg(pl.col("months").n_unique()).filter(pl.col("months") > 1).height


def _fitted(formula: str, answers: pl.DataFrame, prior: Prior | None) -> Fit | Posterior | None:
    try:
        if prior is not None and answers["client"].n_unique() < FEW:
            return posterior(formula, answers, prior)
        return fit(formula, answers)
    except ModelProblem:  # all answers alike, or all depths
        return None


def _fixed(model: Fit | Posterior, name: str, clients: int, unit: str) -> Estimate:
    """A fixed effect with its interval; of a fit by Student's t on the clients it rests on."""
    if isinstance(model, Posterior):
        row = model.table.row(by_predicate=pl.col("term") == name, named=True)
        low, high = min(row["low"], row["mean"]), max(row["high"], row["mean"])
        return Estimate(row["mean"], low, high, unit=unit)
    reach = float(student.ppf(0.975, max(clients - len(model.fixef) // 2, 1))) * model.se[name]
    return Estimate(model.fixef[name], model.fixef[name] - reach, model.fixef[name] + reach, unit=unit)


def _moved(model: Fit | Posterior, answers: pl.DataFrame) -> dict[str, Estimate]:
    """Each client's own change from the first answer to the last."""
    told = _counted(answers).filter(pl.col("answers") >= OWN)
    if told.is_empty():
        return {}
    ends = told.select("client", months=pl.concat_list(pl.lit(0.0), "months")).explode("months")
    mean, covariance = model.joint(ends, 2)
    change = mean[:, 1] - mean[:, 0]
    variance = covariance[:, 0, 0] + covariance[:, 1, 1] - 2.0 * covariance[:, 0, 1]
    reach = 1.96 * np.sqrt(np.maximum(variance, 0.0))
    return {
        client: Estimate(float(value), float(value - half), float(value + half), unit="points")
        for client, value, half in zip(told["client"], change, reach, strict=True)
    }
