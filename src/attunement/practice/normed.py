"""Norms of others that are loaded here: what is habitual of a therapist is told against them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from attunement.errors import InputError, Refused
from attunement.practice.desk import Desk
from attunement.practice.policy import REFUSED, Role, Verb
from attunement.vault import tables

if TYPE_CHECKING:
    from datetime import datetime

    from attunement.norms import Norms
    from attunement.vault.rows import Row, Rows

OWN: Final = "of this practice"
"""The name by which the practice's own norms are kept; those of others are kept by what they measure."""
LARGEST: Final = 4_000_000
"""Bytes of a file of norms."""


@dataclass(frozen=True, slots=True)
class InForce:
    """Norms against which therapists here are held.

    Parameters
    ----------
    id
        Random.
    norms
        What they hold.
    at, by
        When they were loaded, and by which account.
    """

    id: str
    norms: Norms = field(repr=False)
    at: datetime
    by: str


class Normed(Desk):
    """Verbs around norms of others."""

    def load_norm(self, content: bytes) -> InForce:
        """Take norms of others into force; they take the place of those before.

        A part that this practice has published itself is left out: one's own hours would stand on both sides.

        Parameters
        ----------
        content
            A file that `attunement norms publish` or `pool` has written.

        Raises
        ------
        InputError
            Where it is no such file, or of something else than our feelings.
        """
        from attunement.norms import dump  # noqa: PLC0415 - most of a second, for norms alone

        with self._noting(Verb.LOAD_NORM):
            self._refuse_unless(Verb.LOAD_NORM)
            norms = _read(content)

        def work(rows: Rows) -> tuple[str, InForce]:
            table, now = tables.norm, rows.now().at
            kept = _without(norms, own_norms(rows))
            for row in rows.all(_of(kept.about.name)):
                rows.change(table, row, ended=now)
            row = rows.add(table, name=kept.about.name, body=dump(kept), at=now, by=self.who.code)
            return row["id"], InForce(row["id"], kept, now, self.who.code)

        return self._act(Verb.LOAD_NORM, work)

    def norms_in_force(self) -> tuple[InForce, ...]:
        """Return the norms of others that were loaded and not retired."""
        table = tables.norm
        loaded = sa.select(table).where(table.c.ended.is_(None), table.c.name != OWN).order_by(table.c.at)
        found = self._see(Verb.SEE_NORMS, lambda rows: ("", rows.all(loaded)))
        return tuple(InForce(row["id"], _loaded(row["body"]), row["at"], row["by"]) for row in found)

    def retire_norm(self, norm: str) -> None:
        """Hold nobody against norms any longer; of the practice's own, begin anew.

        Raises
        ------
        Refused
            Where there are none by that id, or they are the practice's own and one is no admin.
        InputError
            Where somebody else has loaded them, and one is no admin.
        """

        def work(rows: Rows) -> tuple[str, None]:
            row = self._whole(rows, tables.norm, norm)
            mine = row["by"] == self.who.code or Role.ADMIN in self.who.roles
            if row["ended"] is not None or (row["name"] == OWN and Role.ADMIN not in self.who.roles):
                raise Refused(REFUSED)
            if not mine:
                raise InputError(
                    f"These norms were loaded by {row['by']}; that account or an admin can retire them."
                )
            rows.change(tables.norm, row, ended=rows.now().at)
            return norm, None

        self._act(Verb.RETIRE_NORM, work)


def own_norms(rows: Rows) -> Row | None:
    """The practice's own norms, as far as they were added."""
    return rows.one(_of(OWN))


def _read(content: bytes) -> Norms:
    """Norms of others, if a habit can be told against them."""
    from attunement.norms import load  # noqa: PLC0415 - see above
    from attunement.norms.habit import refuse_other  # noqa: PLC0415 - see above

    if len(content) > LARGEST:
        raise InputError(f"The file is larger than {LARGEST:,} bytes; norms are not.")
    try:
        norms = load(content.decode())
    except UnicodeDecodeError:
        raise InputError("The file is no text in UTF-8; norms are.") from None
    refuse_other(norms)
    return norms


def _loaded(body: str) -> Norms:
    from attunement.norms import load  # noqa: PLC0415 - see above

    return load(body)


def _without(norms: Norms, own: Row | None) -> Norms:
    """Leave out what the practice has published itself."""
    if own is None:
        return norms
    ours = {each["site"] for each in json.loads(own["body"])["sites"]}
    parts = tuple(part for part in norms.parts if part.site not in ours)
    if not parts:
        raise InputError(
            "These are the norms of this practice itself; one's own hours would be on both sides."
        )
    return replace(norms, parts=parts)


def _of(name: str) -> sa.Select[Any]:
    return sa.select(tables.norm).where(tables.norm.c.name == name, tables.norm.c.ended.is_(None))
