"""Which column is what: as the user says it, or as the header makes it clear."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import ColumnProblem, UnreadableFile
from attunement.exchange._sentences import counted, listed, name
from attunement.exchange.dates import as_times
from attunement.exchange.values import as_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

FEELING = "feeling:"
SYNONYMS = {
    "client": ("client", "client id", "client code", "patient", "patient id", "patient code", "pt", "pt id"),
    "therapist": (
        "therapist", "therapist id", "therapist code", "counselor", "counselor id", "counsellor",
        "counsellor id", "clinician", "clinician id", "provider", "provider id",
    ),
    "session": ("session", "session number", "session no", "session nr", "visit", "visit number", "visit no"),
    "score": ("score", "score total", "total", "total score", "rating", "alliance", "connection"),
    "time": ("time", "date", "datetime", "session date", "session time", "started at"),
    "guess": ("guess",),
    "outcome": ("outcome",),
}  # fmt: skip
KEYS = tuple(SYNONYMS)
_NEEDED = ("client", "score")
_EXAMPLE = "client=client_id,session=session_number,score=score_total"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns that are read.

    Parameters
    ----------
    theirs
        Our name of each column, and the file's.
    guessed
        Which of ours were guessed from the header.
    notes
        What was guessed or left aside, a sentence each.
    """

    theirs: dict[str, str]
    guessed: tuple[str, ...]
    notes: tuple[str, ...]


def parse_mapping(text: str) -> dict[str, str]:
    """Read a mapping as it is written on a command line.

    >>> parse_mapping("client=client_id, score=score_total, feeling:sad=t_sad")
    {'client': 'client_id', 'score': 'score_total', 'feeling:sad': 't_sad'}

    Raises
    ------
    ColumnProblem
        A part is not KEY=COLUMN, its key is not known, or a key stands twice.
    """
    mapping: dict[str, str] = {}
    for part in text.split(","):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not (ours and equals and theirs):
            raise ColumnProblem(
                f"The mapping is KEY=COLUMN with commas between, such as {_EXAMPLE}; {name(repr(part))} is not."
            )
        if ours in mapping:
            raise ColumnProblem(
                f"The mapping names {name(ours)} twice ({name(mapping[ours])} and {name(theirs)}); one would do."
            )
        mapping[ours] = theirs
    _refuse_unknown_keys(mapping)
    return mapping


def choose(header: tuple[str, ...], mapping: Mapping[str, str] | None) -> Chosen:
    """Find the column of each key: the one that was named, or the only one whose name makes it clear.

    Raises
    ------
    UnreadableFile
        The header looks like data.
    ColumnProblem
        A column that was named is not there, or one that is needed is not clear.
    """
    named = dict(mapping or {})
    candidates = _candidates(header, named)
    _refuse_data(header, known=bool(candidates) or any(theirs in header for theirs in named.values()))
    _refuse_unknown_keys(named)
    _refuse_unknown_columns(named, header)
    guesses = {ours: found[0] for ours, found in candidates.items() if len(found) == 1}
    unclear = {ours: found for ours, found in candidates.items() if len(found) > 1}
    theirs = _in_order(named | guesses)
    _refuse_unclear(theirs, unclear)
    _refuse_missing(theirs, header)
    aside = len([each for each in header if each]) - len(set(theirs.values()))
    notes = (*_guessed_notes(guesses), *_unclear_notes(unclear), *_aside_notes(aside))
    return Chosen(theirs, tuple(ours for ours in theirs if ours in guesses), notes)


def _candidates(header: tuple[str, ...], named: Mapping[str, str]) -> dict[str, list[str]]:
    """The columns that could be a key that was not named."""
    free = [each for each in header if each and each not in named.values()]
    plain = {ours: {_plain(word) for word in words} for ours, words in SYNONYMS.items()}
    found = {ours: [each for each in free if _plain(each) in plain[ours]] for ours in KEYS if ours not in named}
    feelings = {
        each: [each]
        for each in free
        if each.startswith(FEELING) and each != FEELING and each not in named
    }
    return {ours: each for ours, each in (found | feelings).items() if each}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _in_order(theirs: Mapping[str, str]) -> dict[str, str]:
    feelings = [ours for ours in theirs if ours not in KEYS]
    return {ours: theirs[ours] for ours in (*KEYS, *feelings) if ours in theirs}


def _refuse_data(header: tuple[str, ...], *, known: bool) -> None:
    """A header line has names; a first row of numbers and dates is data, and is not shown."""
    cells = pl.Series([each for each in header if each], dtype=pl.String)
    figures = int((as_numbers(cells).is_not_null() | as_times(cells).is_not_null()).sum())
    if figures and not known:
        raise UnreadableFile(
            f"The first row looks like data ({figures} of its {counted(cells.len(), 'cell')} "
            f"{'is a number or a date' if figures == 1 else 'are numbers or dates'}); a header line naming the "
            "columns is needed above it, such as client,session,score."
        )


def _refuse_unknown_keys(mapping: Mapping[str, str]) -> None:
    for ours in mapping:
        if ours not in KEYS and not ours.removeprefix(FEELING).strip() != ours.strip():
            raise ColumnProblem(
                f"The mapping's key {name(ours)} is not known; the keys are {listed((*KEYS, 'feeling:NAME'))}."
            )


def _refuse_unknown_columns(named: Mapping[str, str], header: tuple[str, ...]) -> None:
    for ours, theirs in named.items():
        if theirs not in header:
            near = difflib.get_close_matches(theirs, [each for each in header if each], n=1)
            meant = f" (was {name(near[0])} meant?)" if near else ""
            raise ColumnProblem(
                f"There is no column {name(theirs)} for the {name(ours)}{meant}; the table has {listed(filter(None, header))}."
            )
    twice = [theirs for theirs, times in Counter(named.values()).items() if times > 1]
    if twice:
        keys = [ours for ours, theirs in named.items() if theirs == twice[0]]
        raise ColumnProblem(
            f"The mapping uses the column {name(twice[0])} for {listed(keys)}; each needs a column of its own."
        )


def _refuse_unclear(theirs: Mapping[str, str], unclear: Mapping[str, list[str]]) -> None:
    """What decides who and which session is asked for; a second time or outcome column is only left out."""
    for ours, found in unclear.items():
        if ours in {"client", "therapist", "session", "score"} or (ours == "time" and "session" not in theirs):
            raise ColumnProblem(
                f"{_could_be(ours, found)}; name the one that is: --map {ours}={name(found[0])}."
            )


def _refuse_missing(theirs: Mapping[str, str], header: tuple[str, ...]) -> None:
    missing = [ours for ours in _NEEDED if ours not in theirs]
    if "session" not in theirs and "time" not in theirs:
        missing.append("session")
    if missing:
        either = " (or the time)" if "session" in missing else ""
        raise ColumnProblem(
            f"No column is clearly the {listed(missing, 'or')}{either}; the table has {listed(filter(None, header))}; "
            f"name it: --map {','.join(f'{ours}=COLUMN' for ours in missing)}."
        )


def _could_be(ours: str, found: list[str]) -> str:
    many = "Two columns" if len(found) == 2 else f"{len(found)} columns"
    return f"{many} could be the {ours} ({listed(found)})"


def _guessed_notes(guesses: Mapping[str, str]) -> tuple[str, ...]:
    pairs = [f"{name(theirs)} as the {ours}" for ours, theirs in guesses.items()]
    return (f"Guessed from the header: {', '.join(pairs)}; --map sets it.",) if pairs else ()


def _unclear_notes(unclear: Mapping[str, list[str]]) -> tuple[str, ...]:
    return tuple(f"{_could_be(ours, found)}, and none was used; --map sets it." for ours, found in unclear.items())


def _aside_notes(aside: int) -> tuple[str, ...]:
    return (f"{counted(aside, 'other column')} {'was' if aside == 1 else 'were'} left aside.",) if aside else ()
