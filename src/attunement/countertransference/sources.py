r"""Where one feeling comes from: the therapist's habit, what a client stirs, the therapist's day, and the hour itself.

With the strength y of a feeling after session s of client c with therapist t, rated from 0 to 10,

.. math:: y_{tcs} = \mu + \gamma\,(d_{ts} - \bar d_t) + h_t + e_{tc} + m_{tcs}

*habitual* h is the therapist's with all clients, *elicited* e that of this dyad, *momentary* m of this session,
roughness of rating included; d is how the therapist's own day was, within the therapist. Where enough clients have met
two therapists, :math:`e_{tc} = c_c + p_{tc}`: the client's, whoever sits there, and the pairing's (Kiesler's objective
and subjective countertransference are the two ends of that; Winnicott 1949).

Variances are integrated over from a prior, so that few clients leave wide intervals and not false certainty.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtr

from attunement.countertransference.fitted import fitted
from attunement.findings import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from attunement.countertransference.fitted import Fitted
    from attunement.mixed import Prior

    Array = NDArray[np.float64]

TWICE: Final = 2
"""Reflections of a dyad from which it counts among those that differ."""
CLIENTS: Final = 5
"""Clients reflected on twice from which a client is held against the others, and from which shares are told."""
REFLECTIONS: Final = 4
"""Reflections on a client from which they are spoken of by themselves, and that a habit needs of each client."""
THERAPISTS: Final = 5
"""Therapists, each with two clients reflected on twice, from which what is habitual is told by peers."""
SHARED: Final = 5
"""Clients who met two therapists or more, from which the client's part is told from the pairing's."""
_NOBODY = "\0"
_COLUMNS = ("usual", "day", "habit", "elicited", "own", "pair")
_KEY = ("therapist", "client")


@dataclass(frozen=True, slots=True)
class Design:
    """Who reflected on whom, and so what can be told apart.

    Parameters
    ----------
    dyads
        ``therapist, client, reflected``: how often each was reflected on.
    varies
        Whether the feeling was not always rated alike.
    """

    dyads: pl.DataFrame = field(repr=False)
    varies: bool

    def often(self, therapist: str | None = None, least: int = TWICE) -> int:
        """How many clients were reflected on so often, by one therapist or by all."""
        enough = self.dyads.filter(pl.col("reflected") >= least)
        return (enough if therapist is None else enough.filter(therapist=therapist)).height

    @property
    def clients(self) -> int:
        """The most clients that one therapist has reflected on twice."""
        counted = self.dyads.filter(pl.col("reflected") >= TWICE).group_by("therapist").len()
        return int(counted["len"].max() or 0)  # type: ignore[arg-type]

    @property
    def therapists(self) -> int:
        """Therapists whose habit can be told from what one client stirs: each with two clients reflected on twice."""
        counted = self.dyads.filter(pl.col("reflected") >= TWICE).group_by("therapist").len()
        return counted.filter(pl.col("len") >= TWICE).height

    @property
    def shared(self) -> int:
        """Clients whom two therapists or more have reflected on twice."""
        counted = self.dyads.filter(pl.col("reflected") >= TWICE).group_by("client").len()
        return counted.filter(pl.col("len") >= 2).height

    @property
    def several(self) -> bool:
        """Whether there is more than one therapist at all."""
        return self.dyads["therapist"].n_unique() > 1

    @property
    def crossed(self) -> bool:
        """Whether the client's part and the pairing's are modelled apart."""
        return self.several and self.shared >= SHARED

    @property
    def shares(self) -> bool:
        """Whether shares can be told: somebody with clients enough, or clients enough with therapists enough."""
        return self.varies and (self.clients >= CLIENTS or (self.peers and self.often() >= 2 * CLIENTS))

    @property
    def peers(self) -> bool:
        """Whether there are colleagues enough in the table to say what is habitual."""
        return self.therapists >= THERAPISTS


@dataclass(frozen=True, slots=True)
class Sources:
    """One feeling, split.

    Parameters
    ----------
    feeling
        Which.
    design
        What could be told apart.
    rows
        The reflections that it was fitted to, with the model's columns, and what was expected of each (value, low,
        high).
    model
        As it was fitted.
    parts
        By therapist and client, the parts of that dyad: elicited, and own and pair where they are modelled apart.
    habits
        By therapist, how far above what is usual in the table.
    reliability
        By therapist and client, how much of the differences in the elicited part this one's estimate catches: 1 less
        its remaining variance over theirs.
    """

    feeling: str
    design: Design
    rows: pl.DataFrame = field(repr=False)
    model: Fitted = field(repr=False)
    parts: dict[tuple[str, str], dict[str, Estimate]] = field(repr=False)
    habits: dict[str, Estimate] = field(repr=False)
    reliability: dict[tuple[str, str], float] = field(repr=False)

    @property
    def has_day(self) -> bool:
        """Whether the therapist's day was known and differed."""
        return self.model.has("day")

    def shares(self) -> dict[str, Estimate]:
        """Tell which share of the differences in this feeling goes with what; together they are 1."""
        draws = self.model.draws
        variance = {
            name: np.square(draws[f"sd {term}"].to_numpy())
            for name, term in _TERMS.items()
            if self.model.has(f"sd {term}") and (name != "habitual" or self.design.peers)
        }
        if self.has_day:
            variance["day"] = draws["day"].to_numpy() ** 2 * float(self.rows["day"].var(ddof=0) or 0.0)  # type: ignore[arg-type]
        whole = np.sum(list(variance.values()), axis=0)
        return {name: _of_draws(each / whole, "share") for name, each in variance.items()}

    def usual(self, therapist: str) -> Estimate:
        """How strong the feeling usually is with this therapist, whoever the client."""
        return _told(self.model, [_row(therapist=therapist, usual=1.0, habit=1.0)])[0][0]

    def day(self) -> Estimate | None:
        """By how many points the feeling moves with a point of one's own day."""
        if not self.has_day:
            return None
        return _of_draws(self.model.draws["day"].to_numpy(), "points a point")

    def moments(self, therapist: str, client: str) -> pl.DataFrame:
        """Tell what is of the hour itself: ``session, strength, usual, day, value, low, high, far`` a session.

        ``usual`` is what this dyad's hours are like, ``day`` what one's own day adds, ``value`` what is left, with its
        interval; ``far`` is the share of hours that lie as far off, either way.
        """
        own = self.rows.filter(therapist=therapist, client=client)
        sigma = self.model.middle("sd residual")
        left = own["strength"].to_numpy() - own["value"].to_numpy()
        of_day = own["day"].to_numpy() * (each.value if (each := self.day()) else 0.0)
        return own.select("session", "strength").with_columns(
            usual=pl.Series(own["value"].to_numpy() - of_day),
            day=pl.Series(of_day),
            value=pl.Series(left),
            low=pl.Series(own["strength"].to_numpy() - own["high"].to_numpy()),
            high=pl.Series(own["strength"].to_numpy() - own["low"].to_numpy()),
            far=pl.Series(2.0 * ndtr(-np.abs(left) / sigma)),
        )


_TERMS: Final = {
    "habitual": "therapist: habit",
    "elicited": "dyad: elicited",
    "client": "client: own",
    "pairing": "dyad: pair",
    "momentary": "residual",
}


def design(rows: pl.DataFrame) -> Design:
    """Count who reflected on whom; `rows` has therapist, client and strength."""
    counted = rows.group_by("therapist", "client").agg(reflected=pl.len().cast(pl.Int64))
    return Design(counted.sort("therapist", "client"), rows["strength"].n_unique() > 1)


def split(feeling: str, strengths: pl.DataFrame, days: pl.DataFrame | None, prior: Prior) -> Sources:
    """Split one feeling into its sources.

    Parameters
    ----------
    feeling
        Which.
    strengths
        As `feelings.strengths` lays them out.
    days
        Holds `frames.DAYS`, or None.
    prior
        As `prior.published_prior` has it.
    """
    rows = _rows(strengths.filter(feeling=feeling), days)
    known = design(rows)
    crossed = known.crossed
    fixed = "0 + usual" + (" + day" if float(rows["day"].std() or 0.0) > 0 else "")  # type: ignore[arg-type]
    terms = ["(0 + own | client)", "(0 + pair | dyad)"] if crossed else ["(0 + elicited | dyad)"]
    if known.several:
        terms.append("(0 + habit | therapist)")
    formula = f"strength ~ {' + '.join([fixed, *terms])}"
    used = prior if "day" in fixed else _without_day(prior)
    model = fitted(formula, rows, used, crossed=crossed)
    dyads = known.dyads.select(_KEY).rows()
    parts = _parts(model, dyads, ("own", "pair") if crossed else ("elicited",))
    spread = sum(
        map(model.variance, ("sd client: own", "sd dyad: pair") if crossed else ("sd dyad: elicited",))
    )
    return Sources(
        feeling,
        known,
        rows.with_columns(model.predict(rows).select("value", "low", "high")),
        model,
        {who: {name: told for name, (told, _) in each.items()} for who, each in parts.items()},
        _habits(model, rows["therapist"].unique(maintain_order=True).to_list()) if known.several else {},
        {who: max(1.0 - each["elicited"][1] ** 2 / spread, 0.0) for who, each in parts.items()},
    )


def _rows(strengths: pl.DataFrame, days: pl.DataFrame | None) -> pl.DataFrame:
    """The model's columns: the day lies about the therapist's own usual one, and is that where it was not said."""
    length = pl.col("therapist").str.len_chars()  # so that no two dyads share a name whatever the codes
    rows = strengths.with_columns(dyad=pl.concat_str(length, "therapist", "client", separator=" "))
    if days is None:
        rows = rows.with_columns(day=pl.lit(0.0))
    else:
        known = days.select("therapist", "client", "session", day="my_day")
        rows = rows.join(known, on=["therapist", "client", "session"], how="left", maintain_order="left")
        rows = rows.with_columns((pl.col("day") - pl.col("day").mean().over("therapist")).fill_null(0.0))
    return rows.with_columns(**dict.fromkeys(("usual", "habit", "elicited", "own", "pair"), pl.lit(1.0)))


def _without_day(prior: Prior) -> Prior:
    return replace(prior, fixed={name: each for name, each in prior.fixed.items() if name != "day"})


def _parts(
    model: Fitted, dyads: Sequence[tuple[str, ...]], names: tuple[str, ...]
) -> dict[tuple[str, str], dict[str, tuple[Estimate, float]]]:
    """By dyad, each part with its standard deviation; ``elicited`` is all of them together."""
    wanted: dict[str, tuple[str, ...]] = {"elicited": names} | {each: (each,) for each in names}
    rows = [
        _row(therapist, client, **dict.fromkeys(columns, 1.0))
        for therapist, client in dyads
        for columns in wanted.values()
    ]
    told = iter(_told(model, rows))
    return {(t, c): {name: next(told) for name in wanted} for t, c in dyads}


def _habits(model: Fitted, therapists: Sequence[str]) -> dict[str, Estimate]:
    told = _told(model, [_row(therapist=each, habit=1.0) for each in therapists])
    return {who: estimate for who, (estimate, _) in zip(therapists, told, strict=True)}


def _told(model: Fitted, rows: Sequence[dict[str, float | str]]) -> list[tuple[Estimate, float]]:
    schema = dict.fromkeys(_COLUMNS, pl.Float64) | dict.fromkeys(("dyad", "client", "therapist"), pl.String)
    found = model.predict(pl.DataFrame(list(rows), schema=schema))
    return [(_estimate(each), each["sd"]) for each in found.iter_rows(named=True)]


def _row(therapist: str = _NOBODY, client: str = _NOBODY, **parts: float) -> dict[str, float | str]:
    """A row whose prediction is the sum of the parts named."""
    dyad = f"{len(therapist)} {therapist} {client}"
    numbers = {name: parts.get(name, 0.0) for name in _COLUMNS}
    return {**numbers, "dyad": dyad, "client": client, "therapist": therapist}


def _estimate(row: dict[str, float]) -> Estimate:
    return Estimate(row["value"], row["low"], row["high"], unit="points")


def _of_draws(values: Array, unit: str) -> Estimate:
    low, high = np.quantile(values, (0.025, 0.975), method="hazen")
    value = float(values.mean())
    return Estimate(value, min(float(low), value), max(float(high), value), unit=unit)
