"""What keeps a database that waits, or does not answer, from stopping a whole process."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from oidc_server.database import Access, Database, DatabaseBusyError, DatabaseUnavailableError
from oidc_server.outbound.breaker import Breaker, BreakerOpenError
from oidc_server.web.lanes import Lane, Threads

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds a request waits for the lock of SQLite, whoever waits before it."""
_HERE = 0.05
"""Seconds it waits on the event loop, where all others wait too."""
_MOST_WAITING = 200


class OnTheLoop:
    """SQLite: work is done where it is asked for, but nothing waits there.

    Nearly always the lock is free, or free within milliseconds. Where another process keeps it, the
    request goes to a thread that waits; so does every writer that comes meanwhile. Readers need no
    lock, and go on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread: Threads | None = None
        self._waiting = 0

    async def run(self, work: Callable[[], T], access: Access = "write") -> T:
        """Run `work`; raises `DatabaseUnavailableError` if the lock is not to be had."""
        if not self._waiting or access == "read":
            self._database.wait_at_most(_HERE)
            try:
                return work()
            except DatabaseBusyError:
                pass  # nothing was begun
        return await self._wait(work)

    async def _wait(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise DatabaseUnavailableError("too many wait for the lock")
        if self._thread is None:
            self._thread = Threads(1)
        deadline = time.monotonic() + _PATIENCE

        def work_in_time() -> T:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DatabaseUnavailableError("the lock was not free in time")
            self._database.wait_at_most(left)
            return work()

        self._waiting += 1
        try:
            return await self._thread.run(work_in_time)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        if self._thread is not None:
            self._thread.close()


@dataclass(slots=True)
class _Job:
    """One piece of work: in which thread, once one has it, and whether it is over."""

    thread: int | None = None
    is_over: bool = False


class OnThreads:
    """PostgreSQL: work is done on a few threads, and given up when no answer comes in time.

    The server ends statements that take too long, but not if it hangs itself, or the network
    swallows everything: then the connection is closed from here, and its thread is free again.
    After some failures the breaker answers for the database, without a thread and without waiting.
    """

    def __init__(self, database: Database, lane: Lane, breaker: Breaker, seconds: float) -> None:
        self._database = database
        self._lane = lane
        self._breaker = breaker
        self._seconds = seconds
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], T], access: Access = "write") -> T:
        """Run `work`; raises `DatabaseUnavailableError` if there is no answer in time."""
        if self._breaker.is_calm:
            try:
                return await self._in_time(work, access)
            except DatabaseUnavailableError as error:
                self._breaker.note(error)
                raise
        try:
            with self._breaker.guard():
                return await self._in_time(work, access)
        except BreakerOpenError as error:
            raise DatabaseUnavailableError(str(error)) from None

    async def _in_time(self, work: Callable[[], T], access: Access) -> T:
        job = _Job()

        def work_as_job() -> T:
            with self._lock:
                if job.is_over:
                    raise DatabaseUnavailableError("nobody waits for it any more")
                job.thread = threading.get_ident()
            try:
                return work()
            finally:
                with self._lock:
                    job.is_over = True

        try:
            async with asyncio.timeout(self._seconds):
                return await self._lane.run(work_as_job, access)
        except TimeoutError:
            with self._lock:
                if not job.is_over and job.thread is not None:
                    self._database.break_off(job.thread)
                job.is_over = True
            raise DatabaseUnavailableError("no answer in time") from None

    def close(self) -> None:
        self._lane.close()
