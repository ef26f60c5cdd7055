"""The practice's clock: a wrong time on the computer loses no invitation and revives none.

What is *dated* takes the computer's time. What *expires* is judged by a steady time that never runs backwards, also
over a restart (the journal keeps the latest), and that does not follow a leap of more than a day while the program
runs. Order is kept by sequence, never by time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BACK: Final = timedelta(minutes=5)
LEAP: Final = timedelta(days=1)


def wall() -> datetime:
    """Return the computer's time, in UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds since some start, running on while the computer sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as the practice knows it.

    Parameters
    ----------
    at
        What the computer says, in UTC.
    steady
        By which expiry is judged; never earlier than any before.
    """

    at: datetime
    steady: datetime


class Clock:
    """Tells the time, and says when the computer's cannot be right.

    Parameters
    ----------
    wall, elapsed
        Where time comes from; a test gives its own.
    """

    def __init__(self, wall: Callable[[], datetime] = wall, elapsed: Callable[[], float] = elapsed) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._floor: datetime | None = None
        self._steady: datetime | None = None
        self._seconds = elapsed()
        self._guard = threading.Lock()
        self.notice: str | None = None

    def seconds(self) -> float:
        """Seconds that only run forward, for what is idle."""
        return self._elapsed()

    def not_before(self, steady: datetime | None) -> None:
        """Begin no earlier than what a journal has seen."""
        with self._guard:
            self._floor = max(filter(None, (self._floor, steady)), default=None)

    def now(self) -> Moment:
        """Return the present moment."""
        with self._guard:
            at, seconds = self._wall(), self._elapsed()
            going_on = (self._steady or at) + timedelta(seconds=seconds - self._seconds)
            if (
                self._steady is None
            ):  # how long the program was not running, nobody knows: the computer is believed
                going_on = at
            leapt = at - going_on
            steady = going_on if leapt > LEAP else max(going_on, at)
            steady = max(filter(None, (steady, self._floor)))
            self._steady, self._seconds = steady, seconds
            self._note(leapt, steady - at)
            return Moment(at, steady)

    def _note(self, leapt: timedelta, behind: timedelta) -> None:
        if leapt > LEAP:
            span = _days(leapt)
            self.notice = (
                f"This computer's clock leapt forward by {span}; until it is right, nothing expires by it."
            )
        elif behind > BACK:
            self.notice = (
                f"This computer's clock is {_days(behind)} behind the last entry; please set it. "
                "Entries keep their order."
            )
        else:
            self.notice = None


def _days(span: timedelta) -> str:
    if span < timedelta(hours=2):
        return f"{span.total_seconds() / 60:.0f} minutes"
    if span < timedelta(days=2):
        return f"{span.total_seconds() / 3600:.0f} hours"
    return f"{span.days} days"
