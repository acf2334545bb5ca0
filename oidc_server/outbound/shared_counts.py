"""The interface of counters that all processes and nodes share."""

from dataclasses import dataclass
from typing import Protocol


class SharedCountsUnavailableError(Exception):
    """The store did not answer in time, or its breaker is open: count in this process instead."""


@dataclass(frozen=True, slots=True)
class SharedWindow:
    """The counts of this minute and the one before, and the seconds that are left of this one."""

    before: int
    count: int
    left: float


class SharedCounts(Protocol):
    """Shared sliding windows; `redis_counts` implements them."""

    @property
    def refuses(self) -> bool:
        """Whether a call would be refused at once."""

    async def take(self, name: str, key: str, per_minute: int, amount: int = 1) -> bool:
        """Count `amount` at once, or nothing; raises `SharedCountsUnavailableError`."""

    async def window(self, name: str, key: str, per_minute: int) -> SharedWindow:
        """The counts; raises `SharedCountsUnavailableError`."""

    async def close(self) -> None:
        """Close connections; called once, at the end of the process."""
