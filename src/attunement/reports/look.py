"""The page of `attunement look`: one self-contained file, nothing fetched, nothing run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from attunement import drawing, plots
from attunement.findings import Finding, NotYet
from attunement.library import to_read
from attunement.reports.summary import Source, attention, details, limits, size

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from attunement.reports.meaning import Meaning
    from attunement.trajectories import Caseload, Trajectory

TILES, ROWS, CARDS = 60, 400, 40
"""How many small multiples, table rows and client cards a page holds; what is beyond is said, and in the frame."""


@dataclass(frozen=True, slots=True)
class Card:
    """One client who is not simply on course."""

    place: int
    trajectory: Trajectory
    chart: Markup
    table: pl.DataFrame
    torn: Finding | None


def look_page(
    caseload: Caseload,
    source: Source,
    meaning: Meaning,
    *,
    progress: Callable[[str, float], None] = lambda what, share: None,  # noqa: ARG005
) -> str:
    """Fill the page: a sentence, a picture and a table for the caseload and for each client not simply on course."""
    place = {each.name: number for number, each in enumerate(details(caseload)[:CARDS], start=1)}
    cards: list[Card] = []
    for each in details(caseload)[:CARDS]:
        progress("drawing", len(cards) / max(len(place), 1))
        cards.append(_card(each, place[each.name], meaning))
    band = caseload.band
    tiles = [(each, _safe(drawing.themed(plots.tile(each, band)))) for each in caseload.trajectories[:TILES]]
    where = caseload.shares
    return (
        _environment()
        .get_template("look.html")
        .render(
            caseload=caseload,
            source=source,
            size=size(caseload),
            attention=attention(caseload),
            told=not isinstance(caseload.model, NotYet),
            connected=caseload.connected,
            shares=where,
            shares_chart=_svg(plots.shares_chart(where)) if isinstance(where, Finding) else None,
            tiles=tiles,
            rows=caseload.trajectories[:ROWS],
            cards=cards,
            place=place,
            not_drawn=len(details(caseload)) - len(cards),
            limits=limits(caseload),
            sections=[(each, _svg(each.chart) if each.chart else None) for each in meaning.sections],
            further=meaning.further,
            course_to_read=to_read("trajectory")[:2],
            palette=drawing.PALETTE,
            skipped=source.skipped.head(ROWS).to_dicts(),
        )
    )


def _card(each: Trajectory, place: int, meaning: Meaning) -> Card:
    chart = plots.course_chart(each)
    return Card(place, each, _svg(chart), chart.table, meaning.of(each.client, each.therapist))


def _svg(chart: drawing.Chart) -> Markup:
    return _safe(chart.themed())


def _safe(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704 - drawn by us, labels escaped


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("attunement.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["told"] = _told
    return environment


def _told(value: float | None, digits: int) -> str:
    """A number of a table; an empty cell says that nothing was rated."""
    return "–" if value is None else f"{value:.{digits}f}"
