"""Sharing a reflection with a supervisor: chosen, signed, until a day, and taken back at will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import Gone, InputError, KeyChanged
from attunement.practice.caseload import require
from attunement.practice.policy import Verb
from attunement.practice.reflecting import Reflecting
from attunement.sessions import Purpose, Reflection, instant
from attunement.vault import tables
from attunement.vault.envelope import Place
from attunement.vault.sharing import PublicKeys, Share, open_share, share

if TYPE_CHECKING:
    from attunement.vault.rows import Row, Rows
    from attunement.vault.vault import Vault

LONGEST: Final = timedelta(days=90)
_OVER: Final = "This share is not there, or no longer: it has ended or was taken back."


@dataclass(frozen=True, slots=True)
class Shared:
    """That something is shared, and until when; not what.

    Parameters
    ----------
    id
        Random.
    sender, recipient
        Accounts.
    basis
        On which ground.
    expires
        Until when.
    """

    id: str
    sender: str
    recipient: str
    basis: str
    expires: datetime


class Supervision(Reflecting):
    """Verbs of sharing."""

    def fingerprint(self, account: str) -> str:
        """Return the fingerprint of somebody's keys, to be compared in person with what they see of themselves."""
        self._refuse_and_note_unless(Verb.SEE_FINGERPRINT)
        with self._noting(Verb.SEE_FINGERPRINT):
            shown = self.house.keyfile.public(account).fingerprint
        self._note(Verb.SEE_FINGERPRINT, "done")
        return shown

    def pin(self, account: str, fingerprint: str) -> None:
        """Trust somebody's keys from here on, having compared the fingerprint in person.

        Raises
        ------
        KeyChanged
            Where what was read out is not what the practice has.
        """
        vault, _ = self._own(Verb.PIN)
        with self._noting(Verb.PIN, vault):
            public = self.house.keyfile.public(account)
            if fingerprint.split() != public.fingerprint.split():
                raise KeyChanged(
                    f"This is not the fingerprint that the practice has of {account}. Do not share anything until you "
                    "have found out why: somebody may have put another key in its place."
                )

        def work(rows: Rows) -> tuple[str, None]:
            rows.remove(tables.pin, [account])
            values = {"sealing": public.sealing, "signing": public.signing}
            rows.add(tables.pin, id=account, at=rows.now().at, **values)
            return "", None

        self._act(Verb.PIN, work, vault)

    def share(
        self, client: str, session: int, recipient: str, *, until: datetime, basis: str = "supervision"
    ) -> Shared:
        """Share one reflection with one supervisor, whose key is pinned, if the client agreed to supervision.

        Parameters
        ----------
        client, session
            Of the reflection.
        recipient
            The supervisor's account.
        until
            When it ends; within 90 days.
        basis
            On which ground it is shared; signed with the rest.
        """
        until = instant(until)
        vault, own = self._own(Verb.SHARE)
        with self._noting(Verb.SHARE, vault):
            keys = self._pinned(vault, recipient)
            about_client, about_session = self._known_session(client, session)
            row = self._written(vault, about_session, session)
        envelope = self._envelope(row)

        def work(rows: Rows) -> tuple[str, Shared]:
            require(rows, about_client, Purpose.SUPERVISION)
            if not rows.now().steady < until <= rows.now().steady + LONGEST:
                raise InputError("A share ends within the next 90 days.")
            sealed = share(envelope, own.root, own.private, keys, basis, until)
            kept = rows.add(
                tables.share, sender=self.who.code, recipient=recipient, note=row["id"], client=about_client,
                revision=row["revision"], basis=basis, expires=until, body=sealed.body, box=sealed.box,
                signature=sealed.signature, kind="reflection",
            )  # fmt: skip
            return kept["id"], _as_shared(kept)

        return self._act(Verb.SHARE, work)

    def shares(self) -> tuple[Shared, ...]:
        """Return what one shares, and what is shared with one, as long as it is."""
        table = tables.share
        mine = sa.or_(table.c.sender == self.who.code, table.c.recipient == self.who.code)

        def query(rows: Rows) -> tuple[str, tuple[Shared, ...]]:
            found = rows.all(sa.select(table).where(mine).order_by(table.c.expires, table.c.id))
            now = rows.now().steady
            return "", tuple(_as_shared(row) for row in found if now < row["expires"])

        return self._see(Verb.SEE_SHARES, query)

    def open_share(self, share: str) -> Reflection:
        """Open what somebody has shared with one.

        Raises
        ------
        Gone
            Where it has ended or was taken back.
        KeyChanged
            Where it is not signed with the key that one has compared.
        """
        vault, own = self._own(Verb.OPEN_SHARE)

        def query(rows: Rows) -> tuple[str, tuple[Row, datetime]]:
            row = rows.one(sa.select(tables.share).where(tables.share.c.id == share))
            if row is None or row["recipient"] != self.who.code:
                raise Gone(_OVER)
            self._refuse_unless(Verb.OPEN_SHARE, owner=row["sender"], addressed_to=row["recipient"])
            now = rows.now().steady
            if now >= row["expires"]:
                raise Gone(_OVER)
            return row["id"], (row, now)

        row, now = self._see(Verb.OPEN_SHARE, query)
        place = Place(self.house.keyfile.install, row["sender"], row["note"], row["client"], row["revision"])
        shared = Share(
            place, row["body"], row["recipient"], row["basis"], row["expires"], row["box"], row["signature"]
        )
        with self._noting(Verb.OPEN_SHARE, vault):
            sender = self._pinned(vault, row["sender"])
        return Reflection.from_json(open_share(shared, own.private, sender, now))

    def revoke(self, share: str) -> None:
        """Take a share back: it is gone when it is next opened. What was read cannot be un-known."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.share, share)
            self._refuse_unless(Verb.REVOKE, owner=row["sender"])
            rows.remove(tables.share, [share])
            return share, None

        self._act(Verb.REVOKE, work)

    def _written(self, vault: Vault, about_session: str, session: int) -> Row:
        with vault.reading() as rows:
            row = rows.one(sa.select(tables.reflection).where(tables.reflection.c.session == about_session))
        if row is None:
            raise InputError(f"There is no reflection about session {session}.")
        return row

    def _pinned(self, vault: Vault, account: str) -> PublicKeys:
        """The keys that one has compared, if the practice still has the same."""
        with vault.reading() as rows:
            row = rows.one(sa.select(tables.pin).where(tables.pin.c.id == account))
        if row is None:
            raise InputError(f"Compare the fingerprint with {account} in person first, and pin it.")
        pinned = PublicKeys(account, row["sealing"], row["signing"])
        if pinned != self.house.keyfile.public(account):
            raise KeyChanged(
                f"WARNING: the key of {account} is not the one that you compared. Somebody may have put another in its "
                f"place. Nothing was shared or opened. "
                f"Compare the fingerprint with {account} in person before you pin it anew."
            )
        return pinned


def _as_shared(row: Row) -> Shared:
    return Shared(row["id"], row["sender"], row["recipient"], row["basis"], row["expires"])
