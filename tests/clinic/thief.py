"""What somebody gets who steals a clinic's server: its disk, its database, its backups and its drop box."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg.conninfo
from test_secrets import drawn, found, left_behind, ways

from attunement.vault.keyfile import KeyFile
from attunement.vault.naming import schema_of
from attunement.vault.store import VARIABLE
from attunement.vault.whom import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server import Server

ANSWERED = '"not_judged":'
"""What stands in every check-in that can be read, and in nothing else."""
_BESIDE = 120  # bytes of a secret, in whatever way it is written, after its mark
_DROP_BOX = Path(__file__).parents[1] / "dropbox"


@dataclass
class Loot:
    """All of it, but the passphrases.

    Parameters
    ----------
    server, database
        Where the practice is; as its superuser, a thief asks what they like.
    folder
        Where the program ran.
    planted
        By field, what is not to be found.
    near
        By file, what stands beside the mark that every secret begins with, and beside an answer.
    """

    server: Server
    database: str
    folder: Path
    planted: dict[str, list[str]] = field(repr=False)
    near: dict[str, bytes] = field(repr=False)

    def found(self, *fields: str) -> set[tuple[str, str]]:
        """Which fields stand in which files."""
        everywhere = b"\0".join(self.near.values())
        there = {
            name: [value for value in self.planted[name] if any(way in everywhere for way in ways(value))]
            for name in fields or self.planted
        }
        return set(found(there, self.near))

    def schema(self, vault: str) -> str:
        """The schema of the record, of identity, or of somebody's reflections."""
        keyfile = KeyFile.load(self.folder / "practice")
        own = {code: each.own.file for code, each in keyfile.accounts.items() if each.own}
        return schema_of((keyfile.files | own)[vault])

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Ask the database what one likes; it is the thief's own now."""
        return self.server.run(question, database=self.database)


def steal(server: Server, folder: Path, *arguments: str) -> Loot:
    """Let the program live and be killed, and take everything: before the server has tidied up, and after."""
    database, mark = server.fresh(), drawn(12)
    path = os.pathsep.join([str(_DROP_BOX), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {VARIABLE: server.address(database), "PYTHONPATH": path}
    planted, files = left_behind(folder, *arguments, mark=mark, **settings)
    near = {name: _near(content, mark) for name, content in files.items()}
    for name, content in _disk(server, "as it was left"):
        near[name] = _near(content, mark)
    server.run("CHECKPOINT", database=database)
    for name, content in (*_disk(server, "tidied up"), *_dumps(server, database)):
        near[name] = _near(content, mark)
    return Loot(server, database, folder, {**planted, "answers": [ANSWERED]}, near)


def _disk(server: Server, when: str) -> Iterator[tuple[str, bytes]]:
    """The server's folder, byte by byte: tables, what was written ahead, logs."""
    for path in sorted(server.data.rglob("*")):
        if path.is_file():
            yield f"disk {when}/{path.relative_to(server.data)}", path.read_bytes()


def _dumps(server: Server, database: str) -> Iterator[tuple[str, bytes]]:
    """What a backup of the server holds: by its superuser, and by the role that is made for it."""
    program = str(server.control.bin_path / "pg_dump")
    by_superuser = [program, "--dbname", psycopg.conninfo.make_conninfo(server.admin, dbname=database)]
    by_role = [program, "--dbname", server.address(database), "--role", Hand.BACKUP, "--enable-row-security"]
    for who, command in (("the superuser", by_superuser), ("the role for it", by_role)):
        yield f"dump by {who}", subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - PostgreSQL's own


def _near(content: bytes, mark: str) -> bytes:
    """What stands beside a mark, in whatever way it is written."""
    pieces = set()
    for way in (*ways(mark), *ways(ANSWERED)):
        at = content.find(way)
        while at >= 0:
            pieces.add(content[max(at - 8, 0) : at + _BESIDE])
            at = content.find(way, at + 1)
    return b"\0".join(sorted(pieces))
