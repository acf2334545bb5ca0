"""The one place that reads the clock; everybody else is handed a `Clock` or a `now`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MOST_APART = timedelta(minutes=1)
"""What is dated further ahead than this is from before the clock was set back: of two nodes at work
neither is more than two seconds off the database's."""

Clock = Callable[[], datetime]
"""Gives the present as an aware UTC datetime; tests pass one they can move."""


def utc_now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)
