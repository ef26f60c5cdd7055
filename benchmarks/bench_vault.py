"""Durable check-ins a second through the whole of `Practice`, against plain SQLite with the same settings.

Each check-in passes the policy, finds its invitation and the client's consent, is held to its instrument, adds a row,
uses up the invitation and writes a journal entry with its MAC, all in an encrypted file; it counts when COMMIT has
returned. The peers, in the same run and with the same waiting threads, one writer and group commit: plain SQLite
(`sqlite3` of the same library, not encrypted) doing the same four statements by hand without SQLAlchemy, policy,
scoring, digests or MAC; and the façade with the encryption of the file left out.
"""

from __future__ import annotations

import json
import queue
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlcipher3 import dbapi2

from attunement.practice import Practice
from attunement.sessions import Purpose
from attunement.vault import cipher
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from collections.abc import Callable


ANSWERS = {
    "safe": 8, "understood": 9, "supported": 8, "not_judged": 10, "could_say": 7, "contact": 6,
    "matters": None, "hindering": 2,
}  # fmt: skip
PASSPHRASE = "correct horse battery staple"  # noqa: S105 - of a practice that is thrown away
THREADS, CHECK_INS = 32, 6_000


def main() -> int:
    """Print the table, and whether the promises hold."""
    with tempfile.TemporaryDirectory() as name:
        ours = facade(Path(name) / "ours")
        unencrypted = facade(Path(name) / "open", encrypted=False)
        plain = _plain(Path(name) / "plain.db")
        one = _one_at_a_time(Path(name) / "one")
    print(f"{THREADS} clients at once, {CHECK_INS:,} check-ins, each on the disk before it counts")
    print(f"{'':34} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8}")
    for label, (rate, times) in (
        ("Practice.receive, encrypted", ours),
        ("the same on plain SQLite", unencrypted),
        ("plain SQLite, by hand", plain),
        ("Practice.receive, one at a time", one),
    ):
        p50, p99 = statistics.median(times) * 1e3, statistics.quantiles(times, n=100)[98] * 1e3
        print(f"{label:34} {rate:10,.0f} {p50:8.1f} {p99:8.1f}")
    ratio, tail = ours[0] / unencrypted[0], statistics.quantiles(ours[1], n=100)[98]
    print(f"ratio to the same façade on plain SQLite: {ratio:.2f} (asked: .6 or more)")
    print(f"ratio to plain SQLite by hand, with no policy, scoring, digest or MAC: {ours[0] / plain[0]:.2f}")
    kept = ours[0] >= 500 and tail <= 0.1 and ratio >= 0.6
    print("kept" if kept else "NOT kept", "(500 a second, p99 100 ms, .6 of the same façade on plain SQLite)")
    return 0 if kept else 1


def facade(
    folder: Path, *, encrypted: bool = True, database: str | None = None, check_ins: int = CHECK_INS
) -> tuple[float, list[float]]:
    """Send check-ins through `Practice` from many threads; returns how many a second, and how long each took."""
    kept = cipher._give_key, cipher._authenticated  # noqa: SLF001 - plain SQLite gives no key
    if not encrypted:
        cipher._give_key, cipher._authenticated = (lambda *_: None), (lambda *_: True)  # noqa: SLF001
    try:
        with _founded(folder, database) as practice:
            tokens = _invited(practice, check_ins)
            client = practice.for_client()
            return _raced(lambda place: client.receive(tokens[place], ANSWERS, f"key-{place:08d}"), check_ins)
    finally:
        cipher._give_key, cipher._authenticated = kept  # noqa: SLF001


def _one_at_a_time(folder: Path) -> tuple[float, list[float]]:
    with _founded(folder) as practice:
        tokens = _invited(practice, 1_000)
        client, times, start = practice.for_client(), [], time.perf_counter()
        for place, token in enumerate(tokens):
            before = time.perf_counter()
            client.receive(token, ANSWERS, f"key-{place:08d}")
            times.append(time.perf_counter() - before)
        return len(tokens) / (time.perf_counter() - start), times


def _founded(folder: Path, database: str | None = None) -> Practice:
    return Practice.found(folder, "T-1", PASSPHRASE, RecoveryCode.fresh(), cost=LEAST, database=database)


def _invited(practice: Practice, check_ins: int) -> list[str]:
    practice.take_on("K-01", agreed=[Purpose.CHECK_INS])
    practice.log_session("K-01", datetime.now(UTC))
    done: list[str] = []
    pool = [
        threading.Thread(
            target=lambda: done.extend(practice.invite("K-01", 1).token for _ in range(check_ins // 8))
        )
        for _ in range(8)
    ]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    return done


def _raced(send: Callable[[int], object], pieces: int) -> tuple[float, list[float]]:
    """Let threads send, each waiting for its answer; returns how many a second, and how long each took."""
    places, times = iter(range(pieces - pieces % 8)), []
    guard = threading.Lock()

    def work() -> None:
        own = []
        while True:
            with guard:
                place = next(places, None)
            if place is None:
                break
            before = time.perf_counter()
            send(place)
            own.append(time.perf_counter() - before)
        with guard:
            times.extend(own)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.perf_counter() - start), times


def _plain(path: Path) -> tuple[float, list[float]]:
    connection = dbapi2.connect(str(path), timeout=5, check_same_thread=False, isolation_level=None)
    for pragma in (*cipher._PRAGMAS, "wal_autocheckpoint=4000"):  # noqa: SLF001 - the same settings
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(
        """
        CREATE TABLE invitation (id TEXT PRIMARY KEY, token BLOB UNIQUE, expires TEXT, used BLOB);
        CREATE TABLE check_in (id TEXT PRIMARY KEY, invitation TEXT UNIQUE, at TEXT, answers TEXT);
        CREATE TABLE journal (seq INTEGER PRIMARY KEY, at TEXT, verb TEXT, about TEXT, mac BLOB);
        """
    )
    tokens = [f"{place:064d}".encode() for place in range(CHECK_INS)]
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO invitation VALUES (?, ?, ?, NULL)",
        [(f"{place:032d}", token, "2999-01-01T00:00:00.000000Z") for place, token in enumerate(tokens)],
    )
    connection.execute("COMMIT")
    jobs: queue.SimpleQueue[tuple[bytes, Future[None]] | None] = queue.SimpleQueue()
    writer = threading.Thread(target=_write_plainly, args=(connection, jobs))
    writer.start()

    def send(place: int) -> None:
        future: Future[None] = Future()
        jobs.put((tokens[place], future))
        future.result()

    measured = _raced(send, CHECK_INS)
    jobs.put(None)
    writer.join()
    connection.close()
    return measured


def _write_plainly(connection: Any, jobs: queue.SimpleQueue[tuple[bytes, Future[None]] | None]) -> None:  # noqa: ANN401
    answers, mac, number = json.dumps(ANSWERS), b"\0" * 32, 0
    while (job := jobs.get()) is not None:
        batch = [job]
        while len(batch) < 256 and not jobs.empty():
            if (more := jobs.get()) is not None:
                batch.append(more)
        connection.execute("BEGIN IMMEDIATE")
        for token, _ in batch:
            number += 1
            at = datetime.now(UTC).isoformat()
            (row,) = connection.execute(
                "SELECT id FROM invitation WHERE token = ? AND used IS NULL", (token,)
            ).fetchone()
            connection.execute(
                "INSERT INTO check_in VALUES (?, ?, ?, ?)", (f"{number:032d}", row, at, answers)
            )
            connection.execute("UPDATE invitation SET used = ? WHERE id = ?", (mac, row))
            connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?, ?)", (number, at, "receive", row, mac)
            )
        connection.execute("COMMIT")
        for _, future in batch:
            future.set_result(None)


if __name__ == "__main__":
    sys.exit(main())
