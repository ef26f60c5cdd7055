"""A process of its own for what takes long: it has tables and no key, and gives way to the pages."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
_LOOK: Final = 2.0  # seconds between two looks of the process at whether anybody still wants it


@cache
def shared() -> Apart:
    """The one process for what is of records alone, whoever asks; it lives as long as the program."""
    return Apart()


class Apart:
    """One process, begun when it is first needed, and anew where it has died.

    It is started and not forked, so that it has no key in its memory.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: ProcessPoolExecutor | None = None

    def do(self, work: Callable[..., Result], *given: Any) -> Result:  # noqa: ANN401 - whatever the work takes
        """Do it there; here, where there is no process any more."""
        process = self._begun()
        try:
            doing = process.submit(work, *given)
        except RuntimeError:  # it was ended a moment ago
            self.end(process)
            doing = self._begun().submit(work, *given)
        try:
            return doing.result()
        except BrokenProcessPool:
            self.end(process)
            return work(*given)

    def end(self, process: ProcessPoolExecutor | None = None) -> None:
        """End the process, with everything that it has in memory; a named one, where it still is the present one."""
        with self._guard:
            if process is not None and process is not self._process:
                return
            ended, self._process = self._process, None
        if ended is not None:
            ended.shutdown(wait=False, cancel_futures=False)

    def _begun(self) -> ProcessPoolExecutor:
        with self._guard:
            if self._process is None:
                context = multiprocessing.get_context("spawn")
                self._process = ProcessPoolExecutor(1, mp_context=context, initializer=_begin_apart)
            return self._process


def _begin_apart() -> None:
    """Give way to pages, end with who asked, and leave no core dump."""
    from attunement.vault.process import harden  # noqa: PLC0415 - of that process alone

    harden()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C ends the server, which ends this
    if hasattr(os, "nice"):
        os.nice(5)
    asked_by = os.getppid()

    def end_with_it() -> None:
        while os.getppid() == asked_by:
            time.sleep(_LOOK)
        os._exit(0)

    threading.Thread(target=end_with_it, daemon=True).start()
