"""What somebody else changes of an account: the username, and the address with its verification.

People change their own address by proving that they read it; an administrator knows, or does not.
"""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from oidc_server.database import Transaction
from oidc_server.domain import identifiers, users
from oidc_server.domain.users import EmailTakenError, User, UsernameTakenError


def rename(db: Transaction, user_id: str, username: str, now: datetime) -> User:
    """Give an account another username; the old one is free for anybody.

    Raises `InvalidUsernameError`, `UsernameTakenError`.
    """
    canonical = identifiers.canonical_username(username)
    user = users.get_held(db, user_id)
    shown = identifiers.shown_username(username)
    if user.username == shown:
        return user
    try:
        with db.savepoint():
            user.username, user.canonical_username, user.updated_at = shown, canonical, now
            db.flush()
    except IntegrityError:
        raise UsernameTakenError("This username is taken.") from None
    return user


def set_email(
    db: Transaction, user_id: str, email: str | None, now: datetime, *, verified: bool
) -> User:
    """Give an account an address, or none. It is a part of `endings.set_email`.

    Raises `InvalidEmailError`, and `EmailTakenError` for one that is to be verified here and is so
    elsewhere.
    """
    normal = identifiers.normal_email(email) if email else None
    user = users.get(db, user_id)
    verified_at = (user.email_verified_at or now) if verified and normal else None
    if normal != user.email and verified_at is not None:
        verified_at = now
    if (normal, verified_at) == (user.email, user.email_verified_at):
        return user
    try:
        with db.savepoint():
            user.email = normal
            user.canonical_email = identifiers.canonical_email(normal) if normal else None
            user.email_verified_at, user.updated_at = verified_at, now
            db.flush()
    except IntegrityError:
        raise EmailTakenError("This address belongs to another account.") from None
    return user
