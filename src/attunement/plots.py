"""Charts as values: drawn once, for a page, a PDF and a notebook, each with its sentence and its table.

Vega-Lite draws the larger ones (by vl-convert, without a browser); the small multiples of a caseload are plain
paths. Colours are names (`PALETTE`): on a page they are the page's own, so a chart follows light, dark and print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl
import vl_convert

if TYPE_CHECKING:
    from attunement.findings import Finding
    from attunement.trajectories import Caseload, Trajectory

PALETTE = {
    "paper": ("#faf7f2", "#1c1a18"),
    "card": ("#fffefa", "#262220"),
    "ink": ("#26231f", "#ece5d9"),
    "quiet": ("#635c55", "#aaa196"),
    "rule": ("#dcd8cb", "#403b36"),
    "accent": ("#2d6e5f", "#7fc4b2"),
    "band": ("#dcebe4", "#26403a"),
    "attention": ("#a0521f", "#e6985f"),
}
"""Name, light and dark: warm paper, ink, one green, one warm colour for what wants attention; never red."""

_FONT = "Atkinson Hyperlegible Next, Atkinson Hyperlegible, system-ui, sans-serif"
_WIDTH, _HEIGHT = 330, 190
_TILE = (200, 64)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, the same as a sentence, and the same as a table.

    Parameters
    ----------
    markup
        SVG whose colours are the light ones of `PALETTE`.
    sentence
        What it shows, for those who hear it.
    table
        The numbers in it.
    """

    markup: str = field(repr=False)
    sentence: str
    table: pl.DataFrame = field(repr=False)

    def themed(self) -> str:
        """SVG that takes its colours from the page, as ``var(--accent)`` and so on."""
        return themed(self.markup)

    def dark(self) -> str:
        """SVG in the dark colours, for where no page gives any."""
        dark = dict(PALETTE.values())
        return re.sub("|".join(dark), lambda found: dark[found[0]], self.markup)

    def _repr_svg_(self) -> str:
        return self.markup


def themed(markup: str) -> str:
    """Turn the light colours of `PALETTE` into the names that a page gives them."""
    names = {light: name for name, (light, _) in PALETTE.items()}
    return re.sub("|".join(names), lambda found: f"var(--{names[found[0]]})", markup)


def course_chart(trajectory: Trajectory) -> Chart:
    """The client's ratings, the connection behind them, and what is expected of a new client here."""
    table = trajectory.curve()
    layers = [_established(trajectory)]
    if "connection" in table.columns:
        layers[:0] = [
            _area("expected_low", "expected_high", "band", 1.0),
            _area("low", "high", "accent", 0.18),
        ]
        layers.append(_line("connection", "accent"))
    layers.append(_points(trajectory))
    spec = {
        "data": {"values": table.to_dicts()},
        "width": _WIDTH,
        "height": _HEIGHT,
        "layer": layers,
    }
    return Chart(_draw(spec, _course_sentence(trajectory)), _course_sentence(trajectory), table)


def shares_chart(found: Finding) -> Chart:
    """Where ratings differ: a share and its interval a source."""
    names = {
        "client": "the client",
        "therapist": "the therapist",
        "dyad": "their pairing",
        "session": "the session",
    }
    table = found.evidence.with_columns(
        pl.col("source").replace(names), pl.col("share", "low", "high") * 100
    ).select("source", "share", "low", "high")
    y = {"field": "source", "type": "nominal", "sort": None, "title": None}
    x = {"type": "quantitative", "title": "share of all difference, %", "scale": {"domain": [0, 100]}}
    spec = {
        "data": {"values": table.to_dicts()},
        "width": _WIDTH - 60,
        "height": {"step": 30},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": _light("accent"), "opacity": 0.45},
                "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 70,
                    "color": _light("accent"),
                    "opacity": 1,
                },
                "encoding": {"y": y, "x": {"field": "share", **x}},
            },
        ],
    }
    return Chart(_draw(spec, found.sentence), found.sentence, table)


def tile(trajectory: Trajectory, band: pl.DataFrame) -> str:
    """One small multiple: the band, the connection (or the ratings) and where it is now.

    `band` is `Caseload.band`: its sessions are the whole width, the same for all tiles of a board.
    """
    table, measure = trajectory.curve(), trajectory.measure
    width, height = _TILE
    sessions = max(band.height, trajectory.now)

    def place(session: float, points: float) -> str:
        across = 6 + (width - 12) * (session - 1) / max(sessions - 1, 1)
        up = 6 + (height - 12) * (1 - (points - measure.low) / (measure.high - measure.low))
        return f"{across:.1f},{up:.1f}"

    def path(rows: pl.DataFrame, column: str) -> list[str]:
        return [place(*row) for row in rows.drop_nulls(column).select("session", column).rows()]

    edge = " ".join([*path(band, "high"), *reversed(path(band, "low"))])
    drawn = [f'<polygon points="{edge}" fill="{_light("band")}"/>'] if band.height > 1 else []
    points = path(table, "connection" if "connection" in table.columns else "rating")
    drawn.append(
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{_light("accent")}" stroke-width="2" '
        'stroke-linejoin="round"/>'
    )
    across, up = points[-1].split(",")
    drawn.append(f'<circle cx="{across}" cy="{up}" r="4" fill="{_light("accent")}"/>')
    return f'<svg viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{"".join(drawn)}</svg>'


def board(caseload: Caseload, most: int = 60) -> Chart:
    """The caseload as small multiples, those who want attention first; in rows of four, for PDF and notebook."""
    shown, band = caseload.trajectories[:most], caseload.band
    width, height = _TILE[0] + 20, _TILE[1] + 34
    parts = []
    for place, each in enumerate(shown):
        left, top = (place % 4) * width, (place // 4) * height
        label = escape(f"{each.name} · {each.word}")
        inner = tile(each, band).replace(
            "<svg ", f'<svg x="0" y="22" width="{_TILE[0]}" height="{_TILE[1]}" '
        )
        text = f'<text x="6" y="16" font-size="13" fill="{_light("ink")}">{label}</text>'
        parts.append(f'<g transform="translate({left} {top})">{text}{inner}</g>')
    rows = -(-len(shown) // 4)
    sentence = f"{len(shown):,} of {len(caseload):,} courses, those who want attention first."
    markup = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(sentence)}" '
        f'viewBox="0 0 {4 * width} {rows * height}" font-family="{_FONT}">{"".join(parts)}</svg>'
    )
    return Chart(markup, sentence, caseload.frame().head(most))


def _course_sentence(trajectory: Trajectory) -> str:
    depth = trajectory.depth
    rated = f"{trajectory.rated.size} ratings of {trajectory.name} over {trajectory.now} sessions"
    ends = f"from {trajectory.score[0]:g} to {trajectory.score[-1]:g}"
    line = f"The dashed line, {trajectory.measure.established:g}, is called established."
    return f"{rated}, {ends}. {depth.sentence} {line}"


def _x() -> dict[str, Any]:
    return {
        "field": "session",
        "type": "quantitative",
        "title": "session",
        "axis": {"tickMinStep": 1, "format": "d", "grid": False},
        "scale": {"nice": False, "padding": 8},
    }


def _y(column: str) -> dict[str, Any]:
    return {"field": column, "type": "quantitative", "title": None}


def _area(low: str, high: str, colour: str, opacity: float) -> dict[str, Any]:
    return {
        "mark": {"type": "area", "color": _light(colour), "opacity": opacity},
        "encoding": {"x": _x(), "y": _y(low), "y2": {"field": high}},
    }


def _line(column: str, colour: str) -> dict[str, Any]:
    return {
        "mark": {"type": "line", "color": _light(colour), "strokeWidth": 2.5},
        "encoding": {"x": _x(), "y": _y(column)},
    }


def _points(trajectory: Trajectory) -> dict[str, Any]:
    measure = trajectory.measure
    scale = {"domain": [measure.low, measure.high], "nice": False}
    return {
        "transform": [{"filter": "datum.rating !== null"}],
        "mark": {
            "type": "point", "filled": True, "size": 50, "opacity": 1,
            "fill": _light("card"), "stroke": _light("accent"), "strokeWidth": 2,
        },
        "encoding": {"x": _x(), "y": {**_y("rating"), "scale": scale}},
    }  # fmt: skip


def _established(trajectory: Trajectory) -> dict[str, Any]:
    """A dashed line; what it stands for is said in the sentence and in the legend, where it covers no rating."""
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": _light("quiet"), "strokeDash": [3, 4], "opacity": 0.8},
        "encoding": {"y": {"datum": trajectory.measure.established, "type": "quantitative"}},
    }


def _light(name: str) -> str:
    return PALETTE[name][0]


def _draw(spec: dict[str, Any], sentence: str) -> str:
    """Let Vega draw; one label for the whole picture in place of Vega's many."""
    axis = {
        "labelColor": _light("quiet"), "titleColor": _light("quiet"), "gridColor": _light("rule"),
        "domainColor": _light("rule"), "tickColor": _light("rule"), "labelFontSize": 13, "titleFontSize": 13,
        "titleFontWeight": "normal",
    }  # fmt: skip
    config = {
        "font": _FONT, "background": None, "view": {"stroke": None}, "axis": axis,
        "padding": {"left": 14, "right": 8, "top": 6, "bottom": 4},
    }  # fmt: skip
    drawn = re.sub(
        r' (?:role|aria-[a-z]+)="[^"]*"', "", vl_convert.vegalite_to_svg({**spec, "config": config})
    )
    drawn = re.sub(r'<svg ([^>]*?)width="[\d.]+" height="[\d.]+"', r"<svg \1", drawn, count=1)
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(sentence)}" ', 1)
