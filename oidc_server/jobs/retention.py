"""Deletes what nobody can need any more; when that is, each module says beside its table."""

from collections.abc import Callable
from datetime import datetime
from threading import Event

from oidc_server.database import Transaction
from oidc_server.domain import (
    attempts,
    authorization_requests,
    device_codes,
    factors,
    grants,
    idempotency,
    invitations,
    links,
    outbox,
    passkey_challenges,
    pending_sign_ins,
    refresh_tokens,
    revoked_tokens,
    signing_keys,
    trusted_devices,
    upstream_sign_ins,
    used_jtis,
    user_sessions,
)
from oidc_server.web.runtime import Runtime

Prune = Callable[[Transaction, datetime, int], int]
"""Deletes at most so many rows that are dead at that time; returns how many they were."""

PRUNES: tuple[Prune, ...] = (
    authorization_requests.prune,
    revoked_tokens.prune,
    used_jtis.prune,
    idempotency.prune,
    attempts.prune,
    pending_sign_ins.prune,
    upstream_sign_ins.prune,
    factors.prune,
    trusted_devices.prune,
    links.prune,
    invitations.prune,
    passkey_challenges.prune,
    outbox.prune,
    # What refers to another row goes before it.
    device_codes.prune,
    refresh_tokens.prune,
    grants.prune,
    user_sessions.prune,
    signing_keys.prune,
)

_BATCH = 200
"""Few enough that no request notices the lock of one transaction."""
_BETWEEN_BATCHES = 0.05
"""Seconds in which others may write."""


def sweep(runtime: Runtime, stopping: Event, prunes: tuple[Prune, ...] = PRUNES) -> None:
    """Delete in small transactions until nothing is left to delete."""
    now = runtime.clock()
    for prune in prunes:
        deleted = _BATCH
        while deleted == _BATCH and not stopping.wait(_BETWEEN_BATCHES):
            with runtime.database.transaction("write") as db:
                deleted = prune(db, now, _BATCH)
