"""Each client's outcome from first to last: by published figures or not at all, in both languages."""

from __future__ import annotations

import polars as pl
import pytest

from attunement.change import Norms, Population, changes
from attunement.errors import ColumnProblem, InputError
from attunement.findings import Finding, NotYet
from attunement.impact import first_to_last
from attunement.instruments import Published

STUDY = "Jacobson & Truax (1991), table 1"
NORMS = Norms(
    "the scale",
    "better",
    Published(0.80, STUDY),
    clinical=Population(40, 7.5, STUDY),
    functional=Population(60, 7.5, STUDY),
)
PAIRS = {"A": (32.5, 53.0), "B": (32.5, 47.5), "C": (55.0, 41.0), "D": (40.0, 42.0)}


def outcomes(pairs: dict[str, tuple[float, ...]] | None = None) -> pl.DataFrame:
    rows = [
        {"client": client, "session": session, "instrument": "scale", "outcome": value}
        for client, values in (pairs or dict(PAIRS)).items()
        for session, value in enumerate(values, start=1)
    ]
    return pl.DataFrame(rows)


def test_it_is_what_change_says() -> None:
    rows = [{"client": client, "before": first, "after": last} for client, (first, last) in PAIRS.items()]
    theirs = changes(pl.DataFrame(rows), NORMS)
    assert isinstance(theirs, pl.DataFrame)
    assert first_to_last(outcomes(), NORMS).frame()["result"].to_list() == theirs["result"].to_list()


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("A", ("20.5 points better (11.2 to 29.8)", "is on the side of people without")),
        ("B", ("15.0 points better", "is not on the side")),
        ("C", ("14.0 points worse (4.7 to 23.3)",)),
        ("D", ("2.0 points better (-7.3 to 11.3", "Chance in the scale can explain that")),
    ],
)
def test_each_client_is_told_of_in_words(client: str, words: tuple[str, ...]) -> None:
    told = first_to_last(outcomes(), NORMS).of(client)
    assert isinstance(told, Finding)
    assert all(each in told.sentence for each in words)
    assert any(STUDY in limit for limit in told.limits)


def test_without_published_figures_it_names_what_is_missing() -> None:
    told = first_to_last(outcomes(), Norms("the scale", "better")).of("A")
    assert isinstance(told, NotYet)
    assert "how reliable it is" in told.missing
    assert "standard deviation" in told.missing
    assert isinstance(first_to_last(outcomes(), Norms("the scale", "better")).all, NotYet)


def test_without_a_line_it_does_not_say_where_it_ended() -> None:
    told = first_to_last(
        outcomes(), Norms("the scale", "better", Published(0.8, STUDY), Published(7.5, STUDY))
    )
    found = told.of("A")
    assert isinstance(found, Finding)
    assert "side of people" not in found.sentence
    assert any("not published" in limit for limit in found.limits)


def test_one_score_is_not_yet_a_change() -> None:
    told = first_to_last(outcomes({"A": (30.0,), "B": (30.0, 50.0)}), NORMS).of("A")
    assert isinstance(told, NotYet)
    with pytest.raises(ColumnProblem, match="'nobody'"):
        first_to_last(outcomes(), NORMS).of("nobody")


def test_a_share_is_told_from_ten_clients_with_its_interval() -> None:
    assert isinstance(first_to_last(outcomes(), NORMS).all, NotYet)
    many: dict[str, tuple[float, ...]] = {
        f"{name}{number}": pair for number in range(3) for name, pair in PAIRS.items()
    }
    told = first_to_last(outcomes(many), NORMS).all
    assert isinstance(told, Finding)
    assert "Of 12 clients, 6 changed for the better and 3 for the worse" in told.sentence
    assert told.estimate.low < 0.5 < told.estimate.high


def test_two_instruments_are_refused() -> None:
    both = pl.concat([outcomes(), outcomes().with_columns(instrument=pl.lit("other"))])
    with pytest.raises(InputError, match="scores of two instruments"):
        first_to_last(both, NORMS)


def test_spanish_has_its_own_words() -> None:
    told = first_to_last(outcomes(), NORMS, language="es").of("A")
    assert isinstance(told, Finding)
    assert "puntos mejor" in told.sentence
    assert "20,5" in told.sentence
