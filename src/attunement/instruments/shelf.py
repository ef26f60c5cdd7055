"""What is shipped: our own instruments with their words, and those of others without.

A practice that has the right to the words of a questionnaire of others loads them (`attunement.instruments.words`), or
describes an instrument of its own in the same form as the files of ``catalogue/``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from attunement.errors import InstrumentProblem
from attunement.instruments._files import shipped
from attunement.instruments.reading import loads

if TYPE_CHECKING:
    from attunement.instruments.description import Instrument


@cache
def catalogue() -> tuple[Instrument, ...]:
    """Return our own instruments, in the order of their ids: those that anybody can be asked."""
    return tuple(each for each in _shipped() if each.askable)


@cache
def of_others() -> tuple[Instrument, ...]:
    """Return the instruments of others, in the order of their ids: what is known of them, and none of their words."""
    return tuple(each for each in _shipped() if not each.askable)


def instrument(name: str) -> Instrument:
    """Return the shipped instrument of that id, ours or another's.

    Raises
    ------
    InstrumentProblem
        Where there is none of that id; it names those that there are.
    """
    found = {one.id: one for one in _shipped()}
    if name not in found:
        raise InstrumentProblem(f"The catalogue has no instrument {name!r}; it has {', '.join(found)}.")
    return found[name]


@cache
def _shipped() -> tuple[Instrument, ...]:
    return tuple(sorted((loads(text) for text in shipped()), key=lambda each: each.id))
