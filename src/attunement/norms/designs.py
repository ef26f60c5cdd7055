"""Which rows are summed: therapists of equal design, so that a few sums tell all that their rows would.

A *design* is so many clients a therapist and so many reflections a client. Whoever has more is drawn down to it by
lot: no therapist weighs more in a sum than any other, and no client either. What was felt has no say in what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from attunement.countertransference.prior import SHARES
from attunement.countertransference.sources import CLIENTS, REFLECTIONS, THERAPISTS

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    Design(clients, reflections) for clients, reflections in product((CLIENTS, 10, 20), (REFLECTIONS, 8, 16))
)
"""Those that are published: from the fewest that a habit can be told of, twice and four times as many."""


def drawn(
    rows: pl.DataFrame, random: np.random.Generator, designs: Sequence[Design] = DESIGNS
) -> dict[Design, pl.DataFrame]:
    """Draw the rows of each design that has therapists enough.

    Each therapist is in one design. Which designs there are, and who is in which, is chosen so that the mean of all
    would be known best; who has the clients for none of these is left out.

    Parameters
    ----------
    rows
        ``therapist, client, value``, a row a reflection; other columns are kept.
    random
        The lot.
    designs
        To choose from.
    """
    lots = _numbered(_with_one_therapist(_mixed(rows, random)))
    return {
        design: _drawn_down(lots.filter(pl.col("therapist").is_in(therapists)), design)
        for design, therapists in _placed(lots, sorted(designs, key=lambda each: each.noise)).items()
    }


def drawn_of_one(rows: pl.DataFrame, random: np.random.Generator, design: Design) -> pl.DataFrame | None:
    """Draw the rows of one therapist for a design; None where they have too few clients for it."""
    found = _drawn_down(_numbered(_mixed(rows, random)), design)
    return found if found["client"].n_unique() == design.clients else None


def _mixed(rows: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Put the rows in the order of the lot."""
    return rows.with_columns(_lot=pl.Series(random.random(rows.height), dtype=pl.Float64)).sort("_lot")


def _numbered(lots: pl.DataFrame) -> pl.DataFrame:
    """Number each client's reflections in that order, and count them."""
    return lots.with_columns(
        _reflection=pl.int_range(pl.len()).over("therapist", "client"),
        _reflected=pl.len().over("therapist", "client"),
    )


def _placed(lots: pl.DataFrame, designs: Sequence[Design]) -> dict[Design, list[str]]:
    """Place the therapists: among all sets of designs, in the one that says most; `designs` is best first."""
    clients = lots.unique(["therapist", "client"])
    enough = clients.group_by("therapist").agg(
        ((pl.col("_reflected") >= design.reflections).sum() >= design.clients).alias(str(place))
        for place, design in enumerate(designs)
    )
    enough = enough.sort("therapist")
    able = enough.drop("therapist").to_numpy()
    worth = np.array([1.0 / (SHARES["habitual"] + design.noise) for design in designs])
    least = np.array([max(LEAST_THERAPISTS, -(-LEAST_CLIENTS // design.clients)) for design in designs])
    best, at = 0.0, np.full(enough.height, -1)
    for some in product((True, False), repeat=len(designs)):
        here = able & np.array(some)
        place = np.where(here.any(axis=1), here.argmax(axis=1), -1)
        counts = np.bincount(place[place >= 0], minlength=len(designs))
        told = float((counts * worth)[counts >= least].sum())
        if told > best:
            best, at = told, np.where((counts >= least)[place] & (place >= 0), place, -1)
    names = enough["therapist"]
    return {
        design: names.filter(pl.Series(at == place)).to_list()
        for place, design in enumerate(designs)
        if (at == place).any()
    }


def _with_one_therapist(lots: pl.DataFrame) -> pl.DataFrame:
    """Keep each client with the therapist who reflected on them most: nobody is counted twice."""
    together = lots.group_by("therapist", "client", maintain_order=True).agg(_times=pl.len())
    most = together.sort("_times", descending=True, maintain_order=True).unique(
        "client", keep="first", maintain_order=True
    )
    return lots.join(most.drop("_times"), on=["therapist", "client"], how="semi", maintain_order="left")


def _drawn_down(lots: pl.DataFrame, design: Design) -> pl.DataFrame:
    """As many clients a therapist and reflections a client as the design has, the first by lot."""
    enough = lots.filter(
        pl.col("_reflected") >= design.reflections, pl.col("_reflection") < design.reflections
    )
    clients = enough.unique(["therapist", "client"], keep="first", maintain_order=True)
    chosen = clients.filter(pl.int_range(pl.len()).over("therapist") < design.clients)
    drawn = enough.join(chosen, on=["therapist", "client"], how="semi", maintain_order="left")
    return drawn.drop("_lot", "_reflection", "_reflected")
