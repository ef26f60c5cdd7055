r"""Other signs of a rupture, as evidence beside the rating: what hindered the client, how far away the therapist felt.

Each sign is told from its own usual level with this client, one session ahead, as the ratings are; its surprises n are
put on a normal scale by their ranks, since such answers pile up at zero. Each side notices only some ruptures, so a
sign that stays low says little against one and a raised one much for it: what a sign adds is the logarithm of the
likelihood ratio :math:`1 - q + q \exp(a n - a^2 / 2)`. The rating's own is :math:`-dz` but for a constant; so signs
are weighed in as :math:`z - \sum \log(\cdot) / d`, and the sum is put back on a normal scale, for quiet sessions whose
signs go with their ratings as they do here. A sign alone is no alert: it weighs only on a rating that is itself below
what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from attunement.errors import ColumnProblem
from attunement.mixed import fit
from attunement.mixed.ahead import ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Counts = NDArray[np.int64]

NOTICED: Final = 0.4
"""q: how often a side notices a rupture: clients report one in 19 to 42, therapists in 43 to 56 of 100 sessions."""
RAISED: Final = 2.0
"""a: by how much a noticed one raises the sign, in standard deviations of a quiet session [judgement]."""
DROP: Final = 1.5
"""d: by how much a rupture lowers the rating, in standard deviations [judgement: .8 to 1.5 are published]."""
_DRAWN = 200_000  # quiet sessions that the sum is put on a normal scale by
_GRID = 4_001
_SEED = 43
FROM: Final = 30  # surprises of a sign from which its usual spread is known
GRID: Final = np.linspace(-5.0, 5.0, _GRID)
_KEY = ("therapist", "client", "session")


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the signs of one dyad's sessions do to its surprises.

    Parameters
    ----------
    evidence
        (n,) what all signs of a session add, in standard deviations of the rating; 0 where it has none.
    many
        (n,) how many signs it has.
    scales
        By how many signs: quantiles of the sum in quiet sessions, at the normal quantiles `GRID`.
    """

    evidence: Array
    many: Counts
    scales: dict[int, Array]

    def on(self, z: Array) -> Array:
        """Weigh them into all of a dyad's surprises."""
        return np.array([self.on_one(float(each), at) for at, each in enumerate(z)])

    def on_one(self, z: float, at: int) -> float:
        """Weigh them into one."""
        if z >= 0 or not self.many[at]:
            return z
        return float(np.interp(z - self.evidence[at], self.scales[int(self.many[at])], GRID))


def evidence(normal: Array) -> Array:
    """(…) what signs add to a surprise, from (…, k) their own; what is missing adds nothing."""
    ratio = np.log1p(NOTICED * np.expm1(RAISED * normal - RAISED**2 / 2))
    return np.asarray(np.where(np.isfinite(normal), ratio, 0.0).sum(axis=-1) / DROP)


def surprises(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Tell how unusual each sign is for its client: the key, and a column a sign on a normal scale.

    Parameters
    ----------
    table
        therapist, client, session, and a column a sign; higher is worse.
    names
        The signs; one that hardly anybody gave is left out.

    Raises
    ------
    ColumnProblem
        Where the table does not say whose sessions these are.
    """
    missing = [name for name in _KEY if name not in table.columns]
    if missing:
        raise ColumnProblem(
            f"signs: the column {missing[0]} is missing; each row is one session of one client."
        )
    found = table.select(_KEY)
    for name in names:
        given = table.select(*_KEY, sign=pl.col(name).cast(pl.Float64)).drop_nulls("sign")
        if given.height < FROM or given["sign"].n_unique() < 2 or given["client"].n_unique() < 2:
            continue
        usual = fit("sign ~ 1 + (1 | client)", given)
        told = ahead(usual, given, series=("therapist", "client"), position="session")
        rank = told["z"].rank("average").to_numpy() / (told.height + 1)
        normal = told.select(*_KEY, pl.Series(name, ndtri(rank)))
        found = found.join(normal, on=_KEY, how="left", maintain_order="left")
    return found


def weigh(looked: pl.DataFrame, unusual: pl.DataFrame) -> dict[tuple[str, str], Weighed]:
    """Weigh signs into surprises, dyad by dyad.

    Parameters
    ----------
    looked
        therapist, client, session, z: every rated session.
    unusual
        What `surprises` gave.
    """
    names = [name for name in unusual.columns if name not in _KEY]
    both = looked.join(unusual, on=_KEY, how="left", maintain_order="left")
    normal = both.select(names).to_numpy().reshape(both.height, len(names)).astype(float)
    many = np.isfinite(normal).sum(axis=1)
    with_rating, among = _ties(both["z"].to_numpy(), normal)
    scales = {each: _scale(each, with_rating, among) for each in np.unique(many).tolist() if each}
    placed = both.select("therapist", "client", "session").with_columns(
        evidence=pl.Series(evidence(normal)), many=pl.Series(many)
    )
    dyads = placed.sort("session").group_by("therapist", "client", maintain_order=True)
    return {
        (row["therapist"], row["client"]): Weighed(np.array(row["evidence"]), np.array(row["many"]), scales)
        for row in dyads.agg("evidence", "many").iter_rows(named=True)
    }


def _scale(many: int, with_rating: float, among: float) -> Array:
    """Quantiles of the sum of a rating's surprise and so many signs' evidence, in quiet sessions."""
    ties = np.full((many + 1, many + 1), among)
    ties[0, :] = ties[:, 0] = -with_rating
    np.fill_diagonal(ties, 1.0)
    drawn = np.random.default_rng(_SEED).multivariate_normal(np.zeros(many + 1), ties, _DRAWN, method="eigh")
    return np.asarray(np.quantile(drawn[:, 0] - evidence(drawn[:, 1:]), ndtr(GRID)))


def _ties(z: Array, normal: Array) -> tuple[float, float]:
    """How signs go with a low rating, and with one another; ruptures among them make the ties stronger."""
    if not normal.shape[1]:
        return 0.0, 0.0
    with_rating = [_tie(-z, each) for each in normal.T]
    among = [_tie(a, b) for i, a in enumerate(normal.T) for b in normal.T[i + 1 :]]
    return max(float(np.mean(with_rating)), 0.0), max(float(np.mean(among)), 0.0) if among else 0.0


def _tie(a: Array, b: Array) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1]) if both.sum() >= FROM else 0.0
