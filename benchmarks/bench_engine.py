"""The engine against statsmodels' MixedLM (and lme4, where R has it), in one run on the same rows.

Prints seconds of the fit and ratios; log-likelihoods are compared so that a fast wrong answer cannot win.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import statsmodels.formula.api as smf

from attunement.mixed import fit

FORMULA = "score ~ lt + (1 + lt | client)"
R = """
suppressPackageStartupMessages(library(lme4))
d <- read.csv("{file}"); d$client <- factor(d$client)
t <- proc.time()[3]
m <- lmer(score ~ lt + (1 + lt | client), d)
cat(proc.time()[3] - t, format(as.numeric(logLik(m)), digits = 12))
"""


def practice(clients: int, seed: int = 1) -> pl.DataFrame:
    """Clients with 1 to 20 sessions, their own level and slope."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 21, clients)
    client = np.repeat(np.arange(clients), lengths)
    session = np.concatenate([np.arange(1, length + 1) for length in lengths])
    level, slope = random.normal(7, 1.2, clients), random.normal(0.3, 0.2, clients)
    lt = np.log2(session)
    score = level[client] + slope[client] * lt + random.normal(0, 0.8, client.size)
    return pl.DataFrame({"client": [f"c{each}" for each in client], "lt": lt, "score": score})


def ours(table: pl.DataFrame) -> tuple[float, float]:
    began = time.perf_counter()
    found = fit(FORMULA, table)
    return time.perf_counter() - began, found.loglik


def statsmodels_peer(table: pl.DataFrame) -> tuple[float, float]:
    frame = table.to_pandas()
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = smf.mixedlm("score ~ lt", frame, groups=frame["client"], re_formula="~lt").fit(reml=True)
    return time.perf_counter() - began, float(found.llf)


def lme4_peer(table: pl.DataFrame) -> tuple[float, float] | None:
    program = shutil.which("Rscript")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        table.write_csv(file)
        ran = subprocess.run(
            [program, "-e", R.format(file=file)], capture_output=True, text=True, check=False
        )
    if ran.returncode != 0:
        return None
    seconds, loglik = ran.stdout.split()[-2:]
    return float(seconds), float(loglik)


def main() -> None:
    """Print one line a size and peer."""
    fit(FORMULA, practice(20))  # imports and caches
    for clients in (12, 100, 1_000):
        table = practice(clients)
        mine, loglik = ours(table)
        print(f"{table.height:>7,} rows  ours          {mine:8.3f} s   log-likelihood {loglik:.4f}")
        for name, peer in (("statsmodels", statsmodels_peer), ("lme4", lme4_peer)):
            found = peer(table)
            if found is None:
                print(f"{'':>13}{name:<13} not installed")
                continue
            print(
                f"{'':>13}{name:<13} {found[0]:8.3f} s   log-likelihood {found[1]:.4f}   "
                f"ratio {found[0] / mine:.1f}"
            )


if __name__ == "__main__":
    main()
