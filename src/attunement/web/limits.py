"""How often somebody may be wrong: guesses are slowed down, and one's own typing error is not punished."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES: Final = 20
SPAN: Final = 3600.0
_MOST: Final = 10_000  # of those that are remembered


class Limit:
    """At most so many wrong tries in a span, for each name by itself.

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
        self._wrong: dict[str, deque[float]] = {}
        self._guard = threading.Lock()

    def refuses(self, name: str) -> bool:
        """Whether this one has been wrong too often to be heard now."""
        with self._guard:
            return len(self._recent(name)) >= self._tries

    def wrong(self, name: str) -> None:
        """Remember that this one was wrong."""
        with self._guard:
            if len(self._wrong) >= _MOST:
                self._wrong.pop(next(iter(self._wrong)))
            recent = self._recent(name)
            recent.append(self._seconds())
            self._wrong[name] = recent

    def right(self, name: str) -> None:
        """Forget the errors of one who was right."""
        with self._guard:
            self._wrong.pop(name, None)

    def _recent(self, name: str) -> deque[float]:
        recent = self._wrong.get(name, deque(maxlen=self._tries))
        while recent and self._seconds() - recent[0] >= self._span:
            recent.popleft()
        return recent
