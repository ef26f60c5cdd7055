"""Carrying a vault to another place: from a file into a database and back, under other keys, into a backup.

The same rows with the same journal: what verified here verifies there, to the same tip, and is not used before it has.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import Damaged, NotStored
from attunement.vault.file import remove_file
from attunement.vault.journal import START, Tip
from attunement.vault.places import sync_file, sync_folder
from attunement.vault.sealing import Key
from attunement.vault.tables import KINDS
from attunement.vault.vault import Vault, store_at
from attunement.vault.verifying import last_entry
from attunement.vault.whom import BACKUP, KEEPER

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    tip, _ = _copied(source.store, to, key, source.kind, KEEPER)
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
        _, digests = _copied(before, to, _NO_KEY, kind, BACKUP, as_it_is=True)
        after = store_at(to, _NO_KEY, kind, as_it_is=True)
        try:
            if _digests(after, kind) != digests:
                raise Damaged(f"The copy of {before.name} is not as the original; nothing was changed.")
        finally:
            after.close()
    finally:
        before.close()
    _settle(to)


def remove(place: Path | Schema) -> None:
    """Take a vault away that is no longer in force."""
    if isinstance(place, Path):
        remove_file(place)
    else:
        place.database.give_up(place.name, place.install)


def _copied(
    source: Store, to: Path | Schema, key: Key, kind: str, whom: Whom, *, as_it_is: bool = False
) -> tuple[Tip, dict[str, int]]:
    """Copy every row as one state has it; returns the end of its journal, and a digest of each table."""
    if isinstance(to, Path):
        remove_file(to)
    else:
        to.database.clear(to.name, to.install)
    try:
        target = store_at(to, key, kind, create=True, as_it_is=as_it_is)
        try:
            target.make(kind)
            with source.reading(whom) as read:
                tip = Tip(0, START) if as_it_is else last_entry(read, KINDS[kind])[0]
                return tip, _filled(read, target, kind)
        finally:
            target.close()
    except OSError as problem:
        raise NotStored(f"The copy could not be written: {problem.strerror}.") from None


def _filled(read: sa.Connection, target: Store, kind: str) -> dict[str, int]:
    """Write all rows; what the target's driver raises is told of the target."""
    try:
        with target.engine.connect() as written:
            target.begin_filling(written)
            digests = {table.name: _rows(read, written, table) for table in KINDS[kind].sorted_tables}
            written.exec_driver_sql("COMMIT")
            return digests
    except target.raises as problem:
        raise target.said(problem) from None


def _rows(read: sa.Connection, written: sa.Connection, table: sa.Table) -> int:
    """Write a table's rows as they come; returns their digest."""
    digest = 0
    for some in _some(read, table):
        written.execute(table.insert(), some)
        digest += _digest(some)
    return digest


def _some(connection: sa.Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execution_options(stream_results=True).execute(sa.select(table))
    for some in found.mappings().partitions(_AT_ONCE):
        yield [dict(row) for row in some]


def _digest(rows: list[dict[str, Any]]) -> int:
    """Add up a digest of each row: two stores need not have them in the same order."""
    each = (hashlib.sha256(repr(list(row.values())).encode()).digest() for row in rows)
    return sum(int.from_bytes(digest) for digest in each)


def _digests(store: Store, kind: str) -> dict[str, int]:
    with store.reading(BACKUP) as connection:
        return {
            table.name: sum(map(_digest, _some(connection, table))) for table in KINDS[kind].sorted_tables
        }


def _settle(to: Path | Schema) -> None:
    if isinstance(to, Path):
        sync_file(to)
        sync_folder(to.parent)
    else:
        to.database.analyse(to.name)


_NO_KEY: Final = Key(b"\0" * 32)
