"""Whose a client is now, and by which code: a client of two therapists is one row, and each has a code of their own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.vault.tables import account, client, concern, dyad, handover

if TYPE_CHECKING:
    from attunement.vault.rows import Row, Rows

known_as: Final = sa.func.coalesce(dyad.c.known_as, client.c.code).label("code")
"""The code by which the therapist of a dyad knows the client; the one they took over by, or the client's first."""

_HANDED: Final = (
    sa.exists()
    .where(handover.c.dyad == dyad.c.id, handover.c.kind == "transfer", handover.c.accepted == dyad.c.ended)
    .correlate(dyad)
)
"""Whether a dyad was ended by a transfer: accepting writes one moment into both, and nothing else ends it again."""
DYADS: Final = sa.select(
    dyad, known_as, client.c.since.label("client_since"), client.c.held, _HANDED.label("handed")
).join(client, client.c.id == dyad.c.client)
"""Dyads with the code that each therapist knows the client by, what is said of the client, and whether the therapist
has handed the client over for good."""


Steady = datetime | sa.BindParameter[datetime]
STEADY: Final[sa.BindParameter[datetime]] = sa.bindparam("steady")
"""Where the steady time of a piece of work goes, in a query that is built once."""


def own_dyads(therapist: str | sa.BindParameter[str], steady: Steady) -> sa.ColumnElement[bool]:
    """Say which dyads are somebody's at a steady time: a cover that is over is no longer there for whoever covered."""
    return sa.and_(dyad.c.therapist == therapist, under_way(steady))


def under_way(steady: Steady) -> sa.ColumnElement[bool]:
    """Say which dyads are no cover, or one that is not over."""
    return sa.or_(dyad.c.until.is_(None), dyad.c.until > steady)


OWN: Final = own_dyads(sa.bindparam("therapist"), STEADY)
"""Which dyads are one's own, in a query that is built once: to build one takes longer than to ask it."""


COVERS_OVER: Final = (
    sa.select(sa.func.count().label("many"))
    .select_from(dyad)
    .where(dyad.c.therapist == sa.bindparam("therapist"), dyad.c.until <= STEADY)
)
"""How many of one's covers are over: what was worked out with those clients is of yesterday."""


def refuse_twin(rows: Rows, therapist: str, code: str) -> None:
    """Refuse a code that somebody knows another client by, or did during a cover: notes on both would be mixed up."""
    if rows.one(DYADS.where(dyad.c.therapist == therapist, known_as == code)) is not None:
        raise InputError(
            f"You have, or had, a client with the code {code} already; each has a code of its own."
        )


def refuse_handed(own: Row) -> Row:
    """Return a dyad; refuse where the client was handed over from it for good.

    What one had written is one's own still. What is the client's (who they are, what they agree to, holds, erasing) is
    with whoever has them now.
    """
    if own["handed"]:
        raise InputError(
            f"You handed {own['code']} over for good; ask whoever has this client now to hand them back."
        )
    return own


def refuse_cover(own: Row, what: str) -> Row:
    """Return a dyad; refuse where it is a cover: whoever is only away has not given these things out of hand."""
    if own["until"] is not None:
        raise InputError(f"You cover {own['code']} for somebody, who alone can {what}.")
    return own


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


def _to_look_after() -> sa.Subquery:
    """Say whose each concern is to look after: its own dyad's, and after a cover that of whoever was covered for.

    Whoever covered no longer sees the client, and what was raised about somebody's safety must not be left to nobody.
    """
    cover = dyad.alias("cover")
    own = sa.select(concern.c.id.label("concern"), concern.c.dyad)
    back = (
        sa.select(concern.c.id.label("concern"), handover.c.dyad)
        .join(cover, cover.c.id == concern.c.dyad)
        .join(handover, handover.c.made == cover.c.id)
        .where(cover.c.until <= STEADY, handover.c.kind == "cover")
    )
    return sa.union_all(own, back).subquery("looked_after")


LOOKED_AFTER: Final = _to_look_after()
