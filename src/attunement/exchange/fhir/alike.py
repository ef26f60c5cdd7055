"""Which instrument a form is, by the LOINC codes of its items: forms of others seldom say the code of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from attunement.instruments import Instrument

MOST_OF_IT: Final = 0.5
"""From which share of its lines on a form is held to be that instrument, whole or not."""


def asked_share(instrument: Instrument, codes: AbstractSet[str]) -> float:
    """Return which share of the lines that count is among such codes; 0 where not all of them have one."""
    own = [item.loinc for item in instrument.items if not item.apart]
    return sum(code in codes for code in own) / len(own) if own and all(own) else 0.0


def most_alike(shelf: Iterable[Instrument], codes: AbstractSet[str]) -> tuple[Instrument | None, float]:
    """Return the instrument that most is asked of, and how much; of two, the one that has a code of its own."""
    shares = [(asked_share(each, codes), each.loinc is not None, each) for each in shelf]
    share, _, found = max(shares, key=lambda one: one[:2], default=(0.0, False, None))
    return (found, share) if share > 0 else (None, 0.0)
