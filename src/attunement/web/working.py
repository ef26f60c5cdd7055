"""What takes a second is worked out beside the pages, which never wait for it: they show the last, and say so."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from attunement.errors import AttunementError, TooLittle

if TYPE_CHECKING:
    from attunement.practice import Agenda, Practice, Rated
    from attunement.trajectories import Caseload, Trajectory

FIRST: Final = 0.8  # seconds that the first page after a start waits at most


@dataclass(frozen=True, slots=True)
class Board:
    """All courses on one measure.

    Parameters
    ----------
    id, name
        Of the measure.
    caseload
        What was worked out, or None.
    problem
        Why nothing was.
    """

    id: str
    name: str
    caseload: Caseload | None = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Worked:
    """What was worked out from all that was rated at one time.

    Parameters
    ----------
    stamp
        Of what was rated then.
    boards
        A measure each.
    fresh
        Whether nothing was rated since.
    """

    stamp: str
    boards: tuple[Board, ...] = field(repr=False)
    fresh: bool = True

    def of(self, client: str) -> tuple[Board, Trajectory] | None:
        """Return a client's course: of the measure on which the latest session was rated."""
        found = [
            (board, each) for board in self.boards for each in board.caseload or () if each.client == client
        ]
        return max(found, key=lambda pair: pair[1].now, default=None)


class Working:
    """Works out courses, one practice at a time, each anew when something was rated."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="working")
        self._guard = threading.Lock()
        self._done: dict[str, Worked] = {}
        self._doing: dict[str, tuple[str, Future[Worked]]] = {}

    def of(self, practice: Practice, agenda: Agenda) -> Worked | None:
        """Return what is known now; None while nothing is yet."""
        account, stamp = practice.who.code, agenda.rated
        with self._guard:
            done = self._done.get(account)
            if done and done.stamp == stamp:
                return done
            doing = self._doing.get(account)
            if doing is None or doing[0] != stamp:
                doing = (stamp, self._pool.submit(self._work, practice, stamp))
                self._doing[account] = doing
        if done:
            return replace(done, fresh=False)
        try:
            return doing[1].result(timeout=FIRST)
        except TimeoutError:
            return None

    def begin(self, practice: Practice) -> None:
        """Begin, so that the first page has less to wait for."""
        self._pool.submit(lambda: self._work(practice, practice.agenda().rated))

    def forget(self) -> None:
        """Forget everything: the practice was closed."""
        with self._guard:
            self._done.clear()
            self._doing.clear()

    def _work(self, practice: Practice, stamp: str) -> Worked:
        try:
            boards = tuple(_board(each) for each in practice.rated())
        except AttunementError as problem:
            boards = (Board("", "", None, str(problem)),)
        worked = Worked(stamp, boards)
        with self._guard:
            self._done[practice.who.code] = worked
        return worked


def _board(rated: Rated) -> Board:
    from attunement.trajectories import trajectories  # noqa: PLC0415 - most of a second: the first page does not wait

    try:
        return Board(rated.id, rated.name, trajectories(rated.ratings, rated.measure))
    except TooLittle as little:
        return Board(rated.id, rated.name, None, str(little))
