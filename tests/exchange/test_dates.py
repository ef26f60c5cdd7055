"""Dates, the usual forms and beyond, and what a column of them does to the sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.exchange import read_ratings
from attunement.exchange.dates import parse_times

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-03-08", datetime(2020, 3, 8)),
        ("2020-03-08T18:22", datetime(2020, 3, 8, 18, 22)),
        ("2020-03-08 18:22:28.123", datetime(2020, 3, 8, 18, 22, 28)),
        ("2020-03-08T18:22:28Z", datetime(2020, 3, 8, 18, 22, 28)),
        ("2020-03-08T18:22:28+09:00", datetime(2020, 3, 8, 18, 22, 28)),
        ("3/8/2020", datetime(2020, 3, 8)),
        ("03/08/20", datetime(2020, 3, 8)),
        ("3-8-2020", datetime(2020, 3, 8)),
        ("3/8/2020 6:22 PM", datetime(2020, 3, 8, 18, 22)),
        ("3/8/2020 12:05 am", datetime(2020, 3, 8, 0, 5)),
        ("3/8/20 12:05 p.m.", datetime(2020, 3, 8, 12, 5)),
        ("3/8/2020 18:22:28", datetime(2020, 3, 8, 18, 22, 28)),
        ("Mar 8, 2020", datetime(2020, 3, 8)),
        ("March 8, 2020 6:22 PM", datetime(2020, 3, 8, 18, 22)),
        ("31/12/2020", None),
        ("0020-03-08", None),
        ("2020-02-30", None),
        ("3/8/2020 13:05 PM", None),
        ("3/8/2020 25:05", None),
        ("Smarch 8, 2020", None),
        ("20", None),
        ("the 8th", None),
    ],
)
def test_dates_in_iso_and_the_usual_us_forms(text: str, time: datetime | None) -> None:
    assert parse_times(pl.Series([text])).to_list() == [time]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-3-8", datetime(2020, 3, 8)),
        (" 2020-03-08 ", datetime(2020, 3, 8)),
        ("2024-02-29", datetime(2024, 2, 29)),
        ("2020-03-08T18:22:28.123456-0500", datetime(2020, 3, 8, 18, 22, 28)),
        ("3/8/2020 12:00 PM", datetime(2020, 3, 8, 12)),
        ("2023-02-29", None),
        ("0/8/2020", None),
        ("3/8/2020 0:30 AM", None),
        ("2020-03-08T24:00", None),
        ("2020-03-08T18:60", None),
        ("2020-03-08x", None),
        ("８/３/2020", None),
        ("", None),
    ],
)
def test_a_date_is_read_or_refused_never_bent(text: str, time: datetime | None) -> None:
    assert parse_times(pl.Series([text])).to_list() == [time]


def test_no_dates_at_all_are_none() -> None:
    assert parse_times(pl.Series([], dtype=pl.String)).to_list() == []


@pytest.mark.parametrize(
    "kind",
    [pl.Datetime("us"), pl.Datetime("ns"), pl.Datetime("ms"), pl.Date, pl.Datetime("us", "Asia/Seoul"), pl.String],
)  # fmt: skip
def test_a_time_of_parquet_is_that_of_csv(tmp_path: Path, kind: pl.DataType) -> None:
    days = pl.Series("date", [datetime(2020, 3, 8), datetime(2020, 3, 15), datetime(2020, 3, 1)])
    cast = days.dt.to_string("%Y-%m-%d") if kind == pl.String else _as(days, kind)
    frame = pl.DataFrame({"client": ["a", "a", "b"], "score": [5.0, 6.0, 7.0]}).with_columns(cast)
    frame.write_parquet(tmp_path / "table.parquet")
    found = read_ratings(tmp_path / "table.parquet").ratings
    assert found["time"].to_list() == days.to_list()
    assert found["session"].to_list() == [1, 2, 1]


def _as(days: pl.Series, kind: pl.DataType) -> pl.Series:
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return days.dt.replace_time_zone(kind.time_zone)
    return days.cast(kind)
