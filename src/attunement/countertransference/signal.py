"""Signal: which feelings of the therapist go with what the client reports of their own state, for the same session.

Within dyads alone: what is usual with a client tells nothing here, and no therapist is held against another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl

from attunement import frames
from attunement.countertransference.gain import Gain, gains
from attunement.countertransference.moves import Moves, moves
from attunement.countertransference.pairs import held_states, paired
from attunement.countertransference.slopes import Slope, published_slopes, slopes
from attunement.errors import ColumnProblem
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import not_yet, number, say

if TYPE_CHECKING:
    from attunement.instruments.description import Language
    from attunement.mixed import Prior

DYAD: Final = 4
"""Sessions with feelings and state from which a dyad is told of by itself."""
CLIENTS: Final = 5
"""Clients with as many, from which anything is told."""
SESSIONS: Final = 30
"""Sessions with both, of all dyads, from which anything is told [judgement]; measured from 32 on."""
MOVING: Final = 3
"""Clients with whom a feeling must change from session to session to be asked."""
STEP: Final = 2
"""Points of a feeling beyond the usual that a sentence tells of: a convention."""
_NAMED = 3  # feelings named in one sentence
_ENDS = {"": "value", "_low": "low", "_high": "high"}
ROW: Final = {
    "therapist": pl.String, "client": pl.String, "sessions": pl.Int64, "feeling": pl.String,
    "slope": pl.Float64, "slope_low": pl.Float64, "slope_high": pl.Float64, "tells": pl.Boolean,
}  # fmt: skip
"""The columns of `Signal.frame`; slopes are points of the state a point of the feeling."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What each feeling tells of the clients' states, and with whom.

    Parameters
    ----------
    met
        A row a dyad with a reflection: therapist, client, sessions (with both a feeling and a state).
    feelings
        Those that were asked.
    still
        Those that hardly changed, and were not.
    worse
        Which way a state is worse.
    moved, gains, slopes
        What was new in each session; what each feeling adds, and what it goes with. Empty where there is too little.
    prior
        Of the slopes.
    language
        Of the sentences.
    """

    met: pl.DataFrame = field(repr=False)
    feelings: tuple[str, ...]
    still: tuple[str, ...]
    worse: Literal["higher", "lower"]
    moved: Moves | None = field(repr=False)
    gains: tuple[Gain, ...] = field(repr=False)
    slopes: tuple[Slope, ...] = field(repr=False)
    prior: Prior | None = field(repr=False)
    language: Language = "en"

    @property
    def all(self) -> Finding | NotYet:
        """Say which feelings tell something with clients as such."""
        about = self._say("signal_about_here" if self._several else "signal_about_all")
        missing = self._missing(about)
        if missing is not None:
            return missing
        told = self._telling()
        best = self.gains[self._order()[0]].gain
        if not told:
            name = "signal_here_nothing" if self._several else "signal_all_nothing"
            return Finding(about, self._say(name, **_in_hundred(best)), best, self._table(), self._limits())
        said = [self._usually(place) for place in told[:_NAMED]]
        sentence = " ".join([*said[:1], self._say("signal_gain", **_in_hundred(best)), *said[1:]])
        return Finding(about, sentence, self._turned(self.slopes[told[0]].all), self._table(), self._limits())

    def of(self, client: str, therapist: str | None = None) -> Finding | NotYet:
        """Say which feelings tell something with one client.

        Raises
        ------
        ColumnProblem
            Where there is no such client, or several therapists met them and none is named.
        """
        row = self._one(client, therapist)
        about = self._say("signal_about", name=client)
        missing = self._missing(about)
        if missing is None and row["sessions"] < DYAD:
            had = self._say("signal_few_sessions", sessions=row["sessions"])
            missing = not_yet(about, had, self._say("signal_from", number=DYAD), self.language)
        if missing is not None:
            return missing
        dyad, evidence = (
            self._dyads().index((row["therapist"], client)),
            self._table_of(row["therapist"], client),
        )
        told = self._telling()
        if not told:
            best = self.gains[self._order()[0]].gain
            nothing = self._say("signal_nothing", name=client, **_in_hundred(best))
            return Finding(about, nothing, best, evidence, self._limits())
        sure = [place for place in told if _sided(self.slopes[place].dyads[dyad])]
        first = self.slopes[(sure or told)[0]].dyads[dyad]
        said = [self._with("", place, self.slopes[place].dyads[dyad], name=client) for place in sure[:_NAMED]]
        said = said or [self._with("", told[0], first, name=client)]
        return Finding(about, " ".join(said), self._turned(first), evidence, self._limits())

    def frame(self) -> pl.DataFrame:
        """A row a dyad and feeling, with the columns of `ROW`: dyads with four sessions, once anything can be told."""
        rows = [
            {**each, "feeling": feeling, **row}
            for each in self.met.iter_rows(named=True)
            if each["sessions"] >= DYAD and self.gains
            for feeling, row in zip(
                self.feelings, self._rows_of(each["therapist"], each["client"]), strict=True
            )
        ]
        return pl.DataFrame(rows, schema=ROW)

    # -- inside

    @property
    def _several(self) -> bool:
        return self.met["therapist"].n_unique() > 1

    def _one(self, client: str, therapist: str | None) -> dict[str, Any]:
        met = self.met.filter(client=client)
        met = met if therapist is None else met.filter(therapist=therapist)
        if met.height != 1:
            more = f"{met.height} therapists met the client {client!r}; name one."
            raise ColumnProblem(
                more if met.height else f"There is no client {client!r} in these reflections."
            )
        return met.row(0, named=True)

    def _missing(self, about: str) -> NotYet | None:
        """What keeps anything from being told, if something does."""
        often = self.met.filter(pl.col("sessions") >= DYAD).height
        held = int(self.met["sessions"].sum())
        if often < CLIENTS:
            had = self._say("signal_few_clients", number=DYAD, clients=often)
            return not_yet(about, had, self._say("signal_from", number=CLIENTS), self.language)
        if held < SESSIONS:
            had = self._say("signal_few_sessions", sessions=held)
            return not_yet(about, had, self._say("signal_from", number=SESSIONS), self.language)
        if self.gains:
            return None
        had = self._say("signal_state_still" if self.feelings else "signal_still")
        return not_yet(about, had, self._say("signal_from_change", number=MOVING), self.language)

    def _order(self) -> list[int]:
        """The feelings, those that tell the most first."""
        return sorted(
            range(len(self.gains)), key=lambda at: (self.gains[at].chance, -self.gains[at].gain.value)
        )

    def _telling(self) -> list[int]:
        return [place for place in self._order() if self.gains[place].tells]

    def _dyads(self) -> list[tuple[str, str]]:
        return [] if self.moved is None else self.moved.dyads

    def _usually(self, place: int) -> str:
        return self._with("_here" if self._several else "_all", place, self.slopes[place].all)

    def _with(self, whose: str, place: int, slope: Estimate, **more: str) -> str:
        """What goes with a feeling `STEP` points above the usual."""
        worse = self._turned(slope)
        unclear = "_mixed" if whose else "_unclear"
        ending = ("_worse" if worse.value > 0 else "_better") if _sided(worse) else unclear
        shown = _over(worse) if ending == "_better" else worse
        points = {"points": shown.value, "low": shown.low, "high": shown.high}
        told = {name: number(each, self._digits, self.language) for name, each in points.items()}
        name = _SENTENCES[whose + ending]
        return self._say(name, feeling=self.feelings[place], step=STEP, **told, **more)

    @property
    def _digits(self) -> int:
        """Decimals of points of the state: none where it moves by tens, one by points, two by less."""
        size = 0.0 if self.moved is None else self.moved.scale
        return 2 if size < 1 else 1 if size < 20 else 0

    def _turned(self, slope: Estimate) -> Estimate:
        """What goes with `STEP` points of the feeling: points by which the state is worse."""
        ends = (STEP * slope.value, STEP * slope.low, STEP * slope.high)
        worse = Estimate(*ends, unit="points")
        return worse if self.worse == "higher" else _over(worse)

    def _table(self) -> pl.DataFrame:
        """``feeling``, its ``slope`` and ``gain`` with their intervals, ``chance``, ``tells``; the strongest first."""
        return pl.DataFrame(
            [
                {"feeling": self.feelings[at], **_columns("slope", self.slopes[at].all)}
                | _columns("gain", self.gains[at].gain)
                | {"chance": self.gains[at].chance, "tells": self.gains[at].tells}
                for at in self._order()
            ]
        )

    def _table_of(self, therapist: str, client: str) -> pl.DataFrame:
        """``feeling``, its ``slope`` with this client, and whether it ``tells``."""
        rows = self._rows_of(therapist, client)
        return pl.DataFrame([{"feeling": self.feelings[at], **rows[at]} for at in self._order()])

    def _rows_of(self, therapist: str, client: str) -> list[dict[str, Any]]:
        dyad = self._dyads().index((therapist, client))
        return [
            {**_columns("slope", slope.dyads[dyad]), "tells": gain.tells and bool(_sided(slope.dyads[dyad]))}
            for gain, slope in zip(self.gains, self.slopes, strict=True)
        ]

    def _limits(self) -> tuple[str, ...]:
        asked = ", ".join(self.feelings)
        limits = [self._say("signal_limit_together"), self._say("signal_limit_rule", feelings=asked)]
        limits += [self._say("signal_limit_same"), self._say("signal_limit_reported")]
        if self.prior is not None:
            limits.append(self._say("signal_limit_few", source=self.prior.source))
        if self.still:
            limits.append(self._say("signal_limit_still", feelings=", ".join(self.still)))
        return tuple(limits)

    def _say(self, name: str, /, **values: Any) -> str:  # noqa: ANN401 - whatever a sentence holds
        return say(name, self.language, **values)


_SENTENCES: Final = {
    "_worse": "signal_worse",
    "_better": "signal_better",
    "_unclear": "signal_unclear",
    "_all_worse": "signal_all_worse",
    "_all_better": "signal_all_better",
    "_all_mixed": "signal_all_mixed",
    "_here_worse": "signal_here_worse",
    "_here_better": "signal_here_better",
    "_here_mixed": "signal_here_mixed",
}


def signal(
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    states: Any,  # noqa: ANN401 - see above
    *,
    worse: Literal["higher", "lower"],
    prior: Prior | Literal["published"] | None = "published",
    language: Language = "en",
) -> Signal:
    """Hold the therapist's feelings against the client's own report of their state, session by session.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`: therapist (if several), client, session, feeling, strength. A feeling that is left out in
        a session counts as unknown there; write 0 where it was not felt.
    states
        client, session, outcome, and therapist where a client met several: `frames.RATINGS` with an outcome, or
        `frames.OUTCOMES` of one instrument.
    worse
        Which way the state is worse.
    prior
        Of the slopes, in standard deviations within dyads: published figures (`published_slopes`), another prior, or
        None. It takes no part in whether something is told.
    language
        Of the sentences.

    Raises
    ------
    ColumnProblem
        When a table breaks its contract, or the states cannot be put to one therapist or one instrument.
    """
    felt = frames.reflections(reflections)
    both, names = paired(felt, held_states(states, felt))
    met = _met(felt, both)
    asked = tuple(name for name in names if _moves(both, name) >= MOVING)
    known = published_slopes() if prior == "published" else prior
    enough = asked and _enough(met) and _moves(both, "outcome") >= MOVING
    moved = moves(both, asked) if enough else None
    return Signal(
        met=met,
        feelings=asked,
        still=tuple(name for name in names if name not in asked),
        worse=worse,
        moved=moved,
        gains=() if moved is None else tuple(gains(moved)),
        slopes=() if moved is None else tuple(slopes(moved, at, known) for at in range(len(asked))),
        prior=known,
        language=language,
    )


def _met(felt: pl.DataFrame, both: pl.DataFrame) -> pl.DataFrame:
    counted = both.group_by("therapist", "client").len("sessions")
    dyads = felt.select("therapist", "client").unique()
    joined = dyads.join(counted, on=["therapist", "client"], how="left")
    return joined.with_columns(pl.col("sessions").fill_null(0).cast(pl.Int64)).sort("therapist", "client")


def _enough(met: pl.DataFrame) -> bool:
    return met.filter(pl.col("sessions") >= DYAD).height >= CLIENTS and met["sessions"].sum() >= SESSIONS


def _moves(both: pl.DataFrame, name: str) -> int:
    """With how many clients a column changes from session to session."""
    changing = both.group_by("therapist", "client").agg(pl.col(name).n_unique() > 1)
    return changing.filter(pl.col(name)).height


def _sided(estimate: Estimate) -> int:
    """1 above zero, -1 below it, 0 where the interval holds it."""
    return (estimate.low > 0) - (estimate.high < 0)


def _over(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, -estimate.high, -estimate.low, estimate.unit)


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {f"{name}{end}": getattr(estimate, of) for end, of in _ENDS.items()}


def _in_hundred(gain: Estimate) -> dict[str, str]:
    told = {"gain": gain.value, "low": gain.low, "high": gain.high}
    return {name: f"{100 * each:.0f}".replace("-0", "0") for name, each in told.items()}
