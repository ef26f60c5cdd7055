"""Fetching from the drop box while the rooms are open: this program has the practice, so no other could."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from attunement.errors import AttunementError
from attunement.practice.policy import Role
from attunement.remote.drop_box import DropBoxLine
from attunement.web.shield import note_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from attunement.practice import Line, Practice

EVERY: Final = 600.0  # seconds between two fetches


class Pulling:
    """Fetches drops, and opens slots.

    Parameters
    ----------
    signed_in
        Gives the practice as each account stands before it that has signed in since the start.
    line
        Makes the line to a box at an address.
    """

    def __init__(
        self, signed_in: Callable[[], tuple[Practice, ...]], line: Callable[[str], Line] = DropBoxLine
    ) -> None:
        self._signed_in, self._line = signed_in, line
        self._opening = threading.Lock()  # what was gathered first is published first

    def look(self) -> None:
        """Fetch what clients sent, as the first therapist who has signed in."""
        for practice in self._signed_in():
            if not practice.drop_box or Role.THERAPIST not in practice.who.roles:
                continue
            try:
                line = self._line(practice.drop_box)
                practice.fetch_drops(line)
                self._open(practice, line)
            except AttunementError:
                continue  # the box does not answer, or the practice was closed meanwhile: the next time will do
            except Exception as problem:  # noqa: BLE001 - the rooms go on
                note_failure(problem)
            else:
                return

    def opened(self, practice: Practice) -> bool:
        """Open slots at once, for a link that was just made; whether the box has heard it."""
        try:
            self._open(practice, self._line(practice.drop_box))
        except AttunementError:
            return False
        return True

    def _open(self, practice: Practice, line: Line) -> None:
        with self._opening:
            practice.open_slots(line)

    def keep_looking(self, until: threading.Event) -> None:
        """Look every ten minutes until the rooms close."""
        while not until.wait(EVERY):
            self.look()
