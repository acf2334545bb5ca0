"""The outbox: what must be done after a commit, written in the same transaction.

A row holds a kind and ids, never a link or a token: those are made when it is sent, so a stolen
dump opens nothing. Each queue has its job in `jobs/`, which leases one row at a time and tells how
it went.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Index,
    Integer,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.clock import MOST_APART
from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import (
    Base,
    Document,
    Identifier,
    Instant,
    delete_some,
    insert_all,
    new_id,
    table_of,
)

MAX_ATTEMPTS = 100
"""With the pauses below: about a day."""
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=15)
_DELIVERED_KEPT = timedelta(days=7)
_GIVEN_UP_KEPT = timedelta(days=30)
MOST_COUNTED = 100_000
"""Rows that are counted at most when somebody asks how many wait."""
_PENDING = "delivered_at IS NULL AND given_up_at IS NULL"


class Queue(StrEnum):
    """Who carries a row out."""

    MAIL = "mail"
    LOGOUT = "logout"
    LOGOUT_SELF_REGISTERED = "logout_of_strangers"
    """To self-registered clients: slow ones delay only each other. The value stands in rows that
    nodes of two versions share (ADR 0023)."""


class OutboxRow(Base):
    """One thing to do. It is due from `next_attempt_at` on; a lease pushes that out."""

    __tablename__ = "outbox"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    queue: Mapped[str] = mapped_column(Text, server_default=Queue.MAIL)
    kind: Mapped[str] = mapped_column(Text)
    destination: Mapped[str | None] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Instant)
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(Integer)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "ix_outbox_due",
            "queue",
            "next_attempt_at",
            sqlite_where=text(_PENDING),
            postgresql_where=text(_PENDING),
        ),
    )


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A leased row. `attempts` counts this attempt too; it tells one lease from the next."""

    id: str
    kind: str
    destination: str | None
    payload: dict[str, Any]
    created_at: datetime
    attempts: int


_outbox = table_of(OutboxRow)
_pending = and_(_outbox.c.delivered_at.is_(None), _outbox.c.given_up_at.is_(None))
# One parameter however many they are: " a.example b.example ".
_is_busy = bindparam("busy", type_=Text).contains(" " + _outbox.c.destination + " ")
_due = and_(
    _outbox.c.queue == bindparam("of_queue"),
    _pending,
    _outbox.c.next_attempt_at <= bindparam("now", type_=Instant),
    or_(_outbox.c.destination.is_(None), ~_is_busy),
)

_PUT = Statement(insert_all(_outbox))
_DUE = Statement(select(_outbox.c.id).where(_due).limit(1))
_LEASE = Statement(
    update(_outbox)
    .where(
        _outbox.c.id
        == select(_outbox.c.id)
        .where(_due)
        .order_by(_outbox.c.next_attempt_at, _outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # left out on SQLite, which has one writer at a time
        .scalar_subquery()
    )
    .values(next_attempt_at=bindparam("leased_until"), attempts=_outbox.c.attempts + 1)
    .returning(
        _outbox.c.id,
        _outbox.c.kind,
        _outbox.c.destination,
        _outbox.c.payload,
        _outbox.c.created_at,
        _outbox.c.attempts,
    )
)
_this_row = and_(_outbox.c.id == bindparam("item_id"), _pending)
_this_lease = and_(_this_row, _outbox.c.attempts == bindparam("attempt"))
_DELIVERED = Statement(update(_outbox).where(_this_row).values(delivered_at=bindparam("moment")))
_POSTPONE = Statement(
    update(_outbox)
    .where(_this_lease)
    .values(next_attempt_at=bindparam("moment"), last_error=bindparam("error"))
)
_HASTEN = Statement(
    update(_outbox)
    .where(
        _pending,
        or_(
            _outbox.c.next_attempt_at > bindparam("latest", type_=Instant),
            and_(
                _outbox.c.attempts == 0,
                _outbox.c.next_attempt_at > bindparam("latest_new", type_=Instant),
            ),
        ),
    )
    .values(next_attempt_at=bindparam("moment"))
)
_GIVE_UP = Statement(
    update(_outbox)
    .where(_this_lease)
    .values(given_up_at=bindparam("moment"), last_error=bindparam("error"))
)
_some_pending = select(_outbox.c.queue).where(_pending).limit(MOST_COUNTED).subquery()
_COUNT_BY_QUEUE = Statement(
    select(_some_pending.c.queue, func.count().label("rows")).group_by(_some_pending.c.queue)
)
_COUNT_GIVEN_UP = Statement(
    select(func.count().label("rows"))
    .select_from(_outbox)
    .where(
        _outbox.c.queue == bindparam("of_queue"),
        _outbox.c.given_up_at > bindparam("since", type_=Instant),
    )
)
_PRUNE = Statement(
    delete_some(
        _outbox,
        or_(
            _outbox.c.delivered_at <= bindparam("delivered_before", type_=Instant),
            _outbox.c.given_up_at <= bindparam("given_up_before", type_=Instant),
        ),
    )
)


def put(
    db: Transaction,
    queue: Queue,
    kind: str,
    payload: dict[str, Any],
    now: datetime,
    destination: str | None = None,
) -> None:
    """Add a row, which is carried out after the commit.

    `destination` is the host that it goes to: while that is slow, rows to others go first.
    """
    db.later(
        _PUT,
        id=new_id(now),
        queue=queue.value,
        kind=kind,
        destination=destination,
        payload=payload,
        created_at=now,
        next_attempt_at=now,
        attempts=0,
        delivered_at=None,
        given_up_at=None,
        last_error=None,
    )


def is_due(
    db: Transaction, now: datetime, queue: Queue = Queue.MAIL, busy: Iterable[str] = ()
) -> bool:
    """Whether `lease` would find a row: one index lookup, without a write."""
    return db.first(_DUE, of_queue=queue.value, busy=_words(busy), now=now) is not None


def lease(
    db: Transaction,
    now: datetime,
    lease_for: timedelta,
    queue: Queue = Queue.MAIL,
    busy: Iterable[str] = (),
) -> OutboxItem | None:
    """Take the row that has been due longest, for `lease_for`, or None when nothing is due.

    Rows to the `busy` destinations are passed over. Of several processes at once, each gets
    another row. A row whose holder dies is due again when the lease ends: things are done at least
    once.
    """
    row = db.first(
        _LEASE,
        of_queue=queue.value,
        busy=_words(busy),
        now=now,
        leased_until=now + lease_for,
    )
    return OutboxItem(*row) if row else None


def delivered(db: Transaction, item: OutboxItem, now: datetime) -> None:
    """Mark the row as done, whoever has leased it since."""
    db.later(_DELIVERED, item_id=item.id, moment=now)


def failed(db: Transaction, item: OutboxItem, error: str, now: datetime) -> bool:
    """Try again later, or give up after the last attempt; returns whether it was given up.

    The pause doubles each time.
    """
    if item.attempts >= MAX_ATTEMPTS:
        return give_up(db, item, error, now)
    pause = min(_FIRST_PAUSE * 2 ** min(item.attempts - 1, 20), _LONGEST_PAUSE)
    db.later(_POSTPONE, item_id=item.id, attempt=item.attempts, moment=now + pause, error=error)
    return False


def give_up(db: Transaction, item: OutboxItem, error: str, now: datetime) -> bool:
    """Never try it again; the row is kept for some weeks with the reason.

    False if somebody else has leased it since, or done it: then they decide.
    """
    return db.run(_GIVE_UP, item_id=item.id, attempt=item.attempts, moment=now, error=error) == 1


def hasten(db: Transaction, now: datetime) -> int:
    """Make rows due whose next attempt is further ahead than any pause; returns how many.

    They date from before the clock was set back.
    """
    return db.run(
        _HASTEN,
        latest=now + _LONGEST_PAUSE + MOST_APART,
        latest_new=now + MOST_APART,
        moment=now,
    )


def pending_by_queue(db: Transaction) -> dict[Queue, int]:
    """How many rows of each queue wait, counted up to `MOST_COUNTED`."""
    counted = {row.queue: row.rows for row in db.all(_COUNT_BY_QUEUE)}
    return {queue: counted.get(queue, 0) for queue in Queue}


def given_up_count(db: Transaction, since: datetime, queue: Queue = Queue.MAIL) -> int:
    """How many rows were given up after `since`."""
    return int(db.first(_COUNT_GIVEN_UP, of_queue=queue.value, since=since).rows)


def prune(db: Transaction, now: datetime, limit: int) -> int:
    """Delete at most `limit` rows that were done a week ago, or given up a month ago."""
    return db.run(
        _PRUNE,
        delivered_before=now - _DELIVERED_KEPT,
        given_up_before=now - _GIVEN_UP_KEPT,
        batch=limit,
    )


def _words(destinations: Iterable[str]) -> str:
    return f" {' '.join(destinations)} "
