"""Invitations and check-ins: what a client sends, by a link that works once."""

from __future__ import annotations

import hmac
import json
import secrets
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import Gone, InputError
from attunement.instruments import held
from attunement.practice.caseload import require
from attunement.practice.described import (
    description,
    invited_to,
    is_asked,
    main_score,
    series,
    to_ask,
    with_description,
)
from attunement.practice.policy import Verb
from attunement.practice.safety import raise_from_answers
from attunement.practice.sending import NOTHING_TRIED, Asked, Invited, Received, Tried
from attunement.practice.shelf import Shelf
from attunement.sessions import UNDATED, CheckIn, Invitation, Purpose
from attunement.vault import tables
from attunement.vault.drops import slot_of as _hash
from attunement.vault.instants import written
from attunement.vault.rows import Prepared

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.instruments import Answers, Instrument
    from attunement.practice.dropping import Lay
    from attunement.vault.rows import Row, Rows

OPEN_FOR: Final = timedelta(hours=72)
BEFORE: Final = "state"
"""The instrument that is asked before a session."""
HOUR: Final = timedelta(hours=1)
"""So long after its beginning a session is over: what was chosen later is for the next one."""
_TOKEN_BYTES: Final = 32
_NO_LINK: Final = "This link does not work, or no longer does; your therapist can send a new one."


CURVE_FOR: Final = timedelta(minutes=15)
"""How long after a sending the client's own course can be looked at by it."""


class CheckingIn(Shelf):
    """Verbs around a check-in: the therapist's, and the client's by a token."""

    def invite(
        self, client: str, session: int, *, instrument: str = "connection", open_for: timedelta = OPEN_FOR,
        token: str = "",
    ) -> Invited:  # fmt: skip
        """Invite a client to a check-in for a session, if they agreed to check-ins.

        Parameters
        ----------
        client, session
            The code, and which session.
        instrument
            What is asked.
        open_for
            How long the link works; from a minute to 90 days.
        token
            Of 256 bits, where the sender can make the same one again: then asking again gives the same invitation.
            Drawn if left out.
        """
        if not timedelta(minutes=1) <= open_for <= timedelta(days=90):
            raise InputError("An invitation is open from one minute to 90 days.")
        token = token or secrets.token_urlsafe(_TOKEN_BYTES)

        def work(rows: Rows) -> tuple[str, Invited]:
            dyad = self._dyad(rows, client)
            require(rows, dyad["client"], Purpose.CHECK_INS)
            asked = to_ask(rows, instrument)
            held = self._session(rows, dyad, session)
            row = _invited_before(rows, token, held["id"], instrument) or rows.add(
                tables.invitation, session=held["id"], token_hash=_hash(token), instrument=instrument,
                expires=rows.now().steady + open_for, version=asked.version,
            )  # fmt: skip
            return row["id"], Invited(
                Invitation(row["id"], client, session, instrument, row["expires"], row["used"] is not None),
                token,
            )

        return self._act(Verb.INVITE, work)

    def withdraw_invitation(self, invitation: str) -> None:
        """Let a link work no longer."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.invitation, invitation)
            session = self._whole(rows, tables.session, row["session"])
            self._dyad_of(rows, Verb.WITHDRAW_INVITATION, session["dyad"])
            rows.change(tables.invitation, row, expires=min(row["expires"], rows.now().steady))
            return row["id"], None

        self._act(Verb.WITHDRAW_INVITATION, work)

    def knows(self, token: str) -> bool:
        """Whether a token was ever made here; the first question of a door, before anything is looked at or noted."""
        with self._reading(_hash(token)) as rows:
            return rows.prepared(_BY_TOKEN, token_hash=_hash(token)) is not None

    def asked(self, token: str) -> Instrument:
        """Return what a token asks, also once it was used: a page reads what was sent by it."""
        with self._reading(_hash(token)) as rows:
            return _instrument(rows, self._by_token(rows, token))

    def invitation(self, token: str) -> Asked:
        """Show what a token is for. Looking uses nothing up: mail scanners open links too."""

        def query(rows: Rows) -> tuple[str, Asked]:
            row = self._by_token(rows, token)
            if (
                row["used"] is not None
                or _over(row, rows.now().steady)
                or not is_asked(rows, row["instrument"])
            ):
                raise Gone(_NO_LINK)
            return row["id"], Asked(_instrument(rows, row), step_to_ask_about(rows, row) is not None)

        return self._see(Verb.SEE_INVITATION, query, token=_hash(token))

    def receive(self, token: str, answers: Answers, key: str, tried: Tried = NOTHING_TRIED) -> Received:
        """Take a client's answers, once.

        Parameters
        ----------
        token
            Of the invitation.
        answers
            By item, None where skipped.
        key
            Chosen by the sender for this one sending: sent again, the same answers give the same receipt.
        tried
            What the client says about what was tried, where the invitation asks.

        Raises
        ------
        Gone
            Where the invitation was used by another sending, has ended, or never was: the three read alike.
        """
        if not 8 <= len(key) <= 200:
            raise InputError("A key of a sending has 8 to 200 characters.")
        work = partial(self._received, token=token, answers=answers, key=key, tried=tried)
        return self._act(Verb.RECEIVE, work, token=_hash(token))

    def show_curve(self, client: str, *, shown: bool) -> None:
        """Let a client see their own course after a check-in, or no longer."""

        def work(rows: Rows) -> tuple[str, None]:
            dyad = self._dyad(rows, client)
            rows.remove(tables.own_curve, [dyad["id"]])
            if shown:
                rows.add(tables.own_curve, id=dyad["id"], since=rows.now().at)
            return dyad["client"], None

        self._act(Verb.SHOW_CURVE, work)

    def own_curve(self, token: str, key: str) -> tuple[tuple[int, float], ...]:
        """Return the client's own ratings, session by session, to whoever has just sent one with this token and key.

        Raises
        ------
        Gone
            Where the therapist does not allow it, another sending used the token, or it is more than a quarter of an
            hour ago.
        """

        def query(rows: Rows) -> tuple[str, tuple[tuple[int, float], ...]]:
            row = self._by_token(rows, token)
            used = row["used"] is not None and hmac.compare_digest(row["used"], _hash(key))
            sent = rows.one(sa.select(tables.check_in).where(tables.check_in.c.invitation == row["id"]))
            if not used or sent is None or not row["curve"] or rows.now().at - sent["at"] > CURVE_FOR:
                raise Gone(_NO_LINK)
            mine = all_check_ins().where(
                tables.session.c.dyad == row["dyad"], tables.check_in.c.instrument == row["instrument"]
            )
            rated = {
                each["number"]: main_score(each) for each in series(rows.all(mine)).get(row["instrument"], ())
            }
            return row["id"], tuple((number, total) for number, total in rated.items() if total is not None)

        return self._see(Verb.SEE_OWN_CURVE, query, token=_hash(token))

    def check_ins(self, client: str) -> tuple[CheckIn, ...]:
        """Return what a client has answered, in the order of sessions."""

        def query(rows: Rows) -> tuple[str, tuple[CheckIn, ...]]:
            dyad = self._dyad(rows, client)
            found = rows.all(all_check_ins().where(tables.session.c.dyad == dyad["id"]))
            return dyad["client"], tuple(as_check_in(row, client) for row in found)

        return self._see(Verb.SEE_CHECK_INS, query)

    # -- inside

    def _received(
        self, rows: Rows, token: str, answers: Answers, key: str, tried: Tried, lay: Lay | None = None
    ) -> tuple[str, Received]:
        """Take answers in within a piece of work, once; what came by a drop box was sent before."""
        row = self._by_token(rows, token)
        asked = _instrument(rows, row) if lay is None else lay.asked(rows, row)
        given = _written(asked, answers)
        at_risk = bool(asked.at_risk(answers))
        if row["used"] is not None:
            return row["id"], Received(self._again(rows, row, given, key), at_risk, bool(row["curve"]))
        sent = rows.now() if lay is None else lay.sent(rows.now())
        if _over(row, sent.steady) or not row["agreed"]:
            raise Gone(_NO_LINK)
        whole = {column.name: row[column.name] for column in tables.invitation.columns}
        kept = rows.add(
            tables.check_in, session=row["session"], invitation=row["id"], at=sent.at,
            instrument=asked.id, version=asked.version, answers=given,
        )  # fmt: skip
        rows.change(tables.invitation, whole, used=_hash(key))
        if at_risk:
            where = {"dyad": row["dyad"], "session": row["session"], "check_in": kept["id"]}
            raise_from_answers(rows, asked, answers, where)
        if tried != NOTHING_TRIED and (step := step_to_ask_about(rows, row)) is not None:
            about = {"step": step["id"], "check_in": kept["id"]}
            untold = tried.helped is None or tried.talked == "no"  # without a talk, nothing helped
            helped = None if untold or tried.helped is None else float(tried.helped)
            rows.add(tables.step_answer, **about, talked=tried.talked or "skipped", helped=helped)
        return kept["id"], Received(kept["id"], at_risk, bool(row["curve"]))

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
_CURVE = sa.exists().where(tables.own_curve.c.id == tables.dyad.c.id).label("curve")
_BY_TOKEN: Final = Prepared(
    sa.select(
        tables.invitation, tables.session.c.dyad, tables.session.c.began, tables.dyad.c.until, _AGREED, _CURVE
    )
    .join(tables.session, tables.session.c.id == tables.invitation.c.session)
    .join(tables.dyad, tables.dyad.c.id == tables.session.c.dyad)
    .where(tables.invitation.c.token_hash == sa.bindparam("token_hash"))
)


def _over(row: Row, steady: datetime) -> bool:
    """Whether a link has ended, itself or with the cover for which it was made: nobody would see the answers."""
    return steady >= row["expires"] or (row["until"] is not None and steady >= row["until"])


def _invited_before(rows: Rows, token: str, session: str, instrument: str) -> Row | None:
    """Return the invitation that the same sending made before."""
    table = tables.invitation
    found = rows.one(sa.select(table).where(table.c.token_hash == _hash(token)))
    if found is not None and (found["session"], found["instrument"]) != (session, instrument):
        raise InputError(
            "This key was used for another invitation before; each sending has a key of its own."
        )
    return found


def step_to_ask_about(rows: Rows, row: Row) -> Row | None:
    """Return the step that a check-in asks about: open, chosen before its session was over, and not answered yet.

    Who said that they did not talk about it is asked again. What comes before a session asks about none.
    """
    if row["instrument"] == BEFORE:
        return None
    over = _EVER if row["began"] == UNDATED else written(row["began"] + HOUR)
    return rows.prepared(_OPEN_STEP, dyad=row["dyad"], over=over)


_OPEN_STEP: Final = Prepared(
    sa.select(tables.step)
    .where(
        tables.step.c.dyad == sa.bindparam("dyad"),
        tables.step.c.outcome.is_(None),
        tables.step.c.chosen <= sa.bindparam("over"),
        ~sa.exists().where(
            tables.step_answer.c.step == tables.step.c.id, tables.step_answer.c.talked != "no"
        ),
    )
    .order_by(tables.step.c.chosen.desc())
)
_EVER: Final = "9999"


def all_check_ins() -> sa.Select[Any]:
    """Check-ins with the number and the beginning of their session, in the order of sessions."""
    return (
        with_description(sa.select(tables.check_in, tables.session.c.number, tables.session.c.began))
        .join(tables.session, tables.session.c.id == tables.check_in.c.session)
        .order_by(tables.session.c.number, tables.check_in.c.at)
    )


def as_check_in(row: Row, client: str) -> CheckIn:
    """Read a check-in from its row, with the session's number in ``number``."""
    answers = json.loads(row["answers"])
    return CheckIn(
        row["id"], client, row["number"], row["at"], row["instrument"], row["version"], answers, description(row)
    )  # fmt: skip


def _instrument(rows: Rows, invitation: Row) -> Instrument:
    """Return what an invitation asks, in the version of the moment in which it was made."""
    found = invited_to(rows, invitation["instrument"], invitation["version"])
    if found is None:
        raise Gone(_NO_LINK)
    return found


def _written(asked: Instrument, answers: Answers) -> str:
    """Hold answers to their instrument, and write them in its order."""
    return _JSON.encode({name: answers[name] for name in held(asked, answers)})


_JSON: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
