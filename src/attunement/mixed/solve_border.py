"""The border at one theta: what the chain left of it, solved component by component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attunement.mixed.sweep import Carried, Taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.border import Border, Component
    from attunement.mixed.tiers import Sums

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SolvedComponent:
    """n components of s effects: the sums left (n, s, s) and (n, s, m), H with H H' = C, and C times the latter.

    C = L (I + L' B L)^-1 L' is the effects' covariance given the fixed columns, relative.
    """

    make: Component
    inner: Array
    beside: Array
    half: Array
    answer: Array


@dataclass(frozen=True, slots=True)
class SolvedBorder:
    """All of them; `taken` (m, m) is what the border takes from the fixed columns and the response."""

    border: Border
    parts: tuple[SolvedComponent, ...]
    taken: Array
    logdet: float

    def bring_down(self, on: Array) -> Carried:
        """Carry what stands on the columns' coefficients, (m, m), to the last tier."""
        answer, inner = self._carried(on)
        m = on.shape[0]
        if not self.parts:
            return Carried(on[:, :, None], np.empty((m, 0)), np.empty(0))
        return Carried(on[:, :, None], -(answer @ on).T, inner)

    def _carried(self, on: Array) -> tuple[Array, Array]:
        answer = np.zeros((self.border.width, on.shape[0]))
        inner = np.empty(self.border.rows.size)
        for part in self.parts:
            answer[part.make.columns] = part.answer
            full = part.answer @ on @ np.swapaxes(part.answer, 1, 2) + self.spread(part)
            inner[part.make.keys] = full[tuple(part.make.places)]
        return answer, inner

    @staticmethod
    def spread(part: SolvedComponent) -> Array:
        """(n, s, s) C."""
        return np.asarray(part.half @ np.swapaxes(part.half, 1, 2))

    def covariance(self, on: Array) -> list[Array]:
        """By crossed factor, (levels, q, q): the covariance of its effects, `on` that of the coefficients."""
        widths = [len(place) for place in self.border.places]
        found = [
            np.empty((count, width, width)) for count, width in zip(self.border.counts, widths, strict=True)
        ]
        for part in self.parts:
            full = part.answer @ on @ np.swapaxes(part.answer, 1, 2) + self.spread(part)
            for factor, strip in enumerate(part.make.strips):
                level = self._levels(part.make, factor)
                found[factor][level] = full[:, strip[:, :, None], strip[:, None, :]]
        return found

    def modes(self, direction: Array) -> list[Array]:
        """By crossed factor, (levels, q): its effects, with `direction` the residual's make-up."""
        widths = [len(place) for place in self.border.places]
        found = [np.empty((count, width)) for count, width in zip(self.border.counts, widths, strict=True)]
        for part in self.parts:
            mode = part.answer @ direction
            for factor, strip in enumerate(part.make.strips):
                found[factor][self._levels(part.make, factor)] = mode[:, strip]
        return found

    def _levels(self, make: Component, factor: int) -> NDArray[np.int64]:
        width = len(self.border.places[factor])
        return (make.columns[:, make.strips[factor][:, 0]] - self.border.offsets[factor]) // width

    def slopes(self, on: Array) -> dict[str, Array]:
        """By crossed factor, the derivative of the criterion in its relative covariance."""
        slopes = {
            factor: np.zeros((len(place), len(place)))
            for factor, place in zip(self.border.factors, self.border.places, strict=True)
        }
        for part in self.parts:
            turned = part.inner @ part.half
            left = part.beside - part.inner @ part.answer
            for factor, strip in zip(self.border.factors, part.make.strips, strict=True):
                here = (slice(None), strip[:, :, None], strip[:, None, :])
                rows, own = turned[:, strip], left[:, strip]
                slopes[factor] += part.inner[here].sum(axis=(0, 1))
                slopes[factor] -= np.einsum("clas,clbs->ab", rows, rows, optimize=True)
                slopes[factor] -= np.einsum("clai,ij,clbj->ab", own, on, own, optimize=True)
        return slopes


def solve_border(border: Border, sums: Sums, roots: dict[str, Array], taken: Taken) -> SolvedBorder:
    """Factor every component; `roots` holds L (q, q, 1) by factor."""
    m = sums.total.shape[0]
    gone, logdet, parts = np.zeros((m, m)), 0.0, []
    keys, beside = sums.border - taken.border, sums.beside - taken.beside
    for make in border.components:
        n, s = make.columns.shape
        inner = np.zeros((n, s, s))
        number, row, column = make.places
        inner[number, row, column] = keys[make.keys]
        inner[number, column, row] = keys[make.keys]
        scale = _scale(border, make, roots)
        middle = scale.T @ inner @ scale
        middle[:, np.arange(s), np.arange(s)] += 1.0
        factor = np.linalg.cholesky(middle)
        half = np.swapaxes(np.linalg.solve(factor, np.broadcast_to(scale.T, (n, s, s))), 1, 2)
        pulled = np.swapaxes(half, 1, 2) @ beside[make.columns]
        gone += np.einsum("csi,csj->ij", pulled, pulled, optimize=True)
        logdet += 2.0 * float(np.log(np.diagonal(factor, axis1=1, axis2=2)).sum())
        parts.append(SolvedComponent(make, inner, beside[make.columns], half, half @ pulled))
    return SolvedBorder(border, tuple(parts), gone, logdet)


def _scale(border: Border, make: Component, roots: dict[str, Array]) -> Array:
    """(s, s) the factors' L down the diagonal."""
    scale = np.zeros((make.columns.shape[1], make.columns.shape[1]))
    for factor, strip in zip(border.factors, make.strips, strict=True):
        scale[strip[:, :, None], strip[:, None, :]] = roots[factor][:, :, 0]
    return scale
