"""The variance parameters of a model, unbounded: logs of standard deviations, ties, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attunement.errors import ModelProblem
from attunement.mixed.rows import Walks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.design import Moments
    from attunement.mixed.prior import Prior, Spread

    Array = NDArray[np.float64]


class Parameters:
    """From an unbounded vector to theta, sigma and the prior's density.

    The vector holds, term by term, the logs of the standard deviations (in points) and the inverse hyperbolic
    tangents of the canonical partial correlations (Lewandowski, Kurowicka & Joe 2009); then the further parameters
    (a drift's log sd, others as they stand); then the log of sigma.

    Parameters
    ----------
    held
        The moments, whose terms they are of.
    prior
        Their prior.

    Raises
    ------
    ModelProblem
        Where the prior lacks one.
    """

    def __init__(self, held: Moments, prior: Prior) -> None:
        self._terms = [term.names for term in held.terms]
        self._groups = [term.term.name for term in held.terms]
        self._spreads = [
            [prior.of(group, name) for name in names]
            for group, names in zip(self._groups, self._terms, strict=True)
        ]
        self._drift = [isinstance(each, Walks) for each in held.whitenings for _ in each.even]
        if any(self._drift) and prior.drift is None:
            raise ModelProblem(f"{held.formula.text!r} has a drift, and the prior has none; give it one.")
        self._prior = prior

    def theta(self, values: Array) -> tuple[Array, Array]:
        """(T, parameters) of the likelihood, and (T,) sigma."""
        sigma = np.exp(values[:, -1])
        columns: list[Array] = []
        for sds, root in self._cut(values):
            q = len(sds)
            for i in range(q):
                columns.extend(sds[i] * root[i][j] / sigma for j in range(i + 1))
        for place, walks in enumerate(self._drift):
            value = values[:, values.shape[1] - 1 - len(self._drift) + place]
            columns.append(np.exp(value) / sigma if walks else value)
        empty = np.empty((values.shape[0], 0))
        return np.column_stack([empty, *columns]), sigma

    def _cut(self, values: Array) -> list[tuple[list[Array], list[list[Array]]]]:
        """By term, the standard deviations and the rows of their correlations' Cholesky factor, (T,) each."""
        found, place = [], 0
        for names in self._terms:
            q = len(names)
            sds = [np.exp(values[:, place + i]) for i in range(q)]
            place += q
            root: list[list[Array]] = []
            for i in range(q):
                row, rest = [], np.ones(values.shape[0])
                for _ in range(i):
                    tie = np.tanh(values[:, place])
                    row.append(tie * rest)
                    rest = rest * np.sqrt(1.0 - tie**2)
                    place += 1
                root.append([*row, rest])
            found.append((sds, root))
        return found

    def log_prior(self, values: Array) -> Array:
        """(T,) the prior's log-density of the vector, up to a constant."""
        found = self._prior.residual.log_density(values[:, -1])
        place = 0
        for names, spreads in zip(self._terms, self._spreads, strict=True):
            for spread in spreads:
                found = found + spread.log_density(values[:, place])
                place += 1
            q = len(names)
            for i in range(q):
                for j in range(i):
                    shape = self._prior.tie + (q - 2 - j) / 2.0  # the Beta of a partial correlation
                    found = found + 2.0 * shape * _log_sech(values[:, place])
                    place += 1
        for walks in self._drift:
            value = values[:, place]
            drift = self._prior.drift
            found = found + (drift.log_density(value) if walks and drift else -0.5 * value**2)
            place += 1
        return np.asarray(found)

    def start(self) -> Array:
        """(parameters,) usual values."""
        return self._laid([spread.middle for spread in self._flat()])

    def rough(self) -> Array:
        """(points, parameters) drawn from the prior, to find where the posterior is."""
        from scipy.stats import qmc  # noqa: PLC0415 - slow to import, and only needed here

        spreads = self._flat()
        uniform = qmc.Sobol(len(spreads) + self._ties, seed=1).random(128)
        uniform = 0.02 + 0.96 * uniform
        drawn = [spread.draw(uniform[:, place]) for place, spread in enumerate(spreads)]
        laid = self._laid(np.stack(drawn))
        for number, place in enumerate(self._tie_places()):
            laid[place] = np.arctanh(1.6 * uniform[:, len(spreads) + number] - 0.8)
        return np.ascontiguousarray(laid.T)

    def _flat(self) -> list[Spread]:
        drift = [self._prior.drift for walks in self._drift if walks and self._prior.drift]
        return [*(spread for spreads in self._spreads for spread in spreads), *drift, self._prior.residual]

    @property
    def _ties(self) -> int:
        return sum(len(names) * (len(names) - 1) // 2 for names in self._terms)

    def _tie_places(self) -> list[int]:
        places: list[int] = []
        place = 0
        for names in self._terms:
            q = len(names)
            count = q * (q - 1) // 2
            places.extend(range(place + q, place + q + count))
            place += q + count
        return places

    def _laid(self, sds: list[float] | Array) -> Array:
        """The vector with these standard deviations and no ties."""
        ties = set(self._tie_places())
        size = len(sds) + len(ties) + len(self._drift) - sum(self._drift)
        others = {size - 1 - len(self._drift) + place for place, walks in enumerate(self._drift) if not walks}
        logs = iter(np.log(np.asarray(sds)))
        zero = np.zeros(np.asarray(sds).shape[1:])
        return np.array([zero if place in ties or place in others else next(logs) for place in range(size)])

    def named(self, values: Array) -> dict[str, Array]:
        """(T,) each: standard deviations in points, correlations, a drift's sd, sigma."""
        found: dict[str, Array] = {}
        for group, names, (sds, root) in zip(self._groups, self._terms, self._cut(values), strict=True):
            for name, sd in zip(names, sds, strict=True):
                found[f"sd {group}" if name == "Intercept" else f"sd {group}: {name}"] = sd
            for i in range(len(names)):
                for j in range(i):
                    tie = sum((root[i][k] * root[j][k] for k in range(j + 1)), start=np.zeros(1))
                    found[f"cor {group}: {names[j]}, {names[i]}"] = tie
        for place, walks in enumerate(self._drift):
            value = values[:, values.shape[1] - 1 - len(self._drift) + place]
            found["sd drift" if walks else f"further {place + 1}"] = np.exp(value) if walks else value
        return found | {"sd residual": np.exp(values[:, -1])}


def _log_sech(x: Array) -> Array:
    """log(1 / cosh x), without overflow; tanh's density is its square."""
    size = np.abs(x)
    return np.asarray(np.log(2.0) - size - np.log1p(np.exp(-2.0 * size)))
