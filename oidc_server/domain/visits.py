"""Prefetching for /authorize: one join reads the client, the session and the consent.

It primes `clients`, `user_sessions` and `consents` (ADR 0026), which are asked as everywhere else.
"""

from datetime import datetime

from sqlalchemy import and_, bindparam, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain import clients, consents, user_sessions
from oidc_server.domain.base import table_of
from oidc_server.domain.clients import LIVE_REVISION, ClientRow
from oidc_server.domain.consents import Consent
from oidc_server.domain.user_sessions import UserSession
from oidc_server.domain.users import User
from oidc_server.security import opaque_tokens

_clients = table_of(ClientRow)
_sessions = table_of(UserSession)
_users = table_of(User)
_consents = table_of(Consent)

_READ = Statement(
    select(*user_sessions.LIVE_COLUMNS, *consents.COLUMNS, LIVE_REVISION)
    .select_from(_clients)
    .outerjoin(_sessions, and_(*user_sessions.IS_LIVE))
    .outerjoin(_users, and_(_users.c.id == _sessions.c.user_id, _users.c.disabled_at.is_(None)))
    .outerjoin(
        _consents,
        and_(_consents.c.user_id == _users.c.id, _consents.c.client_id == _clients.c.client_id),
    )
    .where(_clients.c.client_id == bindparam("client_id"))
)
_OF_SESSION = slice(len(user_sessions.LIVE_COLUMNS))
_OF_CONSENT = slice(_OF_SESSION.stop, _OF_SESSION.stop + len(consents.COLUMNS))


def prefetch(db: Transaction, client_id: str, handle: str, now: datetime) -> None:
    """Read the client, the session of this cookie and its person's consent in one statement."""
    row = db.first(_READ, client_id=client_id, presented=opaque_tokens.digest(handle), now=now)
    if row is None:
        return
    clients.prime(db, client_id, row.live_revision)
    is_live = row.username is not None
    user_sessions.prime(db, handle, now, row[_OF_SESSION] if is_live else None)
    if is_live:
        is_known = row.shown is not None
        consents.prime(db, row.user_id, client_id, row[_OF_CONSENT] if is_known else None)
