"""A Bundle of a million resources, written and read in flat memory.

The peer is `json.loads` of the same lines alone, which checks nothing and makes nothing of them. Beside it, on fewer
resources: the same stream through `ijson`, and every resource through `fhir.resources`, which the runtime does without.
Memory is called flat where the peak at ten times as many resources is at most a fifth higher; else the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from children import alone, same_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.exchange.entries import Entry

SESSIONS = 33  # of a client: with a response and a score each, and the client, 100 resources
FLAT = 1.2
LIMIT = 1_800.0  # seconds


def main() -> int:
    """Print a line a size, and the peers; or be a child, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=1_000_000)
    parser.add_argument("--child", choices=sorted(CHILDREN))
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.child:
        start = time.perf_counter()
        count = CHILDREN[asked.child](asked.file, asked.resources)
        print(json.dumps({"resources": count, "seconds": time.perf_counter() - start}))
        return 0
    print(same_cores())
    with tempfile.TemporaryDirectory() as folder:
        return _compared(Path(folder), asked.resources)


def _compared(folder: Path, most: int) -> int:
    peaks: dict[str, list[float]] = {"write": [], "read": []}
    print(f"{'':34} {'resources':>10} {'a second':>10} {'peak MB':>8} {'to json.loads':>14}")
    for count in (most // 10, most):
        lines, bundle = folder / f"{count}.ndjson", folder / f"{count}.json"
        _told("lines", "written as lines", lines, count, None)
        loads, _ = _told("loads", "json.loads of the lines", lines, count, None)
        for child, label in (("write", "written as a Bundle"), ("read", "the Bundle read into entries")):
            peaks[child].append(_told(child, label, bundle, count, loads)[1])
        _told("read", "the lines read into entries", lines, count, loads)
        if count < most:
            _told("ijson", "peer: ijson over the Bundle", bundle, count, loads)
            _told("models", "peer: fhir.resources on each line", lines, count, loads)
        lines.unlink()
        bundle.unlink()
    flat = all(after <= FLAT * before for before, after in peaks.values())
    print(
        "kept" if flat else "NOT kept", f"(the peak at ten times as many is at most {FLAT:g} times as high)"
    )
    return 0 if flat else 1


def _told(child: str, label: str, file: Path, count: int, loads: float | None) -> tuple[float, float]:
    command = [sys.executable, __file__, "--child", child, "--file", str(file), "--resources", str(count)]
    outcome = alone(command, LIMIT)
    if outcome.failure:
        print(f"{label:34} {outcome.failure}", flush=True)
        return 0.0, float("inf")
    rate = outcome.answer["resources"] / outcome.answer["seconds"]
    ratio = f"{rate / loads:14.2f}" if loads else ""
    print(
        f"{label:34} {outcome.answer['resources']:10,.0f} {rate:10,.0f} {outcome.peak:8.0f} {ratio}",
        flush=True,
    )
    return rate, outcome.peak


def entries(resources: int) -> Iterator[Entry]:
    """Clients with their sessions and a PHQ-9 in each, made up: about so many resources."""
    from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry

    start = datetime(2020, 1, 6, 9, tzinfo=UTC)
    items = [*(f"item{number}" for number in range(1, 10)), "difficulty"]
    for client in range(resources // (1 + 3 * SESSIONS)):
        code = f"K-{client:06d}"
        yield ClientEntry(code, start)
        for session in range(1, SESSIONS + 1):
            at = start + timedelta(days=7 * session)
            answers = {name: float((client + session * place) % 4) for place, name in enumerate(items)}
            yield SessionEntry(code, session, at)
            yield AnswersEntry(code, session, at, "phq9", "2001", answers)


def _write(file: Path, resources: int) -> int:
    from attunement.exchange.fhir import write_bundle
    from attunement.instruments import instrument

    with file.open("wb") as out:
        return write_bundle(entries(resources), {"phq9": instrument("phq9")}, out)


def _lines(file: Path, resources: int) -> int:
    from attunement.exchange.fhir import write_ndjson
    from attunement.instruments import instrument

    with file.open("wb") as out:
        return write_ndjson(entries(resources), {"phq9": instrument("phq9")}, out)


def _read(file: Path, resources: int) -> int:
    from attunement.exchange.fhir import read_fhir
    from attunement.instruments import instrument

    with file.open("rb") as stream:
        found = sum(1 for _ in read_fhir(stream, {"phq9": instrument("phq9")}))
    clients = resources // (1 + 3 * SESSIONS)
    assert found == clients * (1 + 2 * SESSIONS), found  # noqa: S101 - all came back
    return clients * (1 + 3 * SESSIONS)


def _loads(file: Path, _resources: int) -> int:
    with file.open("rb") as stream:
        return sum(1 for line in stream if json.loads(line))


def _ijson(file: Path, _resources: int) -> int:
    import ijson

    with file.open("rb") as stream:
        return sum(1 for _ in ijson.items(stream, "entry.item", use_float=True))


def _models(file: Path, _resources: int) -> int:
    from fhir.resources.R4B import get_fhir_model_class

    count = 0
    with file.open("rb") as stream:
        for line in stream:
            resource = json.loads(line)
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
            count += 1
    return count


CHILDREN = {
    "write": _write, "lines": _lines, "read": _read, "loads": _loads, "ijson": _ijson, "models": _models
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
