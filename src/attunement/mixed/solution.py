"""What a likelihood has at one theta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from attunement.mixed.solve_border import SolvedBorder
    from attunement.mixed.sweep import Taken
    from attunement.mixed.tiers import Sums

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Term:
    """A random term in the model: its factor, and where its q effects stand among those of the factor."""

    factor: str
    places: slice

    @property
    def q(self) -> int:
        """How many effects a level has."""
        return int(self.places.stop - self.places.start)


@dataclass(frozen=True, slots=True)
class Solution:
    """Everything at one theta, but the effects: those are brought down on demand.

    Parameters
    ----------
    deviance
        The criterion above, a constant of the fixed columns' scale left out.
    rss
        Penalised residual sum of squares; the residual variance is ``rss / nu``.
    beta, spread
        (p,) coefficients of the fixed columns as they stand in the sums, and (p, p) their covariance, relative.
    left, logdet
        (p + 1, p + 1) what is left of the fixed columns and the response, and the random effects' and weights'
        log-determinant.
    sums, roots, taken, border
        The sums, L by factor (q, q, 1), and what each step left.
    further
        The further parameters of theta.
    """

    deviance: float
    rss: float
    beta: Array
    spread: Array
    left: Array
    logdet: float
    sums: Sums
    roots: dict[str, Array]
    taken: tuple[Taken, ...]
    border: SolvedBorder
    further: Array
