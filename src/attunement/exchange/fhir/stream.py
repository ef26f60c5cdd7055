"""The resources of a stream, one after another: of a Bundle of any length, of lines (NDJSON), or a single one.

Only what is being read is held, and never more than `LARGEST` of it.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from attunement.errors import InputError, UnreadableFile
from attunement.exchange.fhir.strict import Json, decode, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

LARGEST: Final = 1_000_000
"""Characters of one resource."""
_CHUNK: Final = 1 << 16  # bytes
_SPACE: Final = " \t\r\n"
_MOST_KEYS: Final = 100  # of a Bundle


class Found(NamedTuple):
    """A resource, where it stands (``entry 17``), and its address in the Bundle; None where an entry has none."""

    place: str
    resource: dict[str, Any] | None
    url: str | None = None


def resources(stream: BinaryIO) -> Iterator[Found]:
    """Read the resources of a stream.

    Raises
    ------
    InputError
        With the entry, counted from 1.
    """
    text = _Text(stream)
    first = text.peek()
    if not first:
        raise UnreadableFile("The file is empty; a Bundle, a resource, or one resource a line is needed.")
    if first == "<":
        raise UnreadableFile("This looks like XML; FHIR is read as JSON, so save it as JSON.")
    if first != "{":
        raise UnreadableFile(
            "This is no FHIR: a file of FHIR begins with { and holds a Bundle or a resource."
        )
    if text.holds_the_object():
        yield from _whole(text)
    else:
        yield from _entries(text)


def _whole(text: _Text) -> Iterator[Found]:
    """One object after another: a single one, or one a line; a small Bundle is opened."""
    number = 0
    while text.peek():
        resource = text.value(f"entry {number + 1}")
        if not isinstance(resource, dict):
            raise InputError(f"entry {number + 1}: it is {shown(resource)}; a resource is an object.")
        if resource.get("resourceType") != "Bundle":
            number += 1
            yield Found(f"entry {number}", resource)
            continue
        entries = resource.get("entry", [])
        if not isinstance(entries, list):
            raise InputError(f"Bundle.entry is {shown(entries)}; it takes a list.")
        for entry in entries:
            number += 1
            yield _entry(number, entry)


def _entries(text: _Text) -> Iterator[Found]:
    """The entries of a Bundle that is too long to hold, in whatever order its elements stand."""
    text.take("{", "the file")
    kind: object = None
    seen: set[str] = set()
    where = "the resource"
    while not text.took("}"):
        if seen:
            text.take(",", where)
        name = text.value(where)
        _refuse_name(name, seen, where)
        seen.add(name)
        text.take(":", where)
        if name == "entry" and text.peek() == "[":
            yield from _listed(text)
        else:
            value = text.value(
                f"{kind if isinstance(kind, str) else 'resource'}.{name}" if _plain(name) else where
            )
            kind = value if name == "resourceType" and (value is None or _plain(value)) else kind
    if kind != "Bundle":
        raise InputError(
            f"The file is {shown(kind)} of more than {LARGEST:,} characters; only a Bundle may be longer."
        )
    if text.peek():
        raise InputError(
            "Something follows after the end of the Bundle; it is cut off or put together wrongly."
        )


def _refuse_name(name: object, seen: set[str], where: str) -> None:
    if not isinstance(name, str):
        raise InputError(f"{where}: {shown(name)} stands where the name of an element is needed.")
    if name in seen:
        raise InputError(f"{where}: {shown(name)} stands twice in one object; once would do.")
    if len(seen) == _MOST_KEYS:
        raise InputError(f"{where}: it has more than {_MOST_KEYS} elements; no resource of FHIR has.")


def _listed(text: _Text) -> Iterator[Found]:
    text.take("[", "Bundle.entry")
    number = 0
    while not text.took("]"):
        if number:
            text.take(",", f"after entry {number}")
        number += 1
        yield _entry(number, text.value(f"entry {number}"))


def _plain(name: object) -> bool:
    return isinstance(name, str) and len(name) <= 40 and name.isascii() and name.isidentifier()


def _entry(number: int, entry: object) -> Found:
    place = f"entry {number}"
    if not isinstance(entry, dict):
        raise InputError(f"{place}: it is {shown(entry)}; an entry is an object with a resource.")
    resource, url = entry.get("resource"), entry.get("fullUrl")
    if not isinstance(resource, dict | None):
        raise InputError(f"{place}: its resource is {shown(resource)}; it takes an object.")
    return Found(place, resource, url if isinstance(url, str) else None)


class _Text:
    """The part of the stream that is being read, as text."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text, self._at, self._over = "", 0, False

    def peek(self) -> str:
        """Return the next sign that is no space, or nothing at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def took(self, sign: str) -> bool:
        """Step over a sign where it is the next one."""
        found = self.peek() == sign
        self._at += found
        return found

    def take(self, sign: str, where: str) -> None:
        """Step over a sign, which has to be the next one."""
        if not self.took(sign):
            self._refuse(where, f"{sign!r} is missing")

    def holds_the_object(self) -> bool:
        """Tell whether the object that comes next is a whole one, and short enough to hold."""
        while True:
            try:
                _, end = decode(self._text, self._at)
            except json.JSONDecodeError:
                if len(self._text) - self._at > LARGEST or not self._more():
                    return False
            except InputError:
                return False  # which entry it is, is found on the way through
            else:
                return end - self._at <= LARGEST

    def value(self, where: str) -> Json:
        """Return the value that comes next."""
        self.peek()
        while True:
            try:
                value, end = decode(self._text, self._at)
            except json.JSONDecodeError as problem:
                self._refuse_long(where, len(self._text))
                if not self._more():
                    self._refuse(where, problem.msg[:1].lower() + problem.msg[1:])
            except InputError as problem:
                raise InputError(f"{where}: {problem}.") from None
            else:
                if end < len(self._text) or not self._more():
                    self._refuse_long(where, end)
                    self._at = end
                    return value

    def _refuse_long(self, where: str, end: int) -> None:
        if end - self._at > LARGEST:
            raise InputError(f"{where}: it is longer than {LARGEST:,} characters, or has no end.")

    def _refuse(self, where: str, what: str) -> NoReturn:
        ends = "" if self._at < len(self._text) else "; the file ends too early"
        raise InputError(f"{where}: it is no JSON ({what}{ends}).")

    def _more(self) -> bool:
        """Read on, as much again as is held; False at the end."""
        if self._over:
            return False
        rest = self._text[self._at :]
        chunk = self._stream.read(max(_CHUNK, len(rest)))
        self._over = not chunk
        try:
            self._text, self._at = rest + self._decoder.decode(chunk, final=self._over), 0
        except UnicodeDecodeError:
            raise UnreadableFile(
                "The file is not in UTF-8, as all FHIR in JSON is; save it as UTF-8."
            ) from None
        return len(self._text) > len(rest) or not self._over
