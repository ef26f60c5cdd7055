"""How far the therapist's own naming agrees with the split: a mirror, for their eyes alone.

After a session the therapist may say whose a feeling is: mine, theirs, between us. The split says the same in points:
how much comes with that client, how much with one's own day and, where colleagues tell it, one's habit. Where one calls
it theirs more often, the client's part should outweigh one's own by more. That is looked at between clients, for what a
client stirs is one number a client: the mean difference of the two parts on the share of hours called theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy.special import stdtrit

from attunement import frames
from attunement.countertransference.feelings import called
from attunement.findings import Estimate, Finding, NotYet
from attunement.wording import in_hundred, not_yet, number, say

if TYPE_CHECKING:
    from attunement.countertransference.mirror import Countertransference
    from attunement.countertransference.sources import Sources

DYADS: Final = 8
"""Clients named often enough from which the two are held against each other."""
NAMED: Final = 3
"""Namings of a client from which that client counts."""
_THEIRS: Final = ("theirs", "between us")


def awareness(mirror: Countertransference, namings: Any, feeling: str = "negative") -> Finding | NotYet:  # noqa: ANN401 - any eager frame
    """Say how far a therapist's own naming goes with the split.

    Parameters
    ----------
    mirror
        What `countertransference` found, of one therapist or more; naming is looked at within each.
    namings
        `frames.NAMINGS`: mine, theirs, between us, don't know; the last does not count.
    feeling
        Which feeling's split.

    Raises
    ------
    ColumnProblem
        When the table breaks its contract.
    """
    language = mirror.language
    about = say("awareness_about", language)
    told = mirror.shares(feeling)
    if isinstance(told, NotYet):
        return not_yet(about, told.missing, told.supply, language)
    both = compared(mirror.sources[feeling], frames.namings(namings))
    if both.height < DYADS:
        missing = say("awareness_few", language, clients=both.height, named=NAMED)
        return not_yet(about, missing, say("awareness_from", language, number=DYADS), language)
    if float(both["theirs"].std() or 0.0) < 1e-9:  # type: ignore[arg-type]
        return not_yet(about, say("awareness_same", language), say("awareness_differs", language), language)
    slope = _slope(both)
    name = (
        "awareness_agrees"
        if slope.low > 0
        else "awareness_against"
        if slope.high < 0
        else "awareness_unclear"
    )
    ends = {"value": slope.value, "low": slope.low, "high": slope.high}
    words = {end: number(each, 1, language) for end, each in ends.items()}
    if name == "awareness_against":
        words = {
            end: number(-ends[of], 1, language)
            for end, of in (("value", "value"), ("low", "high"), ("high", "low"))
        }
    sentence = say(name, language, feeling=called(feeling, language), **words)
    counted = say("awareness_counted", language, share=in_hundred(_agreed(both)), clients=both.height)
    limits = (say("awareness_limit", language), say("feelings_limit_yours", language))
    return Finding(about, f"{sentence} {counted}", slope, both, limits)


def compared(found: Sources, namings: pl.DataFrame) -> pl.DataFrame:
    """A row a client: ``therapist, client, named, theirs, outweighs``.

    ``theirs`` is the share of hours so called, ``outweighs`` by how many points the client's part is larger than one's
    own, on average over those hours.
    """
    named = namings.filter(pl.col("whose").is_in(["mine", *_THEIRS]))
    rows = found.rows.join(named, on=["therapist", "client", "session"], how="inner")
    slope = found.day()
    day = slope.value if slope else 0.0
    habit = {who: each.value for who, each in found.habits.items()} if found.design.peers else {}
    theirs = np.array(
        [abs(found.parts[t, c]["elicited"].value) for t, c in rows.select("therapist", "client").rows()]
    )
    mine = np.abs(rows["day"].to_numpy() * day + np.array([habit.get(t, 0.0) for t in rows["therapist"]]))
    return (
        rows.with_columns(
            outweighs=pl.Series(theirs - mine, dtype=pl.Float64), called=pl.col("whose").is_in(list(_THEIRS))
        )
        .group_by("therapist", "client")
        .agg(
            named=pl.len().cast(pl.Int64),
            theirs=pl.col("called").mean(),
            outweighs=pl.col("outweighs").mean(),
        )
        .filter(pl.col("named") >= NAMED)
        .sort("therapist", "client")
    )


def _slope(both: pl.DataFrame) -> Estimate:
    """By how much more a client's part outweighs one's own where all hours are called theirs than where none is.

    Weighted by the namings, about each therapist's own mean; Student's t with a sandwich (HC3) for unequal clients.
    """
    mean = {name: (pl.col(name) * pl.col("named")).sum().over("therapist") / pl.col("named").sum().over("therapist")
            for name in ("theirs", "outweighs")}  # fmt: skip
    off = both.select("named", *(pl.col(name) - each for name, each in mean.items()))
    weight = off["named"].to_numpy().astype(float)
    x, y = off["theirs"].to_numpy(), off["outweighs"].to_numpy()
    square = float(weight @ x**2)
    value = float(weight @ (x * y)) / square
    lever = weight * x**2 / square + weight / weight.sum()
    left = (y - value * x) / np.maximum(1.0 - lever, 0.1)
    error = float(np.sqrt(((weight * x * left) ** 2).sum())) / square
    reach = float(stdtrit(both.height - both["therapist"].n_unique() - 1, 0.975)) * error
    return Estimate(value, value - reach, value + reach, unit="points")


def _agreed(both: pl.DataFrame) -> float:
    """The share of hours whose naming is the larger part's, at each client's mean."""
    right = pl.when(pl.col("outweighs") > 0).then(pl.col("theirs")).otherwise(1.0 - pl.col("theirs"))
    return float(both.select((right * pl.col("named")).sum() / pl.col("named").sum()).item())
