"""JSON as FHIR means it: what Python's own reader takes in silence, and others choke on later, is refused.

Python takes NaN, the last of two equal keys, half of a surrogate pair, and nesting until the stack ends.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

Json: TypeAlias = Any
"""Whatever JSON may hold."""
DEEPEST: Final = 32
"""Levels of nesting."""
_DIGITS: Final = 18  # as FHIR promises for a decimal
_LONGEST_NUMBER: Final = 64  # signs
_UNSOUND: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_HOLDERS: Final = (dict, list)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{shown(twice)} stands twice in one object; once would do")
    return table


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS:
        raise InputError(f"a number has more than {_DIGITS} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > _LONGEST_NUMBER or not math.isfinite(number := float(digits)):
        raise InputError("a number is too large or too long; a finite one of up to 64 signs is taken")
    return number


def _no_number(word: str) -> float:
    raise InputError(f"{word} is no number in JSON; leave the element out where there is none")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_whole, parse_float=_fraction, parse_constant=_no_number
)


def decode(text: str, start: int) -> tuple[Json, int]:
    """Read the value that starts there, and say where it ends.

    Raises
    ------
    json.JSONDecodeError
        Where it is no JSON, or the text ends before the value does.
    InputError
        Where it is JSON and not taken; a clause without its place, which the caller knows.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise InputError(f"it is nested deeper than {DEEPEST} levels") from None
    if text.count("{", start, end) + text.count("[", start, end) > DEEPEST:
        _refuse_deep(value)
    if text.find("\\", start, end) >= 0:  # only what was escaped can be unsound
        _refuse_texts(value)
    return value, end


def _refuse_deep(value: Json) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [each for above in level for each in _inner(above) if isinstance(each, _HOLDERS)]
        if not level:
            return
    raise InputError(f"it is nested deeper than {DEEPEST} levels")


def _inner(value: Json) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _refuse_texts(value: Json) -> None:
    """Refuse texts that no database or file could keep."""
    level = [value]
    while level:
        each = level.pop()
        if isinstance(each, str):
            unsound = _UNSOUND.search(each)
            if unsound and unsound[0] < " ":
                raise InputError("a text holds a control character, such as NUL; take it out")
            if unsound:
                raise InputError("a text holds half of a surrogate pair; write the character itself")
        elif isinstance(each, _HOLDERS):
            level.extend(_inner(each))
            if isinstance(each, dict):
                level.extend(each)


def shown(value: object) -> str:
    """Something that came in, for a message: only where it looks like a code, never a text that might tell of a person.

    >>> shown("bogus"), shown("Peter James"), shown(17), shown({})
    ("'bogus'", 'a text', '17', 'an object')
    """
    if isinstance(value, str):
        plain = value.isascii() and value.isprintable() and " " not in value and 0 < len(value) <= 40
        return repr(value) if plain else "a text"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return "a list" if isinstance(value, list) else "an object"
