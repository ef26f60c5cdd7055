"""A small practice with priors: our posterior against full sampling of the same model, in one run.

Twelve clients with eight sessions each. The samplers get the same priors and 4 chains; each runs in a process of its
own. Prints seconds and their ratio, and the largest distance between the ends of ours and of the sampler's 95 %
intervals, in Monte Carlo standard errors of the sampler's own ends: within about three, the two agree as well as the
sampler agrees with itself.

    python benchmarks/bench_posterior.py
    python benchmarks/bench_posterior.py --peers nutpie --draws 10000
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any

from children import Outcome, alone, same_cores

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pymc
    from numpy.typing import NDArray

LIMIT = 600.0
FORMULA = "score ~ log2(session) + (1 + log2(session) | client)"
CLIENTS, SESSIONS, NOW, CHAINS = 12, 8, 8, 4
FIXED = {"Intercept": (5.0, 2.5), "log2(session)": (0.0, 1.0)}  # normal: mean, standard deviation
SPREAD = {"client Intercept": 2.0, "client log2(session)": 1.0, "residual": 2.0}  # half-normal: scale
LKJ = 2.0  # the correlation of level and slope
ACCEPT = 0.9  # share of proposals both samplers aim to accept
Summary = dict[str, tuple[float, float, float]]  # mean, low and high of 95 %


def small_practice(seed: int = 1) -> pl.DataFrame:
    """Twelve clients, eight sessions each, scores from 0 to 10 in tenths."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(seed)
    client = np.repeat(np.arange(CLIENTS), SESSIONS)
    session = np.tile(np.arange(1, SESSIONS + 1), CLIENTS)
    level, slope = random.normal(5.0, 1.2, CLIENTS), random.normal(0.5, 0.3, CLIENTS)
    score = level[client] + slope[client] * np.log2(session) + random.normal(0.0, 0.8, client.size)
    names = [f"c{each:02}" for each in client]
    return pl.DataFrame({"client": names, "session": session, "score": np.clip(score, 0, 10).round(1)})


def ours(table: pl.DataFrame) -> tuple[float, Summary]:
    """Our posterior of the same model under the same priors: seconds after a first call, and its intervals."""
    import polars as pl

    from attunement.mixed import HalfNormal, Prior, posterior

    *scales, residual = SPREAD.values()
    spreads = dict(zip(("client", "client: log2(session)"), map(HalfNormal, scales), strict=True))
    prior = Prior(spreads=spreads, residual=HalfNormal(residual), fixed=FIXED, tie=LKJ)
    clients = [f"c{each:02}" for each in range(CLIENTS)]
    now = pl.DataFrame({"client": clients, "session": [NOW] * CLIENTS})
    posterior(FORMULA, table, prior).predict(now)
    began = time.perf_counter()
    found = posterior(FORMULA, table, prior)
    levels = found.predict(now)
    seconds = time.perf_counter() - began
    names = {"sd client": "sd client Intercept", "sd client: log2(session)": "sd client log2(session)"}
    summary = {
        names.get(row["term"], row["term"]): (row["mean"], row["low"], row["high"])
        for row in found.table.iter_rows(named=True)
    }
    of_clients = zip(clients, levels.select("value", "low", "high").iter_rows(), strict=True)
    return seconds, summary | {f"level {client}": values for client, values in of_clients}


def _names() -> list[str]:
    """What is compared: fixed effects, standard deviations, and every client's level at session 8."""
    levels = [f"level c{each:02}" for each in range(CLIENTS)]
    return [*FIXED, *(f"sd {name}" for name in SPREAD), *levels]


def sampled(table: pl.DataFrame, sampler: str, draws: int) -> dict[str, float]:
    """Sample with PyMC's own sampler or nutpie's; sum up each name with the errors of its ends."""
    import arviz
    import numpy as np
    import pymc

    if sampler == "nutpie":
        import nutpie

    began = time.perf_counter()
    model = _model(table)
    if sampler == "nutpie":
        compiled = nutpie.compile_pymc_model(model)
        drawing = time.perf_counter()
        trace = nutpie.sample(
            compiled, draws=draws, chains=CHAINS, seed=1, progress_bar=False, target_accept=ACCEPT
        )
        drawn = time.perf_counter() - drawing
    else:
        with model:
            trace = pymc.sample(draws, chains=CHAINS, random_seed=1, progressbar=False, target_accept=ACCEPT)
        drawn = float(trace.posterior.attrs["sampling_time"])
    found = {"seconds": time.perf_counter() - began, "drawing": drawn}
    found["divergent"] = float(trace.sample_stats["diverging"].sum())
    found["rhat"] = max(float(arviz.rhat(_draws(trace, name))) for name in _names())
    found["ess"] = min(float(arviz.ess(_draws(trace, name), method="tail")) for name in _names())
    for name in _names():
        values = _draws(trace, name)
        found[f"{name}|mean"] = float(values.mean())
        for end, share in (("low", 0.025), ("high", 0.975)):
            found[f"{name}|{end}"] = float(np.quantile(values, share))
            found[f"{name}|{end} mcse"] = float(arviz.mcse(values, method="quantile", prob=share))
    return found


def _model(table: pl.DataFrame) -> pymc.Model:
    """Put the model together, the clients' lines not centred: centred, both samplers took longer and diverged."""
    import numpy as np
    import pymc

    lt = np.log2(table["session"].to_numpy())
    client = table["client"].str.slice(1).cast(int).to_numpy()
    with pymc.Model() as model:
        beta = pymc.Normal("beta", [mean for mean, _ in FIXED.values()], [sd for _, sd in FIXED.values()])
        *client_scales, residual_scale = SPREAD.values()
        root, _, sds = pymc.LKJCholeskyCov(
            "client_sd", n=2, eta=LKJ, sd_dist=pymc.HalfNormal.dist(np.array(client_scales), shape=2)
        )
        lines = beta + pymc.Normal("standard", 0.0, 1.0, shape=(CLIENTS, 2)) @ root.T
        residual = pymc.HalfNormal("residual", residual_scale)
        mean = lines[client, 0] + lines[client, 1] * lt
        pymc.Normal("score", mean, residual, observed=table["score"].to_numpy())
        levels = lines[:, 0] + lines[:, 1] * np.log2(NOW)
        everything = pymc.math.concatenate([beta, sds, residual[None], levels])
        pymc.Deterministic("compared", everything)
    return model


def _draws(trace: Any, name: str) -> NDArray[np.float64]:  # noqa: ANN401 - arviz has no types
    """(chains, draws) of one name."""
    drawn: NDArray[np.float64] = trace.posterior["compared"].to_numpy()[:, :, _names().index(name)]
    return drawn


def run_alone(name: str, draws: int) -> None:
    """Print one contender's answer as JSON."""
    table = small_practice()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if name == "ours":
            seconds, summary = ours(table)
            answer = {"seconds": seconds}
            for each, values in summary.items():
                answer |= {
                    f"{each}|{end}": value for end, value in zip(("mean", "low", "high"), values, strict=True)
                }
        else:
            answer = sampled(table, name, draws)
    print(json.dumps(answer))


def compare(mine: Outcome, peer: Outcome) -> None:
    """Print where the two lie farthest apart, in the sampler's own errors and in points."""
    apart = {
        (name, end): (mine.answer[f"{name}|{end}"] - peer.answer[f"{name}|{end}"])
        for name in _names()
        for end in ("low", "high")
    }
    errors = {key: abs(apart[key]) / peer.answer[f"{key[0]}|{key[1]} mcse"] for key in apart}
    worst = max(errors, key=errors.__getitem__)
    within = sum(error < 3 for error in errors.values())
    whole, drawing = (peer.answer[part] / mine.answer["seconds"] for part in ("seconds", "drawing"))
    print(f"    ratio {whole:.0f}, drawing alone {drawing:.1f}", end="")
    print(
        f"; memory {peer.peak / mine.peak:.1f}; {within} of {len(errors)} ends within 3 of the sampler's errors"
    )
    print(
        f"    farthest: {worst[1]} end of {worst[0]}, {errors[worst]:.1f} errors, {apart[worst]:+.3f} points"
    )


def main() -> None:
    """Run ours and each sampler, and compare."""
    parser = argparse.ArgumentParser(description="Our posterior against samplers.")
    parser.add_argument("--peers", default="nutpie,pymc")
    parser.add_argument("--draws", type=int, default=1_000, help="a chain")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        run_alone(asked.alone, asked.draws)
        return
    print(f"{same_cores()}; {CLIENTS} clients x {SESSIONS} sessions: {FORMULA}")
    outcomes = {}
    for name in ("ours", *asked.peers.split(",")):
        outcomes[name] = found = alone(
            [sys.executable, __file__, "--alone", name, "--draws", str(asked.draws)], LIMIT
        )
        if found.failure:
            print(f"  {name:<8} {found.failure}")
            continue
        print(f"  {name:<8} {found.answer['seconds']:8.3f} s {found.peak:8,.0f} MB", end="")
        if name == "ours":
            print()
            continue
        print(
            f"   of which {found.answer['drawing']:.1f} s to draw; {CHAINS} x {asked.draws:,} draws, "
            f"{found.answer['divergent']:.0f} divergent, r-hat up to {found.answer['rhat']:.3f}, "
            f"effective draws in the tails {found.answer['ess']:,.0f} or more"
        )
        if not outcomes["ours"].failure:
            compare(outcomes["ours"], found)


if __name__ == "__main__":
    main()
