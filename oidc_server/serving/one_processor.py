"""Pins the threads of a worker that share the interpreter lock to one processor (ADR 0025)."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_STAY = 1.0
"""Seconds for which the threads stay pinned to a processor."""
_CHOOSE = 0.02
"""Seconds without pinning, in which the scheduler chooses the next processor."""
_PROCESSOR = 36
"""Field of /proc/…/stat, counted after the name: the processor of a thread (proc(5))."""


class OneProcessor:
    """Keeps `threads` (by `native_id`) on the processor where the event loop runs.

    Other threads of the process are not pinned. Where pinning is forbidden, it does nothing.
    """

    def __init__(self, threads: Iterable[int]) -> None:
        self._together = {threading.get_native_id(), *threads}
        self._everywhere = os.sched_getaffinity(0) if sys.platform == "linux" else set()

    def keep(self) -> None:
        """Start; called on the event loop, and runs as long as that."""
        if len(self._everywhere) > 1:
            self._choose()

    def _choose(self) -> None:
        # All threads: a new thread inherits the pinning of the one that started it.
        ours = {thread.native_id or 0 for thread in threading.enumerate()}
        _allow(ours | self._together, self._everywhere)
        asyncio.get_running_loop().call_later(_CHOOSE, self._settle)

    def _settle(self) -> None:
        _allow(self._together, {_where_we_are()})
        asyncio.get_running_loop().call_later(_STAY, self._choose)


def _allow(threads: Iterable[int], processors: set[int]) -> None:
    for thread in threads:
        with suppress(OSError):  # the thread has ended, or pinning is forbidden
            os.sched_setaffinity(thread, processors)


def _where_we_are() -> int:
    text = Path("/proc/thread-self/stat").read_text(encoding="utf-8", errors="replace")
    return int(text.rpartition(")")[2].split()[_PROCESSOR])
