"""A simulated practice to walk through: nobody in it is real, and its truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from attunement.instruments import instrument
from attunement.practice import Practice, Role
from attunement.sessions import PLANNED, Purpose
from attunement.simulate import simulate
from attunement.vault.clock import Clock
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode
from attunement.web.simulated_life import Life

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

SEED: Final = 13
"""Of a practice in which somebody stalls and somebody falls, beyond doubt."""
ACCOUNT: Final = "T-1"
PHRASE: Final = "simulated garden lantern seventeen"
PLANTED: Final[Mapping[str, int]] = {"falling": 1, "stalled": 1, "slow": 1}
_EACH_DAY: Final = 4  # sessions planned
SUPERVISOR: Final = "S-1"
SUPERVISORS_PHRASE: Final = "simulated orchard bicycle granite"


class _Then:
    """A clock that stands where the simulation is; what is idle is not, for years pass in a second."""

    def __init__(self) -> None:
        self.now, self.seconds = datetime.now(UTC) - timedelta(days=3650), 0.0

    def wall(self) -> datetime:
        return self.now

    def elapsed(self) -> float:
        self.seconds += 1e-6
        return self.seconds

    def at(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


def demonstration(folder: Path, *, clients: int = 16, seed: int = SEED, sessions: int | None = None) -> None:
    """Found a practice with clients who have been coming for a while, as of today.

    Parameters
    ----------
    folder
        Where; empty.
    clients, seed, sessions
        Of the simulation: how many, which, and how long; lengths are drawn if left out.
    """
    plant = PLANTED if clients >= 3 else {}
    simulated = simulate(1, clients, seed=seed, sessions=sessions, plant=plant)
    made, life = simulated.ratings, Life.of(simulated, seed)
    draws, then = np.random.default_rng(seed), _Then()
    practice = Practice.found(
        folder,
        ACCOUNT,
        PHRASE,
        RecoveryCode.fresh(),
        name="Somebody",
        cost=LEAST,
        clock=Clock(then.wall, then.elapsed),
    )
    with practice:
        practice.unlock(PHRASE)
        rows = _dated(made).sort("began")
        then.at(rows["began"][0] - timedelta(days=1))
        for client in made["client"].unique(maintain_order=True):
            practice.take_on(client, agreed=(Purpose.CHECK_INS, Purpose.RESEARCH))
        for row in rows.iter_rows(named=True):
            _session(practice, row, then, draws, life)
        _today(practice, made["client"].unique(maintain_order=True).to_list())
        _supervised(practice, _brought(simulated.clients))


def _dated(made: pl.DataFrame) -> pl.DataFrame:
    """Move the simulated weeks so that they end yesterday."""
    import polars as pl  # noqa: PLC0415 - a tenth of a second, for the demonstration alone

    yesterday = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    last = made["time"].max()
    moved = pl.lit(yesterday.replace(tzinfo=None)) + (pl.col("time").cast(pl.Datetime("us")) - pl.lit(last))
    return made.with_columns(began=moved.dt.replace_time_zone("UTC"))


def _session(
    practice: Practice, row: dict[str, object], then: _Then, draws: np.random.Generator, life: Life
) -> None:
    client, number, began = str(row["client"]), int(str(row["session"])), row["began"]
    assert isinstance(began, datetime)  # noqa: S101 - the column holds points in time
    then.at(began - timedelta(minutes=30))
    late = draws.random() < 0.08
    minutes = float(draws.integers(5, 20)) if late else None
    practice.log_session(client, began, attendance="late" if late else "held", lateness=minutes)
    for asked, answers in life.asked_before(client, number):
        token = practice.invite(client, number, instrument=asked).token
        practice.for_client().receive(token, answers, f"demonstration-{asked}-{client}-{number}")
    then.at(began + timedelta(minutes=50))
    rating, guess = row["score"], row["guess"]
    if isinstance(rating, float):
        token = practice.invite(client, number).token
        practice.for_client().receive(token, _answers(rating, draws), f"demonstration-{client}-{number}")
    if isinstance(guess, float) and draws.random() < 0.9:
        practice.reflect(client, number, life.reflection(client, number, guess, rating, draws))


def _answers(rating: float, draws: np.random.Generator) -> dict[str, float | None]:
    """Answers about the rating: whole points whose mean is near it, and what got in the way apart."""
    asked = instrument("connection")
    given = np.clip(np.round(rating + draws.normal(0, 0.7, len(asked.items))), 0, 10)
    answers: dict[str, float | None] = {
        item.id: float(value) for item, value in zip(asked.items, given, strict=True)
    }
    answers["hindering"] = float(np.clip(np.round(7 - rating + draws.normal(0, 1.5)), 0, 10))
    return answers


def _today(practice: Practice, clients: list[str]) -> None:
    """Plan the sessions of today, of tomorrow, and leave a step open."""
    local = datetime.now(UTC).astimezone().replace(minute=0, second=0, microsecond=0)
    midnight = local.replace(hour=23, minute=50)
    for hours, client in enumerate(clients[:_EACH_DAY], 1):
        practice.log_session(client, min(local + timedelta(hours=hours), midnight), attendance=PLANNED)
    for hours, client in enumerate(clients[_EACH_DAY : 2 * _EACH_DAY]):
        practice.log_session(client, local.replace(hour=10 + hours) + timedelta(days=1), attendance=PLANNED)
    if len(clients) > 1:
        practice.choose_step(clients[1], "ask how it was when I was late")


def _brought(clients: pl.DataFrame) -> str:
    """Who is brought to supervision: whoever is falling, if somebody is."""
    return str(clients.sort(clients["course"] == "falling", descending=True)["client"][0])


def _supervised(practice: Practice, client: str) -> None:
    """Let a supervisor in, with whom keys are compared, and whom one client has agreed to."""
    code, role = RecoveryCode.fresh(), frozenset({Role.SUPERVISOR})
    practice.add_account(SUPERVISOR, SUPERVISORS_PHRASE, code, roles=role, name="Somebody else", cost=LEAST)
    supervisor = practice.sign_in(SUPERVISOR, SUPERVISORS_PHRASE)
    supervisor.unlock(SUPERVISORS_PHRASE)
    for one, other in ((practice, SUPERVISOR), (supervisor, ACCOUNT)):
        one.pin(other, one.fingerprint(other))
    practice.give_consent(client, Purpose.SUPERVISION)
