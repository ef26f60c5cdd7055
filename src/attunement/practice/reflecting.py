"""A therapist's own reflections: sealed to them, in a vault of their own, with a journal of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import Damaged, InputError, WrongKey
from attunement.practice.desk import Desk, swept, write_what_was_read
from attunement.practice.policy import Verb
from attunement.practice.whose import known_as
from attunement.sessions import Reflected, Reflection
from attunement.vault import tables
from attunement.vault.envelope import Envelope, Place, disclose, enclose
from attunement.vault.whom import KEEPER

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from attunement.practice.unlocked import Reflections
    from attunement.vault.account import Own
    from attunement.vault.journal import Tip, Verdict
    from attunement.vault.recovery import RecoveryCode
    from attunement.vault.rows import Row, Rows
    from attunement.vault.vault import Vault


WAITING: Final = "waiting"
"""The kind of what a therapist has signed out of them and is not added to others' yet."""


class Reflecting(Desk):
    """Verbs of one who has reflections; they need an unlock of their own."""

    def unlock(self, passphrase: str) -> None:
        """Unlock one's own reflections; they lock themselves after five idle minutes.

        Raises
        ------
        WrongKey
            Where the passphrase is not right; the record's journal says that somebody tried.
        Damaged
            Where a reflection is not as its journal says: edited, put back from an older page, or missing.
        """
        self._unlock(lambda: self.house.unlock(self.who.code, passphrase))

    def unlock_with_code(self, code: RecoveryCode) -> None:
        """Unlock one's own reflections by the recovery code."""
        self._unlock(lambda: self.house.unlock_with_code(self.who.code, code))

    @property
    def unlocked(self) -> bool:
        """Whether one's own reflections are open now; never to a program, whoever has them open elsewhere."""
        if self.who.scopes is not None:
            return False
        opened = self.house.reflections.get(self.who.code)
        return opened is not None and opened.unlocked

    def lock(self) -> None:
        """Lock one's own reflections; what was read of them is in their journal first."""
        write_what_was_read()
        self.house.lock(self.who.code)

    def verify_reflections(self, known: Tip | None = None) -> Verdict:
        """Read the journal of one's own reflections with all rows, and say what does not agree.

        Parameters
        ----------
        known
            A tip of it that was kept elsewhere: without one, a whole older file put back, with what was destroyed
            since, is not seen. The verdict holds the present tip.
        """
        vault, _ = self._own(Verb.VERIFY)
        verdict = vault.verify(known)
        self._note(Verb.VERIFY, "done" if verdict.whole else "damaged", vault)
        return verdict

    def reflect(self, client: str, session: int, reflection: Reflection) -> Reflected:
        """Write down a reflection after a session, or write it anew.

        Parameters
        ----------
        client, session
            About whom, after which session.
        reflection
            What it says. The writing before it is destroyed with its key.
        """
        vault, own = self._own(Verb.REFLECT)
        with self._noting(Verb.REFLECT, vault):
            about_client, about_session = self._known_session(client, session)

        def work(rows: Rows) -> tuple[str, Reflected]:
            table = tables.reflection
            before = rows.one(sa.select(table).where(table.c.session == about_session))
            note = before["id"] if before else tables.new_id()
            revision = (before["revision"] if before else 0) + 1
            sealed = enclose(reflection.as_json(), self._place(note, about_client, revision), own.root)
            now = rows.now().at
            values = {"revision": revision, "at": now, "body": sealed.body, "key": sealed.key}
            if before:
                rows.change(table, before, **values)
            else:
                rows.add(table, id=note, client=about_client, session=about_session, **values)
            return note, Reflected(note, revision, client, session, now, reflection)

        return self._act(Verb.REFLECT, work, vault)

    def reflections(self, client: str) -> tuple[Reflected, ...]:
        """Return one's own reflections about a client, in the order of sessions."""
        vault, own = self._own(Verb.SEE_REFLECTIONS)
        with self._noting(Verb.SEE_REFLECTIONS, vault):
            about, numbers = self._known_client(client)

        def query(rows: Rows) -> tuple[str, tuple[Reflected, ...]]:
            table = tables.reflection
            found = rows.all(
                sa.select(table).where(table.c.client == about, table.c.session.in_(list(numbers)))
            )
            opened = [self._opened(row, own, client, numbers[row["session"]]) for row in found]
            return about, tuple(sorted(opened, key=lambda each: each.session))

        return self._see(Verb.SEE_REFLECTIONS, query, vault)

    def reflected(self, *, since: datetime) -> dict[tuple[str, int], Reflected]:
        """Return one's own reflections on sessions that began since then, by client's code and session's number."""
        vault, own = self._own(Verb.SEE_REFLECTIONS)
        where = self._sessions_since(since)

        def query(rows: Rows) -> tuple[str, dict[tuple[str, int], Reflected]]:
            table = tables.reflection
            found = rows.all(sa.select(table).where(table.c.session.in_(list(where))))
            return "", {
                where[row["session"]]: self._opened(row, own, *where[row["session"]]) for row in found
            }

        return self._see(Verb.SEE_REFLECTIONS, query, vault)

    def destroy_reflection(self, client: str, session: int) -> None:
        """Destroy a reflection with its key; nobody can bring it back, but from a backup made before."""
        vault, _ = self._own(Verb.DESTROY_REFLECTION)
        with self._noting(Verb.DESTROY_REFLECTION, vault):
            _, about_session = self._known_session(client, session)

        def work(rows: Rows) -> tuple[str, tuple[str, str]]:
            row = rows.one(sa.select(tables.reflection).where(tables.reflection.c.session == about_session))
            if row is None:
                raise InputError(f"There is no reflection about session {session}.")
            rows.remove(tables.reflection, [row["id"]])
            return row["id"], (row["id"], row["client"])

        self._take_back(*self._act(Verb.DESTROY_REFLECTION, work, vault))
        self._sweep(vault, "The reflection is destroyed.")

    # -- inside

    def _take_back(self, note: str, client: str) -> None:
        """Take back every share of a reflection that is no more, and one's reports about that client.

        What a report was found from is not written beside it; so none of them outlives the reflection. Nor do sums of
        one's own that were signed out and not added yet.
        """
        self._take_back_sums()
        table = tables.share
        reports = sa.and_(table.c.kind == "report", table.c.client == client, table.c.sender == self.who.code)
        query = sa.select(table.c.id).where(sa.or_(table.c.note == note, reports))
        with self._reading() as rows:
            shared = [row["id"] for row in rows.all(query)]
        if shared:

            def work(rows: Rows) -> tuple[str, None]:
                rows.remove(tables.share, shared)
                return "", None

            self._act(Verb.REVOKE, work)

    def _take_back_sums(self) -> None:
        table = tables.signed
        waiting = sa.select(table.c.id).where(table.c.therapist == self.who.code, table.c.kind == WAITING)
        with self._reading() as rows:
            signed = [row["id"] for row in rows.all(waiting)]
        if signed:

            def work(rows: Rows) -> tuple[str, None]:
                rows.remove(table, signed)
                return "", None

            self._act(Verb.TAKE_BACK_SIGNED, work)

    def _unlock(self, opening: Callable[[], Reflections]) -> None:
        self._refuse_and_note_unless(Verb.UNLOCK)
        try:
            reflections = opening()
        except (WrongKey, Damaged):
            self._note(Verb.UNLOCK, "refused")
            raise
        vault, _ = reflections.use()
        verdict = vault.verify()
        if not verdict.whole:
            self.house.lock(self.who.code)
            self._note(Verb.UNLOCK, "damaged")
            raise Damaged(
                f"Your reflections are not as their journal says: {verdict.problems[0]} Nothing was opened."
            )
        self._note(Verb.UNLOCK, "done", vault)
        self._finish_erasing(vault)
        self._sweep_ended()

    def _sweep_ended(self) -> None:
        """Take away the shares that have ended, whoever's they were: what nobody can open is not kept."""
        table = tables.share
        with self.house.record.reading(KEEPER) as rows:
            over = table.c.expires <= rows.now().steady
            ended = [row["id"] for row in rows.all(sa.select(table.c.id).where(over))]
        if ended:

            def work(rows: Rows) -> None:
                rows.remove(table, ended)
                rows.note(self.who.code, Verb.REVOKE, "", "ended")

            self.house.record.do(work, KEEPER)

    def _finish_erasing(self, vault: Vault) -> None:
        """Destroy what is left about clients whom any of their therapists erased while these were locked."""
        with self._reading() as rows:
            gone = {row["id"] for row in rows.all(sa.select(tables.erased.c.id))}
        about = sa.select(tables.reflection.c.id, tables.reflection.c.client)
        with vault.reading() as rows:
            left = [row["id"] for row in rows.all(about) if row["client"] in gone]
        if left:

            def work(rows: Rows) -> tuple[str, None]:
                rows.remove(tables.reflection, left)
                return "", None

            self._act(Verb.ERASE, work, vault)
            swept(vault)

    def _known_client(self, client: str) -> tuple[str, dict[str, int]]:
        """The client's id, and which session is which: read from the record, which learns nothing of it."""
        with self._reading() as rows:
            dyad = self._once_own_dyad(rows, client)
            table = tables.session
            found = rows.all(sa.select(table.c.id, table.c.number).where(table.c.dyad == dyad["id"]))
        return dyad["client"], {row["id"]: row["number"] for row in found}

    def _sessions_since(self, since: datetime) -> dict[str, tuple[str, int]]:
        """One's own sessions from then on: by id, the client's code and the number."""
        query = (
            sa.select(tables.session.c.id, known_as, tables.session.c.number)
            .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
            .join(tables.client, tables.client.c.id == tables.dyad.c.client)
            .where(tables.dyad.c.therapist == self.who.code, tables.session.c.began >= since)
        )
        with self._reading() as rows:
            return {row["id"]: (row["code"], row["number"]) for row in rows.all(query)}

    def _known_session(self, client: str, session: int) -> tuple[str, str]:
        about, numbers = self._known_client(client)
        for row_id, number in numbers.items():
            if number == session:
                return about, row_id
        raise InputError(f"Session {session} with this client is not there yet; log it first.")

    def _place(self, note: str, client: str, revision: int) -> Place:
        return Place(self.house.keyfile.install, self.who.code, note, client, revision)

    def _envelope(self, row: Row) -> Envelope:
        return Envelope(self._place(row["id"], row["client"], row["revision"]), row["body"], row["key"])

    def _opened(self, row: Row, own: Own, client: str, session: int) -> Reflected:
        text = disclose(self._envelope(row), own.root)
        return Reflected(row["id"], row["revision"], client, session, row["at"], Reflection.from_json(text))
