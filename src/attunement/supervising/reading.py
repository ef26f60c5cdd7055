"""Reading a value back that somebody else wrote: what is not exactly as it would be written is damaged.

A share is signed by its sender, and still read as if it came from an enemy: from an older program, a changed one, or
one whose keys were taken.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from attunement.errors import Damaged, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")
_MOST: Final = 1_000_000  # characters
_NOT_SO: Final = "This report is not as a report is written; ask its sender to share it anew."


def read_as(kind: type[Value], text: str) -> Value:
    """Read JSON as a frozen dataclass, strictly.

    Parameters
    ----------
    kind
        A dataclass whose fields are text, numbers, days, tuples of those, further dataclasses, or None.
    text
        As it came.

    Raises
    ------
    Damaged
        Where a field is missing, unknown, twice there or of another kind, and where the value itself refuses it.
    """
    if len(text) > _MOST:
        raise Damaged(_NOT_SO)
    try:
        stored = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
        found: Value = _reader(kind)(stored)  # type: ignore[arg-type]
    except (ValueError, RecursionError, InputError):
        raise Damaged(_NOT_SO) from None
    return found


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - any annotation
    """How a value of this kind is read."""
    if is_dataclass(kind):
        return _of_fields(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and inner[-1] is Ellipsis:
        each = _reader(inner[0])
        return lambda stored: tuple(each(one) for one in _a(list, stored))
    if origin in (Union, UnionType):
        (there,) = (one for one in inner if one is not NoneType)
        read = _reader(there)
        return lambda stored: None if stored is None else read(stored)
    if origin is Literal:
        return lambda stored: stored if stored in inner and isinstance(stored, str) else _refuse()
    return _PLAIN[kind]


def _of_fields(kind: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a dataclass
    hints = get_type_hints(kind)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}

    def read(stored: Any) -> Any:  # noqa: ANN401 - whatever came
        if not isinstance(stored, dict) or stored.keys() != readers.keys():
            _refuse()
        return kind(**{name: reader(stored[name]) for name, reader in readers.items()})

    return read


def _a(kind: type[Any], stored: Any) -> Any:  # noqa: ANN401 - whatever came
    return stored if type(stored) is kind else _refuse()


def _number(stored: Any) -> float:  # noqa: ANN401 - whatever came
    if type(stored) not in (int, float) or not abs(stored) < 1e9:
        _refuse()
    number = float(stored)
    return number if math.isfinite(number) else _refuse()


def _whole(stored: Any) -> int:  # noqa: ANN401 - whatever came
    number = _a(int, stored)
    return int(number) if 0 <= number < 1_000_000 else _refuse()


def _day(stored: Any) -> date:  # noqa: ANN401 - whatever came
    found = date.fromisoformat(_a(str, stored))
    return found if found.isoformat() == stored else _refuse()


_PLAIN: Final[dict[Any, Callable[[Any], Any]]] = {
    str: lambda stored: _a(str, stored), int: _whole, float: _number, date: _day,
}  # fmt: skip


def _refuse(*_: Any) -> NoReturn:  # noqa: ANN401 - whatever it was
    raise ValueError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _refuse()
