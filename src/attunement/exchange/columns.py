"""Which column is what: as the user says with ``--map``, or from the header where it is clear."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING

from attunement.errors import ColumnProblem
from attunement.exchange.raw import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LINES = ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters")
"""The lines of a check-in, each a column of its own."""
KEYS = (
    *(
        "client",
        "therapist",
        "session",
        "score",
        "time",
        "guess",
        "outcome",
        "my_day",
        "attendance",
        "ending",
    ),
    *LINES,
)
"""What a column may be; besides, ``feeling:NAME`` for a feeling of the therapist's own, 0 to 10."""

_FEELING = "feeling:"
_CALLED = {
    "client": "client clientid clientcode patient patientid pt ptid",
    "therapist": "therapist therapistid counselor counselorid counsellor counsellorid clinician clinicianid provider",
    "session": "session sessionnumber sessionno sessionnr sessionnum visit",
    "score": "score scoretotal total totalscore rating alliance connection",
    "time": "time date sessiondate startedat sessiontime",
    "guess": "guess therapistguess",
    "outcome": "outcome outcomescore",
}
"""What is clear from the header; the other keys are only taken where they are named."""


def parse_mapping(text: str) -> dict[str, str]:
    """Read ``client=client_id,score=total``.

    >>> parse_mapping("client=client_id, score=total")
    {'client': 'client_id', 'score': 'total'}

    Raises
    ------
    ColumnProblem
        Names the part that cannot be read.
    """

    def refuse_unknown(key: str) -> None:
        if key not in KEYS and not (key.startswith(_FEELING) and len(key) > len(_FEELING)):
            raise ColumnProblem(
                f"--map: {shown(key)} is no key; the keys are {', '.join(KEYS)} and feeling:NAME."
            )

    return pairs(text, refuse_unknown)


def pairs(text: str, refuse_unknown: Callable[[str], None]) -> dict[str, str]:
    """Read KEY=COLUMN, KEY=COLUMN, … for whoever knows which keys there are.

    Raises
    ------
    ColumnProblem
        Names the part that cannot be read; `refuse_unknown` raises its own.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not column:
            raise ColumnProblem(f"--map: {shown(part.strip())} is not KEY=COLUMN, such as client=client_id.")
        refuse_unknown(key)
        if key in found:
            raise ColumnProblem(f"--map: {key} is named twice; once would do.")
        found[key] = column
    return found


def find_columns(
    header: tuple[str, ...], mapping: Mapping[str, str] | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Match keys with columns: what was said, then what is clear; returns the mapping and what was guessed.

    Raises
    ------
    ColumnProblem
        Where the first row is no header, a name stands twice, a column said is not there, two could be meant, or
        client, score, or session and time are missing.
    """
    found = dict(mapping or {})
    _refuse_headless(header, found)
    _refuse_twins(header)
    _refuse_unknown(header, found)
    guessed = _guess(header, found)
    for key in ("client", "score"):
        if key not in found:
            raise ColumnProblem(
                f"No column is clearly the {key}; name it: --map {key}=COLUMN. {_has(header)}"
            )
    if "session" not in found and "time" not in found:
        raise ColumnProblem(
            f"Neither a session number nor a time is there; name one: --map session=COLUMN. {_has(header)}"
        )
    return {key: found[key] for key in _ordered(found)}, tuple(guessed)


def _guess(header: tuple[str, ...], found: dict[str, str]) -> list[str]:
    """Add to `found` what is clear from the header; returns the keys added."""
    guessed = []
    plain = [(name, _plain(name)) for name in header]
    for key, names in _CALLED.items():
        if key in found:
            continue
        called, taken = names.split(), set(found.values())
        alike = [name for name, bare in plain if bare in called and name not in taken]
        if len(alike) > 1 and key in {"client", "score", "therapist", "session"}:
            raise ColumnProblem(
                f"{shown(alike[0])} and {shown(alike[1])} could both be the {key}; name one: --map {key}=COLUMN."
            )
        if len(alike) == 1:
            found[key] = alike[0]
            guessed.append(key)
    return guessed


def _ordered(found: Mapping[str, str]) -> list[str]:
    return [key for key in KEYS if key in found] + [key for key in found if key not in KEYS]


def _refuse_headless(header: tuple[str, ...], mapping: Mapping[str, str]) -> None:
    """Refuse a first row of data, before a message could show any of its cells as names."""
    filled = [name for name in header if name]
    numbers = sum(bool(re.fullmatch(r"[\d.,:/T+ -]+", name)) for name in filled)
    usual = {called for each in _CALLED.values() for called in each.split()}
    known = any(name in mapping.values() or _plain(name) in usual for name in filled)
    if 2 * numbers >= len(filled) or (numbers and not known):
        raise ColumnProblem(
            "The first row looks like data; a header line that names the columns is needed above it."
        )


def _refuse_twins(header: tuple[str, ...]) -> None:
    twins = sorted(name for name, times in Counter(header).items() if name and times > 1)
    if twins:
        raise ColumnProblem(f"More than one column is called {shown(twins[0])}; rename one of them.")


def _refuse_unknown(header: tuple[str, ...], mapping: Mapping[str, str]) -> None:
    for key, column in mapping.items():
        if column not in header:
            raise ColumnProblem(f"There is no column {shown(column)} (for {key}); {_nearest(column, header)}")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _nearest(column: str, header: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(column, header, n=1)
    return f"{shown(near[0])} comes near." if near else _has(header)


def _has(header: tuple[str, ...]) -> str:
    names = [shown(name, 24) for name in header[:10] if name]
    more = f" and {len(header) - 10} more" if len(header) > 10 else ""
    return f"The file has {', '.join(names)}{more}."
