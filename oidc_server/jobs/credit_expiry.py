"""Gives back reserved credit whose time is over."""

from threading import Event

from oidc_server.domain import ledger
from oidc_server.web.runtime import Runtime

_BATCH = 50


def release_expired(runtime: Runtime, stopping: Event) -> None:
    """In small transactions, until nothing is due."""
    due = _BATCH
    while due == _BATCH and not stopping.is_set():
        with runtime.database.transaction("write") as db:
            due = ledger.release_expired(db, runtime.clock(), _BATCH)
