"""Keeping what is kept: who a code is, holds, erasure, what leaves, the journal, backups, new keys."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError, InUse, Locked, NotStored, VaultProblem
from attunement.practice import release
from attunement.practice.belonging import all_of, record_of
from attunement.practice.described import with_description
from attunement.practice.desk import Desk, swept
from attunement.practice.policy import Verb
from attunement.practice.staging import staged
from attunement.practice.whose import others_at_work, refuse_cover, refuse_handed
from attunement.sessions import PLANNED, Purpose
from attunement.vault import tables
from attunement.vault.backup import Manifest, checksums, recipient, staging, write_archive
from attunement.vault.instants import written
from attunement.vault.keyfile import SHARED
from attunement.vault.vault import Vault
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from pathlib import Path

    from attunement.practice.house import House
    from attunement.vault.journal import Tip, Verdict
    from attunement.vault.rows import Row, Rows

_UNFINISHED: Final = (
    "{client} is erased from the record. What is left of them elsewhere, in the vault of names or in parts of the "
    "disk that are free now, could not be removed yet, for somebody is reading there or the disk fails; it is tried "
    "again at the next erasing and when the practice is opened."
)


class Keeping(Desk):
    """Verbs of keeping."""

    # -- who a code is

    def identify(self, client: str, name: str, contact: str = "") -> None:
        """Write down who a code is, in a vault of its own; nothing else here needs it.

        Whoever covers, or has handed the client over for good, writes nothing here.
        """
        if not 1 <= len(name.strip()) <= 200 or len(contact) > 500:
            raise InputError("A name has 1 to 200 characters, and how to reach somebody at most 500.")
        about = self._client_id(client, Verb.IDENTIFY)

        def work(rows: Rows) -> tuple[str, None]:
            before = rows.one(sa.select(tables.person).where(tables.person.c.id == about))
            values = {"name": name.strip(), "contact": contact.strip()}
            if before:
                rows.change(tables.person, before, **values)
            else:
                rows.add(tables.person, id=about, **values)
            return about, None

        self._act(Verb.IDENTIFY, work, self.house.identity)

    def identity(self, client: str) -> tuple[str, str]:
        """Return who a code is: name and how to reach them, both empty where it was not written down.

        Whoever covers may read it, to reach the client; whoever has handed them over for good may not.
        """
        about = self._client_id(client, Verb.SEE_IDENTITY)

        def query(rows: Rows) -> tuple[str, tuple[str, str]]:
            row = rows.one(sa.select(tables.person).where(tables.person.c.id == about))
            return about, (row["name"], row["contact"]) if row else ("", "")

        return self._see(Verb.SEE_IDENTITY, query, self.house.identity)

    # -- holds and erasure

    def hold(self, client: str, reason: str) -> None:
        """Keep a record from being erased, such as for a court; whoever covers may, where none is in force."""
        if not 1 <= len(reason.strip()) <= 200:
            raise InputError("The reason of a hold has 1 to 200 characters.")
        self._set_hold(Verb.HOLD, client, reason.strip())

    def release(self, client: str) -> None:
        """Let a record be erased again; refused to whoever covers."""
        self._set_hold(Verb.RELEASE, client, None)

    def erase(self, client: str) -> None:
        """Erase a client: record, identity and reflections, from the files' free pages and WAL too.

        The journal stays whole; it names random ids, which now lead nowhere. Reflections that are locked are destroyed
        when they are next unlocked. Backups made before still hold the client until they are thrown away.

        The record is the client's: what any therapist of the practice has about them is erased, and their reflections.

        Raises
        ------
        InputError
            Where a hold forbids it, another therapist of the practice is at work with this client, or one covers
            them or has handed them over for good.
        VaultProblem
            Where they are erased, and what is left on the disk could not be removed yet.
        """

        def work(rows: Rows) -> tuple[str, None]:
            dyad = refuse_cover(refuse_handed(self._dyad(rows, client)), "erase them")
            if dyad["held"]:
                raise InputError("A hold forbids erasing this client; release it first.")
            if rows.one(others_at_work(dyad, rows.now().steady)) is not None:
                raise InputError(
                    "Another therapist of this practice is at work with this client; erase when that has ended."
                )
            rows.add(tables.erased, id=dyad["client"], therapist=self.who.code, at=rows.now().at)
            for table, ids in all_of(rows, dyad["client"]):
                rows.remove(table, ids)
            return dyad["client"], None

        self._act(Verb.ERASE, work)
        if not self.finish_erasing():
            raise VaultProblem(_UNFINISHED.format(client=client))

    def finish_erasing(self) -> bool:
        """Do what is left of erasures, also of those that were left unfinished; whether nothing is left to do now."""
        try:
            return self._finished()
        except (InUse, NotStored):
            return False

    def _finished(self) -> bool:
        unfinished = sa.select(tables.erased).where(tables.erased.c.swept.is_(None))
        with self.house.record.reading(KEEPER) as rows:
            left = rows.all(unfinished)
        if not left:
            return True
        ids = [row["id"] for row in left]
        whole = self._forget(self.house.identity, tables.person, tables.person.c.id, ids)
        for unlocked in self.house.reflections.values():
            with contextlib.suppress(Locked):
                about = tables.reflection.c.client
                whole &= self._forget(unlocked.use()[0], tables.reflection, about, ids)
        if not (swept(self.house.record) and whole):
            return False

        def finished(rows: Rows) -> None:
            for row in rows.all(unfinished):
                if row["id"] in ids:
                    rows.change(tables.erased, row, swept=rows.now().at)
            rows.note(self.who.code, Verb.ERASE, "", "swept")

        self.house.record.do(finished, KEEPER)
        return True

    # -- what leaves

    def export(self, client: str) -> bytes:
        """Return the client's record, for their right of access, as a ZIP of tables.

        Raises
        ------
        Locked
            While anybody's reflections are unlocked: what makes an export has no key to them.
        """
        self._refuse_while_unlocked()

        def query(rows: Rows) -> tuple[str, bytes]:
            dyad = self._dyad(rows, client)
            return dyad["client"], release.record_archive(record_of(rows, dyad))

        return self._see(Verb.EXPORT, query)

    def deidentify(self) -> list[dict[str, Any]]:
        """Return one's sessions with scores, of the clients who agreed to research, without what identifies.

        Raises
        ------
        InputError
            Where fewer than five clients have agreed.
        """

        def query(rows: Rows) -> tuple[str, list[dict[str, Any]]]:
            found = rows.all(_for_research(self._own_dyads(rows)))
            clients = {row["client"] for row in found}
            numbers = secrets.SystemRandom().sample(range(10_000, 100_000), len(clients))
            pseudonyms = {client: f"P-{number}" for client, number in zip(clients, numbers, strict=True)}
            firsts = {
                client: min(row["began"] for row in found if row["client"] == client) for client in clients
            }
            return "", release.deidentify(found, pseudonyms, firsts)

        return self._see(Verb.DEIDENTIFY, query)

    # -- the journal

    def journal(self, *, after: int = 0) -> list[Row]:
        """Return the record's journal: who did what, when, and what came of it."""
        self._refuse_and_note_unless(Verb.SEE_JOURNAL)
        names = ("seq", "at", "who", "verb", "about", "outcome")
        found = [{name: row[name] for name in names} for row in self.house.record.entries(after=after)]
        self._note(Verb.SEE_JOURNAL, "done")
        return found

    def verify(self, known: Tip | None = None) -> dict[str, Verdict]:
        """Read the journals of the shared vaults with all rows, and say what does not agree.

        Parameters
        ----------
        known
            A tip of the record's journal that was kept elsewhere.
        """
        self._refuse_and_note_unless(Verb.VERIFY)
        verdicts = {"record": self.house.record.verify(known), "identity": self.house.identity.verify()}
        self._note(Verb.VERIFY, "done" if all(each.whole for each in verdicts.values()) else "damaged")
        return verdicts

    @property
    def tip(self) -> Tip:
        """The end of the record's journal, to be kept elsewhere."""
        return self.house.record.tip

    # -- backups

    def back_up(self, target: Path, to: str) -> Manifest:
        """Write a backup, sealed to an offline key; it counts when it was read back.

        Parameters
        ----------
        target
            The file; made, or replaced as a whole.
        to
            An age public key; `attunement backup-key` makes one.
        """
        self._refuse_and_note_unless(Verb.BACK_UP)
        recipient(to)
        if not target.parent.is_dir():
            raise InputError(f"{target.parent} is no folder; name one that is there.")
        house = self.house
        with staging(house.folder) as folder:
            keyfile = staged(house, folder)
            tips = {name: str(_tip_of(house, folder / keyfile.files[name], name)) for name in SHARED}
            made = written(house.clock.now().at)
            manifest = Manifest(house.keyfile.install, made, tips, checksums(folder))
            write_archive(folder, manifest, target, to)
        self._note(Verb.BACK_UP, "done")
        return manifest

    # -- inside

    def _client_id(self, client: str, verb: Verb) -> str:
        self._refuse_and_note_unless(verb)
        with self._noting(verb, self.house.identity), self._reading() as rows:
            dyad = refuse_handed(self._dyad(rows, client))
            if verb is Verb.IDENTIFY:
                refuse_cover(dyad, "write down who they are")
            return str(dyad["client"])

    def _set_hold(self, verb: Verb, client: str, reason: str | None) -> None:
        def work(rows: Rows) -> tuple[str, None]:
            dyad = refuse_handed(self._dyad(rows, client))
            if verb is Verb.RELEASE or dyad["held"]:
                refuse_cover(dyad, "change a hold")
            rows.change(tables.client, self._whole(rows, tables.client, dyad["client"]), held=reason)
            return dyad["client"], None

        self._act(verb, work)

    def _forget(self, vault: Vault, table: sa.Table, column: sa.Column[str], clients: list[str]) -> bool:
        with vault.reading(KEEPER) as rows:
            left = [row["id"] for row in rows.all(sa.select(table.c.id).where(column.in_(clients)))]
        if left:

            def work(rows: Rows) -> None:
                rows.remove(table, left)
                rows.note(self.who.code, Verb.ERASE, "")

            vault.do(work, KEEPER)
        return swept(vault)


def _for_research(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    agreed = (
        sa.exists()
        .where(
            tables.consent.c.client == tables.dyad.c.client,
            tables.consent.c.purpose == Purpose.RESEARCH.value,
            tables.consent.c.withdrawn.is_(None),
        )
        .correlate(tables.dyad)
    )
    asked = (
        sa.select(
            tables.dyad.c.client,
            tables.session.c.number,
            tables.session.c.began,
            tables.session.c.attendance,
            tables.check_in.c.instrument,
            tables.check_in.c.version,
            tables.check_in.c.answers,
        )
        .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .outerjoin(tables.check_in, tables.check_in.c.session == tables.session.c.id)
    )
    return with_description(asked).where(mine, agreed, tables.session.c.attendance != PLANNED)


def _tip_of(house: House, file: Path, kind: str) -> Tip:
    """The tip of a copy, read from the copy."""
    copy = Vault(file, house.keys[kind], kind, house.clock)
    try:
        return copy.tip
    finally:
        copy.close()
