r"""The five numbers of a design, which say all that its rows would of usual strength, habits, clients and hours.

With T therapists of K clients and R reflections each, :math:`\bar y_t` and :math:`\bar y_{tc}` the means of a therapist
and of a client, the likelihood of the nested model depends on the rows by T,
:math:`\sum_t \bar y_t`, :math:`\sum_t \bar y_t^2`, :math:`\sum_{tc} (\bar y_{tc} - \bar y_t)^2` and
:math:`\sum (y - \bar y_{tc})^2` alone (docs/ideas/norms.md). Each is a sum over therapists: sums of sites are added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from attunement.norms.designs import Design

DIGITS: Final = 12
"""Significant ones that are written: the further ones say in which order a machine has added. Rounding hides nobody."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The numbers of one design.

    Parameters
    ----------
    design
        Clients a therapist, reflections a client.
    therapists
        How many.
    total, squares
        Of therapists' means less the middle of the scale: their sum, in points, and the sum of their squares.
    clients
        Sum of squares of clients' means about their therapist's.
    hours
        Sum of squares of reflections about their client's mean.
    """

    design: Design
    therapists: int
    total: float
    squares: float
    clients: float
    hours: float

    def __add__(self, other: Sums) -> Sums:
        """Those of both; they must be of one design, and of different therapists."""
        if self.design != other.design:
            raise ValueError(f"{self.design} and {other.design} are not of one design.")
        return replace(
            self,
            therapists=self.therapists + other.therapists,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            clients=self.clients + other.clients,
            hours=self.hours + other.hours,
        )

    def rounded(self) -> Sums:
        """The same to as many digits as are written."""
        numbers = (self.total, self.squares, self.clients, self.hours)
        return Sums(self.design, self.therapists, *map(_rounded, numbers))

    @property
    def therapists_apart(self) -> float:
        """Sum of squares of therapists' means about the mean of all."""
        return self.squares - self.total**2 / self.therapists

    @property
    def tells_on_all(self) -> bool:
        """Whether a zero among them gives away every answer, or every client's or therapist's mean."""
        least = 1e-9 * max(self.squares, 1.0)
        return min(self.therapists_apart, self.clients, self.hours) <= least


def sums_of(rows: pl.DataFrame, design: Design, middle: float) -> Sums:
    """Sum rows of one design: ``therapist, client, value``; `middle` is that of the scale, in points."""
    by_client = rows.group_by("therapist", "client").agg(
        mean=pl.col("value").mean() - middle, hours=_about_mean("value")
    )
    by_therapist = by_client.group_by("therapist").agg(
        pl.col("mean").mean(), clients=_about_mean("mean"), hours=pl.col("hours").sum()
    )
    by_therapist = by_therapist.with_columns(squares=pl.col("mean") ** 2)
    sums = by_therapist.sum().row(0, named=True)
    names = ("mean", "squares", "clients", "hours")
    return Sums(design, by_therapist.height, *(_rounded(float(sums[name])) for name in names))


def added(each: list[Sums]) -> tuple[Sums, ...]:
    """Add what is of one design, in the order of designs."""
    found: dict[Design, Sums] = {}
    for sums in each:
        found[sums.design] = found[sums.design] + sums if sums.design in found else sums
    return tuple(found[design] for design in sorted(found))


def _about_mean(column: str) -> pl.Expr:
    return ((pl.col(column) - pl.col(column).mean()) ** 2).sum()


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
