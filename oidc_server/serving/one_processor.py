"""The threads of a worker that take turns with the interpreter share one processor (ADR 0025)."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_STAY = 1.0
"""Seconds on one processor, which may get busy with something else meanwhile."""
_CHOOSE = 0.02
"""Seconds in which the scheduler moves us to wherever there is most room."""
_PROCESSOR = 36
"""Place in /proc/…/stat after the name: where a thread ran last (proc(5))."""


class OneProcessor:
    """Keeps the thread of the event loop and `threads` together, where the former runs best.

    `threads` are numbers of the kernel (`Thread.native_id`). Other threads of the process run
    wherever it may. Where nobody lets us choose, all stay as they are.
    """

    def __init__(self, threads: Iterable[int]) -> None:
        self._together = {threading.get_native_id(), *threads}
        self._everywhere = os.sched_getaffinity(0) if sys.platform == "linux" else set()

    def keep(self) -> None:
        """Begin; called on the event loop, for as long as that runs."""
        if len(self._everywhere) > 1:
            self._choose()

    def _choose(self) -> None:
        # All threads: one that was begun meanwhile may run where the one that began it might.
        ours = {thread.native_id or 0 for thread in threading.enumerate()}
        _allow(ours | self._together, self._everywhere)
        asyncio.get_running_loop().call_later(_CHOOSE, self._settle)

    def _settle(self) -> None:
        _allow(self._together, {_where_we_are()})
        asyncio.get_running_loop().call_later(_STAY, self._choose)


def _allow(threads: Iterable[int], processors: set[int]) -> None:
    for thread in threads:
        with suppress(OSError):  # it has ended, or it is forbidden
            os.sched_setaffinity(thread, processors)


def _where_we_are() -> int:
    text = Path("/proc/thread-self/stat").read_text(encoding="utf-8", errors="replace")
    return int(text.rpartition(")")[2].split()[_PROCESSOR])
