"""The loops of the compiled passes. They are plain Python until numba compiles them, and are tested as such too.

Levels stand side by side, so every inner loop runs along memory. One and two effects a level, the workhorses, have
their closed forms; for more, the Cholesky factor is written out.
"""
# ruff: noqa: C901, PLR0912, PLR0913, PLR0917 - kernels take arrays and are loops

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


def half_kernel(
    products: Array,
    rows: Codes,
    root: Array,
    places: Codes,
    first: int,
    last: int,
    factor: Array,
    half: Array,
) -> float:
    """F of the levels from `first` to `last`, into `half` (q, q, …); returns the log-determinant."""
    q, count, logdet, product = rows.shape[0], last - first, 0.0, 1.0
    if q == 1:
        own, l00 = products[rows[0, places[0]], first:last], root[0, 0]
        for c in range(count):
            pivot = 1.0 + l00 * l00 * own[c]
            half[0, 0, c] = l00 / np.sqrt(pivot)
            factor[0, 0, c] = pivot
    elif q == 2:
        p00 = products[rows[0, places[0]], first:last]
        p10 = products[rows[1, places[0]], first:last]
        p11 = products[rows[1, places[1]], first:last]
        l00, l10, l11 = root[0, 0], root[1, 0], root[1, 1]
        for c in range(count):
            low = l00 * p10[c] + l10 * p11[c]
            m00 = 1.0 + l00 * (l00 * p00[c] + l10 * p10[c]) + l10 * low
            m10, m11 = l11 * low, 1.0 + l11 * l11 * p11[c]
            inverse = 1.0 / np.sqrt(m00)
            tie = m10 * inverse
            rest = max(m11 - tie * tie, 1.0)
            other = 1.0 / np.sqrt(rest)
            half[0, 0, c] = l00 * inverse
            half[0, 1, c] = l10 * inverse
            half[1, 0, c] = -tie * half[0, 0, c] * other
            half[1, 1, c] = (l11 - tie * half[0, 1, c]) * other
            factor[0, 0, c] = m00 * rest
    else:
        general_half(products, rows, root, places, first, count, factor, half)
    for c in range(count):
        product *= factor[0, 0, c]
        if product > 1e200:
            logdet += np.log(product)
            product = 1.0
    return float(logdet + np.log(product))


def general_half(
    products: Array,
    rows: Codes,
    root: Array,
    places: Codes,
    first: int,
    count: int,
    factor: Array,
    half: Array,
) -> None:
    """F for any number of effects; the determinant is left in ``factor[0, 0]``."""
    q = rows.shape[0]
    for a in range(q):
        for b in range(a + 1):
            factor[a, b, :count] = 1.0 if a == b else 0.0
            for k in range(a, q):
                for j in range(b, q):
                    weight, own = root[k, a] * root[j, b], products[rows[k, places[j]]]
                    for c in range(count):
                        factor[a, b, c] += weight * own[first + c]
    for a in range(q):
        for b in range(a + 1):
            for k in range(b):
                for c in range(count):
                    factor[a, b, c] -= factor[a, k, c] * factor[b, k, c]
            for c in range(count):
                factor[a, b, c] = factor[a, b, c] / factor[b, b, c] if b < a else np.sqrt(factor[a, a, c])
        for j in range(q):
            half[a, j, :count] = root[j, a]
            for k in range(a):
                for c in range(count):
                    half[a, j, c] -= factor[a, k, c] * half[k, j, c]
            for c in range(count):
                half[a, j, c] /= factor[a, a, c]
    for c in range(count):
        root_of_determinant = 1.0
        for a in range(q):
            root_of_determinant *= factor[a, a, c]
        factor[0, 0, c] = root_of_determinant * root_of_determinant


def pulled_kernel(products: Array, rows: Codes, first: int, last: int, half: Array, pulled: Array) -> None:
    """V = F S of a run of levels."""
    q, m = rows.shape
    for a in range(q):
        for i in range(m):
            into, scale, own = pulled[a, i], half[a, 0], products[rows[0, i], first:last]
            for c in range(last - first):
                into[c] = scale[c] * own[c]
            for j in range(1, q):
                scale, own = half[a, j], products[rows[j, i], first:last]
                for c in range(last - first):
                    into[c] += scale[c] * own[c]


def take_out_kernel(
    products: Array,
    rows: Codes,
    root: Array,
    places: Codes,
    starts: Codes,
    ends: Codes,
    runs: Codes,
    above: Array,
) -> float:
    """What every family takes from its parent, into `above` (parents, m, m); returns the log-determinant."""
    q, m = rows.shape
    longest = 1
    for run in range(runs.size - 1):
        longest = max(longest, ends[runs[run + 1] - 1] - starts[runs[run]])
    factor, half = np.empty((q, q, longest)), np.empty((q, q, longest))
    pulled, logdet = np.empty((q, m, longest)), 0.0
    for run in range(runs.size - 1):
        first, last = starts[runs[run]], ends[runs[run + 1] - 1]
        logdet += half_kernel(products, rows, root, places, first, last, factor, half)
        pulled_kernel(products, rows, first, last, half, pulled)
        for parent in range(runs[run], runs[run + 1]):
            begin, end = starts[parent] - first, ends[parent] - first
            for i in range(m):
                for j in range(i + 1):
                    lost, a = 0.0, 0
                    while a + 2 <= q:
                        one, other = pulled[a, i, begin:end], pulled[a, j, begin:end]
                        two, another = pulled[a + 1, i, begin:end], pulled[a + 1, j, begin:end]
                        for c in range(end - begin):
                            lost += one[c] * other[c] + two[c] * another[c]
                        a += 2
                    if a < q:
                        one, other = pulled[a, i, begin:end], pulled[a, j, begin:end]
                        for c in range(end - begin):
                            lost += one[c] * other[c]
                    above[parent, i, j] = above[parent, j, i] = lost
    return logdet


def reach_kernel(
    weights: Array, parent: int, i: int, from_rows: Array, begin: int, end: int, into: Array
) -> None:
    """What column i of the rows becomes when multiplied with what is carried, four columns at a time."""
    m = from_rows.shape[0]
    into[: end - begin] = 0.0
    j = 0
    while j + 4 <= m:
        w0, w1 = weights[parent, j, i], weights[parent, j + 1, i]
        w2, w3 = weights[parent, j + 2, i], weights[parent, j + 3, i]
        r0, r1 = from_rows[j, begin:end], from_rows[j + 1, begin:end]
        r2, r3 = from_rows[j + 2, begin:end], from_rows[j + 3, begin:end]
        for c in range(end - begin):
            into[c] += w0 * r0[c] + w1 * r1[c] + w2 * r2[c] + w3 * r3[c]
        j += 4
    while j < m:
        weight, row = weights[parent, j, i], from_rows[j, begin:end]
        for c in range(end - begin):
            into[c] += weight * row[c]
        j += 1


def slope_kernel(
    products: Array,
    rows: Codes,
    root: Array,
    places: Codes,
    starts: Codes,
    ends: Codes,
    runs: Codes,
    carried: Array,
    found: Array,
) -> None:
    """The derivative of the criterion in the tier's covariance, into `found` (q, q)."""
    q, m = rows.shape
    longest = 1
    for run in range(runs.size - 1):
        longest = max(longest, ends[runs[run + 1] - 1] - starts[runs[run]])
    factor, half = np.empty((q, q, longest)), np.empty((q, q, longest))
    pulled, left, reached = np.empty((q, m, longest)), np.empty((q, m, longest)), np.empty(longest)
    for run in range(runs.size - 1):
        first, last = starts[runs[run]], ends[runs[run + 1] - 1]
        half_kernel(products, rows, root, places, first, last, factor, half)
        pulled_kernel(products, rows, first, last, half, pulled)
        for a in range(q):
            for i in range(m):
                into, own = left[a, i], products[rows[a, i], first:last]
                one, other = pulled[0, places[a]], pulled[0, i]
                for c in range(last - first):
                    into[c] = own[c] - one[c] * other[c]
                for b in range(1, q):
                    one, other = pulled[b, places[a]], pulled[b, i]
                    for c in range(last - first):
                        into[c] -= one[c] * other[c]
        for a in range(q):
            for b in range(q):
                total, row = 0.0, left[a, places[b]]
                for c in range(last - first):
                    total += row[c]
                found[a, b] += total
        for parent in range(runs[run], runs[run + 1]):
            begin, end = starts[parent] - first, ends[parent] - first
            for a in range(q):
                for i in range(m):
                    reach_kernel(carried, parent, i, left[a], begin, end, reached)
                    for b in range(a + 1):
                        total, row = 0.0, left[b, i, begin:end]
                        for c in range(end - begin):
                            total += reached[c] * row[c]
                        found[a, b] -= total
                        if b < a:
                            found[b, a] -= total


def effects_kernel(
    products: Array,
    rows: Codes,
    root: Array,
    places: Codes,
    starts: Codes,
    ends: Codes,
    runs: Codes,
    carried: Array,
    coefficients: Array,
    modes: Array,
    spread: Array,
) -> None:
    """The modes (q, levels) and their covariances (q, q, levels)."""
    q, m = rows.shape
    longest = 1
    for run in range(runs.size - 1):
        longest = max(longest, ends[runs[run + 1] - 1] - starts[runs[run]])
    factor, half = np.empty((q, q, longest)), np.empty((q, q, longest))
    pulled, answer, reached = np.empty((q, m, longest)), np.empty((q, m, longest)), np.empty(longest)
    for run in range(runs.size - 1):
        first, last = starts[runs[run]], ends[runs[run + 1] - 1]
        half_kernel(products, rows, root, places, first, last, factor, half)
        pulled_kernel(products, rows, first, last, half, pulled)
        for a in range(q):
            for i in range(m):
                answer[a, i, : last - first] = 0.0
                for k in range(q):
                    one, other = half[k, a], pulled[k, i]
                    for c in range(last - first):
                        answer[a, i, c] += one[c] * other[c]
            for b in range(q):
                for k in range(q):
                    one, other = half[k, a], half[k, b]
                    for c in range(last - first):
                        spread[a, b, first + c] += one[c] * other[c]
        for parent in range(runs[run], runs[run + 1]):
            begin, end = starts[parent] - first, ends[parent] - first
            for a in range(q):
                for i in range(m):
                    weight, row = coefficients[parent, i], answer[a, i, begin:end]
                    for c in range(end - begin):
                        modes[a, first + begin + c] += weight * row[c]
                    reach_kernel(carried, parent, i, answer[a], begin, end, reached)
                    for b in range(q):
                        row = answer[b, i, begin:end]
                        for c in range(end - begin):
                            spread[a, b, first + begin + c] += reached[c] * row[c]
