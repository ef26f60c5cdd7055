"""How each of one's clients stands now: what Today and the caseload are made of, in one read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.practice.caseload import Caseload, as_dyad, as_session
from attunement.practice.checking_in import as_check_in
from attunement.practice.described import loaded_to_ask, with_description
from attunement.practice.policy import Verb
from attunement.practice.rated import CHECK_IN
from attunement.practice.safety import CONCERNS, as_concern
from attunement.practice.steps import as_step
from attunement.practice.whose import COVERS_OVER, DYADS, OWN, known_as
from attunement.sessions import PLANNED, CheckIn, Dyad, Invitation, Purpose, Session
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from attunement.concerns import Concern
    from attunement.instruments import Instrument
    from attunement.sessions import Step
    from attunement.vault.rows import Row, Rows


@dataclass(frozen=True, slots=True)
class Standing:
    """One client, as of now.

    Parameters
    ----------
    dyad
        Who, and since when.
    sessions
        The latest, in order, and all that are still to come, which have the attendance ``planned``.
    last, said
        What they last answered, if they did; and the last check-in on connection, which may be an earlier one.
    answered
        The numbers of those of the sessions for which there are answers.
    invitations
        Those not used, also such as have ended.
    steps, repairs
        What was chosen and has no outcome yet; and what was closed as repaired.
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
    said: CheckIn | None = field(default=None, repr=False)
    answered: frozenset[int] = frozenset()
    invitations: tuple[Invitation, ...] = ()
    steps: tuple[Step, ...] = ()
    repairs: tuple[Step, ...] = ()
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
    loaded
        What the practice has loaded and can ask besides its own instruments; where it is about one client.
    """

    now: datetime
    steady: datetime
    standings: tuple[Standing, ...]
    rated: str
    loaded: tuple[Instrument, ...] = ()


class Overview(Caseload):
    """The verb of one who wants to see how everybody stands."""

    def agenda(self, client: str | None = None) -> Agenda:
        """Return how each of one's clients stands now.

        Parameters
        ----------
        client
            One client's code, where it is about one alone.
        """
        version = self.house.record.stamp(*_RATED)

        def query(rows: Rows) -> tuple[str, Agenda]:
            mine, about, given = OWN, "", self._me(rows)
            if client is not None:
                found = self._dyad(rows, client)
                mine, about, given = _ONE, found["client"], {**given, "dyad": found["id"]}
            now = rows.now()
            own = {name: _grouped(rows.all(query, **given)) for name, query in _queries(mine).items()}
            standings = tuple(_standing(row, own) for rows_of in own["dyad"].values() for row in rows_of)
            loaded = loaded_to_ask(rows) if client is not None else ()
            return about, Agenda(now.at, now.steady, standings, self._rated(rows, version), loaded)

        return self._see(Verb.SEE_AGENDA, query)

    def rated_stamp(self, client: str | None = None) -> Agenda:
        """Return the moment and the stamp of what has been rated, and nobody's standing: by it findings are asked for.

        Parameters
        ----------
        client
            One's own client's code, where it is about one alone.
        """
        version = self.house.record.stamp(*_RATED)

        def query(rows: Rows) -> tuple[str, Agenda]:
            about = self._dyad(rows, client)["client"] if client is not None else ""
            now = rows.now()
            return about, Agenda(now.at, now.steady, (), self._rated(rows, version))

        return self._see(Verb.SEE_TRAJECTORIES, query)

    def _rated(self, rows: Rows, version: str) -> str:
        """Return the stamp of what has been rated: counted where anything may have changed since it was.

        Parameters
        ----------
        rows
            Read at `version`, or later.
        version
            Of the tables of which it is counted.
        """
        over = rows.one(COVERS_OVER, **self._me(rows)) or {}
        version = f"{version} {over.get('many')}"
        before, stamp = self.house.counted.get(self.who.code, ("", ""))
        if before != version:
            stamp = _stamp(rows, self._me(rows))
            self.house.counted[self.who.code] = (version, stamp)
        return stamp


Grouped = dict[str, list["Row"]]
_ONE: Final = tables.dyad.c.id == sa.bindparam("dyad")
_RATED: Final = ("dyad", "check_in", "rating")
"""Tables of which it is counted what has been rated."""
LATEST: Final = 4
"""So many sessions a client are read; all of them are `Practice.sessions`."""


@cache
def _queries(mine: sa.ColumnElement[bool]) -> dict[str, sa.Select[Any]]:
    """Everything of one's own dyads, `OWN` or `_ONE` of them; each row says in ``dyad`` which."""
    of_session = sa.join(tables.session, tables.dyad, tables.session.c.dyad == tables.dyad.c.id)
    number, with_session = tables.session.c.number, tables.session.c.id
    check_in, invitation = tables.check_in, tables.invitation
    recent = _recent_sessions(mine).select_from(of_session).subquery("recent")
    to_come = recent.c.attendance == PLANNED
    return {
        "dyad": DYADS.add_columns(tables.dyad.c.id.label("dyad"), tables.own_curve.c.since.label("curve"))
        .outerjoin(tables.own_curve, tables.own_curve.c.id == tables.dyad.c.id).where(mine)
        .order_by(tables.dyad.c.since, known_as),
        "session": sa.select(recent, sa.exists().where(check_in.c.session == recent.c.id).label("answered"))
        .where(sa.or_(recent.c.place <= LATEST, to_come)).order_by(recent.c.number),
        "check_in": _latest_check_ins(mine),
        "invitation": sa.select(invitation, tables.session.c.dyad, number).select_from(of_session)
        .join(invitation, invitation.c.session == with_session).where(mine, invitation.c.used.is_(None)),
        "step": sa.select(tables.step).join(tables.dyad).where(mine, tables.step.c.outcome.is_(None))
        .order_by(tables.step.c.chosen),
        "repair": sa.select(tables.step).join(tables.dyad).where(mine, tables.step.c.repaired == "yes")
        .order_by(tables.step.c.chosen),
        "consent": sa.select(tables.consent, tables.dyad.c.id.label("dyad"))
        .join(tables.dyad, tables.dyad.c.client == tables.consent.c.client)
        .where(mine, tables.consent.c.withdrawn.is_(None)),
        "concern": CONCERNS.where(mine, tables.concern.c.closed.is_(None)),
    }  # fmt: skip


def _recent_sessions(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Sessions with their place from the end, those to come counted apart."""
    table = tables.session
    place = sa.func.row_number().over(
        partition_by=(table.c.dyad, table.c.attendance == PLANNED), order_by=table.c.number.desc()
    )
    return sa.select(table, place.label("place")).where(mine)


def _latest_check_ins(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The last check-in of each dyad, and the last on connection, which is mostly the same; the latest first.

    Which these are, is made up first: a database that holds rows to whom they are for looks into no index by a value
    that it has still to work out, and would go through the whole clinic's.
    """
    check_in, session = tables.check_in, tables.session
    last, said = (
        sa.select(_last_check_in(*which).label("id")).select_from(tables.dyad).where(mine)
        for which in ((), (check_in.c.instrument == CHECK_IN,))
    )
    latest = sa.union(last, said).cte("latest").prefix_with("MATERIALIZED")
    return (
        with_description(sa.select(check_in, session.c.dyad, session.c.number))
        .join(session, session.c.id == check_in.c.session)
        .join(latest, check_in.c.id == latest.c.id)
        .order_by(session.c.number.desc(), check_in.c.at.desc())
    )


def _last_check_in(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[str]:
    """The id of a dyad's last check-in of some."""
    check_in, session = tables.check_in, tables.session
    return (
        sa.select(check_in.c.id)
        .join(session, session.c.id == check_in.c.session)
        .where(session.c.dyad == tables.dyad.c.id, *which)
        .order_by(session.c.number.desc(), check_in.c.at.desc())
        .limit(1)
        .correlate(tables.dyad)
        .scalar_subquery()
    )


def _grouped(found: list[Row]) -> Grouped:
    """By dyad; a concern by the one in which it is looked after, where a cover is over."""
    grouped: Grouped = defaultdict(list)
    for row in found:
        grouped[row.get("looked_after") or row["dyad"]].append(row)
    return grouped


def _standing(row: Row, own: dict[str, Grouped]) -> Standing:
    dyad, code = row["id"], row["code"]
    latest = own["check_in"].get(dyad, [])
    last = next(iter(latest), None)
    said = next((each for each in latest if each["instrument"] == CHECK_IN), None)
    sessions = own["session"].get(dyad, [])
    return Standing(
        dyad=as_dyad(row),
        sessions=tuple(as_session({**each, "code": code}) for each in sessions),
        last=as_check_in(last, code) if last else None,
        said=as_check_in(said, code) if said else None,
        answered=frozenset(each["number"] for each in sessions if each["answered"]),
        invitations=tuple(
            Invitation(each["id"], code, each["number"], each["instrument"], each["expires"])
            for each in own["invitation"].get(dyad, [])
        ),
        steps=tuple(as_step(each, code) for each in own["step"].get(dyad, [])),
        repairs=tuple(as_step(each, code) for each in own["repair"].get(dyad, [])),
        concerns=tuple(as_concern(each, code) for each in own["concern"].get(dyad, [])),
        agreed=frozenset(Purpose(each["purpose"]) for each in own["consent"].get(dyad, [])),
        curve=row["curve"] is not None,
    )


def _counted(table: sa.Table, when: sa.Column[datetime]) -> sa.Select[Any]:
    last, newest = sa.func.max(when).label("last"), sa.func.max(table.c.id).label("id")
    counted: sa.Select[Any, Any, Any] = sa.select(sa.func.count().label("many"), last, newest)
    return (
        counted.select_from(table)
        .join(tables.session, tables.session.c.id == table.c.session)
        .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .where(OWN)
    )


_COUNTED: Final = (
    _counted(tables.check_in, tables.check_in.c.at),
    _counted(tables.rating, tables.session.c.began),
)


def _stamp(rows: Rows, mine: Mapping[str, Any]) -> str:
    """How many answers and imported ratings there are, and since when: a rating that comes or goes changes it."""
    parts = []
    for query in _COUNTED:
        row = rows.one(query, **mine) or {}
        parts.append(f"{row.get('many')} {row.get('last')} {row.get('id')}")
    return "; ".join(parts)
