"""What the ratings mean, beyond their courses: a section a question, each with its sentence, picture and table.

A section is there where the columns that it needs are; what further columns would show is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attunement.exchange.columns import LINES
from attunement.findings import Finding, NotYet
from attunement.reports import sections
from attunement.reports.sections import Section, has
from attunement.ruptures import Ruptures, ruptures
from attunement.wording import say

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from attunement.reports.sections import Worse
    from attunement.trajectories import Caseload

FURTHER: Final = ("time", "guess", "outcome", "worse", "lines", "feelings", "my_day", "attendance", "ending")
"""What a table of ratings may lack, and of which it is said what it would show."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """All sections of a page.

    Parameters
    ----------
    ruptures
        Looked at client by client.
    sections
        In the order of the page.
    further
        What would be shown with which further column, a sentence each.
    """

    ruptures: Ruptures
    sections: tuple[Section, ...]
    further: tuple[str, ...]

    def of(self, client: str, therapist: str) -> Finding | None:
        """Return what is told of a rupture with one client, where there was one."""
        looked = next(
            (
                each
                for each in self.ruptures.looked
                if (each.client, each.therapist) == (client, therapist) and each.watched.episodes
            ),
            None,
        )
        told = self.ruptures.told(looked) if looked else None
        return told if isinstance(told, Finding) else None

    def for_machines(self) -> dict[str, Any]:
        """Return it as JSON-able values."""
        return {
            "sections": {
                each.name: {**each.found.as_dict(), "more": [more.as_dict() for more in each.more]}
                for each in self.sections
            },
            "episodes": self.ruptures.episodes.to_dicts(),
            "further": list(self.further),
        }


def meaning(
    caseload: Caseload,
    rows: pl.DataFrame,
    *,
    worse: Worse | None = None,
    progress: Callable[[str, float], None] = lambda what, share: None,  # noqa: ARG005
) -> Meaning:
    """Ask everything that the columns of a table can answer.

    Parameters
    ----------
    caseload
        What `trajectories` found.
    rows
        `frames.RATINGS`, as it was read: with the rows that have no score, and further columns.
    worse
        Which way an outcome is worse, where that is known.
    progress
        Told what is being asked, and how much of it is done.
    """
    torn = ruptures(caseload)
    mine = rows.filter(rows["therapist"].is_in(caseload.rated["therapist"].unique().implode()))
    questions: tuple[Callable[[], Section | None], ...] = (
        lambda: None if isinstance(caseload.model, NotYet) else sections.of_ruptures(torn),
        lambda: sections.of_agreement(caseload, mine),
        lambda: sections.of_trust(mine),
        lambda: sections.of_feelings(mine),
        lambda: sections.of_signal(mine, worse),
        lambda: sections.of_next_session(caseload, mine),
        lambda: sections.of_outcome(caseload, mine, worse),
        lambda: sections.of_stability(caseload, mine),
        lambda: sections.of_staying(caseload, mine),
    )
    asked = []
    for place, question in enumerate(questions):
        progress("what it means", place / len(questions))
        asked.append(question())
    return Meaning(
        torn,
        tuple(each for each in asked if each is not None),
        tuple(say(f"further_{name}", "en") for name in FURTHER if _would_show(mine, name, worse)),
    )


def _would_show(rows: pl.DataFrame, name: str, worse: Worse | None) -> bool:
    """Whether something is missing that would show more."""
    if name == "worse":
        return has(rows, "outcome") and worse is None
    if name == "lines":
        return not any(has(rows, line) for line in LINES)
    if name == "feelings":
        return sections.felt(rows) is None
    if name == "my_day":
        return sections.felt(rows) is not None and not has(rows, name)
    return not has(rows, name)
