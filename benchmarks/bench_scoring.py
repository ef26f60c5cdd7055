"""A million answered questionnaires scored, against a plain polars sum of the same columns.

The sum has no idea of ends, skips, keys or factors; `score_frame` holds every answer to what can be given, leaves a
scale out where too many were skipped, and doubles or turns. Two in a hundred answers are skipped.

    python benchmarks/bench_scoring.py
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.instruments import Instrument, instrument, score, score_frame

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 1_000_000
SKIPPED = 0.02
MOST = 4.0
"""How many times the plain sum's time it may take."""


def main() -> int:
    """Print seconds and ratios, and whether each stays within its bound and says what `score` says of one row."""
    print(f"{ROWS:,} responses, {SKIPPED:.0%} of the answers skipped")
    print(f"{'':8} {'score_frame':>12} {'plain sum':>12} {'ratio':>6} {'responses a second':>20}")
    kept = True
    for name in ("phq9", "dass21"):
        asked = instrument(name)
        answers = _answers(asked)
        ours, plain = _best(partial(score_frame, asked, answers)), _best(partial(_plain, asked, answers))
        print(f"{name:8} {ours:10.4f} s {plain:10.4f} s {ours / plain:6.2f} {ROWS / ours:20,.0f}")
        kept = kept and ours / plain <= MOST and _agrees(asked, answers)
    print(
        "kept" if kept else "NOT kept", f"({MOST:g} times the plain sum, and the same numbers as one by one)"
    )
    return 0 if kept else 1


def _answers(asked: Instrument) -> pl.DataFrame:
    """Answers as they come out of a vault: a column an item, Float64, null where it was skipped."""
    random = np.random.default_rng(8)
    values = np.array(
        [choice.value for choice in asked.choices] or range(asked.ends.low, asked.ends.high + 1)
    )
    columns = {item.id: pl.Series(random.choice(values, ROWS).astype(float)) for item in asked.items}
    return pl.DataFrame(columns).with_columns(
        pl.when(pl.lit(pl.Series(random.random(ROWS) >= SKIPPED))).then(pl.col(name)).alias(name)
        for name in columns
    )


def _plain(asked: Instrument, answers: pl.DataFrame) -> pl.DataFrame:
    return answers.select(pl.sum_horizontal(scale.items).alias(scale.id) for scale in asked.scales)


def _best(run: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def _agrees(asked: Instrument, answers: pl.DataFrame) -> bool:
    """Whether the first thousand rows have the scores that each has by itself."""
    some = answers.head(1_000)
    alone = [score(asked, row) for row in some.iter_rows(named=True)]
    return [
        {each.scale: each.value for each in one.scales} for one in alone
    ] == score_frame(asked, some).to_dicts()  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
