"""Accounts that are closed: disabled, waiting for their deletion, or reopened before it.

Their state is in the row of the person (`users.User`), of which every use of an account reads
`disabled_at`. What else ends with an account is in `endings`.
"""

from datetime import datetime

from sqlalchemy import bindparam, null, or_, select, text, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.users import WAITING_FOR_DELETION, User

_users = table_of(User)

_DISABLE = Statement(
    update(_users)
    .where(
        _users.c.id == bindparam("user_id"),
        or_(_users.c.disabled_at.is_(None), _users.c.returns_until.is_not(None)),
    )
    .values(disabled_at=bindparam("now"), returns_until=null(), updated_at=bindparam("now"))
)
_ENABLE = Statement(
    update(_users)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.disabled_at.is_not(None),
        _users.c.deleted_at.is_(None),
    )
    .values(
        disabled_at=null(), deletes_at=null(), returns_until=null(), updated_at=bindparam("now")
    )
)
_MARK_DELETING = Statement(
    update(_users)
    .where(_users.c.id == bindparam("user_id"), _users.c.disabled_at.is_(None))
    .values(
        disabled_at=bindparam("now"),
        deletes_at=bindparam("until"),
        returns_until=bindparam("until"),
    )
)
_RETURN = Statement(
    update(_users)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.returns_until > bindparam("now", type_=Instant),
    )
    .values(disabled_at=null(), deletes_at=null(), returns_until=null())
)
_DUE = Statement(
    select(_users.c.id)
    .where(text(WAITING_FOR_DELETION), _users.c.deletes_at <= bindparam("now"))
    .order_by(_users.c.deletes_at)
    .limit(bindparam("batch"))
)
_HOLD_DUE = Statement(
    select(_users.c.id)
    .where(
        _users.c.id == bindparam("user_id"),
        text(WAITING_FOR_DELETION),
        _users.c.deletes_at <= bindparam("now"),
    )
    .with_for_update()
)
_HOLD_OPEN = Statement(
    select(_users.c.id)
    .where(_users.c.id == bindparam("user_id"), _users.c.disabled_at.is_(None))
    .with_for_update(read=True)
)


def hold_open(db: Transaction, user_id: str) -> bool:
    """Whether the account is open: nobody closes it before this transaction is over.

    Closing it then ends what was given in this transaction, too.
    """
    return db.first(_HOLD_OPEN, user_id=user_id) is not None


def mark_disabled(db: Transaction, user_id: str, now: datetime) -> bool:
    """Disable the account; False if it was disabled. It is a part of `endings.disable_user`.

    An account that waits for its deletion still gets deleted, but its owner cannot reopen it any
    more.
    """
    return db.run(_DISABLE, user_id=user_id, now=now) == 1


def mark_enabled(db: Transaction, user_id: str, now: datetime) -> bool:
    """Open the account, whatever closed it; False if it was open, or is deleted.

    It is a part of `endings.enable_user`.
    """
    return db.run(_ENABLE, user_id=user_id, now=now) == 1


def mark_deleting(db: Transaction, user_id: str, now: datetime, until: datetime) -> bool:
    """Close the account until it is deleted; False if it was closed.

    It is a part of `endings.schedule_deletion`.
    """
    return db.run(_MARK_DELETING, user_id=user_id, now=now, until=until) == 1


def mark_open(db: Transaction, user_id: str, now: datetime) -> bool:
    """Reopen an account that its owner had deleted; False if it does not wait for deletion.

    It is a part of `endings.bring_back`.
    """
    return db.run(_RETURN, user_id=user_id, now=now) == 1


def due_for_deletion(db: Transaction, now: datetime, limit: int) -> list[str]:
    """The ids of accounts whose grace period is over."""
    return [row.id for row in db.all(_DUE, now=now, batch=limit)]


def hold_due(db: Transaction, user_id: str, now: datetime) -> bool:
    """Whether the grace period still is over; nobody reopens the account from then on."""
    return db.first(_HOLD_DUE, user_id=user_id, now=now) is not None
