"""Sharing with a supervisor, a reflection or a report: chosen, signed, until a day, and taken back at will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import sqlalchemy as sa

from attunement.errors import Gone, InputError, KeyChanged
from attunement.practice.caseload import require
from attunement.practice.policy import Role, Verb
from attunement.practice.reflecting import Reflecting
from attunement.practice.whose import latest_code
from attunement.sessions import Purpose, Reflection, instant
from attunement.supervising import Report
from attunement.vault import tables
from attunement.vault.envelope import Envelope, Place, enclose
from attunement.vault.sharing import PublicKeys, Share, open_share, share

if TYPE_CHECKING:
    from attunement.vault.account import Own
    from attunement.vault.rows import Row, Rows
    from attunement.vault.vault import Vault

LONGEST: Final = timedelta(days=90)
Kind = Literal["reflection", "report"]
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
    kind
        A reflection as it was written, or a report.
    client
        The code, for the sender alone; empty for everybody else.
    """

    id: str
    sender: str
    recipient: str
    basis: str
    expires: datetime
    kind: Kind = "reflection"
    client: str = ""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody whom one can share with, or who can share with one.

    Parameters
    ----------
    account, name
        Who.
    roles
        What the account is for.
    compared
        ``yes`` where the key is the one that was compared in person, ``no`` where none was, ``changed`` where it is
        another one now.
    """

    account: str
    name: str
    roles: frozenset[Role]
    compared: Literal["yes", "no", "changed"]


class Supervision(Reflecting):
    """Verbs of sharing."""

    def fingerprint(self, account: str) -> str:
        """Return the fingerprint of somebody's keys, to be compared in person with what they see of themselves."""
        self._refuse_and_note_unless(Verb.SEE_FINGERPRINT)
        with self._noting(Verb.SEE_FINGERPRINT):
            shown = self.house.keyfile.public(account).fingerprint
        self._note(Verb.SEE_FINGERPRINT, "done")
        return shown

    def colleagues(self) -> tuple[Colleague, ...]:
        """Return whom one can share with, and who can share with one, and whose keys one has compared."""
        vault, _ = self._own(Verb.SEE_COLLEAGUES)
        with vault.reading() as rows:
            pinned = {row["id"]: row for row in rows.all(sa.select(tables.pin))}
        wanted = {Role.SUPERVISOR} if Role.THERAPIST in self.who.roles else set()
        wanted |= {Role.THERAPIST} if Role.SUPERVISOR in self.who.roles else set()
        table = tables.account
        there = sa.select(table).where(table.c.ended.is_(None), table.c.id != self.who.code)

        def query(rows: Rows) -> tuple[str, tuple[Colleague, ...]]:
            found = rows.all(there.order_by(table.c.id))
            return "", tuple(
                Colleague(row["id"], row["name"], roles, self._compared(row["id"], pinned.get(row["id"])))
                for row in found
                if (roles := frozenset(Role(each) for each in row["roles"].split())) & wanted
            )

        return self._see(Verb.SEE_COLLEAGUES, query)

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

    # -- giving

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
        vault, own = self._own(Verb.SHARE)
        with self._noting(Verb.SHARE, vault):
            keys = self._pinned(vault, recipient)
            _, about_session = self._known_session(client, session)
            row = self._written(vault, about_session, session)
        return self._shared(Verb.SHARE, self._envelope(row), own, keys, instant(until), basis)

    def share_report(self, client: str, report: Report, recipient: str, *, until: datetime) -> Shared:
        """Share a report with one supervisor, whose key is pinned, if the client agreed to supervision.

        Parameters
        ----------
        client
            Whom it is about.
        report
            What was chosen; it is sealed as it is, and what is written or rated later is not in it.
        recipient
            The supervisor's account.
        until
            When it ends; within 90 days.

        A report with something of a reflection in it belongs to that reflection: where that is destroyed, the report is
        shared no more.
        """
        vault, own = self._own(Verb.SHARE_REPORT)
        with self._noting(Verb.SHARE_REPORT, vault):
            about_client, _ = self._known_client(client)
            keys = self._pinned(vault, recipient)
            note, revision = self._of_reflection(vault, client, report)
        place = Place(self.house.keyfile.install, self.who.code, note, about_client, revision, "report")
        envelope = enclose(report.as_json(), place, own.root)
        return self._shared(Verb.SHARE_REPORT, envelope, own, keys, instant(until), "supervision")

    def take_out_report(self, client: str, report: Report) -> Report:
        """Take a report out of the practice as a file of one's own, on the same ground: it cannot be taken back.

        Parameters
        ----------
        client
            Whom it is about.
        report
            What was chosen.
        """
        vault, _ = self._own(Verb.TAKE_OUT_REPORT)
        with self._noting(Verb.TAKE_OUT_REPORT, vault):
            self._known_client(client)
            self._of_reflection(vault, client, report)

        def work(rows: Rows) -> tuple[str, Report]:
            dyad = self._dyad(rows, client)
            require(rows, dyad["client"], Purpose.SUPERVISION)
            return dyad["client"], report

        return self._act(Verb.TAKE_OUT_REPORT, work)

    # -- what is given

    def shares(self) -> tuple[Shared, ...]:
        """Return what one shares, and what is shared with one, as long as it is; what has ended is swept away."""
        table, me = tables.share, self.who.code
        code = latest_code(table.c.client, table.c.sender).where(table.c.sender == me).correlate(table)
        mine = (
            sa.select(table, code.scalar_subquery().label("code"))
            .where(sa.or_(table.c.sender == me, table.c.recipient == me))
            .order_by(table.c.expires, table.c.id)
        )

        def query(rows: Rows) -> tuple[str, tuple[Shared, ...]]:
            now, admits = rows.now().steady, self.house.admits
            found = [row for row in rows.all(mine) if now < row["expires"] and admits(row["sender"])]
            return "", tuple(_as_shared(row, row["code"] or "") for row in found)

        seen = self._see(Verb.SEE_SHARES, query)
        self._sweep_ended()
        return seen

    def open_share(self, share: str) -> Reflection:
        """Open a reflection that somebody has shared with one.

        Raises
        ------
        Gone
            Where it has ended or was taken back, or is no reflection.
        KeyChanged
            Where it is not signed with the key that one has compared.
        """
        return Reflection.from_json(self._open(Verb.OPEN_SHARE, share, "reflection"))

    def open_report(self, share: str) -> Report:
        """Open a report that somebody has shared with one.

        Raises
        ------
        Gone
            Where it has ended or was taken back, or is no report.
        KeyChanged
            Where it is not signed with the key that one has compared.
        Damaged
            Where it is not as a report is written.
        """
        return Report.from_json(self._open(Verb.OPEN_REPORT, share, "report"))

    def revoke(self, share: str) -> None:
        """Take a share back: it is gone when it is next opened. What was read cannot be un-known."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.share, share)
            self._refuse_unless(Verb.REVOKE, owner=row["sender"])
            rows.remove(tables.share, [share])
            return share, None

        self._act(Verb.REVOKE, work)

    # -- inside

    def _shared(
        self, verb: Verb, envelope: Envelope, own: Own, keys: PublicKeys, until: datetime, basis: str
    ) -> Shared:
        """Seal the key of an envelope to a supervisor, and keep that."""
        place = envelope.place

        def work(rows: Rows) -> tuple[str, Shared]:
            require(rows, place.client, Purpose.SUPERVISION)
            _refuse_no_supervisor(rows, keys.account)
            if not rows.now().steady < until <= rows.now().steady + LONGEST:
                raise InputError("A share ends within the next 90 days.")
            sealed = share(envelope, own.root, own.private, keys, basis, until)
            kept = rows.add(
                tables.share, sender=self.who.code, recipient=keys.account, note=place.note, client=place.client,
                revision=place.revision, basis=basis, expires=until, body=sealed.body, box=sealed.box,
                signature=sealed.signature, kind=place.kind,
            )  # fmt: skip
            return kept["id"], _as_shared(kept)

        return self._act(verb, work)

    def _open(self, verb: Verb, share: str, kind: Kind) -> str:
        vault, own = self._own(verb)

        def query(rows: Rows) -> tuple[str, tuple[Row, datetime]]:
            row = rows.one(sa.select(tables.share).where(tables.share.c.id == share))
            if row is None or row["recipient"] != self.who.code:
                raise Gone(_OVER)
            self._refuse_unless(verb, owner=row["sender"], addressed_to=row["recipient"])
            now = rows.now().steady
            if now >= row["expires"] or row["kind"] != kind or not self.house.admits(row["sender"]):
                raise Gone(_OVER)  # whoever has left can take nothing back, so it ends with them
            return row["id"], (row, now)

        row, now = self._see(verb, query)
        place = Place(
            self.house.keyfile.install, row["sender"], row["note"], row["client"], row["revision"], kind
        )
        shared = Share(
            place, row["body"], row["recipient"], row["basis"], row["expires"], row["box"], row["signature"]
        )
        with self._noting(verb, vault):
            sender = self._pinned(vault, row["sender"])
        return open_share(shared, own.private, sender, now)

    def _of_reflection(self, vault: Vault, client: str, report: Report) -> tuple[str, int]:
        """The reflection that a report tells of, with its writing; a place of its own where it tells of none."""
        moment = report.parts.moment
        if moment is None or not moment.own:
            return tables.new_id(), 1
        _, about_session = self._known_session(client, moment.session)
        row = self._written(vault, about_session, moment.session)
        return row["id"], row["revision"]

    def _written(self, vault: Vault, about_session: str, session: int) -> Row:
        with vault.reading() as rows:
            row = rows.one(sa.select(tables.reflection).where(tables.reflection.c.session == about_session))
        if row is None:
            raise InputError(f"There is no reflection about session {session}.")
        return row

    def _compared(self, account: str, pinned: Row | None) -> Literal["yes", "no", "changed"]:
        if pinned is None:
            return "no"
        same = PublicKeys(account, pinned["sealing"], pinned["signing"]) == self.house.keyfile.public(account)
        return "yes" if same else "changed"

    def _pinned(self, vault: Vault, account: str) -> PublicKeys:
        """The keys that one has compared, if the practice still has the same."""
        with vault.reading() as rows:
            row = rows.one(sa.select(tables.pin).where(tables.pin.c.id == account))
        if row is None:
            raise InputError(f"Compare the fingerprint with {account} in person first, and pin it.")
        if self._compared(account, row) == "changed":
            raise KeyChanged(
                f"WARNING: the key of {account} is not the one that you compared. Somebody may have put another in its "
                f"place. Nothing was shared or opened. "
                f"Compare the fingerprint with {account} in person before you pin it anew."
            )
        return PublicKeys(account, row["sealing"], row["signing"])


def _refuse_no_supervisor(rows: Rows, account: str) -> None:
    """Refuse to share with one who could not open it."""
    row = rows.one(sa.select(tables.account).where(tables.account.c.id == account))
    if row is None or row["ended"] is not None or Role.SUPERVISOR not in row["roles"].split():
        raise InputError(f"{account} is no supervisor here, or no longer; nothing was shared.")


def _as_shared(row: Row, client: str = "") -> Shared:
    return Shared(
        row["id"], row["sender"], row["recipient"], row["basis"], row["expires"], row["kind"], client
    )
