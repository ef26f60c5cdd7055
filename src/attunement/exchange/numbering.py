"""Which session is which: 1, 2, … of this therapist with this client, however the file counts."""

from __future__ import annotations

import polars as pl

from attunement.errors import ColumnProblem

_DYAD = ["therapist", "client"]


def number_sessions(table: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Number the sessions within the dyad; says what was assumed.

    Without a session column they are counted by time. An intake 0 moves the dyad's sessions up by one. Where the file
    counts within the client over several therapists, each dyad is counted anew.

    Raises
    ------
    ColumnProblem
        Where sessions have to be ordered by time and cannot.
    """
    if "session" not in table.columns:
        return _by_time(table), ["Sessions were numbered by their time."]
    if _counts_within_clients(table):
        return _anew(table), [
            "The file counts sessions within the client; they were numbered anew with each therapist."
        ]
    notes = []
    intakes = table.filter(pl.col("session") == 0).select(pl.struct(_DYAD).n_unique()).item()
    if intakes:
        moved = pl.col("session") + (pl.col("session").min().over(_DYAD) == 0)
        table = table.with_columns(moved.alias("session"))
        notes.append(
            f"{intakes:,} intake{'s' if intakes > 1 else ''} numbered 0 became session 1, and so on."
        )
    return table.with_columns(pl.col("session").cast(pl.Int64)), notes


def _by_time(table: pl.DataFrame) -> pl.DataFrame:
    empty = table.filter(pl.col("time").is_null())
    if not empty.is_empty():
        raise ColumnProblem(
            f"Row {empty['row'][0]} has no time, and without session numbers sessions are ordered by it; fill it in."
        )
    same = table.filter(pl.struct(*_DYAD, "time").is_duplicated())
    if not same.is_empty():
        first, second = same.sort(*_DYAD, "time", "row")["row"][:2]
        raise ColumnProblem(
            f"Rows {first} and {second} have the same time, so their sessions cannot be ordered; number them."
        )
    return table.with_columns(pl.col("time").rank("ordinal").over(_DYAD).cast(pl.Int64).alias("session"))


def _anew(table: pl.DataFrame) -> pl.DataFrame:
    """Count anew where a client has several therapists; elsewhere a gap is a session missed, and stays."""
    several = pl.col("therapist").n_unique().over("client") > 1
    moved = pl.col("session") + (pl.col("session").min().over(_DYAD) == 0)
    counted = pl.when(several).then(pl.col("session").rank("ordinal").over(_DYAD)).otherwise(moved)
    return table.with_columns(counted.cast(pl.Int64).alias("session"))


def _counts_within_clients(table: pl.DataFrame) -> bool:
    """Whether clients of several therapists never have a number twice, and some do not start at 1 with the second."""
    shared = table.filter(pl.col("therapist").n_unique().over("client") > 1)
    if shared.is_empty() or shared.select("client", "session").is_duplicated().any():
        return False
    return bool((shared.group_by(_DYAD).agg(pl.col("session").min())["session"] > 1).any())
