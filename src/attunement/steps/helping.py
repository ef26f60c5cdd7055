r"""What clients say of what was tried: whether it was talked about, and how far that talk helped.

Answers of one client go together, so that an interval that takes each answer for a new one is too narrow. The mean
comes from ``helped ~ 1 + (1 | client)`` (`attunement.mixed`), with Student's t of as many degrees of freedom as there
are clients less one. A share takes the sample for as large as it counts (Korn & Graubard 1998, Survey Methodology
24:193): with :math:`v` the variance of the share between clients by linearisation,

.. math:: n^* = \min\{n, p(1 - p) / v\} \; (t_{n-1} / t_{g-1})^2

answers stand in Clopper and Pearson's interval for the n answers of g clients. Both are measured in
benchmarks/bench_steps.py. All of it is association: no step is compared with not having taken it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from attunement import frames
from attunement.findings import Estimate, Finding, NotYet
from attunement.sessions import ABOUT, Step
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from attunement.instruments.description import Language

    Array = NDArray[np.float64]

ANSWERS: Final = 8
"""Clients' answers from which anything is said."""
CLIENTS: Final = 4
"""Clients from whom these come, at least: fewer cannot show how far clients differ."""
_MOST: Final = 10.0
_TAIL: Final = 0.975
_SCHEMA: Final[dict[str, Any]] = {
    "therapist": pl.String, "client": pl.String, "step": pl.Int64, "session": pl.Int64, "time": pl.Datetime("us"),
    "about": pl.String, "talked": pl.String, "helped": pl.Float64, "repaired": pl.String,
}  # fmt: skip


def table(steps: Iterable[Step], therapist: str) -> pl.DataFrame:
    """Lay out steps as `frames.STEPS` has them, a row a step, in the order in which they were chosen.

    Parameters
    ----------
    steps, therapist
        Whose steps.
    """
    counted: dict[str, int] = {}
    rows = []
    for each in sorted(steps, key=lambda step: step.chosen):
        counted[each.client] = counted.get(each.client, 0) + 1
        chosen = each.chosen.replace(tzinfo=None)
        said = (each.about, each.talked, each.helped, each.repaired)
        rows.append((therapist, each.client, counted[each.client], each.after, chosen, *said))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


@dataclass(frozen=True, slots=True)
class Helped:
    """What clients say of the steps.

    Parameters
    ----------
    steps
        `frames.STEPS`.
    language
        Of the sentences.
    """

    steps: pl.DataFrame = field(repr=False)
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say how far the talks helped, over all steps."""
        return self._helped(say("steps_helped_about", self.language), self.steps)

    @property
    def talked(self) -> Finding | NotYet:
        """Say of how many steps in a hundred clients say that they were talked about."""
        about = say("steps_talked_about", self.language)
        given = _grouped(self.steps, "talked").with_columns(
            value=(pl.col("talked") == "yes").cast(pl.Float64)
        )
        if (few := self._too_few(about, given)) is not None:
            return few
        estimate = _share(*_sums(given))
        ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
        told = {name: in_hundred(end) for name, end in ends.items()}
        return self._found("steps_talked_found", about, given, estimate, told)

    def about(self, about: str) -> Finding | NotYet:
        """Say how far the talks helped, over the steps that answered one thing.

        Parameters
        ----------
        about
            One of `sessions.ABOUT`.
        """
        from attunement.steps.suggesting import named  # noqa: PLC0415 - the two know each other

        told = say("steps_helped_of", self.language, about=named(about, self.language))
        of = (
            self.steps.filter(pl.col("about") == about)
            if "about" in self.steps.columns
            else self.steps.clear()
        )
        return self._helped(told, of)

    @property
    def by_about(self) -> dict[str, Finding | NotYet]:
        """What is told of each thing that a step answered, in the order of `sessions.ABOUT`."""
        there = set(self.steps["about"].drop_nulls()) if "about" in self.steps.columns else set()
        return {each: self.about(each) for each in ABOUT if each in there}

    # -- inside

    def _helped(self, about: str, of: pl.DataFrame) -> Finding | NotYet:
        given = _grouped(of, "helped").with_columns(value=pl.col("helped"))
        if (few := self._too_few(about, given)) is not None:
            return few
        if given["value"].n_unique() == 1:
            alike = say("steps_alike", self.language, answers=given.height)
            return not_yet(about, alike, say("steps_from_unlike", self.language), self.language)
        estimate = _mean(given)
        ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
        told = {name: number(end, 1, self.language) for name, end in ends.items()}
        return self._found("steps_helped_found", about, given, estimate, told)

    def _found(
        self, name: str, about: str, given: pl.DataFrame, estimate: Estimate, told: dict[str, str]
    ) -> Finding:
        many = {"answers": given.height, "clients": given["dyad"].n_unique()}
        limits = tuple(say(each, self.language) for each in ("steps_limit_cause", "steps_limit_said"))
        evidence = (
            given.group_by("therapist", "client", maintain_order=True)
            .agg(answers=pl.len(), mean=pl.col("value").mean())
            .sort("therapist", "client")
        )
        return Finding(about, say(name, self.language, **told, **many), estimate, evidence, limits)

    def _too_few(self, about: str, given: pl.DataFrame) -> NotYet | None:
        answers, clients = given.height, given["dyad"].n_unique()
        if answers >= ANSWERS and clients >= CLIENTS:
            return None
        lacking = say("steps_few", self.language, answers=answers, clients=clients)
        missing = lacking if answers else say("steps_none", self.language)
        supply = say("steps_from", self.language, answers=ANSWERS, clients=CLIENTS)
        return not_yet(about, missing, supply, self.language)


def helped(steps: Any, *, language: Language = "en") -> Helped:  # noqa: ANN401 - any eager frame, or a practice
    """Ask what clients say of what was tried; association only.

    Parameters
    ----------
    steps
        `frames.STEPS`, or a practice's own tables.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        Where the table breaks its contract.

    Examples
    --------
    >>> import polars as pl
    >>> asked = pl.DataFrame({"client": ["K-07"], "step": [1], "talked": ["yes"], "helped": [8.0]})
    >>> print(helped(asked).all.sentence)
    Not yet: answers so far: 1, clients who gave one: 1; from 8 answers of 4 clients on it can be told.
    """
    return Helped(frames.steps(steps), language)


def _grouped(steps: pl.DataFrame, column: str) -> pl.DataFrame:
    """Steps with an answer; what one client says to two therapists is of two dyads."""
    if column not in steps.columns:
        steps = steps.with_columns(pl.lit(None, dtype=_SCHEMA[column]).alias(column))
    length = pl.col("therapist").str.len_chars()
    dyad = pl.concat_str(length, "therapist", "client", separator=" ")
    return steps.with_columns(dyad=dyad).drop_nulls(column)


def _mean(given: pl.DataFrame) -> Estimate:
    """The mean of 0 to 10, by answers of one client together; each client's one answer is one of its own."""
    from scipy.special import stdtrit  # noqa: PLC0415 - most of a second, for those who ask

    from attunement.mixed import fit  # noqa: PLC0415 - see above

    clients = given["dyad"].n_unique()
    if clients == given.height:
        values = given["value"].to_numpy()
        mean, se = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    else:
        found = fit("value ~ 1 + (1 | dyad)", given)
        mean, se = found.fixef["Intercept"], found.se["Intercept"]
    reach = float(stdtrit(clients - 1, _TAIL)) * se
    return Estimate(mean, max(mean - reach, 0.0), min(mean + reach, _MOST), unit="points")


def _sums(given: pl.DataFrame) -> tuple[Array, Array]:
    """How many of each client's answers are yes, and how many there are."""
    each = given.group_by("dyad", maintain_order=True).agg(pl.col("value").sum(), many=pl.len())
    return each["value"].to_numpy(), each["many"].to_numpy().astype(np.float64)


def _share(yes: Array, many: Array) -> Estimate:
    """The share with Korn and Graubard's interval."""
    from scipy.special import betaincinv, stdtrit  # noqa: PLC0415 - see `_mean`

    n, groups = float(many.sum()), many.size
    p = float(yes.sum()) / n
    variance = groups / (groups - 1.0) * float(((yes - p * many) ** 2).sum()) / n**2
    counts = min(n, p * (1.0 - p) / variance) if variance > 0 else n
    counts = min(n, counts * float(stdtrit(n - 1, _TAIL) / stdtrit(groups - 1, _TAIL)) ** 2)
    k = p * counts
    low = float(betaincinv(k, counts - k + 1, 1 - _TAIL)) if k > 0 else 0.0
    high = float(betaincinv(k + 1, counts - k, _TAIL)) if k < counts else 1.0
    return Estimate(p, min(low, p), max(high, p), unit="share")
