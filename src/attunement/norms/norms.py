"""What a site publishes, and adding up what several have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from attunement import frames
from attunement.countertransference.feelings import FACTORS, NEGATIVE, POSITIVE, strengths
from attunement.errors import InputError, TooLittle
from attunement.norms.designs import DESIGNS, LEAST_CLIENTS, LEAST_THERAPISTS, drawn
from attunement.norms.likelihood import Likelihood, Variances
from attunement.norms.sums import added, sums_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from attunement.norms.designs import Design
    from attunement.norms.sums import Sums

LONGEST: Final = 80
"""Characters of a site's name, and of a feeling's."""


@dataclass(frozen=True, slots=True)
class About:
    """What is measured.

    Parameters
    ----------
    name, version
        The list of feelings, or the instrument, and which version.
    low, high
        The ends of the scale.
    positive, negative
        Which feelings make the two factors; empty for an instrument.
    """

    name: str
    version: str
    low: float
    high: float
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()

    @property
    def middle(self) -> float:
        """The middle of the scale."""
        return (self.low + self.high) / 2.0


FEELINGS: Final = About("feelings", "1", 0.0, 10.0, POSITIVE, NEGATIVE)
"""Our own list of feelings, with its two factors."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one site has published.

    Parameters
    ----------
    site
        The name that it goes by.
    since, until
        The first and the last day of the reflections.
    sums
        By measure, a sum for each design that had therapists enough.
    """

    site: str
    since: date
    until: date
    sums: dict[str, tuple[Sums, ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Norms:
    """Sums of one site or of several.

    Parameters
    ----------
    about
        What is measured.
    parts
        What each site has published; they are added when asked, so that none is counted twice.
    """

    about: About
    parts: tuple[Part, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """What there are sums of."""
        return tuple(sorted({name for part in self.parts for name in part.sums}))

    def sums(self, measure: str) -> tuple[Sums, ...]:
        """Those of all sites, added by design."""
        return added([sums for part in self.parts for sums in part.sums.get(measure, ())])

    def therapists(self, measure: str) -> int:
        """How many therapists are behind a measure."""
        return sum(sums.therapists for sums in self.sums(measure))

    def sites(self, measure: str) -> int:
        """How many sites are behind a measure."""
        return sum(measure in part.sums for part in self.parts)

    def fit(self, measure: str, *, apart: bool = False) -> Variances:
        """Find mean and variances by restricted maximum likelihood, as lme4 would from the rows.

        Parameters
        ----------
        measure
            Which.
        apart
            Whether each site has a mean of its own.
        """
        groups = [part.sums[measure] for part in self.parts if measure in part.sums]
        if not groups:
            raise InputError(f"These norms have no {measure!r}; they have {', '.join(self.measures)}.")
        return Likelihood(groups if apart else [self.sums(measure)]).fit()


def publish(  # noqa: PLR0913 - each is said once
    reflections: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    site: str,
    since: date,
    until: date,
    about: About = FEELINGS,
    single: bool = False,
    seed: int | None = None,
    designs: Sequence[Design] = DESIGNS,
) -> Norms:
    """Sum what may leave a site; of rows, clients and therapists nothing does.

    Publish a period once: two sums of nearly the same rows differ by what those rows are.

    Parameters
    ----------
    reflections
        `frames.REFLECTIONS`.
    site
        The name that the site goes by.
    since, until
        The first and the last day of the reflections.
    about
        What is measured; our feelings.
    single
        Sum each feeling by itself, and not the two factors. Never both: their difference would tell who was rated on
        more than one.
    seed
        Of the lot that draws clients and reflections, for a test. Left out, nobody can draw the same ones.
    designs
        To choose from.

    Raises
    ------
    TooLittle
        Where no measure has therapists enough.
    InputError
        Where the name or the days are none, or a strength lies outside the scale.
    """
    named(site, "The site's name")
    in_order(since, until)
    laid = strengths(frames.reflections(reflections), about.positive, about.negative)
    outside = laid.filter(~pl.col("strength").is_between(about.low, about.high)).height
    if outside:
        raise InputError(
            f"{outside} of the column strength outside {about.low:g} to {about.high:g}; put them on that scale."
        )
    left_out = FACTORS if single else (*about.positive, *about.negative)
    laid = laid.filter(~pl.col("feeling").is_in(list(left_out)))
    random = np.random.default_rng(seed)
    found = {}
    for (measure,), rows in laid.group_by("feeling", maintain_order=True):
        named(str(measure), "A feeling")
        by_design = drawn(rows.rename({"strength": "value"}), random, designs)
        sums = [sums_of(chosen, design, about.middle) for design, chosen in by_design.items()]
        kept = tuple(sorted((each for each in sums if not each.tells_on_all), key=lambda each: each.design))
        if kept:
            found[str(measure)] = kept
    if not found:
        least = min(designs)
        raise TooLittle(
            f"No feeling was rated by {LEAST_THERAPISTS} therapists with {least.clients} clients each, "
            f"{least.reflections} times a client; with fewer, a sum could tell on one of them."
        )
    return Norms(about, (Part(site, since, until, found),))


def pool(each: Sequence[Norms]) -> Norms:
    """Put the norms of several sites together; they say what a fit of all rows would.

    Raises
    ------
    InputError
        Where they measure different things, or a site is among them twice.
    """
    if not each:
        raise InputError("There are no norms to pool.")
    about = each[0].about
    for norms in each:
        if norms.about != about:
            raise InputError(
                f"{norms.about.name} (version {norms.about.version}) and {about.name} (version {about.version}) are "
                "not the same measure; pool those of one."
            )
    parts = tuple(sorted((part for norms in each for part in norms.parts), key=lambda part: part.site))
    refuse_twice(parts)
    return Norms(about, parts)


def refuse_twice(parts: Sequence[Part]) -> None:
    """Refuse a site that is there twice: its therapists would count as other people.

    Raises
    ------
    InputError
        Names it.
    """
    names = [part.site for part in parts]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"The site {name!r} is there twice; keep one of its files, its latest.")


def named(text: str, what: str) -> None:
    """Refuse a name that cannot stand in a sentence.

    Raises
    ------
    InputError
        Says what it is the name of.
    """
    if not text.strip() or text != text.strip() or len(text) > LONGEST or not text.isprintable():
        raise InputError(f"{what} is not 1 to {LONGEST} plain characters; another one would do.")


def in_order(since: date, until: date) -> None:
    """Refuse days that are the wrong way round.

    Raises
    ------
    InputError
        Says so.
    """
    if since > until:
        raise InputError(f"The first day, {since}, is after the last, {until}.")


__all__ = ["FEELINGS", "LEAST_CLIENTS", "LEAST_THERAPISTS", "About", "Norms", "Part", "pool", "publish"]
