"""What a piece of work says to a server, in how few messages; and that nothing is lost by waiting."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from attunement.errors import Refused
from attunement.vault.lines import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = ("SET ROLE", ("T-1",))
ADDED = ("INSERT", ("a",))
CHANGED = ("UPDATE", ("b",))


class Said:
    """An answer."""

    def __init__(self, statement: str, rowcount: int) -> None:
        self.statement, self.rowcount = statement, rowcount


class Server:
    """Writes down what comes in one message; of an UPDATE it says how many rows there were."""

    def __init__(self, changed: int = 1) -> None:
        self.messages: list[list[str]] = []
        self.changed = changed

    @contextlib.contextmanager
    def pipeline(self) -> Iterator[None]:
        """Begin a message."""
        self.messages.append([])
        yield

    def execute(self, statement: str, values: Any) -> Said:  # noqa: ANN401, ARG002 - as a driver's
        """Take a statement."""
        self.messages[-1].append(statement)
        return Said(statement, {"INSERT": 1, "UPDATE": self.changed}.get(statement, -1))


def test_a_piece_of_work_that_reads_nothing_is_one_message() -> None:
    server = Server()
    line = Remote(server)
    line.begin([ROLE])
    line.write(*ADDED)
    line.keep()
    assert server.messages == [["SAVEPOINT work", "SET ROLE", "INSERT", "RELEASE work"]]


def test_what_was_written_is_there_before_anything_is_read() -> None:
    server = Server()
    line = Remote(server)
    line.begin([ROLE])
    line.write(*ADDED)
    assert line.read("SELECT", ()).statement == "SELECT"
    line.write(*CHANGED)
    line.flush()
    line.flush()
    line.keep()
    first, second, third = server.messages
    assert (first, second) == (["SAVEPOINT work", "SET ROLE", "INSERT", "SELECT"], ["UPDATE"])
    assert third == ["RELEASE work"]


@pytest.mark.parametrize("changed", [0, 2])
def test_a_row_that_is_not_there_to_be_changed_refuses_the_whole(changed: int) -> None:
    server = Server(changed)
    line = Remote(server)
    line.begin([ROLE])
    line.write(*CHANGED)
    with pytest.raises(Refused):
        line.keep()


def test_what_was_never_said_needs_no_undoing() -> None:
    server = Server()
    line = Remote(server)
    line.begin([ROLE])
    line.write(*ADDED)
    line.undo()
    assert server.messages == []
    line.begin([ROLE])
    line.keep()
    assert server.messages == [["SAVEPOINT work", "SET ROLE", "RELEASE work"]]


def test_what_was_said_is_undone_and_the_rest_forgotten() -> None:
    server = Server()
    line = Remote(server)
    line.begin([ROLE])
    line.read("SELECT", ())
    line.write(*ADDED)
    line.undo()
    assert server.messages[1:] == [["ROLLBACK TO work", "RELEASE work"]]
