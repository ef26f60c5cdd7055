"""One therapist's own tables, as the analyses read them: of the record, and of the reflections while these are open.

An analysis sees frames, never a store; each table has the name of its contract in `attunement.frames`, so that a door
of the library takes the whole: ``ruptures(practice.own_tables())``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import sqlalchemy as sa

from attunement.exchange.columns import LINES
from attunement.instruments import instrument, score
from attunement.practice.crossing import Crossing
from attunement.practice.described import main_score, series, with_description
from attunement.practice.policy import Verb
from attunement.practice.rated import CHECK_IN
from attunement.practice.reflecting import Reflecting
from attunement.practice.steps import all_steps
from attunement.practice.whose import COVERS_OVER, known_as
from attunement.sessions import PLANNED, UNDATED
from attunement.steps import table
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from attunement.sessions import Reflected, Step
    from attunement.vault.rows import Row, Rows

STATE: Final = "state"
"""The instrument whose total is the outcome beside a rating: the client's state before the session."""
_OF_RECORD: Final = ("dyad", "client", "session", "check_in", "measure", "rating", "instrument", "norm")
_WHO: Final[dict[str, Any]] = {"therapist": pl.String, "client": pl.String, "session": pl.Int64}
_DATED: Final[dict[str, Any]] = {**_WHO, "time": pl.Datetime("us")}
_OF_CLIENT: Final[dict[str, Any]] = {name: each for name, each in _DATED.items() if name != "therapist"}
_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "ratings": {**_DATED, **dict.fromkeys(("score", "guess", "outcome"), pl.Float64)},
    "sessions": {**_DATED, "attendance": pl.String, "lateness": pl.Float64},
    "check_ins": {**_DATED, **dict.fromkeys(LINES, pl.Float64)},
    "outcomes": {**_OF_CLIENT, "instrument": pl.String, "outcome": pl.Float64},
    "reflections": {**_WHO, "feeling": pl.String, "strength": pl.Float64},
    "days": {**_WHO, "my_day": pl.Float64},
    "namings": {**_WHO, "whose": pl.String},
    "tags": {**_WHO, "kind": pl.String, "tag": pl.String},
    "endings": {"therapist": pl.String, "client": pl.String, "ending": pl.String},
    "contacts": {
        "therapist": pl.String, "client": pl.String, "time": pl.Datetime("us"), "kind": pl.String, "begun_by": pl.String
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OwnTables:
    """One therapist's tables, each as `attunement.frames` has it; those of reflections are empty while they are locked.

    Parameters
    ----------
    ratings
        With the guess, where one was made before the answer was seen, and the client's state before the session.
    sessions, check_ins, outcomes
        What was held, what was answered, and the totals of all other instruments.
    reflections, days, namings, tags
        The therapist's own.
    endings
        How each therapy ended, or that it has not; those of which that was not said are left out.
    steps
        What was tried, and what the client says of it.
    contacts
        Messages and calls between sessions: that they were.
    """

    ratings: pl.DataFrame = field(repr=False)
    sessions: pl.DataFrame = field(repr=False)
    check_ins: pl.DataFrame = field(repr=False)
    outcomes: pl.DataFrame = field(repr=False)
    reflections: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    namings: pl.DataFrame = field(repr=False)
    tags: pl.DataFrame = field(repr=False)
    endings: pl.DataFrame = field(repr=False)
    steps: pl.DataFrame = field(repr=False)
    contacts: pl.DataFrame = field(repr=False)


class Tables(Crossing, Reflecting):
    """The verb that hands one's own tables to an analysis."""

    @property
    def version(self) -> str:
        """What changes whenever something does from which `own_tables` or `rated` are made; it says nothing else."""
        opened = self.house.reflections.get(self.who.code)
        with self._reading() as rows:
            over = rows.one(COVERS_OVER, **self._me(rows)) or {}
        return f"{self.house.record.stamp(*_OF_RECORD)} {over.get('many')} {opened.stamp if opened else 'locked'}"

    def own_tables(self, *, reflections: bool = True) -> OwnTables:
        """Return one's own tables; those of one's reflections only while these are unlocked, and if they are wanted."""
        mine = self.who.code

        def query(rows: Rows) -> tuple[str, tuple[list[list[Row]], list[Step]]]:
            which = self._own_dyads(rows)
            own = [rows.all(each(which)) for each in (_held, _answered, _ended, _contacts, _totalled)]
            return "", (own, all_steps(rows, which))

        (held, answered, dyads, contacts, totalled), steps = self._see(Verb.SEE_TRAJECTORIES, query)
        reflected = self.reflected(since=UNDATED) if reflections and self.unlocked else {}
        finished = {where: each for where, each in reflected.items() if each.reflection.finished}
        laid = {
            **_of_record(held, answered, totalled, finished),
            **_of_reflections(mine, finished),
            "endings": _endings(dyads),
            "contacts": (
                (mine, row["code"], _local(row["at"]), row["kind"], row["begun_by"]) for row in contacts
            ),
        }
        made = {
            name: pl.DataFrame(list(rows), schema=_SCHEMAS[name], orient="row") for name, rows in laid.items()
        }
        return OwnTables(**made, steps=table(steps, mine))

    def looked(self, *, reflections: bool) -> None:
        """Write down that what was worked out from one's own tables is looked at; with reflections, in their journal.

        Raises
        ------
        Locked
            Where these are not open, or have locked themselves; a look begins the five minutes anew.
        """
        if reflections:
            vault, _ = self._own(Verb.SEE_REFLECTIONS)
            self._note_seen(Verb.SEE_REFLECTIONS, vault, "")
        else:
            self._see(Verb.SEE_TRAJECTORIES, lambda _: ("", None))


def _held(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return _of(sa.select(tables.session, known_as, tables.dyad.c.therapist), mine).where(
        tables.session.c.attendance != PLANNED
    )


def _ended(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    dyad = tables.dyad
    return (
        sa.select(dyad.c.therapist, known_as, dyad.c.ended, dyad.c.ending)
        .join(tables.client, tables.client.c.id == dyad.c.client)
        .where(mine)
        .order_by(dyad.c.since, known_as)
    )


def _contacts(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    contact = tables.contact
    asked = sa.select(contact, known_as).join(tables.dyad, tables.dyad.c.id == contact.c.dyad)
    named = asked.join(tables.client, tables.client.c.id == tables.dyad.c.client)
    return named.where(mine).order_by(contact.c.at)


def _endings(dyads: list[Row]) -> Iterable[tuple[Any, ...]]:
    for row in dyads:
        ending = "still here" if row["ended"] is None else row["ending"]
        if ending is not None:
            yield row["therapist"], row["code"], ending


def _answered(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    of_session = (
        tables.session.c.number,
        tables.session.c.began,
        known_as,
        tables.dyad.c.therapist,
    )
    table = tables.check_in
    asked = with_description(sa.select(table, *of_session)).join(
        tables.session, tables.session.c.id == table.c.session
    )
    return _of(asked, mine).order_by(table.c.at)


def _totalled(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Totals of the main scales of outcomes that were made elsewhere."""
    of_session, measure = tables.session, tables.measure
    asked = (
        sa.select(tables.rating.c.score, measure.c.instrument, measure.c.scale, of_session, known_as)
        .add_columns(tables.dyad.c.therapist)
        .join(measure, measure.c.id == tables.rating.c.measure)
        .join(of_session, of_session.c.id == tables.rating.c.session)
        .where(measure.c.instrument.is_not(None), measure.c.established.is_(None))
    )
    return _of(asked, mine)


def _of(asked: sa.Select[Any], mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        asked.join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(mine)
    )


def _of_record(
    held: list[Row], answered: list[Row], totalled: list[Row], reflected: Mapping[tuple[str, int], Reflected]
) -> dict[str, Iterable[tuple[Any, ...]]]:
    """The last answers of each session and instrument count, as everywhere."""
    latest = {
        (name, row["code"], row["number"]): row for name, found in series(answered).items() for row in found
    }
    totals = {of: main_score(row) for of, row in latest.items()}
    bonds = {of[1:]: row for of, row in latest.items() if of[0] == CHECK_IN}
    return {
        "ratings": (
            (*_when(row), totals[CHECK_IN, *of], _guess(reflected.get(of)), totals.get((STATE, *of)))
            for of, row in bonds.items()
        ),
        "sessions": ((*_when(row), row["attendance"], row["lateness"]) for row in held),
        "check_ins": ((*_when(row), *_lines(row)) for row in bonds.values()),
        "outcomes": (
            *((*_when(row)[1:], of[0], totals[of]) for of, row in latest.items() if of[0] != CHECK_IN),
            *(
                (*_when(row)[1:], row["instrument"], row["score"])
                for row in totalled
                if (row["instrument"], row["code"], row["number"]) not in latest
            ),
        ),
    }


def _of_reflections(
    therapist: str, reflected: Mapping[tuple[str, int], Reflected]
) -> dict[str, Iterable[tuple[Any, ...]]]:
    notes = [((therapist, *where), each.reflection) for where, each in sorted(reflected.items())]
    tagged = [(who, *tag.partition(": ")[::2]) for who, note in notes for tag in note.tags]
    return {
        "reflections": ((*who, *felt) for who, note in notes for felt in note.feelings.items()),
        "days": ((*who, note.my_day) for who, note in notes if note.my_day is not None),
        "namings": ((*who, note.whose) for who, note in notes if note.whose is not None),
        "tags": dict.fromkeys((*who, kind, word) for who, kind, word in tagged),
    }


def _when(row: Mapping[str, Any]) -> tuple[Any, ...]:
    began = None if row["began"] == UNDATED else _local(row["began"])
    return row["therapist"], row["code"], row["number"], began


def _local(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


def _lines(row: Mapping[str, Any]) -> tuple[float | None, ...]:
    answers = json.loads(row["answers"])
    return tuple(answers.get(line) for line in LINES)


def _guess(reflected: Reflected | None) -> float | None:
    """The total that the therapist's guess of each line comes to; none where the answers had been shown before."""
    if reflected is None or reflected.reflection.after_seeing or not reflected.reflection.guess:
        return None
    asked = instrument(CHECK_IN)
    guessed = reflected.reflection.guess
    return score(asked, {item.id: guessed.get(item.id) for item in asked.items})["total"]
