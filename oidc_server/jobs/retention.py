"""Deletes what nobody can need any more; when that is, each module says beside its table."""

from threading import Event

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
from oidc_server.jobs.batches import Batch, work_off
from oidc_server.web.runtime import Runtime

PRUNES: tuple[Batch, ...] = (
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


def sweep(runtime: Runtime, stopping: Event, prunes: tuple[Batch, ...] = PRUNES) -> None:
    """Delete, table by table, until nothing is left to delete."""
    for prune in prunes:
        work_off(runtime, stopping, prune, _BATCH)
