"""A formula on a frame: the numbers that the likelihood is made of.

Columns are made by formulaic (transforms, categories against their first level, interactions), with the
random terms' columns made the same way. Rows in which anything needed is missing are left out and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl
from formulaic import Formula as Columns
from formulaic.errors import FormulaicError
from scipy.linalg import qr, solve_triangular

from attunement.errors import ModelProblem
from attunement.mixed.formula import Formula, InSeries, RandomTerm, parse
from attunement.mixed.levels import coded, find, level_names
from attunement.mixed.rows import Autocorrelation, Rows, Series, Strata, Walks

if TYPE_CHECKING:
    from formulaic import ModelSpec
    from numpy.typing import NDArray

    from attunement.mixed.cells import CellSource
    from attunement.mixed.rows import Whitening

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


_EXACT = 1e-12  # of the response, below which what the fixed columns leave is rounding


@dataclass(frozen=True, slots=True)
class TermColumns:
    """One random term on the data.

    Parameters
    ----------
    term
        As written.
    names
        The names of its q columns.
    places
        Where they stand among the columns of the sums.
    turn
        (q, q) its columns as written are those of the sums times this: the sums' may be centred.
    spec
        How formulaic made the columns, to make them again for new rows.
    """

    term: RandomTerm
    names: tuple[str, ...]
    places: tuple[int, ...]
    turn: Array
    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of a formula on data: the cells' sums, and what leads from their columns back to those as written.

    Parameters
    ----------
    formula
        As read.
    names, dropped
        The fixed columns, and those left out because others already say the same.
    fixed, response, m
        Where they stand among the m columns of the sums.
    turn, plain
        The fixed columns as written are those of the sums times `turn` (p, p), and the response as written is
        that of the sums plus the fixed columns of the sums times `plain` (p,).
    terms
        The random terms, in the formula's order.
    levels
        By factor, the names of its levels, in the order of their codes.
    groups
        By factor, the columns of the table that make it.
    cells
        The sums, as a function of the further parameters.
    whitenings
        What those parameters are of.
    strata
        The names of the residual's strata, the first being the one of `sigma`.
    n
        Rows.
    spec
        How formulaic made the fixed columns.
    """

    formula: Formula
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    fixed: tuple[int, ...]
    response: int
    m: int
    turn: Array
    plain: Array
    terms: tuple[TermColumns, ...]
    levels: dict[str, pl.Series]
    groups: dict[str, tuple[str, ...]]
    cells: CellSource
    whitenings: tuple[Whitening, ...]
    strata: tuple[str, ...]
    n: int
    spec: ModelSpec

    @property
    def needed(self) -> list[str]:
        """The table's columns that a prediction needs."""
        texts = [self.formula.fixed, *(term.columns for term in self.formula.random)]
        named = {str(name) for text in texts for name in Columns(text).required_variables}
        return sorted(named | {name for group in self.groups.values() for name in group})

    def raw(self, fixef: dict[str, float]) -> Array:
        """(p,) coefficients by fixed column, zero for one that is not named."""
        return np.array([fixef.get(name, 0.0) for name in self.names])

    def columns_of(self, term: TermColumns, frame: pl.DataFrame) -> Array:
        """(n, q) a term's columns as written, for other rows."""
        return _made(term.spec, frame)

    def level_numbers(self, term: TermColumns, frame: pl.DataFrame) -> Codes:
        """(n,) numbers of a term's levels among these rows, known or not."""
        return coded(level_names(term.term.group, frame))[1]


def moments(
    text: str,
    table: Any,  # noqa: ANN401 - any eager frame narwhals knows
    *,
    weights: str | None = None,
    strata: str | None = None,
    few: bool = False,
) -> Moments:
    """Lay a formula on a table; `few` says that a prior will make up for what the rows cannot tell.

    Raises
    ------
    ModelProblem
        For a column that is not there, a response that is not a number, or too few rows.
    """
    formula = parse(text)
    frame = as_polars(table)
    needed = _needed(formula, frame, [name for name in (weights, strata) if name is not None])
    frame = frame.filter(_complete(frame, needed))
    if frame.is_empty():
        raise ModelProblem(f"No row has all of {', '.join(needed)}; the model {text!r} has nothing to fit.")
    y, _, _ = _columns(f"0 + {formula.response}", frame, text)
    if y.shape[1] != 1:
        raise ModelProblem(f"The response {formula.response!r} of {text!r} is not a number.")
    x, names, spec = _columns(formula.fixed, frame, text)
    kept = independent(x)
    factors = _factors(formula, frame)
    own, terms = _terms(formula, frame, text)
    counts = {name: levels.len() for name, (levels, _) in factors.items()}
    root = np.sqrt(_weights(weights, frame))
    if few:  # a prior will tell apart what these rows cannot
        kept = list(range(x.shape[1]))
        columns, turn, plain = x * root[:, None], np.eye(x.shape[1]), np.zeros(x.shape[1])
    else:
        refuse_the_unfittable(text, frame.height, len(kept), terms, counts)
        columns, turn = qr(x[:, kept] * root[:, None], mode="economic")  # keeps the sums well conditioned
        plain = columns.T @ (y[:, 0] * root)
    rest = y[:, 0] * root - columns @ plain
    if not few and np.linalg.norm(rest) <= _EXACT * np.linalg.norm(y[:, 0] * root):
        raise ModelProblem(
            f"The fixed columns of {text!r} tell the response exactly; nothing is left to model."
        )
    codes = {name: code for name, (_, code) in factors.items()}
    whitenings, labels = _whitenings(formula, frame, codes, strata)
    rows = Rows(
        np.column_stack([own * root[:, None], columns, rest]),
        codes,
        counts,
        whitenings,
        -2.0 * float(np.log(root).sum()),
    )
    return Moments(
        formula=formula,
        names=tuple(names[column] for column in kept),
        dropped=tuple(name for column, name in enumerate(names) if column not in kept),
        fixed=tuple(range(own.shape[1], own.shape[1] + len(kept))),
        response=own.shape[1] + len(kept),
        m=own.shape[1] + len(kept) + 1,
        turn=turn,
        plain=plain,
        terms=terms,
        levels={name: levels for name, (levels, _) in factors.items()},
        groups={term.name: term.group for term in formula.random},
        cells=rows,
        whitenings=whitenings,
        strata=labels,
        n=frame.height,
        spec=spec,
    )


def on_new_rows(held: Moments, table: Any) -> tuple[Array, Array, dict[str, Codes]]:  # noqa: ANN401 - any eager frame
    """Make the same columns for other rows.

    Returns
    -------
    tuple
        (n, p) the fixed columns as written; (n, m) all columns as they stand in the sums, the response zero; and
        by factor each row's level, −1 for one never seen.
    """
    frame = as_polars(table)
    missing = [
        name
        for name in _needed(replace(held.formula, response="1", drift=None, autocorrelation=None), frame, [])
        if frame[name].has_nulls()
    ]
    if missing:
        raise ModelProblem(f"A prediction needs {', '.join(missing)} in every row.")
    x = _made(held.spec, frame)[:, [held.spec.column_names.index(name) for name in held.names]]
    columns = np.zeros((frame.height, held.m))
    for term in held.terms:
        columns[:, list(term.places)] = np.linalg.solve(term.turn.T, _made(term.spec, frame).T).T
    columns[:, list(held.fixed)] = solve_triangular(held.turn, x.T, trans="T").T
    codes = {factor: find(levels, frame, held.groups[factor]) for factor, levels in held.levels.items()}
    return x, columns, codes


def _made(spec: ModelSpec, frame: pl.DataFrame) -> Array:
    return np.asarray(spec.get_model_matrix(frame, output="numpy"), dtype=float).reshape(frame.height, -1)


def as_polars(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take any eager table, with NaN as missing."""
    try:
        frame: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
    except TypeError:
        raise ModelProblem(f"A {type(table).__name__} is not a table; a data frame would do.") from None
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def _needed(formula: Formula, frame: pl.DataFrame, besides: list[str]) -> list[str]:
    texts = [f"0 + {formula.response}", formula.fixed, *(term.columns for term in formula.random)]
    names: set[str] = set(besides)
    for text in texts:
        try:
            names |= {str(name) for name in Columns(text).required_variables}
        except (FormulaicError, SyntaxError):
            raise ModelProblem(f"{text!r} in {formula.text!r} cannot be read as columns.") from None
    for term in formula.random:
        names |= set(term.group)
    for series in (formula.drift, formula.autocorrelation):
        if series:
            names |= {series.position, *series.group}
    unknown = sorted(names - set(frame.columns))
    if unknown:
        raise ModelProblem(
            f"{formula.text!r} asks for {', '.join(unknown)}; the table has {', '.join(frame.columns)}."
        )
    return sorted(names)


def _complete(frame: pl.DataFrame, needed: list[str]) -> pl.Expr:
    if not needed:
        return pl.repeat(value=True, n=frame.height)
    return pl.all_horizontal(pl.col(name).is_not_null() for name in needed)


def _columns(text: str, frame: pl.DataFrame, formula: str) -> tuple[Array, list[str], ModelSpec]:
    try:
        with np.errstate(divide="ignore", invalid="ignore"):
            made = Columns(text).get_model_matrix(frame, output="numpy")
    except (FormulaicError, SyntaxError, TypeError, ValueError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ModelProblem(f"{text!r} in {formula!r} cannot be worked out: {reason}") from None
    values = np.asarray(made, dtype=float).reshape(frame.height, -1)
    if not np.isfinite(values).all():
        raise ModelProblem(
            f"{text!r} in {formula!r} is not finite in row {int((~np.isfinite(values)).any(1).argmax()) + 1}."
        )
    return values, [str(name) for name in made.model_spec.column_names], made.model_spec


def independent(x: Array) -> list[int]:
    """Columns that are no combination of earlier ones; lme4 leaves out the later column too."""
    if x.shape[1] == 0:
        return []
    scale = np.linalg.norm(x, axis=0)
    kept: list[int] = []
    basis = np.empty((x.shape[0], 0))
    for column in range(x.shape[1]):
        rest = x[:, column] - basis @ (basis.T @ x[:, column])
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > 1e-9 * max(scale[column], 1e-300):
            kept.append(column)
            basis = np.column_stack([basis, rest / length])
    return kept


def _factors(formula: Formula, frame: pl.DataFrame) -> dict[str, tuple[pl.Series, Codes]]:
    """By grouping factor, its levels in alphabetical order and each row's code."""
    return {term.name: coded(level_names(term.group, frame)) for term in formula.random}


def _terms(formula: Formula, frame: pl.DataFrame, text: str) -> tuple[Array, tuple[TermColumns, ...]]:
    """The random terms' columns side by side, (n, …), each name once, and the terms on them."""
    held: dict[str, Array] = {}
    terms = []
    for term in formula.random:
        z, names, spec = _columns(term.columns, frame, text)
        for place, name in enumerate(names):
            held.setdefault(name, z[:, place])
        places = tuple(list(held).index(name) for name in names)
        terms.append(TermColumns(term, tuple(names), places, np.eye(len(names)), spec))
    return np.column_stack([np.empty((frame.height, 0)), *held.values()]), tuple(terms)


def _weights(name: str | None, frame: pl.DataFrame) -> Array:
    if name is None:
        return np.ones(frame.height)
    if not frame[name].dtype.is_numeric():
        raise ModelProblem(f"The weights {name!r} are not numbers.")
    weights = frame[name].cast(pl.Float64).to_numpy()
    if not (np.isfinite(weights) & (weights > 0)).all():
        raise ModelProblem(
            f"The weights {name!r} must be above zero; row {int((~(weights > 0)).argmax()) + 1} has "
            f"{weights[~(weights > 0)][0]:g}."
            if (~(weights > 0)).any()
            else f"The weights {name!r} must be finite."
        )
    return weights


def _whitenings(
    formula: Formula, frame: pl.DataFrame, codes: dict[str, Codes], strata: str | None
) -> tuple[tuple[Whitening, ...], tuple[str, ...]]:
    found: list[Whitening] = []
    labels: tuple[str, ...] = ()
    if strata is not None:
        if formula.drift is not None:
            raise ModelProblem(
                f"{formula.text!r} has a drift; strata of the residual cannot stand beside it."
            )
        levels, of_row = coded(frame[strata].cast(pl.String))
        labels = tuple(levels.to_list())
        found.append(Strata(of_row))
    if formula.drift is not None:
        found.append(Walks(_series(formula.drift, frame, codes, least=1.0)))
    if formula.autocorrelation is not None:
        found.append(Autocorrelation(_series(formula.autocorrelation, frame, codes, least=-np.inf)))
    return tuple(found), labels


def series_of(written: InSeries, frame: pl.DataFrame) -> Series:
    """Number the series of the rows, and say where in it each row stands."""
    _, of_row = coded(level_names(written.group, frame))
    return Series(of_row, frame[written.position].cast(pl.Float64).to_numpy())


def _series(written: InSeries, frame: pl.DataFrame, codes: dict[str, Codes], least: float) -> Series:
    _, of_row = coded(level_names(written.group, frame))
    if not frame[written.position].dtype.is_numeric():
        raise ModelProblem(f"{written}: {written.position} is no number.")
    position = frame[written.position].cast(pl.Float64).to_numpy()
    if (position < least).any():
        raise ModelProblem(f"{written}: positions count from 1, and one is {position.min():g}.")
    for factor, code in codes.items():
        if np.unique(np.column_stack([of_row, code]), axis=0).shape[0] > of_row.max() + 1:
            raise ModelProblem(f"{written}: each of its levels must lie within one level of {factor}.")
    if written.distinct and np.unique(np.column_stack([of_row, position]), axis=0).shape[0] < of_row.size:
        raise ModelProblem(f"{written}: two rows of one series have the same {written.position}.")
    return Series(of_row, position)


def refuse_the_unfittable(
    text: str, n: int, p: int, terms: tuple[TermColumns, ...], levels: dict[str, int]
) -> None:
    """Refuse a model with more effects than rows, or a factor with one level.

    Raises
    ------
    ModelProblem
        Says which.
    """
    if n <= p + 1:
        raise ModelProblem(f"{text!r} has {p} fixed columns and {n} complete rows; it needs more rows.")
    for held in terms:
        m, q = levels[held.term.name], len(held.names)
        if m < 2:
            raise ModelProblem(f"{held.term} has one level; a variance needs two or more.")
        if m * q >= n:
            raise ModelProblem(
                f"{held.term} has {m * q} effects for {n} rows: they cannot be told from the residual."
            )
