"""People: their accounts, with their names and addresses. `credentials.py` is how they sign in."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, bindparam, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from oidc_server.database import ConflictError, Statement, Transaction
from oidc_server.domain import identifiers, profiles
from oidc_server.domain.base import (
    Base,
    DomainError,
    Identifier,
    Instant,
    Ordered,
    insert_all,
    table_of,
)
from oidc_server.domain.identifiers import InvalidFieldError
from oidc_server.domain.profiles import ProfileColumns

WAITING_FOR_DELETION = "deletes_at IS NOT NULL AND deleted_at IS NULL"


class User(ProfileColumns, Base):
    """A person. `id` is a UUIDv4, since clients see it as `sub`: it does not even tell its age.

    An account that is to be deleted is disabled, and goes at `deletes_at`. Until `returns_until`
    its owner brings it back by signing in; nothing else does, so that who disables it for another
    reason only has to empty that. From `deleted_at` on, the id is all that is left, for good.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(Identifier, primary_key=True)
    username: Mapped[str] = mapped_column(Text)
    canonical_username: Mapped[str] = mapped_column(Ordered, unique=True)
    email: Mapped[str | None] = mapped_column(Text)
    canonical_email: Mapped[str | None] = mapped_column(Ordered)
    email_verified_at: Mapped[datetime | None] = mapped_column(Instant)
    password_hash: Mapped[str | None] = mapped_column(Text)
    password_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    deletes_at: Mapped[datetime | None] = mapped_column(Instant)
    returns_until: Mapped[datetime | None] = mapped_column(Instant)
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index(
            "uq_users_verified_email",
            "canonical_email",
            unique=True,
            sqlite_where=text("email_verified_at IS NOT NULL"),
            postgresql_where=text("email_verified_at IS NOT NULL"),
        ),
        Index("ix_users_canonical_email_id", "canonical_email", "id"),
        Index(
            "ix_users_disabled",
            "canonical_username",
            sqlite_where=text("disabled_at IS NOT NULL"),
            postgresql_where=text("disabled_at IS NOT NULL"),
        ),
        Index(
            "ix_users_unverified",
            "canonical_username",
            sqlite_where=text("email_verified_at IS NULL"),
            postgresql_where=text("email_verified_at IS NULL"),
        ),
        Index(
            "ix_users_deletes_at",
            "deletes_at",
            sqlite_where=text(WAITING_FOR_DELETION),
            postgresql_where=text(WAITING_FOR_DELETION),
        ),
    )


class UsernameTakenError(DomainError):
    """Somebody has this username, or one that looks the same."""


class EmailTakenError(DomainError):
    """Somebody else has proved that this address is theirs."""


_users = table_of(User)

_INSERT = Statement(
    insert_all(_users).on_conflict_do_nothing(index_elements=[_users.c.canonical_username])
)
_HOLD = Statement(
    select(_users.c.id)
    .where(_users.c.id == bindparam("user_id"), _users.c.deleted_at.is_(None))
    .with_for_update(key_share=True)  # as an UPDATE does: rows that refer to it can be written
)
_ADDRESS = Statement(
    select(_users.c.email, _users.c.email_verified_at).where(_users.c.id == bindparam("user_id"))
)
_VERIFY_EMAIL = Statement(
    update(_users)
    .where(
        _users.c.id == bindparam("user_id"),
        _users.c.canonical_email == bindparam("canonical"),
        _users.c.email_verified_at.is_(None),
        _users.c.disabled_at.is_(None),
    )
    .values(email_verified_at=bindparam("now"), updated_at=bindparam("now"))
)
_SET_EMAIL = Statement(
    update(_users)
    .where(_users.c.id == bindparam("user_id"))
    .values(
        email=bindparam("address"),
        canonical_email=bindparam("canonical"),
        email_verified_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
)


def refusals(
    *, username: str, email: str | None, claims: Mapping[str, Any]
) -> list[InvalidFieldError]:
    """What is wrong with these for a new account: an error for each field that cannot be taken."""
    return [
        *identifiers.refusals(identifiers.canonical_username, username),
        *(() if email is None else identifiers.refusals(identifiers.canonical_email, email)),
        *profiles.refusals(claims),
    ]


def problems(*, username: str, email: str, name: str) -> dict[str, str]:
    """The codes of these errors by field, which pages have words for."""
    found = refusals(username=username, email=email, claims={"name": name})
    return {error.field: error.code for error in found}


def create(
    db: Transaction,
    *,
    username: str,
    email: str | None,
    name: str | None,
    password_hash: str | None,
    now: datetime,
    email_verified: bool = False,
) -> User:
    """Make an account. A free username is enough: an unverified address may be anybody's.

    Raises `InvalidFieldError`, `UsernameTakenError`, and `EmailTakenError` for an address that is
    to be verified here and is so elsewhere: then the transaction must be rolled back.
    """
    user_id = str(uuid.uuid4())
    profile = dict.fromkeys(profiles.CLAIMS) | profiles.checked({"name": name})
    inserted = db.run(
        _INSERT,
        id=user_id,
        username=identifiers.shown_username(username),
        canonical_username=identifiers.canonical_username(username),
        email=identifiers.normal_email(email) if email else None,
        canonical_email=identifiers.canonical_email(email) if email else None,
        email_verified_at=None,
        **profile,
        phone_number_verified_at=None,
        password_hash=password_hash,
        password_changed_at=None if password_hash is None else now,
        created_at=now,
        updated_at=now,
        disabled_at=None,
        deletes_at=None,
        returns_until=None,
        deleted_at=None,
    )
    if not inserted:
        raise UsernameTakenError("This username is taken.")
    if email and email_verified and not verify_email(db, user_id, email, now):
        raise EmailTakenError("This address belongs to another account.")
    return get(db, user_id)


def find(db: Transaction, user_id: str) -> User | None:
    """The person with this id, disabled or not."""
    return db.session.get(User, user_id, populate_existing=True)


def get(db: Transaction, user_id: str) -> User:
    """The person with this id, who is known to exist."""
    found = find(db, user_id)
    if found is None:
        raise LookupError(user_id)
    return found


def hold(db: Transaction, user_id: str) -> bool:
    """Whether the account is not deleted; nobody changes it before this transaction is over."""
    return db.first(_HOLD, user_id=user_id) is not None


def get_held(db: Transaction, user_id: str) -> User:
    """The person with this id, held; raises `ConflictError` if the account is deleted."""
    lock = {"key_share": True}
    held = db.session.get(User, user_id, populate_existing=True, with_for_update=lock)
    if held is None or held.deleted_at is not None:
        raise ConflictError("the account was deleted")
    return held


def get_address(db: Transaction, user_id: str) -> Any:
    """The `email` of somebody who is known to exist, and its `email_verified_at`."""
    found = db.first(_ADDRESS, user_id=user_id)
    if found is None:
        raise LookupError(user_id)
    return found


def is_shut(account: Any, now: datetime) -> bool:
    """Whether nobody may sign in: it is disabled, and not because its owner wants it deleted."""
    if account.disabled_at is None:
        return False
    return account.returns_until is None or bool(account.returns_until <= now)


def verify_email(db: Transaction, user_id: str, email: str, now: datetime) -> bool:
    """Note that this person reads mail at `email`.

    False if it is not the address of the account (any more), or somebody else has verified it: the
    unique index decides, so of two at once one wins.
    """
    canonical = identifiers.canonical_email(email)
    try:
        with db.savepoint():
            return db.run(_VERIFY_EMAIL, user_id=user_id, canonical=canonical, now=now) == 1
    except IntegrityError:
        return False


def set_email(db: Transaction, user_id: str, email: str, now: datetime) -> bool:
    """Give an account another address, which its owner has proved to read.

    False if it is shut, or somebody else has verified the address: the unique index decides.
    `endings.change_email` tells the old one.
    """
    if is_shut(get_held(db, user_id), now):
        return False
    try:
        with db.savepoint():
            db.run(
                _SET_EMAIL,
                user_id=user_id,
                address=identifiers.normal_email(email),
                canonical=identifiers.canonical_email(email),
                now=now,
            )
    except IntegrityError:
        return False
    return True


def edit(
    db: Transaction,
    user_id: str,
    changes: Mapping[str, Any],
    now: datetime,
    *,
    phone_number_verified: bool | None = None,
) -> User:
    """Change some of `profiles.CLAIMS`; what is empty is removed. Raises `InvalidFieldError`.

    Another phone number is unverified until somebody says otherwise.
    """
    user = get_held(db, user_id)  # of two at once, one must not verify the number of the other
    values = profiles.checked(changes)
    if values.get("phone_number", user.phone_number) != user.phone_number:
        user.phone_number_verified_at = None
    for claim, value in values.items():
        setattr(user, claim, value)
    if phone_number_verified is not None or user.phone_number is None:
        verified = phone_number_verified and user.phone_number is not None
        user.phone_number_verified_at = (user.phone_number_verified_at or now) if verified else None
    if db.session.is_modified(user):
        user.updated_at = now
    db.flush()
    return user
