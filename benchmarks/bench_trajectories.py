"""Trajectories against the truth of simulated practices, and against what is usually shown: the last rating.

Prints how often the 95 % interval of depth holds the true connection, the error of depth as a ratio to that of the
last rating and of the mean of the last three, how planted courses are called, and how often a client who did not fall
is called falling.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from attunement.simulate import simulate
from attunement.trajectories import Measure, trajectories

PLANT = {"falling": 1, "stalled": 1, "slow": 1}
TEN = Measure(0, 10)


def errors(clients: int, practices: int) -> None:
    """Coverage and error of depth over practices of one size."""
    held, ours, last, three, quiet, false = [], [], [], [], 0, 0
    for seed in range(practices):
        practice = simulate(1, clients, seed=1_000 + seed)
        truth = {
            (row["client"], row["session"]): row["connection"] for row in practice.truth.iter_rows(named=True)
        }
        for each in trajectories(practice.ratings, TEN):
            row = each.row()
            now = min(max(truth[each.client, each.now], 0.0), 10.0)
            held.append(row["depth_low"] <= now <= row["depth_high"])
            ours.append(row["depth"] - now)
            last.append(each.score[-1] - now)
            three.append(each.score[-3:].mean() - now)
            before = truth[each.client, max(each.now - 3, 1)]
            if each.long_enough and truth[each.client, each.now] - before > -TEN.notable / 2:
                quiet += 1
                false += row["p_falling"] > 0.5
    rms = [float(np.sqrt(np.mean(np.square(each)))) for each in (ours, last, three)]
    reach = 1.96 * np.sqrt(np.mean(held) * (1 - np.mean(held)) / len(held))
    print(
        f"{practices} practices of {clients} clients: the interval of depth holds the truth in "
        f"{100 * np.mean(held):.1f} % (+- {100 * reach:.1f}) of {len(held):,} dyads; error {rms[0]:.2f} points, "
        f"ratio to the last rating {rms[0] / rms[1]:.2f}, to the mean of the last three {rms[0] / rms[2]:.2f}; "
        f"called falling without a fall: {false} of {quiet:,}"
    )


def planted(practices: int) -> None:
    """What planted courses are called."""
    called: dict[str, Counter[str]] = {course: Counter() for course in PLANT}
    for seed in range(practices):
        practice = simulate(1, 16, seed=2_000 + seed, plant=PLANT)
        courses = {row["client"]: row["course"] for row in practice.clients.iter_rows(named=True)}
        for each in trajectories(practice.ratings, TEN):
            if courses[each.client] and each.shown:
                called[courses[each.client]][each.shown[0][0]] += 1
    for course, counts in called.items():
        print(
            f"planted {course:<8} is called: "
            + ", ".join(f"{name} {count}" for name, count in counts.most_common())
        )


if __name__ == "__main__":
    errors(12, 60)
    errors(40, 20)
    planted(40)
