"""The tables of each vault. Every row has a random id and is a value: what changes it is in the journal.

`record` holds what was said and done, `reflections` what its owner alone may read, `identity` who a code is. They
share nothing but the client's random id; each carries a journal of its own, so that what happens in one is written
in the same transaction, and nothing about reflections stands in the record's.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.vault.instants import read, written
from attunement.vault.sealed import Sealed, SealedInstant

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Instant(sa.types.TypeDecorator[datetime]):
    """A point in time in UTC, kept as text of one length: SQLite drops zones."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To text."""
        return None if value is None else written(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """To a point in time."""
        return read(value)


def new_id() -> str:
    """Return a random id of 122 bits."""
    return uuid.uuid4().hex


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(32), primary_key=True)


def _to(name: str, table: str, *, empty: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), sa.ForeignKey(f"{table}.id"), nullable=empty, index=True)


def _sealed(about: str, kind: Any = None, *, lookup: bool = False, padded: bool = False) -> Sealed:  # noqa: ANN401 - a type
    """A type that is sealed in a database; `kind` is what it is in a file of our own."""
    if kind is Instant:
        return SealedInstant(sa.String(27), about, lookup=lookup)
    return Sealed(sa.types.to_instance(kind or sa.String), about, lookup=lookup, padded=padded)


def _journalled(metadata: sa.MetaData, *, sealed: bool = True) -> None:
    """Give a vault its journal; of reflections, also that something was done is nobody else's to know."""

    def column(name: str, kind: Any) -> sa.Column[Any]:  # noqa: ANN401 - a type
        return sa.Column(name, _sealed(f"journal.{name}", kind) if sealed else kind, nullable=False)

    sa.Table(
        "journal",
        metadata,
        sa.Column("seq", sa.Integer, primary_key=True),
        column("at", Instant),
        column("steady", Instant),
        column("who", sa.String()),
        column("verb", sa.String()),
        column("about", sa.String()),
        column("outcome", sa.String()),
        column("touched", sa.String()),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
    )
    sa.Table(
        "chain_key",
        metadata,
        sa.Column("since", sa.Integer, primary_key=True),
        sa.Column("key", _sealed("chain_key.key", sa.LargeBinary(32)), nullable=False),
    )


RECORD: Final = sa.MetaData()
_journalled(RECORD, sealed=False)
account = sa.Table(
    "account",
    RECORD,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("roles", _sealed("account.roles", padded=True), nullable=False),
    sa.Column("name", _sealed("account.name", padded=True), nullable=False),
    sa.Column("credential", sa.String, nullable=False),
    sa.Column("ended", Instant),
    sa.Column("email", _sealed("account.email", padded=True)),
)
client = sa.Table(
    "client",
    RECORD,
    _id(),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("held", _sealed("client.held", padded=True)),
)
dyad = sa.Table(
    "dyad",
    RECORD,
    _id(),
    sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    _to("client", "client"),
    sa.Column("since", Instant, nullable=False),
    sa.Column("ended", Instant),
    sa.Column("ending", sa.String),
    sa.Column("until", Instant),
    sa.Column("known_as", sa.String),
)
session = sa.Table(
    "session",
    RECORD,
    _id(),
    _to("dyad", "dyad"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("began", Instant, nullable=False),
    sa.Column("attendance", sa.String, nullable=False),
    sa.Column("lateness", sa.Float),
    sa.UniqueConstraint("dyad", "number"),
)
contact = sa.Table(
    "contact",
    RECORD,
    _id(),
    _to("dyad", "dyad"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("begun_by", sa.String, nullable=False),
)
invitation = sa.Table(
    "invitation",
    RECORD,
    _id(),
    _to("session", "session"),
    sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("instrument", sa.String, nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("used", sa.LargeBinary(32)),
    sa.Column("version", sa.String),
)
check_in = sa.Table(
    "check_in",
    RECORD,
    _id(),
    _to("session", "session"),
    sa.Column("invitation", sa.String(32), sa.ForeignKey("invitation.id"), unique=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("instrument", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("answers", _sealed("check_in.answers", padded=True), nullable=False),
)
instrument = sa.Table(
    "instrument",
    RECORD,
    _id(),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(32), nullable=False),
    sa.Column("ended", Instant),
    sa.UniqueConstraint("name", "version"),
)
step = sa.Table(
    "step",
    RECORD,
    _id(),
    _to("dyad", "dyad"),
    sa.Column("chosen", Instant, nullable=False),
    sa.Column("what", _sealed("step.what", padded=True), nullable=False),
    sa.Column("outcome", _sealed("step.outcome", padded=True)),
    sa.Column("about", _sealed("step.about", padded=True)),
    sa.Column("repaired", sa.String),
)
consent = sa.Table(
    "consent",
    RECORD,
    _id(),
    _to("client", "client"),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("given", Instant, nullable=False),
    sa.Column("withdrawn", Instant),
)
share = sa.Table(
    "share",
    RECORD,
    _id(),
    sa.Column("sender", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("recipient", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("note", _sealed("share.note", sa.String(32), lookup=True), nullable=False),
    sa.Column("client", sa.String(32), nullable=False, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("basis", _sealed("share.basis", padded=True), nullable=False),
    sa.Column("expires", Instant, nullable=False),
    sa.Column("body", _sealed("share.body", sa.LargeBinary), nullable=False),
    sa.Column("box", sa.LargeBinary, nullable=False),
    sa.Column("signature", _sealed("share.signature", sa.LargeBinary(64)), nullable=False),
    sa.Column("kind", sa.String, nullable=False, server_default="reflection"),
)
step_answer = sa.Table(
    "step_answer",
    RECORD,
    _id(),
    _to("step", "step"),
    _to("check_in", "check_in"),
    sa.Column("talked", sa.String, nullable=False),
    sa.Column("helped", _sealed("step_answer.helped", sa.Float)),
)
own_curve = sa.Table(
    "own_curve",
    RECORD,
    sa.Column("id", sa.String(32), sa.ForeignKey("dyad.id"), primary_key=True),
    sa.Column("since", Instant, nullable=False),
)
concern = sa.Table(
    "concern",
    RECORD,
    _id(),
    _to("dyad", "dyad"),
    _to("session", "session", empty=True),
    _to("check_in", "check_in", empty=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("item", _sealed("concern.item", padded=True)),
    sa.Column("answer", _sealed("concern.answer", sa.Float)),
    sa.Column("why", _sealed("concern.why", padded=True), nullable=False),
    sa.Column("closed", Instant),
    sa.Column("closed_by", sa.String(32)),
    sa.Column("done", _sealed("concern.done", padded=True)),
    sa.Column("done_at", Instant),
)
protocol = sa.Table(
    "protocol",
    RECORD,
    _id(),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(32), nullable=False),
    sa.Column("help_en", sa.String, nullable=False),
    sa.Column("help_es", sa.String, nullable=False),
    sa.Column("number", sa.String, nullable=False),
    sa.Column("steps", sa.String, nullable=False),
)
measure = sa.Table(
    "measure",
    RECORD,
    _id(),
    sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("established", sa.Float),
    sa.Column("at", Instant, nullable=False),
    sa.Column("instrument", sa.String),
    sa.Column("scale", sa.String),
)
rating = sa.Table(
    "rating",
    RECORD,
    _id(),
    _to("session", "session"),
    _to("measure", "measure"),
    sa.Column("score", _sealed("rating.score", sa.Float), nullable=False),
)
factor = sa.Table(
    "factor",
    RECORD,
    _id(),
    sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("name", _sealed("factor.name", padded=True), nullable=False),
    sa.Column("secret", _sealed("factor.secret", sa.LargeBinary), nullable=False),
    sa.Column("credential", sa.LargeBinary),
    sa.Column("used", sa.Integer, nullable=False),
    sa.Column("added", Instant, nullable=False),
)
token = sa.Table(
    "token",
    RECORD,
    _id(),
    sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("name", _sealed("token.name", padded=True), nullable=False),
    sa.Column("scopes", sa.String, nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("made", Instant, nullable=False),
    sa.Column("expires", Instant, nullable=False),
)
reminded = sa.Table(
    "reminded",
    RECORD,
    _id(),
    sa.Column("account", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    _to("session", "session", empty=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("at", Instant, nullable=False),
)
erased = sa.Table(
    "erased",
    RECORD,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("therapist", sa.String(32), nullable=False, index=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("swept", Instant),
)
handover = sa.Table(
    "handover",
    RECORD,
    _id(),
    _to("dyad", "dyad"),
    sa.Column("recipient", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("course", sa.String, nullable=False),
    sa.Column("offered", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("accepted", Instant),
    _to("made", "dyad", empty=True),
)
norm = sa.Table(
    "norm",
    RECORD,
    _id(),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(32), nullable=False),
    sa.Column("ended", Instant),
)
signed = sa.Table(
    "signed",
    RECORD,
    _id(),
    sa.Column("therapist", sa.String(32), sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("body", _sealed("signed.body", padded=True), nullable=False),
    sa.Column("at", Instant, nullable=False),
)

REFLECTIONS: Final = sa.MetaData()
_journalled(REFLECTIONS)
reflection = sa.Table(
    "reflection",
    REFLECTIONS,
    _id(),
    sa.Column("client", _sealed("reflection.client", sa.String(32), lookup=True), nullable=False, index=True),
    sa.Column(
        "session", _sealed("reflection.session", sa.String(32), lookup=True), nullable=False, index=True
    ),
    sa.Column("revision", _sealed("reflection.revision", sa.Integer), nullable=False),
    sa.Column("at", _sealed("reflection.at", Instant), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False),
)
pin = sa.Table(
    "pin",
    REFLECTIONS,
    sa.Column("id", _sealed("pin.id", sa.String(32), lookup=True), primary_key=True),
    sa.Column("sealing", _sealed("pin.sealing", sa.LargeBinary(32)), nullable=False),
    sa.Column("signing", _sealed("pin.signing", sa.LargeBinary(32)), nullable=False),
    sa.Column("at", _sealed("pin.at", Instant), nullable=False),
)

IDENTITY: Final = sa.MetaData()
_journalled(IDENTITY)
person = sa.Table(
    "person",
    IDENTITY,
    _id(),
    sa.Column("name", _sealed("person.name", padded=True), nullable=False),
    sa.Column("contact", _sealed("person.contact", padded=True), nullable=False),
)

KINDS: Final = {"record": RECORD, "reflections": REFLECTIONS, "identity": IDENTITY}


def kept(metadata: sa.MetaData) -> list[sa.Table]:
    """Tables whose rows the journal answers for."""
    return [table for table in metadata.sorted_tables if table.name not in {"journal", "chain_key"}]
