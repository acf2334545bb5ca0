"""What lets a person in: the last of these ways is never taken away by accident."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import endings, mails, passkeys, user_sessions, users
from oidc_server.domain.base import DomainError
from oidc_server.domain.mails import Notice
from oidc_server.domain.passkeys import Passkey

_PASSKEY_METHODS = frozenset({"hwk", "swk"})


class LastWayInError(DomainError):
    """Without this the person could not come in any more."""


def is_last(db: Transaction, passkey: Passkey) -> bool:
    """Whether nothing but this passkey lets its person in. A mailed link does not count."""
    if users.get(db, passkey.user_id).password_hash is not None:
        return False
    mine = passkeys.list_for_user(db, passkey.user_id)
    return not any(other.opens_alone for other in mine if other.id != passkey.id)


def remove_passkey(
    db: Transaction,
    user_id: str,
    passkey_id: str,
    now: datetime,
    keep_session: str | None = None,
    **facts: str,
) -> str | None:
    """Take a passkey away, and end what passkeys opened elsewhere; returns its name.

    None if the person has no such passkey. Raises `LastWayInError` if nothing else would let them
    in: the lock has two removals at once look one after the other.
    """
    db.lock(f"passkeys of {user_id}")
    found = passkeys.find(db, user_id, passkey_id)
    if found is None:
        return None
    if is_last(db, found):
        raise LastWayInError("This passkey is the only way into the account.")
    passkeys.delete_row(db, user_id, passkey_id)
    for session in user_sessions.list_of_user(db, user_id, now):
        if session.id != keep_session and _PASSKEY_METHODS & session.amr:
            endings.end_session(db, session.id, now)
    mails.notify(db, user_id, Notice.PASSKEY_REMOVED, now, **facts)
    return found.name
