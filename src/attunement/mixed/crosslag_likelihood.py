r"""The exact likelihood of the random-intercept cross-lagged panel model, with its gradient.

The 2T values of a client, z, are normal. With J a stack of T identities,

.. math:: \Sigma = J B J' + \mathrm{cov}(w), \quad w_1 \sim N(0, P), \quad w_t = A w_{t-1} + u_t, \quad u_t \sim N(0, Q)

A client who lacks the values m has, with :math:`\Omega = \Sigma^{-1}` up to the last session that is there,

.. math:: \log|\Sigma_{oo}| = \log|\Sigma| + \log|\Omega_{mm}|, \quad
          E(z_m | z_o) = -\Omega_{mm}^{-1} (\Omega z)_m \ \text{with zeros for}\ z_m, \quad
          \mathrm{var}(z_m | z_o) = \Omega_{mm}^{-1}

so that only matrices of the size of what is missing are solved, many at a time. With S the expected sums of
squares and products given what is there (the E step of Dempster, Laird & Rubin 1977), Fisher's identity says

.. math:: d(-2 l) = \mathrm{tr}\{(n \Omega - \Omega S \Omega) d\Sigma\}

and, as Cholesky factors of leading blocks are leading blocks, one factor serves all lengths. The mean is X
beta with beta at its optimum for each theta (generalised least squares), which leaves the gradient as it is.

Names: theta is A by rows, then the lower triangles of the Cholesky factors of B, Q and P. Their diagonals are
free in sign, as in the rest of the engine, so that a variance of zero lies inside, not at minus infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.lapack import dtrtri

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attunement.mixed.crosslag_panel import Stack

    Array = NDArray[np.float64]

PARAMETERS = 13
_LOG_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class Matrices:
    """The four 2 x 2 matrices of theta, each with its derivatives (13, 2, 2)."""

    lagged: Array
    between: Array
    innovation: Array
    first: Array
    slopes: tuple[Array, Array, Array, Array]


@dataclass(frozen=True, slots=True)
class At:
    """The likelihood at one theta: minus twice its logarithm, the gradient of that, and beta."""

    deviance: float
    gradient: Array
    beta: Array


def matrices(theta: Array) -> Matrices:
    """A, B, Q and P from theta."""
    slopes = np.zeros((4, PARAMETERS, 2, 2))
    slopes[0, [0, 1, 2, 3], [0, 0, 1, 1], [0, 1, 0, 1]] = 1.0
    covariances = []
    for which, start in ((1, 4), (2, 7), (3, 10)):
        root = np.zeros((2, 2))
        root[[0, 1, 1], [0, 0, 1]] = theta[start : start + 3]
        turned = np.zeros((3, 2, 2))
        turned[[0, 1, 2], [0, 1, 1], [0, 0, 1]] = 1.0
        half = turned @ root.T
        slopes[which, start : start + 3] = half + half.transpose(0, 2, 1)
        covariances.append(root @ root.T)
    between, innovation, first = covariances
    lagged = theta[:4].reshape(2, 2)
    return Matrices(lagged, between, innovation, first, (slopes[0], slopes[1], slopes[2], slopes[3]))


def covariance(theta: Array, sessions: int) -> tuple[Array, Array]:
    """Sigma (2T, 2T) and its derivatives (13, 2T, 2T), session by session forward."""
    of = matrices(theta)
    d_lagged, d_between, d_innovation, d_first = of.slopes
    moving = np.zeros((sessions, sessions, 2, 2))
    d_moving = np.zeros((PARAMETERS, sessions, sessions, 2, 2))
    moving[0, 0], d_moving[:, 0, 0] = of.first, d_first
    for t in range(1, sessions):
        before, d_before = moving[t - 1, :t], d_moving[:, t - 1, :t]
        moving[t, :t] = of.lagged @ before
        d_moving[:, t, :t] = d_lagged[:, None] @ before + of.lagged @ d_before
        last, d_last = moving[t, t - 1], d_moving[:, t, t - 1]
        moving[t, t] = last @ of.lagged.T + of.innovation
        d_moving[:, t, t] = d_last @ of.lagged.T + last @ d_lagged.transpose(0, 2, 1) + d_innovation
        moving[:t, t] = moving[t, :t].transpose(0, 2, 1)
        d_moving[:, :t, t] = d_moving[:, t, :t].transpose(0, 1, 3, 2)
    size = 2 * sessions
    sigma = (moving + of.between).transpose(0, 2, 1, 3).reshape(size, size)
    d_sigma = (d_moving + d_between[:, None, None]).transpose(0, 1, 3, 2, 4).reshape(PARAMETERS, size, size)
    return sigma, d_sigma


class Likelihood:
    """The likelihood as a function of theta, the mean profiled out.

    Parameters
    ----------
    stacks
        The clients by pattern.
    mean
        (2T, p) columns of the mean.
    """

    def __init__(self, stacks: tuple[Stack, ...], mean: Array) -> None:
        self.mean, self.sessions = mean, mean.shape[0] // 2
        self.lengths = [
            tuple(stack for stack in stacks if stack.size == size)
            for size in sorted({stack.size for stack in stacks})
        ]
        self.values = sum(stack.clients.sum() * (stack.size - stack.missing.shape[1]) for stack in stacks)

    def at(self, theta: Array) -> At:
        """Evaluate; the deviance is infinite where rounding leaves Sigma without a root."""
        with np.errstate(over="ignore", invalid="ignore"):
            sigma, d_sigma = covariance(theta, self.sessions)
        known = self._given(sigma)
        if known is None:
            return At(np.inf, np.zeros(PARAMETERS), np.zeros(self.mean.shape[1]))
        beta = self._beta(known)
        deviance, total = self.values * _LOG_2PI, np.zeros_like(sigma)
        for each in known:
            size, expected = each.size, each.filled(self.mean @ beta)
            squares = expected.T @ expected
            deviance += each.logdet + (each.omega * squares).sum()
            total[:size, :size] += each.information - each.omega @ squares @ each.omega
        return At(float(deviance), d_sigma.reshape(PARAMETERS, -1) @ total.ravel(), beta)

    def scores(self, theta: Array, beta: Array) -> tuple[Array, Array]:
        """Derivatives of each row's log-likelihood by theta (rows, 13) and by beta (rows, p).

        A row is a client where the stacks are not compressed.
        """
        sigma, d_sigma = covariance(theta, self.sessions)
        by_theta, by_beta = [], []
        for each in self._given(sigma) or ():
            slopes = d_sigma[:, : each.size, : each.size]
            pulled = each.filled(self.mean @ beta) @ each.omega
            bent = np.stack([(pulled @ slope * pulled).sum(axis=1) for slope in slopes], axis=1)
            by_theta.append(0.5 * (bent - each.traces(slopes)))
            by_beta.append(pulled @ self.mean[: each.size])
        return np.concatenate(by_theta), np.concatenate(by_beta)

    def _given(self, sigma: Array) -> list[_Given] | None:
        try:
            if not np.isfinite(sigma).all():
                return None
            halves, failed = dtrtri(np.linalg.cholesky(sigma), lower=1)
            return None if failed else [_Given(stacks, halves) for stacks in self.lengths]
        except np.linalg.LinAlgError:
            return None

    def _beta(self, known: list[_Given]) -> Array:
        """Generalised least squares."""
        p = self.mean.shape[1]
        left, right = np.zeros((p, p)), np.zeros(p)
        for each in known:
            x = self.mean[: each.size]
            left += x.T @ each.information @ x
            right += x.T @ (each.omega @ (each.weight @ each.filled(np.zeros_like(self.mean[:, 0]))))
        return np.asarray(np.linalg.solve(left, right))


class _Given:
    """All series of one length at one theta: what is missing, given what is there.

    Parameters
    ----------
    stacks
        The clients, by how much they lack.
    halves
        The inverse of Sigma's Cholesky factor (lower), for the longest series.
    """

    def __init__(self, stacks: tuple[Stack, ...], halves: Array) -> None:
        self.stacks, self.size = stacks, stacks[0].size
        half = halves[: self.size, : self.size]
        self.omega = half.T @ half
        clients = np.concatenate([stack.clients for stack in stacks])
        self.weight = np.concatenate([stack.weight for stack in stacks])
        self.logdet = -2.0 * float(clients.sum() * np.log(np.diagonal(half)).sum())
        self.inverses, places, weights = [], [], []
        for stack in stacks:
            across, down = stack.missing[:, None, :], stack.missing[:, :, None]
            lost = self.omega[down, across]
            self.inverses.append(np.linalg.inv(lost))
            self.logdet += float(stack.clients @ np.linalg.slogdet(lost)[1])
            places.append((down * self.size + across).ravel())
            weights.append((stack.clients[:, None, None] * self.inverses[-1]).ravel())
        spread = np.bincount(np.concatenate(places), np.concatenate(weights), minlength=self.size**2)
        spread = spread.reshape(self.size, self.size)
        self.information = clients.sum() * self.omega - self.omega @ spread @ self.omega

    def filled(self, mean: Array) -> Array:
        """(rows, size) deviations from the mean (2T,), what is missing at its expectation given the rest."""
        rows = []
        for stack, inverse in zip(self.stacks, self.inverses, strict=True):
            around = stack.values - np.outer(stack.weight, mean[: self.size])
            if stack.missing.shape[1]:
                places = stack.missing[stack.of]
                np.put_along_axis(around, places, 0.0, axis=1)
                pulled = np.take_along_axis(around @ self.omega, places, axis=1)
                expected = -(inverse[stack.of] @ pulled[:, :, None])[:, :, 0]
                np.put_along_axis(around, places, expected, axis=1)
            rows.append(around)
        return np.concatenate(rows)

    def traces(self, slopes: Array) -> Array:
        """(rows, 13) derivatives of each row's log-determinant, from those of Sigma (13, size, size)."""
        turned = self.omega @ slopes @ self.omega
        rows = []
        for stack, inverse in zip(self.stacks, self.inverses, strict=True):
            lost = turned[:, stack.missing[:, :, None], stack.missing[:, None, :]]
            traces = np.einsum("ab,jab->j", self.omega, slopes) - np.einsum("pab,jpab->pj", inverse, lost)
            rows.append(traces[stack.of])
        return np.concatenate(rows)
