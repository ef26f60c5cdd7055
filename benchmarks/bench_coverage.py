"""How often 95 % intervals hold the truth, over practices of 12 clients with 8 sessions each.

The truth is drawn from the prior that the posterior starts from, and once more held at the prior's middle. The peer,
in the same run, is the restricted likelihood with its variances plugged in.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl

from attunement.errors import ModelProblem
from attunement.mixed import HalfNormal, LogNormal, Prior, fit, posterior

FORMULA = "score ~ log2(session) + (1 + log2(session) | client)"
CLIENTS, SESSIONS, Z = 12, 8, 1.959964
PRIOR = Prior(
    spreads={"client": LogNormal(1.5, 0.4), "client: log2(session)": HalfNormal(0.25)},
    residual=LogNormal(0.85, 0.3),
    fixed={"Intercept": (7.0, 1.0), "log2(session)": (0.2, 0.2)},
)
MIDDLE = {"start": 7.0, "rise": 0.2, "client": 1.5, "slope": 0.17, "tie": 0.0, "residual": 0.85}


def drawn(random: np.random.Generator) -> dict[str, float]:
    """One practice's truth, from the prior."""
    share = random.uniform(size=3)
    return {
        "start": random.normal(7.0, 1.0),
        "rise": random.normal(0.2, 0.2),
        "client": float(PRIOR.of("client", "Intercept").draw(share[:1])[0]),
        "slope": float(PRIOR.of("client", "log2(session)").draw(share[1:2])[0]),
        "tie": 2.0 * random.beta(2.0, 2.0) - 1.0,
        "residual": float(PRIOR.residual.draw(share[2:])[0]),
    }


def practice(truth: dict[str, float], random: np.random.Generator) -> tuple[pl.DataFrame, dict[str, float]]:
    """Ratings, and what is to be covered: variances, the clients' depth at the last session, their next ratings."""
    client, session = np.repeat(np.arange(CLIENTS), SESSIONS), np.tile(np.arange(1, SESSIONS + 1), CLIENTS)
    both = random.normal(size=(CLIENTS, 2))
    level = truth["client"] * both[:, 0]
    slope = truth["slope"] * (truth["tie"] * both[:, 0] + np.sqrt(1 - truth["tie"] ** 2) * both[:, 1])
    line = truth["start"] + level[client] + (truth["rise"] + slope[client]) * np.log2(session)
    table = pl.DataFrame(
        {
            "client": [f"c{each}" for each in client],
            "session": session,
            "score": line + random.normal(0.0, truth["residual"], line.size),
        }
    )
    wanted = {"sd client": truth["client"], "sd client: log2(session)": truth["slope"]}
    wanted["sd residual"] = truth["residual"]
    for each in range(CLIENTS):
        ahead = truth["start"] + level[each] + (truth["rise"] + slope[each]) * np.log2(SESSIONS + 1)
        wanted[f"depth {each}"] = float(line[(client == each) & (session == SESSIONS)][0])
        wanted[f"next {each}"] = float(ahead + random.normal(0.0, truth["residual"]))
    return table, wanted


def rows(session: int) -> pl.DataFrame:
    """Every client at one session."""
    return pl.DataFrame({"client": [f"c{each}" for each in range(CLIENTS)], "session": [session] * CLIENTS})


def ours(table: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Intervals of the posterior."""
    found = posterior(FORMULA, table, PRIOR)
    intervals = {row["term"]: (row["low"], row["high"]) for row in found.table.iter_rows(named=True)}
    depth, ahead = found.predict(rows(SESSIONS)), found.predict(rows(SESSIONS + 1), rating=True)
    for each in range(CLIENTS):
        intervals[f"depth {each}"] = (depth["low"][each], depth["high"][each])
        intervals[f"next {each}"] = (ahead["low"][each], ahead["high"][each])
    return intervals


def plugged_in(table: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Intervals with the variances taken as known."""
    found = fit(FORMULA, table)
    depth, ahead = found.predict(rows(SESSIONS)), found.predict(rows(SESSIONS + 1))
    intervals = {}
    for each in range(CLIENTS):
        middle, half = depth["value"][each], Z * depth["sd"][each]
        intervals[f"depth {each}"] = (middle - half, middle + half)
        middle, half = ahead["value"][each], Z * np.hypot(ahead["sd"][each], found.sigma)
        intervals[f"next {each}"] = (middle - half, middle + half)
    return intervals


def coverage(practices: int, *, from_the_prior: bool) -> dict[str, dict[str, float]]:
    """By what is covered, each method's share of intervals that hold the truth."""
    held: dict[str, dict[str, list[bool]]] = {"posterior": {}, "variances plugged in": {}}
    for number in range(practices):
        random = np.random.default_rng(number)
        truth = drawn(random) if from_the_prior else MIDDLE
        table, wanted = practice(truth, random)
        for method, intervals in (("posterior", ours), ("variances plugged in", plugged_in)):
            try:
                found = intervals(table)
            except ModelProblem:
                continue
            for name, (low, high) in found.items():
                if name in wanted:
                    kind = name.split()[0] if name[-1].isdigit() else name
                    held[method].setdefault(kind, []).append(low <= wanted[name] <= high)
    return {method: {kind: float(np.mean(each)) for kind, each in of.items()} for method, of in held.items()}


def main() -> None:
    """Print coverage."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--practices", type=int, default=500)
    practices = asked.parse_args().practices
    for from_the_prior in (True, False):
        what = "drawn from the prior" if from_the_prior else "held at the published values"
        print(f"{practices} practices, truth {what}: share of 95 % intervals that hold it")
        for method, kinds in coverage(practices, from_the_prior=from_the_prior).items():
            told = ", ".join(f"{kind} {100 * share:.1f}" for kind, share in kinds.items())
            print(f"  {method:<22} {told}")


if __name__ == "__main__":
    main()
