"""The instruments of a practice: ours, and those of others for whose words it has the right.

What was asked stays readable: a loaded instrument is kept in every version that was answered, also when it is asked no
longer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import InputError, Refused
from attunement.instruments import of_others, to_table
from attunement.practice.described import MOST, OURS, counts_as, read
from attunement.practice.desk import Desk
from attunement.practice.policy import REFUSED, Role, Verb
from attunement.vault import tables

if TYPE_CHECKING:
    from attunement.instruments import Instrument
    from attunement.vault.rows import Row, Rows

LONGEST: Final = 400_000
"""Characters of a description with all its words."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An instrument that the practice has loaded.

    Parameters
    ----------
    instrument
        What is asked, with its words.
    asked
        Whether it can be asked still.
    by
        The account that loaded it.
    """

    instrument: Instrument
    asked: bool
    by: str


class Shelf(Desk):
    """Verbs around the instruments that a practice can ask."""

    def load_instruments(self, *loaded: Instrument) -> None:
        """Keep instruments with their words, by the right that each names, so that clients can be asked; all or none.

        Other words under a version that nobody has answered take their place. Where somebody has, the new ones are kept
        as another edition, so that what was asked stays readable.

        Parameters
        ----------
        loaded
            Each with ``words = "loaded"``.

        Raises
        ------
        InputError
            Where one is ours, takes no words, counts otherwise than is known of it, or lacks the line that its owners
            want under it.
        Refused
            Where somebody else has loaded it, and one is no admin.
        """
        bodies = [(each, _written(each)) for each in loaded]

        def work(rows: Rows) -> tuple[str, None]:
            kept = [self._load(rows, each, body) for each, body in bodies]
            return kept[0] if len(kept) == 1 else "", None

        self._act(Verb.LOAD_INSTRUMENT, work)

    def retire_instrument(self, name: str) -> None:
        """Ask an instrument no longer, such as when the right to its words has ended; what was answered stays.

        What is sent by a link that was made before is taken until the link ends.
        """

        def work(rows: Rows) -> tuple[str, None]:
            table = tables.instrument
            found = rows.all(sa.select(table).where(table.c.name == name, table.c.ended.is_(None)))
            if not found:
                raise Refused(REFUSED)
            for row in found:
                self._refuse_anothers(row)
                rows.change(table, row, ended=rows.now().at)
            return str(found[-1]["id"]), None

        self._act(Verb.RETIRE_INSTRUMENT, work)

    def instruments(self) -> tuple[Loaded, ...]:
        """Return what the practice has loaded, in every version."""
        table = tables.instrument
        found = self._see(
            Verb.SEE_INSTRUMENTS,
            lambda rows: ("", rows.all(sa.select(table).order_by(table.c.name, table.c.at))),
        )
        return tuple(Loaded(read(row["body"]), row["ended"] is None, row["by"]) for row in found)

    # -- inside

    def _load(self, rows: Rows, loaded: Instrument, body: str) -> str:
        table = tables.instrument
        found = rows.all(sa.select(table).where(table.c.name == loaded.id).order_by(table.c.at))
        for row in found:
            if row["ended"] is None:
                self._refuse_anothers(row)
        same = next((row for row in found if row["version"] == loaded.version), None)
        if same is not None and same["body"] != body and _was_answered(rows, loaded):
            edition = replace(loaded, version=f"{loaded.version}, edition {len(found) + 1}")
            return self._load(rows, edition, _written(edition))
        for row in found:
            if row["ended"] is None and row is not same:
                rows.change(table, row, ended=rows.now().at)
        if same is not None:
            return str(rows.change(table, same, body=body, ended=None)["id"])
        if len(rows.all(sa.select(table.c.id))) >= MOST:
            raise InputError(f"A practice keeps {MOST} instruments at most.")
        kept = rows.add(
            table, name=loaded.id, version=loaded.version, body=body, at=rows.now().at, by=self.who.code,
        )  # fmt: skip
        return str(kept["id"])

    def _refuse_anothers(self, row: Row) -> None:
        """What somebody has loaded by a right of theirs is theirs to change, and an admin's."""
        if row["by"] != self.who.code and Role.ADMIN not in self.who.roles:
            raise InputError(
                f"{row['name']} was loaded by {row['by']}; that account or an admin can change or retire it."
            )


def _was_answered(rows: Rows, loaded: Instrument) -> bool:
    table = tables.check_in
    asked = sa.select(table.c.id).where(table.c.instrument == loaded.id, table.c.version == loaded.version)
    return rows.one(asked.limit(1)) is not None


def _written(loaded: Instrument) -> str:
    """An instrument as it is kept, if it can be."""
    _refuse_unfit(loaded)
    body = json.dumps(to_table(loaded), ensure_ascii=False, allow_nan=False, sort_keys=True)
    if len(body) > LONGEST:
        raise InputError(f"{loaded.id} is longer than {LONGEST:,} characters; an instrument is not.")
    return body


def _refuse_unfit(loaded: Instrument) -> None:
    if loaded.id in OURS:
        raise InputError(f"{loaded.id} is the id of an instrument of ours; give this one another.")
    if loaded.asked_of != "client":
        raise InputError(
            f"{loaded.id} is answered by a {loaded.asked_of}; here clients are asked, and nobody else."
        )
    if loaded.words != "loaded":
        raise InputError(
            f"{loaded.id} comes without words, or without the right to show them, so nobody could be asked."
        )
    known = {each.id: each for each in of_others()}.get(loaded.id)
    if known is None:
        return
    if known.words == "totals only":
        raise InputError(
            f"{loaded.id} is never asked here, in whatever words; its totals from elsewhere are taken."
        )
    if not counts_as(known, loaded):
        raise InputError(
            f"{loaded.id} is known, and this counts otherwise; give an instrument of your own another id."
        )
    if known.credited and not (loaded.credit or "").strip():
        raise InputError(
            f"{loaded.id}: its owners want their line under the words; say it as credit. {known.licence}"
        )
