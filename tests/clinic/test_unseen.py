"""Whether a therapist keeps reflections shows nowhere, in a clinic's database as in files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from test_non_interference import REFLECTIONS, count_in_the_record, different, told

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from server import Server


def test_every_answer_to_others_is_the_same_with_none_and_with_a_thousand_reflections(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none, many = (_told(server, tmp_path, monkeypatch, number) for number in (0, REFLECTIONS))
    assert len(none) > 75
    assert different(none, many) == []
    assert not any("private" in answer for answer in many.values())


def test_a_practice_that_counts_reflections_in_the_record_is_found_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_in_the_record(monkeypatch)
    none, few = (_told(server, tmp_path, monkeypatch, number) for number in (0, 3))
    assert "A-1 journal" in different(none, few)


def _told(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, reflections: int) -> dict[str, str]:
    """Live in a database of its own."""
    database = server.fresh()
    try:
        return told(folder / str(reflections), monkeypatch, reflections, server.address(database))
    finally:
        server.drop(database)
