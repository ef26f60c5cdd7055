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

from typing import TYPE_CHECKING, Any

from attunement.frames.contracts import (
    CHECK_INS,
    CONTRACTS,
    DAYS,
    ENDINGS,
    NAMINGS,
    OUTCOMES,
    RATINGS,
    REFLECTIONS,
    SESSIONS,
    STEPS,
    TAGS,
    Column,
    Contract,
    Kind,
)
from attunement.frames.holding import hold

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CHECK_INS",
    "CONTRACTS",
    "DAYS",
    "ENDINGS",
    "NAMINGS",
    "OUTCOMES",
    "RATINGS",
    "REFLECTIONS",
    "SESSIONS",
    "STEPS",
    "TAGS",
    "Column",
    "Contract",
    "Kind",
    "check_ins",
    "days",
    "endings",
    "hold",
    "namings",
    "outcomes",
    "ratings",
    "reflections",
    "sessions",
    "steps",
    "tags",
]


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


def steps(table: Any) -> pl.DataFrame:  # noqa: ANN401 - any eager frame narwhals knows
    """Take a table of steps, what the client said of them and what came of them: one row a step, see `STEPS`."""
    return hold(table, STEPS)
