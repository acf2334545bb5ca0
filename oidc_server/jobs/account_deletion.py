"""Deletes the accounts whose owners wanted it and did not come back."""

from threading import Event as Stopping

from oidc_server.domain import audit, endings
from oidc_server.domain.audit import JOBS, Event
from oidc_server.web.runtime import Runtime

_BATCH = 10
"""Few enough that no request notices the lock of one transaction."""


def delete_due(runtime: Runtime, stopping: Stopping) -> None:
    """In small transactions, until nobody is left."""
    done = _BATCH
    while done == _BATCH and not stopping.is_set():
        now = runtime.clock()
        with runtime.database.transaction("write") as db:
            found = endings.delete_due(db, now, _BATCH)
            for user_id in found:
                audit.record(db, Event.USER_DELETED, origin=JOBS, now=now, user_id=user_id)
            done = len(found)
