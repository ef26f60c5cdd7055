"""Somebody's reflections while they are unlocked: the vault, the keys, and what was worked out from them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from attunement.errors import Locked

if TYPE_CHECKING:
    from collections.abc import Hashable

    from attunement.vault.account import Own
    from attunement.vault.clock import Clock
    from attunement.vault.vault import Vault

IDLE: Final = 300.0  # seconds until reflections lock themselves


class Reflections:
    """One account's reflections, unlocked; they lock themselves after five idle minutes.

    What was worked out from them is kept here alone, and is forgotten with the keys.
    """

    def __init__(self, vault: Vault, own: Own, clock: Clock) -> None:
        self._vault, self._own, self._clock = vault, own, clock
        self._used = clock.seconds()
        self._guard = threading.RLock()
        self._timer: threading.Timer | None = None
        self._open = True
        self._kept: dict[Hashable, Any] = {}
        self._set_timer(IDLE)

    def use(self) -> tuple[Vault, Own]:
        """Return the vault and the keys, and begin the five minutes anew.

        Raises
        ------
        Locked
            After five idle minutes.
        """
        with self._guard:
            if self._open and self._clock.seconds() - self._used >= IDLE:
                self.lock()
            if not self._open:
                raise Locked("Your reflections have locked themselves; your passphrase opens them again.")
            self._used = self._clock.seconds()
            return self._vault, self._own

    @property
    def unlocked(self) -> bool:
        """Whether they are open now."""
        return self._open and self._clock.seconds() - self._used < IDLE

    def keep(self, name: Hashable, value: Any) -> None:  # noqa: ANN401 - whatever was worked out
        """Keep what was worked out from them, while they are open."""
        with self._guard:
            if self._open:
                self._kept[name] = value

    def kept(self, name: Hashable) -> Any:  # noqa: ANN401 - see above
        """Return what was kept by this name, or None."""
        with self._guard:
            return self._kept.get(name) if self.unlocked else None

    @property
    def stamp(self) -> str:
        """What changes whenever a reflection does; looking at it does not begin the five minutes anew."""
        return self._vault.stamp("reflection") if self.unlocked else "locked"

    def lock(self) -> None:
        """Close the file and forget the keys."""
        with self._guard:
            if self._timer:
                self._timer.cancel()
            if self._open:
                self._open = False
                self._vault.close()
                self._kept.clear()
                del self._own

    def _set_timer(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._on_time)
        self._timer.daemon = True
        self._timer.start()

    def _on_time(self) -> None:
        with self._guard:
            if not self._open:
                return
            left = IDLE - (self._clock.seconds() - self._used)
            if left > 0:
                self._set_timer(max(left, 1.0))
            else:
                self.lock()
