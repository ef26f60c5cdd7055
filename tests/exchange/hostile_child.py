"""Reads many hostile files in one process, which has given up what a reader gives up; says what became of each."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from attunement.exchange import child
from attunement.exchange.confining import leave_the_network
from attunement.exchange.readers import READERS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from attunement.exchange.entries import Entry

READERS["json"] = Reader("hostile_child:read_any_json")
READERS["archive"] = Reader("hostile_child:read_archive")


def read_any_json(stream: BinaryIO) -> list[Entry]:
    from attunement.exchange.strict import read_json

    json.dumps(read_json(stream.read()), allow_nan=False, ensure_ascii=False).encode()
    return []


def read_archive(stream: BinaryIO) -> list[Entry]:
    from attunement.exchange.zipped import unpacked

    for _, content in unpacked(stream.read()):
        memoryview(content).nbytes  # noqa: B018 - it is there
    return []


def most_memory() -> Callable[[], int]:
    """How much memory this process has had at most, in kB; what `getrusage` says begins with what its parent had."""
    if not os.path.exists("/proc/self/status"):  # noqa: PTH110 - as a text
        return lambda: 0
    status = os.open("/proc/self/status", os.O_RDONLY)
    return lambda: int(os.pread(status, 4_000, 0).partition(b"VmHWM:")[2].split()[0])


def main() -> None:
    said = os.fdopen(os.dup(1), "w")
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    alone, highest = leave_the_network(), most_memory()
    from hostile import hostile
    from sound import parquet

    from attunement.exchange import passing

    parquet()  # what writes is imported
    reads = {
        name: child.imported(READERS[name], {"settings": settings, "name": "it", "shelf": asked["shelf"]})
        for name, settings in asked["readers"].items()
    }
    child.confine(Reader("", most=asked["seconds"]), asked["seconds"] * 1_000_000, alone=alone)
    for number in range(asked["begin"], asked["end"]):
        file = hostile(asked["seed"], number)
        began, outcome, words = time.perf_counter(), "", ""
        try:
            for kind, payload in child.answers(
                READERS[file.reader], reads[file.reader], io.BytesIO(file.content)
            ):
                outcome = kind.decode()
                words = (
                    str(passing.sentence_in(payload))
                    if kind == passing.SENTENCE
                    else payload[:80].decode("latin-1")
                )
        except MemoryError:
            outcome = "M"
        took = time.perf_counter() - began
        said.write(json.dumps([number, file.kind, outcome, words, round(took, 3), highest()]) + "\n")
        said.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
