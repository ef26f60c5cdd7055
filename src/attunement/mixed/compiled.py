"""The three passes over the finest tier, compiled: for tens of thousands of levels, where numba is installed.

The same steps as in `sweep` and `effects`, a family at a time, its levels side by side so that the processor works
on several at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from attunement.mixed import kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attunement.mixed.tiers import Own, Tier

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

HERE = find_spec("numba") is not None

THREADS = 2
LEAST = 20_000  # levels below which compiling does not pay
_KEPT: list[Callable[..., Any]] = []  # the compiled passes, once they are there


def _compile(kernel: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit  # noqa: PLC0415 - half a second, and an extra

    how = njit(cache=True, fastmath={"contract", "reassoc", "nsz", "arcp"}, nogil=True)
    return cast("Callable[..., Any]", how(kernel))


def worth_it(tier: Tier, own: Own) -> bool:
    """Whether the compiled passes serve this tier."""
    one_by_one = tier.pairs is None and own.products.shape[1] == 1
    return HERE and one_by_one and tier.order.size >= (2_000 if _KEPT else LEAST)


def _shares(tier: Tier, root: Array, own: Own) -> list[tuple[Any, ...]]:
    """What every pass needs: sums, where the own columns' stand, L, their places, families, and runs of families.

    One share a thread; shares touch different families and wait for nothing but the end.
    """
    ends = np.append(tier.pieces[1:], tier.order.size)
    cuts = np.linspace(0, tier.runs.size - 1, THREADS + 1).astype(np.int64)
    places = np.array(tier.places)
    return [
        (own.products[:, 0], own.rows, root[:, :, 0], places, tier.pieces, ends, tier.runs[low : high + 1])
        for low, high in pairwise(cuts)
    ]


def _by_piece(tier: Tier, by_parent: Array) -> Array:
    """Each piece gets what its family has."""
    if tier.pieces.size == tier.starts.size:
        return np.ascontiguousarray(by_parent)
    return np.ascontiguousarray(by_parent[tier.parent[tier.pieces]])


def _run(kernel: Callable[..., Any], calls: list[tuple[Any, ...]]) -> list[Any]:
    """Let each thread do its share; the kernels hold no lock."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda call: kernel(*call), calls))


def take_out(tier: Tier, root: Array, own: Own) -> tuple[Array, float]:
    """(m, m, 1, parents) what the finest tier takes from its parents, and the log-determinant."""
    m = own.rows.shape[1]
    above = np.zeros((tier.pieces.size, m, m))
    logdets = _run(_kernels()[0], [(*share, above) for share in _shares(tier, root, own)])
    if tier.pieces.size > tier.starts.size:
        above = np.add.reduceat(above, np.searchsorted(tier.pieces, tier.starts), axis=0)
    return np.ascontiguousarray(np.moveaxis(above, 0, 2))[:, :, None], float(sum(logdets))


def slope(tier: Tier, root: Array, own: Own, carried: Array) -> Array:
    """(q, q) the derivative of the criterion in the finest tier's covariance; `carried` is (m, m, parents)."""
    by_parent = _by_piece(tier, np.moveaxis(carried, 2, 0))
    q = own.rows.shape[0]
    found = np.zeros((THREADS, q, q))
    shares = _shares(tier, root, own)
    _run(_kernels()[1], [(*share, by_parent, part) for share, part in zip(shares, found, strict=True)])
    return np.asarray(found.sum(axis=0))


def effects(tier: Tier, root: Array, own: Own, carried: Array, coefficients: Array) -> tuple[Array, Array]:
    """(q, levels) the finest tier's modes and (q, q, levels) their covariances."""
    q, levels = own.rows.shape[0], tier.order.size
    by_parent = _by_piece(tier, np.moveaxis(carried, 2, 0))
    modes, spread = np.zeros((q, levels)), np.zeros((q, q, levels))
    of_parent = _by_piece(tier, coefficients.T)
    shares = _shares(tier, root, own)
    _run(_kernels()[2], [(*share, by_parent, of_parent, modes, spread) for share in shares])
    return modes, spread


def _kernels() -> list[Callable[..., Any]]:
    """Compile on first use: importing numba's output costs half a second that small practices need not pay."""
    if not _KEPT:
        parts = ("general_half", "half_kernel", "pulled_kernel", "reach_kernel")
        for name in parts:  # the passes find their parts compiled
            setattr(kernels, name, _compile(getattr(kernels, name)))
        passes = (kernels.take_out_kernel, kernels.slope_kernel, kernels.effects_kernel)
        _KEPT.extend(_compile(each) for each in passes)
    return _KEPT
