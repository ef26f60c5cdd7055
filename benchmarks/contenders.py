"""Who is compared at scale. Each runs alone: `python benchmarks/contenders.py NAME FILE [MODEL]` prints JSON.

The floor and ours read the Parquet file within their seconds, a first time (cold) and some more (warm). Peers get
their data in memory, with log(session) worked out and groups as they like them, and only their fit is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

FORMULAS = {
    "nested": "conn ~ log(session) + sev + (1 + log(session) | client) + (1 | ther)",
    "single": "conn ~ log(session) + sev + (1 + log(session) | client)",
}
SCAN = "SELECT sum(ther), sum(client), sum(session), sum(sev), sum(conn) FROM read_parquet('{file}')"
GROUP_BY = """
SELECT ther, client, any_value(sev) AS sev, count(*) AS n,
       sum(x) AS x, sum(x * x) AS xx, sum(conn) AS y, sum(x * conn) AS xy, sum(conn * conn) AS yy
FROM (SELECT *, ln(session) AS x FROM read_parquet('{file}')) GROUP BY ther, client
"""
START = time.perf_counter()
TRIES, ENOUGH = 6, 10.0  # calls at most, and seconds after which no other begins
R = """
suppressPackageStartupMessages(library(lme4))
fast <- requireNamespace("data.table", quietly = TRUE)
d <- if (fast) data.table::fread("{file}", data.table = FALSE) else read.csv("{file}")
d$lt <- log(d$session); d$client <- factor(d$client); d$ther <- factor(d$ther)
t <- proc.time()[3]
cat(sprintf('{{"waited": %.3f}}\n', t))
m <- lmer({formula}, d, REML = TRUE, control = lmerControl(calc.derivs = FALSE))
cat(sprintf('\\n{{"seconds": %.3f, "loglik": %.7f}}\\n', proc.time()[3] - t, as.numeric(logLik(m))))
"""


def scan(file: Path, _model: str) -> dict[str, float]:
    """Read and add up the five columns: less than any fit must do."""
    return _duckdb(SCAN.format(file=file))


def group_by(file: Path, _model: str) -> dict[str, float]:
    """Gather the sums that a fit of either model starts with, by one query written by hand."""
    return _duckdb(GROUP_BY.format(file=file))


def ours(file: Path, model: str) -> dict[str, float]:
    """Go the whole way: from Parquet to every prediction and its standard deviation."""
    from attunement import scale
    from attunement.mixed import fit

    def whole() -> dict[str, float]:
        found = fit(FORMULAS[model], scale.moments(FORMULAS[model], str(file)))
        tables = [found.ranef[group] for group in found.ranef]
        if not all(table.select("value", "sd").sum().row(0)[1] > 0 for table in tables):
            raise AssertionError("A group has no predictions.")
        return {"loglik": found.loglik, "predictions": sum(table.height for table in tables)}

    return _again(whole)


def mixedlm(file: Path, model: str) -> dict[str, float]:
    from mixedlm import lmer

    table, formula = _in_memory(file), _with_lt(model)
    return _once(lambda: lmer(formula, table).logLik())


def mixedlm_rs(file: Path, _model: str) -> dict[str, float]:
    from mixedlm_rs import mixedlm as model

    table = _in_memory(file)
    return _once(
        lambda: model("conn ~ lt + sev", table, groups="client", re_formula="~lt").fit(reml=True).llf
    )


def statsmodels(file: Path, _model: str) -> dict[str, float]:
    from statsmodels.formula.api import mixedlm as model

    table = _in_memory(file)
    return _once(
        lambda: model("conn ~ lt + sev", table, groups="client", re_formula="~lt").fit(reml=True).llf
    )


def r_program(csv: Path, model: str) -> str:
    """The same for lme4, as a program in R."""
    return R.format(file=csv, formula=_with_lt(model))


def _with_lt(model: str) -> str:
    """The formula for those that take no log in it."""
    return FORMULAS[model].replace("log(session)", "lt")


def _in_memory(file: Path) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    table = pd.read_parquet(file)
    table["lt"] = np.log(table["session"].to_numpy(dtype=float))
    return table


def _duckdb(query: str) -> dict[str, float]:
    import duckdb

    with duckdb.connect(config={"threads": 2}) as database:
        return _again(lambda: {"rows": database.sql(query).to_arrow_table().num_rows})


def _once(fitted: Callable[[], float]) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.perf_counter()
        print(json.dumps({"waited": began - START}), flush=True)  # should it be stopped in its fit
        loglik = fitted()
        return {"seconds": time.perf_counter() - began, "loglik": float(loglik)}


def _again(work: Callable[[], dict[str, float]]) -> dict[str, float]:
    """Time the first call, and the middle one of those after it."""
    seconds: list[float] = []
    while len(seconds) < 2 or (len(seconds) < TRIES and sum(seconds) < ENOUGH):
        began = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - began)
    return {**answer, "seconds": seconds[0], "warm": statistics.median(seconds[1:])}


CONTENDERS = {each.__name__: each for each in (scan, group_by, ours, mixedlm, mixedlm_rs, statsmodels)}


def main() -> None:
    """Let one contender run."""
    parser = argparse.ArgumentParser(description="One contender, alone.")
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("file", type=Path)
    parser.add_argument("model", choices=FORMULAS, nargs="?", default="nested")
    asked = parser.parse_args()
    print(json.dumps(CONTENDERS[asked.name](asked.file, asked.model)))


if __name__ == "__main__":
    main()
