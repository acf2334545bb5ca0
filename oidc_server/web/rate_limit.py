"""Named limits and what they count (decided in the route table, held here)."""

from dataclasses import dataclass
from typing import Literal

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


@dataclass(frozen=True)
class Limit:
    """At most `per_minute` of something per client address.

    `counts` says of what: every request, or only those whose authentication failed, so that the
    back end of an application, which has one address, is never throttled for working.
    """

    name: str
    per_minute: int
    counts: Literal["requests", "failures"]


PAGES = Limit("pages", 100, "requests")
"""Pages that a person reads and forms that they send."""
PASSAGES = Limit("passages", 1000, "requests")
"""Addresses that a browser only passes through; a sign-in passes several."""
MAILS = Limit("mails", 20, "requests")
"""Forms that send mail to whoever is named in them."""
TYPING = Limit("typing", 120, "requests")
"""What a script asks while somebody types."""
REGISTRATIONS = Limit("registrations", 20, "requests")
"""Clients that register themselves."""
DEVICES = Limit("devices", 300, "requests")
"""Devices that ask for a code; each request leaves a row."""
FAILED_AUTHENTICATIONS = Limit("failed-authentications", 100, "failures")


class TooManyRequestsError(Exception):
    """A limit is used up; the adapter answers 429 with `Retry-After`."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Retry after {retry_after} seconds.")
        self.retry_after = retry_after


class Limiter:
    """Counts in this process. `enabled=False` exists for measurements only."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._items: dict[str, RateLimitItemPerMinute] = {}

    def enter(self, limit: Limit | None, address: str) -> None:
        """Let a request in; raises `TooManyRequestsError`."""
        if limit is None or not self._enabled:
            return
        item = self._item(limit)
        if limit.counts == "requests":
            admitted = self._strategy.hit(item, limit.name, address)
        else:
            admitted = self._strategy.test(item, limit.name, address)
        if not admitted:
            raise TooManyRequestsError(retry_after=60)

    def failed(self, limit: Limit | None, address: str) -> None:
        """Count a failed authentication."""
        if limit is not None and self._enabled and limit.counts == "failures":
            self._strategy.hit(self._item(limit), limit.name, address)

    def _item(self, limit: Limit) -> RateLimitItemPerMinute:
        item = self._items.get(limit.name)
        if item is None:
            item = self._items[limit.name] = RateLimitItemPerMinute(limit.per_minute)
        return item
