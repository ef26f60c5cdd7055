"""Taking entries in, within one transaction: what is there already, what is new, and what does not fit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import sqlalchemy as sa

from attunement.errors import InputError, InstrumentProblem
from attunement.exchange.entries import AnswersEntry, ClientEntry, SessionEntry, TotalEntry
from attunement.instruments import held
from attunement.practice.placing import placed, point
from attunement.practice.rated import MOST_SESSIONS
from attunement.practice.safety import raise_from_answers
from attunement.practice.whose import known_as, own_dyads, refuse_twin
from attunement.sessions import ATTENDANCE, ENDINGS, PLANNED, UNDATED, code
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from attunement.exchange.entries import Entry
    from attunement.instruments import Answers, Instrument, Scale
    from attunement.vault.rows import Row, Rows

    Answered = tuple[datetime, dict[str, float | None]]
    """When, and by item."""

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
        How many clients' latest answers to a line on safety ask for a look; a concern was raised for each.
    """

    clients: int = 0
    sessions: int = 0
    answers: int = 0
    totals: int = 0
    there: int = 0
    at_risk: int = 0


@dataclass(frozen=True, slots=True)
class _Risk:
    """The answer to one line on safety in the latest session in which somebody answered it."""

    session: int
    asked: Instrument
    item: str
    answer: float
    about: Mapping[str, str]


@dataclass(slots=True)
class Taking:
    """One transaction of taking in; what is there is read once, at its beginning.

    Parameters
    ----------
    rows, therapist
        Of the transaction, and whose clients they are.
    instruments
        By id, and by ``id|version``.
    dyads, sessions
        What is there: dyads by the client's code, sessions by dyad and number.
    answered
        By session and instrument, what was answered when.
    measures, totals
        Measures of totals by instrument and scale, and scores by session and measure.
    names
        Of all measures that this therapist has.
    """

    rows: Rows
    therapist: str
    instruments: Mapping[str, Instrument]
    dyads: dict[str, Row]
    sessions: dict[tuple[str, int], Row]
    answered: dict[tuple[str, str], list[Answered]]
    measures: dict[tuple[str, str], str]
    totals: dict[tuple[str, str], float]
    names: set[str]
    crossed: Crossed = field(default_factory=Crossed)
    risks: dict[tuple[str, str, str], _Risk] = field(default_factory=dict)
    firsts: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Rows, therapist: str, instruments: Mapping[str, Instrument]) -> Self:
        """Read what one has."""
        session, check_in, measure, rating = tables.session, tables.check_in, tables.measure, tables.rating
        mine = own_dyads(therapist, rows.now().steady)
        dyads = rows.all(
            sa.select(tables.dyad, known_as)
            .join(tables.client, tables.client.c.id == tables.dyad.c.client)
            .where(mine)
        )
        sessions = rows.all(sa.select(session).join(tables.dyad).where(mine))
        answers = sa.select(check_in.c.session, check_in.c.instrument, check_in.c.at, check_in.c.answers)
        scores = sa.select(rating.c.session, rating.c.measure, rating.c.score)
        answered: dict[tuple[str, str], list[Answered]] = {}
        for row in rows.all(
            answers.join(session, session.c.id == check_in.c.session).join(tables.dyad).where(mine)
        ):
            given = (row["at"], json.loads(row["answers"]))
            answered.setdefault((row["session"], row["instrument"]), []).append(given)
        measures = rows.all(sa.select(measure).where(measure.c.therapist == therapist))
        totals = rows.all(
            scores.join(session, session.c.id == rating.c.session).join(tables.dyad).where(mine)
        )
        return cls(
            rows=rows,
            therapist=therapist,
            instruments=instruments,
            dyads={row["code"]: row for row in dyads},
            sessions={(row["dyad"], row["number"]): row for row in sessions},
            answered=answered,
            measures={(row["instrument"], row["scale"]): row["id"] for row in measures if row["instrument"]},
            totals={(row["session"], row["measure"]): row["score"] for row in totals},
            names={row["name"] for row in measures},
        )

    def all(self, entries: Sequence[Entry]) -> Crossed:
        """Take clients first, then sessions, then what was answered in them."""
        known = {
            client: {number: row["began"] for (of, number), row in self.sessions.items() if of == dyad["id"]}
            for client, dyad in self.dyads.items()
        }
        here = placed(entries, known)
        self._find_firsts(here)
        for entry in here:
            if isinstance(entry, ClientEntry):
                self._client(entry)
        for entry in here:
            if isinstance(entry, SessionEntry):
                self._session(entry)
        for entry in here:
            if isinstance(entry, AnswersEntry):
                self._answers(entry)
            elif isinstance(entry, TotalEntry):
                self._total(entry)
        self._raise_concerns()
        return self.crossed

    # -- one of each

    def _client(self, entry: ClientEntry) -> None:
        named = code(entry.code)
        if entry.ending is not None and entry.ending not in ENDINGS:
            raise InputError(f"{named}: {entry.ending!r} is no ending; one of {', '.join(ENDINGS)} is.")
        ended = point(entry.ended, named)
        first = self.firsts.get(named)
        since = point(entry.since, named) or min(filter(None, (first, ended)), default=self.rows.now().at)
        if ended is not None and ended < since:
            raise InputError(f"{named}: the work together ends before it begins; mend one of the two.")
        if named in self.dyads:
            self._end(self.dyads[named], ended, entry.ending, named)
            return
        refuse_twin(self.rows, self.therapist, named)
        person = self.rows.add(tables.client, code=named, since=since)
        dyad = self.rows.add(
            tables.dyad, therapist=self.therapist, client=person["id"], since=since, ended=ended,
            ending=entry.ending if ended else None,
        )  # fmt: skip
        self.dyads[named] = {**dyad, "code": named}
        self._count("clients")

    def _end(self, dyad: Row, ended: datetime | None, ending: str | None, named: str) -> None:
        """Fill in that the work together ended; refuse that it ended at another time or in another way."""
        whole = {column.name: dyad[column.name] for column in tables.dyad.columns}
        if ended is not None and dyad["ended"] is None:
            if ended < dyad["since"]:
                raise InputError(f"{named}: by the file it ended before it began here; mend one of the two.")
            self.dyads[named] = {
                **self.rows.change(tables.dyad, whole, ended=ended, ending=ending),
                "code": named,
            }
        elif (ended is not None and ended != dyad["ended"]) or ending not in {None, dyad["ending"]}:
            raise InputError(f"{named} is there with another ending; mend one of the two.")
        self._count("there")

    def _session(self, entry: SessionEntry) -> None:
        where = f"Session {entry.number} of {code(entry.client)}"
        if entry.attendance not in {*ATTENDANCE, PLANNED}:
            words = ", ".join((*ATTENDANCE, PLANNED))
            raise InputError(f"{where}: attendance is {entry.attendance!r}; it takes one of {words}.")
        if entry.lateness is not None and not 0 <= entry.lateness <= 600:
            raise InputError(f"{where}: lateness is {entry.lateness:g}; it takes minutes from 0 to 600.")
        dyad = self._dyad(entry.client)
        began = point(entry.began, where) or UNDATED
        row = self.sessions.get((dyad, entry.number))
        if row is None:
            self._add_session(
                dyad, entry.number, where, began=began, attendance=entry.attendance, lateness=entry.lateness
            )
            return
        filled: dict[str, Any] = {}
        if row["began"] == UNDATED != began:
            filled["began"] = began
        if row["lateness"] is None and entry.lateness is not None:
            filled["lateness"] = entry.lateness
        if filled:
            row = self.sessions[dyad, entry.number] = self.rows.change(tables.session, row, **filled)
        same = began in {UNDATED, row["began"]} and entry.lateness in {None, row["lateness"]}
        if not (same and entry.attendance == row["attendance"]):
            raise InputError(
                f"{where} is there with another beginning, attendance or lateness; mend one of the two."
            )
        self._count("there")

    def _answers(self, entry: AnswersEntry) -> None:
        where = f"Session {entry.session} of {code(entry.client)}"
        asked = self._instrument(entry.instrument, entry.version, where)
        given = _held(asked, entry.answers, where)
        session = self._session_of(entry)
        at = point(entry.at, where) or session["began"]
        before = self.answered.setdefault((session["id"], asked.id), [])
        if (at, given) in before:
            self._count("there")
            return
        kept = self.rows.add(
            tables.check_in, session=session["id"], at=at, instrument=asked.id, version=asked.version,
            answers=json.dumps(given, separators=(",", ":"), allow_nan=False),
        )  # fmt: skip
        before.append((at, given))
        about = {"dyad": session["dyad"], "session": session["id"], "check_in": kept["id"]}
        self._note_risk(asked, given, entry.session, about)
        self._count("answers")

    def _total(self, entry: TotalEntry) -> None:
        where = f"Session {entry.session} of {code(entry.client)}"
        asked = self._instrument(entry.instrument, None, where)
        scale = next((each for each in asked.scales if each.id == entry.scale), None)
        if scale is None:
            raise InputError(f"{where}: {entry.scale!r} is no scale of {asked.id}.")
        low, high = asked.bounds(scale)
        if not low <= entry.value <= high:
            raise InputError(
                f"{where}: {asked.id}, {scale.id} is {entry.value:g}; it takes a number from {low:g} to {high:g}."
            )
        of = (str(self._session_of(entry)["id"]), self._measure(asked, scale))
        if of not in self.totals:
            self.rows.add(tables.rating, session=of[0], measure=of[1], score=float(entry.value))
            self.totals[of] = float(entry.value)
            self._count("totals")
        elif self.totals[of] != entry.value:
            raise InputError(f"{where}: there is another total of {asked.id} already, {self.totals[of]:g}.")
        else:
            self._count("there")

    # -- what they stand on

    def _find_firsts(self, entries: Iterable[Entry]) -> None:
        """The first session of each client, from which on they are one where nothing else is said."""
        for entry in entries:
            if isinstance(entry, SessionEntry) and entry.began is not None:
                named, began = code(entry.client), point(entry.began, entry.client)
                if began is not None:
                    self.firsts[named] = min(began, self.firsts.get(named, began))

    def _dyad(self, client: str) -> str:
        named = code(client)
        if named not in self.dyads:
            self._client(ClientEntry(named))
        return str(self.dyads[named]["id"])

    def _session_of(self, entry: AnswersEntry | TotalEntry) -> Row:
        """The session that something is of; made where it is not there, at the time of what is of it."""
        dyad, where = self._dyad(entry.client), f"Session {entry.session} of {entry.client}"
        if (dyad, entry.session) not in self.sessions:
            began = point(entry.at, where) or UNDATED
            self._add_session(dyad, entry.session, where, began=began, attendance="held", lateness=None)
        return self.sessions[dyad, entry.session]

    def _add_session(self, dyad: str, number: int, where: str, **values: Any) -> None:  # noqa: ANN401 - of columns
        if not 1 <= number <= MOST_SESSIONS:
            raise InputError(f"{where} is no count of sessions; numbers from 1 to {MOST_SESSIONS} are.")
        self.sessions[dyad, number] = self.rows.add(tables.session, dyad=dyad, number=number, **values)
        self._count("sessions")

    def _instrument(self, name: str, version: str | None, where: str) -> Instrument:
        if name not in self.instruments:
            raise InputError(
                f"{where}: there is no instrument {name!r} here; `attunement instruments list` shows those that are."
            )
        now = self.instruments[name]
        found = now if version in {None, now.version} else self.instruments.get(f"{name}|{version}")
        if found is None:
            raise InputError(
                f"{where}: {name} is here in version {now.version}, and these answers are to {version!r}."
            )
        if found.asked_of != "client":
            raise InputError(
                f"{where}: {name} is answered by a {found.asked_of}; what is not the client's own has no place in the "
                "record."
            )
        return found

    def _measure(self, asked: Instrument, scale: Scale) -> str:
        of = (asked.id, scale.id)
        if of in self.measures:
            return self.measures[of]
        (low, high), established = asked.bounds(scale), None
        if scale.higher == "closer":
            established = scale.established.value if scale.established else low + _SHARE * (high - low)
        name = asked.name.en if len(asked.scales) == 1 else f"{asked.name.en}: {scale.name.en}"
        if name in self.names:
            raise InputError(f"There is a table called {name} already, and these totals need the name.")
        made = self.rows.add(
            tables.measure, therapist=self.therapist, name=name, low=float(low), high=float(high),
            established=established, at=self.rows.now().at, instrument=asked.id, scale=scale.id,
        )  # fmt: skip
        self.names.add(name)
        self.measures[of] = str(made["id"])
        return self.measures[of]

    def _count(self, what: str) -> None:
        self.crossed = replace(self.crossed, **{what: getattr(self.crossed, what) + 1})

    # -- safety

    def _note_risk(self, asked: Instrument, given: Answers, session: int, about: Mapping[str, str]) -> None:
        """Remember, for each line on safety, the worst answer of the latest session in which it was answered."""
        for item in asked.items:
            answer = given.get(item.id)
            if item.risk_from is None or answer is None:
                continue
            before = self.risks.get((about["dyad"], asked.id, item.id))
            if before is None or (session, answer) > (before.session, before.answer):
                self.risks[about["dyad"], asked.id, item.id] = _Risk(session, asked, item.id, answer, about)

    def _raise_concerns(self) -> None:
        """Raise a concern where the latest answers to a line on safety ask for one, of all that there are."""
        numbers = {row["id"]: (row["dyad"], row["number"]) for row in self.sessions.values()}
        latest: dict[tuple[str, str, str], int] = {}
        for (session, instrument), given in self.answered.items():
            dyad, number = numbers[session]
            for _, answers in given:
                for item, answer in answers.items():
                    if answer is not None:
                        of = (dyad, instrument, item)
                        latest[of] = max(number, latest.get(of, 0))
        dyads = set()
        for of, risk in self.risks.items():
            if risk.asked.at_risk({risk.item: risk.answer}) and latest[of] <= risk.session:
                raise_from_answers(self.rows, risk.asked, {risk.item: risk.answer}, risk.about)
                dyads.add(of[0])
        self.crossed = replace(self.crossed, at_risk=len(dyads))


def _held(asked: Instrument, answers: Answers, where: str) -> dict[str, float | None]:
    try:
        return held(asked, answers)
    except InstrumentProblem as problem:
        raise InputError(f"{where}: {problem}") from None
