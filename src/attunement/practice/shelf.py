"""The instruments of a practice: ours, and those of others for whose words it has the right.

What was asked stays readable: a loaded instrument is kept in every version that was answered, also when it is asked no
longer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from attunement.errors import InputError, Refused
from attunement.instruments import to_table
from attunement.practice.described import MOST, OURS, read
from attunement.practice.desk import Desk
from attunement.practice.policy import REFUSED, Verb
from attunement.vault import tables

if TYPE_CHECKING:
    from attunement.instruments import Instrument
    from attunement.vault.rows import Rows

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
    """

    instrument: Instrument
    asked: bool


class Shelf(Desk):
    """Verbs around the instruments that a practice can ask."""

    def load_instrument(self, loaded: Instrument) -> None:
        """Keep an instrument with its words, by the right that it names, so that clients can be asked.

        Parameters
        ----------
        loaded
            With ``words = "loaded"``. Another version of one that is there takes its place; the same version replaces
            nothing that was answered.

        Raises
        ------
        InputError
            Where it is one of ours, has no words or no right, is there in this version with other words, or is long.
        """
        _refuse_unfit(loaded)
        body = json.dumps(to_table(loaded), ensure_ascii=False, allow_nan=False, sort_keys=True)
        if len(body) > LONGEST:
            raise InputError(f"{loaded.id} is longer than {LONGEST:,} characters; an instrument is not.")

        def work(rows: Rows) -> tuple[str, None]:
            table = tables.instrument
            found = rows.all(sa.select(table))
            same = [row for row in found if (row["name"], row["version"]) == (loaded.id, loaded.version)]
            if same and same[0]["body"] != body:
                raise InputError(
                    f"{loaded.id} is there in version {loaded.version} with other words; give this one another version."
                )
            if not same and len(found) >= MOST:
                raise InputError(f"A practice keeps {MOST} instruments at most.")
            for row in found:
                if row["name"] == loaded.id and row["ended"] is None and row not in same:
                    rows.change(table, row, ended=rows.now().at)
            if same:
                kept = rows.change(table, same[0], ended=None)
            else:
                kept = rows.add(
                    table, name=loaded.id, version=loaded.version, body=body, at=rows.now().at, by=self.who.code,
                )  # fmt: skip
            return str(kept["id"]), None

        self._act(Verb.LOAD_INSTRUMENT, work)

    def retire_instrument(self, name: str) -> None:
        """Ask an instrument no longer, such as when the right to its words has ended; what was answered stays."""

        def work(rows: Rows) -> tuple[str, None]:
            table = tables.instrument
            found = rows.all(sa.select(table).where(table.c.name == name, table.c.ended.is_(None)))
            if not found:
                raise Refused(REFUSED)
            for row in found:
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
        return tuple(Loaded(read(row["body"]), row["ended"] is None) for row in found)


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
