"""Accounts: who may come in, and by which passphrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from attunement.errors import InputError, WrongKey
from attunement.practice.desk import Desk
from attunement.practice.house import changing_keys
from attunement.practice.policy import Role, Verb
from attunement.practice.tokens import forget_tokens
from attunement.sessions import Credential, code
from attunement.vault import tables
from attunement.vault.locks import Cost, refuse_weak

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.recovery import RecoveryCode
    from attunement.vault.rows import Row, Rows


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in.

    Parameters
    ----------
    code
        Such as ``T-1``.
    roles
        What the account is for.
    name, credential
        As the practice shows them.
    ended
        Since when it can no longer sign in.
    """

    code: str
    roles: frozenset[Role]
    name: str
    credential: Credential
    ended: datetime | None = None


class Accounts(Desk):
    """Verbs of accounts."""

    @changing_keys
    def add_account(
        self, account: str, passphrase: str, recovery: RecoveryCode, *, roles: frozenset[Role],
        name: str = "", credential: Credential = Credential.OTHER, cost: Cost | None = None,
    ) -> Account:  # fmt: skip
        """Let somebody in from now on, with a passphrase and a recovery code of their own."""
        account, roles = code(account, "account"), frozenset(Role(role) for role in roles)
        self._refuse_and_note_unless(Verb.ADD_ACCOUNT)
        refuse_weak(passphrase, account, name)
        if not roles:
            raise InputError("An account has a role: therapist, supervisor or admin.")
        if account in self.house.keyfile.accounts:
            raise InputError(f"There is an account {account} already.")

        def work(rows: Rows) -> tuple[str, Account]:
            before = rows.one(sa.select(tables.account).where(tables.account.c.id == account))
            if before and before["ended"]:
                raise InputError(f"There was an account {account} already; a code is never given twice.")
            values = _values(account, roles, name, credential)
            if before:  # its key file was never written: the program was stopped in between
                return account, _as_account(rows.change(tables.account, before, **values))
            return account, _as_account(rows.add(tables.account, **values))

        added = self._act(Verb.ADD_ACCOUNT, work)
        own = bool(roles & {Role.THERAPIST, Role.SUPERVISOR})
        self.house.add_account(account, passphrase, recovery, own=own, cost=cost or Cost())
        return added

    @changing_keys
    def end_account(self, account: str) -> None:
        """Let somebody in no more; what they wrote stays, sealed to them."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.account, account)
            others = rows.all(
                sa.select(tables.account).where(
                    tables.account.c.id != account, tables.account.c.ended.is_(None)
                )
            )
            if not any(Role.ADMIN in _roles(each) for each in others):
                raise InputError("The last admin cannot be ended; make somebody else admin first.")
            forget_tokens(rows, account)
            rows.change(tables.account, row, ended=rows.now().at)
            return account, None

        self._act(Verb.END_ACCOUNT, work)
        self.house.lock(account)
        self.house.set_keys(self.house.keyfile.shut_out(account, self.house.keys["record"]))

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts."""
        query = sa.select(tables.account).order_by(tables.account.c.id)
        return self._see(
            Verb.SEE_ACCOUNTS, lambda rows: ("", tuple(_as_account(row) for row in rows.all(query)))
        )

    @changing_keys
    def change_passphrase(self, old: str, new: str, *, cost: Cost | None = None) -> None:
        """Change one's own passphrase, of the record and of one's reflections; nothing is encrypted anew.

        One's tokens are worth nothing from now on: whoever knew the old passphrase may have made one.
        """
        me, keyfile = self.who.code, self.house.keyfile
        self._refuse_and_note_unless(Verb.CHANGE_PASSPHRASE)
        refuse_weak(new, me)
        try:
            root = keyfile.record_root(me, old)
            own = keyfile.open_own(me, old).root if keyfile.account(me).own else None
        except WrongKey:
            self._note(Verb.CHANGE_PASSPHRASE, "refused")
            raise
        self.house.set_keys(keyfile.relocked(me, (root, own), new, self.house.keys["record"], cost or Cost()))
        self._act(Verb.CHANGE_PASSPHRASE, self._end_tokens)

    @changing_keys
    def reset_passphrase(self, recovery: RecoveryCode, new: str, *, cost: Cost | None = None) -> None:
        """Set another passphrase by the recovery code; one's tokens are worth nothing from now on."""
        me, keyfile = self.who.code, self.house.keyfile
        self._refuse_and_note_unless(Verb.CHANGE_PASSPHRASE)
        refuse_weak(new, me)
        root = keyfile.record_root_with_code(me, recovery)
        own = keyfile.open_own_with_code(me, recovery).root if keyfile.account(me).own else None
        self.house.set_keys(keyfile.relocked(me, (root, own), new, self.house.keys["record"], cost or Cost()))
        self._act(Verb.CHANGE_PASSPHRASE, self._end_tokens)

    def _end_tokens(self, rows: Rows) -> tuple[str, None]:
        forget_tokens(rows, self.who.code)
        return "", None


def found_account(
    rows: Rows, account: str, roles: frozenset[Role], name: str, credential: Credential
) -> None:
    """Write down who founded the practice: the first entry of the record's journal."""
    rows.add(tables.account, **_values(account, roles, name, credential))
    rows.note(account, Verb.FOUND, account)


def _values(account: str, roles: frozenset[Role], name: str, credential: Credential) -> dict[str, str]:
    if len(name) > 200:
        raise InputError("A name has at most 200 characters.")
    return {
        "id": account,
        "roles": " ".join(sorted(roles)),
        "name": name,
        "credential": Credential(credential).value,
    }


def _roles(row: Row) -> frozenset[Role]:
    return frozenset(Role(role) for role in row["roles"].split())


def _as_account(row: Row) -> Account:
    return Account(row["id"], _roles(row), row["name"], Credential(row["credential"]), row["ended"])
