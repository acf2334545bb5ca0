"""State that several wires touch: one aggregate per file, its table on top and its rules below.

No HTTP, no templates, no settings object: functions take the transaction (`db`), the moment (`now`)
and the values they need. This package imports every module: Alembic and the mapper see all tables.
"""

from oidc_server.domain import (
    attempts,
    audit,
    authorization_requests,
    claims,
    clients,
    consents,
    endings,
    grants,
    leases,
    links,
    logout_deliveries,
    mails,
    outbox,
    refresh_tokens,
    resources,
    revoked_tokens,
    roles,
    session_clients,
    signing_keys,
    subjects,
    token_states,
    used_jtis,
    user_sessions,
    users,
)
from oidc_server.domain.base import Base

__all__ = [
    "Base",
    "attempts",
    "audit",
    "authorization_requests",
    "claims",
    "clients",
    "consents",
    "endings",
    "grants",
    "leases",
    "links",
    "logout_deliveries",
    "mails",
    "outbox",
    "refresh_tokens",
    "resources",
    "revoked_tokens",
    "roles",
    "session_clients",
    "signing_keys",
    "subjects",
    "token_states",
    "used_jtis",
    "user_sessions",
    "users",
]
