"""Session ratings from a file: cells become values, each refusal with its row, each assumption said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from attunement import frames
from attunement.errors import ColumnProblem, TooLittle
from attunement.exchange.columns import find_columns
from attunement.exchange.csv import read_csv
from attunement.exchange.dates import month_first
from attunement.exchange.files import is_parquet, refuse_what_is_no_text
from attunement.exchange.numbering import number_sessions
from attunement.exchange.parquet import read_parquet
from attunement.exchange.raw import cell, shown
from attunement.exchange.sent import Sent
from attunement.exchange.values import Values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

    from attunement.exchange.raw import RawTable

MISSING_SHARE = 1 / 3  # of the scores, above which a table is refused unless told otherwise
_SHOWN = 3
_LONG = 260  # characters about bad rows in one message


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Parameters
    ----------
    ratings
        Holds `frames.RATINGS`; only rows with a score.
    rows
        The same with those that have no score: what else is known of a session counts all the same.
    mapping
        Our column names and the file's.
    guessed
        Which of ours were taken from the header without being told.
    notes
        What was understood or assumed, a sentence each.
    skipped
        A table of ``row, why``: what was left out. A CSV's header is row 1, as in a spreadsheet.
    """

    ratings: pl.DataFrame = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    mapping: Mapping[str, str]
    guessed: tuple[str, ...]
    notes: tuple[str, ...]
    skipped: pl.DataFrame = field(repr=False)


def read_ratings(
    path: Path | str | Sent,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
    skip_bad: bool = False,
    missing_ok: bool = False,
) -> Reading:
    """Read a table of session ratings from a CSV or Parquet file.

    Parameters
    ----------
    path
        The file; or its name and its bytes.
    mapping
        Our keys (`columns.KEYS`, or ``feeling:NAME``) and the file's columns; the rest is taken from the header where
        it is clear.
    encoding
        Of a CSV file.
    skip_bad
        Leave out rows that cannot be read, and list them, instead of refusing the file.
    missing_ok
        Take a table in which more than a third of the scores are missing.

    Raises
    ------
    InputError
        One sentence: what, in which row, and what would do.
    """
    raw, used, guessed = _raw(path if isinstance(path, Sent) else Path(path), mapping, encoding)
    values = Values.of(raw, used)
    if values.bad and not skip_bad:
        raise ColumnProblem(_told(values.bad))
    table = values.table.filter(~pl.col("row").is_in([row for row, _ in values.bad]))
    table, notes = number_sessions(table)
    twins = _twins(table)
    if twins and not skip_bad:
        raise ColumnProblem(_told(twins))
    skipped = [(row, "a blank row") for row in raw.blank] + values.bad + twins
    table = table.filter(~pl.col("row").is_in([row for row, _ in twins]))
    unrated = table.filter(pl.col("score").is_null())["row"].to_list()
    _refuse_too_little(table, len(unrated), missing_ok=missing_ok)
    skipped += [(row, "no score") for row in unrated]
    rows = frames.ratings(table.drop("row"))
    return Reading(
        ratings=rows.filter(pl.col("score").is_not_null()),
        rows=rows,
        mapping=used,
        guessed=guessed,
        notes=(*_header_notes(raw, used, guessed), *raw.notes, *notes),
        skipped=pl.DataFrame(sorted(skipped), schema={"row": pl.Int64, "why": pl.String}, orient="row"),
    )


def read_sent(stream: BinaryIO, name: str, **settings: Any) -> Reading:  # noqa: ANN401 - of `read_ratings`
    """Read a table of session ratings that came without a place of its own."""
    return read_ratings(Sent(name, stream.read()), **settings)


def _raw(
    path: Path | Sent, mapping: Mapping[str, str] | None, encoding: str
) -> tuple[RawTable, dict[str, str], tuple[str, ...]]:
    found: list[tuple[dict[str, str], tuple[str, ...]]] = []

    def choose(header: tuple[str, ...]) -> list[int]:
        found.append(find_columns(header, mapping))
        return [header.index(column) for column in found[0][0].values()]

    if is_parquet(path):
        raw = read_parquet(path, choose)
    else:
        refuse_what_is_no_text(path, encoding)
        raw = read_csv(path, encoding, choose)
    used, guessed = found[0]
    return raw, used, guessed


def _told(bad: list[tuple[int, str]]) -> str:
    """Tell the first few bad rows in one sentence."""
    told = [f"row {row}: {why}" for row, why in bad[:_SHOWN]]
    while len(told) > 1 and sum(map(len, told)) > _LONG:
        told.pop()
    said, left = "; ".join(told), len(bad) - len(told)
    more = f"; and {left:,} more row{'s' if left > 1 else ''}" if left else ""
    return f"{said[0].upper()}{said[1:]}{more}; mend this, or leave such rows out with --skip-bad."


def _twins(table: pl.DataFrame) -> list[tuple[int, str]]:
    """Rows that say the same therapist, client and session as an earlier row."""
    key = ["therapist", "client", "session"]
    later = table.with_columns(first=pl.col("row").first().over(key)).filter(pl.col("row") != pl.col("first"))
    return [
        (row["row"], f"the same therapist, client and session as in row {row['first']} ({_who(row)})")
        for row in later.iter_rows(named=True)
    ]


def _who(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {shown(str(row[name]), 24)}" for name in ("therapist", "client", "session"))


def _refuse_too_little(table: pl.DataFrame, unrated: int, *, missing_ok: bool) -> None:
    rated = table.filter(pl.col("score").is_not_null())
    if rated.is_empty():
        raise TooLittle("No row has a score; there is nothing to look at.")
    if unrated > MISSING_SHARE * table.height and not missing_ok:
        raise TooLittle(
            f"{unrated:,} of {table.height:,} scores ({100 * unrated / table.height:.0f} %) are missing, and who "
            "answers may differ from who does not; --missing-ok looks all the same."
        )
    if rated.height == 1:
        raise TooLittle(
            "There is one rated session of one client; two sessions or more are needed to look at a course."
        )
    if rated["score"].n_unique() == 1:
        raise TooLittle(
            f"All {rated.height:,} scores are {rated['score'][0]:g}; there is no difference to look at."
        )


def _header_notes(raw: RawTable, used: Mapping[str, str], guessed: tuple[str, ...]) -> list[str]:
    notes = []
    if guessed:
        said = ", ".join(f"{key} is {used[key]}" for key in guessed)
        notes.append(f"Taken from the header: {said}; --map KEY=COLUMN sets it otherwise.")
    left = len(raw.header) - len(set(used.values()))
    if left:
        notes.append(f"{left} column{'s were' if left > 1 else ' was'} left aside.")
    if "time" in used and month_first(raw.cells[cell(raw.header.index(used["time"]))]):
        notes.append("Dates such as 3/8/2020 were read with the month first.")
    if "therapist" not in used:
        notes.append("No column names a therapist; one is assumed.")
    return notes
