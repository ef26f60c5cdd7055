"""The cast of all tests of the practice: two therapists, a supervisor, an admin, and their clients."""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from attunement.errors import NotSent
from attunement.instruments import of_others, worded
from attunement.norms import publish
from attunement.practice import Practice, Role
from attunement.sessions import Purpose, Reflection
from attunement.vault.clock import Clock
from attunement.vault.locks import LEAST
from attunement.vault.recovery import RecoveryCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.instruments import Instrument
    from attunement.norms import Norms

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
PHRASES = {
    "T-1": "glacier pencil tomorrow violin",
    "T-2": "harbour candle eleven mosquito",
    "S-1": "lantern orchard bicycle granite",
    "A-1": "walnut thunder paper compass",
}
ROLES = {"T-2": Role.THERAPIST, "S-1": Role.SUPERVISOR, "A-1": Role.ADMIN}
ANSWERS: dict[str, float | None] = {
    "safe": 8, "understood": 9, "supported": 8, "not_judged": 10, "could_say": 7, "contact": 6,
    "matters": None, "hindering": 2,
}  # fmt: skip


WORDS = """
instrument = "phq9"
right = "made up for the tests"
credit = "(c) nobody, for the tests"

[en]
intro = "How often, of late?"
items = [
  "made-up line one", "made-up line two", "made-up line three", "made-up line four", "made-up line five",
  "made-up line six", "made-up line seven", "made-up line eight", "made-up line nine", "made-up line ten",
]
choices = ["never", "now and then", "often", "all the time"]

[en.own]
difficulty = ["easy", "a bit hard", "hard", "too hard"]
"""


def loaded() -> Instrument:
    """The scoring of a published questionnaire with words that are nobody's."""
    return worded(WORDS, {each.id: each for each in of_others()})


class Box:
    """Where mail goes: kept as it was handed over, or refused."""

    def __init__(self, *refused: str) -> None:
        self.mails: list[tuple[str, str, str]] = []
        self.refused = refused

    def send(self, to: str, subject: str, link: str) -> None:
        if to in self.refused:
            raise NotSent("The mail server did not take the mail (code 550); nothing was sent.")
        self.mails.append((to, subject, link))


class Empty:
    """A drop box in which nothing lies."""

    def ask(self, what: str, content: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        assert sign(what.encode() + content)
        return b'{"drops": [], "more": false}'


class Hands:
    """A clock that a test sets; each look at it moves it on by a millisecond."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.back = timedelta(0)

    def elapsed(self) -> float:
        self.seconds += 0.001
        return self.seconds

    def wall(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds) - self.back

    def pass_by(self, span: timedelta) -> None:
        self.seconds += span.total_seconds()


@dataclass(slots=True)
class Cast:
    """Everybody before one practice."""

    hands: Hands
    first: Practice
    second: Practice
    supervisor: Practice
    admin: Practice

    @property
    def client(self) -> Practice:
        return self.first.for_client()

    def of(self, account: str) -> Practice:
        return {"T-1": self.first, "T-2": self.second, "S-1": self.supervisor, "A-1": self.admin}[account]

    def close(self) -> None:
        self.first.close()


def elsewhere(site: str = "Ash House", seed: int = 3, usual: float = 3.0) -> Norms:
    """Norms of eight therapists somewhere else."""
    drawn = random.Random(seed)  # noqa: S311 - the same every time
    rows = []
    for therapist in range(8):
        habit = drawn.gauss(usual, 1)
        for client in range(5):
            level = habit + drawn.gauss(0, 1)
            for session in range(1, 5):
                for word in ("tense", "curious"):
                    felt = min(max(level + drawn.gauss(0, 1.4), 0), 10)
                    rows.append((f"{therapist}", f"{therapist} {client}", session, word, felt))
    names = ["therapist", "client", "session", "feeling", "strength"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return publish(frame, site=site, since=BEGAN.date(), until=BEGAN.date(), seed=1)


def gathered(folder: Path, database: str | None = None) -> Cast:
    """Found a practice; T-1 is its founder, and a therapist alone once there is an admin."""
    hands = Hands()
    first = Practice.found(
        folder,
        "T-1",
        PHRASES["T-1"],
        RecoveryCode.fresh(),
        cost=LEAST,
        clock=Clock(hands.wall, hands.elapsed),
        database=database,
    )
    for account, role in ROLES.items():
        first.add_account(
            account, PHRASES[account], RecoveryCode.fresh(), roles=frozenset({role}), cost=LEAST
        )
    return _cast(hands, first)


@cache
def founded_once() -> Path:
    """A practice that was gathered and closed, to be copied: founding one takes seconds."""
    work = Path(tempfile.mkdtemp(prefix="attunement-founded-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    gathered(work / "practice").close()
    return work / "practice"


def copied(folder: Path) -> Cast:
    """A cast before a practice of its own, in this folder."""
    return reopened(Path(shutil.copytree(founded_once(), folder)))


def reopened(folder: Path) -> Cast:
    """Open a copy of a practice that was gathered before."""
    hands = Hands()
    return _cast(hands, Practice.open(folder, "T-1", PHRASES["T-1"], clock=Clock(hands.wall, hands.elapsed)))


def _cast(hands: Hands, first: Practice) -> Cast:
    others = [first.sign_in(account, PHRASES[account]) for account in ROLES]
    first.who = type(first.who)("T-1", frozenset({Role.THERAPIST}))
    return Cast(hands, first, *others)


def seen(
    practice: Practice, client: str, sessions: int = 2, agreed: tuple[Purpose, ...] = tuple(Purpose)
) -> None:
    """Take a client on, who answers after each session."""
    practice.take_on(client, agreed=agreed)
    for number in range(1, sessions + 1):
        practice.log_session(client, BEGAN + timedelta(days=7 * number))
        token = practice.invite(client, number).token
        practice.for_client().receive(
            token, {**ANSWERS, "safe": number % 11}, f"sending-of-{client}-{number}"
        )


def reflected(practice: Practice, client: str, reflections: int) -> None:
    """Let a therapist reflect, and lock again."""
    practice.unlock(PHRASES[practice.who.code])
    for number in range(1, reflections + 1):
        practice.reflect(
            client, number, Reflection(connection=4, feelings={"bored": 6}, words=f"private {number}")
        )
    practice.lock()
