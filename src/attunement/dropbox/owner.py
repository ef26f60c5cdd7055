"""Who may tell a box something: whoever signs a challenge that it has just drawn. No password stands anywhere.

What is signed names this box, this request and its content: a signature that another box was shown is of no use here,
and one that was used is of no use again.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Final

from attunement.vault.drops import to_sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.dropbox.box import Box

FOR: Final = 60.0
"""Seconds within which a challenge is to be answered."""
_MOST: Final = 1_000  # challenges that wait for an answer
_BYTES: Final = 32


class Challenges:
    """Challenges that were drawn and not answered yet.

    Parameters
    ----------
    origin
        The box's own address, as its owner knows it.
    seconds
        A clock that only runs forward; a test gives its own.
    """

    def __init__(self, origin: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._origin, self._seconds = origin, seconds
        self._drawn: dict[bytes, float] = {}
        self._guard = threading.Lock()

    def draw(self) -> bytes:
        """Return a new one."""
        challenge = secrets.token_bytes(_BYTES)
        with self._guard:
            while len(self._drawn) >= _MOST:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[challenge] = self._seconds()
        return challenge

    def answered(self, box: Box, what: str, challenge: bytes, signature: bytes, content: bytes) -> bool:
        """Whether the owner of a box asks this; each challenge is answered once, rightly or not."""
        with self._guard:
            drawn = self._drawn.pop(challenge, None)
        if drawn is None or self._seconds() - drawn > FOR:
            return False
        return box.is_owner(signature, to_sign(self._origin, what, challenge, content))
