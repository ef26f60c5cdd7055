"""Reading a table that came from outside, in a process of its own, and choosing whose ratings are meant.

A table names clients by code and says how they rated; it is not written in plain to any file here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import InputError
from attunement.exchange.apart import read_ratings_apart
from attunement.practice.rated import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Preview:
    """How a table was understood.

    Parameters
    ----------
    ratings
        client, session, time, score; one therapist's.
    mapping
        Our column names and the file's.
    notes, skipped
        What was assumed, and the rows that were left out, with why.
    therapists
        All that the table names; more than one is to be chosen from.
    whose
        Which was chosen.
    low, high
        The scale as guessed from the scores.
    """

    ratings: pl.DataFrame
    mapping: Mapping[str, str]
    notes: tuple[str, ...]
    skipped: tuple[tuple[int, str], ...]
    therapists: tuple[str, ...]
    whose: str
    low: float
    high: float


_SKIPPED = 20  # rows that were left out, shown
_COLUMNS = ("therapist", "client", "session", "time", "score")


def read_table(name: str, content: bytes, mapping: Mapping[str, str], whose: str) -> Preview:
    """Read a CSV or Parquet file that somebody sent.

    Raises
    ------
    InputError
        With one sentence, which names the row and the column where it is one of them.
    """
    from attunement.trajectories import guess_scale  # noqa: PLC0415 - most of a second, for this alone

    found = read_ratings_apart(content, {"mapping": dict(mapping) or None, "skip_bad": True}, name=name)
    if found.ratings.height > MOST_ROWS:
        raise InputError(
            f"{name} has {found.ratings.height:,} rated sessions; at most {MOST_ROWS:,} are taken in at once."
        )
    ratings = found.ratings.select(each for each in _COLUMNS if each in found.ratings.columns)
    therapists = tuple(ratings["therapist"].unique().sort().to_list())
    chosen = whose if whose in therapists else therapists[0]
    low, high = guess_scale(ratings["score"])
    return Preview(
        ratings=ratings.filter(pl.col("therapist") == chosen).drop("therapist"),
        mapping=found.mapping,
        notes=tuple(map(_for_a_page, found.notes)),
        skipped=tuple(found.skipped.head(_SKIPPED).rows()),
        therapists=therapists,
        whose=chosen,
        low=low,
        high=high,
    )


def _for_a_page(note: str) -> str:
    """A note without the option of the command line that would change it: the page has fields for that."""
    said, option, _ = note.partition("; --")
    return f"{said}." if option else note
