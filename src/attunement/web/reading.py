"""Reading a file that came from outside: in a process of its own, with little memory and time, and never on a disk.

A table names clients by code and says how they rated; it is not written in plain to any file here. The child has it in
memory alone.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from attunement.errors import InputError
from attunement.practice.rated import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 60
CPU: Final = 40
MEMORY: Final = 3 << 30  # of addresses; polars maps far more than it uses


@dataclass(frozen=True, slots=True)
class Preview:
    """How a table was understood.

    Parameters
    ----------
    ratings
        client, session, time, score; one therapist's.
    mapping
        Our column names and the file's.
    notes, skipped
        What was assumed, and the rows that were left out, with why.
    therapists
        All that the table names; more than one is to be chosen from.
    whose
        Which was chosen.
    low, high
        The scale as guessed from the scores.
    """

    ratings: pl.DataFrame
    mapping: Mapping[str, str]
    notes: tuple[str, ...]
    skipped: tuple[tuple[int, str], ...]
    therapists: tuple[str, ...]
    whose: str
    low: float
    high: float


def read_table(name: str, content: bytes, mapping: Mapping[str, str], whose: str) -> Preview:
    """Read a CSV or Parquet file that somebody sent.

    Raises
    ------
    InputError
        With one sentence, which names the row and the column where it is one of them.
    """
    asked = _framed({"mapping": dict(mapping)}, content)
    settings = {"PATH": os.environ.get("PATH", ""), "POLARS_MAX_THREADS": "2", "PYTHONWARNINGS": "ignore"}
    try:
        child = subprocess.run(
            [sys.executable, "-m", "attunement.web.reading"], input=asked, capture_output=True, timeout=SECONDS,
            check=False, env=settings, preexec_fn=_narrow,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InputError("This table took too long to read; a smaller part of it would do.") from None
    if child.returncode != 0:
        raise InputError("This table could not be read in the memory and time that a table may take.")
    said, rest = child.stdout[:1], child.stdout[1:]
    if said == b"!":
        number, _, sentence = rest.decode().partition(" ")
        raise InputError(f"{name if number.isdigit() or number == '-' else number} {sentence}")
    return _chosen(rest, whose)


def _chosen(answer: bytes, whose: str) -> Preview:
    """The child is a program of ours with somebody's bytes in it: what it says is taken as data, not as objects."""
    said, frame = _unframed(answer)
    ratings = pl.read_ipc(io.BytesIO(frame), use_pyarrow=False)
    therapists = tuple(ratings["therapist"].unique().sort().to_list())
    chosen = whose if whose in therapists else therapists[0]
    mine = ratings.filter(pl.col("therapist") == chosen).drop("therapist")
    skipped = tuple((int(row), str(why)) for row, why in said["skipped"])
    notes = tuple(_for_a_page(note) for note in said["notes"])
    return Preview(mine, said["mapping"], notes, skipped, therapists, chosen, said["low"], said["high"])


def _for_a_page(note: str) -> str:
    """A note without the option of the command line that would change it: the page has fields for that."""
    said, option, _ = note.partition("; --")
    return f"{said}." if option else note


def _framed(said: dict[str, Any], content: bytes) -> bytes:
    head = json.dumps(said).encode()
    return len(head).to_bytes(8, "big") + head + content


def _unframed(framed: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(framed[:8], "big")
    return json.loads(framed[8 : 8 + length]), framed[8 + length :]


def _narrow() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def _child() -> None:
    """Read from standard input, and answer on standard output."""
    from pathlib import Path  # noqa: PLC0415 - see above

    from attunement.errors import AttunementError  # noqa: PLC0415 - see above
    from attunement.exchange import read_ratings  # noqa: PLC0415 - see above
    from attunement.trajectories import guess_scale  # noqa: PLC0415 - see above

    asked, content = _unframed(sys.stdin.buffer.read())
    handle = os.memfd_create("table")
    with open(handle, "wb", closefd=False) as file:
        file.write(content)
    try:
        path = Path(f"/proc/self/fd/{handle}")
        found = read_ratings(path, mapping=asked["mapping"] or None, skip_bad=True)
        low, high = guess_scale(found.ratings["score"])
    except AttunementError as problem:
        sys.stdout.buffer.write(b"!" + str(problem).encode())
        return
    if found.ratings.height > MOST_ROWS:
        sentence = (
            f"- has {found.ratings.height:,} rated sessions; at most {MOST_ROWS:,} are taken in at once."
        )
        sys.stdout.buffer.write(b"!" + sentence.encode())
        return
    columns = [
        each for each in ("therapist", "client", "session", "time", "score") if each in found.ratings.columns
    ]
    frame = io.BytesIO()
    found.ratings.select(columns).write_ipc(frame)
    said = {
        "mapping": dict(found.mapping), "notes": list(found.notes), "low": low, "high": high,
        "skipped": [[row["row"], row["why"]] for row in found.skipped.head(20).to_dicts()],
    }  # fmt: skip
    sys.stdout.buffer.write(b"=" + _framed(said, frame.getvalue()))


if __name__ == "__main__":
    _child()
