"""Back-channel logouts that clients are owed: rows of the outbox, and how each stands.

A row says who is told of the end of which session. The logout token is made when it is sent.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import bindparam, null, or_, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain import outbox
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.outbox import OutboxRow, Queue
from oidc_server.domain.session_clients import SessionClient

_KIND = "backchannel_logout"
State = Literal["delivered", "waiting", "failed"]


@dataclass(frozen=True, slots=True)
class LogoutDelivery:
    """One client that is told of one session. `failed` means that it was given up."""

    id: str
    client_id: str
    sid: str
    destination: str
    created_at: datetime
    attempts: int
    state: State
    next_attempt_at: datetime | None
    last_error: str | None


_outbox = table_of(OutboxRow)
QUEUES = (Queue.LOGOUT, Queue.LOGOUT_SELF_REGISTERED)
_ours = or_(*(_outbox.c.queue == queue.value for queue in QUEUES))
_newest = (
    select(
        _outbox.c.id,
        _outbox.c.destination,
        _outbox.c.payload,
        _outbox.c.created_at,
        _outbox.c.attempts,
        _outbox.c.delivered_at,
        _outbox.c.given_up_at,
        _outbox.c.next_attempt_at,
        _outbox.c.last_error,
    )
    .where(_ours)
    .order_by(_outbox.c.id.desc())
    .limit(bindparam("count"))
)
_LIST = Statement(_newest)
_LIST_FAILED = Statement(_newest.where(_outbox.c.given_up_at.is_not(None)))
_again = {
    "given_up_at": null(),
    "attempts": 0,
    "next_attempt_at": bindparam("now", type_=Instant),
}
_RETRY = Statement(
    update(_outbox)
    .where(
        _ours,
        _outbox.c.id == bindparam("delivery_id"),
        _outbox.c.delivered_at.is_(None),
    )
    .values(_again)
)
_RETRY_FAILED = Statement(
    update(_outbox).where(_ours, _outbox.c.given_up_at.is_not(None)).values(_again)
)


def intend(db: Transaction, client: SessionClient, user_id: str, now: datetime) -> None:
    """Queue a back-channel logout for this client (Back-Channel Logout §2.5)."""
    uri = client.backchannel_logout_uri or ""
    payload = {
        "client_id": client.client_id,
        "user_id": user_id,
        "sub": client.sub,
        "sid": client.sid,
    }
    queue = Queue.LOGOUT_SELF_REGISTERED if client.self_registered else Queue.LOGOUT
    outbox.put(db, queue, _KIND, payload, now, destination=urlsplit(uri).netloc.lower())


def find_all(db: Transaction, *, only_failed: bool, limit: int) -> list[LogoutDelivery]:
    """The newest deliveries, or those that were given up."""
    rows = db.all(_LIST_FAILED if only_failed else _LIST, count=limit)
    return [_delivery(row) for row in rows]


def retry(db: Transaction, delivery_id: str, now: datetime) -> bool:
    """Start over with a delivery that was given up or waits; False if there is none."""
    return db.run(_RETRY, delivery_id=delivery_id, now=now) == 1


def retry_failed(db: Transaction, now: datetime) -> int:
    """Start over with all that were given up; returns how many."""
    return db.run(_RETRY_FAILED, now=now)


def failed_count(db: Transaction, since: datetime) -> int:
    """How many were given up after `since`."""
    return sum(outbox.given_up_count(db, since, queue) for queue in QUEUES)


def _delivery(row: Any) -> LogoutDelivery:
    state: State = "waiting"
    if row.delivered_at is not None:
        state = "delivered"
    elif row.given_up_at is not None:
        state = "failed"
    return LogoutDelivery(
        id=row.id,
        client_id=row.payload["client_id"],
        sid=row.payload["sid"],
        destination=row.destination,
        created_at=row.created_at,
        attempts=row.attempts,
        state=state,
        next_attempt_at=row.next_attempt_at if state == "waiting" else None,
        last_error=row.last_error,
    )
