"""Make the small data sets on which the engine is compared with nlme, ordinal and quadrature, and more of lme4's.

Simulated like those of `make_data.py`, with seeds chosen so that the fits are regular; only `tiny.csv.gz` is
meant to be singular. Run it as `.venv/bin/python tests/reference/make_more_data.py`; then run lme4_more.R,
nlme.R, families.R and tiny.R, whose numbers hold only for these very files.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

DATA = Path(__file__).parent / "data"
DECIMALS = 4
TINY_PRACTICES = 300


def ar1() -> pl.DataFrame:
    """A line per client over log2(session), with residuals that remember the session before.

    Sessions are missing here and there, so that gaps of 1 to 4 occur. `y` has one residual variance; that of
    `y2` is larger from the fifth session on (`phase` 1); `y_both` has the memory and the phases; `yw` has no
    memory, and the variance sigma^2 / `weight`.
    """
    rng = np.random.default_rng(2001)
    clients, phi, sigma, ratio = 150, 0.35, 4.0, 1.5
    client, session = _attended(rng, clients, most=14, missed=0.2)
    level, slope = _lines(rng, clients, 6.0, 2.0, correlation=-0.3)
    line = 60.0 + level[client] + (3.0 + slope[client]) * np.log2(session)
    phase = (session > 4).astype(np.int64)
    memory, memory_of_both = (_remembering(rng, client, session, phi) for _ in range(2))
    weight = rng.uniform(0.5, 3.0, client.size).round(DECIMALS)
    scale = sigma * ratio**phase
    return pl.DataFrame(
        {
            "client": _codes("c", client, 3),
            "session": session,
            "phase": phase,
            "weight": weight,
            "y": line + sigma * memory,
            "y2": line + scale * rng.normal(size=client.size),
            "y_both": line + scale * memory_of_both,
            "yw": line + sigma * rng.normal(size=client.size) / np.sqrt(weight),
        }
    )


def deep() -> pl.DataFrame:
    """Sessions within clients within therapists within eight clinics, in unequal numbers."""
    rng = np.random.default_rng(2015)
    clinic_of_therapist = np.repeat(np.arange(8), rng.integers(3, 7, 8))
    therapist_of_client = np.repeat(
        np.arange(clinic_of_therapist.size), rng.integers(2, 7, clinic_of_therapist.size)
    )
    clients = therapist_of_client.size
    client, session = _attended(rng, clients, most=10)
    therapist = therapist_of_client[client]
    clinic = clinic_of_therapist[therapist]
    level_of_clinic = rng.normal(0.0, 4.0, 8)
    level_of_therapist, slope_of_therapist = _lines(rng, clinic_of_therapist.size, 3.5, 1.0, correlation=0.2)
    level_of_client, slope_of_client = _lines(rng, clients, 6.0, 2.0, correlation=-0.2)
    score = (
        65.0
        + level_of_clinic[clinic]
        + level_of_therapist[therapist]
        + level_of_client[client]
        + (1.5 + slope_of_therapist[therapist] + slope_of_client[client]) * np.log2(session)
        + rng.normal(0.0, 4.0, client.size)
    )
    return pl.DataFrame(
        {
            "clinic": _codes("k", clinic, 1),
            "therapist": _codes("t", therapist, 2),
            "client": _codes("c", client, 3),
            "session": session,
            "score": score,
        }
    )


def crossed_lines(
    seed: int, clients: int, therapists: int, moving: float, sd_slope_of_therapist: float
) -> pl.DataFrame:
    """Clients of whom a share moves to a second or a third therapist; `session` counts on through their course."""
    rng = np.random.default_rng(seed)
    client, session = _attended(rng, clients, most=14)
    met = np.where(rng.random(clients) < moving, rng.integers(2, 4, clients), 1)
    course = np.bincount(client, minlength=clients)
    therapist = np.concatenate(
        [
            rng.choice(therapists, size=n, replace=False)[np.arange(last) * n // last]
            for n, last in zip(met, course, strict=True)
        ]
    )
    level_of_client, slope_of_client = _lines(rng, clients, 6.0, 2.0, correlation=-0.2)
    level_of_therapist, slope_of_therapist = _lines(
        rng, therapists, 4.0, sd_slope_of_therapist, correlation=-0.3
    )
    level_of_dyad = rng.normal(0.0, 3.0, (therapists, clients))
    score = (
        65.0
        + level_of_client[client]
        + level_of_therapist[therapist]
        + level_of_dyad[therapist, client]
        + (1.5 + slope_of_client[client] + slope_of_therapist[therapist]) * np.log2(session)
        + rng.normal(0.0, 4.0, client.size)
    )
    return pl.DataFrame(
        {
            "therapist": _codes("t", therapist, 2),
            "client": _codes("c", client, 3),
            "dyad": [f"t{t + 1:02}-c{c + 1:03}" for t, c in zip(therapist, client, strict=True)],
            "session": session,
            "score": score,
        }
    )


def staying() -> pl.DataFrame:
    """Whether the next appointment was kept (1) or not (0), after sessions with more or less connection."""
    rng = np.random.default_rng(2005)
    client, therapist, session = _sessions_in_practice(rng, clients=120, therapists=20, most=10)
    connection = _connection(rng, client)
    effects = rng.normal(0.0, 1.1, 120)[client] + rng.normal(0.0, 0.7, 20)[therapist]
    keeps = 1.0 / (1.0 + np.exp(-(0.8 + 0.7 * connection + effects)))
    return _practice(client, therapist, session, connection).with_columns(
        pl.Series("stays", (rng.random(client.size) < keeps).astype(np.int64))
    )


def ordinal() -> pl.DataFrame:
    """A rating in five categories, 1 to 5: a logistic variable cut at four thresholds."""
    rng = np.random.default_rng(2006)
    client, therapist, session = _sessions_in_practice(rng, clients=100, therapists=16, most=10)
    connection = _connection(rng, client)
    effects = rng.normal(0.0, 1.3, 100)[client] + rng.normal(0.0, 0.7, 16)[therapist]
    latent = 0.5 * connection + 0.3 * np.log2(session) + effects + rng.logistic(size=client.size)
    rating = 1 + np.searchsorted([-2.0, -0.5, 1.0, 2.5], latent)
    return _practice(client, therapist, session, connection).with_columns(pl.Series("rating", rating))


def ceiling() -> pl.DataFrame:
    """A score from 0 to 10 of clients of whom many are content: what lies above 10 is recorded as 10."""
    rng = np.random.default_rng(2007)
    client, therapist, session = _sessions_in_practice(rng, clients=60, therapists=12, most=10)
    level, slope = _lines(rng, 60, 1.3, 0.5, correlation=-0.3)
    latent = (
        8.4
        + rng.normal(0.0, 0.8, 12)[therapist]
        + level[client]
        + (0.45 + slope[client]) * np.log2(session)
        + rng.normal(0.0, 1.0, client.size)
    )
    if latent.min() < 0.0:
        raise ValueError("A score lies below 0, where this file has no floor: take another seed.")
    return pl.DataFrame(
        {
            "therapist": _codes("t", therapist, 2),
            "client": _codes("c", client, 3),
            "session": session,
            "score": latent.clip(max=10.0),
        }
    )


def tiny() -> pl.DataFrame:
    """Practices of one therapist with twelve clients who come 1 to 12 times, of three kinds in turn.

    In the first kind clients differ in level and slope, in the second in level only, in the third in nothing.
    """
    frames = []
    for practice in range(TINY_PRACTICES):
        rng = np.random.default_rng([2008, practice])
        sd_level, sd_slope = ((5.0, 2.0), (5.0, 0.0), (0.0, 0.0))[practice % 3]
        client, session = _attended(rng, 12, most=12)
        level, slope = _lines(rng, 12, sd_level, sd_slope, correlation=-0.2)
        expected = 60.0 + level[client] + (5.0 + slope[client]) * np.log(session)
        frames.append(
            pl.DataFrame(
                {
                    "practice": np.full(client.size, practice),
                    "client": client + 1,
                    "session": session,
                    "y": expected + rng.normal(0.0, 6.0, client.size),
                }
            )
        )
    return pl.concat(frames)


def _attended(rng: np.random.Generator, clients: int, most: int, missed: float = 0.0) -> tuple[Whole, Whole]:
    """Client and session of each row: everybody's first session, and after it all but the missed ones."""
    last = rng.integers(1, most + 1, clients)
    client = np.repeat(np.arange(clients), last)
    session = np.concatenate([np.arange(1, n + 1) for n in last])
    if missed:
        came = (session == 1) | (rng.random(client.size) >= missed)
        return client[came], session[came]
    return client, session


def _sessions_in_practice(
    rng: np.random.Generator, clients: int, therapists: int, most: int
) -> tuple[Whole, Whole, Whole]:
    client, session = _attended(rng, clients, most)
    therapist_of_client = np.sort(np.arange(clients) % therapists)
    return client, therapist_of_client[client], session


def _connection(rng: np.random.Generator, client: Whole) -> Floats:
    usual = rng.normal(0.0, 0.7, client.max() + 1)
    connection: Floats = usual[client] + rng.normal(0.0, 1.0, client.size)
    return connection.round(DECIMALS)


def _practice(client: Whole, therapist: Whole, session: Whole, connection: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "therapist": _codes("t", therapist, 2),
            "client": _codes("c", client, 3),
            "session": session,
            "connection": connection,
        }
    )


def _remembering(rng: np.random.Generator, client: Whole, session: Whole, phi: float) -> Floats:
    """Standard normal residuals whose correlation within a client is phi to the power of the gap."""
    fresh = rng.normal(size=client.size)
    residual = fresh.copy()
    for row in range(1, client.size):
        if client[row] == client[row - 1]:
            kept = phi ** float(session[row] - session[row - 1])
            residual[row] = kept * residual[row - 1] + np.sqrt(1.0 - kept**2) * fresh[row]
    return residual


def _lines(
    rng: np.random.Generator, size: int, sd_level: float, sd_slope: float, correlation: float
) -> tuple[Floats, Floats]:
    z_level, z_rest = rng.normal(size=size), rng.normal(size=size)
    z_slope = correlation * z_level + np.sqrt(1 - correlation**2) * z_rest
    return sd_level * z_level, sd_slope * z_slope


def _codes(letter: str, index: Whole, digits: int) -> list[str]:
    return [f"{letter}{i + 1:0{digits}}" for i in index]


def main() -> None:
    DATA.mkdir(exist_ok=True)
    frames = {
        "ar1": ar1(),
        "deep": deep(),
        "transfers": crossed_lines(2003, clients=120, therapists=20, moving=0.35, sd_slope_of_therapist=0.0),
        "wide": crossed_lines(2004, clients=100, therapists=16, moving=0.6, sd_slope_of_therapist=1.2),
        "staying": staying(),
        "ordinal": ordinal(),
        "ceiling": ceiling(),
    }
    for name, frame in frames.items():
        frame.write_csv(DATA / f"{name}.csv", float_precision=DECIMALS)
    text = io.BytesIO()
    tiny().write_csv(text, float_precision=DECIMALS)
    (DATA / "tiny.csv.gz").write_bytes(gzip.compress(text.getvalue(), mtime=0))


if __name__ == "__main__":
    main()
