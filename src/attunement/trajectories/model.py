r"""The model behind all trajectories: one hierarchical model of the whole practice.

.. math:: y_{ds} = \beta_0 + \beta_1 f(s) + t_k(s) + c_j(s) + d + w_{ds} + e_{ds}

with f the shape of the curve over sessions, therapist, client and dyad effects (intercepts; slopes where the data
can carry them), w a random walk within the dyad (a bond also moves by itself: without it, a late fall after a long
rise would be smoothed away) and e the noise of one rating. Which terms stand in it follows from how many levels
there are to tell them from, never from how well they come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import ndtri

from attunement.mixed import Fit, Posterior, fit, loglik_at, posterior
from attunement.wording import not_yet, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.findings import NotYet
    from attunement.instruments.description import Language
    from attunement.mixed import Prior

    Array = NDArray[np.float64]

LEAST = 5  # levels from which a variance between them is estimated
_LONG = 4  # sessions from which a dyad tells of its own course
_MIXED = 256  # values of the variances that a small practice is looked at through
_BETTER = 2.0  # log-likelihood by which another shape must win over log2


@dataclass(frozen=True, slots=True)
class Shape:
    """A curve over sessions, f(1) = 0 and f(2) = 1: early sessions move it more than late ones."""

    name: str
    column: str
    f: Callable[[Array], Array]


def _linear(session: Array) -> Array:
    return session - 1.0


def _saturating(session: Array) -> Array:
    return 2.0 * (1.0 - 1.0 / session)


SHAPES = (
    Shape("log2", "log2(session)", np.log2),
    Shape("linear", "session", _linear),  # by a name, for a caseload comes from a process of its own
    Shape("saturating", "I(1 / session)", _saturating),
)


@dataclass(frozen=True, slots=True)
class At:
    """One value of the practice's variances.

    Parameters
    ----------
    sigma, drift
        Standard deviation of the noise in one rating; what the walk adds to the variance each session, in squared
        points.
    lines, spreads
        (k, 2), (k, 2, 2) posterior of each dyad's line: start and rise along f.
    """

    sigma: float
    drift: float
    lines: Array
    spreads: Array


@dataclass(frozen=True, slots=True)
class CourseModel:
    """The fitted practice.

    Parameters
    ----------
    fit
        The hierarchical model: a fit, or for few clients the posterior that starts from a prior.
    shape
        The curve over sessions, chosen by likelihood (`chosen` has each shape's).
    chosen
        A table of ``shape, loglik``.
    drift
        What the walk adds to the variance each session, in squared points: its expectation over the likelihood's
        curvature, since a drift estimated as zero is not known to be zero.
    new_mean, new_covariance
        (2,), (2, 2): connection of a client not seen yet, at sessions 1 and 2, as a line along f.
    """

    fit: Fit | Posterior
    drift: float
    shape: Shape
    chosen: pl.DataFrame
    new_mean: Array
    new_covariance: Array

    def at(self, dyads: pl.DataFrame) -> list[At]:
        """Posterior of each dyad's line, at every value of the variances that is looked at, all equally likely."""
        rows = _two_sessions(dyads)
        if isinstance(self.fit, Posterior):
            return [
                At(each.sigma, each.drift, *_as_lines(each.mean, each.covariance))
                for each in self.fit.each(rows, 2)
            ]
        return [At(self.fit.sigma, self.drift, *_as_lines(*self.fit.joint(rows, 2)))]

    @property
    def integrated(self) -> bool:
        """Whether the variances are integrated over, from a prior."""
        return isinstance(self.fit, Posterior)

    @property
    def still(self) -> bool:
        """Whether the ratings show no walk of a dyad's own."""
        return isinstance(self.fit, Fit) and self.fit.drift == 0.0

    def expected(self, session: Array, share: float) -> Array:
        """The connection below which `share` of new clients of this practice are expected at a session."""
        h = np.column_stack([np.ones_like(session), self.shape.f(session)])
        spread = np.einsum("si,ij,sj->s", h, self.new_covariance, h) + self.drift * (session - 1.0)
        return np.asarray(h @ self.new_mean + ndtri(share) * np.sqrt(spread))


def intercepts(rated: pl.DataFrame, *, language: Language = "en") -> Fit | NotYet:
    """Fit levels alone, sessions on log2: where ratings differ, and where the search for more starts.

    `rated` has therapist, client, dyad, session and score, none of them missing.
    """
    often = rated.group_by("client").len().filter(pl.col("len") >= 2).height
    if often < LEAST:
        few = "trajectory_one_often" if often == 1 else "trajectory_few_often"
        return not_yet(
            say("trajectory_about_expected", language),
            say(few, language, clients=often),
            say("trajectory_from_usual", language, number=LEAST),
            language,
        )
    return fit(f"score ~ {SHAPES[0].column} + {_levels(rated)}", rated)


def _levels(rated: pl.DataFrame) -> str:
    return " + ".join(f"(1 | {factor})" for factor in factors(rated))


def course_model(rated: pl.DataFrame, start: Fit) -> CourseModel:
    """Fit the practice's courses, from its levels (`intercepts`)."""
    tried = {
        shape.name: loglik_at(f"score ~ {shape.column} + {_levels(rated)}", rated, start) for shape in SHAPES
    }
    best = max(SHAPES, key=lambda shape: tried[shape.name] - (_BETTER if shape is not SHAPES[0] else 0.0))
    fitted = fit(f"score ~ {best.column} + {_terms(rated, best)}", rated, start=start)
    nobody = pl.DataFrame({"therapist": ["\0"], "client": ["\0"], "dyad": ["\0"]})
    mean, covariance = _as_lines(*fitted.joint(_two_sessions(nobody), 2))
    chosen = pl.DataFrame({"shape": list(tried), "loglik": list(tried.values())})
    return CourseModel(fitted, fitted.expected_drift(), best, chosen, mean[0], covariance[0])


def small_practice_model(rated: pl.DataFrame, prior: Prior) -> CourseModel:
    """The courses of a practice with few clients, from what is known of others and its own ratings."""
    shape = SHAPES[0]
    levels = [factor for factor in ("therapist", "dyad") if _several(rated, factor)]
    terms = [f"(1 + {shape.column} | client)", *(f"(1 | {factor})" for factor in levels)]
    formula = f"score ~ {shape.column} + {' + '.join(terms)} + drift(session | dyad)"
    found = posterior(
        formula,
        rated,
        prior,
        mixed=_MIXED if rated["dyad"].n_unique() == rated["client"].n_unique() else _MIXED // 4,
    )
    nobody = pl.DataFrame({"therapist": ["\0"], "client": ["\0"], "dyad": ["\0"]})
    mean, covariance = _as_lines(*found.joint(_two_sessions(nobody), 2))
    drift = float(np.mean([each.drift for each in found.each(_two_sessions(nobody), 2)]))
    chosen = pl.DataFrame({"shape": [shape.name], "loglik": [0.0]})
    return CourseModel(found, drift, shape, chosen, mean[0], covariance[0])


def _several(rated: pl.DataFrame, factor: str) -> bool:
    """Whether there are two therapists, or a client who met two."""
    if factor == "therapist":
        return rated["therapist"].n_unique() > 1
    return rated["dyad"].n_unique() > rated["client"].n_unique()


def factors(rated: pl.DataFrame) -> list[str]:
    """Whose differences can be told apart: therapists, clients, and dyads where clients met several therapists."""
    found = ["client"]
    if rated["therapist"].n_unique() >= LEAST:
        found.insert(0, "therapist")
    if tells_dyads(rated):
        found.append("dyad")
    return found


def tells_dyads(rated: pl.DataFrame) -> bool:
    """Whether the client's part can be told from the pairing's: enough clients met two therapists or more."""
    met = rated.group_by("client").agg(pl.col("therapist").n_unique())
    again = rated.group_by("dyad").len().filter(pl.col("len") >= 2).height
    return met.filter(pl.col("therapist") >= 2).height >= LEAST and again >= LEAST


def _terms(rated: pl.DataFrame, shape: Shape) -> str:
    lengths = rated.group_by("dyad").len()
    long = lengths.filter(pl.col("len") >= _LONG)
    own_course = long.height >= LEAST and long["len"].sum() * 3 >= rated.height
    terms = []
    for factor in factors(rated):
        slope = own_course and factor == "client"
        terms.append(f"(1 + {shape.column} | {factor})" if slope else f"(1 | {factor})")
    if long.height >= LEAST:
        terms.append("drift(session | dyad)")
    return " + ".join(terms)


def _two_sessions(dyads: pl.DataFrame) -> pl.DataFrame:
    both = dyads.select("therapist", "client", "dyad").with_row_index("row")
    return both.join(pl.DataFrame({"session": [1, 2]}), how="cross").sort("row", "session")


def _as_lines(mean: Array, covariance: Array) -> tuple[Array, Array]:
    """From connection at sessions 1 and 2 to start and rise."""
    turn = np.array([[1.0, 0.0], [-1.0, 1.0]])
    return mean @ turn.T, turn @ covariance @ turn.T
