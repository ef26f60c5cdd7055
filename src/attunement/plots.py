"""Charts as values: drawn once, for a page, a PDF and a notebook, each with its sentence and its table.

Vega-Lite draws the larger ones (by vl-convert, without a browser); the small multiples of a caseload are plain
paths. Colours are names (`PALETTE`): on a page they are the page's own, so a chart follows light, dark and print.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from attunement.drawing import FONT, Chart, drawn, interval_chart, light

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.agreement import Agreement
    from attunement.findings import Finding
    from attunement.ruptures import Ruptures
    from attunement.trajectories import Caseload, Trajectory

_WIDTH, _HEIGHT = 330, 190
_TILE = (200, 64)
_ROWS = 20  # of a chart that has one a client


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
    return Chart(drawn(spec, _course_sentence(trajectory)), _course_sentence(trajectory), table)


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
    x = {"title": "share of all difference, %", "scale": {"domain": [0, 100]}}
    return interval_chart(table, ("source", "share"), x, found.sentence, _WIDTH - 60)


def rules_chart(found: Ruptures) -> Chart:
    """How many sessions each rule would call, ours beside those in use elsewhere."""
    table = found.rules().select("rule", pl.col("share", "low", "high") * 100)
    ours, most = table["share"][0], table["share"].arg_max() or 0
    sentence = (
        f"Of 100 sessions, one step ahead calls {ours:.1f}; “{table['rule'][most]}” would call "
        f"{table['share'][most]:.1f}."
    )
    x = {"title": "sessions called, of 100", "scale": {"domain": [0, 100]}}
    return interval_chart(table, ("rule", "share"), x, sentence, _WIDTH - 60)


def gaps_chart(found: Agreement) -> Chart:
    """How far the guesses lie from each client's own ratings, with what is uncertain of it."""
    table = found.frame().drop_nulls("bias").head(_ROWS)
    table = table.select("client", gap="bias", low="bias_low", high="bias_high")
    x = {"title": "your guess less their rating, points"}
    return interval_chart(table, ("client", "gap"), x, found.all.sentence, _WIDTH - 60)


def parts_chart(told: Mapping[str, Finding], unit: str) -> Chart:
    """Several findings on one scale: each one's estimate with its interval, by what it speaks of."""
    table = pl.DataFrame(
        [
            {
                "of": name.partition(":")[0],
                "value": each.estimate.value,
                "low": each.estimate.low,
                "high": each.estimate.high,
            }
            for name, each in told.items()
        ]
    )
    sentence = " ".join(each.sentence for each in told.values())
    return interval_chart(table, ("of", "value"), {"title": unit}, sentence, _WIDTH - 60)


def feelings_chart(found: Finding) -> Chart:
    """What differences in a feeling go with: a share and its interval a source."""
    names = {
        "habitual": "the therapist",
        "elicited": "the client",
        "client": "the client",
        "pairing": "their pairing",
        "day": "your own day",
        "momentary": "the hour",
    }
    table = found.evidence.select(
        pl.col("part").replace(names), *(pl.col(each) * 100 for each in ("value", "low", "high"))
    )
    x = {"title": "share of all difference, %", "scale": {"domain": [0, 100]}}
    return interval_chart(table, ("part", "value"), x, found.sentence, _WIDTH - 60)


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
    drawn = [f'<polygon points="{edge}" fill="{light("band")}"/>'] if band.height > 1 else []
    points = path(table, "connection" if "connection" in table.columns else "rating")
    drawn.append(
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{light("accent")}" stroke-width="2" '
        'stroke-linejoin="round"/>'
    )
    across, up = points[-1].split(",")
    drawn.append(f'<circle cx="{across}" cy="{up}" r="4" fill="{light("accent")}"/>')
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
        text = f'<text x="6" y="16" font-size="13" fill="{light("ink")}">{label}</text>'
        parts.append(f'<g transform="translate({left} {top})">{text}{inner}</g>')
    rows = -(-len(shown) // 4)
    sentence = f"{len(shown):,} of {len(caseload):,} courses, those who want attention first."
    markup = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(sentence)}" '
        f'viewBox="0 0 {4 * width} {rows * height}" font-family="{FONT}">{"".join(parts)}</svg>'
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
        "mark": {"type": "area", "color": light(colour), "opacity": opacity},
        "encoding": {"x": _x(), "y": _y(low), "y2": {"field": high}},
    }


def _line(column: str, colour: str) -> dict[str, Any]:
    return {
        "mark": {"type": "line", "color": light(colour), "strokeWidth": 2.5},
        "encoding": {"x": _x(), "y": _y(column)},
    }


def _points(trajectory: Trajectory) -> dict[str, Any]:
    measure = trajectory.measure
    scale = {"domain": [measure.low, measure.high], "nice": False}
    return {
        "transform": [{"filter": "datum.rating !== null"}],
        "mark": {
            "type": "point", "filled": True, "size": 50, "opacity": 1,
            "fill": light("card"), "stroke": light("accent"), "strokeWidth": 2,
        },
        "encoding": {"x": _x(), "y": {**_y("rating"), "scale": scale}},
    }  # fmt: skip


def _established(trajectory: Trajectory) -> dict[str, Any]:
    """A dashed line; what it stands for is said in the sentence and in the legend, where it covers no rating."""
    return {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": light("quiet"), "strokeDash": [3, 4], "opacity": 0.8},
        "encoding": {"y": {"datum": trajectory.measure.established, "type": "quantitative"}},
    }
