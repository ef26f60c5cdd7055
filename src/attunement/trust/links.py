r"""How the rest of the connection goes along with a line in the same session, within dyads: association, no more.

With both sides less their mean over the dyad's sessions,

.. math:: r_{ds} - \bar r_d = (b + b_d)(x_{ds} - \bar x_d) + e_{ds}

The slopes of dyads are drawn towards the usual one. The line itself is left out of the rest. One mood behind all
answers of a session makes them go along as much as a practice that works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement.mixed import fit, posterior
from attunement.trust.courses import FEW, around
from attunement.trust.lines import CLIENTS, DYAD

if TYPE_CHECKING:
    from attunement.findings import Estimate
    from attunement.mixed import Fit, Posterior, Prior

UNIT: Final = "points a point"
POINTS: Final = "points"
_NOBODY = "\0"
_MOVED = 1e-9  # squared points


@dataclass(frozen=True, slots=True)
class Links:
    """One line's link to the rest.

    Parameters
    ----------
    all
        Points by which the rest is higher where the line is a point higher than usual, on average.
    dyads
        Each dyad's own, by therapist and client.
    clients, sessions
        In how many dyads the line moves, over how many sessions.
    """

    all: Estimate
    dyads: dict[tuple[str, str], Estimate] = field(repr=False)
    clients: int
    sessions: int


def links(
    rows: pl.DataFrame, line: pl.Expr, other: pl.Expr, prior: Prior | None, *, unit: str = UNIT
) -> Links | None:
    """Fit the link; None where fewer than five dyads have three sessions with both between which the line moves."""
    both = rows.select("therapist", "client", "dyad", line.alias("x"), other.alias("y")).drop_nulls()
    centred = both.with_columns(
        moved=pl.col("x") - pl.col("x").mean().over("dyad"),
        rest=pl.col("y") - pl.col("y").mean().over("dyad"),
        many=pl.len().over("dyad"),
        spread=pl.col("x").var().over("dyad"),
    ).filter((pl.col("many") >= DYAD) & (pl.col("spread") > _MOVED))
    centred = centred.with_columns(follow=pl.col("moved"))
    clients = centred["dyad"].n_unique()
    if clients < CLIENTS:
        return None
    formula = "rest ~ 0 + moved + (0 + follow | dyad)"
    few = prior is not None and clients < FEW
    model = posterior(formula, centred, prior) if few and prior is not None else fit(formula, centred)
    dyads = centred.select("therapist", "client", "dyad").unique(maintain_order=True)
    keys = list(dyads.select("therapist", "client").iter_rows())
    told = _slopes(model, dyads, unit)
    return Links(told[0], dict(zip(keys, told[1:], strict=True)), clients, centred.height)


def _slopes(model: Fit | Posterior, dyads: pl.DataFrame, unit: str) -> list[Estimate]:
    """The usual slope, then each dyad's: predictions of a row in which the line is a point higher."""
    asked: list[dict[str, Any]] = [{"moved": 1.0, "follow": 0.0, "dyad": _NOBODY}]
    asked += [{"moved": 1.0, "follow": 1.0, "dyad": dyad} for dyad in dyads["dyad"]]
    mean, covariance = model.joint(pl.DataFrame(asked), 1)
    return [
        around(float(value), float(variance) ** 0.5, unit)
        for value, variance in zip(mean[:, 0], covariance[:, 0, 0], strict=True)
    ]
