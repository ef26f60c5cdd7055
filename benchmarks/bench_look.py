"""The main job on a real corpus: `attunement look` from start to page, against lme4's fit of its variance shares alone.

Prints seconds, peak memory and the ratio; says so where the KokoroChat table or R is not there.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KOKOROCHAT = Path(__file__).parents[1].parent / "shared" / "data" / "kokorochat_ratings.csv"
COLUMNS = "client=client_id,therapist=counselor_id,session=session_number,score=score_total"
R = """
suppressPackageStartupMessages(library(lme4))
d <- read.csv("{file}"); d$dyad <- interaction(d$counselor_id, d$client_id, drop = TRUE)
t <- proc.time()[3]
m <- lmer(score_total ~ log2(session_number) + (1 | counselor_id) + (1 | client_id) + (1 | dyad), d)
cat(proc.time()[3] - t)
"""


def main() -> None:
    """Run the command as a user does, in a process of its own."""
    if not KOKOROCHAT.exists():
        print("The KokoroChat table is not beside this checkout; nothing to measure.")
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["look", str(KOKOROCHAT), "--map", COLUMNS, "--out", str(Path(folder) / "page.html")]
        began = time.perf_counter()
        subprocess.run(
            [Path(sys.executable).with_name("attunement"), *command], check=True, stdout=subprocess.DEVNULL
        )
        mine = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"attunement look, 4,934 sessions, start to page: {mine:.1f} s, {peak:.0f} MB")
    program = shutil.which("Rscript")
    if program is None:
        print("lme4: R is not installed")
        return
    ran = subprocess.run(
        [program, "-e", R.format(file=KOKOROCHAT)], capture_output=True, text=True, check=False
    )
    if ran.returncode == 0:
        theirs = float(ran.stdout.split()[-1])
        print(f"lme4, the fit of the shares alone:            {theirs:.1f} s, ratio {mine / theirs:.2f}")


if __name__ == "__main__":
    main()
