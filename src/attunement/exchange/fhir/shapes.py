"""What an element of FHIR may hold, and the first thing in a resource that is not so.

A shape names the elements that we write or read, and passes over the others. It holds codes to their value sets, which
neither `fhir.resources` nor a structural validator does, and asks for what is required, which the JSON Schema does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.strict import shown
from attunement.exchange.fhir.times import moment

Check = Callable[[Any, str], None]
"""Refuses a value that stands at a place, such as ``Observation.status``."""

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CODE: Final = re.compile(r"[^\s]+(\s[^\s]+)*")


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: the elements that are looked at, those that it must have, and what they have to be together."""

    elements: Mapping[str, Check]
    required: tuple[str, ...] = ()
    also: tuple[Check, ...] = field(default=())

    def __call__(self, value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
        """Refuse a value that is no such object."""
        if not isinstance(value, dict):
            _refuse(where, value, "an object")
        for name in self.required:
            if name not in value:
                raise InputError(f"{where}.{name} is missing; it has to be there")
        elements = self.elements
        for name, each in value.items():
            check = elements.get(name)
            if check is not None:
                check(each, f"{where}.{name}")
        for check in self.also:
            check(value, where)


def many(check: Check) -> Check:
    """Return the check of a list of such values; FHIR has no empty list."""

    def look(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
        if not isinstance(value, list) or not value:
            _refuse(where, value, "a list that is not empty")
        for number, each in enumerate(value):
            check(each, f"{where}[{number}]")

    return look


def code(*words: str) -> Check:
    """Return the check of a code: one of these words, or where there are none, any."""

    def look(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            _refuse(where, value, "a code")
        if words and value not in words:
            raise InputError(f"{where} is {shown(value)}, none of its codes ({', '.join(words)})")

    return look


def text(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no text, or a blank one."""
    if not isinstance(value, str) or not value.strip():
        _refuse(where, value, "a text that is not blank")


def uri(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no address."""
    if not isinstance(value, str) or not value or any(sign.isspace() for sign in value):
        _refuse(where, value, "an address without spaces")


def ident(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no id of a resource."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        _refuse(where, value, "1 to 64 letters, digits, hyphens and points")


def number(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(where, value, "a number")


def whole(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no whole number of 32 bits."""
    if type(value) is not int or not -(2**31) <= value < 2**31:
        _refuse(where, value, "a whole number")


def flag(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is neither true nor false."""
    if not isinstance(value, bool):
        _refuse(where, value, "true or false")


def time(value: Any, where: str) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is no dateTime."""
    if not isinstance(value, str):
        _refuse(where, value, "a date or a time")
    try:
        moment(value)
    except InputError as problem:
        raise InputError(f"{where}: {problem}") from None


def _refuse(where: str, value: object, takes: str) -> None:
    raise InputError(f"{where} is {shown(value)}; it takes {takes}")
