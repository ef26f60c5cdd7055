"""How a number of a feeling is put in words: its ends written out, and which side of zero it surely lies on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from attunement.wording import in_hundred, number, say, sentences

if TYPE_CHECKING:
    from attunement.findings import Estimate
    from attunement.instruments.description import Language

NEAR: Final = 1.0
"""Points within which all of an interval has to lie to be called much the same: a convention, a tenth of the scale."""


def sided(prefix: str, part: Estimate, told: dict[str, str], language: Language, *, digits: int = 1) -> str:
    """Say more, less, much the same, or not clear; a side is named only where the whole interval lies on it.

    Parameters
    ----------
    prefix
        Of the sentences: ``_more``, ``_less``, ``_unclear``, and ``_alike`` where there is one.
    part
        What is told.
    told
        Further values of the sentence.
    language, digits
        As it is written.
    """
    if part.low > 0 or part.high < 0:
        turned = part.value < 0
        name = f"{prefix}_less" if turned else f"{prefix}_more"
        return say(name, language, **told, **ends(part, language, turned=turned, digits=digits))
    near = f"{prefix}_alike" in sentences() and max(abs(part.low), abs(part.high)) <= NEAR
    name = f"{prefix}_alike" if near else f"{prefix}_unclear"
    return say(name, language, **told, **ends(part, language, digits=digits))


def ends(part: Estimate, language: Language, *, turned: bool = False, digits: int = 1) -> dict[str, str]:
    """Write ``value, low, high``; turned, for a sentence that says less."""
    values = (-part.value, -part.high, -part.low) if turned else (part.value, part.low, part.high)
    return {
        name: number(each, digits, language)
        for name, each in zip(("value", "low", "high"), values, strict=True)
    }


def in_hundreds(share: Estimate) -> dict[str, str]:
    """Write ``share, low, high``, each so many in a hundred."""
    return {
        name: in_hundred(each)
        for name, each in (("share", share.value), ("low", share.low), ("high", share.high))
    }


def table_of(parts: dict[str, Estimate]) -> pl.DataFrame:
    """Lay out ``part, value, low, high, unit``, what a finding's sentence stands on."""
    return pl.DataFrame(
        [
            {"part": name, "value": each.value, "low": each.low, "high": each.high, "unit": each.unit}
            for name, each in parts.items()
        ]
    )
