"""Whatever the file, the outcome is a whole page, or one sentence and no page."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attunement.cli import main

patient = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])

CELL = st.one_of(
    st.sampled_from(
        ["", "NA", "abc", "1e400", "-1", "0", "1.5", "7", "10", '"', "'", "=1+1", "2020-13-45", "\x00"]
    ),
    st.text(max_size=12),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
)
CODES = st.sampled_from(["a", "b", "K-07", "7", "Zoë", "\u202e"])


@st.composite
def sound_tables(draw: st.DrawFn) -> list[list[str]]:
    """Clients with their sessions in order, and scores of a ten-point scale, some of them missing."""
    clients = draw(st.integers(1, 12))
    rows = [["client", "session", "score"]]
    for client in range(clients):
        sessions = draw(st.integers(1, 9))
        for session in range(1, sessions + 1):
            score = draw(
                st.one_of(
                    st.integers(0, 10).map(str), st.floats(0, 10).map(lambda x: f"{x:.2f}"), st.just("")
                )
            )
            rows.append([f"c{client}", str(session), score])
    return rows


@st.composite
def faulty_tables(draw: st.DrawFn) -> list[list[str]]:
    """A sound table with a fault in one cell, or one row twice, or one row cut."""
    rows = draw(sound_tables())
    place = draw(st.integers(0, len(rows) - 1))
    kind = draw(st.sampled_from(["cell", "twice", "cut", "long"]))
    if kind == "cell":
        rows[place][draw(st.integers(0, 2))] = draw(CELL)
    elif kind == "twice":
        rows.insert(place, rows[place])
    elif kind == "cut":
        rows[place] = rows[place][: draw(st.integers(0, 2))]
    else:
        rows[place] = [*rows[place], "more"]
    return rows


def written(rows: list[list[str]]) -> bytes:
    return "\n".join(",".join(row) for row in rows).encode("utf-8", "surrogatepass")


def check(content: bytes) -> None:
    """Look at a file, and hold the outcome to the promise."""
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / "table.csv", Path(folder) / "page.html"
        file.write_bytes(content)
        told, failed = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(failed):
            code = main(["look", str(file), "--out", str(page)])
        assert code in {0, 2}, failed.getvalue()
        if code == 0:
            assert page.read_text(encoding="utf-8").endswith("</html>")
        else:
            sentence = failed.getvalue()
            assert sentence.startswith("attunement: ")
            assert sentence.endswith(".\n")
            assert len(sentence.splitlines()) == 1, sentence
            assert {path.name for path in Path(folder).iterdir()} == {"table.csv"}


@patient
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    check(content)


@patient
@given(
    st.lists(st.lists(st.one_of(CELL, CODES), min_size=1, max_size=5), max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_cells_under_a_sound_header(rows: list[list[str]], delimiter: str) -> None:
    header = delimiter.join(["client", "session", "score"])
    check("\n".join([header, *(delimiter.join(row) for row in rows)]).encode("utf-8", "surrogatepass"))


@patient
@given(sound_tables())
def test_any_sound_table(rows: list[list[str]]) -> None:
    check(written(rows))


@patient
@given(faulty_tables())
def test_any_table_with_a_fault(rows: list[list[str]]) -> None:
    check(written(rows))
