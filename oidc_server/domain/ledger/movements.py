"""Adding, using, refunding and correcting credit."""

from datetime import datetime

from sqlalchemy import BigInteger, bindparam, cast, func, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain.ledger.accounts import (
    Order,
    Reason,
    Refused,
    enter,
    lock,
    move,
    refusal,
    spend,
    take_in,
)
from oidc_server.domain.ledger.tables import MAX_BALANCE, Entry, EntryType, entries

_ORIGINAL = Statement(
    select(entries.c.type, entries.c.amount).where(
        entries.c.id == bindparam("entry_id"), entries.c.user_id == bindparam("of_user")
    )
)
_REFUNDED = Statement(
    select(cast(func.coalesce(func.sum(entries.c.amount), 0), BigInteger).label("amount")).where(
        entries.c.original_id == bindparam("entry_id"),
        entries.c.type == bindparam("refunded"),
    )
)
_REFUNDABLE = (EntryType.CREDIT_USED, EntryType.CAPTURED)


def add(
    db: Transaction,
    user_id: str,
    amount: int,
    *,
    order: Order,
    now: datetime,
    purchase: bool = False,
) -> Entry | Refused:
    """Give credit to a user."""
    moved = take_in(db, user_id, amount, now)
    if moved is None:
        return refusal(db, user_id, Reason.TOO_MUCH)
    kind = EntryType.PURCHASE if purchase else EntryType.CREDIT_ADDED
    return enter(db, user_id, kind, amount, moved, order=order, now=now)


def use(
    db: Transaction, user_id: str, amount: int, *, order: Order, now: datetime
) -> Entry | Refused:
    """Spend credit of a user, if there is enough: of any number at once, as many as it pays."""
    moved = spend(db, user_id, amount, now)
    if moved is None:
        return refusal(db, user_id, Reason.INSUFFICIENT)
    return enter(db, user_id, EntryType.CREDIT_USED, amount, moved, order=order, now=now)


def refund(
    db: Transaction,
    user_id: str,
    entry_id: str,
    amount: int | None,
    *,
    order: Order,
    now: datetime,
) -> Entry | Refused:
    """Give back what an entry took, or a part: all refunds of one entry add up to it at most.

    Without an amount, give back what is left of it.
    """
    account = lock(db, user_id)
    original = db.first(_ORIGINAL, entry_id=entry_id, of_user=user_id)
    if account is None or original is None or original.type not in _REFUNDABLE:
        return Refused(Reason.NOT_FOUND)
    refunded = db.first(_REFUNDED, entry_id=entry_id, refunded=EntryType.REFUNDED.value)
    left = original.amount - refunded.amount
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        return Refused(Reason.MORE_THAN_LEFT, account.balance, left)
    if account.balance + account.reserved + amount > MAX_BALANCE:
        return Refused(Reason.TOO_MUCH, account.balance)
    kind = EntryType.REFUNDED
    moved = move(db, user_id, kind, amount, now)
    return enter(db, user_id, kind, amount, moved, order=order, now=now, original_id=entry_id)


def adjust(
    db: Transaction, user_id: str, change: int, *, order: Order, now: datetime
) -> Entry | Refused:
    """Correct a balance: up, or down to zero at most."""
    if change > 0:
        moved, reason = take_in(db, user_id, change, now), Reason.TOO_MUCH
    else:
        moved, reason = spend(db, user_id, -change, now), Reason.INSUFFICIENT
    if moved is None:
        return refusal(db, user_id, reason)
    return enter(db, user_id, EntryType.ADJUSTED, change, moved, order=order, now=now)
