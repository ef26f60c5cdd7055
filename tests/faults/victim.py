"""A practice at work, to be killed or have its disk fail: clients check in, a therapist reflects, all at once.

Usage: victim.py FOLDER PLAN [PLANT]. What has been acknowledged is appended to ``x.ack`` in FOLDER, a line each, after
the call has returned; what was not is sent again with the same key, also after a restart. The calls and how they ended
go to ``calls.txt`` beside PLAN. PLANT is a bug that a test must find: ``ack-first`` or ``normal``. Where
ATTUNEMENT_DATABASE_URL is set, the practice is in that database.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attunement.errors import AttunementError
from attunement.practice import Practice
from attunement.sessions import Purpose, Reflection
from attunement.vault import cipher
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.store import VARIABLE
from attunement.vault.writer import Writer

PASSPHRASE = "glacier pencil tomorrow violin"
ACKS = "x.ack"
THREADS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """What the victim is to do: a token a check-in, and how many reflections."""

    tokens: list[str]
    reflections: int


def answers(place: int) -> dict[str, float | None]:
    """What the client of a place answers: another for each."""
    given: dict[str, float | None] = dict.fromkeys(
        ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters", "hindering"),
        None,
    )
    return {**given, "safe": place % 11, "contact": place // 11 % 11, "matters": place // 121 % 11}


def found(folder: Path, plan: Path, check_ins: int, reflections: int) -> Plan:
    """Make a practice with as many open invitations, and the sessions to reflect on."""
    database = os.environ.get(VARIABLE)
    with Practice.found(
        folder, "T-1", PASSPHRASE, RecoveryCode.fresh(), cost=LEAST, database=database
    ) as practice:
        practice.take_on("K-07", agreed=[Purpose.CHECK_INS])
        for _ in range(max(reflections, 1)):
            practice.log_session("K-07", datetime(2026, 3, 2, 9, tzinfo=UTC))
        made = Plan([practice.invite("K-07", 1).token for _ in range(check_ins)], reflections)
    plan.write_text(json.dumps(asdict(made)))
    return made


def acknowledged(lines: list[str]) -> tuple[dict[int, str], dict[int, int]]:
    """What ack lines promise: by place the receipt, and by session the latest revision."""
    receipts: dict[int, str] = {}
    revisions: dict[int, int] = {}
    for kind, number, what in (line.split() for line in lines):
        if kind == "check-in":
            receipts[int(number)] = what
        else:
            revisions[int(number)] = int(what)
    return receipts, revisions


def run(folder: Path, plan: Path, plant: str = "") -> None:
    """Do what is planned and not acknowledged yet."""
    _plant(plant)
    planned = Plan(**json.loads(plan.read_text()))
    path = folder / ACKS
    receipts, revisions = acknowledged(path.read_text().splitlines() if path.exists() else [])
    acks = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    calls = os.open(plan.with_name("calls.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with Practice.open(folder, "T-1", PASSPHRASE) as practice:
        client = practice.for_client()
        left = [place for place in range(len(planned.tokens)) if place not in receipts]

        def check_in(place: int) -> None:
            received = _until_stored(
                lambda: client.receive(planned.tokens[place], answers(place), f"sending-{place:06d}"), calls
            )
            receipt = received and received.receipt  # who acknowledges before the commit has none yet
            os.write(acks, f"check-in {place} {receipt}\n".encode())

        def check_in_all(places: list[int]) -> None:
            for place in places:
                check_in(place)

        def reflect() -> None:
            _until_stored(lambda: practice.unlock(PASSPHRASE), calls)
            for session in range(1, planned.reflections + 1):
                if session not in revisions:
                    words = Reflection(words=f"about session {session}")
                    written = _until_stored(lambda: practice.reflect("K-07", session, words), calls)  # noqa: B023, called at once
                    os.write(acks, f"reflection {session} {written.revision if written else 1}\n".encode())

        threads = [
            threading.Thread(target=check_in_all, args=(share,))
            for share in (left[start::THREADS] for start in range(THREADS))
        ]
        threads.append(threading.Thread(target=reflect))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _until_stored(call: Any, calls: int) -> Any:  # noqa: ANN401 - what the call gives
    """Call again until it is stored; write down how each call ended, and how long it took."""
    while True:
        before = time.monotonic()
        try:
            result = call()
        except AttunementError as problem:
            text = str(problem)
            kind = type(problem).__name__ if "\n" not in text else "MoreThanOneSentence"
            os.write(calls, f"{kind} {time.monotonic() - before:.3f} {text}\n".encode())
            time.sleep(0.01)
        except Exception as problem:  # noqa: BLE001 - what a user would see as a fault of ours
            os.write(calls, f"Fault {time.monotonic() - before:.3f} {problem!r}\n".encode())
            time.sleep(0.01)
        else:
            os.write(calls, f"stored {time.monotonic() - before:.3f}\n".encode())
            return result


def _plant(plant: str) -> None:
    if plant == "ack-first":

        def acknowledge_at_once(self: Writer, work: Any, whom: Any) -> Any:  # noqa: ANN401 - as `Writer.do`
            future = self.submit(work, whom)
            return future.result(0) if future.done() else None

        Writer.do = acknowledge_at_once  # type: ignore[method-assign]
    if plant == "normal":
        pragmas = tuple(each.replace("synchronous=FULL", "synchronous=NORMAL") for each in cipher._PRAGMAS)  # noqa: SLF001
        cipher._PRAGMAS = pragmas  # noqa: SLF001


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
