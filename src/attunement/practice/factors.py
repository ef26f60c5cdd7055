"""Something one has, beside the passphrase that one knows: a code by time, or a passkey.

It guards the door of the rooms. It is no lock of the files: whoever has those opens them with the passphrase alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from attunement.errors import InputError
from attunement.practice.desk import Desk
from attunement.practice.policy import Verb
from attunement.vault import tables

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.vault.rows import Row, Rows

Kind = Literal["code", "passkey"]
MOST = 10  # second factors an account


@dataclass(frozen=True, slots=True)
class Factor:
    """One second factor.

    Parameters
    ----------
    id
        Random.
    kind, name
        A code by time or a passkey, and what its owner calls it.
    secret
        Of a code the shared secret, of a passkey the public key.
    credential
        Of a passkey, its id.
    used
        Of a code the last step of time that was used, of a passkey its counter: neither is taken twice.
    added
        When.
    """

    id: str
    kind: Kind
    name: str
    secret: bytes = field(repr=False)
    credential: bytes | None = field(repr=False)
    used: int
    added: datetime


class Factors(Desk):
    """Verbs of one's own second factors."""

    def factors(self) -> tuple[Factor, ...]:
        """Return one's own second factors."""
        table = tables.factor
        query = sa.select(table).where(table.c.account == self.who.code).order_by(table.c.added)
        return self._see(Verb.SEE_FACTORS, lambda rows: ("", tuple(map(_as_factor, rows.all(query)))))

    def add_factor(
        self, kind: Kind, name: str, secret: bytes, credential: bytes | None = None, *, used: int = 0
    ) -> Factor:
        """Ask for this from the next sign-in on; what was used to show that one has it is used."""
        called = name.strip()
        if not 1 <= len(called) <= 60:
            raise InputError("The name of a second step has 1 to 60 characters, such as My phone.")

        def work(rows: Rows) -> tuple[str, Factor]:
            mine = rows.all(sa.select(tables.factor.c.id).where(tables.factor.c.account == self.who.code))
            if len(mine) >= MOST:
                raise InputError(f"An account has at most {MOST} second steps; remove one first.")
            row = rows.add(
                tables.factor, account=self.who.code, kind=kind, name=called, secret=secret, credential=credential,
                used=used, added=rows.now().at,
            )  # fmt: skip
            return row["id"], _as_factor(row)

        return self._act(Verb.ADD_FACTOR, work)

    def use_factor(self, factor: str, used: int) -> bool:
        """Write down that a code's step of time, or a passkey's counter, has been used; False where it was before."""

        def work(rows: Rows) -> tuple[str, bool]:
            row = self._mine(rows, Verb.USE_FACTOR, factor)
            fresh = used > row["used"] or (row["kind"] == "passkey" and used == row["used"] == 0)
            if fresh:
                rows.change(tables.factor, row, used=used)
            return row["id"], fresh

        return self._act(Verb.USE_FACTOR, work)

    def remove_factor(self, factor: str) -> None:
        """Ask for this no longer."""

        def work(rows: Rows) -> tuple[str, None]:
            row = self._mine(rows, Verb.REMOVE_FACTOR, factor)
            rows.remove(tables.factor, [row["id"]])
            return row["id"], None

        self._act(Verb.REMOVE_FACTOR, work)

    def _mine(self, rows: Rows, verb: Verb, factor: str) -> Row:
        row = self._whole(rows, tables.factor, factor)
        self._refuse_unless(verb, owner=row["account"])
        return row


def _as_factor(row: Row) -> Factor:
    return Factor(
        row["id"], row["kind"], row["name"], row["secret"], row["credential"], row["used"], row["added"]
    )
