"""Which session it was, where a file does not say: sessions of a client are counted in the order of their time.

An Encounter is a session. Answers and scores that name no Encounter belong to the session of that client on the same
day, as the file writes days; where there was none, those of one day are a session of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Late:
    """A resource of which it is not known as yet which session it belongs to.

    Parameters
    ----------
    place
        Where it stands, for a message.
    kind
        Its type.
    subject, encounter
        The addresses that it names; an Encounter's own.
    at, day
        When, in UTC; and the day as the file writes it.
    content
        What becomes of it once the session is known.
    display
        What the reference calls the person, to see that the code does not.
    """

    place: str
    kind: str
    subject: str
    encounter: str | None
    at: datetime | None
    day: str | None
    content: Any = field(repr=False)
    display: object = field(default=None, repr=False)


@dataclass(slots=True)
class _Occasion:
    at: datetime
    day: str


def counted(
    late: list[Late], codes: Mapping[str, str], same: Mapping[str, str], told: frozenset[str]
) -> Iterator[tuple[Late, int]]:
    """Return each resource with the number of its session, by client and in the order of the sessions.

    Parameters
    ----------
    late
        The resources.
    codes
        The client's code of each, by its place.
    same
        Addresses of Encounters that have another one.
    told
        The clients of whom other sessions in the file bring their number.

    Raises
    ------
    InputError
        Where a session has no time, or two ways of counting would meet; with the entry.
    """
    by_client: dict[str, list[Late]] = {}
    for each in late:
        by_client.setdefault(codes[each.place], []).append(each)
    for code, group in by_client.items():
        if code in told:
            raise InputError(
                f"{group[0].place}: {group[0].kind} does not say which session it belongs to, while others of this "
                "client do; let it name their Encounter."
            )
        yield from _count(group, same)


def _count(group: list[Late], same: Mapping[str, str]) -> Iterator[tuple[Late, int]]:
    occasions: dict[str, _Occasion] = {}
    keys: dict[str, str] = {}
    for each in sorted(group, key=lambda one: one.kind != "Encounter"):
        named = each.encounter and same.get(each.encounter, each.encounter)
        key = named or _same_day(occasions, each) or f"on {each.day}"
        if key not in occasions:
            if each.at is None or each.day is None:
                raise InputError(
                    f"{each.place}: {each.kind} has neither an Encounter with a start nor a day, so which session "
                    "it belongs to cannot be told."
                )
            occasions[key] = _Occasion(each.at, each.day)
        keys[each.place] = key
    order = sorted(occasions, key=lambda key: occasions[key].at)
    numbers = {key: number for number, key in enumerate(order, 1)}
    for each in sorted(
        group, key=lambda one: (numbers[keys[one.place]], one.kind != "Encounter", _when(one))
    ):
        yield each, numbers[keys[each.place]]


def _when(late: Late) -> tuple[bool, float]:
    """A key of time; what has none comes last."""
    return late.at is None, 0.0 if late.at is None else late.at.timestamp()


def _same_day(occasions: Mapping[str, _Occasion], late: Late) -> str | None:
    """The session of that day: the last one that had begun by then, else the first."""
    on_day = sorted(
        (occasion.at, key)
        for key, occasion in occasions.items()
        if late.day is not None and occasion.day == late.day
    )
    begun = [key for at, key in on_day if late.at is not None and at <= late.at]
    return (begun[-1] if begun else on_day[0][1]) if on_day else None
