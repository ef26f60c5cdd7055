r"""How steady an outcome is before and after a session: standard deviations of each client, and their pooled ratio.

Each phase of a client has a line of its own, so that getting better is not taken for being unsteady, and neither is a
jump between the phases. With R the correlation of an AR(1) series at the phase's sessions (gaps counted), and S the
generalised least squares residual sum, S over its degrees of freedom f is the phase's variance, and

.. math:: l_c = \log\frac{S_a / f_a}{S_b / f_b} - \Big[\psi(\tfrac{f_a}{2}) - \log\tfrac{f_a}{2}\Big]
          + \Big[\psi(\tfrac{f_b}{2}) - \log\tfrac{f_b}{2}\Big], \qquad
          v_c = \psi'(\tfrac{f_a}{2}) + \psi'(\tfrac{f_b}{2})

is the log ratio of variances without bias, and its sampling variance (Bartlett & Kendall 1946, Supplement to the
Journal of the Royal Statistical Society 8:128). Without R short phases look steadier than long ones, since neighbours
are alike: four sessions with a correlation of .4 show three quarters of their variance. Its one parameter is shared
by all phases and found by restricted likelihood, each phase's variance profiled out.

The ratios are pooled by a random-effects model: the heterogeneity of Paule & Mandel (1982, Journal of Research of the
National Bureau of Standards 87:377), the interval of Knapp & Hartung (2003, Statistics in Medicine 22:2693).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import digamma, polygamma
from scipy.stats import f as fisher
from scipy.stats import t as student

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST: Final = 4
"""Outcomes in a phase from which its own line leaves something to vary: two degrees of freedom."""
_LINE = 2  # parameters of a phase's line
_ALIKE = (-0.5, 0.95)  # within which the correlation of neighbours is looked for
_STEP = 0.02  # of that correlation, for derivatives
_STILL = 1e-12  # squared points: an outcome that does not move


@dataclass(frozen=True, slots=True)
class Phase:
    """The outcomes of one client in one phase: (n,) sessions and (n,) values."""

    session: Array
    value: Array

    @property
    def freedom(self) -> int:
        """How many degrees of freedom its line leaves."""
        return self.session.size - _LINE


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of standard deviations, after to before, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Steadiness:
    """Phases of several clients, and what they say together.

    Parameters
    ----------
    alike
        Correlation of neighbouring sessions, shared by all.
    each
        The ratio of each client, by its own sessions alone.
    pooled
        That of all.
    spread
        Standard deviation of the clients' true log ratios (of standard deviations).
    """

    alike: float
    each: tuple[Ratio, ...]
    pooled: Ratio
    spread: float


def steadiness(pairs: Sequence[tuple[Phase, Phase]]) -> Steadiness:
    """Compare the phases after with those before; each has `LEAST` outcomes or more, and two clients or more.

    Phases that do not move at all have no variance to compare and are for the caller to leave out (`moving`).
    """
    phases = [phase for pair in pairs for phase in pair]
    alike, error = _alike(phases)
    value, variance, spread = _pooled(pairs, alike)
    slope = (_pooled(pairs, alike + _STEP)[0] - _pooled(pairs, alike - _STEP)[0]) / (2.0 * _STEP)
    reach = float(student.ppf(0.975, len(pairs) - 1)) * math.sqrt(variance + (slope * error) ** 2)
    pooled = Ratio(*(math.exp(each / 2.0) for each in (value, value - reach, value + reach)))
    return Steadiness(alike, tuple(_own(*pair, alike) for pair in pairs), pooled, spread / 2.0)


def moving(phase: Phase) -> bool:
    """Whether a phase is long enough, and moves about its line."""
    return phase.session.size >= LEAST and _left(phase, 0.0)[0] > _STILL


def _left(phase: Phase, alike: float) -> tuple[float, float]:
    """The residual sum S about the phase's own line, and what its criterion has beside it."""
    gap = np.abs(phase.session[:, None] - phase.session)
    correlation = np.sign(alike) ** gap * np.abs(alike) ** gap
    root = np.linalg.cholesky(correlation)
    line = np.column_stack([np.ones_like(phase.session), phase.session - phase.session.mean()])
    white = np.linalg.solve(root, np.column_stack([line, phase.value - phase.value.mean()]))
    q, r = np.linalg.qr(white[:, :_LINE])
    rest = white[:, _LINE] - q @ (q.T @ white[:, _LINE])
    logs = np.log(np.diagonal(root)).sum() + np.log(np.abs(np.diagonal(r))).sum()
    return float(rest @ rest), float(logs)


def _alike(phases: Sequence[Phase]) -> tuple[float, float]:
    """The correlation of neighbours and its standard error."""

    def lost(alike: float) -> float:
        parts = ((*_left(phase, alike), phase.freedom) for phase in phases)
        told = (logs + freedom / 2.0 * math.log(max(left, 1e-300)) for left, logs, freedom in parts)
        return float(sum(told))

    best = float(minimize_scalar(lost, bounds=_ALIKE, method="bounded").x)
    middle = min(max(best, _ALIKE[0] + _STEP), _ALIKE[1] - _STEP)
    bent = (lost(middle + _STEP) - 2.0 * lost(middle) + lost(middle - _STEP)) / _STEP**2
    return best, math.sqrt(1.0 / bent) if bent > 0 else _ALIKE[1]


def _own(before: Phase, after: Phase, alike: float) -> Ratio:
    """One client's ratio by Fisher's F, its value without bias in the log."""
    value = _log_ratio(before, after, alike)[0]
    plain = _variance(after, alike) / _variance(before, alike)
    low, high = (plain / float(fisher.ppf(share, after.freedom, before.freedom)) for share in (0.975, 0.025))
    return Ratio(*(math.sqrt(each) for each in (min(max(math.exp(value), low), high), low, high)))


def _log_ratio(before: Phase, after: Phase, alike: float) -> tuple[float, float]:
    value, variance = 0.0, 0.0
    for phase, side in ((after, 1.0), (before, -1.0)):
        half = phase.freedom / 2.0
        value += side * (math.log(_variance(phase, alike)) - float(digamma(half)) + math.log(half))
        variance += float(polygamma(1, half))
    return value, variance


def _variance(phase: Phase, alike: float) -> float:
    return max(_left(phase, alike)[0], _STILL) / phase.freedom


def _pooled(pairs: Iterable[tuple[Phase, Phase]], alike: float) -> tuple[float, float, float]:
    """The mean log ratio of variances, its variance, and the standard deviation of the true ones."""
    values, variances = np.array([_log_ratio(*pair, alike) for pair in pairs]).T

    def excess(spread: float) -> float:
        weight = 1.0 / (variances + spread)
        mean = weight @ values / weight.sum()
        return float(weight @ (values - mean) ** 2 - (values.size - 1))

    spread = _root(excess)
    weight = 1.0 / (variances + spread)
    mean = float(weight @ values / weight.sum())
    scatter = float(weight @ (values - mean) ** 2) / (values.size - 1)
    return mean, max(scatter, 1.0) / float(weight.sum()), math.sqrt(spread)


def _root(excess: Callable[[float], float]) -> float:
    """Where heterogeneity is as large as the scatter says; none where it is less than chance would give."""
    if excess(0.0) <= 0.0:
        return 0.0
    top = 1.0
    while excess(top) > 0.0:
        top *= 4.0
    return float(brentq(excess, 0.0, top))
