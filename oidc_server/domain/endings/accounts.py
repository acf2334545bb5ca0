"""The end of an account, for a while or for good, and of the roles in it."""

from datetime import datetime, timedelta

from oidc_server.database import Transaction
from oidc_server.domain import (
    administrators,
    closed_accounts,
    erasure,
    grants,
    invitations,
    links,
    mails,
    roles,
    users,
)
from oidc_server.domain.endings.sessions import end_sessions_of_user
from oidc_server.domain.links import Purpose
from oidc_server.domain.mails import Notice


def withdraw_role(db: Transaction, user_id: str, role: str) -> bool:
    """Take a role from a person; False if they do not have it. Raises `LastAdministratorError`."""
    if role == roles.ADMIN:
        administrators.keep_one(db, user_id)
    return roles.withdraw(db, user_id, role)


def disable_user(db: Transaction, user_id: str, now: datetime) -> bool:
    """Shut an account with all that is open in its name, and tell its owner; False if it was shut.

    One that its owner can bring back is not. What apps were given ends too, though every use reads
    `disabled_at` anyway: else it would be theirs again, unasked, with the account. Raises
    `LastAdministratorError`.
    """
    administrators.keep_one(db, user_id)
    if not closed_accounts.mark_disabled(db, user_id, now):
        return False
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    links.kill_all(db, user_id, now)
    mails.notify(db, user_id, Notice.ACCOUNT_DISABLED, now)
    return True


def enable_user(db: Transaction, user_id: str, now: datetime) -> bool:
    """Open an account again, and tell its owner; False if it was open, or is deleted.

    What ended when it was shut stays ended; what its owner allowed apps is remembered (ADR 0017).
    """
    enabled = closed_accounts.mark_enabled(db, user_id, now)
    if enabled:
        mails.notify(db, user_id, Notice.ACCOUNT_ENABLED, now)
    return enabled


def schedule_deletion(
    db: Transaction, user_id: str, now: datetime, *, grace: timedelta, **facts: str
) -> None:
    """Shut an account whose owner wants it deleted, and delete it after `grace`: at once if zero.

    Until then signing in brings it back, without what apps were given. Raises
    `LastAdministratorError`.
    """
    if not grace:
        delete_user(db, user_id, now, **facts)
        return
    administrators.keep_one(db, user_id)
    if not closed_accounts.mark_deleting(db, user_id, now, now + grace):
        return
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    links.kill_all(db, user_id, now, keep=(Purpose.UNDO_EMAIL_CHANGE,))
    until = (now + grace).isoformat()
    mails.notify(db, user_id, Notice.DELETION_ASKED, now, until=until, **facts)


def bring_back(db: Transaction, user_id: str, now: datetime, **facts: str) -> bool:
    """Open an account again that waits for its deletion; False if it is not such a one."""
    if not closed_accounts.mark_open(db, user_id, now):
        return False
    mails.notify(db, user_id, Notice.DELETION_CANCELLED, now, **facts)
    return True


def delete_user(db: Transaction, user_id: str, now: datetime, **facts: str) -> bool:
    """Delete an account and all that is personal in it; False if it was deleted before.

    Its id stays, and is never used again: the ledger and the audit log name it. Raises
    `LastAdministratorError`.
    """
    administrators.keep_one(db, user_id)
    if not users.hold(db, user_id):  # before its sessions, as who changes a password
        return False
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    invitations.revoke_of_inviter(db, user_id, now)
    mails.notify(db, user_id, Notice.ACCOUNT_DELETED, now, **facts)
    return erasure.erase(db, user_id, now)


def delete_due(db: Transaction, now: datetime, limit: int) -> list[str]:
    """Delete at most `limit` accounts whose time to come back is over; returns their ids.

    Somebody may be coming back at this moment: they are waited for, and stay.
    """
    deleted = []
    for user_id in closed_accounts.due_for_deletion(db, now, limit):
        administrators.keep_one(db, user_id)  # in the order in which others take these locks
        if closed_accounts.hold_due(db, user_id, now):
            delete_user(db, user_id, now)
            deleted.append(user_id)
    return deleted
