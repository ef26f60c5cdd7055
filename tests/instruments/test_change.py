import pytest

from attunement.errors import InstrumentProblem
from attunement.findings import NotYet
from attunement.instruments import Instrument, catalogue, instrument, loads, reliable_change


def test_reliable_change_is_that_of_jacobson_and_truax(warmth: Instrument) -> None:
    change = reliable_change(warmth)  # EVIDENCE.md 1.2: SD .75, alpha .91 is 0.62 as an item mean
    assert change == pytest.approx(0.6237, abs=1e-4)  # 1.96 * .75 * sqrt(2 * .09), by hand


@pytest.mark.parametrize(
    ("sd", "reliability", "points"),
    [
        (9.0, 0.91, 7.48),  # EVIDENCE.md 1.2: twelve items of SD .75 are 7.5 points
        (6.1, 0.88, 5.86),  # EVIDENCE.md 1.4: the PHQ-9's 5.9
    ],
)
def test_reliable_change_of_a_sum_is_in_points(
    warmth_toml: str, sd: float, reliability: float, points: float
) -> None:
    figures = (
        f'sd = {{ value = {sd}, source = "A" }}\nreliability = {{ value = {reliability}, source = "A" }}'
    )
    published = 'reliability = { value = 0.88, source = "A study, table 2" }'
    assert published in warmth_toml
    asked = loads(warmth_toml.replace(published, figures))
    assert reliable_change(asked, "points") == pytest.approx(points, abs=0.005)


def test_without_a_published_standard_deviation_there_is_no_reliable_change_yet(warmth: Instrument) -> None:
    answer = reliable_change(warmth, "points")
    assert isinstance(answer, NotYet)
    assert answer.about == "reliable change of warmth, points"
    assert answer.missing == "no published standard deviation"


@pytest.mark.parametrize("name", [one.id for one in catalogue()])
def test_our_own_instruments_claim_no_reliable_change(name: str) -> None:
    answer = reliable_change(instrument(name))
    assert isinstance(answer, NotYet)
    assert answer.missing == "no published reliability and standard deviation"


def test_reliable_change_of_a_scale_that_is_not_there_is_refused(warmth: Instrument) -> None:
    with pytest.raises(
        InstrumentProblem, match=r"warmth: 'bond' is none of its scales \(total, points, nearness\)"
    ):
        reliable_change(warmth, "bond")
