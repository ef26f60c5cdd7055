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
from scipy.linalg import qr

from attunement.errors import ModelProblem
from attunement.mixed.formula import Formula, RandomTerm, parse

if TYPE_CHECKING:
    from formulaic import ModelSpec
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouped:
    """One random term on the rows: which level each row belongs to, and its columns there.

    Parameters
    ----------
    term
        As written.
    names
        The names of its q columns.
    levels
        The m levels, as text; levels of several columns are joined by a colon.
    codes
        (n,) each row's level, 0 … m−1; −1 for a level that the fit has not seen.
    z
        (n, q) its columns.
    spec
        How formulaic made the columns, to make them again for new rows.
    """

    term: RandomTerm
    names: tuple[str, ...]
    levels: tuple[str, ...]
    codes: Codes
    z: Array
    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Steps:
    """The drift's group and position on the rows; position 1 is where each walk starts."""

    codes: Codes
    position: Array


@dataclass(frozen=True, slots=True)
class Design:
    """Response y (n,), fixed columns x (n, p), random terms; `used` marks the frame's rows that are in it."""

    formula: Formula
    y: Array
    x: Array
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    grouped: tuple[Grouped, ...]
    steps: Steps | None
    used: NDArray[np.bool_]
    spec: ModelSpec


def design(text: str, table: Any) -> Design:  # noqa: ANN401 - any eager frame narwhals knows
    """Lay a formula on a table.

    Raises
    ------
    ModelProblem
        For a column that is not there, a response that is not a number, or too few rows.
    """
    formula = parse(text)
    frame = as_polars(table)
    needed = _needed(formula, frame)
    used = frame.select(_complete(frame, needed)).to_series().to_numpy()
    frame = frame.filter(used)
    if frame.is_empty():
        raise ModelProblem(f"No row has all of {', '.join(needed)}; the model {text!r} has nothing to fit.")
    y, _, _ = _columns(f"0 + {formula.response}", frame, text)
    if y.shape[1] != 1:
        raise ModelProblem(f"The response {formula.response!r} of {text!r} is not a number.")
    x, names, spec = _columns(formula.fixed, frame, text)
    kept = _independent(x)
    grouped = tuple(_grouped(term, frame, text) for term in formula.random)
    laid = Design(
        formula=formula,
        y=y[:, 0],
        x=x[:, kept],
        names=tuple(names[column] for column in kept),
        dropped=tuple(name for column, name in enumerate(names) if column not in kept),
        grouped=grouped,
        steps=_steps(formula, frame, grouped),
        used=used,
        spec=spec,
    )
    _refuse_the_unfittable(laid)
    return laid


def on_new_rows(laid: Design, table: Any) -> tuple[Array, tuple[Grouped, ...]]:  # noqa: ANN401 - any eager frame
    """Make the same fixed and random columns for other rows; levels never seen get the code −1."""
    frame = as_polars(table)
    missing = [
        name
        for name in _needed(replace(laid.formula, response="1", drift=None), frame)
        if frame[name].has_nulls()
    ]
    if missing:
        raise ModelProblem(f"A prediction needs {', '.join(missing)} in every row.")
    x = np.asarray(laid.spec.get_model_matrix(frame, output="numpy"), dtype=float)
    kept = [laid.spec.column_names.index(name) for name in laid.names]
    return x[:, kept], tuple(_regrouped(group, frame) for group in laid.grouped)


def as_polars(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take any eager table, with NaN as missing."""
    try:
        frame: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
    except TypeError:
        raise ModelProblem(f"A {type(table).__name__} is not a table; a data frame would do.") from None
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def _needed(formula: Formula, frame: pl.DataFrame) -> list[str]:
    texts = [f"0 + {formula.response}", formula.fixed, *(term.columns for term in formula.random)]
    names: set[str] = set()
    for text in texts:
        try:
            names |= {str(name) for name in Columns(text).required_variables}
        except (FormulaicError, SyntaxError):
            raise ModelProblem(f"{text!r} in {formula.text!r} cannot be read as columns.") from None
    for term in formula.random:
        names |= set(term.group)
    if formula.drift:
        names |= {formula.drift.position, *formula.drift.group}
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


def _independent(x: Array) -> list[int]:
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


def _grouped(term: RandomTerm, frame: pl.DataFrame, text: str) -> Grouped:
    z, names, spec = _columns(term.columns, frame, text)
    levels, codes = np.unique(_level_names(term, frame), return_inverse=True)
    return Grouped(term, tuple(names), tuple(levels.tolist()), codes.astype(np.int64), z, spec)


def _regrouped(group: Grouped, frame: pl.DataFrame) -> Grouped:
    z = np.asarray(group.spec.get_model_matrix(frame, output="numpy"), dtype=float).reshape(frame.height, -1)
    place = {level: code for code, level in enumerate(group.levels)}
    codes = np.array(
        [place.get(name, -1) for name in _level_names(group.term, frame).tolist()], dtype=np.int64
    )
    return replace(group, codes=codes, z=z)


def _level_names(term: RandomTerm, frame: pl.DataFrame) -> NDArray[np.str_]:
    parts = [pl.col(name).cast(pl.String) for name in term.group]
    if len(parts) > 1:  # a colon within a code is not the one between two
        parts = [part.str.replace_all(r"([\\:])", r"\${1}") for part in parts]
    joined = frame.select(pl.concat_str(parts, separator=":"))
    return joined.to_series().to_numpy().astype(str)


def _steps(formula: Formula, frame: pl.DataFrame, grouped: tuple[Grouped, ...]) -> Steps | None:
    if formula.drift is None:
        return None
    names = _level_names(RandomTerm("1", formula.drift.group), frame)
    _, codes = np.unique(names, return_inverse=True)
    position = frame[formula.drift.position].cast(pl.Float64).to_numpy()
    if (position < 1).any():
        raise ModelProblem(f"{formula.drift}: positions count from 1, and one is {position.min():g}.")
    for group in grouped:
        if np.unique(np.column_stack([codes, group.codes]), axis=0).shape[0] > codes.max() + 1:
            raise ModelProblem(
                f"{formula.drift}: each of its levels must lie within one level of {group.term.name}."
            )
    return Steps(codes.astype(np.int64), position)


def _refuse_the_unfittable(laid: Design) -> None:
    n, p = laid.x.shape
    if n <= p + 1:
        raise ModelProblem(
            f"{laid.formula.text!r} has {p} fixed columns and {n} complete rows; it needs more rows."
        )
    for group in laid.grouped:
        m, q = len(group.levels), group.z.shape[1]
        if m < 2:
            raise ModelProblem(f"{group.term} has one level; a variance needs two or more.")
        if m * q >= n:
            raise ModelProblem(
                f"{group.term} has {m * q} effects for {n} rows: they cannot be told from the residual."
            )


def orthogonal(x: Array) -> tuple[Array, Array]:
    """Split x into orthonormal columns and the triangle that leads back; keeps the sums well conditioned."""
    q, r = qr(x, mode="economic")
    return q, r
