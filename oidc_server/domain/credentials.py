"""What people sign in with: a name and a password, which stand in the table of `users`."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain import identifiers
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.identifiers import InvalidEmailError
from oidc_server.domain.users import User


class Credentials(NamedTuple):
    """What a sign-in reads of an account."""

    id: str
    password_hash: str | None
    password_changed_at: datetime | None
    disabled_at: datetime | None
    returns_until: datetime | None
    email: str | None
    canonical_email: str | None
    email_verified_at: datetime | None


_users = table_of(User)

open_or_returning = or_(
    _users.c.disabled_at.is_(None), _users.c.returns_until > bindparam("now", type_=Instant)
)
"""Whether somebody may sign in: the account is open, or waits for its deletion."""
_credentials = select(*[_users.c[name] for name in Credentials._fields])
_BY_USERNAME = Statement(_credentials.where(_users.c.canonical_username == bindparam("canonical")))
_BY_EMAIL = Statement(
    _credentials.where(
        _users.c.canonical_email == bindparam("canonical"), _users.c.email_verified_at.is_not(None)
    )
)
_BY_ID = Statement(_credentials.where(_users.c.id == bindparam("user_id")))
_MAY_SIGN_IN = Statement(
    select(_users.c.id)
    .where(_users.c.id == bindparam("user_id"), open_or_returning)
    .with_for_update(read=True)  # closing it waits, and then ends what starts now
)
_SAME_PASSWORD = Statement(
    select(_users.c.disabled_at)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.password_hash == bindparam("password_hash"),
        open_or_returning,
    )
    .with_for_update(read=True)  # as above; so does a change of password
)
_STILL_NO_PASSWORD = Statement(
    select(_users.c.id)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.password_hash.is_(None),
        _users.c.password_changed_at.is_not_distinct_from(bindparam("seen", type_=Instant)),
        _users.c.disabled_at.is_(None),
    )
    .with_for_update(read=True)  # as above
)
_REHASH = Statement(
    update(_users)
    .where(_users.c.id == bindparam("user_id"), _users.c.password_hash == bindparam("seen"))
    .values(password_hash=bindparam("better"))
)
_CHANGE_PASSWORD = Statement(
    update(_users)
    .where(_users.c.id == bindparam("user_id"))
    .values(password_hash=bindparam("password_hash"), password_changed_at=bindparam("now"))
)


def find_by_name(db: Transaction, name: str) -> Credentials | None:
    """The account with this username or verified address, or None."""
    return find_guessed(db, identifiers.guessed(name))


def find_guessed(db: Transaction, canonical: str) -> Credentials | None:
    """The same, for a name that is in the form of `identifiers.guessed` already."""
    row = db.first(_BY_EMAIL if "@" in canonical else _BY_USERNAME, canonical=canonical)
    return Credentials(*row) if row else None


def get(db: Transaction, user_id: str) -> Credentials:
    """The account with this id, which is known to exist."""
    row = db.first(_BY_ID, user_id=user_id)
    if row is None:
        raise LookupError(user_id)
    return Credentials(*row)


def find_by_verified_email(db: Transaction, address: str) -> Credentials | None:
    """The account with this verified address, or None."""
    try:
        row = db.first(_BY_EMAIL, canonical=identifiers.canonical_email(address))
    except InvalidEmailError:
        return None
    return Credentials(*row) if row else None


def may_sign_in(db: Transaction, user_id: str, now: datetime) -> bool:
    """Whether the account is open, or waits for its deletion and so is reopened by signing in.

    It is locked: nobody closes it, or ends its sessions, before the transaction is over.
    """
    return db.first(_MAY_SIGN_IN, user_id=user_id, now=now) is not None


def has_password(
    db: Transaction, user_id: str, password_hash: str, now: datetime, *, may_return: bool
) -> bool:
    """Whether the account is open and still has this password, which was verified before.

    With `may_return` also if it waits for its deletion. It is locked as by `may_sign_in`.
    """
    row = db.first(_SAME_PASSWORD, user_id=user_id, password_hash=password_hash, now=now)
    return row is not None and (may_return or row.disabled_at is None)


def has_still_none(db: Transaction, user_id: str, changed_at: datetime | None) -> bool:
    """Whether the account is open and has had no password since `changed_at`; locked likewise."""
    return db.first(_STILL_NO_PASSWORD, user_id=user_id, seen=changed_at) is not None


def rehash(db: Transaction, user_id: str, *, seen: str, better: str) -> None:
    """Replace a hash by one of the same password with today's costs."""
    db.later(_REHASH, user_id=user_id, seen=seen, better=better)


def set_password(db: Transaction, user_id: str, password_hash: str | None, now: datetime) -> None:
    """Replace the hash, or take it away.

    It is a part of `endings.change_password`, which closes what it opened.
    """
    db.later(_CHANGE_PASSWORD, user_id=user_id, password_hash=password_hash, now=now)
