"""One writer a vault, with group commit: all that is waiting shares one sync, and nothing counts before COMMIT.

A connection a request would be four times slower, with a tail forty times longer. Each piece of work has a savepoint
of its own, so that one that fails takes nothing with it. Where the disk fails, all of the batch is undone and told so,
and the next one begins on a new connection: after a failed sync, no page in memory is trusted.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import TYPE_CHECKING, Any, Final, TypeVar

from attunement.errors import AttunementError, NotStored, VaultProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from attunement.vault.rows import Rows
    from attunement.vault.store import Store
    from attunement.vault.whom import Whom

Result = TypeVar("Result")
PATIENCE: Final = 15.0  # seconds until a request is told to come again
UNKNOWN: Final = "It is not known whether this was stored: look before you send it again."
"""Said where COMMIT was sent, and nothing came back."""
_MOST = 256  # pieces of work in one transaction
_Work = tuple["Callable[[Rows], Any]", "Whom | None"]
_Job = tuple["Callable[[Rows], Any]", "Whom | None", "Future[Any]"]


class Writer:
    """A thread that alone writes to a vault.

    Parameters
    ----------
    store
        Where the vault's rows are.
    open_rows
        Gives `Rows` on a connection; told whether the journal's end has to be read anew, since a commit failed or
        another program may have written.
    """

    def __init__(self, store: Store, open_rows: Callable[[sa.Connection, bool], Rows]) -> None:
        self._store, self._name, self._open_rows = store, store.name, open_rows
        self._failed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"writer of {store.name}", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Rows], Result], whom: Whom | None) -> Future[Result]:
        """Queue a piece of work on somebody's behalf; its future is done when it is on the disk, or is not."""
        if self._closed:
            raise VaultProblem(f"{self._name} is closed.")
        future: Future[Result] = Future()
        self._jobs.put((work, whom, future))
        return future

    def do(self, work: Callable[[Rows], Result], whom: Whom | None) -> Result:
        """Do a piece of work and wait until it is on the disk.

        Raises
        ------
        NotStored
            Where the disk fails, or takes longer than 15 seconds; it says so where it is not known what came of it.
        """
        future = self.submit(work, whom)
        try:
            return future.result(PATIENCE)
        except TookTooLong:
            if future.cancel():
                raise NotStored(
                    f"{self._name} did not answer in time; nothing was stored, please send it again."
                ) from None
            raise NotStored(f"{self._name} did not answer in time. {UNKNOWN}") from None

    def close(self) -> None:
        """Finish what is queued, and end."""
        self._closed = True
        self._jobs.put(None)
        self._thread.join(PATIENCE)

    # -- the thread

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._waiting()
            if batch:
                self._write(batch)

    def _waiting(self) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) >= _MOST:
                return batch, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _write(self, batch: list[_Job]) -> None:
        started = [job for job in batch if job[-1].set_running_or_notify_cancel()]
        try:
            outcomes = self._commit([(work, whom) for work, whom, _ in started])
        except BaseException as problem:  # noqa: BLE001 - the only writer must live on, and everyone be told
            self._start_anew()
            known = isinstance(problem, AttunementError)
            told = problem if known else self._store.said(problem)
            for *_, future in started:
                future.set_exception(told)
            return
        for (*_, future), (result, refusal) in zip(started, outcomes, strict=True):
            if refusal is not None:
                future.set_exception(refusal)
            else:
                future.set_result(result)

    def _commit(self, works: list[_Work]) -> list[tuple[Any, BaseException | None]]:
        with self._store.engine.connect() as connection:
            try:
                anew = self._store.begin(connection)
                rows = self._open_rows(connection, self._failed or anew)
                outcomes = [self._one(rows, *each) for each in works]
                self._store.refuse_holes(connection)
                self._end(connection)
            except BaseException:
                with contextlib.suppress(Exception):
                    connection.exec_driver_sql("ROLLBACK")
                connection.invalidate()
                raise
            rows.committed()
            self._failed = False
            return outcomes

    def _end(self, connection: sa.Connection) -> None:
        try:
            connection.exec_driver_sql("COMMIT")
        except self._store.raises as problem:
            if self._store.leaves_open(problem):
                raise NotStored(UNKNOWN) from None
            raise

    def _one(
        self, rows: Rows, work: Callable[[Rows], Any], whom: Whom | None
    ) -> tuple[Any, BaseException | None]:
        """Do one piece of work in a savepoint; a failing disk fails the whole batch, anything else this one alone."""
        before = rows.begin(self._store.letting_in(whom))
        try:
            result = work(rows)
            rows.keep()
        except Exception as problem:
            if self._store.fails_all(problem):
                raise
            rows.undo(before)
            return None, self._store.said(problem) if isinstance(problem, self._store.raises) else problem
        return result, None

    def _start_anew(self) -> None:
        self._failed = True
        with contextlib.suppress(Exception):
            self._store.engine.dispose()
