"""Which column is what: said, clear from the header, or asked for."""

from __future__ import annotations

import pytest

from attunement.errors import ColumnProblem
from attunement.exchange.columns import KEYS, find_columns, parse_mapping

USUAL = ("client", "session", "score")


@pytest.mark.parametrize(
    ("header", "column"),
    [
        (("Client ID", "session", "score"), "Client ID"),
        (("patient_id", "session", "score"), "patient_id"),
        (("PtID", "session", "score"), "PtID"),
    ],
)
def test_a_client_goes_by_several_names(header: tuple[str, ...], column: str) -> None:
    found, guessed = find_columns(header, None)
    assert found["client"] == column
    assert "client" in guessed


def test_what_is_said_is_not_guessed() -> None:
    found, guessed = find_columns((*USUAL, "total"), {"score": "total"})
    assert found["score"] == "total"
    assert guessed == ("client", "session")


def test_two_dates_are_no_reason_to_stop() -> None:
    assert "time" not in find_columns((*USUAL, "date", "time"), None)[0]


def test_feelings_stand_behind_our_keys() -> None:
    found, _ = find_columns((*USUAL, "warm"), {"feeling:warm": "warm"})
    assert list(found) == ["client", "session", "score", "feeling:warm"]


def test_an_equals_sign_may_stand_in_a_column() -> None:
    assert parse_mapping("score=a=b") == {"score": "a=b"}


@pytest.mark.parametrize("text", ["", ",", "client=", "=client", "feeling:=x", "CLIENT=x", "client=a,"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(ColumnProblem, match="--map"):
        parse_mapping(text)


def test_every_key_can_be_mapped() -> None:
    assert tuple(parse_mapping(",".join(f"{key}=x" for key in KEYS))) == KEYS


def test_a_long_header_is_not_told_in_full() -> None:
    header = tuple(f"{number} {'x' * 200}" for number in range(100))
    with pytest.raises(ColumnProblem, match="and 90 more") as problem:
        find_columns(header, None)
    assert len(str(problem.value)) < 400


def test_numbered_items_beside_named_columns_are_no_data() -> None:
    assert find_columns((*USUAL, "1", "2"), None)[0]["score"] == "score"
