"""Verifying a vault: its journal from the first entry to the last, and every row against it."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from attunement.vault.journal import START, Entry, Tip, Verdict, Verifier, digest
from attunement.vault.sealing import Key
from attunement.vault.tables import Instant, kept

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.rows import Row, Rows


def verified(connection: sa.Connection, metadata: sa.MetaData, known: Tip | None = None) -> Verdict:
    """Read the journal and every row, on a connection that sees one state, and say what does not agree."""
    verifier = Verifier(chain_keys(connection, metadata), known)
    journal = metadata.tables["journal"]
    for row in connection.execute(sa.select(journal).order_by(journal.c.seq)).mappings():
        verifier.entry(Entry.from_row(dict(row)), row["mac"])
    for table in kept(metadata):
        for row in connection.execute(sa.select(table)).mappings():
            verifier.row(table.name, dict(row))
    return verifier.verdict()


def chain_keys(connection: sa.Connection, metadata: sa.MetaData) -> dict[int, Key]:
    """Return the journal's keys, by the entry from which each is in force."""
    table = metadata.tables["chain_key"]
    return {row.since: Key(row.key) for row in connection.execute(sa.select(table))}


def is_as_left(rows: Rows, table: sa.Table, row: Row) -> bool:
    """Whether a row of the record is as the last entry of its journal that touched it left it, going by that alone.

    Whoever takes that entry away, and puts back what was before, is found by `verified`.
    """
    journal, chain_key = (table.metadata.tables[name] for name in ("journal", "chain_key"))
    named = f"[{json.dumps(table.name)},{json.dumps(row['id'])},"
    about = sa.select(journal).where(journal.c.touched.contains(named, autoescape=True))
    found = rows.one(about.order_by(journal.c.seq.desc()).limit(1))
    if found is None:
        return False
    entry, seq = Entry.from_row(found), found["seq"]
    since = sa.select(chain_key.c.key).where(chain_key.c.since <= seq).order_by(chain_key.c.since.desc())
    key = rows.one(since.limit(1))
    before = rows.one(sa.select(journal.c.mac).where(journal.c.seq == seq - 1))
    if key is None or (before is None and seq > 1):
        return False
    chain = Key(key["key"])
    left = next(
        left for name, row_id, left in reversed(entry.touched) if (name, row_id) == (table.name, row["id"])
    )
    mac = entry.mac(chain, before["mac"] if before else START)
    return hmac.compare_digest(mac, found["mac"]) and left == digest(chain, table.name, row)


def last_entry(connection: sa.Connection, metadata: sa.MetaData) -> tuple[Tip, datetime | None]:
    """Return the end of the journal, and its steady time."""
    journal = metadata.tables["journal"]
    last = connection.execute(sa.select(journal).order_by(journal.c.seq.desc()).limit(1)).mappings().first()
    return (Tip(last["seq"], last["mac"]), last["steady"]) if last else (Tip(0, START), None)


def as_it_is(connection: sa.Connection) -> sa.MetaData:
    """Return the tables that a vault really has, of an earlier version too."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    if "alembic_version" in metadata.tables:
        metadata.remove(metadata.tables["alembic_version"])
    for name in ("at", "steady"):
        metadata.tables["journal"].c[name].type = Instant()
    return metadata


def digest_anew(rows: Rows, metadata: sa.MetaData) -> None:
    """Let the journal answer for every row as it now is: after an upgrade a row has other columns."""
    for table in kept(metadata):
        for row in rows.all(sa.select(table)):
            rows.touch(table, row)
