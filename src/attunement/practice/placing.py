"""Which session something from another system is of, where that system numbers none: told by the day.

A weekly file of a clinic has one session in it; counted from 1 it would be the first, each week anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attunement.errors import InputError
from attunement.exchange.entries import ClientEntry, SessionEntry
from attunement.sessions import UNDATED, code, instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from attunement.exchange.entries import Entry


def placed(entries: Sequence[Entry], known: Mapping[str, Mapping[int, datetime]]) -> list[Entry]:
    """Return entries with the numbers that their sessions have here.

    A session that was merely counted in its file is the one of the same day, or else the next. Of a client who is new,
    and of a session without any time, the file's own count stands.

    Parameters
    ----------
    entries
        As a reader gave them.
    known
        By client, the sessions that are there, and when each began.
    """
    times: dict[tuple[str, int], datetime | None] = {}
    for entry in entries:
        if isinstance(entry, ClientEntry) or not entry.counted or not known.get(code(entry.client)):
            continue
        number, at = (
            (entry.number, entry.began) if isinstance(entry, SessionEntry) else (entry.session, entry.at)
        )
        of = (code(entry.client), number)
        times[of] = times.get(of) or point(at, entry.client)
    numbers = _numbers(times, known)
    return [_moved(entry, numbers) for entry in entries]


def point(time: datetime | None, where: str) -> datetime | None:
    """Return a point in time in UTC.

    Raises
    ------
    InputError
        Where its year is out of all range.
    """
    try:
        return None if time is None else instant(time)
    except (OverflowError, ValueError):
        raise InputError(f"{where}: the year {time.year if time else ''} is out of all range.") from None


def _numbers(
    times: Mapping[tuple[str, int], datetime | None], known: Mapping[str, Mapping[int, datetime]]
) -> dict[tuple[str, int], int]:
    numbers: dict[tuple[str, int], int] = {}
    days = {
        client: {began.date(): number for number, began in of.items() if began != UNDATED}
        for client, of in known.items()
    }
    after = {client: max(of, default=0) for client, of in known.items()}
    for client, number in sorted(times):
        at = times[client, number]
        if at is None:
            continue
        there = days[client].pop(at.date(), None)
        if there is None:
            after[client] += 1
        numbers[client, number] = there or after[client]
    return numbers


def _moved(entry: Entry, numbers: Mapping[tuple[str, int], int]) -> Entry:
    if isinstance(entry, ClientEntry):
        return entry
    if isinstance(entry, SessionEntry):
        to = numbers.get((code(entry.client), entry.number)) if entry.counted else None
        return entry if to is None else replace(entry, number=to)
    to = numbers.get((code(entry.client), entry.session)) if entry.counted else None
    return entry if to is None else replace(entry, session=to)
