"""Invitations and check-ins: what a client sends, by a link that works once."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import sqlalchemy as sa

from attunement.errors import Gone, InputError
from attunement.instruments import catalogue, held, instrument, score
from attunement.practice.caseload import require
from attunement.practice.desk import Desk
from attunement.practice.policy import Verb
from attunement.sessions import CheckIn, Invitation, Purpose
from attunement.vault import tables
from attunement.vault.rows import Prepared

if TYPE_CHECKING:
    from attunement.instruments import Answers
    from attunement.trajectories import Caseload as Trajectories
    from attunement.vault.rows import Row, Rows

OPEN_FOR: Final = timedelta(hours=72)
_TOKEN_BYTES: Final = 32
_NO_LINK: Final = "This link does not work, or no longer does; your therapist can send a new one."


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, with the token that is shown once and kept nowhere.

    Parameters
    ----------
    invitation
        What is kept.
    token
        What the link carries; the practice knows its SHA-256 alone.
    """

    invitation: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody who holds a token may know: what is asked, and nothing about whom."""

    instrument: str


class CheckingIn(Desk):
    """Verbs around a check-in: the therapist's, and the client's by a token."""

    def invite(
        self, client: str, session: int, *, instrument: str = "connection", open_for: timedelta = OPEN_FOR
    ) -> Invited:
        """Invite a client to a check-in for a session, if they agreed to check-ins.

        Parameters
        ----------
        client, session
            The code, and which session.
        instrument
            What is asked.
        open_for
            How long the link works; from a minute to 90 days.
        """
        _known(instrument)
        if not timedelta(minutes=1) <= open_for <= timedelta(days=90):
            raise InputError("An invitation is open from one minute to 90 days.")
        token = secrets.token_urlsafe(_TOKEN_BYTES)

        def work(rows: Rows) -> tuple[str, Invited]:
            dyad = self._dyad(rows, client)
            require(rows, dyad["client"], Purpose.CHECK_INS)
            held = self._session(rows, dyad, session)
            row = rows.add(
                tables.invitation, session=held["id"], token_hash=_hash(token), instrument=instrument,
                expires=rows.now().steady + open_for,
            )  # fmt: skip
            return row["id"], Invited(
                Invitation(row["id"], client, session, instrument, row["expires"]), token
            )

        return self._act(Verb.INVITE, work)

    def invitation(self, token: str) -> Asked:
        """Show what a token is for. Looking uses nothing up: mail scanners open links too."""

        def query(rows: Rows) -> tuple[str, Asked]:
            row = self._by_token(rows, token)
            if row["used"] is not None or rows.now().steady >= row["expires"]:
                raise Gone(_NO_LINK)
            return row["id"], Asked(row["instrument"])

        return self._see(Verb.SEE_INVITATION, query)

    def receive(self, token: str, answers: Answers, key: str) -> str:
        """Take a client's answers, once.

        Parameters
        ----------
        token
            Of the invitation.
        answers
            By item, None where skipped.
        key
            Chosen by the sender for this one sending: sent again, the same answers give the same receipt.

        Returns
        -------
        str
            The receipt: the answers are on the disk.

        Raises
        ------
        Gone
            Where the invitation was used by another sending, has ended, or never was: the three read alike.
        """
        if not 8 <= len(key) <= 200:
            raise InputError("A key of a sending has 8 to 200 characters.")

        def work(rows: Rows) -> tuple[str, str]:
            row = self._by_token(rows, token)
            given, version = _answers(row["instrument"], answers)
            if row["used"] is not None:
                return row["id"], self._again(rows, row, given, key)
            if rows.now().steady >= row["expires"] or not row["agreed"]:
                raise Gone(_NO_LINK)
            whole = {column.name: row[column.name] for column in tables.invitation.columns}
            kept = rows.add(
                tables.check_in, session=row["session"], invitation=row["id"], at=rows.now().at,
                instrument=row["instrument"], version=version, answers=given,
            )  # fmt: skip
            rows.change(tables.invitation, whole, used=_hash(key))
            return kept["id"], kept["id"]

        return self._act(Verb.RECEIVE, work)

    def check_ins(self, client: str) -> tuple[CheckIn, ...]:
        """Return what a client has answered, in the order of sessions."""

        def query(rows: Rows) -> tuple[str, tuple[CheckIn, ...]]:
            dyad = self._dyad(rows, client)
            found = rows.all(_check_ins().where(tables.session.c.dyad == dyad["id"]))
            return dyad["client"], tuple(_as_check_in(row, client) for row in found)

        return self._see(Verb.SEE_CHECK_INS, query)

    def ratings(self) -> pl.DataFrame:
        """Return one's own rated sessions: what the analyses read (`frames.RATINGS`)."""
        own = tables.dyad.c.therapist == self.who.code
        query = (
            _check_ins()
            .add_columns(tables.dyad.c.therapist, tables.client.c.code)
            .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
            .join(tables.client, tables.client.c.id == tables.dyad.c.client)
            .where(own, tables.check_in.c.instrument == "connection")
        )
        found = self._see(Verb.SEE_TRAJECTORIES, lambda rows: ("", rows.all(query)))
        return _ratings(found)

    def trajectories(self) -> Trajectories:
        """Work out the connection with each of one's clients.

        Raises
        ------
        TooLittle
            While nobody has been rated.
        """
        from attunement.trajectories import Measure, trajectories  # noqa: PLC0415 - most of a second, for this alone

        return trajectories(self.ratings(), Measure.of("connection"))

    # -- inside

    def _session(self, rows: Rows, dyad: Row, number: int) -> Row:
        table = tables.session
        found = rows.one(sa.select(table).where(table.c.dyad == dyad["id"], table.c.number == number))
        if found is None:
            raise InputError(f"Session {number} with this client is not there yet; log it first.")
        return found

    def _by_token(self, rows: Rows, token: str) -> Row:
        found = rows.prepared(_BY_TOKEN, token_hash=_hash(token))
        if found is None:
            raise Gone(_NO_LINK)
        return found

    def _again(self, rows: Rows, row: Row, given: str, key: str) -> str:
        kept = rows.one(sa.select(tables.check_in).where(tables.check_in.c.invitation == row["id"]))
        if kept is None or kept["answers"] != given or not hmac.compare_digest(row["used"], _hash(key)):
            raise Gone(_NO_LINK)
        return str(kept["id"])


_AGREED = (
    sa.exists()
    .where(
        tables.consent.c.client == tables.dyad.c.client,
        tables.consent.c.purpose == Purpose.CHECK_INS.value,
        tables.consent.c.withdrawn.is_(None),
    )
    .label("agreed")
)
_BY_TOKEN: Final = Prepared(
    sa.select(tables.invitation, _AGREED)
    .join(tables.session, tables.session.c.id == tables.invitation.c.session)
    .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
    .where(tables.invitation.c.token_hash == sa.bindparam("token_hash"))
)


def _check_ins() -> sa.Select[Any]:
    return (
        sa.select(tables.check_in, tables.session.c.number, tables.session.c.began)
        .join(tables.session, tables.session.c.id == tables.check_in.c.session)
        .order_by(tables.session.c.number, tables.check_in.c.at)
    )


def _as_check_in(row: Row, client: str) -> CheckIn:
    answers = json.loads(row["answers"])
    return CheckIn(row["id"], client, row["number"], row["at"], row["instrument"], row["version"], answers)


def _answers(which: str, answers: Answers) -> tuple[str, str]:
    """Hold answers to their instrument, and write them in its order."""
    asked = instrument(which)
    given = {name: answers[name] for name in held(asked, answers)}
    return _JSON.encode(given), asked.version


_JSON: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def _known(which: str) -> None:
    names = [each.id for each in catalogue()]
    if which not in names:
        raise InputError(f"There is no instrument {which}; there is {', '.join(names)}.")


_RATINGS: Final[dict[str, Any]] = {
    "therapist": pl.String,
    "client": pl.String,
    "session": pl.Int64,
    "time": pl.Datetime("us"),
    "score": pl.Float64,
}


def _ratings(found: list[Row]) -> pl.DataFrame:
    """One row a session: the last check-in where there are several."""
    asked = instrument("connection")
    latest = {
        (row["therapist"], row["code"], row["number"]): (
            row["began"],
            score(asked, json.loads(row["answers"]))["total"],
        )
        for row in found
    }
    rows = [(*key, began.replace(tzinfo=None), total) for key, (began, total) in latest.items()]
    return pl.DataFrame(rows, schema=_RATINGS, orient="row")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
