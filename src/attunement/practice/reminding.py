"""What is due, and reminders of it: a link and nothing else, to whom it concerns.

A mail names nobody and counts nothing. Whether a reflection was written is known to its owner alone while they have
unlocked theirs: a reminder to reflect goes out once after every session held, written or not, so that neither the mail
nor what is noted of it tells anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import sqlalchemy as sa

from attunement.errors import NotSent
from attunement.post import address, is_address
from attunement.practice.belonging import TO_CLIENT
from attunement.practice.checking_in import CheckingIn
from attunement.practice.hands import whom
from attunement.practice.keeping import Keeping
from attunement.practice.policy import Role, Verb
from attunement.practice.whose import known_as
from attunement.sessions import Purpose
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from attunement.vault.rows import Rows

Kind = Literal["check-in", "reflection", "backup"]
WAITED: Final = timedelta(hours=3)
"""So long after a session a check-in is still on its way."""
LOOKED_BACK: Final = timedelta(days=21)
"""So long after a session its check-in is due."""
TO_WRITE: Final = timedelta(days=7)
"""So long after a session its reflection is due."""
BACKUP: Final = timedelta(days=7)
"""So old a backup may be."""
AGAIN: Final = timedelta(days=3)
"""So long nobody is reminded of the same again."""
MOST_LINKS: Final = 2
"""So many links a session are sent to a client."""
ON_THIS_MACHINE: Final = "http://127.0.0.1:8437"
SUBJECT: Final = "A reminder from Attunement"
SUBJECT_TO_CLIENT: Final = "A link for you / Un enlace para usted"
MOST_FAILED: Final = 3
"""So many mails may fail before no more are tried."""
_HELD: Final = ("held", "late")
_MOST: Final[Mapping[Kind, int | None]] = {"check-in": None, "reflection": 1, "backup": None}


class Sender(Protocol):
    """Who carries mail: `attunement.post.Post`, or a test."""

    def send(self, to: str, subject: str, link: str) -> None:
        """Send a mail, or raise `NotSent`."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is due.

    Parameters
    ----------
    kind
        ``check-in``, ``reflection`` or ``backup``. A reflection is one after every session held lately: whether it was
        written is not known here.
    client, session
        About whom, after which session; None for a backup.
    since
        Since when; None for a backup that never was.
    to
        Whose it is to do.
    """

    kind: Kind
    client: str | None
    session: int | None
    since: datetime | None
    to: Literal["therapist", "client", "admin"]


@dataclass(frozen=True, slots=True)
class Sent:
    """How many mails went out.

    Parameters
    ----------
    mails
        To oneself and to clients together.
    failed
        Why one did not; empty where all did.
    """

    mails: int
    failed: str = ""


class Reminding(CheckingIn, Keeping):
    """Verbs around what is due."""

    def due(self) -> tuple[Due, ...]:
        """Return what is due as far as the record knows: check-ins, reflections, and for an admin a backup."""

        def query(rows: Rows) -> tuple[str, tuple[Due, ...]]:
            return "", tuple(each for each, _ in self._due(rows))

        return self._see(Verb.SEE_DUE, query)

    def set_email(self, email: str) -> None:
        """Set to which address one's own reminders go; an empty one takes it back."""
        taken = address(email) if email.strip() else None

        def work(rows: Rows) -> tuple[str, None]:
            rows.change(tables.account, self._whole(rows, tables.account, self.who.code), email=taken)
            return self.who.code, None

        self._act(Verb.SET_EMAIL, work)

    def email(self) -> str:
        """Return one's own address; empty where none is set."""

        def query(rows: Rows) -> tuple[str, str]:
            return self.who.code, self._whole(rows, tables.account, self.who.code)["email"] or ""

        return self._see(Verb.SEE_EMAIL, query)

    def remind(self, post: Sender, url: str = "") -> Sent:
        """Send what is due by mail, each with a link and nothing else; the same not again within three days.

        Parameters
        ----------
        post
            Who carries it.
        url
            What links begin with. Only with ``https://`` anything goes to a client: a fresh link to the check-in that
            is due, where they agreed to check-ins and the address is written down; two a session at most.

        Returns
        -------
        Sent
            How many went out. One that failed is noted nowhere as sent, and its link works no longer.
        """
        self._refuse_and_note_unless(Verb.REMIND)
        with self._reading() as rows:
            due, now = self._due(rows), rows.now().at
            mine, before = self._whole(rows, tables.account, self.who.code)["email"], self._reminded(rows)
        mails, failed = 0, list[str]()
        to_me: list[tuple[Due, str | None]] = []
        for each, session in due:
            theirs = ""
            if each.to == "client" and session and url.startswith("https://"):
                if not _may_go(before.get((session, TO_CLIENT), []), now, MOST_LINKS):
                    continue
                theirs = self._address_of(each)
            if theirs and session and len(failed) < MOST_FAILED:
                problem = self._send_link(post, url, each, session, theirs)
                mails, failed = mails + (not problem), [*failed, *problem]
            elif not theirs and _may_go(before.get((session, each.kind), []), now, _MOST[each.kind]):
                to_me.append((each, session))
        if mine and to_me and len(failed) < MOST_FAILED:
            problem = self._send_to_me(post, url, mine, to_me)
            mails, failed = mails + (not problem), [*failed, *problem]
        self._note(Verb.REMIND, "not sent" if failed else "done")
        return Sent(mails, failed[0] if failed else "")

    # -- inside

    def _due(self, rows: Rows) -> list[tuple[Due, str | None]]:
        """What is due, each with the id of its session."""
        now, found = rows.now().at, []
        if Role.THERAPIST in self.who.roles:
            for row in rows.all(_sessions(self._own_dyads(rows), now)):
                about: tuple[str, int, datetime] = (row["code"], row["number"], row["began"])
                if row["agreed"] and not row["answered"] and row["began"] < now - WAITED:
                    found.append((Due("check-in", *about, "client"), row["id"]))
                if row["began"] > now - TO_WRITE:
                    found.append((Due("reflection", *about, "therapist"), row["id"]))
        if Role.ADMIN in self.who.roles:
            last = last_backup(rows)
            if last is None or now - last > BACKUP:
                found.append((Due("backup", None, None, last, "admin"), None))
        return found

    def _reminded(self, rows: Rows) -> dict[tuple[str | None, str], list[datetime]]:
        """When who was reminded of what, by session and kind."""
        sent: dict[tuple[str | None, str], list[datetime]] = {}
        table = tables.reminded
        for row in rows.all(sa.select(table).where(table.c.account == self.who.code)):
            sent.setdefault((row["session"], row["kind"]), []).append(row["at"])
        return sent

    def _address_of(self, each: Due) -> str:
        """Where a client can be reached by mail; empty where that is not written down."""
        contact = self.identity(str(each.client))[1].strip()
        return contact if is_address(contact) else ""

    def _send_link(self, post: Sender, url: str, each: Due, session: str, to: str) -> list[str]:
        """Make a link, send it, and let the earlier ones work no longer; where it is not taken, all is as before.

        Returns why it was not taken, if it was not.
        """
        invited = self.invite(str(each.client), each.session or 0)
        made, me = invited.invitation, whom(self.who, Verb.INVITE)

        def undone(rows: Rows) -> None:
            rows.remove(tables.invitation, [made.id])
            rows.note(self.who.code, Verb.WITHDRAW_INVITATION, made.id)

        def sent(rows: Rows) -> None:
            table = tables.invitation
            earlier = (
                table.c.session == session,
                table.c.used.is_(None),
                table.c.instrument == made.instrument,
            )
            for row in rows.all(sa.select(table).where(*earlier, table.c.id != made.id)):
                rows.change(table, row, expires=min(row["expires"], rows.now().steady))
            self._note_sent(rows, [(TO_CLIENT, session)], made.id)

        try:
            post.send(to, SUBJECT_TO_CLIENT, f"{url.rstrip('/')}/c/{invited.token}")
        except NotSent as problem:
            self.house.record.do(undone, me)
            return [str(problem)]
        except BaseException:
            self.house.record.do(undone, me)
            raise
        self.house.record.do(sent, me)
        return []

    def _send_to_me(self, post: Sender, url: str, mine: str, due: list[tuple[Due, str | None]]) -> list[str]:
        """Send oneself one mail, however much is due; returns why it was not taken, if it was not."""
        try:
            post.send(mine, SUBJECT, f"{(url or ON_THIS_MACHINE).rstrip('/')}/")
        except NotSent as problem:
            return [str(problem)]
        kinds = [(each.kind, session) for each, session in due]
        me = whom(self.who, Verb.REMIND)
        self.house.record.do(lambda rows: self._note_sent(rows, kinds, self.who.code), me)
        return []

    def _note_sent(self, rows: Rows, kinds: Iterable[tuple[str, str | None]], about: str) -> None:
        for kind, session in kinds:
            rows.add(tables.reminded, account=self.who.code, session=session, kind=kind, at=rows.now().at)
        rows.note(self.who.code, Verb.REMIND, about, "sent")


def last_backup(rows: Rows) -> datetime | None:
    """Return when the last backup was made, by the record's journal; None where none ever was."""
    table = tables.RECORD.tables["journal"]
    latest = sa.func.max(table.c.at, type_=tables.Instant()).label("at")
    made = (table.c.verb == Verb.BACK_UP.value, table.c.outcome == "done")
    found = rows.one(sa.select(latest).where(*made))
    return found["at"] if found else None


def _may_go(before: list[datetime], now: datetime, most: int | None) -> bool:
    """Whether one more may go: not too many of the same, and none within three days."""
    return (most is None or len(before) < most) and all(now - at >= AGAIN for at in before)


def _sessions(mine: sa.ColumnElement[bool], now: datetime) -> sa.Select[Any]:
    """Sessions that were held lately with clients who still come, and what is known of their check-ins."""
    session, consent = tables.session, tables.consent
    agreed = sa.exists().where(
        consent.c.client == tables.dyad.c.client,
        consent.c.purpose == Purpose.CHECK_INS.value,
        consent.c.withdrawn.is_(None),
    )
    answered = sa.exists().where(tables.check_in.c.session == session.c.id)
    return (
        sa.select(session, known_as, agreed.label("agreed"), answered.label("answered"))
        .join(tables.dyad, tables.dyad.c.id == session.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(
            mine,
            tables.dyad.c.ended.is_(None),
            session.c.attendance.in_(_HELD),
            session.c.began > now - LOOKED_BACK,
            session.c.began <= now,
        )
        .order_by(session.c.began, known_as)
    )
