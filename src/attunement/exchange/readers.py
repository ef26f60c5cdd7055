"""Which readers there are for what comes from outside: a name each, and what a file of that kind may cost.

A row is all that a new format takes. Its function is looked up by its name in the child process alone; it takes the
file as a stream of bytes, and by name what `read_apart` was given as settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MB: Final = 1_000_000
_ADDRESSES: Final = 512 << 20
_SECONDS: Final = 4.0
_SMALL: Final = 1 * MB


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader, and what it may take.

    Parameters
    ----------
    at
        ``module:function``.
    gives
        Entries, instruments, or a `Reading` of ratings; the function returns one, or yields several.
    most
        Bytes of a file.
    begins
        What the file's first bytes have to be fit for.
    shelf
        Whether it takes ``shelf``, the instruments that the practice has, by id.
    named
        Whether it takes ``name``, what the file is called in a sentence.
    streams
        Whether it reads from the beginning to the end, in flat memory; else it has the whole file, and may go to and
        fro in it.
    notes
        Whether it takes ``note``, which is told what was passed over.
    per_byte
        Bytes of memory a byte of the file may take, where it has all of it.
    """

    at: str
    gives: Literal["entries", "instruments", "ratings"] = "entries"
    most: int = 1 * MB
    begins: Literal["json", "anything"] = "anything"
    shelf: bool = False
    named: bool = False
    streams: bool = False
    notes: bool = False
    per_byte: int = 0

    def memory(self, size: int) -> int:
        """Bytes of addresses for a file of that size: half a gigabyte, of which Python and polars map 0.2."""
        return _ADDRESSES + self.per_byte * max(0, size - _SMALL)

    def seconds(self, size: int) -> float:
        """Seconds for a file of that size: four for a small one, and one more a megabyte."""
        return _SECONDS + max(0, size - _SMALL) / MB


READERS: Final[dict[str, Reader]] = {
    "ratings": Reader(
        "attunement.exchange.ratings:read_sent", "ratings", most=50 * MB, named=True, per_byte=12
    ),
    "described": Reader("attunement.exchange.sent:read_described", "instruments", shelf=True),
    "questionnaire": Reader(
        "attunement.exchange.sent:read_questionnaire", "instruments", begins="json", shelf=True, named=True
    ),
    "redcap dictionary": Reader(
        "attunement.exchange.sent:read_dictionary", "instruments", most=5 * MB, shelf=True
    ),
    "fhir": Reader(
        "attunement.exchange.fhir:read_fhir",
        most=5_000 * MB,
        begins="json",
        shelf=True,
        streams=True,
        notes=True,
    ),
    "redcap records": Reader(
        "attunement.exchange.sent:read_records", most=50 * MB, shelf=True, named=True, per_byte=12
    ),
    "tables": Reader(
        "attunement.exchange.sent:read_tables", most=50 * MB, shelf=True, named=True, per_byte=12
    ),
    "recipe": Reader("attunement.exchange.sent:read_by_recipe", most=50 * MB, named=True, per_byte=12),
}
