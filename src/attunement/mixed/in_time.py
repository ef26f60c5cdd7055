r"""Each response of a whole table as it was to be expected from all that had come before it, whoever it was about.

Sessions of many therapists with many clients, crossed, in the order of time. The response is a sum of parts: for each
factor a steady one (who somebody is) and a moving one (how they are these days), and noise,

.. math:: \operatorname{cov}(y_i, y_j) = \sum_f [f_i = f_j] (v_f + w_f e^{-|t_i - t_j| / \tau_f}) + \sigma^2 [i = j]

so that a session of another client of the same therapist tells something too. The Cholesky factor of that one
covariance, rows in the order of time, gives all one-step predictions at once. Variances are found by maximum likelihood
on the rows one chooses to learn from. One dense matrix: for some thousand rows, where `ahead` takes each series by
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST: Final = 10_000
"""Rows: their covariance is one dense matrix of 800 MB."""
_WIDE = 100.0  # variance of the unknown mean, in variances of the response
_LEAST, _LONGEST = np.log(1e-6), np.log(1e4)  # of a share of the variance; of a time, in days


@dataclass(frozen=True, slots=True)
class InTime:
    """What was learnt, and every row as it was expected.

    Parameters
    ----------
    components
        ``part, kind, variance, days``: factor, steady or moving or noise, in squared units; how long a moving part
        lasts (the time in which its correlation falls to 1/e).
    table
        The rows in the order of time, with ``expected, sd, z``.
    loglik
        Of the rows that were learnt from.
    """

    components: pl.DataFrame
    table: pl.DataFrame
    loglik: float


def in_time(
    rows: pl.DataFrame, response: str, *, steady: Sequence[str], moving: Sequence[str] = (), time: str, learn: int
) -> InTime:  # fmt: skip
    """Learn from the first rows, and predict every row from those before it.

    Parameters
    ----------
    rows
        A row a session; none of the columns named is missing.
    response
        What is predicted.
    steady, moving
        The factors with a part that stays, and with one that moves.
    time
        A column of dates or times; rows of the same moment keep their order.
    learn
        So many rows, from the earliest on, are learnt from.

    Raises
    ------
    ModelProblem
        For too many rows, or too few to learn from.
    """
    if rows.height > MOST:
        raise ModelProblem(f"At most {MOST:,} rows are predicted in one piece; these are {rows.height:,}.")
    if not 10 * (1 + len(steady) + len(moving)) <= learn <= rows.height:
        raise ModelProblem(
            f"{learn} rows are too few, or more than there are, to learn so many variances from."
        )
    ordered = rows.sort(time, maintain_order=True)
    parts = _Parts(ordered, steady, moving, time)
    y = ordered[response].cast(pl.Float64).to_numpy()
    centre, scale = y[:learn].mean(), y[:learn].var()
    found = minimize(
        lambda values: parts.criterion(values, y - centre, scale, learn),
        parts.start(),
        jac=True,
        method="L-BFGS-B",
        bounds=parts.bounds(),
        options={"maxiter": 60, "ftol": 1e-9},
    )
    root = np.linalg.cholesky(parts.covariance(found.x, scale, y.size)[0])
    z = solve_triangular(root, y - centre, lower=True)
    sd = np.diagonal(root)
    told = pl.DataFrame({"expected": y - sd * z, "sd": sd, "z": z})
    return InTime(parts.told(found.x, scale), ordered.hstack(told), float(-found.fun))


class _Parts:
    """Which rows share a level, and how far apart in time they are."""

    def __init__(self, rows: pl.DataFrame, steady: Sequence[str], moving: Sequence[str], time: str) -> None:
        self.steady, self.moving = tuple(steady), tuple(moving)
        codes = {name: rows[name].rank("dense").to_numpy().astype(np.int64) for name in {*steady, *moving}}
        self._same = {name: code[:, None] == code for name, code in codes.items()}
        days = rows[time].cast(pl.Datetime("us")).to_physical().to_numpy() / 86_400e6
        self._apart = np.abs(days[:, None] - days)

    def start(self) -> Array:
        """Logarithms: shares of the variance (steady, moving, noise), then days."""
        many = len(self.steady) + len(self.moving)
        shares = [0.5 / max(many, 1)] * many + [0.5]
        return np.log([*shares, *[60.0] * len(self.moving)])

    def bounds(self) -> list[tuple[float, float]]:
        many = len(self.steady) + len(self.moving) + 1
        return [(_LEAST, 3.0)] * many + [(0.0, _LONGEST)] * len(self.moving)

    def covariance(self, values: Array, scale: float, size: int) -> tuple[Array, list[Array]]:
        """The covariance of the first rows, and its derivative by each value."""
        steady, moving = len(self.steady), len(self.moving)
        share = np.exp(values[: steady + moving + 1]) * scale
        days = np.exp(values[steady + moving + 1 :])
        apart = self._apart[:size, :size]
        slopes = [share[at] * self._same[name][:size, :size] for at, name in enumerate(self.steady)]
        slow = []
        for at, name in enumerate(self.moving):
            part = share[steady + at] * self._same[name][:size, :size] * np.exp(-apart / days[at])
            slopes.append(part)
            slow.append(part * apart / days[at])
        slopes.append(share[-1] * np.eye(size))
        whole = np.full((size, size), _WIDE * scale)
        for each in slopes:
            whole += each
        return whole, [*slopes, *slow]

    def criterion(self, values: Array, y: Array, scale: float, learn: int) -> tuple[float, Array]:
        """Minus the log-likelihood of the first rows, and its gradient."""
        whole, slopes = self.covariance(values, scale, learn)
        factor = cho_factor(whole, lower=True)
        weight = cho_solve(factor, y[:learn])
        value = np.log(np.diagonal(factor[0])).sum() + y[:learn] @ weight / 2 + learn * np.log(2 * np.pi) / 2
        inner = cho_solve(factor, np.eye(learn)) - np.outer(weight, weight)
        return float(value), np.array([(inner * each).sum() / 2 for each in slopes])

    def told(self, values: Array, scale: float) -> pl.DataFrame:
        many = len(self.steady) + len(self.moving)
        kinds = ["steady"] * len(self.steady) + ["moving"] * len(self.moving) + ["noise"]
        days = [None] * len(self.steady) + np.exp(values[many + 1 :]).tolist() + [None]
        return pl.DataFrame(
            {
                "part": [*self.steady, *self.moving, "session"],
                "kind": kinds,
                "variance": np.exp(values[: many + 1]) * scale,
                "days": pl.Series(days, dtype=pl.Float64),
            }
        )
