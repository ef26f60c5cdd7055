"""Holding a table to its contract: types, what may not be empty, rows that stand twice; each refused with its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import polars as pl

from attunement.errors import ColumnProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.frames.contracts import Column, Contract

_SHOWN = 3  # bad rows named in a message


def hold(table: Any, contract: Contract) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Hold a table to its contract, and return it as polars with the contract's types.

    Columns that the contract does not know are kept as they are, behind its own. A missing ``therapist``
    is filled with the code ``1``. NaN becomes missing. A practice is taken for the table of that name that it has.

    Raises
    ------
    ColumnProblem
        Names the column and the first bad rows, counted from 1.
    """
    frame = _as_polars(table, contract)
    if contract.column("therapist") and "therapist" not in frame.columns:
        frame = frame.with_columns(pl.lit("1").alias("therapist"))
    for column in contract.columns:
        if column.name in frame.columns:
            frame = frame.with_columns(_typed(frame[column.name], column, contract))
        elif column.required:
            raise ColumnProblem(
                f"{contract.name}: the column {column.name} is missing ({column.meaning}) "
                f"It has {_listed(frame.columns)}."
            )
    _refuse_twins(frame, contract)
    own = [column.name for column in contract.columns if column.name in frame.columns]
    return frame.select(own + [name for name in frame.columns if name not in own])


def _as_polars(table: Any, contract: Contract) -> pl.DataFrame:  # noqa: ANN401 - any eager frame
    try:
        taken: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
    except TypeError:
        held = getattr(table, contract.name, None)  # a practice has its tables by name
        if held is not None:
            return _as_polars(held() if callable(held) else held, contract)
        raise ColumnProblem(
            f"{contract.name}: a {type(table).__name__} is not a table; "
            "a pandas or polars data frame or an Arrow table would do."
        ) from None
    return taken


def _typed(series: pl.Series, column: Column, contract: Contract) -> pl.Series:
    typed = _CASTS[column.kind](series)
    if column.kind not in {"code", "word"}:
        lost = typed.is_null() & series.is_not_null() & ~_nan(series)
        _refuse_rows(lost, series, f"{contract.name}: {column.name} holds {_SAID[column.kind]}")
    if column.kind == "count":
        _refuse_rows(typed < 1, series, f"{contract.name}: {column.name} counts from 1")
    if column.kind == "word":
        allowed = f"{contract.name}: {column.name} is one of {_listed(column.words)}"
        _refuse_rows(~typed.is_in(column.words), series, allowed)
    if not column.empty:
        _refuse_rows(typed.is_null(), series, f"{contract.name}: {column.name} may not be empty")
    return typed.alias(column.name)


def _refuse_rows(bad: pl.Series, shown: pl.Series, rule: str) -> None:
    rows = bad.fill_null(value=False).arg_true()
    if rows.is_empty():
        return
    first = ", ".join(f"row {row + 1} has {_quoted(shown[int(row)])}" for row in rows.head(_SHOWN))
    more = f" and {rows.len() - _SHOWN} more" if rows.len() > _SHOWN else ""
    raise ColumnProblem(f"{rule}; {first}{more}.")


def _refuse_twins(frame: pl.DataFrame, contract: Contract) -> None:
    key = list(contract.key)
    twins = (
        frame.select(key)
        .with_row_index("row", offset=1)
        .group_by(key, maintain_order=True)
        .agg("row")
        .filter(pl.col("row").list.len() > 1)
    )
    if twins.is_empty():
        return
    first = twins.row(0, named=True)
    rows = " and ".join(str(row) for row in first["row"][:_SHOWN])
    who = ", ".join(f"{name} {first[name]}" for name in key)
    each = "session" if "session" in key else "step" if "step" in key else "therapy"
    more = f" So do {twins.height - 1} other such groups." if twins.height > 1 else ""
    raise ColumnProblem(
        f"{contract.name}: the same {_listed(key)} stand in rows {rows} ({who}); each {each} is one row.{more}"
    )


def _as_code(series: pl.Series) -> pl.Series:
    if series.dtype.is_float():  # pandas makes 7.0 of a code 7 beside an empty cell
        whole = series.cast(pl.Int64, strict=False)
        series = whole if (whole.cast(pl.Float64) == series).fill_null(value=True).all() else series
    text = series.cast(pl.String, strict=False).str.strip_chars()
    return text.replace("", None)


def _as_count(series: pl.Series) -> pl.Series:
    number = _as_number(series)
    whole = number.cast(pl.Int64, strict=False)
    return whole.zip_with(
        (whole.cast(pl.Float64) == number).fill_null(value=False), pl.Series([None], dtype=pl.Int64)
    )


def _as_number(series: pl.Series) -> pl.Series:
    number = series.cast(pl.Float64, strict=False)
    return number.zip_with(number.is_finite().fill_null(value=False), pl.Series([None], dtype=pl.Float64))


def _as_time(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        return series.str.to_datetime(strict=False, time_unit="us").dt.replace_time_zone(None)
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
        series = series.dt.replace_time_zone(None)
    return series.cast(pl.Datetime("us"), strict=False)


def _as_flag(series: pl.Series) -> pl.Series:
    return series.cast(pl.Boolean, strict=False)


_CASTS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "code": _as_code,
    "word": _as_code,
    "count": _as_count,
    "number": _as_number,
    "time": _as_time,
    "flag": _as_flag,
}
_SAID = {
    "code": "codes",
    "word": "words",
    "count": "whole numbers",
    "number": "numbers",
    "time": "dates and times",
    "flag": "true or false",
}


def _nan(series: pl.Series) -> pl.Series:
    if series.dtype.is_float():
        return series.is_nan().fill_null(value=False)
    return pl.repeat(value=False, n=series.len(), dtype=pl.Boolean, eager=True)


def _quoted(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _listed(names: list[str] | tuple[str, ...]) -> str:
    names = list(names)
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]
