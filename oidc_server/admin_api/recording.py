"""What administration leaves in the audit log: what was done, to whom, and what changed."""

from collections.abc import Mapping
from typing import Any

from oidc_server.domain import audit
from oidc_server.domain.audit import Event
from oidc_server.web.operations import Call


def record(
    call: Call,
    event: Event,
    *,
    user_id: str | None = None,
    client_id: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **detail: Any,
) -> None:
    """Append an event about a user or a client, with the caller as its actor.

    `before` and `after` hold the same members of the thing; those that differ are written down.
    """
    was, is_now = None, None
    if before is not None and after is not None:
        was, is_now = audit.difference(before, after)
    audit.record(
        call.ctx.db,
        event,
        origin=call.ctx.origin,
        now=call.ctx.now,
        user_id=user_id,
        client_id=client_id,
        before=was,
        after=is_now,
        **detail,
    )
