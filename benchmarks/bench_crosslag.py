"""The cross-lagged model at known truth and 40,000 clients; then against lavaan, in one run on the same rows.

Prints what is found, seconds and ratios; log-likelihoods are compared so that a fast wrong answer cannot win.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from attunement.mixed.crosslag import CrossLagged, cross_lagged
from attunement.mixed.crosslag_jackknife import LEAST, half_panel_jackknife

ROOT = Path(__file__).parents[1]
LAGGED = np.array([[0.30, 0.10], [0.15, 0.40]])
INNOVATION = np.array([[1.0, -0.1], [-0.1, 1.0]])
BETWEEN = np.array([[1.5, 0.6], [0.6, 2.0]])
R = """
source("tests/reference/riclpm.R")
wide <- wide_of("{file}")
t <- proc.time()[3]
m <- fitted_by("ML", wide, "common")
cat(proc.time()[3] - t, format(as.numeric(logLik(m)), digits = 12))
"""


def practice(clients: int, sessions: int, *, lost: float = 0.0, ragged: bool = False) -> pl.DataFrame:
    """Clients around their own levels; `lost` values at random, series `ragged` between 2 and all sessions."""
    rng = np.random.default_rng(sessions)
    moving, series = np.zeros((clients, 2)), []
    for session in range(-30, sessions):
        moving = moving @ LAGGED.T + rng.normal(size=(clients, 2)) @ np.linalg.cholesky(INNOVATION).T
        series += [moving] * (session >= 0)
    level = rng.normal(size=(clients, 2)) @ np.linalg.cholesky(BETWEEN).T
    values = np.stack(series, axis=1) + level[:, None]
    values[rng.random(values.shape) < lost] = np.nan
    if ragged:
        values[np.arange(sessions) >= rng.integers(2, sessions + 1, clients)[:, None]] = np.nan
    return pl.DataFrame(
        {
            "client": np.repeat(np.arange(clients), sessions),
            "session": np.tile(np.arange(1, sessions + 1), clients),
            "connection": values[..., 0].ravel(),
            "outcome": values[..., 1].ravel(),
        }
    ).fill_nan(None)


def found_by(name: str, estimates: dict[str, float], seconds: float) -> None:
    shown = "  ".join(f"{term} {value:.3f}" for term, value in estimates.items())
    print(f"  {name:<28} {shown}   {seconds:6.2f} s")


def ours(table: pl.DataFrame) -> tuple[float, CrossLagged]:
    began = time.perf_counter()
    found = cross_lagged(table)
    return time.perf_counter() - began, found


def recovered() -> None:
    print("truth: x_to_y .150  y_to_x .100  x_to_x .300  y_to_y .400; 40,000 clients")
    kinds = (
        ("complete", 0.0, False),
        ("ragged", 0.0, True),
        ("ragged, 5 % lost", 0.05, True),
    )
    for sessions in (5, 10, 20):
        print(f"{sessions} sessions")
        for kind, lost, ragged in kinds:
            table = practice(40_000, sessions, lost=lost, ragged=ragged)
            seconds, found = ours(table)
            found_by(f"{kind} (±{found.se['x_to_y']:.4f})", found.estimates, seconds)
            if sessions > LEAST and kind == "complete":
                began = time.perf_counter()
                check = half_panel_jackknife(table)
                found_by("centred only", check.plain, 0.0)
                found_by("half-panel jackknife", check.estimates, time.perf_counter() - began)


def lavaan_peer(table: pl.DataFrame) -> tuple[float, float] | None:
    program = shutil.which("Rscript")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        table.write_csv(file)
        ran = subprocess.run(
            [program, "-e", R.format(file=file)], capture_output=True, text=True, check=False, cwd=ROOT
        )
    if ran.returncode != 0:
        return None
    seconds, loglik = ran.stdout.split()[-2:]
    return float(seconds), float(loglik)


def against_lavaan() -> None:
    print("against lavaan (missing = 'fiml', observed information, no baseline model)")
    for clients, sessions, lost in ((500, 5, 0.0), (500, 5, 0.05), (2_000, 10, 0.0), (1_000, 10, 0.05)):
        table = practice(clients, sessions, lost=lost)
        mine, found = ours(table)
        print(f"  {clients:,} clients, {sessions} sessions, {lost:.0%} lost")
        print(f"    ours   {mine:8.2f} s   log-likelihood {found.loglik:.4f}")
        peer = lavaan_peer(table)
        if peer is None:
            print("    lavaan not installed, or it failed")
            continue
        print(f"    lavaan {peer[0]:8.2f} s   log-likelihood {peer[1]:.4f}   ratio {peer[0] / mine:.1f}")


def main() -> None:
    """Print what is found at known truth, then the ratios."""
    recovered()
    against_lavaan()


if __name__ == "__main__":
    main()
