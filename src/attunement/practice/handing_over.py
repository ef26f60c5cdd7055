"""A client goes to another therapist of the practice: for good, or while theirs is away.

The client stays one row, with their consents and holds. What belongs to a dyad (sessions, answers, steps) stays with
the therapist of that dyad, and so does every reflection; whoever takes the client on begins with an empty page and a
code of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, get_args

import sqlalchemy as sa

from attunement.errors import InputError, Refused
from attunement.practice.caseload import as_dyad
from attunement.practice.desk import Desk
from attunement.practice.handed import (
    SHOWN,
    covers,
    given,
    left_by,
    open_offers,
    shown_to,
    take_concerns,
    taken,
    up_to,
)
from attunement.practice.policy import REFUSED, Role, Verb
from attunement.practice.rated import scored
from attunement.practice.whose import DYADS, refuse_handed, refuse_twin
from attunement.sessions import code, instant
from attunement.vault import tables

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from attunement.sessions import Dyad
    from attunement.vault.rows import Row, Rows

LONGEST_COVER: Final = timedelta(days=180)
HandoverKind = Literal["transfer", "cover"]
BEFORE: Final = "before"
"""What an earlier therapist is called where the course is shown."""


@dataclass(frozen=True, slots=True)
class Handover:
    """That a client is offered, or was handed over; who it is, each of the two knows by their own code alone.

    Parameters
    ----------
    id
        Random.
    sender, recipient
        Accounts.
    kind
        A transfer is for good, a cover until a day.
    until
        When a cover ends; None for a transfer.
    course
        Whether the recipient may see how the bond went before, by its totals.
    state
        ``offered``, or ``accepted``.
    client
        The code: the sender's own for the sender, and for the recipient the one they took the client on by; empty
        before that.
    was
        By which code a sender who has left the practice knew the client: they can no longer say so, and a paper file
        may bear it. Empty while they can, and in the list of the sender.
    """

    id: str
    sender: str
    recipient: str
    kind: HandoverKind
    until: datetime | None
    course: bool
    state: Literal["offered", "accepted"]
    client: str = ""
    was: str = ""


class HandingOver(Desk):
    """Verbs of handing a client over, and of taking one on from a colleague."""

    def offer(
        self, client: str, to: str, *, kind: HandoverKind, until: datetime | None = None, course: bool = False
    ) -> Handover:
        """Offer one's client to another therapist of the practice, who learns nothing of them before they accept.

        Parameters
        ----------
        client
            The code.
        to
            The other therapist's account.
        kind
            ``transfer``, for good; or ``cover``, until a day.
        until
            When a cover ends, within 180 days; a transfer has no end.
        course
            Whether the other may see how the bond with this client went, by the totals of the check-ins.

        Raises
        ------
        InputError
            Where the other is no therapist here, the end does not fit, the client has ended with one or is covered by
            one, or the offer is made already.
        """
        _refuse_odd(kind, until)
        ends = instant(until) if until is not None else None

        def work(rows: Rows) -> tuple[str, Handover]:
            dyad = self._dyad(rows, client)
            if to == self.who.code:
                raise InputError("A client is handed over to somebody else; choose another therapist.")
            _refuse_no_therapist(rows, to)
            _refuse_unfit(dyad, client)
            if ends is not None and not rows.now().steady < ends <= rows.now().steady + LONGEST_COVER:
                raise InputError("A cover ends within the next 180 days; choose such a day.")
            standing = rows.all(open_offers(dyad["id"]))
            rows.remove(tables.handover, [each["id"] for each in standing if _over(rows, each["until"])])
            if any(each["recipient"] == to and not _over(rows, each["until"]) for each in standing):
                raise InputError(f"{client} is offered to {to} already; withdraw that offer first.")
            kept = rows.add(
                tables.handover, dyad=dyad["id"], recipient=to, kind=kind, until=ends, offered=rows.now().at,
                course=SHOWN if course else f"not {SHOWN}",
            )  # fmt: skip
            return kept["id"], _as_handover({**kept, "sender": self.who.code}, client)

        return self._act(Verb.OFFER, work)

    def handovers(self) -> tuple[Handover, ...]:
        """Return what one has offered, what is offered to one, and what came of it; what is over is not there."""

        def query(rows: Rows) -> tuple[str, tuple[Handover, ...]]:
            mine, theirs = rows.all(given(self.who.code)), rows.all(taken(self.who.code))
            standing = [row for row in (*mine, *theirs) if self._there_still(rows, row)]
            return "", tuple(_as_handover(row, row["code"] or "", row.get("was") or "") for row in standing)

        return self._see(Verb.SEE_HANDOVERS, query)

    def accept(self, handover: str, client: str) -> Dyad:
        """Take a client on from a colleague, by a code of one's own.

        A transfer ends the other's work with them. Every other open offer of this client is gone. With a client whom
        one has had before one goes on, under the code that one knew them by then.

        Parameters
        ----------
        handover
            Its id.
        client
            The code; one that one has not used yet.

        Raises
        ------
        Refused
            Where the offer is not there, or no longer: it was taken back, has ended, or somebody else was first.
        """
        typed = code(client)

        def work(rows: Rows) -> tuple[str, Dyad]:
            row, sender = self._offered(rows, Verb.ACCEPT, handover)
            made = self._made(rows, sender["client"], typed, row["until"])
            if row["kind"] == "transfer":
                self._hand_off(rows, sender, made)
                take_concerns(rows, sender, made)
            _forget_others(rows, row, made)
            rows.change(tables.handover, row, accepted=rows.now().at, made=made)
            return handover, as_dyad(rows.all(DYADS.where(tables.dyad.c.id == made))[0])

        return self._act(Verb.ACCEPT, work)

    def decline(self, handover: str) -> None:
        """Say no to an offer: it is gone."""

        def work(rows: Rows) -> tuple[str, None]:
            self._offered(rows, Verb.DECLINE, handover)
            rows.remove(tables.handover, [handover])
            return handover, None

        self._act(Verb.DECLINE, work)

    def withdraw_handover(self, handover: str) -> None:
        """Take an offer back, or end a cover now; whoever covered no longer sees the client.

        Raises
        ------
        InputError
            Where it is a transfer that was accepted: the client is the other's now, who can hand them back.
        """

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.handover, handover)
            dyad = self._whole(rows, tables.dyad, row["dyad"])
            self._refuse_unless(Verb.WITHDRAW_HANDOVER, owner=dyad["therapist"])
            if row["accepted"] is None:
                rows.remove(tables.handover, [handover])
            elif row["kind"] == "transfer":
                raise InputError("This client was taken on; the one who did can hand them back.")
            else:
                self._end_cover(rows, row["made"])
            return handover, None

        self._act(Verb.WITHDRAW_HANDOVER, work)

    def hand_on(self, therapist: str, to: str) -> int:
        """Offer the clients of a therapist who has left to another, for good; returns how many were offered.

        An admin does this and learns nothing of any client. Each is an offer like any other, of which the course is not
        shown: whoever it is made to sees by which code the one who left knew the client, and accepts or declines. What
        is offered to them already, and those with whom the other had ended, are passed over.

        Parameters
        ----------
        therapist
            The account that has ended.
        to
            The account of a therapist of the practice.

        Raises
        ------
        InputError
            Where the one can still sign in, or the other is no therapist here.
        """

        def work(rows: Rows) -> tuple[str, int]:
            if self._whole(rows, tables.account, therapist)["ended"] is None:
                raise InputError(
                    f"{therapist} can still sign in, and hands clients over themselves; or end the account first."
                )
            _refuse_no_therapist(rows, to)
            left = rows.all(left_by(therapist, to))
            for dyad in left:
                rows.add(
                    tables.handover, dyad=dyad["id"], recipient=to, kind="transfer", until=None,
                    offered=rows.now().at, course=f"not {SHOWN}",
                )  # fmt: skip
            return therapist, len(left)

        return self._act(Verb.HAND_ON, work)

    def met_before(self, client: str) -> pl.DataFrame:
        """Return how the bond with a client went with those from whom one took them on, where they let that be seen.

        Parameters
        ----------
        client
            The code.

        Returns
        -------
        polars.DataFrame
            The totals of the check-ins on connection up to the handover, a row a session, as `ratings` has them and
            under one's own code of the client. The therapist is called ``before``, or ``before 2`` and so on: who it
            was is no matter of the figures. Laid under one's own `ratings`, `trajectories.pairing` reads it.
        """

        def query(rows: Rows) -> tuple[str, list[Row]]:
            dyad = self._dyad(rows, client)
            met = enumerate(rows.all(shown_to(dyad["id"])), 1)
            found = [
                {**row, "therapist": BEFORE if place == 1 else f"{BEFORE} {place}", "code": client}
                for place, each in met
                for row in rows.all(up_to(each["dyad"], each["accepted"]))
            ]
            return dyad["client"], found

        return scored(self._see(Verb.SEE_MET_BEFORE, query))

    # -- inside

    def _offered(self, rows: Rows, verb: Verb, handover: str) -> tuple[Row, Row]:
        """An offer to oneself that still stands, and the dyad of whoever made it."""
        row = self._whole(rows, tables.handover, handover)
        dyad = self._whole(rows, tables.dyad, row["dyad"])
        self._refuse_unless(verb, owner=dyad["therapist"], addressed_to=row["recipient"])
        if row["accepted"] is not None or dyad["ended"] is not None or _over(rows, row["until"]):
            raise Refused(REFUSED)
        return row, dyad

    def _made(self, rows: Rows, client: str, typed: str, until: datetime | None) -> str:
        """The dyad in which one goes on with a client: a new one, or the one from before.

        A cover never goes on in what was one's own for good: when it is over, that would be gone with it.
        """
        mine = DYADS.where(tables.dyad.c.therapist == self.who.code, tables.dyad.c.client == client)
        before = {row["until"] is None: row for row in rows.all(mine)}
        if until is not None and True in before and before[True]["ended"] is None:
            raise InputError("This client is yours already, and needs no cover by you; decline the offer.")
        again = before.get(until is None) or (before.get(False) if until is None else None)
        if again is None or typed != again["code"]:
            refuse_twin(rows, self.who.code, typed)
        if again is not None:
            whole = self._whole(rows, tables.dyad, again["id"])
            rows.change(tables.dyad, whole, ended=None, ending=None, until=until)
            return str(whole["id"])
        values = {"therapist": self.who.code, "client": client, "since": rows.now().at}
        return str(rows.add(tables.dyad, **values, until=until, known_as=typed)["id"])

    def _hand_off(self, rows: Rows, sender: Row, made: str) -> None:
        """End the sender's work with a client, and every cover of it: there is nobody left who is away."""
        for row in rows.all(covers(sender["id"]).where(tables.handover.c.made != made)):
            self._end_cover(rows, row["made"])
        rows.change(tables.dyad, sender, ended=rows.now().at, ending=None)

    def _end_cover(self, rows: Rows, made: str) -> None:
        dyad = self._whole(rows, tables.dyad, made)
        if dyad["until"] is None:  # whoever covered was handed the client for good since
            raise Refused(REFUSED)
        rows.change(tables.dyad, dyad, until=min(dyad["until"], rows.now().steady))

    def _there_still(self, rows: Rows, row: Row) -> bool:
        """Whether an offer still stands, or what was accepted is not over."""
        if row["accepted"] is None:
            return row["ended"] is None and not _over(rows, row["until"])
        return not _over(rows, row["made_until"])


def _over(rows: Rows, until: datetime | None) -> bool:
    return until is not None and until <= rows.now().steady


def _forget_others(rows: Rows, accepted: Row, made: str) -> None:
    """Take away the other open offers of this client, and the covers by the same that this one goes on from."""
    table = tables.handover
    before = sa.select(table).where(
        table.c.dyad == accepted["dyad"], table.c.made == made, table.c.kind == "cover"
    )
    gone = [*rows.all(open_offers(accepted["dyad"])), *rows.all(before)]
    rows.remove(table, [row["id"] for row in gone if row["id"] != accepted["id"]])


def _refuse_no_therapist(rows: Rows, account: str) -> None:
    """Refuse to offer to one who could not accept."""
    row = rows.one(sa.select(tables.account).where(tables.account.c.id == account))
    if row is None or row["ended"] is not None or Role.THERAPIST not in row["roles"].split():
        raise InputError(f"{account} is no therapist here, or no longer; nothing was offered.")


def _refuse_odd(kind: str, until: datetime | None) -> None:
    if kind not in get_args(HandoverKind):
        raise InputError("A handover is a transfer or a cover.")
    if kind == "cover" and until is None:
        raise InputError("A cover has an end; choose its last day.")
    if kind == "transfer" and until is not None:
        raise InputError("A transfer is for good; leave the end out, or choose a cover.")


def _refuse_unfit(dyad: Row, client: str) -> None:
    if dyad["until"] is not None:
        raise InputError(f"You cover {client} for somebody, who alone can hand this client over.")
    if refuse_handed(dyad)["ended"] is not None:
        raise InputError(f"You have ended with {client}; resume first, and then hand over.")


def _as_handover(row: Row, client: str, was: str = "") -> Handover:
    state: Literal["offered", "accepted"] = "offered" if row["accepted"] is None else "accepted"
    return Handover(
        row["id"], row["sender"], row["recipient"], row["kind"], row["until"], row["course"] == SHOWN, state,
        client, was,
    )  # fmt: skip
