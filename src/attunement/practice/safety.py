"""When somebody's safety is in question: concerns with what was done about them, and the practice's own protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.concerns import Concern, Protocol
from attunement.errors import InputError
from attunement.practice.desk import Desk, there
from attunement.practice.policy import Verb
from attunement.practice.whose import DYADS, LOOKED_AFTER, OWN
from attunement.sessions import instant
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from attunement.instruments import Instrument
    from attunement.vault.rows import Row, Rows

LONGEST_CONCERN: Final = 2_000  # characters


class Safety(Desk):
    """Verbs around a concern. It stands in the record, never in a reflection."""

    def raise_concern(self, client: str, words: str, *, session: int | None = None) -> Concern:
        """Write down a concern of one's own about a client's safety.

        Parameters
        ----------
        client
            The code.
        words
            What gives rise to it; part of the record.
        session
            After which session, where it was one.
        """
        text = _said("A concern", words)

        def work(rows: Rows) -> tuple[str, Concern]:
            dyad = self._dyad(rows, client)
            about = None
            if session is not None:
                table = tables.session
                about = rows.one(
                    sa.select(table.c.id).where(table.c.dyad == dyad["id"], table.c.number == session)
                )
                if about is None:
                    raise InputError(f"Session {session} with this client is not there yet; log it first.")
            row = rows.add(
                tables.concern, dyad=dyad["id"], session=about["id"] if about else None, at=rows.now().at,
                why=text,
            )  # fmt: skip
            return row["id"], as_concern({**row, "number": session}, client)

        return self._act(Verb.RAISE_CONCERN, work)

    def close_concern(self, concern: str, done: str, done_at: datetime) -> Concern:
        """Close a concern by what was done about it: what, when, and by whom.

        Parameters
        ----------
        concern
            Its id.
        done
            What was done, in words.
        done_at
            When it was done; not in the future.
        """
        text = _said("What was done", done)

        def work(rows: Rows) -> tuple[str, Concern]:
            row = self._whole(rows, tables.concern, concern)
            dyad = self._who_looks_after(rows, concern)
            if row["closed"] is not None:
                raise InputError(
                    "This concern is closed already; what was done then stays as it was written."
                )
            now = rows.now().at
            if instant(done_at) > now:
                raise InputError("What was done was done by now; that time lies in the future.")
            values = {"closed": now, "closed_by": self.who.code, "done": text, "done_at": instant(done_at)}
            changed = rows.change(tables.concern, row, **values)
            mine = dyad["id"] == row["dyad"]  # the session of a cover is the coverer's
            number = self._number(rows, row["session"]) if mine else None
            return row["id"], as_concern(
                {**changed, "number": number, "looked_after": dyad["id"]}, dyad["code"]
            )

        return self._act(Verb.CLOSE_CONCERN, work)

    def concerns(self, client: str) -> tuple[Concern, ...]:
        """Return the concerns about a client, in order, those that are closed too."""

        def query(rows: Rows) -> tuple[str, tuple[Concern, ...]]:
            dyad = self._dyad(rows, client)
            found = rows.all(_OF_DYAD, steady=rows.now().steady, dyad=dyad["id"])
            return dyad["client"], tuple(as_concern(row, client) for row in found)

        return self._see(Verb.SEE_CONCERNS, query)

    # -- the protocol

    def protocol(self) -> Protocol:
        """Return what the practice does where somebody's safety is in question."""

        def query(rows: Rows) -> tuple[str, Protocol]:
            row = _last_protocol(rows)
            return row["id"] if row else "", current_protocol(rows)

        return self._see(Verb.SEE_PROTOCOL, query)

    def set_protocol(self, protocol: Protocol) -> None:
        """Set another protocol from now on; the earlier ones stay in the record."""

        def work(rows: Rows) -> tuple[str, None]:
            row = rows.add(
                tables.protocol, at=rows.now().at, by=self.who.code, help_en=protocol.help_en,
                help_es=protocol.help_es, number=protocol.number, steps=protocol.steps,
            )  # fmt: skip
            return row["id"], None

        self._act(Verb.SET_PROTOCOL, work)

    # -- inside

    def _who_looks_after(self, rows: Rows, concern: str) -> Row:
        """One's own dyad to which a concern belongs, or in which one was covered for."""
        found = rows.one(_LOOKING_AFTER, **self._me(rows), concern=concern)
        self._refuse_unless(Verb.CLOSE_CONCERN, owner=found["therapist"] if found else "")
        return there(found)

    def _number(self, rows: Rows, session: str | None) -> int | None:
        if session is None:
            return None
        return int(self._whole(rows, tables.session, session)["number"])


def raise_from_answers(
    rows: Rows, asked: Instrument, answers: Mapping[str, float | None], where: Mapping[str, Any]
) -> None:
    """Raise a concern for each answer that asks for one, in the transaction that takes the answers.

    Parameters
    ----------
    rows
        Of that transaction.
    asked, answers
        The instrument, and what was answered.
    where
        The columns ``dyad``, ``session`` and ``check_in``.
    """
    for item, answer in asked.at_risk(answers).items():
        rows.add(
            tables.concern, at=rows.now().at, item=f"{asked.id}.{item}", answer=float(answer), why="", **where
        )


CONCERNS: Final = (
    sa.select(tables.concern, tables.session.c.number, LOOKED_AFTER.c.dyad.label("looked_after"))
    .select_from(tables.concern)
    .join(LOOKED_AFTER, LOOKED_AFTER.c.concern == tables.concern.c.id)
    .join(tables.dyad, tables.dyad.c.id == LOOKED_AFTER.c.dyad)
    .outerjoin(tables.session, tables.session.c.id == tables.concern.c.session)
    .order_by(tables.concern.c.at)
)
"""Concerns with the session's number and the dyad in which each is ``looked_after`` at a steady time, in order."""
_OF_DYAD: Final = CONCERNS.where(tables.dyad.c.id == sa.bindparam("dyad"))
_LOOKING_AFTER: Final = DYADS.join(LOOKED_AFTER, LOOKED_AFTER.c.dyad == tables.dyad.c.id).where(
    OWN, LOOKED_AFTER.c.concern == sa.bindparam("concern")
)


def as_concern(row: Row, client: str) -> Concern:
    """Read a concern from its row, with the session's ``number`` and the dyad in which it is ``looked_after``."""
    covered = row.get("looked_after", row["dyad"]) != row["dyad"]
    return Concern(
        row["id"], client, None if covered else row["number"], row["at"], row["item"], row["answer"], row["why"],
        row["closed"], row["closed_by"], row["done"] or "", row["done_at"], covered,
    )  # fmt: skip


def current_protocol(rows: Rows) -> Protocol:
    """Return the practice's protocol, or the usual one."""
    row = _last_protocol(rows)
    return Protocol(row["help_en"], row["help_es"], row["number"], row["steps"]) if row else Protocol()


def _last_protocol(rows: Rows) -> Row | None:
    return rows.one(sa.select(tables.protocol).order_by(tables.protocol.c.at.desc()).limit(1))


def _said(what: str, words: str) -> str:
    text = words.strip()
    if not 1 <= len(text) <= LONGEST_CONCERN:
        raise InputError(f"{what} is said in 1 to {LONGEST_CONCERN:,} characters.")
    return text
