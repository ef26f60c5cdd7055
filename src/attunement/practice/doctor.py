"""`doctor`: whether all is well with a practice, a sentence each, and what would mend what is not."""

from __future__ import annotations

import shutil
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlcipher3 import dbapi2

from attunement.practice.reminding import BACKUP, last_backup
from attunement.vault.cipher import LEAST_SQLITE
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attunement.practice.practice import Practice
    from attunement.vault.database import Database
    from attunement.vault.journal import Tip

LEAST_ROOM: Final = 200_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    what
        Its name.
    well
        Whether all is well.
    sentence
        What was found, and what would mend it.
    """

    what: str
    well: bool
    sentence: str


def examine(practice: Practice, known: Tip | None = None) -> tuple[Check, ...]:
    """Look at everything that can go wrong unseen.

    Parameters
    ----------
    practice
        Opened.
    known
        A tip of the record's journal that was kept elsewhere.
    """
    return tuple(_checks(practice, known))


def _checks(practice: Practice, known: Tip | None) -> Iterator[Check]:
    house = practice.house
    yield _sqlite() if house.database is None else _server(house.database)
    for name, vault in (("record", house.record), ("identity", house.identity)):
        found = vault.problems()
        bad = f"{len(found)} pages are damaged; `attunement restore` puts a backup back."
        good = (
            "Every page is as it was written."
            if house.database is None
            else "The server has met no bad page."
        )
        yield Check(f"{name}: pages", not found, bad if found else good)
    for name, verdict in practice.verify(known).items():
        said = f"{verdict.entries:,} entries agree with every row; the tip is {verdict.tip}."
        yield Check(f"{name}: journal", verdict.whole, said if verdict.whole else verdict.problems[0])
    yield _permissions(practice)
    yield _room(practice)
    notice = house.clock.notice
    yield Check("clock", notice is None, notice or "The clock runs forward.")
    yield _backup(practice)


def _sqlite() -> Check:
    version = dbapi2.sqlite_version_info
    return Check("SQLite", version >= LEAST_SQLITE, f"SQLite {dbapi2.sqlite_version} with SQLCipher.")


def _server(database: Database) -> Check:
    bare = (
        f"The server of {database.place} keeps no checksums of its pages; `pg_checksums --enable` would do."
    )
    well = database.checksums
    return Check("server", well, f"{database.place}, with checksums of its pages." if well else bare)


def _permissions(practice: Practice) -> Check:
    if sys.platform == "win32":
        return Check("files", well=True, sentence="Windows keeps the files to your account.")
    folder = practice.house.folder
    open_to_others = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name != ".lock" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]
    if open_to_others:
        return Check(
            "files", well=False, sentence=f"Others can read {', '.join(open_to_others)}; chmod 600 would do."
        )
    return Check("files", well=True, sentence="Nobody else on this computer can read the files.")


def _room(practice: Practice) -> Check:
    free = shutil.disk_usage(practice.house.folder).free
    return Check("disk", free >= LEAST_ROOM, f"{free / 1e9:.1f} GB are free on the disk.")


def _backup(practice: Practice) -> Check:
    with practice.house.record.reading(KEEPER) as rows:
        last = last_backup(rows)
    if last is None:
        return Check("backup", well=False, sentence="There is no backup yet; `attunement backup` makes one.")
    age = practice.house.clock.now().at - last
    return Check("backup", age <= BACKUP, f"The last backup is {age.days} days old; one a week would do.")
