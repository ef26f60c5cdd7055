"""What a program sent, read strictly: JSON in which nothing is a number by mistake, and nothing is there twice."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 1_000_000
"""Bytes of a body."""
DEEPEST: Final = 16
"""Levels of a body; ours have two."""
_DIGITS: Final = 20
_PLAIN: Final = frozenset("\n\r\t")


class StrictRequest(Request):
    """A request whose body is read to a limit, and held to strict JSON."""

    async def body(self) -> bytes:
        """Return the body; what is longer than the limit is not read."""
        if not hasattr(self, "_read"):
            parts, seen = [], 0
            async for part in self.stream():
                seen += len(part)
                if seen > MOST:
                    raise HTTPException(413, f"A body has at most {MOST:,} bytes.")
                parts.append(part)
            self._read = b"".join(parts)
        return self._read

    async def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        """Return the body as what it says."""
        try:
            return parsed(await self.body())
        except InputError as problem:
            raise HTTPException(400, str(problem)) from None


def parsed(body: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    r"""Read JSON strictly.

    Raises
    ------
    InputError
        Where it is no JSON in UTF-8; nests deeply; holds a number that is none, a key twice, or a sign that cannot be
        kept.

    Examples
    --------
    >>> parsed(b'{"lateness": 5}')
    {'lateness': 5}
    >>> parsed(b'{"lateness": NaN}')
    Traceback (most recent call last):
    attunement.errors.InputError: The body is no JSON: NaN and Infinity are no numbers in it.
    """
    try:
        found = json.loads(
            body.decode("utf-8"),
            parse_constant=_no_number,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise InputError(_DEEP) from None
    except UnicodeDecodeError:
        raise InputError("The body is not in UTF-8.") from None
    except ValueError:
        raise InputError("The body is no JSON.") from None
    for level, value in _within(found):
        if level > DEEPEST:
            raise InputError(_DEEP)
        if isinstance(value, str) and not keepable(value):
            raise InputError("The body holds a sign that cannot be kept.")
    return found


def keepable(text: str) -> bool:
    """Whether a text holds no control sign and no half of one."""
    if text.isascii() and text.isprintable():
        return True
    return not any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _PLAIN for sign in text)


_DEEP: Final = "The body nests more deeply than anything that is asked here."


def _no_number(_: str) -> float:
    raise InputError("The body is no JSON: NaN and Infinity are no numbers in it.")


def _float(text: str) -> float:
    value = float(text) if len(text) <= 10 * _DIGITS else math.inf
    if not math.isfinite(value):
        raise InputError("The body holds a number that is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > _DIGITS:
        raise InputError("The body holds a number that is too large.")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("The body holds a field more than once.")
    return found


def _within(found: Any) -> Iterator[tuple[int, Any]]:  # noqa: ANN401 - whatever was sent
    """Everything in it, with its level; without recursion, which deep nesting would exhaust."""
    left = [(1, found)]
    while left:
        level, value = left.pop()
        yield level, value
        inner: list[Any] = []
        if isinstance(value, dict):
            inner = [*value, *value.values()]
        elif isinstance(value, list):
            inner = value
        left += [(level + 1, each) for each in inner]
