r"""The chance of an event at each of a person's sessions: a discrete-time hazard, from a prior, by Laplace.

.. math:: \operatorname{logit} P(\text{leaves after session } s) = x_s'\beta + u_{k}, \quad
          \beta_j \sim N(m_j, s_j^2), \; u_k \sim N(0, \tau^2)

Rows are person-sessions at risk; given these, the likelihood of a discrete-time hazard is that of a logistic regression
(Singer & Willett 1993, Journal of Educational Statistics 18:155). The coefficients' posterior is taken as normal about
its mode; the spread between groups, where there is one, is integrated over a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit

from attunement.errors import ModelProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

_DRAWS = 2_000
_SEED = 83
_STEPS = 60
_CLOSE = 1e-9
_FLAT = 5.0  # standard deviation of what is called flat: odds times or divided by 18,000
_GRID = np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])  # of the spread between groups


@dataclass(frozen=True, slots=True)
class HazardPrior:
    """What is known of the coefficients before the data.

    Parameters
    ----------
    coefficients
        By column, mean and standard deviation in log odds; those not named are next to flat.
    between
        Scale of the half-normal prior of the spread between groups, in log odds.
    source
        Where the figures are from, in a sentence that is shown with what they lead to.
    """

    coefficients: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    between: float = 0.3
    source: str = ""

    def without(self, name: str) -> HazardPrior:
        """The same, but next to flat in one column: what the data say of it by themselves."""
        kept = {each: known for each, known in self.coefficients.items() if each != name}
        return replace(self, coefficients=kept)

    def of(self, names: Sequence[str]) -> tuple[Array, Array]:
        """Means and standard deviations of these columns, (p,) each."""
        known = np.array([self.coefficients.get(name, (0.0, _FLAT)) for name in names])
        return known[:, 0], known[:, 1]


@dataclass(frozen=True, slots=True)
class Hazard:
    """The posterior of a hazard.

    Parameters
    ----------
    names
        Of the columns.
    draws
        (d, p) coefficients drawn from it, in log odds.
    groups
        (d, g) what each group adds, in log odds; g is 0 where groups are not told apart.
    between
        The spread between groups: its posterior mean.
    """

    names: tuple[str, ...]
    draws: Array = field(repr=False)
    groups: Array = field(repr=False)
    between: float

    def interval(self, name: str) -> tuple[float, float, float]:
        """A coefficient's mean and 95 % interval, in log odds."""
        drawn = self.draws[:, self.names.index(name)]
        low, high = np.quantile(drawn, (0.025, 0.975))
        return float(drawn.mean()), float(low), float(high)

    def log_odds(self, x: Array, group: Codes | None = None) -> Array:
        """(d, n) log odds at each draw; a group below 0, or none given, is a usual one."""
        found = self.draws @ x.T
        if group is not None and self.groups.shape[1]:
            found = found + np.where(group >= 0, self.groups[:, np.maximum(group, 0)], 0.0)
        return np.asarray(found)

    def chance(self, x: Array, group: Codes | None = None) -> Array:
        """(n,) the chance at each row, averaged over what is not known."""
        return np.asarray(expit(self.log_odds(x, group)).mean(axis=0))


def hazard(
    x: Array,
    event: Array,
    names: Sequence[str],
    prior: HazardPrior,
    *,
    group: Codes | None = None,
    draws: int = _DRAWS,
) -> Hazard:
    """Fit a hazard.

    Parameters
    ----------
    x
        (n, p) columns, the constant among them, standardised where their prior is.
    event
        (n,) whether it happened after that session: 0 or 1.
    names
        (p,) of the columns.
    prior
        What is known before.
    group
        (n,) each row's group from 0 on, where groups may differ by a constant.
    draws
        How many draws stand for the posterior.

    Raises
    ------
    ModelProblem
        For shapes that do not fit, or events that are not 0 or 1.
    """
    if x.shape != (event.size, len(names)) or not np.isin(event, (0.0, 1.0)).all():
        raise ModelProblem("A hazard takes a row a session, a column a name, and events that are 0 or 1.")
    mean, sd = prior.of(names)
    count = 0 if group is None else int(group.max()) + 1
    grid = _GRID if count else _GRID[:1]
    found = [_Laplace.at(_with_groups(x, group, count if tau else 0), event, mean, sd, tau) for tau in grid]
    weight = np.array([each.evidence for each in found]) - 0.5 * (grid / prior.between) ** 2
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    drawn = _mixed(found, weight, len(names) + count, draws)
    return Hazard(
        tuple(names), drawn[:, : len(names)], drawn[:, len(names) :], float(weight @ grid) if count else 0.0
    )


def _with_groups(x: Array, group: Codes | None, count: int) -> Array:
    if group is None or not count:
        return x
    return np.column_stack([x, (group[:, None] == np.arange(count)).astype(float)])


def _mixed(found: Sequence[_Laplace], weight: Array, size: int, draws: int) -> Array:
    """(draws, size) from the mixture over the grid; what is left out at a spread of none is 0."""
    rng = np.random.default_rng(_SEED)
    which = np.searchsorted(np.cumsum(weight), (np.arange(draws) + 0.5) / draws)
    standard = rng.normal(size=(draws, size))
    drawn = np.zeros((draws, size))
    for place, each in enumerate(found):
        rows = np.minimum(which, len(found) - 1) == place
        drawn[rows, : each.mode.size] = each.mode + standard[rows, : each.mode.size] @ each.root.T
    return drawn


@dataclass(frozen=True, slots=True)
class _Laplace:
    """A normal about the posterior's mode.

    Parameters
    ----------
    mode, root
        (q,) and (q, q), a root of the covariance.
    evidence
        Log of the marginal likelihood, up to a constant.
    """

    mode: Array
    root: Array
    evidence: float

    @classmethod
    def at(cls, x: Array, event: Array, mean: Array, sd: Array, tau: float) -> _Laplace:
        more = x.shape[1] - mean.size
        mean = np.concatenate([mean, np.zeros(more)])
        precision = 1.0 / np.concatenate([sd, np.full(more, tau)]) ** 2
        beta = _mode(x, event, mean, precision)
        curve = _curve(x, beta, precision)
        root = np.linalg.inv(np.linalg.cholesky(curve)).T
        evidence = (
            _height(x, event, beta, mean, precision)
            + 0.5 * np.log(precision).sum()
            + np.log(np.diagonal(root)).sum()
        )
        return cls(beta, root, float(evidence))


def _mode(x: Array, event: Array, mean: Array, precision: Array) -> Array:
    """Newton's steps, halved where they would not go up; the log-density is concave."""
    beta = mean.copy()
    height = _height(x, event, beta, mean, precision)
    for _ in range(_STEPS):
        slope = x.T @ (event - expit(x @ beta)) - precision * (beta - mean)
        step = np.linalg.solve(_curve(x, beta, precision), slope)
        while (higher := _height(x, event, beta + step, mean, precision)) < height - _CLOSE:
            step /= 2.0
        beta = beta + step
        if higher - height < _CLOSE and float(np.abs(step).max()) < 1e-6:
            break
        height = higher
    return np.asarray(beta)


def _curve(x: Array, beta: Array, precision: Array) -> Array:
    chance = expit(x @ beta)
    return np.asarray((x * (chance * (1.0 - chance))[:, None]).T @ x + np.diag(precision))


def _height(x: Array, event: Array, beta: Array, mean: Array, precision: Array) -> float:
    odds = x @ beta
    return float(event @ odds - np.logaddexp(0.0, odds).sum() - 0.5 * precision @ (beta - mean) ** 2)


SOURCE: Final = (
    "published figures of how often clients leave, and of the bond of those who did; how far a practice may lie from "
    "them is our judgement"
)


def published_prior() -> HazardPrior:
    """The prior of leaving without agreement.

    The bond's slope is Sharf et al. 2010 (d = .55, 11 studies, 1,301 clients; with equal variances in those who left
    and those who stayed the slope of the log odds is that d); the constant gives 19.7 % within twelve sessions (Swift
    & Greenberg 2012, 669 studies) where the odds of the first three are double. All widths are judgements: the bond may
    matter not at all or twice as much, a practice may see a sixth or six times of the usual share leave. What no paper
    gives (a fall, an open rupture, what was late or missed, a longer gap) starts from nothing, within odds times or
    divided by 1.8 in two of three cases.
    """
    unknown = (0.0, 0.6)
    return HazardPrior(
        {
            "constant": (-4.37, 0.9),
            "connection": (-0.55, 0.4),
            "early": (0.69, 0.5),
            "fall": (0.0, 0.3),
            "rupture": unknown,
            "late": unknown,
            "absent": unknown,
            "gap": (0.0, 0.3),
        },
        source=SOURCE,
    )
