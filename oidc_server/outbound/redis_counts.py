"""Shared counters in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from oidc_server.outbound.breaker import Breaker, BreakerOpenError
from oidc_server.outbound.shared_counts import SharedCountsUnavailableError, SharedWindow
from oidc_server.settings import Settings

STEP_SECONDS = 0.15
"""For connecting, and for each answer. A Redis that takes longer is of no use for this."""
DEADLINE_SECONDS = 0.25
"""For all of it together."""
_PREFIX = "oidc-server"


class RedisCounts:
    """Sliding windows in Redis; used on the event loop only."""

    def __init__(self, settings: Settings, url: str) -> None:
        scheme, _, rest = url.partition("://")
        scheme = {"unix": "redis+unix"}.get(scheme, scheme)
        self._storage = RedisStorage(
            f"async+{scheme}://{rest}",
            implementation="redispy",
            key_prefix=_PREFIX,
            socket_timeout=STEP_SECONDS,
            socket_connect_timeout=STEP_SECONDS,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis as it is
        )
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)
        self._breaker = Breaker.of(settings, "redis")

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused at once: the breaker is open."""
        return self._breaker.refuses

    async def take(self, name: str, key: str, per_minute: int, amount: int = 1) -> bool:
        """Count `amount` at once, or nothing; raises `SharedCountsUnavailableError`."""
        async with self._asking():
            item = RateLimitItemPerMinute(per_minute)
            return await self._strategy.hit(item, name, key, cost=amount)

    async def window(self, name: str, key: str, per_minute: int) -> SharedWindow:
        """The counts; raises `SharedCountsUnavailableError`."""
        item = RateLimitItemPerMinute(per_minute)
        async with self._asking():
            before, _, count, expires_in = await self._storage.get_sliding_window(
                item.key_for(name, key), item.get_expiry()
            )
        return SharedWindow(before, count, max(0.0, expires_in - item.get_expiry()))

    async def answers(self) -> bool:
        """Whether Redis can be counted in now: for `doctor`."""
        try:
            await self.window("doctor", "doctor", 1)
        except SharedCountsUnavailableError:
            return False
        return True

    async def close(self) -> None:
        """Close the connections; called once, at the end of the process."""
        await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[None]:
        try:
            with self._breaker.guard():
                async with asyncio.timeout(DEADLINE_SECONDS):
                    yield
        except BreakerOpenError as error:
            raise SharedCountsUnavailableError(str(error)) from None
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            raise SharedCountsUnavailableError(type(error).__name__) from None
