"""Which rows are summed: therapists of equal design, so that a few sums tell all that their rows would.

A *design* is so many clients a therapist and so many reflections a client. Whoever has more is drawn down to it by
lot: no therapist weighs more in a sum than any other, and no client either. What was felt has no say in what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.countertransference.prior import SHARES
from attunement.countertransference.sources import CLIENTS, REFLECTIONS, THERAPISTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

LEAST_THERAPISTS: Final = THERAPISTS
"""Therapists behind every number. With equal designs each is a fifth of it at most: none of them, knowing their own
part, can work out another's, and four have to put theirs together to learn the fifth's."""
LEAST_CLIENTS: Final = 20
"""Clients behind every number, each with as much weight."""


@dataclass(frozen=True, slots=True, order=True)
class Design:
    """So many clients a therapist, so many reflections a client."""

    clients: int
    reflections: int

    @property
    def noise(self) -> float:
        """The share of a therapist's mean that is not habit, at the published shares: the less, the better."""
        hours = self.clients * self.reflections
        return SHARES["elicited"] / self.clients + SHARES["momentary"] / hours


DESIGNS: Final = tuple(
    Design(clients, reflections)
    for clients, reflections in product((CLIENTS, 10, 20), (REFLECTIONS, 8, 16))
)
"""Those that are published: from the fewest that a habit can be told of, twice and four times as many."""


def drawn(
    rows: pl.DataFrame, random: np.random.Generator, designs: Sequence[Design] = DESIGNS
) -> dict[Design, pl.DataFrame]:
    """Draw the rows of each design that has therapists enough.

    Each therapist goes to the design that says most of their habit; where that has too few therapists, all of it go to
    their next one, and where none is left, they are left out.

    Parameters
    ----------
    rows
        ``therapist, client, value``, a row a reflection; other columns are kept.
    random
        The lot.
    designs
        To choose from.
    """
    lots = rows.with_columns(_lot=pl.Series(random.random(rows.height))).sort("_lot")
    lots = _with_one_therapist(lots)
    lots = lots.with_columns(
        _reflection=pl.int_range(pl.len()).over("therapist", "client"),
        _reflected=pl.len().over("therapist", "client"),
    )
    waiting = set(lots["therapist"].unique())
    found: dict[Design, pl.DataFrame] = {}
    for design in sorted(designs, key=lambda each: each.noise):
        here = _drawn_down(lots.filter(pl.col("therapist").is_in(list(waiting))), design)
        therapists = here["therapist"].unique()
        if therapists.len() >= LEAST_THERAPISTS and therapists.len() * design.clients >= LEAST_CLIENTS:
            found[design] = here.drop("_lot", "_reflection", "_reflected", "_client")
            waiting -= set(therapists)
    return found


def _with_one_therapist(lots: pl.DataFrame) -> pl.DataFrame:
    """Keep each client with the therapist who reflected on them most: nobody is counted twice."""
    together = lots.group_by("therapist", "client", maintain_order=True).agg(_times=pl.len())
    most = together.sort("_times", descending=True, maintain_order=True).unique(
        "client", keep="first", maintain_order=True
    )
    return lots.join(most.drop("_times"), on=["therapist", "client"], how="semi", maintain_order="left")


def _drawn_down(lots: pl.DataFrame, design: Design) -> pl.DataFrame:
    """The therapists who have that many, each with as many clients and reflections as the design."""
    enough = lots.filter(
        pl.col("_reflected") >= design.reflections, pl.col("_reflection") < design.reflections
    )
    order = enough.group_by("therapist", "client", maintain_order=True).agg(pl.len())
    order = order.with_columns(_client=pl.int_range(pl.len()).over("therapist"))
    chosen = order.filter(
        pl.len().over("therapist") >= design.clients, pl.col("_client") < design.clients
    ).select("therapist", "client", "_client")
    return enough.join(chosen, on=["therapist", "client"], maintain_order="left")
