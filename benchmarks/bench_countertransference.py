"""Where feelings come from, on practices whose truth is known: whether intervals hold it, and nothing is told too soon.

The truth is drawn from the prior that the split starts from, and once more held at the published values. Shares
and parts of each client and therapist are covered; the peer, in the same run, is what is usually done: the mean of a
client's hours less the mean of the others, with its own standard error.

    python benchmarks/bench_countertransference.py            # 500 practices of each kind, about 25 minutes
    python benchmarks/bench_countertransference.py 40
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from attunement.countertransference import awareness, countertransference, published_prior
from attunement.countertransference.sources import split
from attunement.findings import Finding
from attunement.simulate import simulate
from attunement.simulate.feeling import Feeling, feeling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.countertransference import Sources
    from attunement.findings import Estimate
    from attunement.simulate.feeling import Felt

PRIOR = published_prior()
ROUGH = Feeling(feelings=("tense",), step=1.0)  # rated in whole points, as people do
Held = defaultdict[str, list[bool]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of practice: therapists, clients each, reflections each, and the share who met a second therapist."""

    name: str
    therapists: int
    clients: int
    sessions: int
    transfers: float = 0.0


SOLO = Kind("one therapist, 12 clients x 8", 1, 12, 8)
CLINIC = Kind("8 therapists, 8 clients x 6", 8, 8, 6)
SHARED = Kind("the same, 4 of 10 clients met two", 8, 8, 6, 0.4)


def drawn(kind: Kind, random: np.random.Generator) -> Feeling:
    """One practice's truth, from the prior."""
    share = random.random(5)

    def spread(name: str, at: float) -> float:
        return float(PRIOR.spreads[name].draw(np.array([at]))[0])

    crossed = kind.transfers > 0
    return Feeling(
        feelings=("tense",),
        usual=random.normal(*PRIOR.fixed["usual"]),
        habitual_sd=spread("therapist: habit", share[0]),
        client_sd=spread("client: own" if crossed else "dyad: elicited", share[1]),
        pairing_sd=spread("dyad: pair", share[2]) if crossed else 0.0,
        momentary_sd=float(PRIOR.residual.draw(share[3:4])[0]),
        day_slope=random.normal(*PRIOR.fixed["day"]),
    )


def published(kind: Kind) -> Feeling:
    """The published values, held fixed."""
    halves = Feeling(feelings=("tense",))
    return halves if kind.transfers else Feeling(feelings=("tense",), client_sd=1.0, pairing_sd=0.0)


def covered(kind: Kind, practices: int, *, from_the_prior: bool) -> Held:
    """By what is covered, whether each 95 % interval holds the truth."""
    held: Held = defaultdict(list)
    for number in range(practices):
        how = drawn(kind, np.random.default_rng([1, number])) if from_the_prior else published(kind)
        practice = simulate(
            kind.therapists, kind.clients, seed=number, sessions=kind.sessions, transfer_share=kind.transfers
        )
        felt = feeling(practice, how, seed=number)
        found = split("tense", felt.reflections, felt.days, PRIOR)
        for name, (estimate, truth) in [*_shares(found, how).items(), *_parts(found, felt)]:
            held[name].append(estimate.low <= truth <= estimate.high)
        for low, truth, high in _usual_way(felt):
            held["peer: part elicited"].append(low <= truth <= high)
    return held


def _shares(found: Sources, how: Feeling) -> dict[str, tuple[Estimate, float]]:
    variance = {
        "habitual": how.habitual_sd**2,
        "elicited": how.client_sd**2 + how.pairing_sd**2,
        "client": how.client_sd**2,
        "pairing": how.pairing_sd**2,
        "day": how.day_slope**2 * float(np.var(found.rows["day"].to_numpy())),
        "momentary": how.momentary_sd**2,
    }
    told = found.shares()
    whole = sum(variance[name] for name in told)
    return {f"share {name}": (each, variance[name] / whole) for name, each in told.items()}


def _parts(found: Sources, felt: Felt) -> list[tuple[str, tuple[Estimate, float]]]:
    truth = felt.truth.group_by("therapist", "client", maintain_order=True).first()
    told = []
    for row in truth.iter_rows(named=True):
        parts = found.parts[row["therapist"], row["client"]]
        told.append(("part elicited", (parts["elicited"], row["of_client"] + row["of_pairing"])))
        if "own" in parts:
            told.append(("part client's", (parts["own"], row["of_client"])))
    habits = dict(truth.select("therapist", "habitual").iter_rows())
    return told + [("part habitual", (each, habits[who])) for who, each in found.habits.items()]


def _usual_way(felt: Felt) -> list[tuple[float, float, float]]:
    """The client's mean less the mean of the therapist's other hours, plus and minus 1.96 of its standard error."""
    both = felt.reflections.join(felt.truth, on=["therapist", "client", "session"])
    told = []
    for (therapist, _), own in both.group_by("therapist", "client"):
        others = both.filter(pl.col("therapist") == therapist, pl.col("client") != own["client"][0])[
            "strength"
        ]
        if own.height < 2 or others.len() < 2:
            continue
        mine, rest = own["strength"].to_numpy(), others.to_numpy()
        off, error = (
            mine.mean() - rest.mean(),
            np.sqrt(mine.var(ddof=1) / mine.size + rest.var(ddof=1) / rest.size),
        )
        truth = own["of_client"][0] + own["of_pairing"][0]
        told.append((off - 1.96 * error, truth, off + 1.96 * error))
    return told


def too_soon(practices: int) -> int:
    """Practices of one therapist with one client of whom more is told than the hour against their usual."""
    told = 0
    for number in range(practices):
        sessions = 1 + number % 40
        felt = feeling(simulate(1, 1, seed=number, sessions=sessions), ROUGH, seed=number)
        found = countertransference(
            felt.reflections.filter(pl.col("session") <= sessions), days=felt.days, negative=()
        )
        client = felt.reflections["client"][0]
        beyond = (found.shares("tense"), found.elicited(client, feeling="tense"), found.whose(client, feeling="tense"),
                  found.habitual(feeling="tense"))  # fmt: skip
        told += any(isinstance(each, Finding) for each in beyond)
    return told


def named(practices: int, aware: float) -> float:
    """The share of practices of 24 clients whose naming is said to go with the split, or against it."""
    said = []
    for number in range(practices):
        felt = feeling(simulate(1, 24, seed=number, sessions=8), replace(ROUGH, aware=aware), seed=number)
        mirror = countertransference(felt.reflections, days=felt.days, negative=())
        told = awareness(mirror, felt.namings, "tense")
        said.append(isinstance(told, Finding) and not told.estimate.low <= 0 <= told.estimate.high)
    return float(np.mean(said))


def shown(held: Mapping[str, list[bool]], wanted: float) -> int:
    """Print coverage by what is covered; returns how many shares miss what is wanted of them."""
    missed = 0
    for name, each in sorted(held.items()):
        share, error = 100 * float(np.mean(each)), 100 * float(np.sqrt(0.05 * 0.95 / len(each)))
        asked = name.startswith("share")
        met = share >= wanted and (wanted < 93 or share <= 97)
        missed += asked and not met
        verdict = ("met" if met else "NOT met") if asked else ""
        print(f"    {name:<22} {share:5.1f} of 100 (n {len(each)}, +- {2 * error:.1f}) {verdict}")
    return missed


def main(practices: int = 500) -> int:
    """Print all tables; returns how many claims are not met."""
    missed = 0
    for kind, many in ((SOLO, practices), (CLINIC, practices), (SHARED, practices // 2)):
        print(kind.name)
        for from_the_prior in (True, False):
            wanted = 93.0 if from_the_prior else 90.0
            print(
                f"  truth {'from the prior' if from_the_prior else 'at published values'}, {many} practices"
            )
            held = covered(kind, many, from_the_prior=from_the_prior)
            missed += shown(held, wanted)
            ours, peer = (1 - float(np.mean(held[f"{who}part elicited"])) for who in ("", "peer: "))
            print(f"    missed as a ratio, ours to the peer's: {ours / max(peer, 1e-9):.2f}")
    soon = too_soon(2 * practices)
    print(f"one therapist, one client, {2 * practices} practices: told beyond the gate in {soon} (wanted 0)")
    unaware, aware = named(practices // 4, 0.0), named(practices // 4, 1.0)
    print(
        f"naming at random is said to go with the split, or against it, in {100 * unaware:.0f} of 100 (at most 5)"
    )
    print(f"naming that is the truth, in {100 * aware:.0f} of 100")
    return missed + (soon > 0) + (unaware > 0.05)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
