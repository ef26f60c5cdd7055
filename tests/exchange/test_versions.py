"""Answers to an earlier version leave and come back, in every format, where that version is on the shelf."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from attunement.errors import InputError
from attunement.exchange.apart import read_apart
from attunement.exchange.entries import AnswersEntry, ClientEntry, Entry, SessionEntry, described
from attunement.exchange.fhir import read_fhir, write_bundle
from attunement.exchange.outgoing import write
from attunement.exchange.redcap import read_records
from attunement.exchange.tables import read_tables, write_tables
from attunement.instruments import instrument

if TYPE_CHECKING:
    from pathlib import Path

NOW = instrument("gad7")
BEFORE = replace(NOW, version="2.0-beta", scales=(replace(NOW.main, at_least=1),))
BOTH = {"gad7": NOW, "gad7|2.0-beta": BEFORE}
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANSWERS: dict[str, float | None] = {item.id: 1.0 for item in NOW.items}
TOLD: list[Entry] = [
    ClientEntry("K-07"),
    SessionEntry("K-07", 1, AT),
    AnswersEntry("K-07", 1, AT, "gad7", "2.0-beta", ANSWERS),
    AnswersEntry("K-07", 1, AT, "gad7", NOW.version, ANSWERS),
]


def test_the_version_that_was_answered_is_found() -> None:
    assert described(BOTH, "gad7", NOW.version) is NOW
    assert described(BOTH, "gad7", "2.0-beta") is BEFORE
    assert described(BOTH, "gad7", "3") is None


def test_as_fhir() -> None:
    out = io.BytesIO()
    write_bundle(TOLD, BOTH, out)
    assert out.getvalue().count(b"worked-out") == 2
    assert list(read_fhir(io.BytesIO(out.getvalue()), BOTH)) == TOLD
    assert list(read_apart("fhir", out.getvalue(), shelf=BOTH)) == TOLD
    with pytest.raises(InputError, match="answers to two versions are not mixed"):
        list(read_fhir(io.BytesIO(out.getvalue()), {"gad7": NOW}))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_as_tables(kind: str, tmp_path: Path) -> None:
    write_tables(TOLD, BOTH, tmp_path / "out.zip", kind)  # type: ignore[arg-type]
    assert list(read_tables(tmp_path / "out.zip", BOTH)) == TOLD
    with pytest.raises(InputError, match="two are not mixed"):
        list(read_tables(tmp_path / "out.zip", {"gad7": NOW}))


def test_as_records_of_redcap() -> None:
    out = io.BytesIO()
    write(TOLD, BOTH, out, "redcap")
    assert "gad7_v2_0_beta_item1" in out.getvalue().decode()
    assert list(read_records(out.getvalue().decode(), BOTH)) == TOLD
