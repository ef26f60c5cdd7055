"""The one gate: every verb passes the policy, and leaves one entry in the journal of the vault it is about."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from attunement.errors import Gone, InputError, InUse, KeyChanged, Locked, NotStored, Refused, VaultProblem
from attunement.practice.hands import whom
from attunement.practice.policy import REFUSED, Verb, Who, permits
from attunement.practice.whose import DYADS, OWN, known_as, own_dyads
from attunement.vault.tables import dyad as dyads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from attunement.practice.house import House
    from attunement.vault.account import Own
    from attunement.vault.journal import Entry
    from attunement.vault.rows import Row, Rows
    from attunement.vault.vault import Vault
    from attunement.vault.whom import Whom

Result = TypeVar("Result")
TRACES: Final = (
    "What is left of it on the disk could not be removed yet, for somebody is reading there or the disk fails; "
    "the next erasing removes it."
)
_LOCKED: Final = "Your reflections are locked; your passphrase opens them."
_BY_CODE: Final = DYADS.where(OWN, known_as == sa.bindparam("client"))
_ONCE_BY_CODE: Final = DYADS.where(
    dyads.c.therapist == sa.bindparam("therapist"), known_as == sa.bindparam("client")
)
_BY_ID: Final = DYADS.where(OWN, dyads.c.id == sa.bindparam("dyad"))


class _Read:
    """Entries of what was read, still to be written: in one piece of work for each vault and on each behalf."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Vault, Whom], list[Callable[[Rows], Entry]]] = {}

    def add(self, vault: Vault, on_behalf: Whom, entry: Callable[[Rows], Entry]) -> None:
        """Keep an entry in mind."""
        self._entries.setdefault((vault, on_behalf), []).append(entry)

    def write(self) -> None:
        """Write them; when this returns they are on the disk."""
        entries, self._entries = self._entries, {}
        for (vault, on_behalf), those in entries.items():
            vault.do(partial(_written, those), on_behalf)


def _written(entries: list[Callable[[Rows], Entry]], rows: Rows) -> list[Entry]:
    return [entry(rows) for entry in entries]


_READING: ContextVar[_Read | None] = ContextVar("reading", default=None)


class Desk:
    """Where somebody stands before the practice: who they are, and the house.

    Parameters
    ----------
    house
        The opened vaults.
    who
        Who asks.
    """

    def __init__(self, house: House, who: Who) -> None:
        self.house, self.who = house, who

    # -- the gate

    def _act(
        self, verb: Verb, work: Callable[[Rows], tuple[str, Result]], vault: Vault | None = None,
        *, token: bytes = b"",
    ) -> Result:  # fmt: skip
        """Change something: the work and its entry are one transaction, on the disk when this returns.

        `work` gives the random id of what it was about, and what is returned; `token` is the hash of the one that led
        here.
        """
        vault = vault or self.house.record

        def gated(rows: Rows) -> Result:
            self._refuse_unless(verb)
            about, result = work(rows)
            rows.note(self.who.signs, verb, about)
            return result

        write_what_was_read()
        with self._noting(verb, vault):
            return vault.do(gated, whom(self.who, verb, token))

    def _see(
        self, verb: Verb, query: Callable[[Rows], tuple[str, Result]], vault: Vault | None = None,
        *, token: bytes = b"",
    ) -> Result:  # fmt: skip
        """Read something; it is shown when the entry that it was read is on the disk."""
        vault = vault or self.house.record
        with self._noting(verb, vault):
            self._refuse_unless(verb)
            with vault.reading(whom(self.who, verb, token)) as rows:
                about, result = query(rows)
        self._note_seen(verb, vault, about)
        return result

    def _note(self, verb: Verb, outcome: str, vault: Vault | None = None, about: str = "") -> None:
        """Write an entry alone."""
        noted = whom(self.who, verb)
        (vault or self.house.record).do(lambda rows: rows.note(self.who.signs, verb, about, outcome), noted)

    def _note_seen(self, verb: Verb, vault: Vault, about: str) -> None:
        """Write the entry that something was read; `together` does where somebody reads more."""
        reading = _READING.get()
        if reading is None:
            self._note(verb, "done", vault, about)
        else:
            reading.add(vault, whom(self.who, verb), lambda rows: rows.note(self.who.signs, verb, about))

    def _reading(self, token: bytes = b"") -> AbstractContextManager[Rows]:
        """Read from the record what one may see, for a verb that leaves its entry elsewhere."""
        return self.house.record.reading(whom(self.who, token=token))

    @contextmanager
    def _noting(self, verb: Verb, vault: Vault | None = None) -> Iterator[None]:
        """Leave an entry where something is refused; its own transaction has been undone, or has not begun."""
        try:
            yield
        except (Refused, InputError, KeyChanged) as no:
            self._note(verb, _why(no), vault)
            raise

    def _refuse_unless(
        self, verb: Verb, *, owner: str | None = None, addressed_to: str | None = None
    ) -> None:
        admitted = not self.who.roles or self.house.admits(self.who.code)
        if not admitted or not permits(self.who, verb, owner=owner, addressed_to=addressed_to):
            raise Refused(REFUSED)

    def _refuse_while_unlocked(self) -> None:
        if any(each.unlocked for each in self.house.reflections.values()):
            raise Locked("Lock the reflections first: an export is made without a key to them.")

    def _refuse_and_note_unless(self, verb: Verb) -> None:
        write_what_was_read()
        with self._noting(verb):
            self._refuse_unless(verb)

    def _own(self, verb: Verb) -> tuple[Vault, Own]:
        """One's own reflections; what was refused is noted in the record, for theirs cannot be reached."""
        self._refuse_and_note_unless(verb)
        unlocked = self.house.reflections.get(self.who.code)
        if unlocked is None:
            raise Locked(_LOCKED)
        return unlocked.use()

    # -- what is one's own

    def _own_dyads(self, rows: Rows) -> sa.ColumnElement[bool]:
        """Which dyads are one's own now."""
        return own_dyads(self.who.code, rows.now().steady)

    def _me(self, rows: Rows) -> dict[str, Any]:
        """What a query that was built once is given, to ask for one's own dyads now."""
        return {"therapist": self.who.code, "steady": rows.now().steady}

    def _dyad(self, rows: Rows, code: str) -> Row:
        """One's own dyad with a client, by the client's code; what is somebody else's is not there."""
        return there(rows.one(_BY_CODE, **self._me(rows), client=code))

    def _once_own_dyad(self, rows: Rows, code: str) -> Row:
        """One's own dyad with a client, also where it was a cover that is over."""
        return there(rows.one(_ONCE_BY_CODE, therapist=self.who.code, client=code))

    def _dyad_of(self, rows: Rows, verb: Verb, dyad: str) -> Row:
        """A dyad by its id, to which something belongs; refused where it is not one's own now."""
        found = rows.one(_BY_ID, **self._me(rows), dyad=dyad)
        self._refuse_unless(verb, owner=found["therapist"] if found else "")
        return there(found)

    def _whole(self, rows: Rows, table: sa.Table, row_id: str) -> Row:
        """A row, whole, by its id."""
        found = rows.one(sa.select(table).where(table.c.id == row_id))
        if found is None:
            raise Refused(REFUSED)
        return found

    def _sweep(self, vault: Vault, done: str) -> None:
        """Leave nothing of what was taken away; where that cannot be, say so, and that what was done is done.

        Raises
        ------
        VaultProblem
            Where something is left.
        """
        if not swept(vault):
            raise VaultProblem(f"{done} {TRACES}")


@contextmanager
def together() -> Iterator[None]:
    """Read many things as one: nothing of them is to be shown before this ends, for then their entries are on the disk.

    Raises
    ------
    NotStored
        Where one of them is not.
    """
    before = _READING.set(_Read())
    try:
        try:
            yield
        finally:
            write_what_was_read()
    finally:
        _READING.reset(before)


def write_what_was_read() -> None:
    """Write the entries of what was read so far, before anything is changed or shown."""
    reading = _READING.get()
    if reading is not None:
        reading.write()


def swept(vault: Vault) -> bool:
    """Leave nothing of what was taken away, if that can be now; from the rows it is gone either way."""
    try:
        return vault.sweep()
    except (InUse, NotStored):
        return False


def there(found: Row | None) -> Row:
    """Return what was found; what was not is refused in the words for what is somebody else's."""
    if found is None:
        raise Refused(REFUSED)
    return found


def _why(no: Exception) -> str:
    if isinstance(no, Gone):
        return "gone"
    if isinstance(no, KeyChanged):
        return "key changed"
    return "refused" if isinstance(no, Refused) else "not taken"
