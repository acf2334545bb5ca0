"""How work gets off the event loop, and what it waits for there.

SQLite work runs where it is asked for, since a hop costs more than the work, and PostgreSQL work on
a few threads that keep one connection each (`database_lanes`). Passwords are hashed in a
lane of their own, so that a login flood never holds the threads of token traffic, and documents of
others are fetched in further ones, where a slow neighbour holds nothing else: one that a stranger
named holds up only other strangers, a provider that people sign in with only such sign-ins, and a
service that knows leaked passwords only new passwords.
Wherever work is done, the log knows for which request.
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
"""Of threads that hash, beside others: a tenth of a busy processor is theirs, or an idle one."""
_LATE = 0.005
"""Seconds that a result may wait for the event loop before the threads wait for it too."""
_PATIENCE = 1.0
"""Seconds for which they do at most: it may have ended."""


class Lane(Protocol):
    async def run(
        self, work: Callable[[], T], access: Access = "write", *, for_people: bool = False
    ) -> T: ...

    def threads(self) -> list[int]:
        """Those that do the work, beside that of the event loop, by their numbers in the kernel."""
        ...

    def close(self) -> None: ...


class Threads:
    """A queue of `count` threads, made by hand: the usual executors cost five times the hop.

    They and the event loop take turns with the interpreter, and one of them each turn: it comes to
    little of what arrives while all of them have work. Where it is late, each waits until its
    result was taken before it does more.
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
        del access, for_people  # all wait here
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
            taken = threading.Event() if self._is_late else None
            loop.call_soon_threadsafe(self._settle, future, result, error, time.monotonic(), taken)
            if taken is not None:
                taken.wait(_PATIENCE)

    def _settle(
        self,
        future: "asyncio.Future[Any]",
        result: object,
        error: BaseException | None,
        since: float,
        taken: threading.Event | None,
    ) -> None:
        settle(future, result, error)
        self._is_late = time.monotonic() - since > _LATE
        if taken is not None:
            taken.set()


def settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if isinstance(error, StopIteration):  # no future takes it
        error = RuntimeError("work raised StopIteration")
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def _come_after_others() -> None:
    """Let the scheduler give the processors to everything else first: to who needs a moment only.

    Linux knows priorities of threads; elsewhere, and where that is forbidden, all compete.
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
    """Raise `HashingBusyError` if it is too late."""
    if time.monotonic() > deadline:
        raise HashingBusyError
    return work()


class HashingLane:
    """Passwords are hashed here: `concurrency` at a time, at most `queue` waiting.

    Whoever waits for longer than `patience` seconds has gone, or would sooner try again.
    """

    def __init__(self, concurrency: int, queue: int, patience: float = 5.0) -> None:
        self._patience = patience
        self._pool = ThreadPoolExecutor(
            concurrency, thread_name_prefix="hashing", initializer=_come_after_others
        )
        self._room = concurrency + queue
        self._inside = 0
        self._watched = metrics.lane("hashing", concurrency)

    def check_room(self) -> None:
        """Raise `HashingBusyError` when the queue is full, before anything is counted."""
        if self._inside >= self._room:
            raise HashingBusyError

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work`; raises `HashingBusyError` when the queue is full, or too slow."""
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
    """What somebody else is asked before a password is hashed.

    `ask` waits in a lane of its own, where it holds up no hashing, and remembers the answer for
    `then`, which runs in that of hashing. It is left out when too many ask already.
    """

    ask: Callable[[], None]
    then: Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Errand:
    """What somebody else is asked once, for one request: its answer is the proof.

    `run` blocks for seconds, in a lane where it holds up nothing but its like, and never raises.
    """

    run: Callable[[], Any]


class FetchingBusyError(Exception):
    """Too many documents wait to be fetched: come back in `retry_after` seconds."""

    retry_after = 5


class FetchingLane:
    """Documents are fetched here, each once at a time however many requests need it."""

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
    """One for each kind of neighbour: a slow one holds up nothing but what needs its like."""

    def __init__(self) -> None:
        self.for_clients = FetchingLane()
        """What clients publish that an operator let in."""
        self.for_strangers = FetchingLane()
        """What those publish that registered themselves."""
        self.from_providers = FetchingLane()
        """What other providers say of who signs in with them."""
        self.of_leaks = FetchingLane()
        """Whether a new password has leaked."""

    def close(self) -> None:
        for lane in (self.for_clients, self.for_strangers, self.from_providers, self.of_leaks):
            lane.close()
