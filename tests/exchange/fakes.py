"""Readers that do what none may, and the process that runs them; for `test_apart`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attunement.exchange import child
from attunement.exchange.readers import MB, READERS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from attunement.exchange.entries import Entry

FAKES: Final = {
    name: Reader(f"fakes:{name}", streams=name in {"counts", "sleeps"}, notes=name == "notes", most=50 * MB)
    for name in (
        "counts", "sleeps", "spins", "swells", "connects", "resolves", "writes", "makes_a_folder", "removes", "forks",
        "runs", "replaces_itself", "calls_c", "reads_a_file", "lists_the_handles", "lists_the_environment", "faults",
        "recurses", "prints", "lies", "scolds", "unpickles", "kills", "writes_past_python", "runs_past_python",
        "limits", "notes",
    )
}  # fmt: skip


def counts(stream: BinaryIO, codes: str = "K", many: int = 0) -> Iterator[Entry]:
    from attunement.exchange.entries import SessionEntry

    for number, line in enumerate(stream if not many else range(many), 1):
        yield SessionEntry(f"{codes}-{len(line) if isinstance(line, bytes) else 0}", number)


def notes(_: BinaryIO, note: Callable[[str], None]) -> list[Entry]:
    for number in range(50):
        note(f"{number}\n\x1b[31m" + "x" * 2_000)
    return _said("K")


def sleeps(stream: BinaryIO) -> list[Entry]:
    stream.read()
    time.sleep(600)
    return []


def spins(_: BinaryIO) -> list[Entry]:
    while True:
        pass


def swells(_: BinaryIO) -> list[Entry]:
    held = [bytearray(64 << 20) for _ in range(100)]
    return [entry for each in held for entry in _said(len(each))]


def connects(_: BinaryIO) -> list[Entry]:
    import socket

    socket.create_connection(("127.0.0.1", 9))
    return _said("connected")


def resolves(_: BinaryIO) -> list[Entry]:
    import socket

    return _said(socket.gethostbyname("localhost"))


def writes(_: BinaryIO, place: str) -> list[Entry]:
    return _said(Path(place).write_text("half"))


def makes_a_folder(_: BinaryIO, place: str) -> list[Entry]:
    Path(place).mkdir()
    return _said("made")


def removes(_: BinaryIO, place: str) -> list[Entry]:
    Path(place).unlink()
    return _said("removed")


def forks(_: BinaryIO) -> list[Entry]:
    return _said(os.fork())


def runs(_: BinaryIO) -> list[Entry]:
    import subprocess

    return _said(subprocess.check_output(["/bin/true"]))


def replaces_itself(_: BinaryIO) -> list[Entry]:
    os.execv("/bin/true", ["true"])  # noqa: S606 - it may not


def calls_c(_: BinaryIO) -> list[Entry]:
    import ctypes

    return _said(ctypes.CDLL(None).getpid())


def reads_a_file(_: BinaryIO, place: str) -> list[Entry]:
    return _said(Path(place).read_text())


def kills(_: BinaryIO) -> list[Entry]:
    os.kill(os.getppid(), 0)
    return _said("killed")


def unpickles(_: BinaryIO) -> list[Entry]:
    import pickle

    return _said(pickle.loads(b"cposix\ngetpid\n(tR."))  # noqa: S301 - it may not


def lists_the_handles(_: BinaryIO) -> list[Entry]:
    return _said(" ".join(map(str, sorted(each for each in range(256) if _open(each)))))


def lists_the_environment(_: BinaryIO) -> list[Entry]:
    return _said(" ".join(sorted(f"{name}={value}" for name, value in os.environ.items())))


def faults(_: BinaryIO) -> list[Entry]:
    raise ZeroDivisionError("a secret of the file")


def recurses(_: BinaryIO) -> list[Entry]:
    return recurses(_)


def prints(_: BinaryIO) -> list[Entry]:
    print("S" * 100)  # noqa: T201 - into what is said
    sys.stdout.flush()
    os.write(1, b"S" * 100)
    return _said("printed")


def lies(_: BinaryIO, what: Any) -> list[Entry]:
    from attunement.exchange import passing

    passing.to_plain = lambda _: what  # type: ignore[assignment,attr-defined]
    return _said("")


def scolds(_: BinaryIO) -> list[Entry]:
    from attunement.errors import UnreadableFile

    raise UnreadableFile("Row 1 holds \x1b[31m\n\u2028" + "x" * 5_000)


def writes_past_python(_: BinaryIO, place: str) -> list[Entry]:
    import polars as pl

    try:
        pl.DataFrame({"a": [1]}).write_parquet(place)
    except (OSError, pl.exceptions.PolarsError) as problem:
        return _said(type(problem).__name__)
    return _said("written")


def runs_past_python(_: BinaryIO) -> list[Entry]:
    import _posixsubprocess

    ends = os.pipe()
    try:
        fork_exec: Any = _posixsubprocess.fork_exec
        pid = fork_exec(
            [b"true"], [b"/bin/true"], True, (ends[1],), None, None, -1, -1, -1, -1, -1, -1, ends[0], ends[1], True,
            False, 0, None, None, None, -1, None, False,
        )  # fmt: skip
        os.close(ends[1])
        said = os.read(ends[0], 200)
        os.waitpid(pid, 0)
    except OSError as problem:
        return _said(type(problem).__name__)
    return _said(said.decode() or "run")


def limits(_: BinaryIO) -> list[Entry]:
    import resource

    limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
              for name in ("AS", "CPU", "FSIZE", "CORE", "NOFILE")}  # fmt: skip
    return _said(" ".join(f"{name}={most}" for name, most in limits.items()))


def _said(said: object) -> list[Entry]:
    from attunement.exchange.entries import ClientEntry

    return [ClientEntry(str(said))]


def _open(handle: int) -> bool:
    try:
        os.fstat(handle)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    READERS.update(FAKES)
    child.main()
