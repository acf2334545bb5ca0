"""Sliding windows over the last minute, in this process, with bounded memory."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
_MAX_KEYS = 50_000
"""Keys that are kept, in about 10 MB; beyond that the oldest are dropped."""


@dataclass(slots=True)
class Window:
    """The counts of this minute and of the one before, which weighs less the older this one is."""

    began: float
    count: int = 0
    before: int = 0

    def move(self, now: float) -> None:
        """Start the next minute if this one is over."""
        age = now - self.began
        if age >= 2 * MINUTE:
            self.began, self.count, self.before = now, 0, 0
        elif age >= MINUTE:
            self.began, self.count, self.before = self.began + MINUTE, 0, self.count

    def wait(self, now: float, per_minute: int) -> float:
        """Seconds until one more is allowed; 0 if it is now."""
        age = now - self.began
        if self.before * (1 - age / MINUTE) + self.count < per_minute:
            return 0.0
        if self.count < per_minute:
            return MINUTE * (1 - (per_minute - self.count) / self.before) - age
        return MINUTE - age + MINUTE * (1 - per_minute / self.count)


class Windows:
    """One window for each key. Thread-safe; a call takes about a microsecond."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._windows: dict[tuple[str, str], Window] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[str, str], per_minute: int) -> float:
        """Count one and return 0, or return the seconds until one is allowed."""
        with self._lock:
            now = self._monotonic()
            window = self._windows.get(key)
            if window is None:
                if len(self._windows) >= _MAX_KEYS:
                    self._make_room(now)
                window = self._windows[key] = Window(now)
            window.move(now)
            wait = window.wait(now, per_minute)
            if wait <= 0:
                window.count += 1
            return wait

    def wait(self, key: tuple[str, str], per_minute: int) -> float:
        """The seconds until one is allowed, without counting one."""
        window = self._windows.get(key)
        if window is None:
            return 0.0
        with self._lock:
            now = self._monotonic()
            window.move(now)
            return window.wait(now, per_minute)

    def _make_room(self, now: float) -> None:
        """Drop windows that are over, then the oldest until at most half of `_MAX_KEYS` remain."""
        alive = {
            key: window for key, window in self._windows.items() if now - window.began < 2 * MINUTE
        }
        for key in list(alive)[: max(0, len(alive) - _MAX_KEYS // 2)]:
            del alive[key]
        self._windows = alive
