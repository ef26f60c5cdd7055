"""One `GROUP BY` from rows to sums by cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import polars as pl

from attunement.errors import ModelProblem, UnreadableFile
from attunement.mixed.formula import Formula, parse
from attunement.scale.columns import Writer, Written, required
from attunement.scale.gathered import Gathered

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.expr.types import Table
    from numpy.typing import NDArray

    from attunement.mixed.design import Moments

    Array = NDArray[np.float64]

_SAMPLE = 2_000  # rows from which columns are centred, and those constant within a cell are guessed
INTERCEPT = "Intercept"


def moments(
    formula: str,
    source: Any,  # noqa: ANN401 - a path, or a table of any engine
    *,
    weights: str | None = None,
    strata: str | None = None,
) -> Moments:
    """Sum the moments of a formula where the rows are.

    Parameters
    ----------
    formula
        As for `attunement.mixed.fit`, without drift and ar1, which need the rows themselves.
    source
        The path of a Parquet file (``*`` for several), read by DuckDB out of core; or an Ibis table of any engine.
    weights, strata
        As for `attunement.mixed.fit`.

    Raises
    ------
    ModelProblem
        When the formula cannot be read, a column is missing, or the design cannot be fitted.
    UnreadableFile
        When there is no such Parquet file.
    """
    laid = lay(formula, source, weights=weights, strata=strata)
    found = laid.grouped(laid.constant).to_pyarrow()
    varying = laid.varying_after_all(found)
    if varying:
        laid = laid.without(varying)
        found = laid.grouped(laid.constant).to_pyarrow()
    if found.num_rows == 0 or found["n"].null_count:
        raise ModelProblem(f"No row has all that {formula!r} needs; there is nothing to fit.")
    bad = int(found["bad"].to_numpy().sum())
    if bad:
        raise ModelProblem(f"A column of {formula!r} is not finite in {bad} row{'s' * (bad > 1)}.")
    gathered = Gathered(laid, found)
    if not gathered.finite:
        raise ModelProblem(f"A column of {formula!r} is infinite in some row.")
    del found  # as large as what was gathered from it
    return gathered.moments()


@dataclass(frozen=True, slots=True)
class Laid:
    """A formula on a table: what is to be summed.

    Parameters
    ----------
    formula
        As read.
    rows
        The table with a column ``g0`` … a group, ``c0`` … a column of the sums, ``w`` the weight, ``h`` the
        stratum; nothing missing.
    groups, types
        The grouping columns' names, in the order of ``g0`` …
    columns
        The names of the columns ``c0`` …: the intercept first where there is one, the response last.
    centres
        What was taken off each.
    constant
        Which columns are the same in all rows of a cell, as far as the sample tells.
    fixed, terms
        The written parts.
    weighted, stratified
        Whether there are weights and strata.
    """

    formula: Formula
    rows: Table
    groups: tuple[str, ...]
    columns: tuple[str, ...]
    centres: Array
    constant: frozenset[int]
    fixed: Written
    terms: tuple[Written, ...]
    weighted: bool
    stratified: bool

    def grouped(self, constant: frozenset[int]) -> Any:  # noqa: ANN401 - an Ibis table
        """Write the `GROUP BY`: the products of columns that vary, the ends of those that do not."""
        sums: dict[str, Any] = {"n": self.rows.count().cast("float64"), "bad": self.rows["bad"].sum()}
        for i, j in self.products(constant):
            sums[f"p{i}_{j}"] = self._product(i, j)
        for column in sorted(constant):
            sums[f"low{column}"] = self.rows[f"c{column}"].min()
            sums[f"high{column}"] = self.rows[f"c{column}"].max()
        if self.weighted:
            sums["logw"] = self.rows["w"].ln().sum()
        keys = [f"g{place}" for place in range(len(self.groups))] + ["h"] * self.stratified
        if not keys:
            return self.rows.aggregate(**sums)
        return self.rows.group_by(keys).aggregate(**sums).order_by(keys)

    def products(self, constant: frozenset[int]) -> list[tuple[int, int]]:
        """Which products have to be summed; rows are counted anyway."""
        varying = [column for column in range(len(self.columns)) if column not in constant]
        counted = self.columns[0] == INTERCEPT and not self.weighted
        return [(i, j) for i in varying for j in varying if j <= i and not (counted and i == j == 0)]

    def _product(self, i: int, j: int) -> Any:  # noqa: ANN401
        parts = [self.rows["w"]] if self.weighted else []
        parts += [self.rows[f"c{each}"] for each in (i, j) if self.columns[each] != INTERCEPT]
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product.sum()

    def varying_after_all(self, found: pa.Table) -> frozenset[int]:
        """Where the sample misled about a column."""
        return frozenset(
            column for column in self.constant if not found[f"low{column}"].equals(found[f"high{column}"])
        )

    def without(self, varying: frozenset[int]) -> Laid:
        """Sum some columns as what varies."""
        changed = {name: getattr(self, name) for name in self.__slots__}
        return Laid(**changed | {"constant": self.constant - varying})


def lay(
    formula: str,
    source: Any,  # noqa: ANN401
    *,
    weights: str | None = None,
    strata: str | None = None,
) -> Laid:
    """Lay a formula on a table; nothing is summed yet, but a few rows are looked at."""
    read = parse(formula)
    if read.drift is not None or read.autocorrelation is not None:
        raise ModelProblem(
            f"{read.drift or read.autocorrelation} needs the rows themselves; give `fit` a frame."
        )
    table = source if isinstance(source, ibis.expr.types.Table) else _parquet(source)
    groups = tuple(dict.fromkeys(name for term in read.random for name in reversed(term.group)))
    besides = [*groups, *(name for name in (weights, strata) if name is not None)]
    table = _complete(table, read, besides)
    writer = Writer(table)
    fixed = writer.write(read.fixed, formula)
    terms = tuple(writer.write(term.columns, formula) for term in read.random)
    response = writer.write(f"0 + {read.response}", formula)
    if len(response.names) != 1 or "[" in response.names[0]:
        raise ModelProblem(f"The response {read.response!r} of {formula!r} is not a number.")
    held = dict(zip(fixed.names, fixed.expressions, strict=True))
    for term in terms:
        held |= {name: e for name, e in zip(term.names, term.expressions, strict=True) if name not in held}
    names = tuple(sorted(held, key=lambda name: name != INTERCEPT))
    rows = table.select(
        **{f"g{place}": table[name] for place, name in enumerate(groups)},
        **{f"c{place}": held[name] for place, name in enumerate(names)},
        **{f"c{len(names)}": response.expressions[0]},
        **({} if weights is None else {"w": table[weights].cast("float64")}),
        **({} if strata is None else {"h": table[strata].cast("string")}),
    )
    some = pl.DataFrame(pl.from_arrow(rows.limit(_SAMPLE).to_pyarrow()))
    columns = (*names, response.names[0])
    centres = _centres(some, columns, fixed, terms)
    return Laid(
        formula=read,
        rows=_centred(rows, columns, centres),
        groups=groups,
        columns=columns,
        centres=centres,
        constant=_constant(some, columns, terms, len(groups)),
        fixed=fixed,
        terms=terms,
        weighted=weights is not None,
        stratified=strata is not None,
    )


def _parquet(source: str | Path) -> Table:
    try:
        return ibis.duckdb.connect(preserve_insertion_order=False).read_parquet(str(source))
    except Exception as problem:  # noqa: BLE001 - DuckDB's errors are of many kinds
        reason = str(problem).splitlines()[0]
        raise UnreadableFile(f"{Path(source).name} cannot be read as Parquet: {reason}") from None


def _complete(table: Table, read: Formula, besides: list[str]) -> Table:
    texts = [f"0 + {read.response}", read.fixed, *(term.columns for term in read.random)]
    types = table.schema()
    needed = dict.fromkeys([*required(texts, types, read.text, besides), *besides])
    keep = [table[name].notnull() for name in needed]
    keep += [_no_nan(table[name]) for name in needed if types[name].is_floating()]
    return table.filter(keep) if keep else table


def _no_nan(column: Any) -> Any:  # noqa: ANN401 - an Ibis column
    """Leave NaN out. DuckDB 2.0 takes `isnan` for never true where a Parquet file's statistics are silent on it."""
    return (column - column == 0) | (column.abs() == float("inf"))


def _centres(
    some: pl.DataFrame, columns: tuple[str, ...], fixed: Written, terms: tuple[Written, ...]
) -> Array:
    """What to take off the columns that have an intercept beside them wherever they stand, to three digits."""
    centres = np.zeros(len(columns))
    if INTERCEPT not in fixed.names:
        return centres
    apart = {name for term in terms if INTERCEPT not in term.names for name in term.names}
    for place, name in enumerate(columns):
        mean = some[f"c{place}"].cast(pl.Float64).fill_nan(None).mean()
        if name != INTERCEPT and name not in apart and isinstance(mean, float):
            centres[place] = float(f"{mean:.3g}")
    return centres


def _constant(
    some: pl.DataFrame, columns: tuple[str, ...], terms: tuple[Written, ...], groups: int
) -> frozenset[int]:
    """Which fixed columns are the same within every cell of the sample, so that they need no products."""
    if groups == 0 or columns[0] != INTERCEPT:
        return frozenset()
    random = {name for term in terms for name in term.names}
    asked = [place for place, name in enumerate(columns[1:-1], start=1) if name not in random]
    cells = some.group_by([f"g{place}" for place in range(groups)]).agg(
        pl.len(), *(pl.col(f"c{place}").n_unique().alias(f"c{place}") for place in asked)
    )
    several = cells.filter(pl.col("len") > 1)
    if several.is_empty():
        return frozenset()
    return frozenset(place for place in asked if several[f"c{place}"].max() == 1)


def _centred(rows: Table, columns: tuple[str, ...], centres: Array) -> Table:
    bad = [rows[f"c{place}"].isnull() for place in range(len(columns))]
    anything = bad[0]
    for each in bad[1:]:
        anything = anything | each
    shifted = {
        f"c{place}": rows[f"c{place}"] - float(centre)
        for place, centre in enumerate(centres)
        if centre != 0.0
    }
    return rows.mutate(bad=ibis.ifelse(anything, 1, 0), **shifted)
