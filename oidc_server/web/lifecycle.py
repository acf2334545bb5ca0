"""The state of a process for health checks: starting, ready, draining."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

_ONE_SIGNAL = 1.0
"""Seconds. systemd tells every process of a service, and the parent tells the workers once more."""


class Lifecycle:
    """Whether the process was ready once, and whether it is draining."""

    def __init__(self) -> None:
        self.was_ready = False
        self.is_draining = False
        self._last: list[Callable[[], object]] = []

    def last(self, work: Callable[[], object]) -> None:
        """Do something when everything else of the server has ended."""
        self._last.append(work)

    def end(self) -> None:
        """Do what was left for last; called once. A signal may end the process right after it."""
        for work in self._last:
            work()

    def drain_on_sigterm(self, drain_time: timedelta) -> None:
        """After SIGTERM, say that we end, go on for `drain_time`, and only then let it end us.

        Called on the event loop, when whoever ends the process has put its own handler in place.
        A second signal ends it at once, unless it comes within a second (`_ONE_SIGNAL`).
        """
        end: Any = signal.getsignal(signal.SIGTERM)
        if not callable(end):
            return
        loop = asyncio.get_running_loop()
        told_at = 0.0

        def drain(number: int, frame: FrameType | None) -> None:
            nonlocal told_at
            if self.is_draining:
                if loop.time() - told_at > _ONE_SIGNAL:
                    end(number, frame)
                return
            self.is_draining, told_at = True, loop.time()
            seconds = drain_time.total_seconds()
            loop.call_soon_threadsafe(loop.call_later, seconds, end, number, frame)

        signal.signal(signal.SIGTERM, drain)
