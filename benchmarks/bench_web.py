"""How quick the rooms are: first page, pages of a day, and check-ins a second that are on the disk, over real HTTP.

The peer is a bare Starlette app, under the same server, that commits one row to plain SQLite a POST; the same client
asks both, in the same run.

    python benchmarks/bench_web.py
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import re
import secrets
import socket
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from attunement.practice import Practice
from attunement.web.demonstration import ACCOUNT, PHRASE, demonstration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from attunement.web import Rooms

CLIENTS, SESSIONS, LOOKS = 40, 30, 60
CHECK_INS, CONNECTIONS = 4_000, 32
FORM = "application/x-www-form-urlencoded"
ITEMS = ("safe", "understood", "supported", "not_judged", "could_say", "contact", "matters", "hindering")
spawn = multiprocessing.get_context("spawn")


# -- servers, each in a process of its own


def serve_rooms(folder: str, port: int) -> None:
    """Be the rooms."""
    from attunement.web.serving import Place, serve

    def ready(_: str, rooms: Rooms) -> None:
        rooms.door.sign_in(ACCOUNT, PHRASE)

    serve(Path(folder), Place(port=port), ready=ready)


def serve_bare(folder: str, port: int) -> None:
    """Be the peer: a row a POST, committed, and nothing else."""
    import uvicorn
    from sqlcipher3 import dbapi2
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    database = dbapi2.connect(f"{folder}/bare.db", check_same_thread=False, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE check_in (id INTEGER PRIMARY KEY, token TEXT, answers TEXT)")
    guard = threading.Lock()

    def keep(token: str, answers: str) -> None:
        with guard:
            database.execute("INSERT INTO check_in (token, answers) VALUES (?, ?)", (token, answers))

    async def take(request: Any) -> Response:  # noqa: ANN401 - Starlette's request
        await run_in_threadpool(keep, request.path_params["token"], (await request.body()).decode())
        return Response(status_code=303, headers={"location": "/thanks"})

    routes = [Route("/c/{token}", take, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), port=port, access_log=False, log_level="critical")


@contextmanager
def running(target: Callable[[str, int], None], folder: Path) -> Iterator[tuple[int, float]]:
    """Run a server; gives its port, and the seconds until its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.perf_counter()
    server = spawn.Process(target=target, args=(str(folder), port))
    server.start()
    while True:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port)
            asked.request("GET", "/sign-in")
            asked.getresponse().read()
            break
        except OSError:
            time.sleep(0.01)
    first = time.perf_counter() - began
    try:
        yield port, first
    finally:
        server.terminate()
        server.join()


# -- pages


class Visitor:
    """A browser with one connection that is kept."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._cookie = ""

    def rest(self) -> None:
        """Hang up; the next page is asked for on a new connection."""
        self._connection.close()

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        """Ask, as a page of the practice's own would; returns the status and the page."""
        headers = {"cookie": self._cookie, "origin": self.origin, "content-type": FORM}
        self._connection.request(method, path, urlencode(fields) if method == "POST" else None, headers)
        answer = self._connection.getresponse()
        if cookie := answer.getheader("set-cookie"):
            self._cookie = cookie.partition(";")[0]
        return answer.status, answer.read().decode()


def looks(port: int, tokens: Sequence[str], times: int = LOOKS) -> dict[str, list[float]]:
    """Look at each page so often, in ms; a check-in comes in before every tenth look."""
    visitor = Visitor(port)
    assert visitor.ask("POST", "/sign-in", account=ACCOUNT, passphrase=PHRASE, then="/")[0] == 303  # noqa: S101 - a bench
    while "being worked out" in (board := visitor.ask("GET", "/caseload")[1]):
        time.sleep(0.2)
    codes = re.findall(r'href="/clients/([^"/]+)"', board)[:5]
    visitor.ask("POST", "/reflections/unlock", passphrase=PHRASE, then="/")
    rooms = ("", "/mirror", "/board", "/card", "/impact")
    pages = ["/today", "/caseload", "/mirror", "/impact", "/account", f"/clients/{codes[0]}/sessions/1/reflection",
             *(f"/clients/{code}{room}" for code in codes for room in rooms)]  # fmt: skip
    for page in pages:
        while "being worked out" in visitor.ask("GET", page)[1]:
            time.sleep(0.2)
    taken: dict[str, list[float]] = {}
    left = iter(tokens)
    for number in range(times):
        if number % 10 == 0:
            visitor.ask("POST", f"/c/{next(left)}", **answers())
        for page in pages:
            began = time.perf_counter()
            status, _ = visitor.ask("GET", page)
            assert status == 200, (page, status)  # noqa: S101 - a bench
            taken.setdefault(page, []).append(1000 * (time.perf_counter() - began))
    return taken


# -- check-ins


def answers() -> dict[str, str]:
    """Return a form that a client would send."""
    return {
        "instrument": "connection",
        "key": secrets.token_urlsafe(12),
        **{f"a-{item}": "7" for item in ITEMS},
    }


def send_all(port: int, tokens: Sequence[str], connections: int, results: Any) -> None:  # noqa: ANN401 - a queue
    """Send a check-in a token from many connections at once; tells the ms of each, and which were acknowledged."""
    took: list[float] = []
    acknowledged: list[str] = []
    start = threading.Barrier(connections + 1)

    def send(share: Sequence[str]) -> None:
        visitor = Visitor(port)
        forms = [answers() for _ in share]
        start.wait()
        for token, form in zip(share, forms, strict=True):
            began = time.perf_counter()
            status, _ = visitor.ask("POST", f"/c/{token}", **form)
            took.append(1000 * (time.perf_counter() - began))
            if status == 303:
                acknowledged.append(token)

    threads = [
        threading.Thread(target=send, args=(tokens[each::connections],)) for each in range(connections)
    ]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    results.put((time.perf_counter() - began, took, acknowledged))


def rush(
    port: int, tokens: Sequence[str], connections: int = CONNECTIONS
) -> tuple[float, list[float], list[str]]:
    """Let a process of its own send them all; returns the seconds, the ms of each, and the acknowledged."""
    results = spawn.Queue()
    client = spawn.Process(target=send_all, args=(port, tokens, connections, results))
    client.start()
    found: tuple[float, list[float], list[str]] = results.get()
    client.join()
    return found


def invited(folder: Path, many: int) -> list[str]:
    """Make invitations beforehand, to sessions of the practice's clients."""
    with Practice.open(folder, ACCOUNT, PHRASE) as practice:
        code = practice.clients()[0].client.code
        session = practice.sessions(code)[0].number
        return [practice.invite(code, session).token for _ in range(many)]


def kept(folder: Path) -> int:
    """How many check-ins there are in the practice."""
    with Practice.open(folder, ACCOUNT, PHRASE) as practice:
        return sum(len(practice.check_ins(dyad.client.code)) for dyad in practice.clients())


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share lies."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def met(is_met: bool) -> str:  # noqa: FBT001 - a word for a truth
    """Say whether a target is met."""
    return "met" if is_met else "NOT met"


def main(clients: int = CLIENTS, sessions: int = SESSIONS, times: int = LOOKS, many: int = CHECK_INS) -> int:
    """Measure all of it; returns how many check-ins were lost."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "practice"
        demonstration(folder, clients=clients, sessions=sessions)
        tokens = invited(folder, many + times)
        before = kept(folder)
        with running(serve_rooms, folder) as (port, first):
            print(
                f"first page after the start of the program  {first:6.2f} s    target 2 s    {met(first < 2)}"
            )
            taken = looks(port, tokens[many:], times)
            for page, each in taken.items():
                shown = re.sub(r"/clients/[^/]+", "/clients/CODE", page)
                print(
                    f"{shown:42} median {statistics.median(each):6.1f} ms   p99 {percentile(each, 0.99):6.1f} ms"
                )
            every = [value for each in taken.values() for value in each]
            median, p99 = statistics.median(every), percentile(every, 0.99)
            print(f"all pages, {clients} clients x {sessions} sessions")
            print(f"{'':42} median {median:6.1f} ms   target 50     {met(median < 50)}")
            print(f"{'':42} p99 {p99:9.1f} ms   target 200    {met(p99 < 200)}")
            seconds, took, acknowledged = rush(port, tokens[:many])
        lost = before + len(acknowledged) + -(-times // 10) - kept(folder)
        with running(serve_bare, Path(work)) as (port, _):
            bare_seconds, bare_took, _ = rush(port, tokens[:many])
    rate, bare = len(acknowledged) / seconds, many / bare_seconds
    print(
        f"durable check-ins, {CONNECTIONS} connections  {rate:8.0f} a second   target 500    {met(rate >= 500)}"
    )
    print(f"{'':42} p50 {percentile(took, 0.5):9.1f} ms   p99 {percentile(took, 0.99):.1f} ms   target 100    "
          f"{met(percentile(took, 0.99) < 100)}")  # fmt: skip
    print(f"{'':42} lost {lost} of {len(acknowledged)}   target 0    {met(lost == 0)}")
    print(
        f"bare Starlette that commits a row          {bare:8.0f} a second   p99 {percentile(bare_took, 0.99):.1f} ms"
    )
    print(f"ratio to the bare app                      {rate / bare:8.2f}")
    return lost


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(1 if main() else 0)
