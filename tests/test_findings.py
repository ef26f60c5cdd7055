"""A finding is honest by type."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest

from attunement.findings import Estimate, Finding, NotYet


def test_an_estimate_lies_in_its_interval() -> None:
    with pytest.raises(ValueError, match="An interval holds its value"):
        Estimate(5, 6, 7, unit="points")


def test_an_estimate_has_no_nan() -> None:
    with pytest.raises(ValueError, match="say NotYet instead"):
        Estimate(math.nan, 0, 1, unit="points")


def test_a_finding_can_be_told_to_a_machine_with_open_ends_as_null() -> None:
    finding = Finding(
        "speed", "Not yet near.", Estimate(math.inf, 3, math.inf, unit="sessions"), pl.DataFrame()
    )
    told = json.loads(json.dumps(finding.as_dict(), allow_nan=False))
    assert told["estimate"] == {"value": None, "low": 3, "high": None, "unit": "sessions", "level": 0.95}


def test_a_not_yet_says_what_is_missing_and_what_would_supply_it() -> None:
    told = NotYet("state", "2 rated sessions so far", "from 3 on it can be told").as_dict()
    assert told["kind"] == "not yet"
    assert told["missing"]
    assert told["supply"]
