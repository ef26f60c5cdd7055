"""What a program sent, read strictly: JSON in which nothing is a number by mistake, and nothing is there twice."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from attunement.errors import InputError
from attunement.exchange import strict
from attunement.exchange.strict import MOST, keepable

__all__ = ["DEEPEST", "MOST", "StrictRequest", "keepable", "parsed"]

DEEPEST: Final = 16
"""Levels of a body; ours have two."""


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
    r"""Read JSON strictly, as `exchange.strict` does.

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
    return strict.parsed(body, "The body", DEEPEST)
