"""What belongs to a client: every row, to be erased; and their record, by the allow-list, to be given to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.practice import release
from attunement.sessions import OWN_SIDE
from attunement.vault import tables

if TYPE_CHECKING:
    from attunement.vault.rows import Row, Rows

TO_CLIENT: Final = "link"
"""The kind of a reminder that went to the client."""
_OF_DYAD: Final = (tables.step, tables.contact, tables.session)


def all_of(rows: Rows, client: str) -> list[tuple[sa.Table, list[str]]]:
    """Every row about a client, in an order in which they can be taken away."""
    dyads = sa.select(tables.dyad.c.id).where(tables.dyad.c.client == client)
    sessions = sa.select(tables.session.c.id).where(tables.session.c.dyad.in_(dyads))
    steps = sa.select(tables.step.c.id).where(tables.step.c.dyad.in_(dyads))
    queries = [
        (tables.reminded, tables.reminded.c.session.in_(sessions)),
        (tables.step_answer, tables.step_answer.c.step.in_(steps)),
        (tables.concern, tables.concern.c.dyad.in_(dyads)),
        (tables.rating, tables.rating.c.session.in_(sessions)),
        (tables.own_curve, tables.own_curve.c.id.in_(dyads)),
        (tables.check_in, tables.check_in.c.session.in_(sessions)),
        (tables.invitation, tables.invitation.c.session.in_(sessions)),
        *((table, table.c.dyad.in_(dyads)) for table in _OF_DYAD),
        (tables.share, tables.share.c.client == client),
        (tables.handover, sa.or_(tables.handover.c.dyad.in_(dyads), tables.handover.c.made.in_(dyads))),
        (tables.consent, tables.consent.c.client == client),
        (tables.dyad, tables.dyad.c.client == client),
        (tables.client, tables.client.c.id == client),
    ]
    return [
        (table, [row["id"] for row in rows.all(sa.select(table.c.id).where(which))])
        for table, which in queries
    ]


def record_of(rows: Rows, dyad: Row) -> dict[str, list[dict[str, Any]]]:
    """The client's record by the allow-list."""
    of = {table.name: sa.select(table).where(table.c.dyad == dyad["id"]) for table in _OF_DYAD}
    sessions = rows.all(of["session"].order_by(tables.session.c.number))
    check_ins = rows.all(
        sa.select(tables.check_in, tables.session.c.number)
        .join(tables.session, tables.session.c.id == tables.check_in.c.session)
        .where(tables.session.c.dyad == dyad["id"])
        .order_by(tables.session.c.number, tables.check_in.c.at)
    )
    answers = [
        {**row, "session": row["number"], "item": item, "answer": answer}
        for row in check_ins
        for item, answer in json.loads(row["answers"]).items()
    ]
    consents = sa.select(tables.consent).where(tables.consent.c.client == dyad["client"])
    number, made = tables.session.c.number.label("session"), tables.measure
    ratings = (
        sa.select(number, made.c.name.label("measure"), made.c.low, made.c.high, tables.rating.c.score)
        .select_from(tables.rating)
        .join(tables.session, tables.session.c.id == tables.rating.c.session)
        .join(made, made.c.id == tables.rating.c.measure)
        .where(tables.session.c.dyad == dyad["id"])
        .order_by(number, made.c.name)
    )
    concern, tried = tables.concern, tables.step_answer
    concerns = (
        sa.select(*(column for column in concern.c if column.name != "session"), number)
        .outerjoin(tables.session, tables.session.c.id == concern.c.session)
        .where(concern.c.dyad == dyad["id"])
        .order_by(concern.c.at)
    )
    step_answers = (
        sa.select(number, tried.c.talked, tried.c.helped)
        .select_from(tried)
        .join(tables.check_in, tables.check_in.c.id == tried.c.check_in)
        .join(tables.session, tables.session.c.id == tables.check_in.c.session)
        .where(tables.session.c.dyad == dyad["id"])
        .order_by(number)
    )
    sent = tables.reminded
    reminders = (
        sa.select(number, sent.c.at)
        .join(tables.session, tables.session.c.id == sent.c.session)
        .where(tables.session.c.dyad == dyad["id"], sent.c.kind == TO_CLIENT)
        .order_by(sent.c.at)
    )
    found = {
        "client": [
            {**{name: dyad[name] for name in ("code", "ended", "ending")}, "since": dyad["client_since"]}
        ],
        "sessions": [{**row, "session": row["number"]} for row in sessions],
        "contacts": rows.all(of["contact"].order_by(tables.contact.c.at)),
        "check_ins": answers,
        "ratings": rows.all(ratings),
        "steps": [
            each | {"about": None} if each["about"] in OWN_SIDE else each
            for each in rows.all(of["step"].order_by(tables.step.c.chosen))
        ],
        "step_answers": rows.all(step_answers),
        "concerns": rows.all(concerns),
        "reminders": rows.all(reminders),
        "consents": rows.all(consents.order_by(tables.consent.c.given, tables.consent.c.purpose)),
    }
    return {name: release.allowed(name, found[name]) for name in release.EXPORTED}
