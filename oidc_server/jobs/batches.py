"""Work in small transactions until nothing is left, with room for others between them."""

from collections.abc import Callable
from datetime import datetime
from threading import Event

from oidc_server.database import Transaction
from oidc_server.web.runtime import Runtime

_BETWEEN_BATCHES = 0.05
"""Seconds in which others may write."""

Batch = Callable[[Transaction, datetime, int], int]
"""Works on at most so many rows whose time is over; returns how many they were."""


def work_off(runtime: Runtime, stopping: Event, batch: Batch, size: int) -> None:
    """Run batches of a `size` that no request notices the lock of, until one is not full."""
    done = size
    while done == size and not stopping.wait(_BETWEEN_BATCHES):
        with runtime.database.transaction("write") as db:
            done = batch(db, runtime.clock(), size)
