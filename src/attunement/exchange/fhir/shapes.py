"""What an element of FHIR may hold, and the first thing in a resource that is not so.

A shape names the elements that we write or read, and passes over the others. It holds codes to their value sets, which
neither `fhir.resources` nor a structural validator does, and asks for what is required, which the JSON Schema does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from attunement.errors import InputError
from attunement.exchange.fhir.strict import Json, shown
from attunement.exchange.fhir.times import moment

Check = Callable[[Json], None]
"""Refuses a value with a clause, such as `` is 7; it takes a text``; each level above puts its name before it."""

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE: Final = re.compile(r"[^\s]+(\s[^\s]+)*")
_URI: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: the elements that are looked at, those that it must have, and what they have to be together."""

    elements: Mapping[str, Check]
    required: tuple[str, ...] = ()
    also: tuple[Check, ...] = field(default=())

    def __call__(self, value: Json) -> None:
        """Refuse a value that is no such object."""
        if not isinstance(value, dict):
            _refuse(value, "an object")
        for name in self.required:
            if name not in value:
                raise InputError(f".{name} is missing; it has to be there")
        elements, name = self.elements, ""
        try:
            for name, each in value.items():
                check = elements.get(name)
                if check is not None:
                    check(each)
        except InputError as problem:
            raise InputError(f".{name}{problem}") from None
        for check in self.also:
            check(value)


def many(check: Check) -> Check:
    """Return the check of a list of such values; FHIR has no empty list."""

    def look(value: Json) -> None:
        if not isinstance(value, list) or not value:
            _refuse(value, "a list that is not empty")
        place = -1
        try:
            for each in value:
                place += 1
                check(each)
        except InputError as problem:
            raise InputError(f"[{place}]{problem}") from None

    return look


def code(*words: str) -> Check:
    """Return the check of a code: one of these words, or where there are none, any."""
    known = frozenset(words)

    def look(value: Json) -> None:
        if not isinstance(value, str) or (value not in known and not _CODE.fullmatch(value)):
            _refuse(value, "a code")
        if known and value not in known:
            raise InputError(f" is {shown(value)}, none of its codes ({', '.join(words)})")

    return look


def text(value: Json) -> None:
    """Refuse what is no text, or a blank one."""
    if not isinstance(value, str) or not value.strip():
        _refuse(value, "a text that is not blank")


def uri(value: Json) -> None:
    """Refuse what is no address."""
    if not isinstance(value, str) or not _URI.fullmatch(value):
        _refuse(value, "an address without spaces")


def ident(value: Json) -> None:
    """Refuse what is no id of a resource."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        _refuse(value, "1 to 64 letters, digits, hyphens and points")


def number(value: Json) -> None:
    """Refuse what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(value, "a number")


def whole(value: Json) -> None:
    """Refuse what is no whole number of 32 bits."""
    if type(value) is not int or not -(2**31) <= value < 2**31:
        _refuse(value, "a whole number")


def flag(value: Json) -> None:
    """Refuse what is neither true nor false."""
    if not isinstance(value, bool):
        _refuse(value, "true or false")


def time(value: Json) -> None:
    """Refuse what is no dateTime."""
    if not isinstance(value, str):
        _refuse(value, "a date or a time")
    try:
        moment(value)
    except InputError as problem:
        raise InputError(f": {problem}") from None


def _refuse(value: object, takes: str) -> None:
    raise InputError(f" is {shown(value)}; it takes {takes}")
