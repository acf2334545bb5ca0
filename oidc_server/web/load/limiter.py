"""The rate limiter: counts in this process, or in Redis for all processes (ADR 0019)."""

import asyncio
import threading
import time
from collections.abc import Callable
from math import ceil, floor
from typing import Any

from oidc_server.observability import metrics
from oidc_server.outbound.shared_counts import SharedCounts, SharedCountsUnavailableError
from oidc_server.settings import Settings
from oidc_server.web.load.rate_limit import (
    FAILURES,
    LIMITS,
    SIGN_INS,
    CountNeeded,
    Limit,
    Quota,
    TooManyRequestsError,
)
from oidc_server.web.load.windows import MINUTE, Window, Windows

_Key = tuple[str, str]
_PORTION = 100
"""A hundredth of a large limit is reserved in Redis at once, and used up in this process."""
_PORTION_SECONDS = 10.0
_MAX_REMEMBERED = 10_000
_OF_GUESSERS = (FAILURES, SIGN_INS)


class Limiter:
    """Counts requests, and raises `TooManyRequestsError` beyond a limit. Thread-safe.

    `shared` counts for all processes. While it cannot be reached each process counts alone. For
    failed authentications it then allows only its part of the limit, since guesses must not become
    more: `processes` is how many there are on this node.
    """

    def __init__(
        self,
        settings: Settings,
        shared: SharedCounts | None = None,
        *,
        processes: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enabled = settings.rate_limits
        self._shared = shared
        self._monotonic = monotonic
        self._here = Windows(monotonic)
        self._allowed = {limit.name: limit.per_minute(settings) for limit in LIMITS}
        self._allowed_alone = dict(self._allowed)
        if shared is not None:
            for limit in _OF_GUESSERS:
                self._allowed_alone[limit.name] = ceil(self._allowed[limit.name] / processes)
        self._blocked: dict[_Key, float] = {}
        self._portions: dict[_Key, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._asking: dict[_Key, asyncio.Future[None]] = {}

    def enter(self, limit: Limit, key: str) -> None:
        """Count one; raises `TooManyRequestsError`, or `CountNeeded` if Redis has to count it."""
        if not self._enabled:
            return
        if self._shared is None or self._shared.refuses:
            self._count_here(limit, key)
            return
        self._check_block((limit.name, key))
        if not self._take_of_portion((limit.name, key)):
            raise CountNeeded(limit, key)

    async def admit(self, limit: Limit, key: str) -> None:
        """The same on the event loop, where Redis can be awaited."""
        try:
            self.enter(limit, key)
        except CountNeeded:
            await self.count_elsewhere(limit, key)

    async def count_elsewhere(self, limit: Limit, key: str) -> None:
        """Count one in Redis; raises `TooManyRequestsError`."""
        name = (limit.name, key)
        if self._allowed[limit.name] >= 2 * _PORTION:
            running = self._asking.get(name)
            if running is None:
                running = asyncio.ensure_future(self._fetch_portion(limit, key))
                self._asking[name] = running
                running.add_done_callback(lambda _: self._asking.pop(name, None))
            await asyncio.shield(running)
            if self._take_of_portion(name):
                return
        await self._count_in_redis(limit, key)

    def check(self, limit: Limit, key: str) -> None:
        """Raise `TooManyRequestsError` if a limit is used up; counts nothing."""
        if not self._enabled:
            return
        self._check_block((limit.name, key))
        wait = self._here.wait((limit.name, key), self._allowed_alone[limit.name])
        if wait > 0:
            raise self._refused(limit.name, wait)

    async def failed(self, limit: Limit, key: str) -> None:
        """Count a failure; raises `TooManyRequestsError` if it was one too many.

        Only failures cost a request to Redis.
        """
        if not self._enabled:
            return
        if self._shared is None or self._shared.refuses:
            self._count_here(limit, key)
            return
        await self._count_in_redis(limit, key)
        wait = await self._wait_in_redis(limit, key)
        if wait > 0:  # that used the limit up: refuse further ones without asking Redis
            self._block((limit.name, key), wait)

    def described(self) -> str:
        """All limits per minute in one line, for the log."""
        return ", ".join(
            f"{name.replace('_', '-')} {allowed}" for name, allowed in self._allowed.items()
        )

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.close()

    def _count_here(self, limit: Limit, key: str) -> None:
        if self._shared is not None:
            metrics.LIMITER_DEGRADED.inc()
        wait = self._here.take((limit.name, key), self._allowed_alone[limit.name])
        if wait > 0:
            raise self._refused(limit.name, wait)

    async def _count_in_redis(self, limit: Limit, key: str) -> None:
        assert self._shared is not None  # noqa: S101 - the caller's branch
        try:
            if await self._shared.take(limit.name, key, self._allowed[limit.name]):
                return
        except SharedCountsUnavailableError:
            self._count_here(limit, key)
            return
        wait = max(1.0, await self._wait_in_redis(limit, key))
        self._block((limit.name, key), wait)
        raise self._refused(limit.name, wait)

    async def _wait_in_redis(self, limit: Limit, key: str) -> float:
        assert self._shared is not None  # noqa: S101 - the caller's branch
        allowed = self._allowed[limit.name]
        try:
            found = await self._shared.window(limit.name, key, allowed)
        except SharedCountsUnavailableError:
            return 0.0
        return Window(found.left - MINUTE, found.count, found.before).wait(0.0, allowed)

    async def _fetch_portion(self, limit: Limit, key: str) -> None:
        """Reserve a portion in Redis: it is counted there before any of it is used here."""
        assert self._shared is not None  # noqa: S101 - the caller's branch
        allowed = self._allowed[limit.name]
        portion = allowed // _PORTION
        try:
            counted = await self._shared.take(limit.name, key, allowed, portion)
        except SharedCountsUnavailableError:
            return
        if counted:
            until = self._monotonic() + _PORTION_SECONDS
            with self._lock:
                _make_room(self._portions)
                self._portions[limit.name, key] = (portion, until)

    def _take_of_portion(self, name: _Key) -> bool:
        with self._lock:
            left, until = self._portions.get(name, (0, 0.0))
            if left <= 0 or until < self._monotonic():
                return False
            self._portions[name] = (left - 1, until)
            return True

    def _block(self, name: _Key, wait: float) -> None:
        _make_room(self._blocked)
        self._blocked[name] = self._monotonic() + wait

    def _check_block(self, name: _Key) -> None:
        until = self._blocked.get(name)
        if until is None:
            return
        wait = until - self._monotonic()
        if wait > 0:
            raise self._refused(name[0], wait)
        self._blocked.pop(name, None)

    def _refused(self, name: str, wait: float) -> TooManyRequestsError:
        metrics.limited(name)
        return TooManyRequestsError(floor(wait) + 1, Quota(name, self._allowed[name]))


def _make_room(remembered: dict[_Key, Any]) -> None:
    """Drop the oldest entry: Redis still has its count."""
    if len(remembered) >= _MAX_REMEMBERED:
        remembered.pop(next(iter(remembered)))
