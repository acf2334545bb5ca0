"""Another password, and the end of what the old one opened; second factors that are lost."""

from datetime import datetime, timedelta

from oidc_server.database import Transaction
from oidc_server.domain import attempts, credentials, factors, grants, links, mails, passkeys, users
from oidc_server.domain.endings.sessions import end_sessions_of_user
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import MailKind, Notice


def change_password(
    db: Transaction,
    user_id: str,
    password_hash: str,
    now: datetime,
    keep_session: str | None = None,
    **facts: str,
) -> None:
    """Give an account another password: everything the old one opened is closed.

    Other sessions end, unused reset links die, the count of wrong guesses starts anew, and a mail
    says so (`facts` are for its text). With no session to keep, the old password may have been in
    the wrong hands, so what apps were given ends as well.
    """
    credentials.set_password(db, user_id, password_hash, now)
    end_sessions_of_user(db, user_id, now, keep=keep_session)
    if keep_session is None:
        grants.revoke_of_user(db, user_id, now)
    links.kill(db, user_id, Purpose.RESET_PASSWORD, now)
    attempts.forgive(db, user_id, now)
    mails.notify(db, user_id, Notice.PASSWORD_CHANGED, now, **facts)


def reset_password(db: Transaction, user_id: str, now: datetime, lifetime: timedelta) -> bool:
    """Make a password worthless that may be in the wrong hands, and all that it opened.

    A mail brings a link to choose another; False if there is no verified address to send it to.
    """
    credentials.set_password(db, user_id, None, now)
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    links.kill(db, user_id, Purpose.RESET_PASSWORD, now)
    attempts.forgive(db, user_id, now)
    return mail_password_link(db, user_id, now, lifetime)


def mail_password_link(db: Transaction, user_id: str, now: datetime, lifetime: timedelta) -> bool:
    """Send a link with which a person chooses a password; False without a verified address."""
    user = users.get(db, user_id)
    if user.email is None or user.email_verified_at is None:
        return False
    link_id = links.mint(
        db,
        Purpose.RESET_PASSWORD,
        user_id=user_id,
        email=user.email,
        now=now,
        lifetime=lifetime,
    )
    mails.enqueue(
        db, MailKind.PASSWORD_RESET, user_id=user_id, to=user.email, link_id=link_id, now=now
    )
    return True


def reset_factors(db: Transaction, user_id: str, now: datetime) -> list[str]:
    """Take every second factor from a person who lost them, and end their sessions.

    Passkeys that let them in without a password stay, and so do accounts elsewhere that they
    linked: those are no second factors. Returns the kinds that are gone; a mail says so.

    Who proves a passkey holds the row of the person first, and so does this (ADR 0024). Then
    sessions end, which waits for what is being set up in one: so that is taken as well.
    """
    users.hold(db, user_id)
    end_sessions_of_user(db, user_id, now)
    held = factors.held_by(db, user_id)
    factors.remove_all(db, user_id)
    passkeys.withdraw_second_step(db, user_id)
    removed = sorted(kind.value for kind in held - factors.held_by(db, user_id))
    if removed:
        mails.notify(db, user_id, Notice.FACTORS_REMOVED, now)
    return removed
