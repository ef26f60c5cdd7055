"""What a form sent, read strictly: known fields, each once, no sign that no keyboard makes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException, MultiPartParser

from attunement.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MOST_FIELDS: Final = 200
LONGEST: Final = 256 * 1024
"""Bytes of a form; a table that is taken in has a limit of its own."""
FORM: Final = "application/x-www-form-urlencoded"
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}(\.[0-9]{0,6})?")
_PLAIN: Final = {"\n", "\r", "\t"}


class WrongKind(InputError):  # noqa: N818 - reads as a sentence
    """The body is of a kind that no form here sends."""


class TooLong(InputError):  # noqa: N818 - reads as a sentence
    """The body is longer than anything that is asked here."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, each read once and as what it is.

    Parameters
    ----------
    fields
        By name, what was sent; several where several boxes were ticked.
    """

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def know(self, *names: str) -> Form:
        """Refuse fields that were not asked for."""
        for name in self.fields:
            if name not in names:
                raise InputError("The form holds a field that was not asked for; please load the page again.")
        return self

    def text(self, name: str, *, most: int = 500, least: int = 0, called: str = "") -> str:
        """Return a text, without blanks around it."""
        value = self._one(name).strip()
        if len(value) > most:
            raise InputError(f"{called or name} has at most {most:,} characters.")
        if len(value) < least:
            raise InputError(f"{called or name} is still empty.")
        return value

    def secret(self, name: str) -> str:
        """Return a text as it was typed."""
        return self._one(name)

    def words(self, name: str, *, most: int) -> str:
        """Return a longer text, with the ends of its lines as one sign."""
        value = self._one(name).replace("\r\n", "\n")
        if len(value) > most:
            raise InputError(f"{name} has at most {most:,} characters.")
        return value

    def number(self, name: str, *, low: float, high: float, called: str = "") -> float | None:
        """Return a number, or None where it was left out."""
        typed = self._one(name).strip().replace(",", ".")
        if not typed:
            return None
        if not _NUMBER.fullmatch(typed) or not low <= float(typed) <= high:
            raise InputError(f"{called or name} is a number from {low:g} to {high:g}, or left out.")
        return float(typed)

    def choice(self, name: str, *words: str, called: str = "") -> str:
        """Return one of the words."""
        value = self._one(name)
        if value not in words:
            raise InputError(f"{called or name}: please choose one.")
        return value

    def optional(self, name: str, *words: str) -> str | None:
        """Return one of the words, or None where it was left out."""
        return self.choice(name, *words) if self._one(name) else None

    def several(self, name: str, *words: str) -> tuple[str, ...]:
        """Return those of the words that were ticked."""
        found = self.fields.get(name, ())
        if any(each not in words for each in found) or len(set(found)) != len(found):
            raise InputError(f"{name}: please choose from the list.")
        return tuple(each for each in words if each in found)

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.optional(name, "yes") == "yes"

    def when(self, name: str, called: str = "") -> datetime:
        """Return a day and time as a browser's field gives them; in this computer's zone."""
        typed = self._one(name)
        try:
            found = datetime.strptime(typed, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - given its zone in the next line
            return found.astimezone().astimezone(UTC)
        except (ValueError, OverflowError):
            raise InputError(f"{called or name} is a day and a time, such as 2026-03-02T14:00.") from None

    def _one(self, name: str) -> str:
        found = self.fields.get(name, ("",))
        if len(found) != 1:
            raise InputError(f"The form holds {name} more than once; please load the page again.")
        return found[0]


async def read_form(request: Request, most: int = LONGEST) -> Form:
    """Read the body of a request as a form.

    Raises
    ------
    WrongKind
        Where it is something else, such as JSON.
    TooLong
        Where it is longer than `most` bytes; what is longer is not read.
    InputError
        Where it holds signs that no keyboard makes, or more fields than any page here has.
    """
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
        raise WrongKind("This page takes what a form sends.")
    body = await _body(request, most)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except (UnicodeDecodeError, ValueError):
        raise InputError("The form could not be read; please load the page again.") from None
    return Form(_gathered(pairs))


class _InMemory(MultiPartParser):
    """A file that was sent is never written in plain to a disk."""

    spool_max_size = 64 * 1024 * 1024


async def read_upload(request: Request, most: int) -> tuple[Form, str, bytes]:
    """Read a form with one file; returns the form, the file's name and its content."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise WrongKind("This page takes a form with a file.")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > most:
        raise TooLong(f"A table that is taken in has at most {most // 1_000_000} MB.")
    reading = _InMemory(
        request.headers, request.stream(), max_files=1, max_fields=20, max_part_size=64 * 1024
    )
    try:
        sent = await reading.parse()
    except MultiPartException:
        raise InputError("The form could not be read; please load the page again.") from None
    pairs, name, content = [], "", b""
    for key, value in sent.multi_items():
        if isinstance(value, str):
            pairs.append((key, value))
        else:
            name, content = _plain_name(value.filename or "table"), await value.read()
    await sent.close()
    return Form(_gathered(pairs)), name, content


async def _body(request: Request, most: int) -> bytes:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > most:
        raise TooLong("That is more than this page takes.")
    parts, seen = [], 0
    async for part in request.stream():
        seen += len(part)
        if seen > most:
            raise TooLong("That is more than this page takes.")
        parts.append(part)
    return b"".join(parts)


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), _typed(value))
    return fields


def _typed(value: str) -> str:
    """Refuse signs that no keyboard makes; the same letters typed two ways are one."""
    if value.isascii() and value.isprintable():
        return value
    if any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _PLAIN for sign in value):
        raise InputError("The form holds a sign that cannot be kept; please type it anew.")
    return unicodedata.normalize("NFC", value)


def _plain_name(name: str) -> str:
    kept = "".join(sign for sign in name.replace("\\", "/").rpartition("/")[2] if sign.isprintable())
    return kept[:80] or "table"


def kept_fields(form: Form, *without: str) -> list[tuple[str, Any]]:
    """Return what was typed, to be put into the next page, so that nothing is lost by a lock."""
    return [(name, value) for name, values in form.fields.items() for value in values if name not in without]
