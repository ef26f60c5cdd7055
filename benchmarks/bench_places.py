"""One fit where the rows are, up to 100 million sessions: time and memory against rows, by DuckDB and by Spark.

Each size and place runs in a process of its own: `attunement.scale` sums by client there, and the fit follows. What
grows with rows is the engine's work; what the driver holds grows with clients. The slope is that of the log of time
(or memory) over the log of rows: 1 is in proportion.

    python benchmarks/bench_places.py                            # 1m and 10m rows
    python benchmarks/bench_places.py --rows 1m,10m,100m --places duckdb,spark
    python benchmarks/bench_places.py --same-clients             # 100,000 clients, whatever the rows

Spark is PySpark in local mode where there is Java (`spark`), or sail's Spark Connect in the same process (`sail`).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from children import Outcome, alone, same_cores

HERE = Path(__file__).parent
FORMULA = "conn ~ log(session) + sev + (1 + log(session) | client) + (1 | ther)"
UNITS = {"k": 1_000, "m": 1_000_000}
LIMIT = 3_600.0
CLIENTS = 100_000


def place(name: str, file: str) -> None:
    """In a process of its own: fit, and print seconds of summing and of fitting, and what the driver held."""
    import warnings

    warnings.simplefilter("ignore")
    from attunement import scale
    from attunement.mixed import fit

    with _source(name, file) as source:
        began = time.perf_counter()
        sums = scale.moments(FORMULA, source)
        summed = time.perf_counter()
        found = fit(FORMULA, sums)
        fitted = time.perf_counter()
    cells = sums.cells
    engines = _below(os.getpid())
    held = sum(each.nbytes for each in _arrays(cells))
    print(
        json.dumps(
            {
                "rows": found.nobs,
                "clients": found.varcorr[0].levels,
                "summing": summed - began,
                "fitting": fitted - summed,
                "loglik": found.loglik,
                "held": held / 2**20,
                "engines": engines,
            }
        )
    )
    sys.stdout.flush()
    os._exit(0)  # a JVM takes its time


def _below(parent: int) -> float:
    """The peak of a process's children and theirs, MB: a JVM's, where Spark runs in one."""
    total = 0.0
    for each in Path("/proc").glob("[0-9]*/status"):
        try:
            told = dict(line.split(":", 1) for line in each.read_text().splitlines())
        except OSError:
            continue  # it has ended
        if int(told["PPid"]) == parent:
            total += int(told.get("VmHWM", "0 kB").split()[0]) / 1024 + _below(int(told["Pid"]))
    return total


def _arrays(cells: Any) -> list[Any]:  # noqa: ANN401 - whichever source of sums
    import numpy as np

    found = cells(np.empty(0))
    return [found.products, found.rows, *found.codes.values()]


def _source(name: str, file: str) -> Any:  # noqa: ANN401 - any engine's table
    import contextlib

    if name == "duckdb":
        return contextlib.nullcontext(file)
    import ibis
    from pyspark.sql import SparkSession

    if name == "sail":
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer()
        server.start(background=True)
        session = SparkSession.builder.remote(f"sc://127.0.0.1:{server.listening_address[1]}").getOrCreate()
    else:
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.shuffle.partitions", "8")
            .config("spark.sql.execution.arrow.pyspark.enabled", "true")
            .config("spark.driver.maxResultSize", "4g")
            .config("spark.driver.memory", "4g")
            .config("spark.ui.enabled", "false")
            .getOrCreate()
        )
        session.sparkContext.setLogLevel("ERROR")
    return contextlib.nullcontext(ibis.pyspark.connect(session).read_parquet(file))


def _practice(clients: int, sessions: int) -> Path:
    command = [sys.executable, str(HERE / "practice_at_scale.py"), str(clients), str(sessions)]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _count(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def _slope(name: str, found: list[Outcome], what: list[float]) -> str:
    if len(found) < 2:
        return ""
    rows = [each.answer["rows"] for each in found]
    return f"{name} {math.log(what[-1] / what[0]) / math.log(rows[-1] / rows[0]):.2f}"


def main() -> None:
    """Go through places and sizes."""
    if len(sys.argv) > 3 and sys.argv[1] == "--alone":
        place(sys.argv[2], sys.argv[3])
        return
    parser = argparse.ArgumentParser(description="One fit where the rows are, size by size.")
    parser.add_argument("--rows", default="1m,10m")
    parser.add_argument("--places", default="duckdb,spark")
    parser.add_argument("--same-clients", action="store_true", help="100,000 clients, whatever the rows")
    asked = parser.parse_args()
    print(f"{same_cores()}; {FORMULA}")
    for name in asked.places.split(","):
        outcomes = []
        for rows in map(_count, asked.rows.split(",")):
            clients = CLIENTS if asked.same_clients else rows // 10
            file = _practice(clients, max(rows // clients, 1))
            found = alone([sys.executable, __file__, "--alone", name, str(file)], LIMIT)
            if found.failure:
                print(f"{name:<8} {rows:>12,} rows: {found.failure}")
                continue
            each = found.answer
            print(
                f"{name:<8} {each['rows']:>12,.0f} rows {each['clients']:>11,.0f} clients: summing "
                f"{each['summing']:8.2f} s, fitting {each['fitting']:7.2f} s; sums {each['held']:8,.1f} MB, "
                f"peak {found.peak:8,.0f} MB, its engine's {each['engines']:,.0f} MB; "
                f"log-likelihood {each['loglik']:.4f}"
            )
            outcomes.append(found)
        if len(outcomes) > 1:
            times = [each.answer["summing"] + each.answer["fitting"] for each in outcomes]
            print(
                "         slopes over rows: "
                + ", ".join(
                    (
                        _slope("time", outcomes, times),
                        _slope("peak", outcomes, [each.peak for each in outcomes]),
                        _slope("sums", outcomes, [each.answer["held"] for each in outcomes]),
                    )
                )
            )


if __name__ == "__main__":
    main()
