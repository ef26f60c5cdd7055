"""A progress bar for what takes longer than a second, on a terminal, on standard error."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 1.0  # seconds


class Progress:
    """Called with what is being done and how far it is; shows nothing if it is over within a second.

    Where standard error is no terminal it stays silent: a file of messages holds sentences only.
    """

    def __init__(self, patience: float = PATIENCE, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._bar = Bar(TextColumn("{task.description}"), BarColumn(), console=console, transient=True)
        self._task = self._bar.add_task("reading the table", total=1.0)
        self._timer = threading.Timer(patience, self._bar.start if console.is_terminal else _nothing)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __call__(self, what: str, share: float) -> None:
        """Say what is being done, and how far it is, 0 to 1."""
        self._bar.update(self._task, description=what, completed=share)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._bar.live.is_started:
            self._bar.stop()


def _nothing() -> None:
    """What is shown where nobody watches."""
