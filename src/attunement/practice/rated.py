"""What has been rated: by check-ins, and in a table that somebody already had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import sqlalchemy as sa

from attunement.errors import InputError
from attunement.practice.checking_in import CheckingIn, all_check_ins
from attunement.practice.described import description, main_score, series
from attunement.practice.policy import Verb
from attunement.practice.whose import known_as, refuse_twin
from attunement.sessions import UNDATED, code, instant
from attunement.vault import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from attunement.instruments import Instrument
    from attunement.trajectories import Caseload as Trajectories
    from attunement.trajectories import Measure
    from attunement.vault.rows import Row, Rows

CHECK_IN: Final = "connection"
"""The id of the measure that the check-ins make; ids of imported ones are random."""
MOST_ROWS: Final = 50_000
MOST_SESSIONS: Final = 500
"""The highest number of a session that is taken in: beyond it is no count of sessions."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One measure with all that was rated on it.

    Parameters
    ----------
    id, name
        ``connection`` for the check-ins; else random, and what the therapist calls the table.
    measure
        The ends of its scale, and from where on a connection is called established.
    ratings
        Holds `frames.RATINGS`: therapist, client, session, time, score.
    """

    id: str
    name: str
    measure: Measure
    ratings: pl.DataFrame


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What an import added: how many clients, sessions and ratings."""

    clients: int
    sessions: int
    ratings: int


class Ratings(CheckingIn):
    """Verbs of what has been rated."""

    def ratings(self) -> pl.DataFrame:
        """Return one's own sessions with a check-in: what the analyses read (`frames.RATINGS`)."""
        found = self._see(
            Verb.SEE_TRAJECTORIES, lambda rows: ("", rows.all(checked_in(self._own_dyads(rows))))
        )
        return scored([row for row in found if row["instrument"] == CHECK_IN])

    def rated(self) -> tuple[Rated, ...]:
        """Return everything that was rated, a measure each; questionnaires on the bond that were loaded are among it.

        Ratings of two measures are never mixed.
        """
        from attunement.trajectories import Measure  # noqa: PLC0415 - most of a second, for this alone

        mine, table = tables.measure.c.therapist == self.who.code, tables.measure

        def query(rows: Rows) -> tuple[str, tuple[list[Row], list[Row], list[Row]]]:
            imported = rows.all(sa.select(table).where(mine).order_by(table.c.at, table.c.name))
            own = self._own_dyads(rows)
            return "", (rows.all(checked_in(own)), imported, rows.all(_imported(own)))

        answered, imported, rated = self._see(Verb.SEE_TRAJECTORIES, query)
        parted = {name: (description(found[-1]), found) for name, found in series(answered).items()}
        check_ins = [
            Rated(name, _called(name, asked), _measure(asked), scored(found))
            for name, (asked, found) in sorted(
                parted.items(), key=lambda each: (each[0] != CHECK_IN, each[0])
            )
            if not asked.unscored and asked.main.higher == "closer"
        ]
        others = [
            Rated(
                each["id"],
                each["name"],
                Measure(each["low"], each["high"], each["established"]),
                _frame([row for row in rated if row["measure"] == each["id"]]),
            )
            for each in imported
            if each["established"] is not None
        ]
        return tuple(each for each in (*check_ins, *others) if each.ratings.height)

    def trajectories(self) -> Trajectories:
        """Work out the connection with each of one's clients, from the check-ins.

        Raises
        ------
        TooLittle
            While nobody has been rated.
        """
        from attunement.trajectories import Measure, trajectories  # noqa: PLC0415 - see above

        return trajectories(self.ratings(), Measure.of(CHECK_IN))

    def take_in(self, ratings: pl.DataFrame, name: str, measure: Measure) -> TakenIn:
        """Take in a table of ratings that one already has, as a measure of its own; all of it or nothing.

        Parameters
        ----------
        ratings
            client, session, score; and time, where it is known. One therapist's.
        name
            What the measure is called from now on.
        measure
            The ends of its scale, and what is called established.

        Raises
        ------
        InputError
            Where a code is none, the table is too long, or the name is taken.
        """
        called = name.strip()
        if not 1 <= len(called) <= 80:
            raise InputError("The name of a measure has 1 to 80 characters.")
        if not 1 <= ratings.height <= MOST_ROWS:
            raise InputError(f"A table that is taken in has 1 to {MOST_ROWS:,} rated sessions.")
        highest = ratings.sort("session").row(-1, named=True)
        if highest["session"] > MOST_SESSIONS:
            raise InputError(
                f"Session {highest['session']} of {str(highest['client'])[:32]!r} is no count of sessions; numbers "
                f"from 1 to {MOST_SESSIONS} within a client are. Another column may hold them, or none is needed."
            )
        codes = {each: code(each) for each in ratings["client"].unique().sort().to_list()}

        def work(rows: Rows) -> tuple[str, TakenIn]:
            kept = self._measure(rows, called, measure)
            added = {"clients": 0, "sessions": 0}
            dyads, numbered = self._known(rows)
            for row in ratings.sort("client", "session").iter_rows(named=True):
                client, number = codes[row["client"]], int(row["session"])
                if client not in dyads:
                    dyads[client] = self._begin(rows, client)
                    added["clients"] += 1
                where = (dyads[client], number)
                if where not in numbered:
                    numbered[where] = self._held(rows, *where, row.get("time"))
                    added["sessions"] += 1
                rows.add(tables.rating, session=numbered[where], measure=kept, score=float(row["score"]))
            return kept, TakenIn(**added, ratings=ratings.height)

        return self._act(Verb.TAKE_IN, work)

    # -- inside

    def _measure(self, rows: Rows, name: str, measure: Measure) -> str:
        table = tables.measure
        if rows.one(sa.select(table.c.id).where(table.c.therapist == self.who.code, table.c.name == name)):
            raise InputError(f"There is a measure called {name} already; give this one another name.")
        ends = {name: float(getattr(measure, name)) for name in ("low", "high", "established")}
        kept = rows.add(table, therapist=self.who.code, name=name, at=rows.now().at, **ends)
        return str(kept["id"])

    def _known(self, rows: Rows) -> tuple[dict[str, str], dict[tuple[str, int], str]]:
        """One's dyads by the client's code, and the sessions by dyad and number."""
        dyads = rows.all(
            sa.select(tables.dyad.c.id, known_as)
            .join(tables.client, tables.client.c.id == tables.dyad.c.client)
            .where(self._own_dyads(rows))
        )
        table = tables.session
        found = rows.all(
            sa.select(table.c.id, table.c.dyad, table.c.number)
            .join(tables.dyad, tables.dyad.c.id == table.c.dyad)
            .where(self._own_dyads(rows))
        )
        numbered = {(row["dyad"], row["number"]): row["id"] for row in found}
        return {row["code"]: row["id"] for row in dyads}, numbered

    def _begin(self, rows: Rows, client: str) -> str:
        refuse_twin(rows, self.who.code, client)
        now = rows.now().at
        person = rows.add(tables.client, code=client, since=now)
        return str(rows.add(tables.dyad, therapist=self.who.code, client=person["id"], since=now)["id"])

    def _held(self, rows: Rows, dyad: str, number: int, began: datetime | None) -> str:
        """Add a session that was held; where no time is known, it is undated."""
        at = instant(began) if began is not None else UNDATED
        return str(rows.add(tables.session, dyad=dyad, number=number, began=at, attendance="held")["id"])


def checked_in(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Check-ins of some dyads, with what is needed to score them."""
    return (
        all_check_ins()
        .add_columns(tables.dyad.c.therapist, known_as)
        .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(mine)
    )


def _imported(mine: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(
            tables.rating.c.measure,
            tables.rating.c.score,
            tables.session.c.number,
            tables.session.c.began,
            tables.dyad.c.therapist,
            known_as,
        )
        .join(tables.session, tables.session.c.id == tables.rating.c.session)
        .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
        .join(tables.client, tables.client.c.id == tables.dyad.c.client)
        .where(mine)
        .order_by(tables.session.c.number)
    )


_RATINGS: Final[dict[str, Any]] = {
    "therapist": pl.String,
    "client": pl.String,
    "session": pl.Int64,
    "time": pl.Datetime("us"),
    "score": pl.Float64,
}


def scored(found: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Score check-ins, one row a session: the last one where there are several."""
    return _frame([{**row, "score": main_score(row)} for row in found])


def _called(name: str, asked: Instrument) -> str:
    if name == CHECK_IN:
        return "the check-in"
    return asked.name.en if name == asked.id else f"{asked.name.en}, version {asked.version}"


def _measure(asked: Instrument) -> Measure:
    from attunement.trajectories import Measure  # noqa: PLC0415 - see above

    (low, high), established = asked.bounds(asked.main), asked.main.established
    return Measure(low, high, established.value) if established else Measure(low, high)


def _frame(found: list[Row]) -> pl.DataFrame:
    latest = {
        (row["therapist"], row["code"], row["number"]): (row["began"].replace(tzinfo=None), row["score"])
        for row in found
    }
    return pl.DataFrame([(*key, *rest) for key, rest in latest.items()], schema=_RATINGS, orient="row")
