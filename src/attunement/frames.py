"""The tidy tables that the analyses read: which columns, of which type, in which unit, meaning what.

pandas, polars and Arrow tables are taken at the door (by way of narwhals) and are polars inside. A table
that breaks its contract is refused with the column and the first bad rows, counted from 1.

>>> import polars as pl
>>> table = pl.DataFrame({"client": ["K-07", "K-07"], "session": [1, 1], "score": [5.0, 6.0]})
>>> ratings(table)
Traceback (most recent call last):
attunement.errors.ColumnProblem: ratings: the same therapist, client and session stand in rows 1 and 2
(therapist 1, client K-07, session 1); each session is one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals.stable.v2 as nw
import polars as pl

from attunement.errors import ColumnProblem

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["code", "count", "number", "flag", "time", "word"]

_SHOWN = 3  # bad rows named in a message


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a tidy table.

    Parameters
    ----------
    name
        As in the vocabulary.
    kind
        ``code`` (text that names someone), ``count`` (1, 2, …), ``number``, ``flag`` (true or false),
        ``time`` (date and time, without zone), ``word`` (one of `words`).
    meaning
        What it holds, in one sentence.
    unit
        What its numbers count; empty for codes.
    required
        Whether the table is refused without it.
    empty
        Whether a row may leave it empty.
    words
        The words that a column of kind ``word`` may hold.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False
    empty: bool = True
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """A tidy table: its columns, and the columns that make a row unique."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def column(self, name: str) -> Column | None:
        """Return the column of that name, if the table has it."""
        return next((column for column in self.columns if column.name == name), None)


_THERAPIST = Column(
    "therapist", "code", "Who gave the session; left out where there is one therapist.", empty=False
)
_CLIENT = Column("client", "code", "Who it is about: a code, never a name.", required=True, empty=False)
_SESSION = Column(
    "session", "count", "Which session of this therapist with this client: 1, 2, ….", "sessions",
    required=True, empty=False,
)  # fmt: skip
_TIME = Column("time", "time", "When the session began, in local time.")
_WHO_AND_WHEN = (_THERAPIST, _CLIENT, _SESSION, _TIME)
_KEY = ("therapist", "client", "session")

RATINGS = Contract(
    "ratings",
    (
        *_WHO_AND_WHEN,
        Column(
            "score",
            "number",
            "The client's rating of the session, higher is closer.",
            "points",
            required=True,
        ),
        Column("guess", "number", "What the therapist guessed the client would answer.", "points"),
        Column("outcome", "number", "The client's state before the session, on its own scale.", "points"),
    ),
    key=_KEY,
)

SESSIONS = Contract(
    "sessions",
    (
        *_WHO_AND_WHEN,
        Column(
            "attendance", "word", "Whether it was held, and if not, why.", required=True, empty=False,
            words=("held", "late", "cancelled by client", "cancelled by therapist", "missed"),
        ),
        Column("lateness", "number", "How late it began; by whom stands in attendance.", "minutes"),
    ),
    key=_KEY,
)  # fmt: skip

OUTCOMES = Contract(
    "outcomes",
    (
        _CLIENT,
        _SESSION,
        _TIME,
        Column("instrument", "code", "Which instrument, by its id.", required=True, empty=False),
        Column("outcome", "number", "The score on that instrument's own scale.", "points", required=True),
    ),
    key=("client", "session", "instrument"),
)

REFLECTIONS = Contract(
    "reflections",
    (
        *_WHO_AND_WHEN,
        Column("feeling", "code", "Which feeling of the therapist's own.", required=True, empty=False),
        Column("strength", "number", "How strong it was.", "0 to 10", required=True),
    ),
    key=(*_KEY, "feeling"),
)

DAYS = Contract(
    "days",
    (
        *_WHO_AND_WHEN,
        Column(
            "my_day", "number", "How the therapist's own day was, higher is better.", "0 to 10", required=True
        ),
    ),
    key=_KEY,
)

NAMINGS = Contract(
    "namings",
    (
        *_WHO_AND_WHEN,
        Column(
            "whose", "word", "Where the therapist thought that the feeling belongs.", required=True,
            words=("mine", "theirs", "between us", "don't know"),
        ),
    ),
    key=_KEY,
)  # fmt: skip

TAGS = Contract(
    "tags",
    (
        *_WHO_AND_WHEN,
        Column(
            "kind", "word", "Which part of Hayes's model it names.", required=True, empty=False,
            words=("origin", "trigger", "manifestation", "effect", "management"),
        ),
        Column("tag", "code", "The therapist's own word for it.", required=True, empty=False),
    ),
    key=(*_KEY, "kind", "tag"),
)  # fmt: skip

ENDINGS = Contract(
    "endings",
    (
        _THERAPIST,
        _CLIENT,
        Column(
            "ending", "word", "How the therapy ended, if it has.", required=True, empty=False,
            words=("agreed", "left", "still here"),
        ),
        Column("last", "count", "The last session there was; else the last one in the other tables.", "sessions"),
    ),
    key=("therapist", "client"),
)  # fmt: skip

CHECK_INS = Contract(
    "check_ins",
    (
        *_WHO_AND_WHEN,
        Column("understood", "number", "The client's answer: understood as they really are.", "points"),
        Column("not_judged", "number", "The client's answer: listened to with an open mind.", "points"),
        Column("could_say", "number", "The client's answer: able to say what was on their mind.", "points"),
        Column("safe", "number", "The client's answer: a safe place to be.", "points"),
        Column("supported", "number", "The client's answer: supported in what they face.", "points"),
        Column("contact", "number", "The client's answer: a moment of real contact.", "points"),
        Column("matters", "number", "The client's answer: time went to what matters most.", "points"),
    ),
    key=_KEY,
)

CONTRACTS = {
    contract.name: contract
    for contract in (RATINGS, SESSIONS, OUTCOMES, REFLECTIONS, DAYS, NAMINGS, TAGS, ENDINGS, CHECK_INS)
}


def ratings(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of session ratings: one row a session, `RATINGS` says its columns.

    Raises
    ------
    ColumnProblem
        With the column and the first bad rows.
    """
    return hold(table, RATINGS)


def sessions(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of sessions held, late or missed: one row a session, `SESSIONS` says its columns."""
    return hold(table, SESSIONS)


def outcomes(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of outcomes: one row a client, session and instrument, see `OUTCOMES`."""
    return hold(table, OUTCOMES)


def reflections(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of the therapist's feelings: one row a session and feeling, see `REFLECTIONS`."""
    return hold(table, REFLECTIONS)


def days(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of the therapist's own days: one row a session, see `DAYS`."""
    return hold(table, DAYS)


def namings(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of where feelings were thought to belong: one row a session, see `NAMINGS`."""
    return hold(table, NAMINGS)


def tags(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of tags of Hayes's model: one row a session, kind and tag, see `TAGS`."""
    return hold(table, TAGS)


def endings(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of how therapies ended: one row a therapist and client, see `ENDINGS`."""
    return hold(table, ENDINGS)


def check_ins(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of check-ins, an answer a column: one row a session, see `CHECK_INS`.

    No answer is required by itself; what is asked of a line that is not there is answered with a `NotYet`.
    """
    return hold(table, CHECK_INS)


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
    each = "session" if "session" in key else "therapy"
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
