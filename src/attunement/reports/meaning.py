"""What the ratings mean, beyond their courses: a section a question, each with its sentence, picture and table.

A section is there where the columns that it needs are; what further columns would show is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement import plots
from attunement.agreement import agreement
from attunement.findings import Finding, NotYet
from attunement.ruptures import Ruptures, ruptures
from attunement.wording import say

if TYPE_CHECKING:
    from attunement.drawing import Chart
    from attunement.trajectories import Caseload

FURTHER: Final = ("time", "guess", "outcome")
"""Columns of a table of ratings that may be missing, and of which it is said what they would show."""
_MOST = 40


@dataclass(frozen=True, slots=True)
class Section:
    """One question and its answer.

    Parameters
    ----------
    name, heading
        For links, and as it is read.
    found
        The answer.
    chart
        Its picture, where there is one.
    table
        What stands behind it, at most 40 rows.
    """

    name: str
    heading: str
    found: Finding | NotYet
    chart: Chart | None
    table: pl.DataFrame


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
            "sections": {each.name: each.found.as_dict() for each in self.sections},
            "episodes": self.ruptures.episodes.to_dicts(),
            "further": list(self.further),
        }


def meaning(caseload: Caseload, ratings: pl.DataFrame) -> Meaning:
    """Ask everything that the columns of a table can answer.

    Parameters
    ----------
    caseload
        What `trajectories` found.
    ratings
        `frames.RATINGS`, as it was read.
    """
    torn = ruptures(caseload)
    sections = [] if isinstance(caseload.model, NotYet) else [_of_ruptures(torn)]
    if _has(ratings, "guess"):
        sections.append(_of_agreement(caseload, ratings))
    missing = [name for name in FURTHER if not _has(ratings, name)]
    return Meaning(torn, tuple(sections), tuple(say(f"further_{name}", "en") for name in missing))


def _of_ruptures(torn: Ruptures) -> Section:
    found = torn.all
    chart = plots.rules_chart(torn) if isinstance(found, Finding) else None
    return Section("ruptures", "Ruptures", found, chart, torn.episodes.head(_MOST))


def _of_agreement(caseload: Caseload, ratings: pl.DataFrame) -> Section:
    """How guesses lie to ratings; drawn client by client for one therapist alone, for nobody is compared."""
    mine = ratings.filter(ratings["therapist"].is_in(caseload.rated["therapist"].unique().implode()))
    found = agreement(mine, caseload.measure)
    told = found.all
    alone = mine["therapist"].n_unique() == 1
    chart = plots.gaps_chart(found) if alone and isinstance(told, Finding) else None
    return Section("agreement", "Your guess and their rating", told, chart, pl.DataFrame())


def _has(ratings: pl.DataFrame, name: str) -> bool:
    return name in ratings.columns and not ratings[name].is_null().all()
