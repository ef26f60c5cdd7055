"""A practice of any size as a Parquet file: therapists > clients > sessions, written in chunks.

Therapists have unequal caseloads of about fifty clients; clients have about so many sessions, with gaps, a covariate
`sev` that is constant in a client, and a line over log(session) of their own; therapists have a level of their own.
Files are kept in the folder that ATTUNEMENT_BENCH_DATA names, or in the temporary one, and made only once.

    python benchmarks/practice_at_scale.py 100000        # prints the path: 100,000 clients, about a million rows
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from numpy.typing import NDArray

CASELOAD = 50  # clients a therapist, on average
ROWS = 1_000_000  # about as many are simulated and written at once
GAP = 0.08  # of sessions have no rating
FIXED = (60.0, 6.0, -2.0)  # level, for log(session), for sev
CLIENTS = ((64.0, -3.0), (-3.0, 6.0))  # covariance of their levels and slopes
THERAPIST, RESIDUAL = 4.0, 7.0  # standard deviations
SCHEMA = pa.schema(
    {
        "ther": pa.int32(),
        "client": pa.int32(),
        "session": pa.int16(),
        "sev": pa.float64(),
        "conn": pa.float64(),
    }
)


def folder() -> Path:
    """Where the files are kept."""
    path = Path(os.environ.get("ATTUNEMENT_BENCH_DATA", tempfile.gettempdir())) / "attunement-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def practice(clients: int, sessions: int = 10, seed: int = 1) -> Path:
    """Write a practice unless it is there already, and say where it is."""
    path = folder() / f"practice-{clients}x{sessions}-{seed}.parquet"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        _write(unfinished, clients, sessions, np.random.default_rng(seed))
        unfinished.rename(path)
    return path


def as_csv(path: Path) -> Path:
    """Write the same table as CSV, for those that read no Parquet."""
    csv = path.with_suffix(".csv")
    if not csv.exists():
        unfinished = csv.with_suffix(f".{os.getpid()}")
        duckdb.sql(f"COPY (FROM read_parquet('{path}')) TO '{unfinished}' (FORMAT csv)")
        unfinished.rename(csv)
    return csv


def _write(path: Path, clients: int, sessions: int, random: np.random.Generator) -> None:
    caseloads = _caseloads(clients, random)
    at_once = max(ROWS // (CASELOAD * sessions), 1)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        first_client = 0
        for first in range(0, caseloads.size, at_once):
            chunk = caseloads[first : first + at_once]
            file.write_table(_chunk(chunk, first, first_client, sessions, random))
            first_client += int(chunk.sum())


def _caseloads(clients: int, random: np.random.Generator) -> NDArray[np.int64]:
    """How many clients each therapist has: one at least, unequal, `clients` in all."""
    therapists = max(clients // CASELOAD, 1)
    weights = random.gamma(2.0, 1.0, therapists)
    return 1 + random.multinomial(clients - therapists, weights / weights.sum())


def _chunk(
    caseloads: NDArray[np.int64], therapist: int, client: int, sessions: int, random: np.random.Generator
) -> pa.Table:
    """Simulate some therapists whole; `therapist` and `client` are the first numbers not yet given."""
    count = int(caseloads.sum())
    own_therapist = np.repeat(np.arange(caseloads.size), caseloads)
    level = random.normal(0.0, THERAPIST, caseloads.size)
    lines = random.normal(size=(count, 2)) @ np.linalg.cholesky(np.array(CLIENTS)).T
    sev = random.normal(size=count)

    lengths = 1 + np.minimum(random.negative_binomial(2.0, 2.0 / (1.1 * sessions + 1.0), count), 3 * sessions)
    who = np.repeat(np.arange(count), lengths)
    session = np.arange(who.size) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    rated = (random.random(who.size) > GAP) | (session == 1)
    who, session = who[rated], session[rated]

    lt = np.log(session)
    conn = FIXED[0] + level[own_therapist[who]] + lines[who, 0] + (FIXED[1] + lines[who, 1]) * lt
    conn += FIXED[2] * sev[who] + random.normal(0.0, RESIDUAL, who.size)
    return pa.table(
        {
            "ther": therapist + own_therapist[who],
            "client": client + who,
            "session": session,
            "sev": sev[who],
            "conn": conn,
        },
        schema=SCHEMA,
    )


def main() -> None:
    """Print where the practice is."""
    parser = argparse.ArgumentParser(description="Write a simulated practice as Parquet.")
    parser.add_argument("clients", type=int)
    parser.add_argument("sessions", type=int, nargs="?", default=10)
    parser.add_argument("--csv", action="store_true", help="as CSV, too")
    asked = parser.parse_args()
    path = practice(asked.clients, asked.sessions)
    if asked.csv:
        as_csv(path)
    print(path)


if __name__ == "__main__":
    main()
