"""What an owner does who says that somebody else was in: all that the other may hold is closed."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import (
    attempts,
    consents,
    credentials,
    factors,
    grants,
    identities,
    links,
    passkeys,
    users,
)
from oidc_server.domain.endings.sessions import end_sessions_of_user
from oidc_server.domain.links import Link, Purpose


def disown(db: Transaction, user_id: str, since: datetime, now: datetime) -> None:
    """Close an account to everybody who came in, as its owner says that it was not them.

    Sessions and what apps were given end, browsers are strangers again, what was added or allowed
    from `since` on is gone, and the password, which somebody else may know, opens nothing more: the
    owner chooses another through their mail.
    """
    _close(db, user_id, since, now)
    links.kill_all(db, user_id, now, keep=(Purpose.UNDO_EMAIL_CHANGE,))


def undo_email_change(db: Transaction, undo: Link, now: datetime) -> bool:
    """Give an account back to who reads the address it had; False if somebody else has it now.

    Somebody else was in, so everything they may hold is closed: sessions, grants, browsers, links,
    what was added or allowed since the change, and the password, of which the owner has to choose
    another. Later changes can no longer be undone, which would give the account to them again. What
    was added before stays: a notice from before has a link of its own, which works on.
    """
    if undo.user_id is None or undo.email is None:
        return False
    if not users.set_email(db, undo.user_id, undo.email, now):
        return False
    _close(db, undo.user_id, undo.created_at, now)
    links.kill_all(db, undo.user_id, now, keep=links.OF_OLD_ADDRESS)
    for purpose in links.OF_OLD_ADDRESS:
        links.kill_newer(db, undo, purpose, now)
    return True


def _close(db: Transaction, user_id: str, since: datetime, now: datetime) -> None:
    """End all that somebody else may hold of an account where they were in from `since` on.

    What they added would let them in again, or keep the owner out; an app that they allowed would
    get its access back, unasked, when the owner signs in. Their sessions end first, which waits for
    what is being added in one (`user_sessions.hold`): so that is removed as well.
    """
    credentials.set_password(db, user_id, None, now)
    end_sessions_of_user(db, user_id, now)
    passkeys.delete_newer(db, user_id, since)
    factors.remove_newer(db, user_id, since)
    identities.delete_newer(db, user_id, since)
    consents.withdraw_newer(db, user_id, since)
    grants.revoke_of_user(db, user_id, now)
    attempts.forget_browsers(db, user_id)
    attempts.forgive(db, user_id, now)
