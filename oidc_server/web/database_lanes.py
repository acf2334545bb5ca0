"""What keeps a database that waits, or does not answer, from stopping a whole process."""

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
from oidc_server.web.gate import OverloadedError
from oidc_server.web.lanes import Lane, settle

T = TypeVar("T")

_PATIENCE = 5.0
"""Seconds a request waits for the lock of SQLite, whoever waits before it."""
_HERE = 0.01
"""Seconds it waits on the event loop, where all others wait too."""
_LOOK_AGAIN = 0.001
"""Seconds until those who wait look for it again."""
_AT_A_TIME = 0.005
"""Seconds for which they work one after the other before anybody else has a turn."""
_MOST_WAITING = 100
"""In each queue: what is let in before the first has waited long has to be done all the same."""
_PEOPLE_EVERY = 4
"""One turn of so many is that of people, where programs wait too."""


@dataclass(slots=True)
class _Waiting:
    """Work that waits for the lock, in the context of its request."""

    work: Callable[[], Any]
    context: Context
    done: "asyncio.Future[Any]"
    since: float


class OnTheLoop:
    """SQLite: work is done where it is asked for, but nothing waits there.

    What is written in one turn of the event loop is committed at its end, all together: the disk is
    waited for once, and nobody is answered before.

    Nearly always the lock is free. Where another process keeps it, the request is put in a queue,
    and the event loop looks again every millisecond. No thread waits instead: between statements it
    would wait for the interpreter as well, and keep the lock of the database meanwhile. Readers
    need no lock, and go on.

    Programs have a queue of their own that comes first: a flood of sign-ins does not hold them up.
    """

    def __init__(self, database: Database, most_wait: float) -> None:
        self._database = database
        self._group = database.group()
        self._most_wait = most_wait
        self._programs: deque[_Waiting] = deque()
        self._people: deque[_Waiting] = deque()
        self._turns = 0
        self._is_looking = False
        self._will_commit = False

    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T:
        """Run `work`; raises `DatabaseUnavailableError` if the lock is not to be had.

        Where others wait for it already, `work` still has its try: much of it writes nothing.
        Raises `OverloadedError` if too many wait, or the first has done so for `most_wait` seconds;
        without a try, since there is too much to do, unless its `access` is to read only.
        """
        queue = self._people if for_people else self._programs
        if self._is_looking and access == "write":
            self._check_room(queue)
        self._database.wait_at_most(_HERE)
        loop = asyncio.get_running_loop()
        self._group.may_begin = not self._is_looking
        try:
            result = self._database.in_group(self._group, work)
        except DatabaseBusyError:
            pass  # nothing was begun
        except BaseException:
            if self._group.is_open:  # what it has seen may come to nothing
                await self._committed(loop)
            raise
        else:
            if self._group.is_open:
                await self._committed(loop)
            return result
        self._check_room(queue)
        done: asyncio.Future[T] = loop.create_future()
        queue.append(_Waiting(work, copy_context(), done, time.monotonic()))
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(_LOOK_AGAIN, self._look)
        return await done

    def _check_room(self, queue: deque[_Waiting]) -> None:
        is_slow = bool(queue) and time.monotonic() - queue[0].since > self._most_wait
        if is_slow or len(queue) >= _MOST_WAITING:
            raise OverloadedError

    async def _committed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the group that is open is committed; raises `DatabaseUnavailableError`."""
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

    def _look(self) -> None:
        """Do what waits for as long as the lock is free, but let others have the loop between."""
        self._database.wait_at_most(_HERE)
        self._group.may_begin = True
        loop, end = asyncio.get_running_loop(), time.monotonic() + _AT_A_TIME
        is_locked = False
        while (queue := self._next()) and time.monotonic() < end:
            first = queue[0]
            if first.done.done():  # nobody waits for it any more
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
        self._is_looking = bool(queue)
        if is_locked:
            loop.call_later(_LOOK_AGAIN, self._look)
        elif queue:
            loop.call_soon(self._look)

    def _outcome(self, waiting: _Waiting) -> tuple[Any, BaseException | None]:
        """Its result, or what it raised; raises `DatabaseBusyError` if it has to wait on."""
        if time.monotonic() - waiting.since > _PATIENCE:
            return None, DatabaseUnavailableError("the lock was not free in time")
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
        """Give the outcome to who waits for it, as soon as it is sure."""
        if self._group.is_open:
            self._group.tell(lambda failure: settle(done, result, failure or error))
        else:
            settle(done, result, error)

    def _next(self) -> deque[_Waiting]:
        """Whose turn it is: nearly always that of programs."""
        if self._turns % _PEOPLE_EVERY == _PEOPLE_EVERY - 1:
            return self._people or self._programs
        return self._programs or self._people

    def threads(self) -> list[int]:
        return []

    def close(self) -> None:
        """There is nothing to close: what was answered is committed."""


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
        """Run `work`; raises `DatabaseUnavailableError` if there is no answer in time.

        Raises `OverloadedError` if no thread was free for too long.
        """
        del for_people  # there is no queue to speak of
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
                    raise DatabaseUnavailableError("nobody waits for it any more")
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
                    self._database.break_off(job.thread)
                job.is_over = True
            raise DatabaseUnavailableError("no answer in time") from None

    def threads(self) -> list[int]:
        return self._lane.threads()

    def close(self) -> None:
        self._lane.close()
