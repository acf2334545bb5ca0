"""Deletes the accounts whose owners wanted it and did not come back."""

from datetime import datetime
from threading import Event as Stopping

from oidc_server.database import Transaction
from oidc_server.domain import audit, endings
from oidc_server.domain.audit import JOBS, Event
from oidc_server.jobs.batches import work_off
from oidc_server.web.runtime import Runtime

_BATCH = 10


def delete_due(runtime: Runtime, stopping: Stopping) -> None:
    """Delete them, until nobody is left."""
    work_off(runtime, stopping, _delete, _BATCH)


def _delete(db: Transaction, now: datetime, limit: int) -> int:
    found = endings.delete_due(db, now, limit)
    for user_id in found:
        audit.record(db, Event.USER_DELETED, origin=JOBS, now=now, user_id=user_id)
    return len(found)
