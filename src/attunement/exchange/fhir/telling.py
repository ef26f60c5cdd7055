"""A code that tells who it is: one in which a name, a date of birth or a number of the person stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import InputError
from attunement.exchange.fhir.names import CLIENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TELLING: Final = ("name", "birthDate", "telecom", "address", "identifier", "contact")
_SILENT: Final = frozenset(
    {"use", "system", "type", "period", "assigner", "extension", "gender", "relationship"}
)
_GENERIC: Final = frozenset({"patient", "client", "person", "participant", "subject", "code", "pseudonym"})
_RANDOM: Final = re.compile(r"[0-9a-f]{32}")  # a UUID, in which three letters of a name stand by chance
_MOST: Final = 100_000


def refuse_telling(code: str, patient: Mapping[str, Any], where: str) -> None:
    """Refuse a code in which something of a Patient stands; our own identifier is the code itself.

    Raises
    ------
    InputError
        With what kind of thing it is, and not with the code; a clause.
    """
    for name in _TELLING:
        value = patient.get(name)
        if name == "identifier" and isinstance(value, list):
            value = [each for each in value if not (isinstance(each, dict) and each.get("system") == CLIENT)]
        parts = (part for text in _texts(value) for part in (text, text.replace("-", ""), *text.split()))
        _refuse(code, parts, where, name)


class Told:
    """Who is who, as far as the file tells, and which codes were used for whom."""

    def __init__(self) -> None:
        self._names: dict[str, frozenset[str]] = {}
        self._patients = 0
        self._used: dict[tuple[str, str], str] = {}

    def learn(self, patient: Mapping[str, Any], addresses: Iterable[str]) -> None:
        """Remember the names of a Patient, by its addresses."""
        self._patients += 1
        if len(self._names) < _MOST:
            found = frozenset(_name_parts(_texts([patient.get("name"), patient.get("contact")])))
            self._names |= dict.fromkeys(addresses, found)

    def used(self, code: str, subject: str, display: object, where: str) -> None:
        """Look at a code beside what a reference calls the person; the Patient may come later in the file."""
        if isinstance(display, str):
            _refuse(code, _name_parts([display]), where, "display")
        if len(self._used) < _MOST:
            self._used.setdefault((code, subject), where)

    def refuse(self) -> None:
        """Refuse, at the end, a code in which a name of its Patient stands; or of the one Patient that there is."""
        only = next(iter(self._names.values())) if self._patients == 1 and self._names else frozenset()
        for (code, subject), where in self._used.items():
            _refuse(code, self._names.get(subject, only), where, "name")


def _refuse(code: str, parts: Iterable[str], where: str, what: str) -> None:
    plain = code.casefold()
    if _RANDOM.fullmatch(plain):
        return
    if any(len(part) >= 3 and part.casefold() in plain for part in parts):
        raise InputError(
            f"{where} has something in it that tells who it is ({what}); "
            f"give a pseudonym as an identifier of the system {CLIENT}"
        )


def _name_parts(texts: Iterable[str]) -> Iterator[str]:
    """The words that can be names: of letters alone, and not what anybody is called."""
    for text in texts:
        yield from (part for part in re.split(r"[\W\d_]+", text) if part and part.casefold() not in _GENERIC)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _SILENT:
                yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
