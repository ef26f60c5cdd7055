"""Make the small data sets on which the engine is compared with lme4.

They are simulated, so that they may be given away; they resemble the classics (dyestuff, sleepstudy) and a
practice's session ratings. The seeds were chosen so that the fits are regular, save in `singular.csv`,
whose fits must lie on the boundary. Run it as `.venv/bin/python tests/reference/make_data.py`; then run
`Rscript tests/reference/lme4.R`, whose numbers hold only for these very files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DATA = Path(__file__).parent / "data"
DECIMALS = 4
SETTINGS = ("office", "phone", "video")
SETTING_EFFECTS = {"office": 0.0, "phone": -4.0, "video": -1.5}


def dyestuff_like() -> pl.DataFrame:
    """Six batches with five yields each: the one-way layout."""
    rng = np.random.default_rng(1001)
    batch = np.repeat(np.arange(6), 5)
    product = 52.0 + rng.normal(0.0, 3.0, 6)[batch] + rng.normal(0.0, 3.5, batch.size)
    return pl.DataFrame({"batch": [f"B{b + 1}" for b in batch], "yield": product})


def sleepstudy_like() -> pl.DataFrame:
    """Eighteen subjects on ten days: a line each, level and slope correlated."""
    rng = np.random.default_rng(1002)
    subject, days = np.repeat(np.arange(18), 10), np.tile(np.arange(10), 18)
    level, slope = _lines(rng, 18, sd_level=28.0, sd_slope=5.0, correlation=0.3)
    reaction = 310.0 + level[subject] + (9.0 + slope[subject]) * days + rng.normal(0.0, 22.0, days.size)
    return pl.DataFrame({"subject": [f"s{s + 1:02}" for s in subject], "days": days, "reaction": reaction})


def nested(seed: int, therapists: int) -> pl.DataFrame:
    """Sessions within clients within therapists, in unequal numbers, with slopes over log2(session).

    `client` is unique; `client_in` counts from 1 within the therapist, so only therapist and client_in
    together name a client. Some clients come once.
    """
    rng = np.random.default_rng(seed)
    caseload = rng.integers(6, 10, therapists)
    level_of_therapist, slope_of_therapist = _lines(rng, therapists, 4.0, 1.2, correlation=-0.3)
    level_of_client, slope_of_client = _lines(rng, int(caseload.sum()), 6.0, 2.0, correlation=-0.2)
    therapist_of_client = np.repeat(np.arange(therapists), caseload)
    number_within = np.concatenate([np.arange(size) for size in caseload])
    severity = rng.normal(15.0, 4.0, therapist_of_client.size).round(DECIMALS)

    attended = rng.integers(1, 14, therapist_of_client.size)
    client = np.repeat(np.arange(therapist_of_client.size), attended)
    therapist = therapist_of_client[client]
    session = np.concatenate([np.arange(1, last + 1) for last in attended])
    setting = rng.choice(SETTINGS, client.size, p=(0.5, 0.2, 0.3))
    score = (
        75.0
        + level_of_therapist[therapist]
        + level_of_client[client]
        + (1.5 + slope_of_therapist[therapist] + slope_of_client[client]) * np.log2(session)
        - 0.6 * severity[client]
        + np.array([SETTING_EFFECTS[s] for s in setting])
        + rng.normal(0.0, 4.0, client.size)
    )
    return pl.DataFrame(
        {
            "therapist": [f"t{t + 1:02}" for t in therapist],
            "client": [f"c{c + 1:03}" for c in client],
            "client_in": number_within[client] + 1,
            "session": session,
            "setting": setting.tolist(),
            "severity": severity[client],
            "score": score,
        }
    )


def crossed() -> pl.DataFrame:
    """Clients who meet one to three of fifteen therapists; sessions count within the dyad.

    Codes are whole numbers here, as in many exports.
    """
    rng = np.random.default_rng(1004)
    level_of_therapist, level_of_client = rng.normal(0.0, 4.0, 15), rng.normal(0.0, 6.0, 60)
    columns: dict[str, list[int | float | str]] = {
        name: [] for name in ("therapist", "client", "dyad", "session", "setting", "score")
    }
    for client in range(60):
        usual = rng.choice(SETTINGS)
        for therapist in rng.choice(15, size=rng.choice([1, 2, 3], p=[0.4, 0.35, 0.25]), replace=False):
            level = 65.0 + level_of_client[client] + level_of_therapist[therapist] + rng.normal(0.0, 4.0)
            for session in range(1, rng.integers(1, 10) + 1):
                setting = str(usual if rng.random() < 0.7 else rng.choice(SETTINGS))
                expected = level + 1.5 * np.log2(session) + SETTING_EFFECTS[setting]
                columns["therapist"].append(201 + int(therapist))
                columns["client"].append(101 + client)
                columns["dyad"].append(f"{201 + therapist}-{101 + client}")
                columns["session"].append(session)
                columns["setting"].append(setting)
                columns["score"].append(float(expected + rng.normal(0.0, 6.0)))
    return pl.DataFrame(columns)


def singular() -> pl.DataFrame:
    """Twelve clients with one common slope, and three rooms that make no difference."""
    rng = np.random.default_rng(1032)
    attended = rng.integers(3, 9, 12)
    client = np.repeat(np.arange(12), attended)
    x = np.concatenate([np.arange(last) for last in attended])
    room = rng.choice(["blue", "green", "red"], client.size)
    score = 40.0 + rng.normal(0.0, 4.0, 12)[client] + 1.2 * x + rng.normal(0.0, 5.0, client.size)
    return pl.DataFrame(
        {"client": [f"c{c + 1:02}" for c in client], "x": x, "room": room.tolist(), "score": score}
    )


def missing() -> pl.DataFrame:
    """Nested sessions with empty cells: scores, settings, and for a few clients the severity."""
    frame = nested(seed=1006, therapists=8)
    rng = np.random.default_rng(1007)
    unasked = [f"c{c:03}" for c in (4, 17, 31)]

    def emptied(name: str, share: float) -> pl.Expr:
        return pl.when(pl.Series(rng.random(frame.height) >= share)).then(pl.col(name)).alias(name)

    return frame.with_columns(
        emptied("score", 0.08),
        emptied("setting", 0.04),
        pl.when(~pl.col("client").is_in(unasked)).then(pl.col("severity")).alias("severity"),
    )


def _lines(
    rng: np.random.Generator, size: int, sd_level: float, sd_slope: float, correlation: float
) -> tuple[Floats, Floats]:
    z_level, z_rest = rng.normal(size=size), rng.normal(size=size)
    z_slope = correlation * z_level + np.sqrt(1 - correlation**2) * z_rest
    return sd_level * z_level, sd_slope * z_slope


def main() -> None:
    DATA.mkdir(exist_ok=True)
    frames = {
        "dyestuff_like": dyestuff_like(),
        "sleepstudy_like": sleepstudy_like(),
        "nested": nested(seed=1013, therapists=10),
        "crossed": crossed(),
        "singular": singular(),
        "missing": missing(),
    }
    for name, frame in frames.items():
        frame.write_csv(DATA / f"{name}.csv", float_precision=DECIMALS)


if __name__ == "__main__":
    main()
