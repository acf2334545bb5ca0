"""Ends sessions whose time is over, so that clients hear of those too."""

from threading import Event

from oidc_server.domain import endings
from oidc_server.web.runtime import Runtime

_BATCH = 50
"""Few enough that no request notices the lock of one transaction."""
_BETWEEN_BATCHES = 0.05
"""Seconds in which others may write."""


def end_expired(runtime: Runtime, stopping: Event) -> None:
    """End them in small transactions until none is left."""
    ended = _BATCH
    while ended == _BATCH and not stopping.wait(_BETWEEN_BATCHES):
        with runtime.database.transaction("write") as db:
            ended = endings.end_expired_sessions(db, runtime.clock(), _BATCH)
