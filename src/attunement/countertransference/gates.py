"""What has to be there before anything is told: each gate a `NotYet` that names what would open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attunement.countertransference.sources import CLIENTS, REFLECTIONS
from attunement.wording import in_hundred, not_yet, say

if TYPE_CHECKING:
    from attunement.countertransference.sources import Sources
    from attunement.findings import NotYet
    from attunement.instruments.description import Language

RELIABLE: Final = 0.6
"""How much of the differences between clients one's estimate has to catch before that client is told of."""


def untold(about: str, found: Sources | None, feeling: str, language: Language) -> NotYet | None:
    """Refuse a feeling that was never rated, or always alike."""
    if found is not None and found.design.varies:
        return None
    missing = say("feelings_none" if found is None else "feelings_same", language, feeling=feeling)
    return not_yet(about, missing, say("feelings_once_it_differs", language), language)


def few_clients(about: str, clients: int, language: Language) -> NotYet:
    """Say that there are too few clients to hold against each other."""
    missing = say("feelings_few_clients", language, clients=clients)
    return not_yet(about, missing, say("feelings_from_clients", language, number=CLIENTS), language)


def few_here(about: str, found: Sources, who: tuple[str, str], language: Language) -> NotYet | None:
    """Refuse a client on whom there are too few reflections to know what is usual with them."""
    reflected = _reflected(found, who)
    if reflected >= REFLECTIONS:
        return None
    missing = say("feelings_few_here", language, name=who[1], reflected=reflected)
    return not_yet(about, missing, say("feelings_from_here", language, number=REFLECTIONS), language)


def too_few(about: str, found: Sources, who: tuple[str, str], language: Language) -> NotYet | None:
    """Refuse to hold a client against others where these are few, or where the estimate catches too little."""
    clients = found.design.often(who[0])
    if clients < CLIENTS:
        return few_clients(about, clients, language)
    missing = few_here(about, found, who, language)
    if missing is not None or found.reliability[who] >= RELIABLE:
        return missing
    caught = {"reflected": _reflected(found, who), "share": in_hundred(found.reliability[who])}
    rough = say("feelings_rough", language, name=who[1], **caught)
    return not_yet(about, rough, say("feelings_from_rough", language, number=in_hundred(RELIABLE)), language)


def _reflected(found: Sources, who: tuple[str, str]) -> int:
    return found.rows.filter(therapist=who[0], client=who[1]).height
