"""The engine from 10,000 to 100 million rows: against lme4 and its kin, and against the floor, in one run.

Ours goes the whole way, from the Parquet file to every prediction with its standard deviation; peers only fit, their
data in memory. The floor is DuckDB reading the five columns, which no fit from this file can beat, and one query,
written by hand, that gathers the sums a client. Each runs in a process of its own; no ratio is printed where the
log-likelihoods differ.

    python benchmarks/bench_scale.py                       # 10k, 100k and 1m rows: some minutes
    python benchmarks/bench_scale.py --rows 1m --peers mixedlm
    python benchmarks/bench_scale.py --long                # 10m with all peers, 100m with the floor alone
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from children import Outcome, alone, same_cores
from contenders import FORMULAS, r_program

HERE = Path(__file__).parent
LIMIT = 300.0  # seconds a peer gets, start and reading and all
APART = 0.01  # log-likelihoods farther apart are not the same answer
UNITS = {"k": 1_000, "m": 1_000_000}
PEERS = {"lme4": "nested", "mixedlm": "nested", "mixedlm-rs": "single", "statsmodels": "single"}
UP_TO = {"statsmodels": 10_000}  # rows; slow beyond
ALONE = 100_000_000  # rows from which on no peer is asked


def ours_and_floor(file: Path, model: str, *, floor: bool) -> Outcome:
    """Print the floor, then ours with its ratios to the floor."""
    scan, group_by = (
        (_python(name, file, model, 10 * LIMIT) for name in ("scan", "group_by")) if floor else (None, None)
    )
    found = _python("ours", file, model, 10 * LIMIT)
    for name, outcome in (("DuckDB scan", scan), ("DuckDB GROUP BY", group_by), ("ours", found)):
        if outcome is None:
            continue
        if outcome.failure:
            print(f"  {name:<16} {outcome.failure}")
            continue
        answer = outcome.answer
        print(
            f"  {name:<16} {answer['seconds']:9.3f} s, warm {answer['warm']:8.3f} s {outcome.peak:8,.0f} MB",
            end="",
        )
        print(f"   log-likelihood {answer['loglik']:.4f}" if "loglik" in answer else "")
    if scan and group_by and not (found.failure or scan.failure or group_by.failure):
        warm = found.answer["warm"]
        print(
            f"  ours, warm: {warm / scan.answer['warm']:.2f} x the scan, "
            f"{warm / group_by.answer['warm']:.2f} x the GROUP BY; "
            f"{found.answer['predictions']:,.0f} predictions with their standard deviations"
        )
    return found


def against(name: str, peer: Outcome, mine: Outcome) -> None:
    """Print one peer: seconds of its fit, peak, and how many times ours that is."""
    if peer.stopped and mine.answer and not mine.failure:
        fitting = LIMIT - peer.answer.get("waited", LIMIT)
        cold, warm = (fitting / mine.answer[which] for which in ("seconds", "warm"))
        print(f"  {name:<16} {peer.failure} (ratio > {cold:.1f}, warm > {warm:.1f}) {peer.peak:8,.0f} MB")
        return
    if peer.failure or mine.failure:
        print(f"  {name:<16} {peer.failure or 'nothing of ours to compare with'}")
        return
    seconds, loglik = peer.answer["seconds"], peer.answer["loglik"]
    print(
        f"  {name:<16} {seconds:9.3f} s {'':>16} {peer.peak:8,.0f} MB   log-likelihood {loglik:.4f}", end=""
    )
    apart = loglik - mine.answer["loglik"]
    if abs(apart) > APART:
        print(f"   no ratio: {abs(apart):.3g} {'higher' if apart > 0 else 'lower'} than ours")
        return
    cold, warm = (seconds / mine.answer[which] for which in ("seconds", "warm"))
    print(f"   ratio {cold:.1f}, warm {warm:.1f}; memory {peer.peak / mine.peak:.1f}")


def run_peer(name: str, file: Path, model: str, clients: int) -> Outcome:
    if name != "lme4":
        return _python(name.replace("-", "_"), file, model, LIMIT)
    program = shutil.which("Rscript")
    if program is None:
        return Outcome(0.0, failure="not installed")
    _practice(clients, "--csv")
    return alone([program, "-e", r_program(file.with_suffix(".csv"), model)], LIMIT)


def _python(name: str, file: Path, model: str, limit: float) -> Outcome:
    return alone([sys.executable, str(HERE / "contenders.py"), name, str(file), model], limit)


def _practice(clients: int, *options: str) -> Path:
    """Have the practice written, in a process of its own."""
    command = [sys.executable, str(HERE / "practice_at_scale.py"), str(clients), *options]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _count(text: str) -> int:
    """Read ``10k`` or ``1m``."""
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def main() -> None:
    """Go through the sizes."""
    parser = argparse.ArgumentParser(description="Ours, its peers and the floor, size by size.")
    parser.add_argument("--rows", default="10k,100k,1m", help="about as many, e.g. 10k,1m")
    parser.add_argument("--peers", default=",".join(PEERS), help="some of them, e.g. lme4,mixedlm")
    parser.add_argument(
        "--long", action="store_true", help="10m rows with all peers, 100m with the floor alone"
    )
    asked = parser.parse_args()
    peers = [name for name in asked.peers.split(",") if name]
    if unknown := set(peers) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")

    print(
        f"{same_cores()}; ratios say how many times as long as ours, from its first call and from a warm one"
    )
    for rows in map(_count, ("10m,100m" if asked.long else asked.rows).split(",")):
        file = _practice(rows // 10)
        for model, formula in FORMULAS.items():
            here = [name for name in peers if PEERS[name] == model and rows <= UP_TO.get(name, rows)]
            here = [] if rows >= ALONE else here
            if not here and model != "nested":
                continue
            print(f"\nabout {rows:,} rows, {rows // 10:,} clients: {formula}")
            mine = ours_and_floor(file, model, floor=model == "nested")
            for name in here:
                against(name, run_peer(name, file, model, rows // 10), mine)


if __name__ == "__main__":
    main()
