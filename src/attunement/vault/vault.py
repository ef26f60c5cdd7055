"""A vault: a file or a schema with its tables, its writer and its journal."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from attunement.errors import Damaged
from attunement.vault.file import FileStore
from attunement.vault.rows import Chain, Row, Rows
from attunement.vault.sealed import AsTheyAre
from attunement.vault.sealing import Key
from attunement.vault.seals import Seals
from attunement.vault.store import let_in
from attunement.vault.tables import KINDS
from attunement.vault.verifying import chain_keys, last_entry, verified
from attunement.vault.whom import KEEPER
from attunement.vault.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from attunement.vault.clock import Clock
    from attunement.vault.journal import Tip, Verdict
    from attunement.vault.schema import Schema
    from attunement.vault.store import Store
    from attunement.vault.whom import Whom

Result = TypeVar("Result")


def store_at(
    place: Path | Schema, key: Key, kind: str, *, create: bool = False, as_it_is: bool = False
) -> Store:
    """Return the store of a vault: a file of our own, or a schema of a database.

    Parameters
    ----------
    place, key, kind
        Where, with what, and which tables it has.
    create
        Whether it is to be made.
    as_it_is
        Whether what is sealed is taken for what it is, without a key.
    """
    if isinstance(place, Path):
        return FileStore(place, key, create=create, as_it_is=as_it_is)
    from attunement.vault.schema import SchemaStore  # noqa: PLC0415 - psycopg is an extra

    return SchemaStore(place, AsTheyAre() if as_it_is else Seals(key), kind)


class Vault:
    """An opened vault; `close` it, or the keys stay in memory.

    Parameters
    ----------
    place, key
        The file or the schema, and its key.
    kind
        ``record``, ``reflections`` or ``identity``: which tables it has.
    clock
        The practice's; begins no earlier than the journal's last entry.
    create
        Whether it is to be made.

    Raises
    ------
    Damaged
        Where it is missing, damaged, or another than the key's.
    NewerVersion
        Where a later version of this program wrote it.
    """

    def __init__(
        self, place: Path | Schema, key: Key, kind: str, clock: Clock, *, create: bool = False
    ) -> None:
        self.kind, self.metadata = kind, KINDS[kind]
        self._key, self._clock = key, clock
        self.store = store_at(place, key, kind, create=create)
        try:
            if create:
                self.store.make(kind)
                self._first_key()
            self.store.check(kind)
            self._chain = self._end_of_journal()
        except self.store.raises as problem:
            self.store.engine.dispose()
            raise self.store.said(problem) from None
        except BaseException:
            self.store.engine.dispose()
            raise
        self._opening, self._failures = secrets.token_hex(8), 0
        self._writer = Writer(self.store, self._rows)

    # -- reading and writing

    def do(self, work: Callable[[Rows], Result], whom: Whom | None = None) -> Result:
        """Do a piece of work in the writer, on somebody's behalf; it is on the disk when this returns."""
        return self._writer.do(work, whom)

    def submit(self, work: Callable[[Rows], Result], whom: Whom | None = None) -> Future[Result]:
        """Queue a piece of work, and return its future."""
        return self._writer.submit(work, whom)

    @contextmanager
    def reading(self, whom: Whom | None = None) -> Iterator[Rows]:
        """Read beside the writer, from one state of it all, on somebody's behalf."""
        with self.store.reading(whom) as connection:
            yield Rows(connection, self.metadata, self._chain, self._clock)

    def stamp(self, *names: str) -> str:
        """Return what changes whenever a row of one of these tables does; another opening has another.

        A change counts once it is on the disk: whoever takes the stamp and then reads, reads at least as late.
        """
        counted = " ".join(str(self._chain.changed[name]) for name in names)
        return f"{self._opening} {self._failures} {counted}"

    # -- the journal

    @property
    def tip(self) -> Tip:
        """The end of the journal."""
        return self._chain.tip

    def entries(self, *, after: int = 0) -> list[Row]:
        """Return the journal's rows."""
        table = self.metadata.tables["journal"]
        with self.reading(KEEPER) as rows:
            return rows.all(sa.select(table).where(table.c.seq > after).order_by(table.c.seq))

    def verify(self, known: Tip | None = None) -> Verdict:
        """Read the journal and every row, and say what does not agree.

        Parameters
        ----------
        known
            A tip that was kept elsewhere.
        """
        with self.store.reading(KEEPER) as connection:
            return verified(connection, self.metadata, known)

    def renew_chain_key(self) -> None:
        """Let the journal go on under a new key; what was written before keeps the old."""
        fresh = Key.fresh()
        table = self.metadata.tables["chain_key"]

        def work(rows: Rows) -> None:
            since = rows.tip.seq + 1
            rows.execute(table.delete().where(table.c.since == since))  # one that no entry has used
            rows.execute(table.insert().values(since=since, key=fresh.reveal()))

        self.do(work, KEEPER)
        self._chain.key = fresh

    # -- the place

    def sweep(self) -> bool:
        """Leave nothing of what was taken away; returns whether nothing was left."""
        return self.store.sweep()

    def problems(self) -> list[str]:
        """Look at all of it for damage; a sentence each."""
        return self.store.problems()

    def close(self) -> None:
        """Finish writing, and forget the connections."""
        self._writer.close()
        self.store.close()

    # -- inside

    def _rows(self, connection: sa.Connection, failed: bool) -> Rows:  # noqa: FBT001 - the writer's signature
        if failed:  # a commit that failed may still be in the WAL, or another program may have written
            self._failures += 1
            let_in(self.store, connection, KEEPER)
            keys = chain_keys(connection, self.metadata)
            self._chain.key = keys[max(keys)]
            self._chain.tip = last_entry(connection, self.metadata)[0]
        return Rows(connection, self.metadata, self._chain, self._clock)

    def _first_key(self) -> None:
        table = self.metadata.tables["chain_key"]
        with self.store.engine.connect() as connection:
            self.store.begin(connection)
            let_in(self.store, connection, KEEPER)
            connection.execute(table.insert().values(since=1, key=Key.fresh().reveal()))
            connection.exec_driver_sql("COMMIT")

    def _end_of_journal(self) -> Chain:
        with self.store.reading(KEEPER) as connection:
            keys = chain_keys(connection, self.metadata)
            tip, steady = last_entry(connection, self.metadata)
        if not keys:
            raise Damaged(
                f"{self.store.name} has lost its journal's key; `attunement restore` puts a backup back."
            )
        self._clock.not_before(steady)
        return Chain(keys[max(keys)], tip)
