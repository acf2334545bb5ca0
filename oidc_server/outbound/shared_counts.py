"""Counts that all processes and nodes share: what is asked of whoever keeps them."""

from dataclasses import dataclass
from typing import Protocol


class SharedCountsUnavailableError(Exception):
    """They did not answer in time, or are left alone: count here meanwhile."""


@dataclass(frozen=True, slots=True)
class SharedWindow:
    """What is counted: this minute, the one before, and how long this one still lasts."""

    before: int
    count: int
    left: float


class SharedCounts(Protocol):
    """Sliding windows somewhere else. `redis_counts` has them in Redis."""

    @property
    def rests(self) -> bool:
        """Whether they are left alone for now."""

    async def take(self, name: str, key: str, per_minute: int, amount: int = 1) -> bool:
        """Count `amount` at once, or nothing; raises `SharedCountsUnavailableError`."""

    async def window(self, name: str, key: str, per_minute: int) -> SharedWindow:
        """What was counted; raises `SharedCountsUnavailableError`."""

    async def close(self) -> None:
        """Let go of them; called once, at the end of the process."""
