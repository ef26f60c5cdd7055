"""What comes in from another system, and what goes out to one: entries, whatever the format (`attunement.exchange`).

Everything of a file is taken in one transaction, or nothing is. There is no entry for a reflection, neither way.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.practice.described import shelf
from attunement.practice.policy import Verb
from attunement.practice.rated import Ratings
from attunement.practice.taking import Crossed, Taking
from attunement.practice.whose import known_as
from attunement.sessions import UNDATED
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from attunement.exchange.entries import Entry
    from attunement.instruments import Instrument
    from attunement.vault.rows import Rows

MOST_ENTRIES: Final = 200_000
"""So many entries are taken in at once."""


class Crossing(Ratings):
    """Verbs of what crosses to and from other systems."""

    def shelf(self) -> dict[str, Instrument]:
        """Return the instruments that a reader or a writer of a format can name: ours, loaded, and of others."""
        return self._see(Verb.SEE_INSTRUMENTS, lambda rows: ("", shelf(rows)))

    def entries(self, client: str | None = None) -> tuple[Entry, ...]:
        """Return one's own record as entries: of one client, or of all.

        Parameters
        ----------
        client
            The code; all of one's clients if left out.

        Raises
        ------
        Locked
            While anybody's reflections are unlocked, as with `export`.
        """
        self._refuse_while_unlocked()

        def query(rows: Rows) -> tuple[str, tuple[Entry, ...]]:
            dyads = tables.dyad
            mine, about = self._own_dyads(rows), ""
            if client is not None:
                dyad = self._dyad(rows, client)
                mine, about = dyads.c.id == dyad["id"], dyad["client"]
            return about, tuple(_entries(rows, mine))

        return self._see(Verb.EXPORT, query)

    def take_in_entries(self, entries: Iterable[Entry]) -> Crossed:
        """Take in what another system gave: all of it, or nothing.

        Clients and sessions that are not there are made; what is there in the same words is passed over, what was left
        out is filled in, and what is there in other words is refused. Sessions that a file merely counts, without a
        number of ours, are told by their day.

        Raises
        ------
        InputError
            In one sentence, which names the client, the session and what would do.
        """
        listed = at_most(entries)

        def work(rows: Rows) -> tuple[str, Crossed]:
            return "", Taking.of(rows, self.who.code, shelf(rows)).all(listed)

        return self._act(Verb.TAKE_IN, work)


def _entries(rows: Rows, mine: sa.ColumnElement[bool]) -> Iterable[Entry]:
    """One's own record, client by client."""
    client, dyad, session = known_as, tables.dyad, tables.session
    of_client = sa.select(client, dyad.c.since, dyad.c.ended, dyad.c.ending).join(
        tables.client, tables.client.c.id == dyad.c.client
    )
    for row in rows.all(of_client.where(mine).order_by(dyad.c.since, client)):
        yield ClientEntry(row["code"], row["since"], row["ended"], row["ending"])
    for row in rows.all(_in_sessions(sa.select(session, client), mine)):
        yield SessionEntry(
            row["code"], row["number"], _dated(row["began"]), row["attendance"], row["lateness"]
        )
    answered = sa.select(tables.check_in, session.c.number, client).join(
        session, session.c.id == tables.check_in.c.session
    )
    for row in rows.all(_in_sessions(answered, mine).order_by(tables.check_in.c.at)):
        yield AnswersEntry(
            row["code"], row["number"], _dated(row["at"]), row["instrument"], row["version"],
            json.loads(row["answers"]),
        )  # fmt: skip
    measure, rating = tables.measure, tables.rating
    rated = (
        sa.select(
            rating.c.score, measure.c.instrument, measure.c.scale, session.c.number, session.c.began, client
        )
        .join(measure, measure.c.id == rating.c.measure)
        .join(session, session.c.id == rating.c.session)
        .where(measure.c.instrument.is_not(None))
    )
    for row in rows.all(_in_sessions(rated, mine).order_by(measure.c.name)):
        yield TotalEntry(
            row["code"], row["number"], _dated(row["began"]), row["instrument"], row["scale"], row["score"]
        )


def _in_sessions(query: sa.Select[Any], mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        query.join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(mine)
        .order_by(tables.dyad.c.since, known_as, tables.session.c.number)
    )


def _dated(at: datetime) -> datetime | None:
    return None if at == UNDATED else at


def at_most(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries as a list, while they are not more than are taken in at once.

    Raises
    ------
    InputError
        Where there are more, or none.
    """
    listed: list[Entry] = []
    for entry in entries:
        if len(listed) == MOST_ENTRIES:
            raise InputError(f"More than {MOST_ENTRIES:,} entries are not taken in at once; split the file.")
        listed.append(entry)
    if not listed:
        raise InputError("There is nothing in it that could be taken in.")
    return listed
