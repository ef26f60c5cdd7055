"""A table that somebody already has: shown before anything is kept, taken in as a whole, and never half."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from attunement.web.reading import read_table

if TYPE_CHECKING:
    from guest import Building

KOKOROCHAT = Path(__file__).parents[3] / "shared" / "data" / "kokorochat_ratings.csv"
GOOD = b"client,session,score\nA-1,1,5\nA-1,2,6\nB-2,1,7\n"


def parquet() -> bytes:
    made = io.BytesIO()
    pl.read_csv(io.BytesIO(GOOD)).write_parquet(made)
    return made.getvalue()


BAD = {
    "empty": b"",
    "a picture": b"\x89PNG\r\n" + bytes(200),
    "a workbook": b"PK\x03\x04" + bytes(200),
    "compressed": gzip.compress(GOOD),
    "zeros": b"client,session,score\nA-1,1,\x00\n",
    "no header that is known": b"a,b,c\n1,2,3\n",
    "an open quotation mark": b'client,session,score\n"A-1,1,5\n' + b"x" * 200,
    "one endless line": b"client,session,score" + b"x" * 1_500_000,
    "no score at all": b"client,session,score\nA-1,1,\nA-1,2,\n",
    "half a Parquet": parquet()[:-20],
    "a Parquet that lies": b"PAR1" + bytes(300) + b"PAR1",
    "infinite": b"client,session,score\nA-1,1,inf\nA-1,2,nan\n",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_is_no_table_is_one_sentence_and_nothing_is_kept(house: Building, content: bytes) -> None:
    guest = house.guest("T-1")
    answer = guest.upload("/import", "totals.csv", content)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text
    assert "/proc" not in answer.text
    assert guest.post("/import/take", name="a", low="0", high="10").headers["location"] == "/import"
    assert house.cast.first.clients() == ()


@pytest.mark.parametrize("content", [GOOD, parquet()], ids=["csv", "parquet"])
def test_a_table_is_shown_and_then_taken_in(house: Building, content: bytes) -> None:
    guest = house.guest("T-1")
    shown = guest.upload("/import", "totals.csv", content)
    assert "3 rated sessions of 2 clients" in shown.text
    assert house.cast.first.clients() == ()
    assert guest.post("/import/take", name="totals", low="0", high="6").status_code == 400  # 7 lies outside
    done = guest.post("/import/take", name="totals", low="0", high="10", established="7")
    assert done.headers["location"] == "/caseload"
    (rated,) = house.cast.first.rated()
    assert (rated.name, rated.measure.high, rated.ratings.height) == ("totals", 10.0, 3)
    assert guest.post("/import/take", name="again", low="0", high="10").headers["location"] == "/import"


def test_columns_and_the_therapist_can_be_chosen(house: Building) -> None:
    table = b"who,therapist,nr,points\nA,X,1,5\nA,X,2,6\nB,Y,1,7\n"
    guest = house.guest("T-1")
    assert guest.upload("/import", "t.csv", table).status_code == 400  # no header is clear
    mapping = {"client": "who", "therapist": "therapist", "session": "nr", "score": "points"}
    found = read_table("t.csv", table, mapping, "Y")
    assert (found.therapists, found.whose, found.ratings["client"].to_list()) == (("X", "Y"), "Y", ["B"])


def test_what_a_table_names_is_text_on_the_page(house: Building) -> None:
    name = "<img src=x onerror=alert(1)>.csv"
    answer = house.guest("T-1").upload("/import", name, GOOD)
    assert "<img" not in answer.text


def test_a_code_that_is_none_stops_all_of_it(house: Building) -> None:
    guest = house.guest("T-1")
    guest.upload("/import", "t.csv", b"client,session,score\nA-1,1,5\nsomebody@example.org,1,6\n")
    assert guest.post("/import/take", name="t", low="0", high="10").status_code == 400
    assert house.cast.first.clients() == ()


def test_a_file_without_an_end_is_not_read(house: Building) -> None:
    answer = house.guest("T-1").upload("/import", "t.csv", b"x" * 21_000_000)
    assert answer.status_code == 413


@pytest.mark.skipif(not KOKOROCHAT.exists(), reason="the KokoroChat table is not on this machine")
def test_a_counsellor_takes_in_what_real_clients_said(house: Building) -> None:
    guest = house.guest("T-1")
    shown = guest.upload("/import", "kokorochat.csv", KOKOROCHAT.read_bytes())
    assert shown.status_code == 200, shown.text[:2_000]
    assert "Whose sessions are yours?" in shown.text
    done = guest.post("/import/take", name="KokoroChat", low="0", high="100")
    assert done.status_code == 303, done.text
    assert guest.get("/caseload").status_code == 200
