"""A therapist's clients and what happened with them: sessions, contacts, consents."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from attunement.errors import InputError, Refused
from attunement.practice.desk import Desk
from attunement.practice.policy import Verb
from attunement.practice.whose import DYADS, known_as, refuse_handed, refuse_twin
from attunement.sessions import (
    ATTENDANCE,
    ENDINGS,
    PLANNED,
    Client,
    Consent,
    Contact,
    Dyad,
    Purpose,
    Session,
    code,
    instant,
)
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Literal

    from attunement.vault.rows import Row, Rows


class Caseload(Desk):
    """Verbs of a therapist, on their own dyads alone."""

    # -- clients

    def take_on(self, client: str, *, agreed: Iterable[Purpose] = ()) -> Dyad:
        """Begin with a client.

        Parameters
        ----------
        client
            The code; one that this therapist does not use yet.
        agreed
            What the client has agreed to.
        """
        typed, purposes = code(client), tuple(dict.fromkeys(Purpose(each) for each in agreed))

        def work(rows: Rows) -> tuple[str, Dyad]:
            refuse_twin(rows, self.who.code, typed)
            now = rows.now().at
            person = rows.add(tables.client, code=typed, since=now)
            dyad = rows.add(tables.dyad, therapist=self.who.code, client=person["id"], since=now)
            for purpose in purposes:
                rows.add(tables.consent, client=person["id"], purpose=purpose.value, given=now)
            return person["id"], as_dyad({**dyad, "code": typed, "client_since": now, "held": None})

        return self._act(Verb.TAKE_ON, work)

    def end(self, client: str, ending: str | None = None) -> Dyad:
        """End with a client; what is kept stays. How it ended can be said later, by the same words.

        Parameters
        ----------
        client
            The code.
        ending
            How it ended, one of `sessions.ENDINGS`: ``agreed`` together, or ``left`` without agreement; None where
            that is not said, or is taken back.
        """
        if ending is not None and ending not in ENDINGS:
            raise InputError(f"How it ended is one of {', '.join(ENDINGS)}, or left out.")

        def work(rows: Rows) -> tuple[str, Dyad]:
            found = self._dyad(rows, client)
            said = {"ended": found["ended"] or rows.now().at, "ending": ending}
            rows.change(tables.dyad, self._whole(rows, tables.dyad, found["id"]), **said)
            return found["client"], as_dyad({**found, **said})

        return self._act(Verb.END_DYAD, work)

    def resume(self, client: str) -> Dyad:
        """Go on with a client with whom one had ended.

        Raises
        ------
        InputError
            Where one has handed the client over for good.
        """

        def work(rows: Rows) -> tuple[str, Dyad]:
            found = refuse_handed(self._dyad(rows, client))
            open_again = {"ended": None, "ending": None}
            rows.change(tables.dyad, self._whole(rows, tables.dyad, found["id"]), **open_again)
            return found["client"], as_dyad({**found, **open_again})

        return self._act(Verb.RESUME_DYAD, work)

    def clients(self) -> tuple[Dyad, ...]:
        """Return one's dyads, in the order in which they began."""
        query = DYADS.order_by(tables.dyad.c.since, known_as)

        def own(rows: Rows) -> tuple[str, tuple[Dyad, ...]]:
            return "", tuple(as_dyad(row) for row in rows.all(query.where(self._own_dyads(rows))))

        return self._see(Verb.SEE_CLIENTS, own)

    # -- sessions

    def log_session(
        self, client: str, began: datetime, *, attendance: str = "held", lateness: float | None = None,
        number: int | None = None, key: str = "",
    ) -> Session:  # fmt: skip
        """Write down that a session was held, was not, or is planned.

        Parameters
        ----------
        client
            The code.
        began
            When it began or is to begin; without a zone it is this computer's.
        attendance
            ``held``, ``late``, ``cancelled by client``, ``cancelled by therapist`` or ``missed``; or ``planned``.
        lateness
            In minutes.
        number
            The next one, unless given.
        key
            Chosen by the sender for this one logging: sent again, the same gives the same session, and another one is
            refused. Without it, each logging is a session.
        """
        _refuse_odd(attendance, lateness)
        if number is not None and not 1 <= number <= 100_000:
            raise InputError("Sessions are numbered 1, 2, ….")

        def work(rows: Rows) -> tuple[str, Session]:
            dyad = self._dyad(rows, client)
            numbers = tables.session.c.number
            named = _named(dyad["id"], key, (instant(began), attendance, lateness, number)) if key else None
            if named and (again := _again(rows, named)):
                return again["id"], as_session({**again, "code": client})
            last = rows.one(
                sa.select(sa.func.max(numbers).label("last")).where(tables.session.c.dyad == dyad["id"])
            )
            which = number or ((last or {}).get("last") or 0) + 1
            taken = sa.select(tables.session.c.id).where(
                tables.session.c.dyad == dyad["id"], numbers == which
            )
            if rows.one(taken):
                raise InputError(f"Session {which} with this client is already there.")
            row = rows.add(
                tables.session, id=named, dyad=dyad["id"], number=which, began=instant(began), attendance=attendance,
                lateness=None if lateness is None else float(lateness),
            )  # fmt: skip
            return row["id"], as_session({**row, "code": client})

        return self._act(Verb.LOG_SESSION, work)

    def change_session(
        self, client: str, number: int, *, attendance: str | None = None, began: datetime | None = None,
        lateness: float | None = None,
    ) -> Session:  # fmt: skip
        """Say that a session was held or was not, or move it; what is left out stays.

        Parameters
        ----------
        client, number
            Which session.
        attendance, began, lateness
            As `log_session` has them.
        """
        _refuse_odd(attendance or PLANNED, lateness)

        def work(rows: Rows) -> tuple[str, Session]:
            dyad = self._dyad(rows, client)
            table = tables.session
            row = rows.one(sa.select(table).where(table.c.dyad == dyad["id"], table.c.number == number))
            if row is None:
                raise InputError(f"Session {number} with this client is not there.")
            changed = rows.change(
                table, row, attendance=attendance or row["attendance"],
                began=instant(began) if began else row["began"],
                lateness=_late(row, attendance, lateness),
            )  # fmt: skip
            return row["id"], as_session({**changed, "code": client})

        return self._act(Verb.CHANGE_SESSION, work)

    def sessions(self, client: str) -> tuple[Session, ...]:
        """Return the sessions with a client, in order."""

        def query(rows: Rows) -> tuple[str, tuple[Session, ...]]:
            dyad = self._dyad(rows, client)
            found = rows.all(_of(tables.session, dyad).order_by(tables.session.c.number))
            return dyad["client"], tuple(as_session({**row, "code": client}) for row in found)

        return self._see(Verb.SEE_SESSIONS, query)

    # -- contacts

    def log_contact(
        self,
        client: str,
        at: datetime,
        *,
        kind: Literal["message", "call"],
        begun_by: Literal["client", "therapist"],
    ) -> Contact:
        """Write down that there was a message or a call between sessions."""
        if kind not in {"message", "call"} or begun_by not in {"client", "therapist"}:
            raise InputError("A contact is a message or a call, begun by client or therapist.")

        def work(rows: Rows) -> tuple[str, Contact]:
            dyad = self._dyad(rows, client)
            row = rows.add(tables.contact, dyad=dyad["id"], at=instant(at), kind=kind, begun_by=begun_by)
            return row["id"], Contact(row["id"], client, row["at"], kind, begun_by)

        return self._act(Verb.LOG_CONTACT, work)

    def contacts(self, client: str) -> tuple[Contact, ...]:
        """Return the contacts with a client, in order."""

        def query(rows: Rows) -> tuple[str, tuple[Contact, ...]]:
            dyad = self._dyad(rows, client)
            found = rows.all(_of(tables.contact, dyad).order_by(tables.contact.c.at))
            contacts = (Contact(row["id"], client, row["at"], row["kind"], row["begun_by"]) for row in found)
            return dyad["client"], tuple(contacts)

        return self._see(Verb.SEE_CONTACTS, query)

    # -- consents

    def give_consent(self, client: str, purpose: Purpose) -> Consent:
        """Write down what a client has agreed to; refused where one has handed the client over for good."""
        purpose = Purpose(purpose)

        def work(rows: Rows) -> tuple[str, Consent]:
            dyad = refuse_handed(self._dyad(rows, client))
            given = in_force(rows, dyad["client"], purpose)
            if given is None:
                given = rows.add(
                    tables.consent, client=dyad["client"], purpose=purpose.value, given=rows.now().at
                )
            return given["id"], _as_consent(given, client)

        return self._act(Verb.GIVE_CONSENT, work)

    def withdraw_consent(self, client: str, purpose: Purpose) -> None:
        """Write down that a client no longer agrees; from here on nothing new is done on that ground.

        Refused where one has handed the client over for good. Whoever covers may: to withdraw is the client's right,
        before whoever sits there.
        """
        purpose = Purpose(purpose)

        def work(rows: Rows) -> tuple[str, None]:
            dyad = refuse_handed(self._dyad(rows, client))
            given = in_force(rows, dyad["client"], purpose)
            if given is None:
                raise InputError(f"There is no consent to {purpose} to withdraw.")
            rows.change(tables.consent, given, withdrawn=rows.now().at)
            if purpose is Purpose.SUPERVISION:
                shared = rows.all(sa.select(tables.share.c.id).where(tables.share.c.client == dyad["client"]))
                rows.remove(tables.share, [row["id"] for row in shared])
            return given["id"], None

        return self._act(Verb.WITHDRAW_CONSENT, work)

    def consents(self, client: str) -> tuple[Consent, ...]:
        """Return what a client has agreed to and withdrawn."""

        def query(rows: Rows) -> tuple[str, tuple[Consent, ...]]:
            dyad = self._dyad(rows, client)
            table = tables.consent
            found = rows.all(
                sa.select(table)
                .where(table.c.client == dyad["client"])
                .order_by(table.c.given, table.c.purpose)
            )
            return dyad["client"], tuple(_as_consent(row, client) for row in found)

        return self._see(Verb.SEE_CONSENTS, query)


def in_force(rows: Rows, client: str, purpose: Purpose) -> Row | None:
    """Return the consent that is in force now, if there is one."""
    table = tables.consent
    return rows.one(
        sa.select(table).where(
            table.c.client == client, table.c.purpose == purpose.value, table.c.withdrawn.is_(None)
        )
    )


def require(rows: Rows, client: str, purpose: Purpose) -> None:
    """Refuse what a client has not agreed to, or no longer does."""
    if in_force(rows, client, purpose) is None:
        raise Refused(f"This client has not agreed to {purpose}, or no longer does.")


def _named(dyad: str, key: str, what: tuple[Any, ...]) -> str:
    """Name a session by its sending, one half by the key and one by what was sent: no table of keys is needed.

    The dyad's random id is in both, so that nobody can tell from the name what the key was, nor join two.
    """
    halves = (f"{dyad} {key}", f"{dyad} {key} {what}")
    return "".join(hashlib.sha256(each.encode()).hexdigest()[:16] for each in halves)


def _again(rows: Rows, named: str) -> Row | None:
    """Return the session that the same sending made before."""
    of_key = tables.session.c.id.startswith(named[:16])
    found = rows.one(sa.select(tables.session).where(of_key))
    if found is not None and found["id"] != named:
        raise InputError("This key was used for another session before; each sending has a key of its own.")
    return found


def _late(row: Row, attendance: str | None, lateness: float | None) -> float | None:
    """How late a session is now said to have begun: what was said of it before goes with what it was."""
    if lateness is not None:
        return float(lateness)
    return row["lateness"] if attendance in {None, row["attendance"]} else None


def _refuse_odd(attendance: str, lateness: float | None) -> None:
    if attendance not in {*ATTENDANCE, PLANNED}:
        raise InputError(f"Attendance is one of {', '.join(ATTENDANCE)}, or {PLANNED}.")
    if lateness is not None and not 0 <= lateness <= 600:
        raise InputError("Lateness is in minutes, from 0 to 600.")


def _of(table: sa.Table, dyad: Row) -> sa.Select[Any]:
    return sa.select(table).where(table.c.dyad == dyad["id"])


def as_dyad(row: Row) -> Dyad:
    """Read a dyad from its row, with the client's ``code``, ``client_since`` and ``held``."""
    person = Client(row["client"], row["code"], row["client_since"], row["held"])
    return Dyad(
        row["id"],
        row["therapist"],
        person,
        row["since"],
        row.get("ended"),
        row.get("ending"),
        row.get("until"),
        handed=bool(row.get("handed")),
    )


def as_session(row: Row) -> Session:
    """Read a session from its row, with the client's ``code``."""
    return Session(row["id"], row["code"], row["number"], row["began"], row["attendance"], row["lateness"])


def _as_consent(row: Row, client: str) -> Consent:
    return Consent(row["id"], client, Purpose(row["purpose"]), row["given"], row["withdrawn"])
