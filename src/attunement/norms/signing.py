"""What one therapist gives to a practice's norms, and adding five or more of them.

Whoever signs out gives the sums of one design, the smallest: 5 clients with 4 reflections each, drawn by lot. It is
the same for all, so that everybody's can be added, and that nobody's caseload shows in it. It costs little: of all
differences, .075 are in a therapist's mean besides the habit's .25, against .014 with the largest design, so that the
mean of all errs by 11 in 100 more at most (docs/ideas/norms.md).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import polars as pl

from attunement import frames
from attunement.countertransference.feelings import FACTORS, strengths
from attunement.errors import InputError
from attunement.norms.designs import DESIGNS, LEAST_THERAPISTS, drawn_of_one
from attunement.norms.norms import FEELINGS, Norms, Part, named
from attunement.norms.sums import Sums, added, sums_of

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNED: Final = min(DESIGNS)
"""The design that is signed out."""
_REACH: Final = (FEELINGS.high - FEELINGS.low) / 2.0


@dataclass(frozen=True, slots=True)
class Contribution:
    """One therapist's numbers of one measure: of no client is there any.

    Parameters
    ----------
    measure
        ``positive`` or ``negative``.
    since, until
        The first day of the first year of the reflections, and the day on which they were summed.
    mean
        Of 5 clients' means of 4 reflections each, 0 to 10.
    clients
        Sum of squares of those 5 means about it.
    hours
        Sum of squares of the 20 reflections about their client's mean.
    """

    measure: str
    since: date
    until: date
    mean: float
    clients: float
    hours: float

    def __post_init__(self) -> None:
        reach, number = _REACH**2, SIGNED.clients
        possible = (
            self.measure in FACTORS
            and self.since <= self.until
            and FEELINGS.low <= self.mean <= FEELINGS.high
            and 0.0 < self.clients <= reach * number
            and 0.0 < self.hours <= reach * number * SIGNED.reflections
        )
        if not possible:
            raise InputError("These are no sums of one's own feelings; look again at what would leave.")

    @property
    def sums(self) -> Sums:
        """The same as the sums of one therapist."""
        off = self.mean - FEELINGS.middle
        return Sums(SIGNED, 1, off, off**2, self.clients, self.hours)

    def as_json(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self), default=date.isoformat, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read it again."""
        plain: dict[str, Any] = json.loads(text)
        days = {name: date.fromisoformat(plain[name]) for name in ("since", "until")}
        return cls(**plain | days)


def contributions(
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    since: date,
    until: date,
    seed: int | None = None,
) -> tuple[Contribution, ...]:
    """Sum what one therapist could give: by factor, where there are clients and reflections enough.

    Sums that would tell on every client are left out: where all hours, or all clients, were felt alike.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`, of one therapist.
    since
        The day of the first reflection; its year alone is kept.
    until
        Today.
    seed
        Of the lot that draws clients and reflections, for a test. Left out, nobody can draw the same ones.
    """
    table = frames.reflections(reflections)
    if table["therapist"].n_unique() > 1:
        raise InputError("These reflections are of several therapists; each signs out their own.")
    laid = strengths(table, FEELINGS.positive, FEELINGS.negative).rename({"strength": "value"})
    random = np.random.default_rng(seed)
    found = []
    for measure in FACTORS:
        rows = drawn_of_one(laid.filter(pl.col("feeling") == measure), random, SIGNED)
        if rows is None:
            continue
        sums = sums_of(rows, SIGNED, FEELINGS.middle)
        if not _tells(sums):
            mean = FEELINGS.middle + sums.total
            found.append(
                Contribution(measure, since.replace(month=1, day=1), until, mean, sums.clients, sums.hours)
            )
    return tuple(found)


def gathered(given: Iterable[Contribution], site: str) -> Part | None:
    """Add what therapists have given; a measure of fewer than five is left out. None, where nothing is left.

    Parameters
    ----------
    given
        One therapist's numbers of a measure once.
    site
        The name that the practice goes by.
    """
    named(site, "The site's name")
    found, days = {}, []
    for measure, group in groupby(sorted(given, key=lambda each: each.measure), lambda each: each.measure):
        some = list(group)
        if len(some) < LEAST_THERAPISTS:
            continue
        sums = tuple(each.rounded() for each in added([each.sums for each in some]))
        if any(each.tells_on_all for each in sums):
            continue
        found[measure] = sums
        days += [day for each in some for day in (each.since, each.until)]
    return Part(site, min(days), max(days), found) if found else None


def grown(before: Norms | None, part: Part) -> Norms:
    """Add others of one practice to those who were added before; the practice stays one site."""
    if before is None:
        return Norms(FEELINGS, (part,))
    parts = (*before.parts, part)
    both = Norms(FEELINGS, parts)
    sums = {measure: tuple(each.rounded() for each in both.sums(measure)) for measure in both.measures}
    since, until = min(each.since for each in parts), max(each.until for each in parts)
    return Norms(FEELINGS, (Part(part.site, since, until, sums),))


def _tells(sums: Sums) -> bool:
    """Whether a zero among them gives away every client's mean, or every hour."""
    return min(sums.clients, sums.hours) <= 1e-9 * max(sums.squares, 1.0)
