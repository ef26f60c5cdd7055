"""Carrying a vault to another place: from a file into a database and back, under other keys, into a backup.

The same rows with the same journal: what verified here verifies there, to the same tip, and is not used before it has.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import Damaged, NotStored
from attunement.vault.file import remove_file
from attunement.vault.places import sync_file, sync_folder
from attunement.vault.sealing import Key
from attunement.vault.tables import KINDS
from attunement.vault.vault import Vault, store_at
from attunement.vault.whom import BACKUP, KEEPER

if TYPE_CHECKING:
    from attunement.vault.clock import Clock
    from attunement.vault.schema import Schema
    from attunement.vault.store import Store
    from attunement.vault.whom import Whom

_AT_ONCE: Final = 1_000  # rows


def carry(source: Vault, to: Path | Schema, key: Key, clock: Clock) -> None:
    """Put a whole copy of a vault somewhere else, and compare it with its journal.

    Parameters
    ----------
    source
        Opened.
    to, key
        Where, and under which key; what is there from an attempt before is removed.
    clock
        The practice's.

    Raises
    ------
    Damaged
        Where the copy is not as the original.
    """
    tip = source.tip
    _copied(source.store, to, key, source.kind, KEEPER)
    copy = Vault(to, key, source.kind, clock)
    try:
        verdict = copy.verify(tip)
        if copy.tip != tip or not verdict.whole:
            raise Damaged(
                f"The copy of {source.store.name} is not as the original; nothing was changed. "
                f"{' '.join(verdict.problems[:1])}".strip()
            )
    finally:
        copy.close()
    _settle(to)


def carry_as_it_is(source: Path | Schema, to: Path | Schema, kind: str) -> None:
    """Put a copy of what is sealed somewhere else, without a key to it, and compare the two.

    Raises
    ------
    Damaged
        Where the copy is not as the original.
    """
    before = store_at(source, _NO_KEY, kind, as_it_is=True)
    try:
        written = _copied(before, to, _NO_KEY, kind, BACKUP, as_it_is=True)
        after = store_at(to, _NO_KEY, kind, as_it_is=True)
        try:
            if _counted(after, kind) != written:
                raise Damaged(f"The copy of {before.name} is not as the original; nothing was changed.")
        finally:
            after.close()
    finally:
        before.close()
    _settle(to)


def remove(place: Path | Schema) -> None:
    """Take a vault away, if it is there."""
    if isinstance(place, Path):
        remove_file(place)
    else:
        place.database.remove(place.name)


def _copied(
    source: Store, to: Path | Schema, key: Key, kind: str, whom: Whom, *, as_it_is: bool = False
) -> dict[str, int]:
    """Copy every row; returns how many of each table."""
    remove(to)
    try:
        target = store_at(to, key, kind, create=True, as_it_is=as_it_is)
        try:
            target.make(kind)
            with source.reading(whom) as read, target.engine.connect() as written:
                target.begin_filling(written)
                counts = {table.name: _rows(read, written, table) for table in KINDS[kind].sorted_tables}
                written.exec_driver_sql("COMMIT")
        except target.raises as problem:
            raise target.said(problem) from None
        finally:
            target.close()
    except OSError as problem:
        raise NotStored(f"The copy could not be written: {problem.strerror}.") from None
    return counts


def _rows(read: sa.Connection, written: sa.Connection, table: sa.Table) -> int:
    count = 0
    found = read.execution_options(stream_results=True).execute(sa.select(table))
    for some in found.mappings().partitions(_AT_ONCE):
        written.execute(table.insert(), [dict(row) for row in some])
        count += len(some)
    return count


def _counted(store: Store, kind: str) -> dict[str, int]:
    with store.reading(BACKUP) as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in KINDS[kind].sorted_tables
        }


def _settle(to: Path | Schema) -> None:
    if isinstance(to, Path):
        sync_file(to)
        sync_folder(to.parent)
    else:
        to.database.analyse(to.name)


_NO_KEY: Final = Key(b"\0" * 32)
