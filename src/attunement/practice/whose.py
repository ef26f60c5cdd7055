"""Whose a client is now, and by which code: a client of two therapists is one row, and each has a code of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.vault.tables import account, client, concern, dyad, handover

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.rows import Row, Rows

known_as: Final = sa.func.coalesce(dyad.c.known_as, client.c.code).label("code")
"""The code by which the therapist of a dyad knows the client; the one they took over by, or the client's first."""

DYADS: Final = sa.select(dyad, known_as, client.c.since.label("client_since"), client.c.held).join(
    client, client.c.id == dyad.c.client
)
"""Dyads with the code that each therapist knows the client by, and what is said of the client."""


def own_dyads(therapist: str, steady: datetime) -> sa.ColumnElement[bool]:
    """Say which dyads are somebody's at a steady time: a cover that is over is no longer there for whoever covered."""
    return sa.and_(dyad.c.therapist == therapist, under_way(steady))


def under_way(steady: datetime) -> sa.ColumnElement[bool]:
    """Say which dyads are no cover, or one that is not over."""
    return sa.or_(dyad.c.until.is_(None), dyad.c.until > steady)


def covers_over(therapist: str, steady: datetime) -> sa.Select[Any]:
    """Return how many of somebody's covers are over: what was worked out with those clients is of yesterday."""
    over = (dyad.c.therapist == therapist, dyad.c.until <= steady)
    return sa.select(sa.func.count().label("many")).select_from(dyad).where(*over)


def refuse_twin(rows: Rows, therapist: str, code: str) -> None:
    """Refuse a code that somebody knows another client by, or did during a cover: notes on both would be mixed up."""
    if rows.one(DYADS.where(dyad.c.therapist == therapist, known_as == code)) is not None:
        raise InputError(
            f"You have, or had, a client with the code {code} already; each has a code of its own."
        )


def latest_code(of_client: sa.Column[str], therapist: sa.Column[str]) -> sa.Select[Any]:
    """Return the code by which a therapist knows a client, or the later one where they had them twice."""
    return (
        sa.select(known_as)
        .join(client, client.c.id == dyad.c.client)
        .where(dyad.c.client == of_client, dyad.c.therapist == therapist)
        .order_by(dyad.c.since.desc())
        .limit(1)
    )


def others_at_work(own: Row, steady: datetime) -> sa.Select[Any]:
    """Return the dyads in which somebody else, who can still sign in, is at work with the client of one's own."""
    return (
        sa.select(dyad.c.id)
        .join(account, account.c.id == dyad.c.therapist)
        .where(
            dyad.c.client == own["client"],
            dyad.c.therapist != own["therapist"],
            dyad.c.ended.is_(None),
            under_way(steady),
            account.c.ended.is_(None),
        )
    )


def to_look_after(steady: datetime) -> sa.Subquery:
    """Say whose each concern is to look after: its own dyad's, and after a cover that of whoever was covered for.

    Whoever covered no longer sees the client, and what was raised about somebody's safety must not be left to nobody.
    """
    cover = dyad.alias("cover")
    own = sa.select(concern.c.id.label("concern"), concern.c.dyad)
    back = (
        sa.select(concern.c.id.label("concern"), handover.c.dyad)
        .join(cover, cover.c.id == concern.c.dyad)
        .join(handover, handover.c.made == cover.c.id)
        .where(cover.c.until <= steady, handover.c.kind == "cover")
    )
    return sa.union_all(own, back).subquery("looked_after")
