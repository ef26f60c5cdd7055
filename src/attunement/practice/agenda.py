"""How each of one's clients stands now: what Today and the caseload are made of, in one read."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.practice.caseload import Caseload, as_dyad, as_session
from attunement.practice.policy import Verb
from attunement.practice.safety import as_concern
from attunement.sessions import CheckIn, Concern, Dyad, Invitation, Purpose, Session, Step
from attunement.vault import tables

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.rows import Row, Rows


@dataclass(frozen=True, slots=True)
class Standing:
    """One client, as of now.

    Parameters
    ----------
    dyad
        Who, and since when.
    sessions
        All of them, in order; those still to come have the attendance ``planned``.
    last
        What they last answered, if they did.
    answered
        The numbers of the sessions for which there are answers.
    invitations
        Those not used, also such as have ended.
    steps
        What was chosen and has no outcome yet.
    concerns
        Those that are open.
    agreed
        What the client agrees to now.
    curve
        Whether the client can see their own course after a check-in.
    """

    dyad: Dyad
    sessions: tuple[Session, ...] = ()
    last: CheckIn | None = field(default=None, repr=False)
    answered: frozenset[int] = frozenset()
    invitations: tuple[Invitation, ...] = ()
    steps: tuple[Step, ...] = ()
    concerns: tuple[Concern, ...] = ()
    agreed: frozenset[Purpose] = frozenset()
    curve: bool = False

    @property
    def code(self) -> str:
        """The client's code."""
        return self.dyad.client.code


@dataclass(frozen=True, slots=True)
class Agenda:
    """One's clients, the moment, and a stamp of everything that has been rated.

    Parameters
    ----------
    now, steady
        When it was read; by `steady` it is judged what has ended.
    standings
        A client each, in the order in which they began.
    rated
        Changes whenever a rating came or went: what was worked out before it is of yesterday.
    """

    now: datetime
    steady: datetime
    standings: tuple[Standing, ...]
    rated: str


class Overview(Caseload):
    """The verb of one who wants to see how everybody stands."""

    def agenda(self) -> Agenda:
        """Return how each of one's clients stands now."""

        def query(rows: Rows) -> tuple[str, Agenda]:
            own = {name: _grouped(rows.all(query)) for name, query in _queries(self.who.code).items()}
            standings = tuple(_standing(row, own) for rows_of in own["dyad"].values() for row in rows_of)
            now = rows.now()
            return "", Agenda(now.at, now.steady, standings, _stamp(rows, self.who.code))

        return self._see(Verb.SEE_AGENDA, query)


Grouped = dict[str, list["Row"]]
_LATEST: Final = 2  # check-ins a dyad that are read whole


def _queries(therapist: str) -> dict[str, sa.Select[Any]]:
    """Everything of one's own dyads; each row says in ``dyad`` which."""
    mine = tables.dyad.c.therapist == therapist
    of_session = sa.join(tables.session, tables.dyad, tables.session.c.dyad == tables.dyad.c.id)
    number = tables.session.c.number
    check_in, invitation = tables.check_in, tables.invitation
    latest = sa.func.row_number().over(
        partition_by=tables.session.c.dyad, order_by=(number.desc(), check_in.c.at.desc())
    )
    with_session = tables.session.c.id
    return {
        "dyad": sa.select(
            tables.dyad, tables.dyad.c.id.label("dyad"), tables.client.c.code,
            tables.client.c.since.label("client_since"), tables.client.c.held, tables.own_curve.c.since.label("curve"),
        ).join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .outerjoin(tables.own_curve, tables.own_curve.c.id == tables.dyad.c.id).where(mine)
        .order_by(tables.dyad.c.since, tables.client.c.code),
        "session": sa.select(tables.session).select_from(of_session).where(mine).order_by(number),
        "answered": sa.select(tables.session.c.dyad, number).select_from(of_session)
        .join(check_in, check_in.c.session == with_session).where(mine).distinct(),
        "check_in": sa.select(
            sa.select(check_in, tables.session.c.dyad, number, latest.label("place"))
            .select_from(of_session).join(check_in, check_in.c.session == with_session)
            .where(mine).subquery("ordered")
        ),
        "invitation": sa.select(invitation, tables.session.c.dyad, number).select_from(of_session)
        .join(invitation, invitation.c.session == with_session).where(mine, invitation.c.used.is_(None)),
        "step": sa.select(tables.step).join(tables.dyad).where(mine, tables.step.c.outcome.is_(None))
        .order_by(tables.step.c.chosen),
        "concern": sa.select(tables.concern, number).join(tables.dyad, tables.dyad.c.id == tables.concern.c.dyad)
        .outerjoin(tables.session, with_session == tables.concern.c.session)
        .where(mine, tables.concern.c.closed.is_(None)).order_by(tables.concern.c.at),
        "consent": sa.select(tables.consent, tables.dyad.c.id.label("dyad"))
        .join(tables.dyad, tables.dyad.c.client == tables.consent.c.client)
        .where(mine, tables.consent.c.withdrawn.is_(None)),
    }  # fmt: skip


def _grouped(found: list[Row]) -> Grouped:
    grouped: Grouped = defaultdict(list)
    for row in found:
        grouped[row["dyad"]].append(row)
    return grouped


def _standing(row: Row, own: dict[str, Grouped]) -> Standing:
    dyad, code = row["id"], row["code"]
    last = next((each for each in own["check_in"].get(dyad, []) if each["place"] == 1), None)
    return Standing(
        dyad=as_dyad(row),
        sessions=tuple(as_session({**each, "code": code}) for each in own["session"].get(dyad, [])),
        last=_as_check_in(last, code) if last else None,
        answered=frozenset(each["number"] for each in own["answered"].get(dyad, [])),
        invitations=tuple(
            Invitation(each["id"], code, each["number"], each["instrument"], each["expires"])
            for each in own["invitation"].get(dyad, [])
        ),
        steps=tuple(
            Step(each["id"], code, each["chosen"], each["what"]) for each in own["step"].get(dyad, [])
        ),
        concerns=tuple(as_concern(each, code) for each in own["concern"].get(dyad, [])),
        agreed=frozenset(Purpose(each["purpose"]) for each in own["consent"].get(dyad, [])),
        curve=row["curve"] is not None,
    )


def _as_check_in(row: Row, code: str) -> CheckIn:
    answers = json.loads(row["answers"])
    return CheckIn(row["id"], code, row["number"], row["at"], row["instrument"], row["version"], answers)


def _stamp(rows: Rows, therapist: str) -> str:
    """How many answers and imported ratings there are, and since when: a rating that comes or goes changes it."""
    parts = []
    for table, when in ((tables.check_in, tables.check_in.c.at), (tables.rating, tables.session.c.began)):
        query: sa.Select[Any, Any, Any] = (
            sa.select(
                sa.func.count().label("many"),
                sa.func.max(when).label("last"),
                sa.func.max(table.c.id).label("id"),
            )
            .select_from(table)
            .join(tables.session, tables.session.c.id == table.c.session)
            .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
            .where(tables.dyad.c.therapist == therapist)
        )
        row = rows.one(query) or {}
        parts.append(f"{row.get('many')} {row.get('last')} {row.get('id')}")
    return "; ".join(parts)
