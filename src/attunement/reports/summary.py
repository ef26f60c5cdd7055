"""The sentences with which a caseload is told, the same on the page, in the terminal and for machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attunement.findings import Finding, NotYet
from attunement.trajectories import CONVENTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from attunement.reports.meaning import Meaning
    from attunement.trajectories import Caseload, Trajectory


@dataclass(frozen=True, slots=True)
class Source:
    """Where a caseload came from, to be told beside it.

    Parameters
    ----------
    name
        The file's name, or what else it is called.
    mapping
        Our column names and theirs.
    notes
        What was understood or assumed while reading, a sentence each.
    skipped
        A table of ``row, why``.
    """

    name: str
    mapping: Mapping[str, str]
    notes: tuple[str, ...]
    skipped: pl.DataFrame


def summary(caseload: Caseload, meaning: Meaning) -> tuple[str, ...]:
    """Tell the caseload in a few sentences: who wants a look, how many are connected, what else was found."""
    found = caseload.connected
    told = [size(caseload), attention(caseload), found.sentence, caseload.shares.sentence]
    told += [sentence for each in meaning.sections for sentence in each.sentences[:1]]
    return tuple(dict.fromkeys(told))


def size(caseload: Caseload) -> str:
    """How much was looked at."""
    rated = caseload.rated
    counted = [
        _count(rated["therapist"].n_unique(), "therapist"),
        _count(rated["client"].n_unique(), "client"),
        _count(rated.height, "rated session"),
    ]
    return f"{', '.join(counted[:-1])}, {counted[-1]}."


def attention(caseload: Caseload) -> str:
    """Who wants a look first; the rest is on course."""
    named = caseload.trajectories
    if isinstance(caseload.model, NotYet):
        return caseload.model.sentence
    first = [each for each in named if each.wants_a_look]
    slow = sum(1 for each in named if each.shown and each.shown[0][0] == "slow")
    early = sum(1 for each in named if not each.shown)
    parts = [_named(first) if first else "Nobody is more likely than not falling or stalled."]
    if slow:
        parts.append(f"{slow:,} {'is' if slow == 1 else 'are'} slow, and that is normal.")
    if early:
        parts.append(f"For {early:,} it is too early to tell (fewer than three rated sessions).")
    return " ".join(parts)


def details(caseload: Caseload) -> tuple[Trajectory, ...]:
    """Who is not simply on course, those who want attention first."""
    return tuple(each for each in caseload if not each.on_course)


def limits(caseload: Caseload) -> tuple[str, ...]:
    """What the numbers cannot tell."""
    own = caseload.shares.limits if isinstance(caseload.shares, Finding) else ()
    return (
        *caseload.limits,
        CONVENTION,
        "A rating is what the client chose to say; a bond is more than that.",
        _given(caseload),
        *own,
    )


def _given(caseload: Caseload) -> str:
    """Return what the intervals take for granted."""
    if not isinstance(caseload.model, NotYet) and caseload.model.integrated:
        return "Intervals allow for not knowing how much clients differ."
    return "Intervals hold given how much clients are estimated to differ."


def for_machines(caseload: Caseload, source: Source, meaning: Meaning) -> dict[str, Any]:
    """Return everything the page says as one JSON-able value."""
    return {
        "source": {"name": source.name, "columns": dict(source.mapping), "notes": list(source.notes)},
        "skipped": source.skipped.to_dicts(),
        "scale": {
            "low": caseload.measure.low,
            "high": caseload.measure.high,
            "established": caseload.measure.established,
        },
        "summary": list(summary(caseload, meaning)),
        "meaning": meaning.for_machines(),
        "connected": caseload.connected.as_dict(),
        "shares": {
            **caseload.shares.as_dict(),
            "sources": caseload.shares.evidence.to_dicts() if isinstance(caseload.shares, Finding) else [],
        },
        "shape": None if isinstance(caseload.model, NotYet) else caseload.model.shape.name,
        "limits": list(limits(caseload)),
        "trajectories": [
            {
                "therapist": each.therapist,
                "client": each.client,
                "rated": each.rated.size,
                "session": each.now,
                "depth": each.depth.as_dict(),
                "speed": each.speed.as_dict(),
                "plateau": each.plateau.as_dict(),
                "state": {**each.state.as_dict(), "chances": each.states if each.shown else None},
            }
            for each in caseload
        ],
    }


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


_NAMED = 6


def _named(first: list[Trajectory]) -> str:
    shown = [f"{each.name} ({each.word})" for each in first[:_NAMED]]
    more = f" and {len(first) - _NAMED:,} more" if len(first) > _NAMED else ""
    people = "One client wants" if len(first) == 1 else f"{len(first):,} want"
    return f"{people} a look first: {', '.join(shown)}{more}."
