"""What is left after 500 kills, 2,000 power cuts and a disk that fails: the long forms of `tests/faults`.

Each harm has a planted bug as its peer: a practice that acknowledges before COMMIT, and one with synchronous=NORMAL.
If a promise is broken, or a planted bug is not found, the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

import harm

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Print a line a harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--cuts", type=int, default=2000)
    asked = parser.parse_args()
    kept = [
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
        shown("a failing disk", lambda work: _faulty(work, 6_000)),
    ]
    return 0 if all(kept) else 1


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


def _faulty(work: Path, check_ins: int) -> harm.Losses:
    suffered = harm.faulty(work, seed=5, check_ins=check_ins)
    print(f"{'':38} calls ended {suffered.ended}, the slowest took {suffered.slowest:.1f} s")
    if suffered.slowest > 15.5:
        suffered.losses.broken.append(f"a call took {suffered.slowest:.1f} s")
    return suffered.losses


if __name__ == "__main__":
    sys.exit(main())
