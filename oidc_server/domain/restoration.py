"""What a database forgets that was brought back from a backup: every key to it that was given out.

A backup knows nothing of what was used after it was made: codes, refresh tokens, links and the like
would be good a second time, and what was revoked would live again. So whatever was issued before is
dead, and people sign in anew. Passwords, second factors, passkeys and the secrets of clients stay.
See ADR 0020.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from oidc_server.database import Statement, Transaction
from oidc_server.domain import endings, signing_keys, used_jtis
from oidc_server.domain.authorization_requests.model import StoredAuthorizationRequest
from oidc_server.domain.base import Base, Instant, table_of
from oidc_server.domain.clients import ClientRow
from oidc_server.domain.device_codes import DeviceCode
from oidc_server.domain.factors.held import FactorRow
from oidc_server.domain.grants import Grant
from oidc_server.domain.invitations import InvitationRow
from oidc_server.domain.leases import Lease
from oidc_server.domain.links import LinkRow
from oidc_server.domain.outbox import OutboxRow
from oidc_server.domain.passkey_challenges import PasskeyChallenge
from oidc_server.domain.pending_sign_ins import PendingSignInRow
from oidc_server.domain.registration_tokens import RegistrationTokenRow
from oidc_server.domain.signing_keys import FreshKeys, SigningKeyRow
from oidc_server.domain.trusted_devices import TrustedDeviceRow
from oidc_server.domain.upstream_sign_ins import UpstreamSignInRow
from oidc_server.domain.used_jtis import UsedJti
from oidc_server.domain.user_sessions import UserSession
from oidc_server.security import totp
from oidc_server.security.encryption import Vault

KEPT_AS_IT_WAS = frozenset(
    {
        "attempts",
        "audit_events",
        "audit_horizon",
        "client_origins",
        "client_secrets",
        "consents",
        "credit_accounts",
        "credit_entries",
        "credit_reservations",
        "idempotency_keys",
        "identities",
        "identity_providers",
        "pairwise_subjects",
        "passkey_offers",
        "passkey_users",
        "passkeys",
        "recovery_codes",
        "refresh_tokens",  # nothing without their grants
        "resources",
        "revoked_tokens",
        "role_assignments",
        "roles",
        "trusted_issuers",
        "users",
    }
)
"""Tables that hold nothing that anybody was given to come back with."""


@dataclass(frozen=True)
class Ended:
    """How much was ended."""

    sessions: int
    grants: int
    links: int
    outbox: int
    """Mails and logouts that waited, and will not leave: they may have left long ago."""


def _marking(kind: type[Base], column: str) -> Statement:
    """Date the end of whatever has none."""
    table = table_of(kind)
    now = bindparam("now", type_=Instant)
    return Statement(update(table).where(table.c[column].is_(None)).values({column: now}))


_sessions, _grants, _clients, _outbox, _factors = (
    table_of(kind) for kind in (UserSession, Grant, ClientRow, OutboxRow, FactorRow)
)
_END_SESSIONS = _marking(UserSession, "ended_at")
_REVOKE_GRANTS = _marking(Grant, "revoked_at")
_SPEND_LINKS = _marking(LinkRow, "spent_at")
_GIVE_UP = Statement(
    update(_outbox)
    .where(_outbox.c.delivered_at.is_(None), _outbox.c.given_up_at.is_(None))
    .values(given_up_at=bindparam("now", type_=Instant), last_error="restored from a backup")
)
_ENDED_BY_DATE: dict[type[Base], str] = {
    DeviceCode: "denied_at",
    InvitationRow: "revoked_at",
    PendingSignInRow: "ended_at",
    RegistrationTokenRow: "revoked_at",
    PasskeyChallenge: "spent_at",
}
_EMPTIED: tuple[type[Base], ...] = (
    SigningKeyRow,
    TrustedDeviceRow,
    StoredAuthorizationRequest,
    UpstreamSignInRow,
    Lease,
)
_IN_THEIR_WAY: tuple[type[Base], ...] = (
    UserSession,
    Grant,
    LinkRow,
    OutboxRow,
    ClientRow,
    FactorRow,
    UsedJti,
)
ENDED = frozenset(str(kind.__tablename__) for kind in (*_IN_THEIR_WAY, *_ENDED_BY_DATE, *_EMPTIED))
"""Tables with something that is ended. Every table is here or above."""
_END_OTHERS = (
    *(_marking(kind, column) for kind, column in _ENDED_BY_DATE.items()),
    Statement(
        update(_clients).values(
            tokens_not_before=bindparam("now", type_=Instant), revision=_clients.c.revision + 1
        )
    ),
)
_EMPTY = tuple(Statement(delete(table_of(kind))) for kind in _EMPTIED)
# A code that was good a moment ago may have been used since the backup.
_USE_UP_CODES = Statement(
    update(_factors)
    .where(_factors.c.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
)
_TOLD = Statement(
    select(_sessions.c.id)
    .join(_grants, _grants.c.session_id == _sessions.c.id)
    .join(_clients, _clients.c.client_id == _grants.c.client_id)
    .where(
        _sessions.c.ended_at.is_(None),
        ClientRow.client_metadata["backchannel_logout_uri"].as_string().is_not(None),
    )
    .distinct()
)


def begin_anew(db: Transaction, vault: Vault, fresh: FreshKeys, now: datetime) -> Ended:
    """End all that was given out, and sign with the fresh keys, in a database that nobody uses.

    Clients with a back channel are told of the sessions that end. Nothing else leaves that waited.
    """
    waiting = db.run(_GIVE_UP, now=now)
    told = db.all(_TOLD)
    for session in told:
        endings.end_session(db, session.id, now)
    sessions = len(told) + db.run(_END_SESSIONS, now=now)
    grants = db.run(_REVOKE_GRANTS, now=now)
    links = db.run(_SPEND_LINKS, now=now)
    for statement in _END_OTHERS:
        db.later(statement, now=now)
    for statement in _EMPTY:
        db.later(statement)
    used_jtis.use_up_all_before(db, now)
    db.later(_USE_UP_CODES, step=int(now.timestamp()) // totp.STEP + 1)
    signing_keys.ensure(db, vault, fresh, now)
    return Ended(sessions, grants, links, waiting)
