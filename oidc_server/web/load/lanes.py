"""Lanes: where the event loop has blocking work done. Each kind of work has threads of its own.

* Transactions of SQLite run on the event loop itself, since switching to a thread costs more than
  they do; those of PostgreSQL on a few threads with one connection each (`database_lanes`).
* Passwords are hashed in a lane of their own, so that many sign-ins do not block token requests.
* Documents are fetched in further lanes, by who is asked, so that a slow server delays only
  requests that need its kind: clients that an operator registered, clients that registered
  themselves, identity providers, and the service that knows leaked passwords.

Work runs in the `contextvars` of its request, which the log reads.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from oidc_server.database import Access
from oidc_server.observability import metrics

T = TypeVar("T")

_NICENESS = 10
"""Added to the niceness of hashing threads: on a busy processor they get about a tenth."""
_LATE = 0.005
"""Seconds in which the event loop should collect a result, else the threads wait for it."""
_MOST_WAIT = 1.0
"""Seconds that a thread waits for the event loop at most: the loop may have ended."""


class Lane(Protocol):
    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T: ...

    def threads(self) -> list[int]:
        """The `native_id` of each thread that works for this lane, without the event loop's."""
        ...

    def close(self) -> None: ...


class ThreadPool:
    """`count` threads with one queue. Handing over work costs a fifth of what an executor takes.

    The threads compete with the event loop for the interpreter lock. So when the loop is slow to
    collect results, each thread waits until its result was collected before it takes the next job.
    """

    def __init__(self, count: int) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], Any], Any, Any] | None] = SimpleQueue()
        self._inside = metrics.lane("database", count)
        self._is_late = False
        self._threads = [
            threading.Thread(target=self._serve, name=f"database-{index}", daemon=True)
            for index in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T:
        del access, for_people  # there is one queue for all
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._inside.inc()
        try:
            self._jobs.put((partial(copy_context().run, work), future, loop))
            return await future
        finally:
            self._inside.dec()

    def threads(self) -> list[int]:
        return [thread.native_id for thread in self._threads if thread.native_id is not None]

    def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, future, loop = job
            try:
                result, error = work(), None
            except BaseException as raised:  # noqa: BLE001 - handed to the waiting coroutine
                result, error = None, raised
            collected = threading.Event() if self._is_late else None
            since = time.monotonic()
            loop.call_soon_threadsafe(self._settle, future, result, error, since, collected)
            if collected is not None:
                collected.wait(_MOST_WAIT)

    def _settle(
        self,
        future: "asyncio.Future[Any]",
        result: object,
        error: BaseException | None,
        since: float,
        collected: threading.Event | None,
    ) -> None:
        settle(future, result, error)
        self._is_late = time.monotonic() - since > _LATE
        if collected is not None:
            collected.set()


def settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if isinstance(error, StopIteration):  # `set_exception` refuses it
        error = RuntimeError("work raised StopIteration")
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def _lower_priority() -> None:
    """Give this thread a low priority, so that short requests run before it.

    Only Linux has priorities per thread; where they cannot be set, all threads compete alike.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):
            niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS
            os.setpriority(os.PRIO_PROCESS, thread, niceness)


class HashingBusyError(Exception):
    """Too many passwords wait to be hashed: come back in `retry_after` seconds."""

    retry_after = 2


def _in_time(work: Callable[[], T], deadline: float) -> T:
    """Run `work`, or raise `HashingBusyError` after the deadline."""
    if time.monotonic() > deadline:
        raise HashingBusyError
    return work()


class HashingLane:
    """Passwords are hashed here: `concurrency` at a time, at most `queue` waiting.

    Work that has waited for more than `patience` seconds is refused: by then, people have gone.
    """

    def __init__(self, concurrency: int, queue: int, patience: float = 5.0) -> None:
        self._patience = patience
        self._pool = ThreadPoolExecutor(
            concurrency, thread_name_prefix="hashing", initializer=_lower_priority
        )
        self._room = concurrency + queue
        self._inside = 0
        self._watched = metrics.lane("hashing", concurrency)

    def check_room(self) -> None:
        """Raise `HashingBusyError` if the queue is full: to be asked before a guess is counted."""
        if self._inside >= self._room:
            raise HashingBusyError

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work`; raises `HashingBusyError` if the queue is full or too slow."""
        self.check_room()
        self._inside += 1
        self._watched.inc()
        try:
            work = partial(copy_context().run, _in_time, work, time.monotonic() + self._patience)
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1
            self._watched.dec()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, eq=False)
class Inquiry:
    """Asking another service about a password, and then hashing it.

    `ask` runs in a fetching lane and keeps the answer for `then`, which runs in the hashing lane.
    If the fetching lane is full, `ask` is skipped.
    """

    ask: Callable[[], None]
    then: Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Errand:
    """A call to another service that is made once for a request: `run` returns the proof.

    It may block for seconds, runs in the lane `from_providers`, and never raises.
    """

    run: Callable[[], Any]


class FetchingBusyError(Exception):
    """Too many documents wait to be fetched: come back in `retry_after` seconds."""

    retry_after = 5


class FetchingLane:
    """Documents are fetched here: each only once at a time, however many requests wait for it."""

    def __init__(self, concurrency: int = 4, queue: int = 32) -> None:
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="fetching")
        self._room = concurrency + queue
        self._running: dict[Hashable, asyncio.Future[Any]] = {}

    async def run(self, key: Hashable, work: Callable[[], T]) -> T:
        """Wait until `work` is done, here or for an earlier request with the same key.

        Raises `FetchingBusyError` when the queue is full.
        """
        running = self._running.get(key)
        if running is None:
            if len(self._running) >= self._room:
                raise FetchingBusyError
            work = partial(copy_context().run, work)
            running = asyncio.get_running_loop().run_in_executor(self._pool, work)
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        done: T = await asyncio.shield(running)
        return done

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class FetchingLanes:
    """One lane for each kind of server that is asked: a slow one delays only its kind."""

    def __init__(self) -> None:
        self.for_clients = FetchingLane()
        """Documents of clients that an operator registered."""
        self.for_self_registered = FetchingLane()
        """Documents of clients that registered themselves."""
        self.from_providers = FetchingLane()
        """Identity providers."""
        self.of_leaks = FetchingLane()
        """The service that knows leaked passwords."""

    def close(self) -> None:
        of_clients = (self.for_clients, self.for_self_registered)
        for lane in (*of_clients, self.from_providers, self.of_leaks):
            lane.close()
