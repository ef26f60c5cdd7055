"""Who has signed in, in which browser: kept in memory alone, by the digest of a random token.

A visit locks after fifteen idle minutes and ends after twelve hours. Whoever signs in, unlocks or takes the second step
gets a new token, so that none that was planted before is worth anything.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.practice import Practice, Role
    from attunement.practice.unlocked import Reflections

IDLE: Final = 15 * 60.0
LONGEST: Final = 12 * 3600.0
MOST: Final = 1_000


@dataclass(eq=False, slots=True)
class Visit:
    """One browser in which somebody has signed in.

    Parameters
    ----------
    practice
        As this account stands before it.
    name
        What to call it in the list of visits; never an address.
    began, used
        Seconds, on a clock that only runs forward.
    half
        Whether the second step is still to be taken.
    locked
        Whether the passphrase is asked for again before anything is shown.
    opened
        The reflections that were unlocked here; another browser's unlock is not this one's.
    shown
        Sessions, as (client, number), whose answers have been shown here.
    kept
        What a page keeps for the next one: a message, a table before it is taken in, a passkey's challenge.
    """

    practice: Practice
    name: str
    began: float
    used: float
    half: bool = False
    locked: bool = False
    opened: Reflections | None = field(default=None, repr=False)
    shown: set[tuple[str, int]] = field(default_factory=set)
    kept: dict[str, Any] = field(default_factory=dict, repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.practice.who.code

    @property
    def roles(self) -> frozenset[Role]:
        """What they are here for; nothing while half in or locked."""
        return frozenset() if self.half or self.locked else self.practice.who.roles

    @property
    def unlocked(self) -> bool:
        """Whether reflections can be read and written here now."""
        here = self.practice.house.reflections.get(self.account)
        return self.opened is not None and self.opened is here and here.unlocked and not self.locked

    def unlock(self, passphrase: str) -> None:
        """Unlock one's own reflections here."""
        self.practice.unlock(passphrase)
        self.opened = self.practice.house.reflections.get(self.account)


class Visits:
    """All visits.

    Parameters
    ----------
    seconds
        A clock that only runs forward; a test gives its own.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._visits: dict[bytes, Visit] = {}
        self._guard = threading.Lock()

    def begin(self, practice: Practice, name: str, *, half: bool = False) -> tuple[str, Visit]:
        """Return a new visit with its token, which is kept nowhere."""
        now = self._seconds()
        visit = Visit(practice, name, began=now, used=now, half=half)
        return self._keep(visit), visit

    def renew(self, visit: Visit) -> str | None:
        """Give a visit another token; the old one is worth nothing from now on. None where it has been ended."""
        token = secrets.token_urlsafe(32)
        with self._guard:
            if visit not in self._visits.values():
                return None
            self._forget(visit)
            self._visits[_digest(token)] = visit
        return token

    def lock(self, visit: Visit) -> None:
        """Ask for the passphrase again; reflections lock too, unless another browser of theirs has them open."""
        with self._guard:
            self._lock(visit)

    def of(self, token: str | None) -> Visit | None:
        """Return the visit of a token; idle ones lock, old ones end."""
        if not token:
            return None
        now = self._seconds()
        with self._guard:
            visit = self._visits.get(_digest(token))
            if visit is None or now - visit.began >= LONGEST:
                if visit is not None:
                    self._end(visit)
                return None
            if now - visit.used >= IDLE and not visit.locked:
                self._lock(visit)
            visit.used = now
            return visit

    def all_of(self, account: str) -> tuple[Visit, ...]:
        """Return the visits of an account, the latest first."""
        with self._guard:
            mine = [visit for visit in self._visits.values() if visit.account == account]
        return tuple(sorted(mine, key=lambda visit: -visit.used))

    def idle(self, visit: Visit) -> float:
        """Seconds since it was last used."""
        return self._seconds() - visit.used

    def end(self, visit: Visit) -> None:
        """End one."""
        with self._guard:
            self._end(visit)

    def end_all(self, account: str, *, but: Visit | None = None) -> None:
        """End all visits of an account, as after a change of the passphrase."""
        for visit in self.all_of(account):
            if visit is not but:
                self.end(visit)

    def lock_idle(self) -> None:
        """Lock those that nobody uses, also where no browser asks any more."""
        now = self._seconds()
        with self._guard:
            for visit in list(self._visits.values()):
                if now - visit.began >= LONGEST:
                    self._end(visit)
                elif now - visit.used >= IDLE and not visit.locked:
                    self._lock(visit)

    def _keep(self, visit: Visit) -> str:
        token = secrets.token_urlsafe(32)
        with self._guard:
            while len(self._visits) >= MOST:
                self._end(min(self._visits.values(), key=lambda each: each.used))
            self._visits[_digest(token)] = visit
        return token

    def _end(self, visit: Visit) -> None:
        self._forget(visit)
        self._lock(visit)

    def _lock(self, visit: Visit) -> None:
        visit.locked, opened, visit.opened = True, visit.opened, None
        shared = any(each.opened is opened for each in self._visits.values())
        if opened is not None and not shared:
            visit.practice.lock()

    def _forget(self, visit: Visit) -> None:
        for digest in [digest for digest, each in self._visits.items() if each is visit]:
            del self._visits[digest]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
