"""Reservations: credit that is held now, and taken or given back later, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import insert_all
from oidc_server.domain.ledger.accounts import (
    Order,
    Reason,
    Refused,
    enter,
    hold,
    lock,
    move,
    refusal,
)
from oidc_server.domain.ledger.tables import Entry, EntryType, reservations

_JOB = "expiry"

_RESERVE = Statement(insert_all(reservations))
_FIND = Statement(
    select(
        reservations.c.client_id,
        reservations.c.amount,
        reservations.c.expires_at,
        reservations.c.settled_at,
    ).where(
        reservations.c.id == bindparam("reservation_id"),
        reservations.c.user_id == bindparam("of_user"),
    )
)
_SETTLE = Statement(
    update(reservations)
    .where(reservations.c.id == bindparam("reservation_id"), reservations.c.settled_at.is_(None))
    .values(settled_at=bindparam("now"), captured=bindparam("taken"))
)
_EXPIRED = Statement(
    select(
        reservations.c.id, reservations.c.user_id, reservations.c.client_id, reservations.c.amount
    )
    .where(reservations.c.settled_at.is_(None), reservations.c.expires_at <= bindparam("now"))
    .order_by(reservations.c.expires_at)
    .limit(bindparam("batch"))
)


@dataclass(frozen=True, slots=True)
class Reserved:
    """A reservation: the entry that made it, whose id is its own, and its end."""

    entry: Entry
    expires_at: datetime


def reserve(
    db: Transaction,
    user_id: str,
    amount: int,
    *,
    expires_at: datetime,
    order: Order,
    now: datetime,
) -> Reserved | Refused:
    """Hold credit of a user for the client that asks."""
    moved = hold(db, user_id, amount, now)
    if moved is None:
        return refusal(db, user_id, Reason.INSUFFICIENT)
    kind = EntryType.RESERVED
    entry = enter(db, user_id, kind, amount, moved, order=order, now=now)
    db.later(
        _RESERVE,
        id=entry.id,
        user_id=user_id,
        client_id=order.client_id,
        amount=amount,
        expires_at=expires_at,
        settled_at=None,
        captured=0,
    )
    return Reserved(entry, expires_at)


def capture(
    db: Transaction,
    user_id: str,
    reservation_id: str,
    amount: int | None,
    *,
    order: Order,
    now: datetime,
) -> Entry | Refused:
    """Take what is held, or a part; the rest is released. Only the client that holds it may."""
    found = _open(db, user_id, reservation_id, order, now)
    if isinstance(found, Refused):
        return found
    account, reservation = found
    if account.disabled_at is not None:
        return Refused(Reason.DISABLED, account.balance)
    amount = reservation.amount if amount is None else amount
    rest = reservation.amount - amount
    if rest < 0:
        return Refused(Reason.MORE_THAN_LEFT, account.balance, reservation.amount)
    db.later(_SETTLE, reservation_id=reservation_id, now=now, taken=amount)
    captured = _settle(
        db, EntryType.CAPTURED, user_id, reservation_id, amount, order=order, now=now
    )
    if rest:
        kind = EntryType.RELEASED
        _settle(db, kind, user_id, reservation_id, rest, order=order, now=now)
    return captured


def release(
    db: Transaction,
    user_id: str,
    reservation_id: str,
    *,
    order: Order,
    now: datetime,
) -> Entry | Refused:
    """Give all of it back. Only the client that holds it may."""
    found = _open(db, user_id, reservation_id, order, now)
    if isinstance(found, Refused):
        return found
    _, reservation = found
    db.later(_SETTLE, reservation_id=reservation_id, now=now, taken=0)
    return _settle(
        db,
        EntryType.RELEASED,
        user_id,
        reservation_id,
        reservation.amount,
        order=order,
        now=now,
    )


def release_expired(db: Transaction, now: datetime, limit: int) -> int:
    """Give back at most `limit` reservations whose time is over; returns how many were due.

    Accounts are taken in the order of their ids, so that two who do this do not block each other.
    """
    due = db.all(_EXPIRED, now=now, batch=limit)
    for row in sorted(due, key=lambda row: (row.user_id, row.id)):
        lock(db, row.user_id)
        if db.run(_SETTLE, reservation_id=row.id, now=now, taken=0) == 1:
            order = Order(row.client_id, None, _JOB)
            kind = EntryType.EXPIRED
            _settle(db, kind, row.user_id, row.id, row.amount, order=order, now=now)
    return len(due)


def _open(
    db: Transaction, user_id: str, reservation_id: str, order: Order, now: datetime
) -> tuple[Any, Any] | Refused:
    """The account, locked, and a reservation on it that can be settled."""
    account = lock(db, user_id)
    row = db.first(_FIND, reservation_id=reservation_id, of_user=user_id)
    if account is None or row is None or row.client_id != order.client_id:
        return Refused(Reason.NOT_FOUND)
    if row.settled_at is not None:
        return Refused(Reason.SETTLED, account.balance)
    if row.expires_at <= now:
        return Refused(Reason.EXPIRED, account.balance)
    return account, row


def _settle(
    db: Transaction,
    kind: EntryType,
    user_id: str,
    reservation_id: str,
    amount: int,
    *,
    order: Order,
    now: datetime,
) -> Entry:
    moved = move(db, user_id, kind, amount, now)
    return enter(
        db,
        user_id,
        kind,
        amount,
        moved,
        order=order,
        now=now,
        original_id=reservation_id,
    )
