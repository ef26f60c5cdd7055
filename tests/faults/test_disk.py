"""The failing disk, proved on a database whose promises are known to be kept or broken."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import IO

import pytest
import sqlcipher3
from child import connect, payload
from disk import NoCompiler, build, environment, set_faults
from recording import Kind, Recording

CHILD = Path(__file__).with_name("child.py")

CHANGE = """
with open("old", "r+b", 0) as old:
    old.seek(1000)
    old.write(b"b" * 1000)
    old.truncate(1500)
"""

# Every way to change a name or content that the library intercepts and SQLite's tests would not reach.
NAMES = """
import os, shutil

def sync(name):
    fd = os.open(name, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)

os.mkdir("folder")
with open("folder/first", "wb", 0) as first:
    first.write(b"1")
    os.rename("folder", "renamed")
    os.rename("renamed/first", "renamed/second")
    first.write(b"2")  # through a descriptor that was opened under another name
    os.dup2(first.fileno(), 100)
    os.write(100, b"3")
    os.writev(100, [b"", b"4", b"5"])
    os.write(100, b"5")
shutil.copyfile("renamed/second", "copied")  # by sendfile, were it not refused
with open("copied", "ab", 0) as copied:
    copied.write(b"6")
    os.truncate("copied", 4)
    os.pwritev(copied.fileno(), [b"7"], 0)  # appends, as Linux does whatever the offset
os.link("copied", "linked")
folder = os.open(".", os.O_RDONLY)
with open(os.open("relative", os.O_CREAT | os.O_WRONLY, dir_fd=folder), "wb", 0) as relative:
    relative.write(b"r")
os.unlink("copied", dir_fd=folder)
os.replace("relative", "moved", src_dir_fd=folder, dst_dir_fd=folder)
with open("gone", "wb") as gone:
    gone.write(b"g")
os.remove("gone")
for name in ("renamed/second", "linked", "moved"):
    sync(name)
with open("x.ack", "w") as acks:
    acks.write("do")
    acks.flush()
    acks.write("ne\\n")
"""
NAMES_LEAVE = {"renamed/second": b"12345", "linked": b"12347", "moved": b"r"}

CROWD = """
import os, threading

def work(thread, fd, acks):
    for turn in range(200):
        os.pwrite(fd, bytes([thread]) * 300, turn % 7 * 200)
        os.fsync(fd)
        os.write(acks, b"%d %d\\n" % (thread, turn))

def crowd(first):
    fd = os.open("shared", os.O_RDWR | os.O_CREAT)
    acks = os.open("x.ack", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    threads = [threading.Thread(target=work, args=(first + n, fd, acks)) for n in range(4)]
    for thread in threads:
        thread.start()
    return threads

child = os.fork()
for thread in crowd(0 if child else 10):
    thread.join()
if child:
    os.waitpid(child, 0)
"""


@dataclass
class Tally:
    """What was found after a number of cuts."""

    cuts: int = 0
    cuts_with_losses: int = 0
    rows_lost: int = 0
    corrupt: int = 0
    seconds: float = 0.0


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build(tmp_path_factory.mktemp("library"))
    except NoCompiler as reason:
        pytest.skip(str(reason))


class Child:
    """A running child: ask it for rows and it tells how many failed."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin, self._stdout = stdin, stdout

    def insert(self, rows: int) -> int:
        self._stdin.write(f"{rows}\n")
        self._stdin.flush()
        return int(self._stdout.readline())


@contextmanager
def running(folder: Path, synchronous: str, settings: dict[str, str]) -> Iterator[Child]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, str(CHILD), str(folder), synchronous]
    with subprocess.Popen(
        command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Child(process.stdin, process.stdout)
        process.stdin.close()
        assert process.wait(10) == 0


def run(script: str, folder: Path, settings: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=settings, check=True)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".ack")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def record(library: Path, tmp_path: Path, synchronous: str, rows: int) -> Recording:
    log = tmp_path / "log"
    settings = environment(library, tmp_path / "data", log, skip_sync=True)
    with running(tmp_path / "data", synchronous, settings) as child:
        assert child.insert(rows) == 0
    return Recording(log)


def rows_in(database: Path) -> dict[int, bytes]:
    """Read all rows, checking the whole file. Raises AssertionError or DatabaseError if it is damaged."""
    with closing(connect(database)) as connection:
        if not connection.execute("SELECT name FROM sqlite_schema").fetchall():
            return {}  # the cut came before the table
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = dict(connection.execute("SELECT key, value FROM entry").fetchall())
        # SQLCipher's own check reads the file past the WAL, so a page that is torn there and whole in the WAL
        # would count as damage until a checkpoint has put it right.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
        return rows


def lost(acknowledged: tuple[str, ...], rows: dict[int, bytes]) -> int:
    return sum(rows.get(int(line)) != payload(int(line)) for line in acknowledged)


def try_cuts(recording: Recording, folder: Path, cuts: int) -> Tally:
    tally = Tally()
    begun = time.monotonic()
    for cut in recording.cuts(folder, cuts, seed=7):
        tally.cuts += 1
        try:
            rows = rows_in(folder / "x.db") if (folder / "x.db").exists() else {}
        except (AssertionError, sqlcipher3.DatabaseError):
            tally.corrupt += 1
            continue
        missing = lost(cut.acknowledged, rows)
        tally.rows_lost += missing
        tally.cuts_with_losses += missing > 0
    tally.seconds = time.monotonic() - begun
    return tally


def test_full_sync_loses_nothing_in_power_cuts(library: Path, tmp_path: Path) -> None:
    recording = record(library, tmp_path, "FULL", 600)
    tally = try_cuts(recording, tmp_path / "cut", 200)
    print("FULL", dict(recording.counts), tally)
    assert len(recording.acknowledged) == 600
    assert recording.counts[Kind.SYNC] >= 600
    assert tally.cuts == 200
    assert tally.corrupt == 0
    assert tally.rows_lost == 0


def test_normal_sync_loses_rows_in_most_power_cuts(library: Path, tmp_path: Path) -> None:
    recording = record(library, tmp_path, "NORMAL", 600)
    tally = try_cuts(recording, tmp_path / "cut", 200)
    print("NORMAL", dict(recording.counts), tally)
    assert tally.corrupt == 0
    assert tally.cuts_with_losses > tally.cuts / 2


def test_every_cut_can_be_made_again(library: Path, tmp_path: Path) -> None:
    recording = record(library, tmp_path, "NORMAL", 40)
    first = [(cut, contents(tmp_path / "one")) for cut in recording.cuts(tmp_path / "one", 20, seed=3)]
    again = [(cut, contents(tmp_path / "two")) for cut in recording.cuts(tmp_path / "two", 20, seed=3)]
    assert again == first
    for cut, files in first:
        assert recording.cut(tmp_path / "three", cut.place, cut.seed) == cut
        assert contents(tmp_path / "three") == files


def test_a_recording_can_begin_with_a_full_folder(library: Path, tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    (data / "old").write_bytes(b"a" * 2000)
    copytree(data, tmp_path / "start")
    run(CHANGE, data, environment(library, data, log))
    kept = set()
    for _ in Recording(log, tmp_path / "start").cuts(tmp_path / "cut", 400, seed=1):
        kept.add((tmp_path / "cut" / "old").read_bytes())
    with pytest.raises(ValueError, match="start folder"):
        list(Recording(log).cuts(tmp_path / "cut", 10, seed=1))
    assert b"a" * 2000 in kept
    assert b"a" * 1000 + b"b" * 500 in kept
    assert b"a" * 1000 + b"b" * 24 + b"a" * 976 in kept  # the first sector alone reached the disk


def test_names_are_followed(library: Path, tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    run(NAMES, data, environment(library, data, log))
    assert contents(data) == NAMES_LEAVE
    recording = Recording(log)
    cut = recording.cut(tmp_path / "cut", len(recording.operations), seed=1)
    assert cut.acknowledged == ("done",)
    assert contents(tmp_path / "cut") == NAMES_LEAVE


def test_records_of_threads_and_processes_are_in_order(library: Path, tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    data.mkdir()
    run(CROWD, data, environment(library, data, log))
    recording = Recording(log)
    cut = recording.cut(tmp_path / "cut", len(recording.operations), seed=1)
    assert len(cut.acknowledged) == 2 * 4 * 200
    assert contents(tmp_path / "cut") == contents(data)


@pytest.mark.parametrize("fault", [{"sync": 0.3}, {"write": 0.1}, {"full": 1.0}])
def test_acknowledged_rows_survive_faults(library: Path, tmp_path: Path, fault: dict[str, float]) -> None:
    data, control = tmp_path / "data", tmp_path / "control"
    with running(data, "FULL", environment(library, data, faults=control)) as child:
        before = child.insert(50)
        set_faults(control, **fault)
        during = child.insert(300)
        set_faults(control)
        after = child.insert(50)
    acknowledged = tuple((data / "x.ack").read_text().split())
    missing = lost(acknowledged, rows_in(data / "x.db"))
    print(fault, f"failed {during} of 300, acknowledged {len(acknowledged)}, lost {missing}")
    assert (before, after) == (0, 0)
    assert during > 0
    assert len(acknowledged) == 400 - during
    assert missing == 0


def test_faults_and_power_cuts_together_lose_nothing(library: Path, tmp_path: Path) -> None:
    data, control, log = tmp_path / "data", tmp_path / "control", tmp_path / "log"
    settings = environment(library, data, log, control, skip_sync=True)
    with running(data, "FULL", settings) as child:
        for fault in ({"sync": 0.2}, {}, {"write": 0.05}, {}, {"full": 1.0}, {}):
            set_faults(control, **fault)
            child.insert(100)
    tally = try_cuts(Recording(log), tmp_path / "cut", 200)
    print("faults and FULL", tally)
    assert tally.corrupt == 0
    assert tally.rows_lost == 0


def test_without_a_compiler_there_is_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoCompiler):
        build(tmp_path)


def test_an_unknown_fault_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fsink"):
        set_faults(tmp_path / "control", fsink=0.5)
