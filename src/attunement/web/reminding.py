"""Reminders while the rooms are open: once a day, of whoever has signed in since, for the practice is open here."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from attunement.errors import AttunementError
from attunement.web.shield import note_failure

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from datetime import date

    from attunement.practice import Practice, Sender

FROM: Final = 8
"""The hour of the day, of this computer, from which reminders go out."""
EVERY: Final = 600.0  # seconds between two looks at the clock


class Daily:
    """Sends reminders once a day.

    Parameters
    ----------
    post
        Who carries mail.
    url
        What links begin with.
    signed_in
        Gives the practice as each account stands before it that has signed in since the start.
    now
        The local time.
    """

    def __init__(
        self, post: Sender, url: str, signed_in: Callable[[], tuple[Practice, ...]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC).astimezone(),
    ) -> None:  # fmt: skip
        self._post, self._url, self._signed_in, self._now = post, url, signed_in, now
        self._done: dict[str, date] = {}

    def look(self) -> None:
        """Remind whoever has not been reminded today, from eight in the morning on."""
        now = self._now()
        if now.hour < FROM:
            return
        for practice in self._signed_in():
            if self._done.get(practice.who.code) == now.date():
                continue
            self._done[practice.who.code] = now.date()
            try:
                sent = practice.remind(self._post, self._url)
            except AttunementError:
                continue  # an account that has ended, or a practice that was closed meanwhile
            except Exception as problem:  # noqa: BLE001 - the rooms go on
                note_failure(problem)
            else:
                if sent.failed:
                    logging.getLogger("attunement.web").warning("reminders: %s", sent.failed)

    def keep_looking(self, until: threading.Event) -> None:
        """Look every ten minutes until the rooms close."""
        while not until.wait(EVERY):
            self.look()
