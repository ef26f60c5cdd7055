"""Reliable change: the literature's arithmetic, R's numbers, and what must hold for any figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attunement.change import METHODS, Method, Norms, Population, Yardstick, norms_of, yardstick
from attunement.errors import InputError
from attunement.findings import NotYet
from attunement.instruments import Higher, Published, instrument, reliable_change

REFERENCE = Path(__file__).parents[1] / "reference"
R: dict[str, Any] = json.loads((REFERENCE / "change.json").read_text(encoding="utf-8"))
PAIRS = pl.read_csv(REFERENCE / "data" / "change_pairs.csv")

STUDY = "Jacobson & Truax (1991), table 1"


def published(scale: float = 1.0, sign: int = 1, higher: Higher = "worse") -> Norms:
    """All figures of the R reference, on a scale stretched and turned over."""
    figures = R["figures"]
    return Norms(
        "the scale",
        higher,
        Published(figures["reliability"], "R"),
        clinical=Population(sign * scale * figures["m_pre"], scale * figures["sd_pre"], "R"),
        after=Population(sign * scale * figures["m_post"], scale * figures["sd_post"], "R"),
        reliability_after=Published(figures["reliability_post"], "R"),
        stability=Published(figures["correlation"], "R"),
    )


def ruler_of(norms: Norms, method: Method = "jacobson-truax") -> Yardstick:
    ruler = yardstick(norms, method)
    assert isinstance(ruler, Yardstick)
    return ruler


def test_the_example_of_jacobson_and_truax_comes_out() -> None:
    # Table 1 and its example: SD 7.5, reliability .80, from 32.5 to 47.5; S_diff 4.74, RC 3.16
    scale = Norms("the scale", "better", Published(0.80, STUDY), sd=Published(7.5, STUDY))
    ruler = ruler_of(scale)
    assert ruler.error == pytest.approx(4.743416, abs=1e-6)  # 7.5 * sqrt(.4), by hand
    assert ruler.index(32.5, 47.5) == pytest.approx(3.16, abs=0.005)
    assert ruler.margin == pytest.approx(9.2971, abs=1e-4)  # 1.96 * 4.743416


@pytest.mark.parametrize(
    ("sd", "reliability", "error", "margin"),
    [
        (6.396073, 0.931, 2.376036, 4.65703),  # tests of suddengains 0.7.2, define_crit1_cutoff
        (10.5, 0.961, 2.93249, 5.747681),  # the same
        (6.1, 0.88, 2.988, 5.9),  # EVIDENCE.md 1.4: the PHQ-9
    ],
)
def test_the_raw_change_that_counts_is_that_of_other_programs(
    sd: float, reliability: float, error: float, margin: float
) -> None:
    ruler = ruler_of(Norms("x", "worse", Published(reliability, "A"), sd=Published(sd, "A")))
    assert ruler.error == pytest.approx(error, rel=1e-3)
    assert ruler.margin == pytest.approx(margin, rel=1e-2 if margin == 5.9 else 1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_index_is_that_of_r(method: Method) -> None:
    ruler = ruler_of(published(), method)
    mine = [ruler.index(*row) for row in PAIRS.select("before", "after").rows()]
    assert mine == pytest.approx(R["index"][method], abs=1e-9)


def test_hageman_and_arrindell_judge_one_sided_and_the_others_two_sided() -> None:
    assert [ruler_of(published(), method).critical for method in METHODS] == [1.96] * 4 + [1.65]
    assert [ruler_of(published(), method).level for method in METHODS] == [0.95] * 4 + [0.90]


@pytest.mark.parametrize("method", METHODS)
@given(
    before=st.floats(0, 60),
    after=st.floats(0, 60),
    stretch=st.sampled_from([0.1, 2.0, 7.0]),
    turn=st.booleans(),
)
def test_the_index_knows_no_unit_and_turns_with_the_scale(
    method: Method, before: float, after: float, stretch: float, turn: bool
) -> None:
    sign = -1 if turn else 1
    plain = ruler_of(published(), method).index(before, after)
    other = ruler_of(published(stretch, sign), method).index(sign * stretch * before, sign * stretch * after)
    assert other == pytest.approx(sign * plain, abs=1e-9)


@given(
    reliability=st.floats(0.05, 0.99),
    sd=st.floats(0.1, 100),
    before=st.floats(-100, 100),
    after=st.floats(-100, 100),
)
def test_there_and_back_are_equally_reliable(
    reliability: float, sd: float, before: float, after: float
) -> None:
    ruler = ruler_of(Norms("x", "worse", Published(reliability, "A"), sd=Published(sd, "A")))
    assert ruler.index(before, after) == -ruler.index(after, before)


def test_a_more_reliable_scale_needs_less_change() -> None:
    margins = [
        ruler_of(Norms("x", "worse", Published(r, "A"), sd=Published(7.5, "A"))).margin
        for r in (0.7, 0.8, 0.9)
    ]
    assert margins == sorted(margins, reverse=True)


@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("jacobson-truax", "no published standard deviation before treatment of x"),
        ("edwards-nunnally", "no published mean and standard deviation before treatment of x"),
        ("gulliksen-lord-novick", "no published mean and standard deviation before treatment of x"),
        (
            "nunnally-kotsch",
            "no published mean and standard deviation before treatment and no reliability after treatment of x",
        ),
        (
            "hageman-arrindell",
            (
                "no published mean and standard deviation before treatment and no mean after treatment and no "
                "correlation of before and after of x"
            ),
        ),
    ],
)
def test_a_figure_that_nobody_published_is_named_and_not_guessed(method: Method, missing: str) -> None:
    said = yardstick(Norms("x", "worse", Published(0.9, "A")), method)
    assert isinstance(said, NotYet)
    assert said.missing == missing
    assert "source" in said.supply


def test_our_own_instruments_have_no_reliable_change_yet() -> None:
    said = yardstick(norms_of(instrument("state")))
    assert isinstance(said, NotYet)
    assert "no published reliability and no standard deviation" in said.missing


def test_an_instrument_that_publishes_its_figures_has_the_reliable_change_that_it_tells_itself() -> None:
    state = instrument("state")
    total = replace(state.scale("total"), reliability=Published(0.9, "A"), sd=Published(2.0, "A"))
    told = replace(state, scales=(total,))
    assert ruler_of(norms_of(told)).margin == pytest.approx(reliable_change(told), rel=1e-12)


def test_a_mean_with_its_deviation_serves_for_the_deviation() -> None:
    norms = Norms("x", "worse", clinical=Population(20, 6, "A study"))
    assert norms.spread == Published(6, "A study")


def test_figures_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="reliability of x is 1; it lies between 0 and 1"):
        Norms("x", "worse", Published(1.0, "A"))
    with pytest.raises(InputError, match="reliability after treatment of x is 0"):
        Norms("x", "worse", reliability_after=Published(0.0, "A"))
    with pytest.raises(InputError, match="standard deviation of x is -1; it lies above 0"):
        Norms("x", "worse", sd=Published(-1.0, "A"))
    with pytest.raises(InputError, match="correlation of before and after of x is 1"):
        Norms("x", "worse", stability=Published(1.0, "A"))
    with pytest.raises(InputError, match="standard deviation above 0"):
        Population(20, 0, "A")
    with pytest.raises(InputError, match="standard deviation above 0"):
        Population(math.nan, 1, "A")
    with pytest.raises(InputError, match="takes a source"):
        Population(20, 6, " ")
    with pytest.raises(
        InputError, match="'rci' is no method for reliable change; it is one of jacobson-truax, "
    ):
        yardstick(published(), "rci")  # type: ignore[arg-type]


def test_differences_that_are_all_error_are_refused() -> None:
    group = Population(20, 6, "A")
    norms = Norms(
        "x", "worse", Published(0.5, "A"), clinical=group, after=group, stability=Published(0.6, "A")
    )  # r = .5 and a correlation of .6 cannot both be
    with pytest.raises(InputError, match="hold nothing but error of measurement"):
        yardstick(norms, "hageman-arrindell")
