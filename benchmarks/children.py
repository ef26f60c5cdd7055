"""Run a contender alone, in a process of its own, and take its answer, its peak memory or its failure.

What starts it must stay small: on Linux a child's peak begins at what its parent held when it started, so the
scripts that import this module import neither numpy nor any peer.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field

CORES = 2  # everybody runs on as many, wherever the script runs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a contender; where `failure` says why there is none, `answer` is what it had said before."""

    peak: float  # MB
    answer: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    stopped: bool = False


def alone(command: list[str], limit: float) -> Outcome:
    """Run a command whose last line with a brace is a JSON object of numbers, for `limit` seconds at most."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        started = subprocess.Popen(command, stdout=said, stderr=complained, start_new_session=True)
        stop = threading.Timer(limit, os.killpg, (started.pid, signal.SIGKILL))  # with all it started
        stop.start()
        try:
            _, status, usage = os.wait4(started.pid, 0)
        except BaseException:
            os.killpg(started.pid, signal.SIGKILL)
            raise
        finally:
            stopped = not stop.is_alive()
            stop.cancel()
        started.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss / 1024
        said.seek(0)
        complained.seek(0)
        lines = [line for line in said.read().decode().splitlines() if line.startswith("{")]
        answer = json.loads(lines[-1]) if lines else {}
        if stopped:
            return Outcome(peak, answer, f"stopped at {limit:.0f} s", stopped=True)
        if started.returncode != 0 or not answer:
            return Outcome(peak, failure=_reason(complained.read().decode(), started.returncode))
        return Outcome(peak, answer)


def _reason(complaint: str, code: int) -> str:
    if "No module named" in complaint or "there is no package called" in complaint:
        return "not installed"
    last = complaint.strip().splitlines()[-1:] or [f"ended with {code}"]
    return f"failed: {last[0][:100]}"


def same_cores() -> str:
    """Hold this process and all it starts to the same few cores, and say how busy the machine is."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    return f"{CORES} cores; load average at the start {os.getloadavg()[0]:.1f}"
