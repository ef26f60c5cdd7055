"""Agreement in words: each client's gap and tracking as a `Finding` or a `NotYet`, and what is a habit with all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from attunement import frames
from attunement.agreement.gaps import CLIENTS, DYAD, Gaps, above, gaps, paired
from attunement.agreement.prior import published_prior
from attunement.errors import ColumnProblem, TooLittle
from attunement.findings import Estimate, Finding, NotYet
from attunement.mixed import Posterior
from attunement.trajectories import Measure, measure_of
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from attunement.agreement.gaps import Gap
    from attunement.instruments.description import Language
    from attunement.mixed import Prior

SURE: Final = 0.8
"""The probability from which a word is used."""
WELL: Final = 0.5
"""Points that the guess moves where the rating moves by one, from which it follows well: a convention."""
HARDLY: Final = 0.2
"""The same, below which the moves mostly pass by."""
_CEILING = 0.05  # share of ratings at the top from which it is said
_STILL = 0.02  # of the scale: standard deviation of a client's ratings below which they hardly move
_PER_POINT = 2  # decimals of a slope
_NUMBERS = (
    *(f"bias{end}" for end in ("", "_low", "_high")),
    *(f"tracking{end}" for end in ("", "_low", "_high")),
    *(f"own{end}" for end in ("", "_low", "_high")),
)
ROW: Final = {"therapist": pl.String, "client": pl.String, "paired": pl.Int64} | dict.fromkeys(
    _NUMBERS, pl.Float64
)
"""The columns of `Agreement.frame`; points, and points a point for tracking."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the therapist's guesses lie to the clients' answers, with everybody.

    Parameters
    ----------
    measure
        What ratings and guesses are on.
    met
        A row a dyad, with or without a guess: therapist, client, paired (sessions with both).
    gaps
        The fitted practice, or None where no session has both.
    language
        Of the sentences.
    """

    measure: Measure
    met: pl.DataFrame = field(repr=False)
    gaps: Gaps | None = field(repr=False)
    language: Language = "en"

    def of(self, client: str, therapist: str | None = None) -> Finding | NotYet:
        """Say how the guesses lie to the answers of one client.

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
        row = met.row(0, named=True)
        about = self._say("agreement_about", name=client)
        if row["paired"] < DYAD or self.gaps is None or (row["therapist"], client) not in self.gaps.dyads:
            return self._not_yet(
                about, self._pairs(row["paired"]), self._say("agreement_from_pairs", number=DYAD)
            )
        return self._told(about, row["therapist"], client, self.gaps)

    def usual(self, therapist: str | None = None) -> Finding | NotYet:
        """Say what one therapist's guesses are like with clients as such: a habit. For that therapist alone.

        Raises
        ------
        ColumnProblem
            Where there is no such therapist, or there are several and none is named.
        """
        who = self._one_therapist(therapist)
        about = self._say("agreement_about_usual")
        missing = self._few(about, self.met.filter(therapist=who))
        if missing is not None or self.gaps is None:
            return missing or self._not_yet(about, self._pairs(0), self._from_clients())
        gap = self.gaps.habits[who]
        spread = self.gaps.spread
        told = self._ends(spread)
        differs = self._say("agreement_spread", spread=told.pop("value"), **told)
        sentence = f"{self._follows(gap)} {self._sits(gap)} {differs}"
        evidence = _evidence({"bias": gap.bias, "tracking": gap.tracking, "between clients": spread})
        return Finding(about, sentence, gap.bias, evidence, self._limits())

    @property
    def all(self) -> Finding | NotYet:
        """Say how guesses lie to answers in the whole table; of one therapist, `usual` says the same to them."""
        if self.met["therapist"].n_unique() == 1:
            return self.usual()
        about = self._say("agreement_about_all")
        missing = self._few(about, self.met)
        if missing is not None or self.gaps is None:
            return missing or self._not_yet(about, self._pairs(0), self._from_clients())
        gap = self.gaps.all
        name = {1: "agreement_here_above", -1: "agreement_here_below"}.get(
            _side(gap.bias), "agreement_here_unclear"
        )
        tracking = self._slope(gap.tracking)
        sentence = f"{self._say('agreement_here_tracking', **tracking)} {self._gap(name, gap.bias)}"
        evidence = _evidence({"bias": gap.bias, "tracking": gap.tracking})
        return Finding(about, sentence, gap.bias, evidence, self._limits())

    def frame(self) -> pl.DataFrame:
        """One row a dyad, with the columns of `ROW`; below four sessions with both, the numbers are missing.

        ``own`` is the part of the gap that is beside the therapist's usual one, where that can be told.
        """
        return pl.DataFrame([self._row(row) for row in self.met.iter_rows(named=True)], schema=ROW)

    # -- inside

    def _told(self, about: str, therapist: str, client: str, found: Gaps) -> Finding:
        key = (therapist, client)
        gap, own = found.dyads[key], found.own[key]
        parts = {"bias": gap.bias, "tracking": gap.tracking}
        beside = ""
        if self._has_habit(therapist):
            parts["own"] = own
            beside = self._beside(client, found, key)
        sessions = found.pairs.filter(therapist=therapist, client=client)
        still = sessions["score"].std() or 0.0
        limits = (
            [self._say("agreement_limit_still")]
            if float(still) < _STILL * (self.measure.high - self.measure.low)  # type: ignore[arg-type]
            else []
        )
        sentence = " ".join(
            each for each in (self._follows(gap), self._sits(gap, close=not beside), beside) if each
        )
        return Finding(about, sentence, gap.bias, _evidence(parts), (*limits, *self._limits()))

    def _follows(self, gap: Gap) -> str:
        tracking = gap.tracking
        if above(tracking, WELL) >= SURE and tracking.low > 0:
            name = "agreement_well"
        elif tracking.low > 0:
            name = "agreement_in_part"
        elif above(tracking, HARDLY) <= 1 - SURE:
            name = "agreement_hardly"
        else:
            name = "agreement_unclear"
        return self._say(name, **self._slope(tracking))

    def _sits(self, gap: Gap, *, close: bool = True) -> str:
        side = _side(gap.bias)
        if side:
            return self._gap("agreement_above" if side > 0 else "agreement_below", gap.bias)
        near = max(abs(gap.bias.low), abs(gap.bias.high)) <= 2 * self.measure.notable
        return self._gap("agreement_close" if near and close else "agreement_gap_unclear", gap.bias)

    def _beside(self, client: str, found: Gaps, key: tuple[str, str]) -> str:
        """What the gap with one client is beside the habit: a habit, the client's own, or not to be told apart."""
        own = found.own[key]
        if _side(own):
            name = "agreement_own_above" if own.value > 0 else "agreement_own_below"
            told = self._ends(own, turned=own.value < 0)
            return self._say(name, own=told.pop("value"), **told)
        gap, habit = found.dyads[key].bias, found.habits[key[0]].bias
        same_side = _side(gap) == _side(habit) != 0
        return (
            self._say("agreement_habit", name=client) if same_side and found.mostly_habit[key] >= SURE else ""
        )

    def _has_habit(self, therapist: str) -> bool:
        return self._often(self.met.filter(therapist=therapist)) >= CLIENTS

    def _few(self, about: str, met: pl.DataFrame) -> NotYet | None:
        often = self._often(met)
        if often >= CLIENTS:
            return None
        return self._not_yet(about, self._say("agreement_few_clients", clients=often), self._from_clients())

    def _often(self, met: pl.DataFrame) -> int:
        return met.filter(pl.col("paired") >= 2).height

    def _from_clients(self) -> str:
        return self._say("agreement_from_clients", number=CLIENTS)

    def _one_therapist(self, therapist: str | None) -> str:
        known = self.met["therapist"].unique(maintain_order=True).to_list()
        if therapist is None and len(known) == 1:
            return str(known[0])
        if therapist is None:
            raise ColumnProblem(f"{len(known)} therapists are in these ratings; name one.")
        if therapist not in known:
            raise ColumnProblem(f"No session was given by the therapist {therapist!r}.")
        return therapist

    def _pairs(self, paired: int) -> str:
        name = {0: "agreement_no_pairs", 1: "agreement_one_pair"}.get(paired, "agreement_pairs")
        return self._say(name, paired=paired)

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        key = (row["therapist"], row["client"])
        if self.gaps is None or row["paired"] < DYAD or key not in self.gaps.dyads:
            return row
        gap = self.gaps.dyads[key]
        told = {"bias": gap.bias, "tracking": gap.tracking}
        if self._has_habit(row["therapist"]):
            told["own"] = self.gaps.own[key]
        ends = {"": "value", "_low": "low", "_high": "high"}
        return row | {
            f"{name}{end}": getattr(each, of) for name, each in told.items() for end, of in ends.items()
        }

    def _limits(self) -> tuple[str, ...]:
        if self.gaps is None:
            return ()
        names = ("agreement_limit_answer", "agreement_limit_first", "agreement_limit_words")
        limits = [self._say(name) for name in names]
        model, pairs = self.gaps.model, self.gaps.pairs
        top = pairs.filter(pl.col("score") >= self.measure.high).height / pairs.height
        if top > _CEILING:
            limits.append(self._say("agreement_limit_top", share=in_hundred(top)))
        if isinstance(model, Posterior):
            limits.append(self._say("agreement_limit_few", source=model.prior.source))
        return tuple(limits)

    def _slope(self, tracking: Estimate) -> dict[str, str]:
        ends = {"moves": tracking.value, "low": tracking.low, "high": tracking.high}
        return {name: number(value, _PER_POINT, self.language) for name, value in ends.items()}

    def _gap(self, name: str, bias: Estimate) -> str:
        told = self._ends(bias, turned=name.endswith("_below"))
        return self._say(name, gap=told.pop("value"), **told)

    def _ends(self, estimate: Estimate, *, turned: bool = False) -> dict[str, str]:
        """Value, low and high; turned over for what is said to lie below."""
        ends = (estimate.value, estimate.low, estimate.high)
        ends = (-ends[0], -ends[2], -ends[1]) if turned else ends
        told = [number(each, self.measure.digits, self.language) for each in ends]
        return dict(zip(("value", "low", "high"), told, strict=True))

    def _not_yet(self, about: str, missing: str, supply: str) -> NotYet:
        return not_yet(about, missing, supply, self.language)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


def agreement(
    ratings: Any,  # noqa: ANN401 - any eager frame narwhals knows, or a practice
    measure: Measure | None = None,
    *,
    prior: Prior | Literal["published"] | None = "published",
    language: Language = "en",
) -> Agreement:
    """Hold the therapist's guesses against the clients' answers (`frames.RATINGS`, with ``guess``).

    Parameters
    ----------
    ratings
        therapist (if several), client, session, score, guess; or a practice that has them.
    measure
        The scale that both are on; a practice's is that of its check-in.
    prior
        What is known before, for fewer than 400 dyads or 30 therapists: published figures (`published_prior`), another
        prior, or None.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract, or has no guesses.
    TooLittle
        When a score or a guess lies outside the scale.
    """
    measure = measure_of(ratings, measure)
    table = frames.ratings(ratings)
    if "guess" not in table.columns:
        raise ColumnProblem(
            "ratings: the column guess is missing (What the therapist guessed the client would answer.)"
        )
    _refuse_outside(table, measure)
    pairs = paired(table)
    known = published_prior(measure) if prior == "published" else prior
    enough = not pairs.is_empty() and (known is not None or _tells_by_itself(pairs))
    return Agreement(measure, _met(table), gaps(pairs, known) if enough else None, language)


def _tells_by_itself(pairs: pl.DataFrame) -> bool:
    return pairs.group_by("dyad").len().filter(pl.col("len") >= 2).height >= CLIENTS


def _met(table: pl.DataFrame) -> pl.DataFrame:
    both = pl.col("score").is_not_null() & pl.col("guess").is_not_null()
    counted = table.group_by("therapist", "client").agg(paired=both.sum().cast(pl.Int64))
    return counted.sort("therapist", "client")


def _refuse_outside(table: pl.DataFrame, measure: Measure) -> None:
    for name in ("score", "guess"):
        outside = table.filter(~pl.col(name).is_between(measure.low, measure.high))
        if not outside.is_empty():
            first = outside.row(0, named=True)
            raise TooLittle(
                f"{outside.height} of the column {name} outside the scale {measure.low:g} to {measure.high:g}, first "
                f"{first[name]:g} (client {first['client'][:24]!r}, session {first['session']}); give the scale's ends."
            )


def _side(estimate: Estimate) -> int:
    """1 above zero, -1 below it, 0 where the interval holds it."""
    return (estimate.low > 0) - (estimate.high < 0)


def _evidence(parts: dict[str, Estimate]) -> pl.DataFrame:
    """``part, value, low, high, unit``."""
    return pl.DataFrame(
        [
            {"part": name, "value": each.value, "low": each.low, "high": each.high, "unit": each.unit}
            for name, each in parts.items()
        ]
    )
