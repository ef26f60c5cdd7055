"""A chart is a picture, a sentence and a table that say the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import polars as pl
import pytest

from attunement.drawing import PALETTE, Chart
from attunement.findings import Finding
from attunement.plots import board, course_chart, shares_chart
from attunement.simulate import simulate
from attunement.trajectories import Caseload, Measure, trajectories


@pytest.fixture(scope="module")
def caseload() -> Caseload:
    return trajectories(simulate(1, 16, seed=4).ratings, Measure(0, 10))


@pytest.fixture(scope="module")
def charts(caseload: Caseload) -> list[Chart]:
    assert isinstance(caseload.shares, Finding)
    return [course_chart(caseload.trajectories[0]), shares_chart(caseload.shares), board(caseload)]


def test_every_chart_is_svg_with_one_label_that_is_its_sentence(charts: list[Chart]) -> None:
    for chart in charts:
        root = ET.fromstring(chart.markup)  # noqa: S314 - drawn by us
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == chart.sentence
        assert len(re.findall(r'role="', chart.markup)) == 1
        assert not chart.table.is_empty()


def test_on_a_page_every_colour_is_the_pages_own(charts: list[Chart]) -> None:
    for chart in charts:
        assert not re.search(r"#[0-9a-f]{6}", chart.themed())
        assert set(re.findall(r"var\(--(\w+)\)", chart.themed())) <= set(PALETTE)


def test_dark_has_no_light_colour_left(charts: list[Chart]) -> None:
    for chart in charts:
        assert not any(light in chart.dark() for light, _ in PALETTE.values())


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "quiet", "accent", "attention"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_text_stands_out_from_its_ground_as_wcag_asks(name: str, ground: str, scheme: int) -> None:
    lights = sorted((luminance(PALETTE[name][scheme]), luminance(PALETTE[ground][scheme])))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_client_code_cannot_break_out_of_a_picture() -> None:
    ratings = simulate(1, 6, seed=4).ratings.with_columns(
        client=pl.lit('"><script>alert(1)</script>') + pl.col("client")
    )
    caseload = trajectories(ratings, Measure(0, 10))
    for markup in (board(caseload).markup, course_chart(caseload.trajectories[0]).markup):
        assert "<script" not in markup
