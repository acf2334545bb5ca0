"""The end of a session, and of all sessions of a person."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import (
    grants,
    logout_deliveries,
    pending_sign_ins,
    session_clients,
    trusted_devices,
    user_sessions,
)
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


def end_session_of_user(db: Transaction, user_id: str, session_id: str, now: datetime) -> bool:
    """End a session for its owner; False if it is not theirs, or has ended."""
    if session_id not in user_sessions.live_of_user(db, user_id):
        return False
    end_session(db, session_id, now)
    return True


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


def end_surplus_sessions(db: Transaction, user_id: str, most: int, now: datetime) -> None:
    """Leave a person no more than the `most` sessions that were used last."""
    for session_id in user_sessions.surplus_of_user(db, user_id, most):
        end_session(db, session_id, now)


def end_expired_sessions(db: Transaction, now: datetime, limit: int) -> int:
    """End at most `limit` sessions whose time is over; returns how many those were.

    Somebody may be signing in again at this moment: they are waited for, and stay.
    """
    found = user_sessions.expired(db, now, limit)
    for session_id in found:
        if user_sessions.hold_expired(db, session_id, now):
            end_session(db, session_id, now)
    return len(found)
