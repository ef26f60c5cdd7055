"""A therapist's feelings whose sources are known: five of them, and what the therapist makes of them.

For each session of a simulated practice, how strong each feeling was is a sum::

    usual          what is usual everywhere
    + habitual     the therapist's, with all clients
    + of_client    the client's, with all therapists
    + of_pairing   these two's
    + of_day       the therapist's own day
    + momentary    the hour itself

>>> from attunement.simulate import simulate
>>> felt = feeling(simulate(clients=3, seed=1), seed=1)
>>> felt.reflections.columns
['therapist', 'client', 'session', 'feeling', 'strength']
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.sessions import FEELINGS
from attunement.simulate.published import HIGH, LOW, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.simulate.practice import SimulatedPractice

    Floats = NDArray[np.float64]

SOURCES: Final = ("habitual", "of_client", "of_pairing", "of_day", "momentary")
TRIGGERS: Final = ("silence", "criticism", "crying", "lateness", "praise", "a change of frame")
"""What may set a feeling off, in our own words."""
_KEY = ("therapist", "client", "session")


@dataclass(frozen=True, slots=True)
class Feeling:
    """How therapists feel; points are of the scale from 0 to 10. For sources see `countertransference.prior`.

    Parameters
    ----------
    feelings
        Which; all have the same sources, each with noise of its own.
    usual
        Where they usually lie.
    habitual_sd, client_sd, pairing_sd, momentary_sd
        How much the parts differ: shares of .25, .25 (halved between client and pairing) and .50 of a variance of 4.
    day_slope, day_sd
        By how much they move with a point of the therapist's day, and how much days differ [both judgement].
    noise_sd
        By how much one feeling's rating differs from the others' of the session [judgement].
    aware
        Share of sessions in which the therapist's own naming is the truth; in the others it is any of them [judgement].
    own_trigger
        Share of a client's sessions in which the therapist marks the trigger that this client brings; another one is
        marked in a tenth [judgement].
    step
        Points to which ratings are rounded and held on the scale; 0 leaves them as they are.
    """

    feelings: tuple[str, ...] = tuple(unpleasant for _, unpleasant in FEELINGS)
    usual: float = 3.5
    habitual_sd: float = 1.0
    client_sd: float = 0.7
    pairing_sd: float = 0.7
    momentary_sd: float = 1.4
    day_slope: float = -0.15
    day_sd: float = 2.0
    noise_sd: float = 0.0
    aware: float = 0.5
    own_trigger: float = 0.4
    step: float = 0.0

    def __post_init__(self) -> None:
        for name in ("habitual_sd", "client_sd", "pairing_sd", "momentary_sd", "day_sd", "noise_sd", "step"):
            within(name, getattr(self, name), 0.0)
        for name in ("aware", "own_trigger"):
            within(name, getattr(self, name), 0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Felt:
    """What therapists wrote down, and where it came from.

    Parameters
    ----------
    reflections, days, namings, tags
        As `frames.REFLECTIONS`, `frames.DAYS`, `frames.NAMINGS` and `frames.TAGS` have them.
    truth
        A row a session: therapist, client, session, and the `SOURCES`, in points; with `Feeling.usual` they add up to
        what was felt, before the noise of rating.
    triggers
        A row a client: client, and the trigger that they bring.
    settings
        What it was made from.
    """

    reflections: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    namings: pl.DataFrame = field(repr=False)
    tags: pl.DataFrame = field(repr=False)
    truth: pl.DataFrame = field(repr=False)
    triggers: pl.DataFrame = field(repr=False)
    settings: Feeling


def feeling(practice: SimulatedPractice, how: Feeling | None = None, *, seed: int) -> Felt:
    """Let the therapists of a practice feel something after each session; the same seed gives the same feelings."""
    how = how or Feeling()
    rng = np.random.default_rng([seed, 3])
    rows = practice.ratings.select(_KEY)
    day = np.clip(rng.normal(6.0, how.day_sd, rows.height), LOW, HIGH)
    truth = rows.with_columns(
        habitual=_of(rng, rows, ("therapist",), how.habitual_sd),
        of_client=_of(rng, rows, ("client",), how.client_sd),
        of_pairing=_of(rng, rows, ("therapist", "client"), how.pairing_sd),
        of_day=pl.Series(how.day_slope * (day - 6.0)),
        momentary=pl.Series(rng.normal(0.0, how.momentary_sd, rows.height)),
    )
    felt = how.usual + truth.select(pl.sum_horizontal(SOURCES)).to_series().to_numpy()
    tags, triggers = _tags(rng, rows, how)
    return Felt(
        pl.concat([_rated(rng, rows, name, felt, how) for name in how.feelings]),
        rows.with_columns(my_day=pl.Series(day)),
        rows.with_columns(whose=_named(rng, truth, how)),
        tags,
        truth,
        triggers,
        how,
    )


def _of(rng: np.random.Generator, rows: pl.DataFrame, who: tuple[str, ...], sd: float) -> pl.Series:
    """(n,) a part that all rows of a level share."""
    levels = rows.select(who).unique(maintain_order=True)
    drawn = levels.with_columns(part=pl.Series(rng.normal(0.0, sd, levels.height)))
    return rows.join(drawn, on=list(who), how="left", maintain_order="left")["part"]


def _rated(
    rng: np.random.Generator, rows: pl.DataFrame, name: str, felt: Floats, how: Feeling
) -> pl.DataFrame:
    exact = felt + rng.normal(0.0, how.noise_sd, felt.size)
    strength = np.clip(np.round(exact / how.step) * how.step, LOW, HIGH) if how.step else exact
    return rows.with_columns(feeling=pl.lit(name), strength=pl.Series(strength))


def _named(rng: np.random.Generator, truth: pl.DataFrame, how: Feeling) -> pl.Series:
    """Theirs where the dyad's part outweighs the therapist's own, mine where it does not; or anything."""
    theirs = (truth["of_client"] + truth["of_pairing"]).abs() > (truth["habitual"] + truth["of_day"]).abs()
    right = np.where(theirs.to_numpy(), "theirs", "mine")
    any_of_them = rng.choice(["mine", "theirs"], truth.height)
    return pl.Series(np.where(rng.random(truth.height) < how.aware, right, any_of_them))


def _tags(rng: np.random.Generator, rows: pl.DataFrame, how: Feeling) -> tuple[pl.DataFrame, pl.DataFrame]:
    clients = rows["client"].unique(maintain_order=True)
    triggers = pl.DataFrame({"client": clients, "tag": rng.choice(TRIGGERS, clients.len())})
    marked = rows.join(triggers, on="client", how="left", maintain_order="left")
    own = marked.filter(pl.Series(rng.random(rows.height) < how.own_trigger))
    other = rows.with_columns(tag=pl.Series(rng.choice(TRIGGERS, rows.height)))
    other = other.filter(pl.Series(rng.random(rows.height) < 0.1))
    both = pl.concat([own, other]).unique(maintain_order=True).with_columns(kind=pl.lit("trigger"))
    return both.select(*_KEY, "kind", "tag").sort(*_KEY, "tag"), triggers
