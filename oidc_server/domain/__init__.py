"""State that several wires touch: one aggregate per file, its table on top and its rules below.

No HTTP, no templates, no settings object: functions take the transaction (`db`), the moment (`now`)
and the values they need. Importing this package brings every table: Alembic and the mapper see all.

Read `grants.py` first, with `base.py` below it: one table and the statements that hold its rules.

* People: `users.py` and what they are called (`identifiers.py`, `user_names.py`, `profiles.py`);
  `roles.py`, `invitations.py`, `closed_accounts.py`, `erasure.py`.
* How they get in: `credentials.py`, `attempts.py`, `passkeys.py`, `factors/`, `identities.py`,
  `ways_in.py`, `pending_sign_ins.py`, and `user_sessions.py`, which is what comes of it.
* Clients: `clients/`, `client_metadata/`, `consents.py`, `subjects.py` and `claims.py`.
* What clients get: `authorization_requests/`, `device_codes.py`, `grants.py`, `refresh_tokens.py`,
  `token_states.py`, and the `signing_keys/` behind it all.
* What ends any of it: `endings/`, the one door.
* What has to happen after a commit: `outbox.py` with `mails.py` and `logout_deliveries.py`.
* What is written down: `audit.py`, `ledger/`.
"""

from oidc_server.domain import (
    administrators,
    attempts,
    audit,
    audit_trail,
    authorization_requests,
    claims,
    client_access,
    client_registrations,
    clients,
    closed_accounts,
    consents,
    credentials,
    device_codes,
    endings,
    erasure,
    factors,
    grants,
    idempotency,
    identities,
    identity_providers,
    invitations,
    leases,
    ledger,
    links,
    logout_deliveries,
    mails,
    outbox,
    passkey_challenges,
    passkey_offers,
    passkeys,
    pending_sign_ins,
    refresh_tokens,
    registration_tokens,
    resources,
    restoration,
    revoked_tokens,
    roles,
    session_clients,
    sessions_and_grants,
    signing_keys,
    subjects,
    token_states,
    trusted_devices,
    trusted_issuers,
    upstream_sign_ins,
    used_jtis,
    user_directory,
    user_names,
    user_sessions,
    users,
)
from oidc_server.domain.base import Base

__all__ = ["Base"]
