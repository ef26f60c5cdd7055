"""Taking entries in, within one transaction: what is there already, what is new, and what does not fit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.instruments import held
from attunement.practice.rated import MOST_SESSIONS
from attunement.practice.safety import raise_from_answers
from attunement.sessions import ATTENDANCE, ENDINGS, PLANNED, UNDATED, code, instant
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attunement.exchange.entries import Entry
    from attunement.instruments import Answers, Instrument, Scale
    from attunement.vault.rows import Row, Rows

_SHARE: Final = 0.7
"""From which part of a scale on a bond is called established, where the instrument says nothing; a convention."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """What was taken in.

    Parameters
    ----------
    clients, sessions, answers, totals
        How many were new.
    there
        How many were there already, the same in everything: taking a file in twice changes nothing.
    at_risk
        How many clients have, as their latest answers to an instrument, one that asks for a look at their safety; a
        concern was raised for each.
    """

    clients: int = 0
    sessions: int = 0
    answers: int = 0
    totals: int = 0
    there: int = 0
    at_risk: int = 0


@dataclass(slots=True)
class Taking:
    """One transaction of taking in.

    Parameters
    ----------
    rows, therapist
        Of the transaction, and whose clients they are.
    instruments
        By id.
    dyads, sessions
        What is there: the dyad by the client's code, the session by dyad and number.
    """

    rows: Rows
    therapist: str
    instruments: Mapping[str, Instrument]
    dyads: dict[str, str]
    sessions: dict[tuple[str, int], str]
    crossed: Crossed = field(default_factory=Crossed)
    risks: dict[tuple[str, str], tuple[int, dict[str, str], AnswersEntry]] = field(default_factory=dict)

    def all(self, entries: Iterable[Entry]) -> Crossed:
        """Take clients first, then sessions, then what was answered in them."""
        for entry in entries:
            if isinstance(entry, ClientEntry):
                self._client(entry)
        for entry in entries:
            if isinstance(entry, SessionEntry):
                self._session(entry)
        for entry in entries:
            if isinstance(entry, AnswersEntry):
                self._answers(entry)
            elif isinstance(entry, TotalEntry):
                self._total(entry)
        self._raise_concerns()
        return self.crossed

    # -- one of each

    def _client(self, entry: ClientEntry) -> None:
        named = code(entry.code)
        if named in self.dyads:
            self._count("there")
            return
        if entry.ending is not None and entry.ending not in ENDINGS:
            raise InputError(f"{named}: {entry.ending!r} is no ending; one of {', '.join(ENDINGS)} is.")
        now = self.rows.now().at
        since = instant(entry.since) if entry.since else now
        ended = instant(entry.ended) if entry.ended else None
        person = self.rows.add(tables.client, code=named, since=since)
        dyad = self.rows.add(
            tables.dyad, therapist=self.therapist, client=person["id"], since=since, ended=ended,
            ending=entry.ending if ended else None,
        )  # fmt: skip
        self.dyads[named] = str(dyad["id"])
        self._count("clients")

    def _session(self, entry: SessionEntry) -> None:
        where = f"Session {entry.number} of {code(entry.client)}"
        if entry.attendance not in {*ATTENDANCE, PLANNED}:
            words = ", ".join((*ATTENDANCE, PLANNED))
            raise InputError(f"{where}: attendance is {entry.attendance!r}; it takes one of {words}.")
        if entry.lateness is not None and not 0 <= entry.lateness <= 600:
            raise InputError(f"{where}: lateness is {entry.lateness:g}; it takes minutes from 0 to 600.")
        dyad = self._dyad(entry.client)
        began = instant(entry.began) if entry.began else UNDATED
        if (dyad, entry.number) not in self.sessions:
            self._add_session(
                dyad, entry.number, where, began=began, attendance=entry.attendance, lateness=entry.lateness
            )
            return
        row = self._row(tables.session, self.sessions[dyad, entry.number])
        if row["began"] == UNDATED != began:
            row = self.rows.change(tables.session, row, began=began)
        if began not in {UNDATED, row["began"]} or entry.attendance != row["attendance"]:
            raise InputError(f"{where} is there with another beginning or attendance; mend one of the two.")
        self._count("there")

    def _answers(self, entry: AnswersEntry) -> None:
        where = f"Session {entry.session} of {code(entry.client)}"
        asked = self._instrument(entry.instrument, where)
        if entry.version != asked.version:
            raise InputError(
                f"{where}: {asked.id} is here in version {asked.version}, and these answers are to {entry.version!r}."
            )
        given = json.dumps(_held(asked, entry.answers, where), separators=(",", ":"), allow_nan=False)
        session = self._row(tables.session, self._session_of(entry))
        at = instant(entry.at) if entry.at else session["began"]
        table = tables.check_in
        same = sa.select(table).where(table.c.session == session["id"], table.c.instrument == asked.id)
        if any((row["at"], _read(row["answers"])) == (at, _read(given)) for row in self.rows.all(same)):
            self._count("there")
            return
        kept = self.rows.add(
            table, session=session["id"], at=at, instrument=asked.id, version=asked.version, answers=given
        )
        about = {"dyad": session["dyad"], "session": session["id"], "check_in": kept["id"]}
        self._note_risk(asked, entry, about)
        self._count("answers")

    def _total(self, entry: TotalEntry) -> None:
        where = f"Session {entry.session} of {code(entry.client)}"
        asked = self._instrument(entry.instrument, where)
        scale = next((each for each in asked.scales if each.id == entry.scale), None)
        if scale is None:
            raise InputError(f"{where}: {entry.scale!r} is no scale of {asked.id}.")
        low, high = asked.bounds(scale)
        if not low <= entry.value <= high:
            raise InputError(
                f"{where}: {asked.id}, {scale.id} is {entry.value:g}; it takes a number from {low:g} to {high:g}."
            )
        measure, session = self._measure(asked, scale), self._session_of(entry)
        table = tables.rating
        same = self.rows.one(sa.select(table).where(table.c.session == session, table.c.measure == measure))
        if same is None:
            self.rows.add(table, session=session, measure=measure, score=float(entry.value))
            self._count("totals")
        elif same["score"] != entry.value:
            raise InputError(f"{where}: there is another total of {asked.id} already, {same['score']:g}.")
        else:
            self._count("there")

    # -- what they stand on

    def _dyad(self, client: str) -> str:
        named = code(client)
        if named not in self.dyads:
            self._client(ClientEntry(named))
        return self.dyads[named]

    def _session_of(self, entry: AnswersEntry | TotalEntry) -> str:
        """The session that something is of; made where it is not there, at the time of what is of it."""
        dyad = self._dyad(entry.client)
        if (dyad, entry.session) not in self.sessions:
            began = instant(entry.at) if entry.at else UNDATED
            where = f"Session {entry.session} of {entry.client}"
            self._add_session(dyad, entry.session, where, began=began, attendance="held", lateness=None)
        return self.sessions[dyad, entry.session]

    def _add_session(self, dyad: str, number: int, where: str, **values: Any) -> None:  # noqa: ANN401 - of columns
        if not 1 <= number <= MOST_SESSIONS:
            raise InputError(f"{where} is no count of sessions; numbers from 1 to {MOST_SESSIONS} are.")
        row = self.rows.add(tables.session, dyad=dyad, number=number, **values)
        self.sessions[dyad, number] = str(row["id"])
        self._count("sessions")

    def _instrument(self, name: str, where: str) -> Instrument:
        if name not in self.instruments:
            raise InputError(
                f"{where}: there is no instrument {name!r} here; `attunement instruments list` shows those that are."
            )
        found = self.instruments[name]
        if found.asked_of != "client":
            raise InputError(
                f"{where}: {name} is answered by a {found.asked_of}; what is not the client's own has no place in the "
                "record."
            )
        return found

    def _measure(self, asked: Instrument, scale: Scale) -> str:
        table = tables.measure
        mine = sa.select(table).where(table.c.therapist == self.therapist)
        found = self.rows.all(mine)
        for row in found:
            if (row["instrument"], row["scale"]) == (asked.id, scale.id):
                return str(row["id"])
        (low, high), established = asked.bounds(scale), None
        if scale.higher == "closer":
            established = scale.established.value if scale.established else low + _SHARE * (high - low)
        name = asked.name.en if len(asked.scales) == 1 else f"{asked.name.en}: {scale.name.en}"
        if name in {row["name"] for row in found}:
            raise InputError(f"There is a table called {name} already, and these totals need the name.")
        return str(
            self.rows.add(
                table, therapist=self.therapist, name=name, low=float(low), high=float(high), established=established,
                at=self.rows.now().at, instrument=asked.id, scale=scale.id,
            )["id"]
        )  # fmt: skip

    def _row(self, table: sa.Table, row_id: str) -> Row:
        found = self.rows.one(sa.select(table).where(table.c.id == row_id))
        if found is None:
            raise InputError("A session went away while it was written to; try again.")
        return found

    def _count(self, what: str) -> None:
        self.crossed = replace(self.crossed, **{what: getattr(self.crossed, what) + 1})

    # -- safety

    def _note_risk(self, asked: Instrument, entry: AnswersEntry, about: dict[str, str]) -> None:
        """Remember the latest answers of each client to each instrument that can ask for a look at their safety."""
        if not any(item.risk_from is not None for item in asked.items):
            return
        client = code(entry.client)
        before = self.risks.get((client, asked.id))
        if before is None or entry.session >= before[0]:
            self.risks[client, asked.id] = (entry.session, about, entry)

    def _raise_concerns(self) -> None:
        """Raise a concern for each client whose latest answers, of all that there are, ask for one."""
        table, session = tables.check_in, tables.session
        for (_, name), (number, about, entry) in self.risks.items():
            later = (
                sa.select(table.c.id)
                .join(session, session.c.id == table.c.session)
                .where(session.c.dyad == about["dyad"], table.c.instrument == name, session.c.number > number)
            )
            asked = self.instruments[name]
            if asked.at_risk(entry.answers) and self.rows.one(later) is None:
                raise_from_answers(self.rows, asked, entry.answers, about)
                self._count("at_risk")


def _held(asked: Instrument, answers: Answers, where: str) -> dict[str, float | None]:
    try:
        return held(asked, answers)
    except InstrumentProblem as problem:
        raise InputError(f"{where}: {problem}") from None


def _read(answers: str) -> dict[str, float | None]:
    read: dict[str, float | None] = json.loads(answers)
    return read
