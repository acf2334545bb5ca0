"""The one place that reads the clock; everybody else is handed a `Clock` or a `now`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present as an aware UTC datetime; tests pass one they can move."""


def utc_now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)
