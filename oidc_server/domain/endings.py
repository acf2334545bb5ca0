"""The verbs that end things, whoever asks: a page, a command, a job.

Each does all that belongs to it in one transaction, so nobody has to remember a part. What must
leave the house (mails, logout tokens) is written down here and carried out by `jobs/`.
"""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import (
    administrators,
    attempts,
    grants,
    links,
    logout_deliveries,
    mails,
    pending_sign_ins,
    roles,
    session_clients,
    trusted_devices,
    user_sessions,
    users,
)
from oidc_server.domain.mails import Notice
from oidc_server.domain.session_clients import SessionClient


def end_session(db: Transaction, session_id: str, now: datetime) -> list[SessionClient]:
    """End a browser session: the one way, whatever the reason.

    Grants without offline access end with it, and every client that took part and has a back
    channel will be told, also those whose grants go on (Back-Channel Logout §2.7). Returns the
    clients that want to be told, for the front channel; none if it had ended before.
    """
    ended = user_sessions.mark_ended(db, session_id, now)
    if ended is None:
        return []
    grants.revoke_of_session(db, session_id, now)
    told = session_clients.find(db, session_id)
    for client in told:
        if client.backchannel_logout_uri is not None:
            logout_deliveries.intend(db, client, ended.user_id, now)
    return told


def end_sessions_of_user(
    db: Transaction, user_id: str, now: datetime, keep: str | None = None
) -> None:
    """End every session of a person, or all but the one with id `keep`.

    Sign-ins that wait for their second step end first: one that is just being finished is waited
    for, and then there is a session to end. No browser is trusted after that.
    """
    pending_sign_ins.withdraw_of_user(db, user_id, now)
    trusted_devices.withdraw_of_user(db, user_id)
    for session_id in user_sessions.live_of_user(db, user_id):
        if session_id != keep:
            end_session(db, session_id, now)


def end_expired_sessions(db: Transaction, now: datetime, limit: int) -> int:
    """End at most `limit` sessions whose time is over; returns how many those were."""
    found = user_sessions.expired(db, now, limit)
    for session_id in found:
        end_session(db, session_id, now)
    return len(found)


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
    users.set_password(db, user_id, password_hash, now)
    end_sessions_of_user(db, user_id, now, keep=keep_session)
    if keep_session is None:
        grants.revoke_of_user(db, user_id, now)
    links.kill(db, user_id, links.Purpose.RESET_PASSWORD, now)
    attempts.forgive(db, user_id, now)
    mails.notify(db, user_id, Notice.PASSWORD_CHANGED, now, **facts)


def withdraw_role(db: Transaction, user_id: str, role: str) -> bool:
    """Take a role from a person; False if they do not have it. Raises `LastAdministratorError`."""
    if role == roles.ADMIN:
        administrators.keep_one(db, user_id)
    return roles.withdraw(db, user_id, role)


def disable_user(db: Transaction, user_id: str, now: datetime) -> None:
    """Shut an account. Its tokens are dead because every use of one reads `disabled_at`.

    Raises `LastAdministratorError`.
    """
    administrators.keep_one(db, user_id)
    if users.mark_disabled(db, user_id, now):
        end_sessions_of_user(db, user_id, now)
        for purpose in links.Purpose:
            links.kill(db, user_id, purpose, now)
