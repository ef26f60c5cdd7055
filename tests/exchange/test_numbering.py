"""Sessions are numbered within the dyad, and a gap is a session missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attunement.exchange import read_ratings

if TYPE_CHECKING:
    from pathlib import Path


def numbered(tmp_path: Path, *lines: str) -> list[int]:
    (tmp_path / "table.csv").write_text(
        "\n".join(["therapist,client,session,score", *lines]), encoding="utf-8"
    )
    return read_ratings(tmp_path / "table.csv").ratings["session"].to_list()


def test_an_intake_in_a_file_that_counts_within_clients_is_still_seen_through(tmp_path: Path) -> None:
    found = numbered(tmp_path, "T1,a,0,5", "T1,a,1,6", "T1,a,2,6", "T2,a,3,4", "T2,a,4,5")
    assert found == [1, 2, 3, 1, 2]


def test_the_gaps_of_a_client_with_one_therapist_stay(tmp_path: Path) -> None:
    found = numbered(tmp_path, "T1,a,1,5", "T2,a,2,6", "T1,b,1,6", "T1,b,2,4", "T1,b,5,5")
    assert found == [1, 1, 1, 2, 5]
