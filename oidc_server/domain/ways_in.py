"""What lets a person in: the last of these ways is never taken away by accident."""

from datetime import datetime

from oidc_server.database import Transaction
from oidc_server.domain import endings, factors, identities, mails, passkeys, user_sessions, users
from oidc_server.domain.base import DomainError
from oidc_server.domain.factors.strength import FEDERATED
from oidc_server.domain.identities import Identity
from oidc_server.domain.mails import Notice
from oidc_server.domain.passkeys import Passkey

_PASSKEY_METHODS = frozenset({"hwk", "swk"})


class LastWayInError(DomainError):
    """Without this the person could not come in any more."""


def is_last(db: Transaction, user_id: str, way_id: str) -> bool:
    """Whether nothing but this passkey or identity lets its person in.

    A mailed link does not count, nor does a provider that signs nobody in at the moment.
    """
    if users.get(db, user_id).password_hash is not None:
        return False
    keys = [one.id for one in passkeys.list_of_user(db, user_id) if one.opens_alone]
    linked = [one.id for one in identities.list_of_user(db, user_id) if one.is_usable]
    return not any(other != way_id for other in keys + linked)


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
    in: the person is held, so that two removals at once look one after the other.
    """
    users.hold(db, user_id)
    found = passkeys.find(db, user_id, passkey_id)
    if found is None:
        return None
    _keep_one(db, found)
    passkeys.delete_row(db, user_id, passkey_id)
    _end_sessions(db, user_id, _PASSKEY_METHODS, now, keep_session)
    factors.remove_needless_codes(db, user_id)  # after the sessions, as who adds a factor in one
    mails.notify(db, user_id, Notice.PASSKEY_REMOVED, now, **facts)
    return found.name


def remove_identity(
    db: Transaction,
    user_id: str,
    identity_id: str,
    now: datetime,
    keep_session: str | None = None,
    **facts: str,
) -> Identity | None:
    """Unlink an account elsewhere, and end what such accounts opened; returns what it was.

    None if the person has no such link. Raises `LastWayInError`.
    """
    users.hold(db, user_id)
    found = identities.find_of_user(db, user_id, identity_id)
    if found is None:
        return None
    _keep_one(db, found)
    identities.delete_row(db, user_id, found.id)
    _end_sessions(db, user_id, FEDERATED, now, keep_session)
    mails.notify(db, user_id, Notice.IDENTITY_UNLINKED, now, detail=found.label, **facts)
    return found


def _keep_one(db: Transaction, way: Passkey | Identity) -> None:
    if is_last(db, way.user_id, way.id):
        raise LastWayInError("This is the only way into the account.")


def _end_sessions(
    db: Transaction, user_id: str, methods: frozenset[str], now: datetime, keep: str | None
) -> None:
    for session in user_sessions.list_of_user(db, user_id, now):
        if session.id != keep and methods & session.amr:
            endings.end_session(db, session.id, now)
