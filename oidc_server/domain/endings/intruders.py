"""What an owner does who says that somebody else was in: all that the other may hold is closed."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import attempts, factors, grants, links, passkeys, users
from oidc_server.domain.endings.sessions import end_sessions_of_user
from oidc_server.domain.links import Link, Purpose


def disown(db: Transaction, user_id: str, since: datetime, now: datetime) -> None:
    """Close an account to everybody who came in, as its owner says that it was not them.

    Sessions and what apps were given end, browsers are strangers again, passkeys and second steps
    that were added from `since` on are gone, and the password, which somebody else may know, opens
    nothing more: the owner chooses another through their mail.
    """
    _remove_newer_ways_in(db, user_id, since)
    users.set_password(db, user_id, None, now)
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    attempts.forget_browsers(db, user_id)
    attempts.forgive(db, user_id, now)
    links.kill_all(db, user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)


def undo_email_change(db: Transaction, undo: Link, now: datetime) -> bool:
    """Give an account back to who reads the address it had; False if somebody else has it now.

    Somebody else was in, so everything they may hold is closed: sessions, grants, links, passkeys
    and second steps that were added since, and the password, of which the owner has to choose
    another. Later changes can no longer be undone, which would give the account to them again.
    """
    if undo.user_id is None or undo.email is None:
        return False
    if not users.set_email(db, undo.user_id, undo.email, now):
        return False
    users.set_password(db, undo.user_id, None, now)
    _remove_newer_ways_in(db, undo.user_id, undo.created_at)
    end_sessions_of_user(db, undo.user_id, now)
    grants.revoke_of_user(db, undo.user_id, now)
    links.kill_all(db, undo.user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)
    links.kill_newer(db, undo, now)
    attempts.forgive(db, undo.user_id, now)
    return True


def _remove_newer_ways_in(db: Transaction, user_id: str, since: datetime) -> None:
    """What an intruder added would let them in again, or keep the owner out."""
    passkeys.delete_newer(db, user_id, since)
    factors.remove_newer(db, user_id, since)
