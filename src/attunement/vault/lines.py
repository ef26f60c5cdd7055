"""How a piece of work reaches a vault's rows: a file at once, a server with as few messages as can be.

A server answers each message, and the next waits for it. What is only written needs no answer of its own, so it is sent
with whatever comes after it; a piece of work that reads nothing is one message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from attunement.errors import Refused
from attunement.vault.whom import REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence

Statement = tuple[str, "Sequence[Any]"]
_BEGUN: Final = "SAVEPOINT work"
_KEPT: Final = "RELEASE work"
_UNDONE: Final = "ROLLBACK TO work"


class Line(Protocol):
    """What a piece of work says to its store."""

    def begin(self, before: Sequence[Statement]) -> None:
        """Begin a piece of work, which can be undone by itself; `before` comes first in it."""

    def read(self, statement: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - a driver's cursor
        """Ask something."""

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Write one row; where it is not there to be written, the piece of work is refused, here or at its end."""

    def flush(self) -> None:
        """Let what was written be there for whoever reads."""

    def keep(self) -> None:
        """Keep the piece of work."""

    def undo(self) -> None:
        """Undo it."""


class Local:
    """To a file of our own.

    Parameters
    ----------
    driver
        The driver's connection.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - sqlcipher's
        self._driver = driver

    def begin(self, before: Sequence[Statement]) -> None:
        """Begin."""
        for statement in ((_BEGUN, ()), *before):
            self._driver.execute(*statement)

    def read(self, statement: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - a driver's cursor
        """Ask."""
        return self._driver.execute(statement, values)

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Write."""
        _refuse_unless_one([self._driver.execute(statement, values)])

    def flush(self) -> None:
        """All is there."""

    def keep(self) -> None:
        """Keep."""
        self._driver.execute(_KEPT)

    def undo(self) -> None:
        """Undo."""
        self._driver.execute(_UNDONE)
        self._driver.execute(_KEPT)


class Remote:
    """To a server.

    Parameters
    ----------
    driver
        The driver's connection.
    """

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - psycopg's
        self._driver = driver
        self._first: list[Statement] = []
        self._written: list[Statement] = []

    def begin(self, before: Sequence[Statement]) -> None:
        """Begin, with whatever is said first."""
        self._first, self._written = [(_BEGUN, ()), *before], []

    def read(self, statement: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - a driver's cursor
        """Ask, after all that was not said yet."""
        return self._said((statement, values))

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """Keep in mind what is to be written."""
        self._written.append((statement, values))

    def flush(self) -> None:
        """Say it."""
        if self._first or self._written:
            self._said()

    def keep(self) -> None:
        """Say it, and that it is to be kept."""
        self._said((_KEPT, ()))

    def undo(self) -> None:
        """Forget what was not said, and undo what was."""
        if not self._first:
            self._written = []
            self._said((_UNDONE, ()), (_KEPT, ()))

    def _said(self, *last: Statement) -> Any:  # noqa: ANN401 - a driver's cursor
        """Say all in one message; returns what the last is answered with."""
        first, written, self._first, self._written = self._first, self._written, [], []
        with self._driver.pipeline():
            answers = [self._driver.execute(*each) for each in (*first, *written, *last)]
        _refuse_unless_one(answers[len(first) : len(first) + len(written)])
        return answers[-1]


def _refuse_unless_one(answers: Sequence[Any]) -> None:
    if any(each.rowcount != 1 for each in answers):
        raise Refused(REFUSED)
