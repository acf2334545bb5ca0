"""The verbs that end things, whoever asks: a page, a command, a job.

Each does all that belongs to it in one transaction, so nobody has to remember a part. What must
leave the house (mails, logout tokens) is written down here and carried out by `jobs/`.
"""

from datetime import datetime, timedelta

from oidc_server.database import Transaction
from oidc_server.domain import (
    administrators,
    attempts,
    closed_accounts,
    consents,
    erasure,
    factors,
    grants,
    invitations,
    links,
    logout_deliveries,
    mails,
    passkeys,
    pending_sign_ins,
    roles,
    session_clients,
    trusted_devices,
    user_names,
    user_sessions,
    users,
)
from oidc_server.domain.links import Link, Purpose
from oidc_server.domain.mails import MailKind, Notice
from oidc_server.domain.session_clients import SessionClient
from oidc_server.domain.users import User


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
    links.kill(db, user_id, Purpose.RESET_PASSWORD, now)
    attempts.forgive(db, user_id, now)
    mails.notify(db, user_id, Notice.PASSWORD_CHANGED, now, **facts)


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
    _kill_links(db, user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)


def withdraw_role(db: Transaction, user_id: str, role: str) -> bool:
    """Take a role from a person; False if they do not have it. Raises `LastAdministratorError`."""
    if role == roles.ADMIN:
        administrators.keep_one(db, user_id)
    return roles.withdraw(db, user_id, role)


def disable_user(db: Transaction, user_id: str, now: datetime) -> None:
    """Shut an account, and tell its owner. Its tokens are dead: every use reads `disabled_at`.

    Raises `LastAdministratorError`.
    """
    administrators.keep_one(db, user_id)
    if closed_accounts.mark_disabled(db, user_id, now):
        end_sessions_of_user(db, user_id, now)
        _kill_links(db, user_id, now)
        mails.notify(db, user_id, Notice.ACCOUNT_DISABLED, now)


def enable_user(db: Transaction, user_id: str, now: datetime) -> bool:
    """Open an account again, and tell its owner; False if it was open, or is deleted.

    What ended when it was shut stays ended.
    """
    enabled = closed_accounts.mark_enabled(db, user_id, now)
    if enabled:
        mails.notify(db, user_id, Notice.ACCOUNT_ENABLED, now)
    return enabled


def withdraw_client(db: Transaction, user_id: str, client_id: str, now: datetime) -> bool:
    """Take back what a person allowed a client, with every token that came of it.

    False if the client had nothing. Tokens that others exchanged for such a one are dead as well:
    they carry the same grant.
    """
    revoked = grants.revoke_of_user(db, user_id, now, client_id=client_id)
    return consents.withdraw(db, user_id, client_id) or revoked > 0


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
    change back: whoever stole the account must not take it away for good.
    """
    before = users.get(db, user_id)
    old = before.email if before.email_verified_at is not None else None
    if not users.set_email(db, user_id, email, now):
        return False
    _kill_links(db, user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)
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
    _kill_links(db, undo.user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)
    links.kill_newer(db, undo, now)
    attempts.forgive(db, undo.user_id, now)
    return True


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
    _kill_links(db, user_id, now, keep=Purpose.UNDO_EMAIL_CHANGE)
    until = (now + grace).isoformat()
    mails.notify(db, user_id, Notice.DELETION_ASKED, now, until=until, **facts)


def delete_user(db: Transaction, user_id: str, now: datetime, **facts: str) -> bool:
    """Delete an account and all that is personal in it; False if it was deleted before.

    Its id stays, and is never used again: the ledger and the audit log name it. Raises
    `LastAdministratorError`.
    """
    administrators.keep_one(db, user_id)
    end_sessions_of_user(db, user_id, now)
    grants.revoke_of_user(db, user_id, now)
    invitations.revoke_of_inviter(db, user_id, now)
    mails.notify(db, user_id, Notice.ACCOUNT_DELETED, now, **facts)
    return erasure.erase(db, user_id, now)


def delete_due(db: Transaction, now: datetime, limit: int) -> list[str]:
    """Delete at most `limit` accounts whose time to come back is over; returns their ids."""
    found = closed_accounts.due_for_deletion(db, now, limit)
    for user_id in found:
        delete_user(db, user_id, now)
    return found


def _remove_newer_ways_in(db: Transaction, user_id: str, since: datetime) -> None:
    """What an intruder added would let them in again, or keep the owner out."""
    passkeys.delete_newer(db, user_id, since)
    factors.remove_newer(db, user_id, since)


def _kill_links(db: Transaction, user_id: str, now: datetime, keep: Purpose | None = None) -> None:
    for purpose in Purpose:
        if purpose != keep:
            links.kill(db, user_id, purpose, now)


def rename_user(db: Transaction, user_id: str, username: str, now: datetime) -> User:
    """Give an account the username that somebody else chose for it, and tell its owner.

    Raises `InvalidUsernameError`, `UsernameTakenError`.
    """
    before = users.get(db, user_id).username
    user = user_names.rename(db, user_id, username, now)
    if user.username != before:
        mails.notify(db, user_id, Notice.USERNAME_CHANGED, now)
    return user


def set_email(
    db: Transaction, user_id: str, email: str | None, now: datetime, *, verified: bool
) -> User:
    """Give an account the address that somebody else knows of, or none.

    Links that went to the old one die, and a mail to it says so. Raises `InvalidEmailError`,
    `EmailTakenError`.
    """
    user = users.get(db, user_id)
    old = user.email if user.email_verified_at is not None else None
    before = user.canonical_email
    user = user_names.set_email(db, user_id, email, now, verified=verified)
    if user.canonical_email != before:
        _kill_links(db, user_id, now)
        if old is not None:
            mails.notify(db, user_id, Notice.EMAIL_CHANGED, now, to=old)
    return user


def reset_password(db: Transaction, user_id: str, now: datetime, lifetime: timedelta) -> bool:
    """Make a password worthless that may be in the wrong hands, and all that it opened.

    A mail brings a link to choose another; False if there is no verified address to send it to.
    """
    users.set_password(db, user_id, None, now)
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

    Passkeys that let them in without a password stay. Returns the kinds that are gone; a mail says
    so.
    """
    held = factors.held_by(db, user_id)
    factors.remove_all(db, user_id)
    passkeys.withdraw_second_step(db, user_id)
    removed = sorted(kind.value for kind in held - factors.held_by(db, user_id))
    end_sessions_of_user(db, user_id, now)
    if removed:
        mails.notify(db, user_id, Notice.FACTORS_REMOVED, now)
    return removed


def bring_back(db: Transaction, user_id: str, now: datetime, **facts: str) -> bool:
    """Open an account again that waits for its deletion; False if it is not such a one."""
    if not closed_accounts.mark_open(db, user_id, now):
        return False
    mails.notify(db, user_id, Notice.DELETION_CANCELLED, now, **facts)
    return True
