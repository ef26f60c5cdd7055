"""Our own checks: codes, what must be there, dates, and references that lead somewhere.

`fhir.resources` takes ``status: "bogus"`` and any item type; the JSON Schema takes an item without its linkId. These
checks take neither, and stand alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attunement.errors import InputError
from attunement.exchange.fhir.codes import SHAPES
from attunement.exchange.fhir.strict import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def refuse_faulty(resource: dict[str, Any]) -> None:
    """Refuse a resource of a kind that we read, with the first thing in it that is not as FHIR has it.

    >>> refuse_faulty({"resourceType": "Observation", "status": "bogus", "code": {}})
    Traceback (most recent call last):
    attunement.errors.InputError: Observation.status is 'bogus', none of its codes (registered, preliminary, final,
    amended, corrected, cancelled, entered-in-error, unknown)

    Raises
    ------
    InputError
        A clause that names the element; the caller knows the entry.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise InputError("resourceType is missing; every resource names its type")
    shape = SHAPES.get(kind)
    if shape is not None:
        try:
            shape(resource)
        except InputError as problem:
            raise InputError(f"{kind}{problem}") from None


def faults(resource: dict[str, Any]) -> list[str]:
    """Return what is wrong with a resource, and in a Bundle with each of its entries and its references."""
    found = list(_faults(resource))
    if resource.get("resourceType") == "Bundle" and not found:
        entries = resource.get("entry", [])
        for place, entry in enumerate(entries, 1):
            found += [f"entry {place}, {fault}" for fault in _faults(entry.get("resource", {}))]
        found += _unresolved(entries)
    return found


def _faults(resource: dict[str, Any]) -> Iterator[str]:
    try:
        refuse_faulty(resource)
    except InputError as problem:
        yield str(problem)


def _unresolved(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Say which references lead nowhere in the Bundle and name nothing else, and which addresses stand twice."""
    there: set[str] = set()
    for entry in entries:
        resource = entry.get("resource", {})
        named = f"{resource.get('resourceType')}/{resource['id']}" if "id" in resource else None
        for name in filter(None, {named, entry.get("fullUrl")}):
            if name in there:
                yield f"Bundle.entry: {shown(name)} stands twice"
            there.add(name)
    for place, entry in enumerate(entries, 1):
        for found in _references(entry.get("resource", {})):
            if found["reference"] not in there and "identifier" not in found:
                yield f"entry {place}: the reference {shown(found['reference'])} leads nowhere in the Bundle"


def _references(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
