"""Lanes for transactions: a locked or silent database does not block the whole process."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from oidc_server.database import Access, Database, DatabaseBusyError, DatabaseUnavailableError
from oidc_server.outbound.breaker import Breaker, BreakerOpenError
from oidc_server.web.load.gate import OverloadedError
from oidc_server.web.load.lanes import Lane, settle

T = TypeVar("T")

_QUEUE_TIMEOUT = 5.0
"""Seconds a request waits in the queue for the lock of SQLite."""
_LOCK_TIMEOUT = 0.01
"""Seconds a statement may wait for the lock: the event loop is blocked meanwhile."""
_RETRY = 0.001
"""Seconds until the queue is tried again."""
_AT_A_TIME = 0.005
"""Seconds of work from the queue, or in one group, before the event loop has its turn."""
_MOST_WAITING = 100
"""Requests in each queue."""
_PEOPLE_EVERY = 4
"""While both queues have work, every fourth job is one of people."""


@dataclass(slots=True)
class _Waiting:
    """Work that waits for the lock, in the context of its request."""

    work: Callable[[], Any]
    context: Context
    done: "asyncio.Future[Any]"
    since: float


class SqliteLane:
    """SQLite: transactions run on the event loop, which never blocks for longer than a moment.

    All writes of one turn of the loop are committed together at its end (ADR 0027), and no response
    is sent before.

    When another process holds the write lock, the work is put in a queue that is retried every
    millisecond. A thread that waited instead would also wait for the interpreter lock between its
    statements, while holding that of the database. Transactions that only read need no lock.

    Work for programs has a queue of its own with priority: many sign-ins do not delay it.
    """

    def __init__(self, database: Database, most_wait: float) -> None:
        self._database = database
        self._group = database.group()
        self._most_wait = most_wait
        self._programs: deque[_Waiting] = deque()
        self._people: deque[_Waiting] = deque()
        self._turns = 0
        self._is_retrying = False
        self._will_commit = False

    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T:
        """Run `work`; raises `DatabaseUnavailableError` if the lock stays taken.

        `work` is tried even while others wait for the lock, since it may write nothing. Raises
        `OverloadedError` if the queue is full, or its first has waited for `most_wait` seconds;
        with write access even before `work` is tried.
        """
        queue = self._people if for_people else self._programs
        if self._is_retrying and access == "write":
            self._check_room(queue)
        self._database.set_lock_timeout(_LOCK_TIMEOUT)
        loop = asyncio.get_running_loop()
        self._group.may_begin = not self._is_retrying
        try:
            result = self._database.in_group(self._group, work)
        except DatabaseBusyError:
            pass  # it has written nothing, and goes into the queue
        except BaseException:
            if self._group.is_open:  # the error may follow from uncommitted data
                await self._committed(loop)
            raise
        else:
            if self._group.is_open:
                await self._committed(loop)
            return result
        self._check_room(queue)
        done: asyncio.Future[T] = loop.create_future()
        queue.append(_Waiting(work, copy_context(), done, time.monotonic()))
        if not self._is_retrying:
            self._is_retrying = True
            loop.call_later(_RETRY, self._retry)
        return await done

    def _check_room(self, queue: deque[_Waiting]) -> None:
        is_slow = bool(queue) and time.monotonic() - queue[0].since > self._most_wait
        if is_slow or len(queue) >= _MOST_WAITING:
            raise OverloadedError

    async def _committed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the commit of the open group; raises `DatabaseUnavailableError` if it fails."""
        done: asyncio.Future[None] = loop.create_future()
        self._group.tell(partial(settle, done, None))
        if time.monotonic() - self._group.since > _AT_A_TIME:
            self._group.commit()
        elif not self._will_commit:
            self._will_commit = True
            loop.call_soon(self._commit)
        await done

    def _commit(self) -> None:
        self._will_commit = False
        self._group.commit()

    def _retry(self) -> None:
        """Work off the queues while the lock is free, for at most `_AT_A_TIME`; then come again."""
        self._database.set_lock_timeout(_LOCK_TIMEOUT)
        self._group.may_begin = True
        loop, end = asyncio.get_running_loop(), time.monotonic() + _AT_A_TIME
        is_locked = False
        while (queue := self._next()) and time.monotonic() < end:
            first = queue[0]
            if first.done.done():  # its request was cancelled
                queue.popleft()
                continue
            try:
                outcome = self._outcome(first)
            except DatabaseBusyError:
                is_locked = True
                break
            queue.popleft()
            self._turns += 1
            self._settle(first.done, *outcome)
        self._group.commit()
        self._is_retrying = bool(queue)
        if is_locked:
            loop.call_later(_RETRY, self._retry)
        elif queue:
            loop.call_soon(self._retry)

    def _outcome(self, waiting: _Waiting) -> tuple[Any, BaseException | None]:
        """Its result, or the error that it raised; raises `DatabaseBusyError` if it has to wait."""
        if time.monotonic() - waiting.since > _QUEUE_TIMEOUT:
            return None, DatabaseUnavailableError("the write lock was held by others for too long")
        work = partial(waiting.context.run, waiting.work)
        try:
            return self._database.in_group(self._group, work), None
        except DatabaseBusyError:
            raise
        except BaseException as raised:  # noqa: BLE001 - handed to the waiting coroutine
            return None, raised

    def _settle(
        self, done: "asyncio.Future[Any]", result: Any, error: BaseException | None
    ) -> None:
        """Set the outcome of a request, once what it has seen is committed."""
        if self._group.is_open:
            self._group.tell(lambda failure: settle(done, result, failure or error))
        else:
            settle(done, result, error)

    def _next(self) -> deque[_Waiting]:
        """The queue whose turn it is; empty if both are."""
        if self._turns % _PEOPLE_EVERY == _PEOPLE_EVERY - 1:
            return self._people or self._programs
        return self._programs or self._people

    def threads(self) -> list[int]:
        return []

    def close(self) -> None:
        """Nothing to do: there are no threads, and all responses were sent after their commit."""


@dataclass(slots=True)
class _Job:
    """One call of `work`: the thread that runs it, once one does, and whether it has ended."""

    thread: int | None = None
    is_over: bool = False


class PostgresqlLane:
    """PostgreSQL: transactions run on a few threads, and are given up after `seconds`.

    The server itself cancels slow statements, but not if it hangs or the network drops packets:
    then the connection is shut down from here, which frees its thread. After some failures the
    breaker opens: requests are refused at once, without a thread.
    """

    def __init__(
        self, database: Database, lane: Lane, breaker: Breaker, seconds: float, most_wait: float
    ) -> None:
        self._most_wait = most_wait
        self._database = database
        self._lane = lane
        self._breaker = breaker
        self._seconds = seconds
        self._lock = threading.Lock()

    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T:
        """Run `work`; raises `DatabaseUnavailableError` if it is too slow, or the breaker open.

        Raises `OverloadedError` if no thread was free for too long.
        """
        del for_people  # one queue, which `OIDC_MAX_REQUESTS` keeps short
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
        job, begun = _Job(), time.monotonic()

        def work_as_job() -> T:
            with self._lock:
                if job.is_over:
                    raise DatabaseUnavailableError("the request was given up")
                if time.monotonic() - begun > self._most_wait:
                    job.is_over = True
                    raise OverloadedError
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
                    self._database.abort(job.thread)
                job.is_over = True
            raise DatabaseUnavailableError("no answer in time") from None

    def threads(self) -> list[int]:
        return self._lane.threads()

    def close(self) -> None:
        self._lane.close()
