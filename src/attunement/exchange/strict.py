"""JSON, read strictly: nothing in it is a number by mistake, nothing is there twice, and every sign can be kept.

Python's own reader takes ``NaN``, ``1e999``, a key twice and half a sign without a word; what they turn into is found
where it can no longer be mended. One reader is for what a program sends and for a file that somebody chose.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError, UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: Final = 1_000_000
"""Bytes of one JSON text, such as a resource or a line."""
DEEPEST: Final = 32
"""Levels of a file; a FHIR resource has a dozen."""
_DIGITS: Final = 20
_PLAIN: Final = frozenset("\n\r\t")
_ODD: Final = re.compile(r"[\x7f-\x9f]|\\[ubf]")
"""What a text must have somewhere if any of its strings cannot be kept."""
_MARKS: Final = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


def read_json(content: bytes, name: str = "The file", *, most: int = MOST, deepest: int = DEEPEST) -> Any:  # noqa: ANN401
    r"""Read the JSON of a file, or of one of its lines.

    Parameters
    ----------
    content
        UTF-8; a mark before it is left out.
    name
        What it is called in a sentence, such as the file's name, or ``Line 17 of bundle.ndjson``.
    most, deepest
        Bytes, and levels, beyond which it is refused.

    Raises
    ------
    InputError
        One sentence: it is too long, XML, in no UTF-8, no JSON, nests deeply, or holds a number that is none, a key
        twice, or a sign that cannot be kept.

    Examples
    --------
    >>> read_json(b'{"score": [1, 2.5]}')
    {'score': [1, 2.5]}
    >>> read_json(b'{"score": 1, "score": 2}', "scores.json")
    Traceback (most recent call last):
    attunement.errors.InputError: scores.json holds a field more than once.
    >>> read_json(b'<Bundle xmlns="http://hl7.org/fhir">', "bundle.xml")
    Traceback (most recent call last):
    attunement.errors.UnreadableFile: bundle.xml is XML, and FHIR in XML is not read; save it as JSON.
    """
    if len(content) > most:
        raise InputError(f"{name} has {len(content):,} bytes; at most {most:,} are read.")
    refuse_other_than_json(content, name)
    return parsed(content.removeprefix(codecs.BOM_UTF8), name, deepest)


def refuse_other_than_json(first: bytes, name: str = "The file") -> None:
    """Refuse, by its first bytes alone, what is no JSON in UTF-8. XML is never parsed, so nothing in it expands.

    Raises
    ------
    UnreadableFile
        Where it is XML, UTF-16, an archive, or empty.
    """
    for mark, encoding in _MARKS.items():
        if first.startswith(mark):
            raise UnreadableFile(f"{name} is written in {encoding}; save it as UTF-8.")
    begins = first.removeprefix(codecs.BOM_UTF8).lstrip()
    if begins.startswith(b"<"):
        raise UnreadableFile(f"{name} is XML, and FHIR in XML is not read; save it as JSON.")
    if begins.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise UnreadableFile(f"{name} is packed; unpack it first.")


def parsed(body: bytes, name: str = "The file", deepest: int = DEEPEST) -> Any:  # noqa: ANN401 - whatever was sent
    """Read JSON in plain UTF-8 strictly, however long it is; see `read_json`.

    Raises
    ------
    InputError
        In one sentence that repeats nothing of it.
    """
    try:
        text = body.decode("utf-8")
        found = _DECODER.decode(text)
    except _Odd as odd:
        raise InputError(f"{name} {odd}") from None
    except RecursionError:
        raise InputError(_deep(name)) from None
    except UnicodeDecodeError:
        raise InputError(f"{name} is not in UTF-8.") from None
    except json.JSONDecodeError as problem:
        raise InputError(f"{name} is no JSON (line {problem.lineno}, column {problem.colno}).") from None
    if text.count("{") + text.count("[") >= deepest or _ODD.search(text):
        _refuse_odd(found, name, deepest)
    return found


def keepable(text: str) -> bool:
    """Whether a text holds no control sign and no half of one."""
    if text.isascii() and text.isprintable():
        return True
    return not any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _PLAIN for sign in text)


class _Odd(Exception):  # noqa: N818 - the end of a sentence, whose beginning the caller knows
    pass


def _refuse_odd(found: Any, name: str, deepest: int) -> None:  # noqa: ANN401 - whatever was sent
    for level, value in _within(found):
        if level > deepest:
            raise InputError(_deep(name))
        if isinstance(value, str) and not keepable(value):
            raise InputError(f"{name} holds a sign that cannot be kept.")


def _deep(name: str) -> str:
    return f"{name} nests more deeply than anything that is asked here."


def _no_number(_: str) -> float:
    raise _Odd("is no JSON: NaN and Infinity are no numbers in it.")


def _float(text: str) -> float:
    value = float(text) if len(text) <= 10 * _DIGITS else math.inf
    if not math.isfinite(value):
        raise _Odd("holds a number that is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > _DIGITS:
        raise _Odd("holds a number that is too large.")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Odd("holds a field more than once.")
    return found


_DECODER: Final = json.JSONDecoder(
    parse_constant=_no_number, parse_float=_float, parse_int=_int, object_pairs_hook=_once
)


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
