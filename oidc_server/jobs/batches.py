"""Deletes and updates many rows in small transactions, with pauses for other writers."""

from collections.abc import Callable
from datetime import datetime
from threading import Event

from oidc_server.database import Transaction
from oidc_server.web.runtime import Runtime

_BETWEEN_BATCHES = 0.05
"""Seconds between two batches."""

Batch = Callable[[Transaction, datetime, int], int]
"""Works on at most this number of rows that are due; returns how many there were."""


def work_off(runtime: Runtime, stopping: Event, batch: Batch, size: int) -> None:
    """Run batches of this `size`, small enough for short locks, until one is not full."""
    done = size
    while done == size and not stopping.wait(_BETWEEN_BATCHES):
        with runtime.database.transaction("write") as db:
            done = batch(db, runtime.clock(), size)
