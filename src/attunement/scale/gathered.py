"""From the table that a `GROUP BY` gave to the moments of a formula."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attunement.mixed.cells import Always, Cells, CellSource, cells_of, pair, square
from attunement.mixed.design import Moments, TermColumns, refuse_the_unfittable
from attunement.mixed.levels import level_names
from attunement.mixed.rows import Strata

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from attunement.scale.query import Laid

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]

_NO_STRATA = (pl.Series([], dtype=pl.String), np.empty(0, dtype=np.int64))
_DEPENDENT = 1e-10  # what must be left of a column's sum of squares for it to say something new


class Gathered:
    """Sums by cell (and stratum), as they came back.

    Parameters
    ----------
    laid
        What was asked for.
    table
        An Arrow table, a row a cell and stratum, sorted.
    """

    def __init__(self, laid: Laid, table: pa.Table) -> None:
        self.laid, self.m = laid, len(laid.columns)
        self._n = table["n"].to_numpy()
        self._products = self._expanded(table)
        self._logw = float(table["logw"].to_numpy().sum()) if laid.weighted else 0.0
        keys = {name: table[f"g{place}"] for place, name in enumerate(laid.groups)}
        self._codes, self._levels = _factors(laid, keys)
        names, self._of_stratum = _coded(table["h"]) if laid.stratified else _NO_STRATA
        self._names = tuple(names.to_list())
        self._strata = Strata(self._of_stratum) if laid.stratified else None

    @property
    def finite(self) -> bool:
        """Whether all sums are numbers."""
        return bool(np.isfinite(self._products.sum()))

    def _expanded(self, table: pa.Table) -> Array:
        """All products: those that were summed, and those of columns constant within a cell."""
        constant = self.laid.constant
        products = np.empty((self.m * (self.m + 1) // 2, table.num_rows))
        for i, j in self.laid.products(constant):
            _fill(products[pair(i, j)], table[f"p{i}_{j}"])
        if not self.laid.weighted and self.laid.columns[0] == "Intercept":
            products[0] = self._n
        values = {column: table[f"low{column}"].to_numpy() for column in constant}
        for column, value in values.items():
            for other in range(self.m):
                if other not in constant:
                    products[pair(column, other)] = value * products[pair(other, 0)]
        for column, value in values.items():
            for other in (each for each in constant if each <= column):
                products[pair(column, other)] = value * values[other] * products[0]
        return products

    def moments(self) -> Moments:
        """The moments, ready to be fitted."""
        laid = self.laid
        total = square(self._products.sum(axis=1)[:, None], self.m)[:, :, 0]
        fixed_places = [laid.columns.index(name) for name in laid.fixed.names]
        kept = _independent(total, fixed_places)
        names = tuple(laid.columns[place] for place in kept)
        terms = tuple(self._term(place) for place in range(len(laid.terms)))
        counts = {factor: levels.len() for factor, levels in self._levels.items()}
        refuse_the_unfittable(laid.formula.text, int(self._n.sum()), len(kept), terms, counts)
        plain = np.zeros(len(kept))
        if "Intercept" in names:
            plain[names.index("Intercept")] = laid.centres[-1]
        return Moments(
            formula=laid.formula,
            names=names,
            dropped=tuple(name for name in laid.fixed.names if name not in names),
            fixed=tuple(kept),
            response=self.m - 1,
            m=self.m,
            turn=self._turn(names, kept),
            plain=plain,
            terms=terms,
            levels=self._levels,
            groups={term.name: term.group for term in laid.formula.random},
            cells=self._cells(counts),
            whitenings=() if self._strata is None else (self._strata,),
            strata=self._names,
            n=int(self._n.sum()),
            spec=laid.fixed.spec,
        )

    def _term(self, place: int) -> TermColumns:
        written = self.laid.terms[place]
        places = [self.laid.columns.index(name) for name in written.names]
        return TermColumns(
            term=self.laid.formula.random[place],
            names=written.names,
            places=tuple(places),
            turn=self._turn(written.names, places),
            spec=written.spec,
        )

    def _turn(self, names: tuple[str, ...], places: list[int]) -> Array:
        """From the centred columns back to those as written: what was taken off goes to the intercept."""
        turn = np.eye(len(names))
        if "Intercept" in names:
            turn[names.index("Intercept")] += self.laid.centres[places]
        return turn

    def _cells(self, counts: dict[str, int]) -> CellSource:
        cell, codes = cells_of(self._codes, self._n.size)
        size = int(cell.max()) + 1
        if size == cell.size and self._strata is None:
            only = Cells(self._codes, counts, self._products, self._n, -self._logw)
            return Always(only)
        rows = np.bincount(cell, self._n, size).astype(np.float64)
        whole = Cells(codes, counts, self._products, rows, -self._logw)
        return _ByStratum(whole, cell, self._n, self._of_stratum)


@dataclass(frozen=True, slots=True)
class _ByStratum(CellSource):
    """Sums by cell and stratum, weighed by the strata's variances and added up by cell.

    `whole` has a product a row of the table, (…, rows); `cell`, `sizes` and `stratum` are (rows,).
    """

    whole: Cells
    cell: Codes
    sizes: Array
    stratum: Codes

    def __call__(self, further: Array) -> Cells:
        """The sums at the logs of the strata's standard deviations, the first being zero."""
        logs = np.r_[0.0, further][self.stratum] if self.stratum.size else np.zeros(self.cell.size)
        weight, size = np.exp(-2.0 * logs), self.whole.rows.size
        sums = [np.bincount(self.cell, weight * each, size) for each in self.whole.products]
        logdet = self.whole.logdet + 2.0 * float(self.sizes @ logs)
        return replace(self.whole, products=np.asarray(sums, dtype=np.float64), logdet=logdet)


def _fill(row: Array, column: pa.ChunkedArray) -> None:
    """Copy an Arrow column chunk by chunk: a column of millions is not made twice."""
    place = 0
    for chunk in column.chunks:
        row[place : place + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        place += len(chunk)


def _factors(laid: Laid, keys: dict[str, Any]) -> tuple[dict[str, Codes], dict[str, pl.Series]]:
    """By factor, each row's code, and the levels' names in the order of the codes."""
    codes: dict[str, Codes] = {}
    levels: dict[str, pl.Series] = {}
    single = {name: _coded(values) for name, values in keys.items()}
    for term in laid.formula.random:
        if len(term.group) == 1:
            levels[term.name], codes[term.name] = single[term.group[0]]
            continue
        parts = {name: single[name][1] for name in term.group}
        code, by_part = cells_of(parts, next(iter(parts.values())).size)
        named = pl.DataFrame({name: single[name][0].gather(of_level) for name, of_level in by_part.items()})
        codes[term.name], levels[term.name] = code, level_names(term.group, named)
    return codes, levels


def _coded(values: Any) -> tuple[pl.Series, Codes]:  # noqa: ANN401 - an Arrow column
    """Number the values: the order of the rows where they are sorted or all differ, else their own order."""
    series = pl.Series(pl.from_arrow(values))
    if series.is_sorted():
        change = (series != series.shift()).fill_null(value=True).to_numpy()
        return series.filter(pl.Series(change)), np.cumsum(change) - 1
    if series.n_unique() == series.len():
        return series, np.arange(series.len())
    return series.unique().sort(), series.rank("dense").cast(pl.Int64).to_numpy() - 1


def _independent(total: Array, places: list[int]) -> list[int]:
    """Columns that are no combination of earlier ones, from their sums of products alone."""
    left = total.copy()
    kept = []
    for place in places:
        if left[place, place] > _DEPENDENT * max(total[place, place], 1e-300):
            kept.append(place)
            left = left - np.outer(left[:, place], left[place]) / left[place, place]
    return kept
