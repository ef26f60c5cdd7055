"""Cells become values: codes, counts, numbers and times, each with the rows that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from attunement.exchange.dates import FORMS, parse_times
from attunement.exchange.raw import RawTable, cell, shown
from attunement.frames import ENDINGS, SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from attunement.frames import Contract

    _Read = tuple[pl.Series, pl.Series, Callable[[str], str]]
    """Values, which cells cannot be read, and how to say so of one."""

_LARGEST = 1e9
_MISSING = ("", "na", "n/a", "nan", "null", "none", ".", "-")


@dataclass(frozen=True, slots=True)
class Values:
    """The table with types, and what could not be read.

    Parameters
    ----------
    table
        ``row``, our columns, in their types; the session as a float, not yet numbered.
    bad
        Row and reason, by row.
    """

    table: pl.DataFrame
    bad: list[tuple[int, str]]

    @classmethod
    def of(cls, raw: RawTable, used: Mapping[str, str]) -> Values:
        """Read all mapped columns."""
        columns = {"row": raw.cells["row"]}
        bad: dict[int, str] = {}
        for key, column in used.items():
            text = raw.cells[cell(raw.header.index(column))].str.strip_chars()
            read, wrong, said = _READ.get(key, _number)(text, raw)
            columns[key] = read
            for place in wrong.fill_null(value=False).arg_true().to_list():
                bad.setdefault(int(raw.cells["row"][place]), f"the {_named(key, column)} {said(text[place])}")
        if "therapist" not in columns:
            columns["therapist"] = pl.Series(["1"]).new_from_index(0, raw.cells.height)
        return cls(pl.DataFrame(columns), sorted(bad.items()))


def _code(text: pl.Series, _raw: RawTable) -> _Read:
    plain = text.str.replace_all(r"[\s\p{Cc}]+", " ").str.strip_chars()
    return plain, plain == "", _or_empty


def _number(text: pl.Series, raw: RawTable) -> _Read:
    present = ~text.str.to_lowercase().is_in(_MISSING)
    plain = text.str.replace(r"^([+-]?\d*),(\d+)$", "${1}.${2}") if raw.comma else text
    number = plain.cast(pl.Float64, strict=False)
    number = number.set(
        ~(number.abs() <= _LARGEST).fill_null(value=False) | ~present, None
    )  # NaN is no number
    return (
        number,
        present & number.is_null(),
        lambda value: f"{_or_empty(value)} is not a number that a rating could be",
    )


def _session(text: pl.Series, raw: RawTable) -> _Read:
    number, wrong, _ = _number(text, raw)
    whole = (number >= 0) & (number == number.floor()) & (number < 1e6)
    wrong = wrong | ~whole.fill_null(value=False)
    return (
        number,
        wrong,
        lambda value: (
            f"{_or_empty(value)}{' and' if value == '' else ''} is not a session number (1, 2, …, or 0 for an intake)"
        ),
    )


def _time(text: pl.Series, _raw: RawTable) -> _Read:
    present = ~text.str.to_lowercase().is_in(_MISSING)
    time = parse_times(text)
    said = f"is no date we know; write it as {FORMS}"
    return time, present & time.is_null(), lambda value: f"{_or_empty(value)} {said}"


def _word(contract: Contract, name: str) -> Callable[[pl.Series, RawTable], _Read]:
    """Read one of the words that a column of a contract may hold; an empty cell is missing."""
    column = contract.column(name)
    words = column.words if column else ()

    def read(text: pl.Series, _raw: RawTable) -> _Read:
        plain = text.str.to_lowercase()
        present = ~plain.is_in(_MISSING)
        known = plain.is_in(words)
        return (
            plain.set(~known, None),
            present & ~known,
            lambda value: f"{_or_empty(value)} is none of {', '.join(words)}",
        )

    return read


_READ = {
    "client": _code,
    "therapist": _code,
    "session": _session,
    "time": _time,
    "attendance": _word(SESSIONS, "attendance"),
    "ending": _word(ENDINGS, "ending"),
}


def _named(key: str, column: str) -> str:
    return key if key == column else f"{key} (column {column[:24]})"


def _or_empty(value: str) -> str:
    return shown(value, 20) if value else "is empty"
