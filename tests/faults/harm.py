"""What is done to a victim, and what is left of it: kills, power cuts, faults of the disk.

The tests do it in short, `benchmarks/bench_durability.py` at length.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa
import victim
from disk import build, environment, set_faults
from recording import Recording

from attunement.errors import AttunementError
from attunement.instruments import instrument
from attunement.practice import Practice
from attunement.vault import tables
from attunement.vault.clock import Clock
from attunement.vault.drops import slot_of
from attunement.vault.keyfile import KeyFile
from attunement.vault.naming import IN_DATABASE, suffix_of
from attunement.vault.store import VARIABLE
from attunement.vault.vault import Vault
from attunement.vault.whom import Hand, Whom

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.vault.schema import Schema
    from attunement.vault.sealing import Key

VICTIM = Path(__file__).with_name("victim.py")
THERAPIST = Whom(Hand.THERAPIST, "T-1")
PHASES = ({"sync": 0.2}, {"write": 0.1}, {"sync": 0.3, "write": 0.3}, {"full": 1.0})


class Control(Protocol):
    """What a server is stopped and started by."""

    def stop(self) -> None:
        """Stop it as a power cut would, with no word to anybody in it."""

    def start(self) -> None:
        """Start it again."""


@dataclass(slots=True)
class Losses:
    """What was found after harm was done.

    Parameters
    ----------
    done
        Kills, cuts or phases.
    promised
        Acknowledgements that were held against what is there.
    lost, twice, half
        Acknowledged but not there; there twice; an invitation used without its check-in, or the reverse.
    broken
        What verifying said, or that a file did not open.
    harmful
        After how many kills or cuts something acknowledged was lost.
    """

    done: int = 0
    promised: int = 0
    lost: int = 0
    twice: int = 0
    half: int = 0
    broken: list[str] = field(default_factory=list)
    harmful: int = 0

    @property
    def none(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.twice or self.half or self.broken)

    def __str__(self) -> str:
        return (
            f"{self.done} done, {self.promised:,} promises held against what is left: {self.lost} lost, "
            f"{self.twice} twice, {self.half} half, {len(self.broken)} broken"
        )


@dataclass(frozen=True, slots=True)
class Opener:
    """The keys of a practice, so that what is left can be opened without the cost of a passphrase."""

    install: str
    record: tuple[str, Key]
    reflections: tuple[str, Key]

    @classmethod
    def of(cls, folder: Path) -> Opener:
        """Take them with the passphrase."""
        keyfile = KeyFile.load(folder)
        keys = keyfile.open_record("T-1", victim.PASSPHRASE).keys
        own = keyfile.accounts["T-1"].own
        assert own is not None
        return cls(
            keyfile.install,
            (keyfile.files["record"], keys["record"]),
            (own.file, keyfile.open_own("T-1", victim.PASSPHRASE).file),
        )

    def opened(self, folder: Path, kind: str) -> Vault:
        """Open a vault of it, in a folder or in the database that the environment names."""
        file, key = self.record if kind == "record" else self.reflections
        place: Path | Schema = folder / file
        if suffix_of(file) == IN_DATABASE:
            from attunement.vault.database import Database  # noqa: PLC0415 - psycopg, where there is a database alone
            from attunement.vault.schema import Schema  # noqa: PLC0415 - see above

            owner = "" if kind == "record" else "T-1"
            place = Schema(Database(os.environ[VARIABLE]), file, self.install, owner, self.record[0])
        return Vault(place, key, kind, Clock())


def held_against(folder: Path, opener: Opener, acks: list[str], tokens: list[str], losses: Losses) -> None:
    """Compare what was acknowledged with what a folder holds."""
    receipts, revisions = victim.acknowledged(acks)
    losses.promised += len(receipts) + len(revisions)
    before = losses.lost
    try:
        record, reflections = opener.opened(folder, "record"), opener.opened(folder, "reflections")
    except AttunementError as problem:
        losses.broken.append(str(problem))
        return
    try:
        _record(record, receipts, tokens, losses)
        _reflections(reflections, revisions, losses)
        for vault in (record, reflections):
            losses.broken += vault.verify().problems[:1]
    finally:
        record.close()
        reflections.close()
    losses.harmful += losses.lost > before


def _record(record: Vault, receipts: dict[int, str], tokens: list[str], losses: Losses) -> None:
    from attunement.practice.checking_in import _written  # noqa: PLC0415 - as the practice writes them

    query = sa.select(
        tables.invitation, tables.check_in.c.id.label("receipt"), tables.check_in.c.answers
    ).outerjoin(tables.check_in, tables.check_in.c.invitation == tables.invitation.c.id)
    with record.reading(THERAPIST) as rows:
        found = rows.all(query)
    by_token = {row["token_hash"]: row for row in found}
    losses.twice += len(found) - len(by_token)
    losses.half += sum((row["used"] is None) != (row["receipt"] is None) for row in found)
    for place, receipt in receipts.items():
        row = by_token.get(slot_of(tokens[place]))
        same = row is not None and row["answers"] == _written(instrument("connection"), victim.answers(place))
        losses.lost += not (same and row is not None and receipt in {row["receipt"], "None"})


def _reflections(reflections: Vault, revisions: dict[int, int], losses: Losses) -> None:
    with reflections.reading() as rows:
        found = rows.all(sa.select(tables.reflection.c.session, tables.reflection.c.revision))
    losses.twice += len(found) - len({row["session"] for row in found})
    losses.lost += max(0, len(revisions) - len(found))


# -- kills


def killed(work: Path, kills: int, *, seed: int, plant: str = "", check_ins: int = 3_000) -> Losses:
    """Kill a victim with SIGKILL at random moments, start it again, and see what is left in the end."""
    folder, plan, losses, draws = work / "practice", work / "plan.json", Losses(), random.Random(seed)  # noqa: S311
    planned = victim.found(folder, plan, check_ins, check_ins // 20)
    opener = Opener.of(folder)
    for _ in range(kills):
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # Python 3.12: of threads
            child = os.fork()
        if child == 0:
            _as_child(folder, plan, plant)
        _wait(folder / victim.ACKS, draws)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        losses.done += 1
    acks = (folder / victim.ACKS).read_text().splitlines() if (folder / victim.ACKS).exists() else []
    held_against(folder, opener, acks, planned.tokens, losses)
    with Practice.open(folder, "T-1", victim.PASSPHRASE) as practice:
        losses.broken += practice.house.record.problems()
    return losses


def _wait(acks: Path, draws: random.Random) -> None:
    """Wait for the moment of a kill: while it starts, or after so many promises, however slow the machine is."""
    if draws.random() < 0.2:
        time.sleep(draws.uniform(0, 0.15))
        return
    before = acks.stat().st_size if acks.exists() else 0
    wanted, seen, still = before + draws.randint(1, 5_000), before, 0
    while seen < wanted and still < 2_000:  # stands still where all is done
        time.sleep(0.005)
        now = acks.stat().st_size if acks.exists() else 0
        seen, still = now, 0 if now > seen > before else still + 1


def _as_child(folder: Path, plan: Path, plant: str) -> None:
    """Be the victim; never return into the program that forked it."""
    try:
        victim.run(folder, plan, plant)
        time.sleep(60)  # done before it was killed
    finally:
        os._exit(0)


# -- power cuts


def cut(work: Path, cuts: int, *, seed: int, plant: str = "", check_ins: int = 400) -> Losses:
    """Record a victim's writes, cut the power at random places of the recording, and see what each leaves."""
    folder, plan, losses = work / "practice", work / "plan.json", Losses()
    planned = victim.found(folder, plan, check_ins, check_ins // 20)
    opener = Opener.of(folder)
    shutil.copytree(folder, work / "before")
    library = build(work / "library")
    settings = environment(library, folder, work / "operations.log", seed=seed, skip_sync=True)
    subprocess.run(
        [sys.executable, str(VICTIM), str(folder), str(plan), *filter(None, [plant])],
        env=settings,
        check=True,
        timeout=120,
    )
    recording = Recording(work / "operations.log", work / "before")
    for each in recording.cuts(work / "left", cuts, seed):
        losses.done += 1
        held_against(work / "left", opener, list(each.acknowledged), planned.tokens, losses)
    return losses


# -- faults of a living disk


@dataclass(frozen=True, slots=True)
class Suffered:
    """How a victim bore the faults of its disk.

    Parameters
    ----------
    losses
        What was lost.
    ended
        By kind of error, how many calls ended so; ``stored`` for those that did not.
    slowest
        Seconds of the slowest call.
    """

    losses: Losses
    ended: dict[str, int]
    slowest: float


def faulty(work: Path, *, seed: int, check_ins: int = 1_500) -> Suffered:
    """Let a living victim's disk fail in several ways, heal in between, and see that it goes on by itself."""
    folder, plan, control = work / "practice", work / "plan.json", work / "faults"
    planned = victim.found(folder, plan, check_ins, check_ins // 20)
    opener = Opener.of(folder)
    settings = environment(build(work / "library"), folder, faults=control, seed=seed)
    child = subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(plan)], env=settings)
    try:
        for phase in PHASES:
            _calls(work, _count(work) + check_ins // 10, child)
            set_faults(control, **phase)
            _calls(work, _count(work) + 60, child)
            set_faults(control)
        child.wait(240)
    finally:
        set_faults(control)
        child.kill()
        child.wait()
    return _suffered(work, folder, opener, planned.tokens, child.returncode)


def filled(work: Path, small: Path, *, check_ins: int = 600) -> Suffered:
    """Fill the small disk that a victim works on, make room again, and see that it goes on by itself."""
    folder, plan = small / "practice", work / "plan.json"
    planned = victim.found(folder, plan, check_ins, check_ins // 20)
    opener = Opener.of(folder)
    child = subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(plan)])
    try:
        _calls(work, check_ins // 5, child)
        with contextlib.suppress(OSError), (small / "junk").open("wb", buffering=0) as junk:
            while True:
                junk.write(b"x" * 4096)
        _until(lambda: _errors(work) >= 20 or child.poll() is not None)
        (small / "junk").unlink()
        child.wait(240)
    finally:
        child.kill()
        child.wait()
    return _suffered(work, folder, opener, planned.tokens, child.returncode)


# -- faults of a clinic's server


def stopped(
    work: Path, control: Control, stops: int, *, seed: int, away: float = 0.5, check_ins: int = 2_000
) -> Suffered:
    """Stop the server under a living victim as a power cut would, start it again, and see that it goes on by itself.

    `away` is for how many seconds it is gone at most.
    """
    folder, plan, draws = work / "practice", work / "plan.json", random.Random(seed)  # noqa: S311
    planned = victim.found(folder, plan, check_ins, check_ins // 20)
    opener = Opener.of(folder)
    child = subprocess.Popen([sys.executable, str(VICTIM), str(folder), str(plan)])
    struck = 0
    try:
        while struck < stops and child.poll() is None:
            _calls(work, _count(work) + draws.randint(1, max(check_ins // (stops + 1), 2)), child)
            control.stop()
            struck += 1
            time.sleep(draws.uniform(0, away))
            control.start()
        child.wait(240)
    finally:
        child.kill()
        child.wait()
    return _suffered(work, folder, opener, planned.tokens, child.returncode, struck)


def _suffered(
    work: Path, folder: Path, opener: Opener, tokens: list[str], code: int | None, done: int = len(PHASES)
) -> Suffered:
    losses = Losses(done=done)
    held_against(folder, opener, (folder / victim.ACKS).read_text().splitlines(), tokens, losses)
    if code != 0:
        losses.broken.append(f"the program ended with {code}")
    ended: dict[str, int] = {}
    slowest = 0.0
    for line in (work / "calls.txt").read_text().splitlines():
        kind, seconds, *_ = line.split(" ", 2)
        ended[kind] = ended.get(kind, 0) + 1
        slowest = max(slowest, float(seconds))
    return Suffered(losses, ended, slowest)


def _count(work: Path) -> int:
    calls = work / "calls.txt"
    return calls.read_bytes().count(b"\n") if calls.exists() else 0


def _errors(work: Path) -> int:
    calls = work / "calls.txt"
    return calls.read_bytes().count(b"NotStored") if calls.exists() else 0


def _calls(work: Path, wanted: int, child: subprocess.Popen[bytes]) -> None:
    """Wait until the victim has made so many calls, or is done."""
    _until(lambda: _count(work) >= wanted or child.poll() is not None)


def _until(happened: Callable[[], bool]) -> None:
    while not happened():
        time.sleep(0.01)
