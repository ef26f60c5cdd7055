"""Tokens: by what a program comes in for its owner, how far, and until when.

A token is a passphrase for a machine, and less than one: it opens what its scopes name and nothing else, it ends by
itself, and the practice knows its digest alone. It opens no file; what nobody has opened it cannot open either.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

import sqlalchemy as sa

from attunement.errors import InputError, WrongKey
from attunement.practice.desk import Desk
from attunement.practice.policy import Role, Scope, Verb, Who
from attunement.vault import tables
from attunement.vault.whom import DOOR, Hand, Whom

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from attunement.vault.rows import Row, Rows

PREFIX: Final = "att_"
"""By which whoever looks for secrets in the wrong place knows one of ours."""
LONGEST: Final = 365  # days
MOST: Final = 20  # tokens an account
WRONG: Final = "This token is not known here, or is worth nothing any more; its owner can make a new one."
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token, as its owner sees it in a list.

    Parameters
    ----------
    id
        Random; the journal names what was done by it so.
    name
        What its owner calls the program.
    scopes
        What it opens.
    made, expires
        Since when, and until when.
    over
        Whether it has ended.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    made: datetime
    expires: datetime
    over: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A new token, with the secret that is shown once and kept nowhere."""

    token: Token
    secret: str = field(repr=False)


class Tokens(Desk):
    """Verbs of one's own tokens, and the way in by one."""

    def add_token(self, name: str, scopes: Iterable[Scope | str], days: int = 90) -> Given:
        """Let a program ask for what these scopes open.

        Parameters
        ----------
        name
            What to call it, such as "billing".
        scopes
            What it opens; at least one.
        days
            How long, 1 to 365.
        """
        called, opens = name.strip(), _known(scopes)
        if not 1 <= len(called) <= 60 or not called.isprintable():
            raise InputError("The name of a token has 1 to 60 characters, such as Billing.")
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST:
            raise InputError(f"A token is worth something for 1 to {LONGEST} days.")
        secret = PREFIX + secrets.token_urlsafe(_BYTES)

        def work(rows: Rows) -> tuple[str, Given]:
            if len(rows.all(_of(self.who.code))) >= MOST:
                raise InputError(f"An account has at most {MOST} tokens; remove one first.")
            now = rows.now()
            row = rows.add(
                tables.token, account=self.who.code, name=called, scopes=" ".join(sorted(opens)),
                hash=_hash(secret), made=now.at, expires=now.steady + timedelta(days=days),
            )  # fmt: skip
            return row["id"], Given(_as_token(row, now.steady), secret)

        return self._act(Verb.ADD_TOKEN, work)

    def tokens(self) -> tuple[Token, ...]:
        """Return one's own tokens, the oldest first; their secrets are not kept."""

        def query(rows: Rows) -> tuple[str, tuple[Token, ...]]:
            found, now = rows.all(_of(self.who.code)), rows.now().steady
            return "", tuple(_as_token(row, now) for row in found)

        return self._see(Verb.SEE_TOKENS, query)

    def remove_token(self, token: str) -> None:
        """Let nobody in by it any more."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.token, token)
            self._refuse_unless(Verb.REMOVE_TOKEN, owner=row["account"])
            rows.remove(tables.token, [row["id"]])
            return row["id"], None

        self._act(Verb.REMOVE_TOKEN, work)

    def knows_token(self, secret: str) -> bool:
        """Whether a token is kept here, also one that has ended; before anything is noted."""
        with self._reading(_hash(secret)) as rows:
            return _by_hash(rows, secret) is not None

    def by_token(self, secret: str) -> Self:
        """Stand before the practice as the program that has a token: its owner, held to its scopes.

        Raises
        ------
        WrongKey
            Alike where it never was, was removed, has ended, or its account has.
        """

        def work(rows: Rows) -> Who:
            row = _by_hash(rows, secret)
            over = row is None or row["ended"] is not None or rows.now().steady >= row["expires"]
            if row is None or over or not self.house.admits(row["account"]):
                raise WrongKey(WRONG)
            roles = frozenset(Role(role) for role in row["roles"].split())
            who = Who(row["account"], roles, _read(row["scopes"]), row["id"])
            rows.note(who.signs, Verb.USE_TOKEN, row["id"])
            return who

        try:
            who = self.house.record.do(work, Whom(Hand.DOOR, token=_hash(secret)))
        except WrongKey:
            self.house.record.do(lambda rows: rows.note("nobody", Verb.USE_TOKEN, "", "refused"), DOOR)
            raise
        return type(self)(self.house, who)


def forget_tokens(rows: Rows, account: str) -> None:
    """Let no program in any more that came for this account."""
    rows.remove(tables.token, [row["id"] for row in rows.all(_of(account))])


def _known(scopes: Iterable[Scope | str]) -> frozenset[Scope]:
    names = [each.value for each in Scope]
    asked = frozenset(str(each) for each in scopes)
    if not asked or not asked <= set(names):
        raise InputError(f"A token has at least one scope of these: {', '.join(names)}.")
    return frozenset(Scope(each) for each in asked)


def _read(scopes: str) -> frozenset[Scope]:
    """Read what is kept; a scope that this version does not know opens nothing."""
    return frozenset(scope for scope in Scope if scope.value in scopes.split())


def _of(account: str) -> sa.Select[Any]:
    table = tables.token
    return sa.select(table).where(table.c.account == account).order_by(table.c.made, table.c.id)


def _by_hash(rows: Rows, secret: str) -> Row | None:
    """Find a token by its digest: how long that takes says nothing of a secret of 256 bits."""
    digest = _hash(secret)
    found = rows.one(
        sa.select(tables.token, tables.account.c.roles, tables.account.c.ended)
        .join(tables.account, tables.account.c.id == tables.token.c.account)
        .where(tables.token.c.hash == digest)
    )
    return found if found is not None and hmac.compare_digest(found["hash"], digest) else None


def _as_token(row: Row, now: datetime) -> Token:
    return Token(
        row["id"], row["name"], _read(row["scopes"]), row["made"], row["expires"], now >= row["expires"]
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
