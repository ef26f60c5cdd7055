"""Entries leave as a Bundle or as lines (NDJSON), one after another: no more than one is held."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import AttunementError, InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, described
from attunement.exchange.fhir.names import BASE
from attunement.exchange.fhir.observations import scores_of, total_of
from attunement.exchange.fhir.people import encounter_of, patient_of
from attunement.exchange.fhir.responses import response_of
from attunement.instruments import held
from attunement.sessions import code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument

_EVERY: Final = 1_000  # entries, between two reports of progress
_HEAD: Final = b'{"resourceType":"Bundle","type":"collection"'
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def write_bundle(
    entries: Iterable[Entry],
    shelf: Mapping[str, Instrument],
    out: BinaryIO,
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write a Bundle of type collection; returns how many resources are in it.

    Parameters
    ----------
    entries
        What is given out, in the order in which it shall stand there.
    shelf
        The instruments that were answered, as `entries.described` has it.
    out
        Where to.
    progress
        Told now and then how many entries are written.

    Raises
    ------
    InputError
        With the entry, counted from 1, where it cannot be written; what stands in `out` by then is no Bundle.
    """
    count = 0
    out.write(_HEAD)
    for resource in _resources(entries, shelf, progress):
        url = f'{{"fullUrl":"{BASE}/{resource.kind}/{resource.id}","resource":'.encode()
        out.write((b",\n" if count else b',"entry":[\n') + url + resource.text + b"}")
        count += 1
    out.write(b"\n]}\n" if count else b"}\n")
    return count


def write_ndjson(
    entries: Iterable[Entry],
    shelf: Mapping[str, Instrument],
    out: BinaryIO,
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write one resource a line; otherwise as `write_bundle`."""
    count = 0
    for resource in _resources(entries, shelf, progress):
        out.write(resource.text + b"\n")
        count += 1
    return count


class _Written:
    """A resource as it is written."""

    __slots__ = ("id", "kind", "text")

    def __init__(self, resource: Mapping[str, Any]) -> None:
        self.kind, self.id = resource["resourceType"], resource["id"]
        self.text = _ENCODER.encode(resource).encode()


def _resources(
    entries: Iterable[Entry], shelf: Mapping[str, Instrument], progress: Callable[[int], None] | None
) -> Iterator[_Written]:
    for number, entry in enumerate(entries, 1):
        try:
            written = [_Written(resource) for resource in resources_of(entry, shelf)]
        except AttunementError as problem:
            raise InputError(f"entry {number}: {str(problem).rstrip('.')}.") from None
        except ValueError:  # UnicodeEncodeError is one
            raise InputError(f"entry {number}: a number is not finite, or a text is no Unicode.") from None
        yield from written
        if progress is not None and number % _EVERY == 0:
            progress(number)


def resources_of(entry: Entry, shelf: Mapping[str, Instrument]) -> Iterator[dict[str, Any]]:
    """Return what one entry becomes: answers become a response and a score a scale.

    Raises
    ------
    AttunementError
        Where the instrument is not on the shelf, or what is said of it does not fit it.
    """
    _refuse_code(entry.code if isinstance(entry, ClientEntry) else entry.client)
    if isinstance(entry, ClientEntry):
        yield patient_of(entry)
        return
    if isinstance(entry, SessionEntry):
        yield encounter_of(entry)
        return
    version = entry.version if isinstance(entry, AnswersEntry) else ""
    instrument = described(shelf, entry.instrument, version) or shelf.get(entry.instrument)
    if instrument is None:
        raise InputError(f"there is no instrument {entry.instrument!r} on the shelf")
    if not isinstance(entry, AnswersEntry):
        yield total_of(entry, instrument)
        return
    if version != instrument.version:  # answers stay what they were; what they come to is not known any more
        yield response_of(entry, None)
        return
    held(instrument, entry.answers)
    yield response_of(entry, instrument)
    yield from scores_of(entry, instrument)


def _refuse_code(text: str) -> None:
    """Refuse a code that could not come back."""
    if code(text) != text:
        raise InputError("the client's code has spaces around it")
