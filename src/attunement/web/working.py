"""What takes a second is worked out beside the pages, which never wait for it: they show the last, and say so.

It is worked out in a process of its own, that has ratings and no key: a page is as quick while it works as when it does
not.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from attunement.errors import AttunementError, TooLittle
from attunement.web.shield import note_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attunement.instruments.description import Language
    from attunement.practice import Agenda, Practice, Rated
    from attunement.ruptures import Ruptures
    from attunement.trajectories import Caseload, Trajectory
    from attunement.web.apart import Apart

FIRST: Final = 0.8  # seconds that the first page after a start waits at most
LONGEST: Final = 600  # sessions of one course; the time for it grows with the cube


@dataclass(frozen=True, slots=True)
class Board:
    """All courses on one measure.

    Parameters
    ----------
    id, name
        Of the measure.
    caseload
        What was worked out, or None.
    tiles
        By client, the small picture of the course.
    ruptures
        Which ratings fell far below what was expected of them.
    problem
        Why nothing was.
    """

    id: str
    name: str
    caseload: Caseload | None = field(default=None, repr=False)
    tiles: Mapping[str, str] = field(default_factory=dict, repr=False)
    ruptures: Ruptures | None = field(default=None, repr=False)
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
    """Works out courses, one practice at a time, each anew when something was rated.

    Parameters
    ----------
    apart
        The process in which they are worked out.
    language
        Of the sentences.
    """

    def __init__(self, apart: Apart, language: Language = "en") -> None:
        self._apart, self._language = apart, language
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
        with self._guard:
            done = self._done.get(practice.who.code)
        if done and done.stamp == stamp:
            return done
        try:
            boards = tuple(self._apart.do(board, each, self._language) for each in practice.rated())
        except AttunementError as problem:
            boards = (Board("", "", problem=str(problem)),)
        except Exception as problem:  # noqa: BLE001 - a page says so, and goes on
            note_failure(problem)
            boards = (
                Board("", "", problem="The courses could not be worked out; everything else is as it was."),
            )
        worked = Worked(stamp, boards)
        with self._guard:
            self._done[practice.who.code] = worked
        return worked


def board(rated: Rated, language: Language = "en") -> Board:
    """Work out all courses on a measure, with their small pictures."""
    from attunement import drawing, plots  # noqa: PLC0415 - of the worker alone
    from attunement.ruptures import ruptures  # noqa: PLC0415 - see below
    from attunement.trajectories import trajectories  # noqa: PLC0415 - most of a second, which no page waits for

    if int(rated.ratings["session"].max() or 0) > LONGEST:  # type: ignore[arg-type]
        return Board(
            rated.id, rated.name, problem=f"A course of more than {LONGEST} sessions cannot be worked out."
        )
    try:
        caseload = trajectories(rated.ratings, rated.measure, language=language)
    except TooLittle as little:
        return Board(rated.id, rated.name, problem=str(little))
    band = caseload.band
    tiles = {each.client: drawing.themed(plots.tile(each, band)) for each in caseload}
    return Board(rated.id, rated.name, caseload, tiles, ruptures(caseload))
