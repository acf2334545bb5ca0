"""Which clients have something of a person: what they were allowed, and what they hold of it.

A consent is what a person said; grants are what came of it, or came without it: for a client that
nobody is asked about, for a device, for an assertion of another issuer. An exchanged token has no
grant of its own (RFC 8693), and lives and dies with the one that it was exchanged for.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import bindparam, exists, func, or_, select

from oidc_server.database import Statement, Transaction
from oidc_server.domain import consents
from oidc_server.domain.base import Instant, table_of
from oidc_server.domain.consents import Permission
from oidc_server.domain.device_codes import DeviceCode
from oidc_server.domain.grants import Grant
from oidc_server.domain.refresh_tokens import RefreshToken


@dataclass(frozen=True, slots=True)
class ClientAccess:
    """What one client may do for one person: by consent, by active grants, or both."""

    client_id: str
    since: datetime
    """When the oldest consent or grant that still holds began."""
    permission: Permission = field(default_factory=Permission)
    last_used_at: datetime | None = None
    """When it last got tokens; None if it has no grant."""
    has_consent: bool = False
    grants: int = 0
    """Active grants."""
    devices: int = 0
    """Those of them that were given to a device (RFC 8628)."""


_grants = table_of(Grant)
_tokens = table_of(RefreshToken)
_devices = table_of(DeviceCode)
_fetched = func.coalesce(_grants.c.redeemed_at, _grants.c.created_at)
_refreshed = (
    select(func.max(func.coalesce(_tokens.c.used_at, _tokens.c.created_at), type_=Instant))
    .where(_tokens.c.grant_id == _grants.c.grant_id)
    .scalar_subquery()
)
_GRANTS_OF_USER = Statement(
    select(
        _grants.c.client_id,
        _grants.c.scopes,
        _grants.c.resources,
        _grants.c.created_at,
        _fetched.label("fetched_at"),
        _refreshed.label("refreshed_at"),
        exists().where(_devices.c.grant_id == _grants.c.grant_id).label("of_device"),
    ).where(
        _grants.c.user_id == bindparam("user_id"),
        _grants.c.revoked_at.is_(None),
        _grants.c.expires_at > bindparam("now", type_=Instant),
        # A code that nobody fetched gave nobody anything.
        or_(_grants.c.code_digest.is_(None), _grants.c.redeemed_at.is_not(None)),
    )
)


def list_of_user(db: Transaction, user_id: str, now: datetime) -> list[ClientAccess]:
    """Every client that has something of this person, the one used last first."""
    found = {
        client_id: ClientAccess(client_id, since, permission, has_consent=True)
        for client_id, permission, since in consents.permissions_of(db, user_id)
    }
    for row in db.all(_GRANTS_OF_USER, user_id=user_id, now=now):
        before = found.get(row.client_id) or ClientAccess(row.client_id, row.created_at)
        used = max(filter(None, (row.fetched_at, row.refreshed_at, before.last_used_at)))
        found[row.client_id] = replace(
            before,
            since=min(before.since, row.created_at),
            permission=before.permission | Permission(row.scopes, row.resources),
            last_used_at=used,
            grants=before.grants + 1,
            devices=before.devices + row.of_device,
        )
    return sorted(found.values(), key=_last_heard_of, reverse=True)


def _last_heard_of(access: ClientAccess) -> datetime:
    return access.last_used_at or access.since


def find(db: Transaction, user_id: str, client_id: str, now: datetime) -> ClientAccess | None:
    """What this client has of this person, or None."""
    found = list_of_user(db, user_id, now)
    return next((access for access in found if access.client_id == client_id), None)
