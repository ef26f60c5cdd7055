"""Dates and times: ISO, and the forms in use in the United States. Local wall time; an offset is left out.

A form that could mean another day elsewhere (3/8/2020) is read month first, and `month_first` lets that be said.
"""

from __future__ import annotations

from itertools import product

import polars as pl

_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%B %d, %Y")
_CLOCKS = (" %H:%M:%S%.f", "", " %H:%M", " %I:%M %p", " %I:%M:%S %p")
FORMS = tuple(day + clock for day, clock in product(_DAYS, _CLOCKS))
_YEARS = (1900, 2199)  # another year is a slip

_T_BETWEEN = r"^(\d{4}-\d{1,2}-\d{1,2})[Tt]"
_OFFSET = r"(\d:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"
_DASHED = r"^(\d{1,2})-(\d{1,2})-(\d{4}|\d{2})\b"
_MONTH_FIRST = r"^\d{1,2}[/-]\d{1,2}[/-]"


def as_times(text: pl.Series) -> pl.Series:
    """Read texts as dates and times; null where a text fits no form.

    >>> as_times(pl.Series(["2020-03-08T18:22:00+01:00", "3/8/20 6:22 PM", "March 8, 2020", "8.3."])).to_list()
    [datetime.datetime(2020, 3, 8, 18, 22), datetime.datetime(2020, 3, 8, 18, 22),
     datetime.datetime(2020, 3, 8, 0, 0), None]
    """
    left = _tidied(text)
    times = pl.repeat(None, text.len(), dtype=pl.Datetime("us"), eager=True)
    for form in FORMS:
        if not left.null_count() < left.len():
            break
        read = left.str.to_datetime(form, strict=False, time_unit="us")
        read = read.zip_with(read.dt.year().is_between(*_YEARS).fill_null(value=False), times.clear(times.len()))
        times = times.zip_with(times.is_not_null(), read)
        left = left.zip_with(times.is_null(), left.clear(left.len()))
    return times


def month_first(text: pl.Series) -> bool:
    """Whether some of the texts have the month first, in figures."""
    return bool(text.str.contains(_MONTH_FIRST).any())


def _tidied(text: pl.Series) -> pl.Series:
    return (
        text.str.strip_chars()
        .str.replace_all(r"\s+", " ")
        .str.replace(_T_BETWEEN, "$1 ")
        .str.replace(_OFFSET, "$1")
        .str.replace(_DASHED, "$1/$2/$3")
    )
