"""One account: its balance, the ways it changes, and the entry that each change leaves.

Each change is one conditional statement on the account's row, which also counts the entries, so
changes of one account come one after the other, and its entries have no gap. Whoever looks at more
than the row before a change takes the row first (`lock`): nobody waits for anybody in a circle.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, bindparam, cast, exists, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, insert_all, new_id, table_of
from oidc_server.domain.ledger.tables import MAX_BALANCE, Entry, EntryType, accounts, entries
from oidc_server.domain.users import User


@dataclass(frozen=True, slots=True)
class Order:
    """Who has credit moved, and what they say about it.

    A client, for itself or for a person, in one request.
    """

    client_id: str
    user_id: str | None
    request_id: str
    reference_id: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What a user may spend now. Without any entry it is zero, since the account was made."""

    user_id: str
    balance: int
    updated_at: datetime


class Reason(StrEnum):
    """Why nothing was moved."""

    NO_USER = "no_user"
    DISABLED = "disabled"
    INSUFFICIENT = "insufficient"
    TOO_MUCH = "too_much"
    NOT_FOUND = "not_found"
    SETTLED = "settled"
    EXPIRED = "expired"
    MORE_THAN_LEFT = "more_than_left"


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was moved, and the balance as it is; `left` of what was to be taken or refunded."""

    reason: Reason
    balance: int = 0
    left: int = 0


_users = table_of(User)
_amount = cast(bindparam("amount"), BigInteger)
_now = cast(bindparam("now", type_=Instant()), BigInteger)
_of_user = accounts.c.user_id == bindparam("of_user")
_is_enabled = exists(
    select(_users.c.id).where(_users.c.id == accounts.c.user_id, _users.c.disabled_at.is_(None))
)
_COUNTED = {"sequence": accounts.c.sequence + 1, "updated_at": bindparam("now", type_=Instant())}

_BALANCE = Statement(
    select(
        _users.c.created_at,
        _users.c.disabled_at,
        accounts.c.balance,
        accounts.c.updated_at,
    )
    .select_from(_users.outerjoin(accounts, accounts.c.user_id == _users.c.id))
    .where(_users.c.id == bindparam("of_user"))
)
_LOCK = Statement(
    select(accounts.c.balance, accounts.c.reserved, _users.c.disabled_at)
    .join(_users, _users.c.id == accounts.c.user_id)
    .where(_of_user)
    .with_for_update(of=accounts)
)
_first_entry: Any = select(
    _users.c.id, _amount, literal_column("0"), literal_column("1"), _now
).where(_users.c.id == bindparam("of_user"), _users.c.disabled_at.is_(None))
_ADD = Statement(
    insert(accounts)
    .from_select(["user_id", "balance", "reserved", "sequence", "updated_at"], _first_entry)
    .on_conflict_do_update(
        index_elements=[accounts.c.user_id],
        set_={**_COUNTED, "balance": accounts.c.balance + _amount},
        where=accounts.c.balance + accounts.c.reserved + _amount <= MAX_BALANCE,
    )
    .returning(accounts.c.balance, accounts.c.sequence)
)
_spending = update(accounts).where(_of_user, accounts.c.balance >= _amount, _is_enabled)
_SPEND = Statement(
    _spending.values(**_COUNTED, balance=accounts.c.balance - _amount).returning(
        accounts.c.balance, accounts.c.sequence
    )
)
_HOLD = Statement(
    _spending.values(
        **_COUNTED,
        balance=accounts.c.balance - _amount,
        reserved=accounts.c.reserved + _amount,
    ).returning(accounts.c.balance, accounts.c.sequence)
)
_MOVE = Statement(
    update(accounts)
    .where(_of_user)
    .values(
        **_COUNTED,
        balance=accounts.c.balance + cast(bindparam("balance_change"), BigInteger),
        reserved=accounts.c.reserved + cast(bindparam("reserved_change"), BigInteger),
    )
    .returning(accounts.c.balance, accounts.c.sequence)
)
_ENTER = Statement(insert_all(entries))
_EFFECT = {
    EntryType.PURCHASE: (1, 0),
    EntryType.CREDIT_ADDED: (1, 0),
    EntryType.CREDIT_USED: (-1, 0),
    EntryType.REFUNDED: (1, 0),
    EntryType.RESERVED: (-1, 1),
    EntryType.CAPTURED: (0, -1),
    EntryType.RELEASED: (1, -1),
    EntryType.EXPIRED: (1, -1),
    EntryType.ADJUSTED: (1, 0),
}
"""What an amount of each type does to the balance and to what is held."""


def find_balance(db: Transaction, user_id: str) -> Balance | None:
    """The balance of a user, disabled or not; None if there is no such user."""
    row = db.first(_BALANCE, of_user=user_id)
    if row is None:
        return None
    if row.balance is None:
        return Balance(user_id, 0, row.created_at)
    return Balance(user_id, row.balance, row.updated_at)


def lock(db: Transaction, user_id: str) -> Any:
    """The row of an account, alone until the transaction ends; None if it never had an entry."""
    return db.first(_LOCK, of_user=user_id)


def take_in(db: Transaction, user_id: str, amount: int, now: datetime) -> Any:
    """Add to a balance: the new one and the number of the entry, or None."""
    return db.first(_ADD, of_user=user_id, amount=amount, now=now)


def spend(db: Transaction, user_id: str, amount: int, now: datetime) -> Any:
    """Take from a balance that is enough: the new one and the number of the entry, or None."""
    return db.first(_SPEND, of_user=user_id, amount=amount, now=now)


def hold(db: Transaction, user_id: str, amount: int, now: datetime) -> Any:
    """Move from the balance to what is held, likewise."""
    return db.first(_HOLD, of_user=user_id, amount=amount, now=now)


def move(db: Transaction, user_id: str, kind: EntryType, amount: int, now: datetime) -> Any:
    """Change an account that the caller has locked, and whose row the caller has judged."""
    of_balance, of_reserved = _EFFECT[kind]
    return db.first(
        _MOVE,
        of_user=user_id,
        balance_change=of_balance * amount,
        reserved_change=of_reserved * amount,
        now=now,
    )


def enter(
    db: Transaction,
    user_id: str,
    kind: EntryType,
    amount: int,
    moved: Any,
    *,
    order: Order,
    now: datetime,
    original_id: str | None = None,
) -> Entry:
    """Append the entry of a change that was just made; `moved` is what that returned.

    The amount is positive, but for an adjustment that takes.
    """
    of_balance, of_reserved = _EFFECT[kind]
    entry = Entry(
        id=new_id(now),
        user_id=user_id,
        sequence=moved.sequence,
        type=kind,
        amount=abs(amount),
        balance_change=of_balance * amount,
        new_balance=moved.balance,
        reference_id=order.reference_id,
        description=order.description,
        created_at=now,
    )
    shown = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    db.later(
        _ENTER,
        **{**shown, "type": kind.value},
        reserved_change=of_reserved * amount,
        original_id=original_id,
        client_id=order.client_id,
        actor_user_id=order.user_id,
        request_id=order.request_id,
    )
    return entry


def refusal(db: Transaction, user_id: str, reason: Reason) -> Refused:
    """Why a conditional change did nothing: no such user, a disabled one, or `reason`."""
    row = db.first(_BALANCE, of_user=user_id)
    if row is None:
        return Refused(Reason.NO_USER)
    balance = row.balance or 0
    if row.disabled_at is not None:
        return Refused(Reason.DISABLED, balance)
    return Refused(reason, balance)
