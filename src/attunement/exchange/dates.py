"""Dates and times in ISO and the usual US forms, a whole column at once.

>>> import polars as pl
>>> parse_times(pl.Series(["2020-03-08T18:22:28+09:00", "3/8/20 6:22 PM", "Mar 8, 2020", "the 8th"])).to_list()
[datetime.datetime(2020, 3, 8, 18, 22, 28), datetime.datetime(2020, 3, 8, 18, 22),
 datetime.datetime(2020, 3, 8, 0, 0), None]
"""

from __future__ import annotations

import polars as pl

FORMS = "2020-03-08, 2020-03-08 18:22 or 3/8/2020 6:22 PM"

_CLOCK = (
    r"(?:[T, ]+(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d+)?)?"
    r"(?: ?(?<half>[AaPp])\.?[Mm]\.?)?)?"
)
_ZONE = r"(?: ?(?:Z|UTC|[+-]\d{2}:?\d{2}))?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = (
    r"(?<year>(?:19|20|21)\d{2})-(?<month>\d{1,2})-(?<day>\d{1,2})",
    r"(?<month>\d{1,2})[/-](?<day>\d{1,2})[/-](?<year>(?:19|20|21)\d{2}|\d{2})",
    r"(?<name>[A-Za-z]{3,9})\.? (?<day>\d{1,2}),? (?<year>(?:19|20|21)\d{2})",
)


def month_first(text: pl.Series) -> bool:
    """Whether any date of a column is in figures with the month in front, which is worth saying."""
    return bool(text.str.contains(r"^\s*\d{1,2}[/-]\d{1,2}[/-]").any())


def parse_times(text: pl.Series) -> pl.Series:
    """Read a column of text; what fits no form, or is no day of the calendar, becomes null.

    A zone or an offset is left out: what counts is the local hour.
    """
    column = text.alias("text").to_frame()
    read = [_read(pattern) for pattern in _DATES]
    return column.select(pl.coalesce(read)).to_series()


def _read(pattern: str) -> pl.Expr:
    parts = pl.col("text").str.strip_chars().str.extract_groups(f"^{pattern}{_CLOCK}{_ZONE}$")

    def part(name: str) -> pl.Expr:
        return parts.struct.field(name)

    year = (
        pl.when(part("year").str.len_chars() == 2).then(pl.lit("20") + part("year")).otherwise(part("year"))
    )
    month = _month(part("name")) if "<name>" in pattern else part("month")
    day = [year, month.str.zfill(2), part("day").str.zfill(2)]
    clock = [_hour(part("hour"), part("half")), _or_zero(part("minute")), _or_zero(part("second"))]
    written = pl.concat_str(day, separator="-") + " " + pl.concat_str(clock, separator=":")
    return written.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")


def _hour(hour: pl.Expr, half: pl.Expr) -> pl.Expr:
    """Hours of a twelve-hour clock are turned to twenty-four."""
    number, half = hour.cast(pl.Int64), half.str.to_lowercase()
    turned = (
        pl.when(half.is_null()).then(number).when(~number.is_between(1, 12)).then(99)
        .when(half == "p").then(number % 12 + 12).otherwise(number % 12)
    )  # fmt: skip
    return turned.fill_null(0).cast(pl.String).str.zfill(2)


def _or_zero(part: pl.Expr) -> pl.Expr:
    return part.fill_null("00")


def _month(name: pl.Expr) -> pl.Expr:
    numbers = [f"{number:02d}" for number in range(1, 13)]
    return name.str.to_lowercase().str.slice(0, 3).replace_strict(list(_MONTHS), numbers, default=None)
