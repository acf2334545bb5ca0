"""What administration leaves in the audit log: who did what, to whom, and what changed."""

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
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **detail: Any,
) -> None:
    """Append an event about `user_id`, with the caller as its actor.

    `before` and `after` hold the same members of the thing; those that differ are written down.
    """
    assert call.caller is not None, "administration is open to nobody unknown"  # noqa: S101
    changed = audit.changes(before or {}, after or {})
    audit.record(
        call.ctx.db,
        event,
        origin=call.ctx.origin,
        now=call.ctx.now,
        user_id=user_id,
        client_id=call.caller.client_id,
        actor_id=call.caller.user_id,
        **({"changes": changed} if changed else {}),
        **detail,
    )
