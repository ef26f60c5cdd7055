"""How a chart is drawn: a value with a picture, a sentence and a table, in the house's colours.

Vega-Lite draws (by vl-convert, without a browser). Colours are names (`PALETTE`): on a page they are the page's own,
so a chart follows light, dark and print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import vl_convert

if TYPE_CHECKING:
    import polars as pl

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

FONT = "Atkinson Hyperlegible Next, Atkinson Hyperlegible, system-ui, sans-serif"


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


def interval_chart(
    table: pl.DataFrame, names: tuple[str, str], x: dict[str, Any], sentence: str, width: int
) -> Chart:
    """A point and its interval a row: `names` are the columns of the label and of the point; ``low, high`` too."""
    label, point = names
    y = {"field": label, "type": "nominal", "sort": None, "title": None}
    x = {"type": "quantitative", **x}
    spec = {
        "data": {"values": table.to_dicts()},
        "width": width,
        "height": {"step": 30},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "color": light("accent"), "opacity": 0.45},
                "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "color": light("accent"), "opacity": 1},
                "encoding": {"y": y, "x": {"field": point, **x}},
            },
        ],
    }
    return Chart(drawn(spec, sentence), sentence, table)


def light(name: str) -> str:
    """A colour of the palette, as it is on paper."""
    return PALETTE[name][0]


def drawn(spec: dict[str, Any], sentence: str) -> str:
    """Let Vega draw; one label for the whole picture in place of Vega's many."""
    axis = {
        "labelColor": light("quiet"), "titleColor": light("quiet"), "gridColor": light("rule"),
        "domainColor": light("rule"), "tickColor": light("rule"), "labelFontSize": 13, "titleFontSize": 13,
        "titleFontWeight": "normal",
    }  # fmt: skip
    config = {
        "font": FONT, "background": None, "view": {"stroke": None}, "axis": axis,
        "padding": {"left": 14, "right": 8, "top": 6, "bottom": 4},
    }  # fmt: skip
    markup = re.sub(
        r' (?:role|aria-[a-z]+)="[^"]*"', "", vl_convert.vegalite_to_svg({**spec, "config": config})
    )
    markup = re.sub(r'<svg ([^>]*?)width="[\d.]+" height="[\d.]+"', r"<svg \1", markup, count=1)
    return markup.replace("<svg ", f'<svg role="img" aria-label="{escape(sentence)}" ', 1)
