"""Another name or address of an account, and the end of links that went to the old address."""

from datetime import datetime, timedelta

from oidc_server.database import Transaction
from oidc_server.domain import links, mails, user_names, users
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import MailKind, Notice
from oidc_server.domain.users import User


def change_email(
    db: Transaction,
    user_id: str,
    email: str,
    now: datetime,
    *,
    undo_lifetime: timedelta,
    **facts: str,
) -> bool:
    """Give an account an address that its owner proved to read; False if it cannot have it.

    Links that went to the old address die, and a mail to it says so, with a link that takes the
    change back: whoever stole the account must not take it away for good. Those by which its reader
    disowns what was done before stay: they close the account, and give it to nobody.
    """
    before = users.get_held(db, user_id)
    old = before.email if before.email_verified_at is not None else None
    if not users.set_email(db, user_id, email, now):
        return False
    links.kill_all(db, user_id, now, keep=links.OF_OLD_ADDRESS)
    if old is not None:
        undo = links.mint(
            db,
            Purpose.UNDO_EMAIL_CHANGE,
            user_id=user_id,
            email=old,
            now=now,
            lifetime=undo_lifetime,
        )
        mails.enqueue(
            db, MailKind.EMAIL_CHANGED, user_id=user_id, to=old, link_id=undo, now=now, **facts
        )
    return True


def set_email(
    db: Transaction, user_id: str, email: str | None, now: datetime, *, verified: bool
) -> User:
    """Give an account the address that somebody else knows of, or none.

    Links that went to the old one die, and a mail to it says so. Raises `InvalidEmailError`,
    `EmailTakenError`.
    """
    user = users.get_held(db, user_id)
    old = user.email if user.email_verified_at is not None else None
    before = user.canonical_email
    user = user_names.set_email(db, user_id, email, now, verified=verified)
    if user.canonical_email != before:
        links.kill_all(db, user_id, now)
        if old is not None:
            mails.notify(db, user_id, Notice.EMAIL_CHANGED, now, to=old)
    return user


def rename_user(db: Transaction, user_id: str, username: str, now: datetime) -> User:
    """Give an account the username that somebody else chose for it, and tell its owner.

    Raises `InvalidUsernameError`, `UsernameTakenError`.
    """
    before = users.get(db, user_id).username
    user = user_names.rename(db, user_id, username, now)
    if user.username != before:
        mails.notify(db, user_id, Notice.USERNAME_CHANGED, now)
    return user
