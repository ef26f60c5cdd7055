"""What comes from outside is read where there is nothing else: no network, no disk, no key, little memory and time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest
from fakes import FAKES

from attunement.errors import ColumnProblem, InputError, InstrumentProblem, TooLittle, UnreadableFile
from attunement.exchange import apart, passing, read_ratings
from attunement.exchange.apart import read_apart, read_instruments_apart, read_ratings_apart
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.exchange.readers import READERS
from attunement.exchange.watching import Process, environment
from attunement.instruments import instrument, of_others

if TYPE_CHECKING:
    from attunement.exchange.entries import Entry

TABLE: Final = b"client,session,score\nA-1,1,5\nA-1,2,6\nB-2,1,7\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="what the kernel holds to is told of Linux alone")


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers that do what none may are among the known ones."""
    monkeypatch.setattr(apart, "_CHILD", "fakes")
    for name, reader in FAKES.items():
        monkeypatch.setitem(READERS, name, reader)


def said(reader: str, content: bytes = b"", **settings: Any) -> str:
    (entry,) = read_apart(reader, content, settings)
    assert isinstance(entry, ClientEntry)
    return entry.code


# -- what is read


@pytest.mark.usefixtures("odd")
def test_entries_come_while_they_are_found() -> None:
    assert list(read_apart("counts", b"a\nbb\n", {"codes": "C"})) == [
        SessionEntry("C-2", 1),
        SessionEntry("C-3", 2),
    ]


@pytest.mark.usefixtures("odd")
def test_whoever_has_seen_enough_ends_the_process() -> None:
    began, found = time.monotonic(), read_apart("counts", b"", {"many": 10**9})
    assert next(found) == SessionEntry("K-0", 1)
    found.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 20


@pytest.mark.usefixtures("odd")
def test_what_is_done_between_two_entries_takes_none_of_the_process_s_time() -> None:
    found = read_apart("counts", b"", {"many": 20_000}, seconds=2)
    next(found)
    time.sleep(2.5)
    assert sum(1 for _ in found) == 19_999


@pytest.mark.parametrize("kind", ["a path", "bytes"])
def test_a_table_reads_as_it_does_here(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "totals.csv"
    path.write_bytes(TABLE + b"B-2,2,\n")
    here = read_ratings(path, skip_bad=True)
    found = read_ratings_apart(
        path if kind == "a path" else path.read_bytes(), {"skip_bad": True}, name="totals.csv"
    )
    assert found.rows.equals(here.rows)
    assert found.ratings.equals(here.ratings)
    assert found.skipped.equals(here.skipped)
    assert (found.mapping, found.guessed, found.notes) == (here.mapping, here.guessed, here.notes)


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"a,b\n1,2\n", ColumnProblem, "The first row looks|No column is clearly the client"),
        (b"client,session,score\nA,1,\n", TooLittle, "No row has a score"),
        (b"", UnreadableFile, "t.csv is empty"),
        (b"PK\x03\x04" + bytes(90), UnreadableFile, "t.csv is an Excel workbook"),
        (b'client,session,score\n"A,1,5\n', UnreadableFile, "Row 2 of t.csv has an unclosed quote"),
        (b"client,session,score\nA,x,5\nA,2,6\n", ColumnProblem, "Row 2: the session"),
    ],
)
def test_a_refusal_is_the_reader_s_own_sentence(
    content: bytes, kind: type[InputError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        read_ratings_apart(content, name="t.csv")


def test_an_instrument_and_its_words_are_read() -> None:
    text = (files("attunement.instruments") / "catalogue/others/phq9.toml").read_bytes()
    assert read_instruments_apart("described", text) == (instrument("phq9"),)
    with pytest.raises(InstrumentProblem, match="is missing"):
        read_instruments_apart("described", b'id = "x"\n')
    shelf = {each.id: each for each in of_others()}
    words = b'instrument = "phq9"\nright = "made for a test"\n[en]\n'
    with pytest.raises(InstrumentProblem, match="the words, en"):
        read_instruments_apart("described", words, shelf=shelf)


@pytest.mark.parametrize("reader", READERS)
def test_every_known_reader_is_there(reader: str) -> None:
    from importlib import import_module

    module, _, name = READERS[reader].at.partition(":")
    assert callable(getattr(import_module(module), name))


# -- what is refused before anything is read


@pytest.mark.usefixtures("odd")
def test_a_file_that_is_too_long_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="The file has more than 3 bytes"):
        list(read_apart("counts", b"1234", most=3))
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.truncate(51_000_000)
    with pytest.raises(InputError, match="long.csv has more than 50,000,000 bytes"):
        read_ratings_apart(path)


@pytest.mark.usefixtures("odd")
def test_a_file_that_grows_while_it_is_read_ends_at_the_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x\n" * 1_000)
    monkeypatch.setattr(apart._Asked, "answers", _told_less(apart._Asked.answers))  # noqa: SLF001 - its size is said
    with pytest.raises(InputError, match="growing has more than 100 bytes"):
        list(read_apart("counts", path, most=100))


def _told_less(answers: Any) -> Any:
    from dataclasses import replace

    return lambda asked, kind: answers(replace(asked, size=1), kind)


@pytest.mark.parametrize("what", ["nothing", "a folder"])
def test_what_is_no_file_is_one_sentence(what: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="There is no file|is a folder"):
        read_ratings_apart(tmp_path if what == "a folder" else tmp_path / "none.csv")


# -- what a reader cannot do

STOPPED: Final = "something in it is not as a file of this kind has it"
TOO_MUCH: Final = "could not be read in the memory and time that it may take"


@pytest.mark.parametrize(
    "reader",
    [
        "connects",
        "resolves",
        "forks",
        "runs",
        "replaces_itself",
        "calls_c",
        "kills",
        "unpickles",
        "faults",
        "recurses",
    ],
)
@pytest.mark.usefixtures("odd")
def test_a_reader_that_does_what_none_may_is_stopped(reader: str) -> None:
    with pytest.raises(UnreadableFile, match=STOPPED):
        list(read_apart(reader, TABLE))


@pytest.mark.parametrize("reader", ["writes", "makes_a_folder", "removes", "reads_a_file"])
@pytest.mark.usefixtures("odd")
def test_a_reader_has_no_disk(reader: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    if reader in {"removes", "reads_a_file"}:
        place.write_text("kept")
    with pytest.raises(UnreadableFile, match=STOPPED):
        list(read_apart(reader, TABLE, {"place": str(place)}))
    assert place.exists() == (reader in {"removes", "reads_a_file"})


@pytest.mark.parametrize("reader", ["sleeps", "spins", "swells"])
@pytest.mark.usefixtures("odd")
def test_a_reader_that_takes_too_much_is_stopped_within_five_seconds(reader: str) -> None:
    began = time.monotonic()
    with pytest.raises(UnreadableFile, match=f"t.csv {TOO_MUCH}"):
        list(read_apart(reader, TABLE, name="t.csv", seconds=1 if reader == "sleeps" else None))
    assert time.monotonic() - began < 5 + 10  # and what a busy machine needs to begin
    assert READERS[reader].seconds(len(TABLE)) < 5


@linux
@pytest.mark.usefixtures("odd")
def test_the_kernel_holds_where_python_does_not_look(tmp_path: Path) -> None:
    assert said("writes_past_python", place=str(tmp_path / "x.parquet")) != "written"
    assert not list(tmp_path.iterdir())
    assert said("runs_past_python") != "run"


@linux
@pytest.mark.usefixtures("odd")
def test_limits_are_those_that_are_said() -> None:
    assert said("limits") == "AS=536870912 CPU=5 FSIZE=0 CORE=0 NOFILE=64"


@linux
def test_there_is_no_network_where_a_reader_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        code = (
            "import socket; from attunement.exchange.confining import leave_the_network; left = leave_the_network()\n"
            f"try: socket.create_connection({place!r}, 2); print('connected' if left else 'not permitted')\n"
            "except OSError: print('nobody there')"
        )
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=environment()
        )
    assert done.stdout.strip() in {"nobody there", "not permitted"}  # a container may not permit it


# -- what a reader does not know


@pytest.mark.usefixtures("odd")
def test_a_reader_has_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTUNEMENT_SECRET", "PLANTED")
    monkeypatch.setenv("HOME", "/home/PLANTED")
    told = said("lists_the_environment")
    assert "PLANTED" not in told
    assert {each.partition("=")[0] for each in told.split() if "=" in each} <= {
        *environment(), "LC_CTYPE", "_RJEM_MALLOC_CONF",
    }  # fmt: skip


@pytest.mark.usefixtures("odd")
def test_a_reader_has_no_handle_of_ours(tmp_path: Path) -> None:
    before = said("lists_the_handles")
    (tmp_path / "words").write_text("what was felt: PLANTED")
    with (tmp_path / "words").open() as secret, socket.socket() as open_one:
        os.set_inheritable(secret.fileno(), True)
        os.set_inheritable(open_one.fileno(), True)
        assert said("lists_the_handles") == before


@linux
@pytest.mark.usefixtures("odd")
def test_a_reader_s_memory_holds_no_word_of_a_reflection() -> None:
    reflection = f"felt small beside her: {'planted'.upper()}"
    asked = apart._Asked.of("sleeps", b"", None, "of a file")  # noqa: SLF001 - its process is looked into
    with Process("fakes", 30) as process:
        process.ask(asked.head)
        assert process.frame()[0] == passing.READY
        memory = memory_of(process._child.pid)  # noqa: SLF001 - see above
    assert b"of a file" in memory
    assert reflection.encode() not in memory


def memory_of(process: int) -> bytes:
    """All that a process has written to memory."""
    found = []
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            begin, end = (int(each, 16) for each in place.split("-"))
            if rights.startswith("rw"):
                memory.seek(begin)
                found.append(memory.read(end - begin))
    return b"".join(found)


# -- what it says is data


@pytest.mark.usefixtures("odd")
def test_what_a_reader_prints_is_not_what_it_says() -> None:
    assert said("prints") == "printed"


@pytest.mark.usefixtures("odd")
def test_a_sentence_is_one_line_of_a_bounded_length() -> None:
    with pytest.raises(UnreadableFile, match="Row 1 holds") as problem:
        list(read_apart("scolds", b""))
    assert str(problem.value).isprintable()
    assert len(str(problem.value)) <= 700


@pytest.mark.usefixtures("odd")
def test_notes_are_so_many_and_each_is_one_line_of_a_bounded_length() -> None:
    notes: list[str] = []
    assert list(read_apart("notes", b"", note=notes.append)) == [ClientEntry("K")]
    assert len(notes) == 20
    assert all(note.isprintable() and len(note) <= 700 for note in notes)
    assert list(read_apart("notes", b"")) == [ClientEntry("K")]


@pytest.mark.parametrize("payload", [b"", b"{}", b'"x"', b"[1]", b'["x', b"[null]"])
def test_notes_that_are_none_are_not_taken(payload: bytes) -> None:
    with pytest.raises(passing.NotOurs):
        passing.notes_in(payload)


@pytest.mark.parametrize(
    "what",
    [
        {"kind": "client", "code": 3}, {"kind": "nobody"}, {"kind": "client"}, [], None, "x",
        {"kind": "client", "code": "a\ud800"},
        {"kind": "session", "client": "K", "number": True}, {"kind": "session", "client": "K", "number": 1,
        "began": "soon"},
        {"kind": "total", "client": "K", "session": 1, "at": None, "instrument": "a", "scale": "b",
        "value": "7"},
        {"kind": "answers", "client": "K", "session": 1, "at": None, "instrument": "a", "version": "1",
        "answers": {"x": "no"}},
        {"kind": "client", "code": "K", "reflection": "what was felt"},
        {"kind": "session", "client": "K", "number": 1, "counted": 1},
    ],
)  # fmt: skip
@pytest.mark.usefixtures("odd")
def test_an_entry_that_is_none_is_not_taken(what: Any) -> None:
    with pytest.raises(UnreadableFile, match=STOPPED):
        list(read_apart("lies", b"", {"what": what}))


ENTRIES: Final[tuple[Entry, ...]] = (
    ClientEntry("K-01", datetime(2026, 1, 2, tzinfo=UTC), None, None),
    SessionEntry("K-01", 1, datetime(2026, 1, 2, 10, tzinfo=UTC), "late", 5),
    SessionEntry("K-01", 2, None, counted=True),
    AnswersEntry("K-01", 1, None, "phq9", "2001", {"item1": 1, "item2": None}),
    TotalEntry("K-01", 1, None, "ors", "total", 21.5),
)


def test_every_entry_crosses_as_it_is() -> None:
    assert [each for lines in passing.entries_out(ENTRIES) for each in passing.entries_in(lines)] == list(
        ENTRIES
    )


def test_every_instrument_crosses_as_it_is() -> None:
    for each in of_others():
        assert passing.instrument_in(passing.instrument_out(each)) == each


@pytest.mark.parametrize(
    "payload", [b"", b"\0\0\0\2{}", b"\0\0\0\2[]ARROW1", b"\xff\xff\xff\xff", b"\0\0\0\4null"]
)
def test_a_table_that_is_none_is_not_taken(payload: bytes) -> None:
    with pytest.raises(passing.NotOurs):
        passing.ratings_in(payload)


def test_a_table_that_breaks_the_contract_is_not_taken() -> None:
    import io
    import json

    made = io.BytesIO()
    pl.DataFrame({"client": ["A"], "session": [-1], "score": ["x"]}).write_ipc(made)
    head = json.dumps({"mapping": {}, "guessed": [], "notes": [], "skipped": []}).encode()
    with pytest.raises(passing.NotOurs):
        passing.ratings_in(len(head).to_bytes(4, "big") + head + made.getvalue())


@pytest.mark.usefixtures("odd")
def test_nothing_is_left_running() -> None:
    with pytest.raises(InputError):
        list(read_apart("sleeps", b"", seconds=0.2))
    left = subprocess.run(
        ["/bin/ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False
    )
    assert "fakes" not in left.stdout
