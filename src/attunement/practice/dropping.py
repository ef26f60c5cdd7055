"""The drop box: what it may show is published to it, and what clients dropped there is fetched, each exactly once.

The box is a public place that can open nothing. What the practice tells it is signed; what lies in it is sealed to the
practice. A drop is deleted there when it is on the disk here, and taking it in twice is taking it in once: wherever the
line breaks, fetching again is all that is needed.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import urlsplit

import sqlalchemy as sa

from attunement.errors import Damaged, Gone, InputError, InstrumentProblem, Refused, WrongKey
from attunement.instruments import to_table
from attunement.practice.checking_in import CheckingIn, step_to_ask_about
from attunement.practice.described import OURS, read, to_ask
from attunement.practice.house import changing_keys
from attunement.practice.policy import CLIENT, Verb
from attunement.practice.safety import current_protocol
from attunement.practice.sending import Received, Tried
from attunement.practice.whose import under_way
from attunement.vault import tables
from attunement.vault.clock import Moment
from attunement.vault.drop_keys import DropKeys
from attunement.vault.drops import CANNOT_OPEN, Drop, Told, published_to_sign, slot_of
from attunement.vault.slots import Published, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from attunement.instruments import Instrument
    from attunement.vault.rows import Row, Rows

Outcome = Literal["taken", "refused", "left"]
_AT_HOME: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_A_BOX: Final = "The answer could not be read; is the address that of a drop box?"
_MOST_PAGES: Final = 10_000


class Line(Protocol):
    """Who carries what is asked of a box to it: `attunement.remote.DropBoxLine`, or a test."""

    def ask(self, what: str, content: bytes, sign: Callable[[bytes], bytes]) -> bytes:
        """Ask, signed, and return what was answered.

        Raises
        ------
        WrongKey
            Where the box does not know who signs.
        VaultProblem
            Where it did not answer.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of fetching.

    Parameters
    ----------
    taken
        Check-ins that are in the record now, and no longer in the box.
    at_risk
        How many of them ask for a look at somebody's safety.
    refused
        Drops that were too late, or came by a link that was used here: no longer in the box.
    left
        Drops that cannot be opened or belong to no invitation here; they stay in the box.
    """

    taken: int = 0
    at_risk: int = 0
    refused: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Lay:
    """A drop that lay in the box: asked then, sent then."""

    drop: Drop
    at: datetime

    def asked(self, rows: Rows, invitation: Row) -> Instrument:
        """Return the version that was answered, also where a later one is asked by now."""
        if self.drop.instrument != invitation["instrument"]:
            raise Gone(CANNOT_OPEN)
        return _in_version(rows, self.drop.instrument, self.drop.version)

    def sent(self, now: Moment) -> Moment:
        """Return when it was sent; not later than now, whatever the box's clock says."""
        return Moment(min(self.at, now.at), min(self.at, now.steady))


class Dropping(CheckingIn):
    """Verbs around the drop box."""

    @property
    def drop_box(self) -> str:
        """What clients' links begin with where there is a drop box; empty where there is none."""
        return self.house.keyfile.drop_box

    @changing_keys
    def link_drop_box(self, url: str) -> str:
        """Let clients' links lead to a drop box; an empty address lets them lead here again.

        Returns
        -------
        str
            The key by which the box knows its owner: public, and to be given to the box.
        """
        address = _address(url) if url else ""

        def work(rows: Rows) -> tuple[str, None]:  # noqa: ARG001 - the gate writes the entry
            return "", None

        self._act(Verb.LINK_DROP_BOX, work)
        house = self.house
        house.set_keys(house.keyfile.linked(address, house.keys["record"]))
        return self._drop_keys().owner.hex()

    def open_slots(self, line: Line) -> int:
        """Publish every invitation that is open to the box, in the place of those before; returns how many.

        Nothing that is published says about whom an invitation is, or whose it is.
        """
        keys = self._drop_keys()

        def query(rows: Rows) -> tuple[str, Published]:
            return "", _published(rows, keys.sealing)

        published = self._see(Verb.OPEN_SLOTS, query)
        content = published.written()
        told = {"published": content.decode(), "signature": keys.sign(published_to_sign(content)).hex()}
        self._asked_of_box(line, "open", told)
        return sum(not each.used for each in published.slots)

    def fetch_drops(self, line: Line, *, discard: bool = False) -> Fetched:
        """Take in what clients dropped, and let the box forget it; what breaks off is simply done again.

        Parameters
        ----------
        line
            To the box.
        discard
            Let the box forget what cannot be opened as well.
        """
        self._act(Verb.FETCH_DROPS, lambda _: ("", None))
        fetched, after = Fetched(), ""
        for _ in range(_MOST_PAGES):
            drops, more = _drops(self._asked_of_box(line, "drops", {"after": after}))
            outcomes = [(drop, *self._taken_from_box(drop)) for drop in drops]
            done = [drop.slot.hex() for drop, outcome, _ in outcomes if outcome != "left" or discard]
            if done:
                self._asked_of_box(line, "taken", {"slots": done})
            fetched = _counted(fetched, outcomes)
            if not drops or not more:
                break
            after = drops[-1].slot.hex()
        return fetched

    # -- inside

    def _taken_from_box(self, drop: Drop) -> tuple[Outcome, bool]:
        """Take a drop in as if its client had sent it here; whether it was, and whether it asks for a look."""
        try:
            told = self._opened_drop(drop)
        except Damaged:
            self._note(Verb.FETCH_DROPS, "damaged", about=self._invitation_of(drop))
            return "left", False
        client = type(self)(self.house, CLIENT)
        try:
            received = client._receive_told(told, drop)  # noqa: SLF001 - it is ourselves, as the client
        except InstrumentProblem:
            self._note(Verb.FETCH_DROPS, "not taken", about=self._invitation_of(drop))
            return "refused", False
        except (InputError, Refused):
            return ("refused" if self.knows(told.token) else "left"), False
        return "taken", received.at_risk

    def _receive_told(self, told: Told, drop: Drop) -> Received:
        tried = Tried(told.talked, told.helped)  # type: ignore[arg-type]  # it says no where it is another
        lay = Lay(drop, told.at)
        return self._act(
            Verb.RECEIVE,
            lambda rows: self._received(rows, told.token, told.answers, told.key, tried, lay),
            token=drop.slot,
        )

    def _opened_drop(self, drop: Drop) -> Told:
        """Open a drop by the present keys or those before; one without the slot's token was made by a stranger."""
        for keys in self._all_drop_keys():
            try:
                told = keys.opened(drop)
            except Damaged:
                continue
            if hmac.compare_digest(slot_of(told.token), drop.slot):
                return told
        raise Damaged(CANNOT_OPEN)

    def _invitation_of(self, drop: Drop) -> str:
        table = tables.invitation
        with self._reading(drop.slot) as rows:
            found = rows.one(sa.select(table.c.id).where(table.c.token_hash == drop.slot))
        return found["id"] if found else ""

    def _drop_keys(self) -> DropKeys:
        return next(self._all_drop_keys())

    def _all_drop_keys(self) -> Iterator[DropKeys]:
        """The present keys, and those before each change of keys."""
        return map(DropKeys, self.house.keyfile.generations(self.house.keys["record"]))

    def _asked_of_box(self, line: Line, what: str, told: dict[str, Any]) -> bytes:
        """Ask the box; one that knows the keys before a rotation is told the new ones first."""
        content, keys = json.dumps(told).encode(), self._drop_keys()
        try:
            return line.ask(what, content, keys.sign)
        except WrongKey:
            if not self._handed_over(line, keys.owner):
                raise
        return line.ask(what, content, keys.sign)

    def _handed_over(self, line: Line, owner: bytes) -> bool:
        told = json.dumps({"owner": owner.hex()}).encode()
        for before in self._all_drop_keys():
            if before.owner == owner:
                continue
            try:
                line.ask("owner", told, before.sign)
            except WrongKey:
                continue
            return True
        return False


def _address(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    at_home = parts.scheme == "http" and parts.hostname in _AT_HOME
    if not (parts.scheme == "https" or at_home) or not parts.netloc or parts.path or parts.query:
        raise InputError("A drop box has an address such as https://answers.practice.example.")
    return url.rstrip("/")


def _published(rows: Rows, sealing: bytes) -> Published:
    """Gather the invitations that are open, and those used whose time is not over."""
    protocol = current_protocol(rows)
    told = {"help_en": protocol.help_en, "help_es": protocol.help_es, "number": protocol.number}
    asked, slots = {}, []
    for row in rows.all(_open(rows.now().steady)):
        try:
            instrument = to_ask(rows, row["instrument"])
        except InputError:  # it was retired: nobody is asked
            continue
        name = f"{instrument.id} {instrument.version}"
        asked[name] = to_table(instrument)
        slots.append(
            Slot(
                row["token_hash"],
                name,
                row["expires"],
                step_to_ask_about(rows, row) is not None,
                row["used"] is not None,
            )
        )
    return Published(sealing, told, asked, tuple(slots))


def _open(now: datetime) -> sa.Select[Any]:
    """Invitations whose time is not over, with what tells whether a step is asked about."""
    table, session = tables.invitation, tables.session
    return (
        sa.select(table, session.c.dyad, session.c.began)
        .join(session, session.c.id == table.c.session)
        .join(tables.dyad, tables.dyad.c.id == session.c.dyad)
        .where(table.c.expires > now, under_way(now))
        .order_by(table.c.token_hash)
    )


def _in_version(rows: Rows, name: str, version: str) -> Instrument:
    if name in OURS:
        found = to_ask(rows, name)
        if found.version == version:
            return found
    table = tables.instrument
    kept = rows.one(sa.select(table.c.body).where(table.c.name == name, table.c.version == version))
    if kept is None:
        raise Gone(CANNOT_OPEN)
    return read(kept["body"])


def _drops(answered: bytes) -> tuple[list[Drop], bool]:
    try:
        told = json.loads(answered)
        drops = [
            Drop(
                bytes.fromhex(each["slot"]), str(each["instrument"]), str(each["version"]),
                base64.b64decode(each["sealed"], validate=True),
            )
            for each in told["drops"]
        ]  # fmt: skip
        return drops, bool(told["more"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Damaged(_NOT_A_BOX) from None


def _counted(fetched: Fetched, outcomes: list[tuple[Drop, Outcome, bool]]) -> Fetched:
    counts = {
        name: getattr(fetched, name) + sum(outcome == name for _, outcome, _ in outcomes)
        for name in ("taken", "refused", "left")
    }
    return replace(fetched, **counts, at_risk=fetched.at_risk + sum(risk for _, _, risk in outcomes))
