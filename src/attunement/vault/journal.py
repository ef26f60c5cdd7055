"""The journal: who did or asked for what, when, and what came of it; never what was written.

Each entry's MAC covers the entry and the MAC before it, under a key that stands in the vault alone: nobody without it
edits, deletes, reorders or adds an entry unseen. An entry also carries a keyed digest of each row it left behind, so
that a row put back from an older, validly encrypted page no longer agrees with the journal. What this cannot see by
itself is a whole vault put back, or its end cut off: for that the *tip*, the last entry's number and MAC, is kept
elsewhere as well, printed or in a backup.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import Damaged
from attunement.vault.instants import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from attunement.vault.clock import Moment
    from attunement.vault.sealing import Key

START: Final = b"\0" * 32
GONE: Final = ""
_DIGEST = 16  # bytes
_TIP_BYTES = 15  # 120 bits, 24 letters


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal.

    Parameters
    ----------
    seq
        1, 2, … without a gap.
    at, steady
        When, by the computer's clock and by the steady one.
    who
        The account, or ``client`` for one who came by an invitation, or ``nobody``.
    verb, about
        What was asked, and the random id of what it was about.
    outcome
        ``done``, or why it was refused, in a word.
    touched
        Each row it left behind: table, id, keyed digest (empty where the row is gone).
    """

    seq: int
    at: datetime
    steady: datetime
    who: str
    verb: str
    about: str
    outcome: str
    touched: tuple[tuple[str, str, str], ...] = ()

    @classmethod
    def at_moment(cls, seq: int, moment: Moment, who: str, verb: str, about: str, outcome: str) -> Entry:
        """Make an entry that touched nothing."""
        return cls(seq, moment.at, moment.steady, who, verb, about, outcome)

    def mac(self, key: Key, before: bytes) -> bytes:
        """Return the MAC of the entry and of all before it."""
        parts = [before, self.seq, self.at, self.steady, self.who, self.verb, self.about, self.outcome]
        return hmac.digest(key.reveal(), _encoded("journal", [*parts, list(self.touched)]), "sha256")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Entry:
        """Read an entry as it is kept."""
        try:
            touched = tuple(
                (str(table), str(row_id), str(digest)) for table, row_id, digest in json.loads(row["touched"])
            )
        except (TypeError, ValueError, RecursionError):
            raise Damaged(f"Entry {row['seq']} is not as it was written.") from None
        names = ("seq", "at", "steady", "who", "verb", "about", "outcome")
        values: dict[str, Any] = {name: row[name] for name in names}
        return cls(**values, touched=touched)


def touched_as_text(touched: Iterable[tuple[str, str, str]]) -> str:
    """Write what was touched as it is kept."""
    return _JSON.encode(list(touched))


@dataclass(frozen=True, slots=True)
class Tip:
    """The end of a journal: short enough to print and to compare by eye."""

    seq: int
    mac: bytes

    def __str__(self) -> str:
        letters = base64.b32encode(self.mac[:_TIP_BYTES]).decode()
        return f"{self.seq}:" + "-".join(letters[start : start + 6] for start in range(0, len(letters), 6))

    @classmethod
    def read(cls, text: str) -> Tip:
        """Read a printed tip.

        Raises
        ------
        Damaged
            Where it is no tip.
        """
        number, _, letters = text.strip().upper().partition(":")
        try:
            tip = cls(int(number), base64.b32decode(letters.replace("-", "").replace(" ", "")))
        except ValueError:
            tip = cls(0, b"")
        if len(tip.mac) != _TIP_BYTES:
            raise Damaged("A tip reads as 1234:ABCDEF-GHIJKL-MNOPQR-STUVWX.")
        return tip

    def agrees(self, mac: bytes) -> bool:
        """Whether an entry's MAC is the one printed."""
        return len(self.mac) >= _TIP_BYTES and hmac.compare_digest(self.mac[:_TIP_BYTES], mac[:_TIP_BYTES])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying a journal came to.

    Parameters
    ----------
    entries
        How many were read.
    tip
        The present tip.
    problems
        A sentence each; none where all agrees.
    """

    entries: int
    tip: Tip
    problems: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether all agrees."""
        return not self.problems


def digest(key: Key, table: str, values: Mapping[str, Any]) -> str:
    """Return a keyed digest of a row: it tells that the row is the same, and nothing about what is in it."""
    content = _encoded(table, list(values.items()))
    return hashlib.blake2b(content, key=key.reveal(), digest_size=_DIGEST).hexdigest()


def _encoded(what: str, parts: list[Any]) -> bytes:
    """Encode so that no two lists of parts give the same bytes: JSON keeps kinds and ends apart, and is quick."""
    return _JSON.encode([what, parts]).encode()


def _as_json(value: Any) -> Any:  # noqa: ANN401 - a value of a column
    return {"bytes": value.hex()} if isinstance(value, bytes) else written(value)


_JSON: Final = json.JSONEncoder(default=_as_json, separators=(",", ":"), allow_nan=False)


class Verifier:
    """Reads a journal from its first entry to its last, then the rows, and says what does not agree."""

    def __init__(self, keys: Mapping[int, Key], known: Tip | None = None) -> None:
        self._keys, self._known = dict(keys), known
        self._seq, self._mac = 0, START
        self._known_agrees = known is None or known.seq == 0
        self._latest: dict[tuple[str, str], tuple[int, str]] = {}
        self._problems: list[str] = []

    def entry(self, entry: Entry, mac: bytes) -> None:
        """Take the next entry."""
        if entry.seq != self._seq + 1:
            self._problems.append(f"Entry {self._seq + 1} is missing: {entry.seq} follows {self._seq}.")
        elif not isinstance(mac, bytes):
            raise Damaged(f"Entry {entry.seq} is not as it was written.")
        elif not hmac.compare_digest(entry.mac(self.key(entry.seq), self._mac), mac):
            self._problems.append(
                f"Entry {entry.seq} is not as it was written, or one before it was changed."
            )
        self._seq, self._mac = entry.seq, mac
        if self._known and entry.seq == self._known.seq:
            self._known_agrees = self._known.agrees(mac)
        for table, row, digested in entry.touched:
            self._latest[table, row] = (entry.seq, digested)

    def row(self, table: str, values: Mapping[str, Any]) -> None:
        """Take a row; it is as the last entry that touched it left it."""
        seq, left = self._latest.pop((table, values["id"]), (0, None))
        if left is None:
            self._problems.append(f"A row of {table} stands in no entry of the journal.")
        elif left == GONE:
            self._problems.append(f"A row of {table} is back that entry {seq} took away.")
        elif not hmac.compare_digest(digest(self.key(seq), table, values).encode(), left.encode()):
            self._problems.append(f"A row of {table} is not as entry {seq} left it.")

    def verdict(self) -> Verdict:
        """Say what it came to."""
        for (table, _), (seq, left) in self._latest.items():
            if left != GONE:
                self._problems.append(f"A row of {table} that entry {seq} left is missing.")
        if self._known and self._known.seq > self._seq:
            lost = self._known.seq - self._seq
            self._problems.append(
                f"The journal ends {lost} entries before the tip: it was cut off or put back."
            )
        elif not self._known_agrees:
            self._problems.append(
                "The journal does not lead to this tip: it is another one, or was written anew."
            )
        return Verdict(self._seq, Tip(self._seq, self._mac), tuple(self._problems))

    def key(self, seq: int) -> Key:
        """Return the key that was in force."""
        since = max((first for first in self._keys if first <= seq), default=None)
        if since is None:
            raise Damaged("The journal's key is missing; put the vault back from a backup.")
        return self._keys[since]
