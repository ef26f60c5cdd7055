"""A process that reads for us, and is ended when it has been waited for too long."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from attunement.exchange import passing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO, Self

_BLOCK: Final = 1 << 18
_LOOK: Final = 0.05  # seconds between two looks at how long it has been waited for
_KEPT: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""All of our environment that it has: without these, Python does not begin on some systems."""


class Process:
    """A module run by itself: no environment, no handle and no folder of ours; fed from a stream, answering in frames.

    Parameters
    ----------
    module
        What is run.
    seconds
        How long may be waited for it, all waits together, until `allow` says otherwise.
    """

    def __init__(self, module: str, seconds: float) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-P", "-B", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=os.path.abspath(os.sep),  # noqa: PTH100 - a drive on Windows
            start_new_session=True,
        )
        self._feeding: threading.Thread | None = None
        self._left, self._since = seconds, 0.0
        self._over = threading.Event()
        self.late = self.too_long = self.unread = False
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever it is doing."""
        self.end()
        self._over.set()
        self._child.wait()
        for each in (self._feeding, self._watching):
            if each is not None:
                each.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    @property
    def code(self) -> int:
        """Its exit code, once it has ended."""
        with self._waiting():
            return self._child.wait()

    def allow(self, seconds: float) -> None:
        """Say anew how long may be waited for it; what is done between two waits takes none of that time."""
        self._left = seconds

    def ask(self, asked: bytes) -> None:
        """Send what comes before the file."""
        with contextlib.suppress(OSError):
            self._given.write(len(asked).to_bytes(4, "big") + asked)
            self._given.flush()

    def feed(self, source: BinaryIO, most: int) -> None:
        """Begin to send a file, as far as it may be long."""
        self._feeding = threading.Thread(target=self._feed, args=(source, most), daemon=True)
        self._feeding.start()

    def frame(self) -> tuple[bytes, bytes]:
        """Wait for a frame; its letter is empty when there is none any more."""
        assert self._child.stdout is not None  # noqa: S101 - a pipe
        with self._waiting():
            return passing.receive(self._child.stdout)  # type: ignore[arg-type]

    def end(self) -> None:
        """End it, and all that it may have begun."""
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._child.kill()
            elif self._child.poll() is None:
                os.killpg(self._child.pid, signal.SIGKILL)

    @property
    def _given(self) -> BinaryIO:
        assert self._child.stdin is not None  # noqa: S101 - a pipe
        return self._child.stdin  # type: ignore[return-value]

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        self._since = began = time.monotonic()
        try:
            yield
        finally:
            self._since = 0.0
            self._left -= time.monotonic() - began

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            since = self._since
            if since and time.monotonic() - since > self._left:
                self.late = True
                self.end()
                return

    def _feed(self, source: BinaryIO, most: int) -> None:
        sent = 0
        while True:
            try:
                block = source.read(_BLOCK)
            except OSError:
                self.unread = True
                break
            sent += len(block)
            self.too_long = sent > most
            if self.too_long or not block:
                break
            try:
                self._given.write(block)
            except OSError:  # it has seen enough
                break
        if self.too_long or self.unread:
            self.end()
        with contextlib.suppress(OSError):
            self._given.close()


def environment() -> dict[str, str]:
    """All that a process which reads finds in its environment."""
    folders = os.pathsep.join(each for each in sys.path if os.path.isabs(each))  # noqa: PTH117 - as text
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "PYTHONPATH": folders,
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "POLARS_MAX_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",  # else each thread of a library maps 64 MB
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
