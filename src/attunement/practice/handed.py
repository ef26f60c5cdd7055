"""What is read and moved where a client goes from one therapist to another: offers, covers, courses, concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.practice.rated import CHECK_IN, checked_in
from attunement.practice.whose import known_as
from attunement.vault import tables

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.rows import Row, Rows

SHOWN: Final = "shown"
"""The word for a course of the bond that whoever takes the client on may see."""


def given(therapist: str) -> sa.Select[Any]:
    """Handovers by a therapist, with their own code of the client."""
    made = tables.dyad.alias("made")
    return (
        sa.select(
            tables.handover, tables.dyad.c.therapist.label("sender"), tables.dyad.c.ended,
            made.c.until.label("made_until"), known_as,
        )
        .select_from(tables.handover)
        .join(tables.dyad, tables.dyad.c.id == tables.handover.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .outerjoin(made, made.c.id == tables.handover.c.made)
        .where(tables.dyad.c.therapist == therapist)
        .order_by(tables.handover.c.offered)
    )  # fmt: skip


def taken(therapist: str) -> sa.Select[Any]:
    """Handovers to a therapist, with the code that they took the client on by; none where they have not."""
    sender, person, left = tables.dyad.alias("sender"), tables.client.alias("person"), tables.account
    was = sa.case((left.c.ended.is_not(None), sa.func.coalesce(sender.c.known_as, person.c.code)))
    return (
        sa.select(
            tables.handover, sender.c.therapist.label("sender"), sender.c.ended,
            tables.dyad.c.until.label("made_until"), known_as, was.label("was"),
        )
        .select_from(tables.handover)
        .join(sender, sender.c.id == tables.handover.c.dyad)
        .join(person, person.c.id == sender.c.client)
        .join(left, left.c.id == sender.c.therapist)
        .outerjoin(tables.dyad, tables.dyad.c.id == tables.handover.c.made)
        .outerjoin(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(tables.handover.c.recipient == therapist)
        .order_by(tables.handover.c.offered)
    )  # fmt: skip


def open_offers(dyad: str) -> sa.Select[Any]:
    """Offers of a dyad that nobody has accepted."""
    table = tables.handover
    return sa.select(table).where(table.c.dyad == dyad, table.c.accepted.is_(None))


def left_by(therapist: str, to: str) -> sa.Select[Any]:
    """Dyads of a therapist that have not ended, and are not offered to another yet; covers ended with the account."""
    offered = sa.exists().where(
        tables.handover.c.dyad == tables.dyad.c.id,
        tables.handover.c.recipient == to,
        tables.handover.c.kind == "transfer",
        tables.handover.c.accepted.is_(None),
    )
    mine = (
        tables.dyad.c.therapist == therapist,
        tables.dyad.c.ended.is_(None),
        tables.dyad.c.until.is_(None),
    )
    return sa.select(tables.dyad.c.id).where(*mine, ~offered).order_by(tables.dyad.c.since)


def covers(dyad: str) -> sa.Select[Any]:
    """Covers of a dyad that somebody has taken on."""
    table, made = tables.handover, tables.dyad.alias("made")
    return (
        sa.select(table)
        .join(made, made.c.id == table.c.made)
        .where(table.c.dyad == dyad, table.c.kind == "cover", made.c.until.is_not(None))
    )


def shown_to(made: str) -> sa.Select[Any]:
    """Dyads from which this one came about, each once and up to the last time that its course was let be seen."""
    table = tables.handover
    last = sa.func.max(table.c.accepted).label("accepted")
    shown = sa.select(table.c.dyad, last).where(table.c.made == made, table.c.course == SHOWN)
    return shown.group_by(table.c.dyad).order_by(last)


def up_to(dyad: str, accepted: datetime) -> sa.Select[Any]:
    """Check-ins on connection with an earlier therapist, up to the handover."""
    sent = tables.check_in
    return checked_in(tables.dyad.c.id == dyad).where(sent.c.instrument == CHECK_IN, sent.c.at <= accepted)


def take_concerns(rows: Rows, sender: Row, made: str) -> None:
    """Let open concerns of one who has left go with the client: nobody else could look after them.

    They come without the session and the check-in that gave rise to them, which stay with the dyad of then.
    """
    account = rows.one(sa.select(tables.account).where(tables.account.c.id == sender["therapist"]))
    if account is None or account["ended"] is None:
        return
    table = tables.concern
    for row in rows.all(sa.select(table).where(table.c.dyad == sender["id"], table.c.closed.is_(None))):
        rows.change(table, row, dyad=made, session=None, check_in=None)
