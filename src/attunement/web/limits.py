"""How often somebody may be wrong: guesses are slowed down, and one's own typing error is not punished."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

Name = tuple[str, str, str]
"""What is tried, by whom, from where: no name that somebody types falls together with another."""
TRIES: Final = 20
SPAN: Final = 3600.0
_MOST: Final = 10_000  # of those that are remembered


class Limit:
    """At most so many tries that were not right in a span, for each name by itself.

    Parameters
    ----------
    tries, span
        How many, in how many seconds.
    seconds
        A clock that only runs forward; a test gives its own.
    """

    def __init__(
        self, tries: int = TRIES, span: float = SPAN, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._tries, self._span, self._seconds = tries, span, seconds
        self._wrong: dict[Name, deque[float]] = {}
        self._guard = threading.Lock()

    def may_try(self, name: Name) -> bool:
        """Count a try before it is made, and say whether it may be made; whoever was right takes it back."""
        with self._guard:
            recent = self._recent(name)
            if len(recent) >= self._tries:
                return False
            self._wrong.pop(name, None)  # the latest stand at the end
            while len(self._wrong) >= _MOST:
                self._wrong.pop(next(iter(self._wrong)))
            recent.append(self._seconds())
            self._wrong[name] = recent
            return True

    def remembers(self, name: Name) -> bool:
        """Whether somebody of this name was wrong lately."""
        with self._guard:
            return bool(self._recent(name))

    def right(self, name: Name) -> None:
        """Forget the errors of one who was right."""
        with self._guard:
            self._wrong.pop(name, None)

    def _recent(self, name: Name) -> deque[float]:
        recent = self._wrong.get(name, deque(maxlen=self._tries))
        while recent and self._seconds() - recent[0] >= self._span:
            recent.popleft()
        return recent
